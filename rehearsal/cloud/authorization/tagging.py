"""Tags given when something is created: AWS asks for the tagging permission as well."""

from collections.abc import Iterable, Mapping
from typing import Any

from rehearsal.cloud.authorization.need import Need
from rehearsal.cloud.core.call import Call
from rehearsal.cloud.policy_language.template import Context

_ACTIONS = {
    "lambda": "lambda:TagResource",
    "sagemaker": "sagemaker:AddTags",
    "logs": "logs:TagResource",
    "codedeploy": "codedeploy:TagResource",
    "codepipeline": "codepipeline:TagResource",
    "stepfunctions": "states:TagResource",
    "glue": "glue:TagResource",
    "events": "events:TagResource",
    "sns": "sns:TagResource",
    "ssm": "ssm:AddTagsToResource",
    "cloudwatch": "cloudwatch:TagResource",
    "application-autoscaling": "application-autoscaling:TagResource",
    "secretsmanager": "secretsmanager:TagResource",
    "kms": "kms:TagResource",
}
_VERBS = ("Create", "Put", "Register")
_TAG_CALLS = frozenset({"AddTags", "TagResource", "TagRole", "TagPolicy", "TagUser", "AddTagsToResource"})


def request_tags(params: Mapping[str, Any]) -> dict[str, str]:
    """Tags in a request, whichever shape the service gives them."""
    found = params.get("Tags", params.get("tags"))
    if isinstance(found, Mapping):
        return {str(key): str(value) for key, value in found.items()}
    if not isinstance(found, list):
        return {}
    pairs = [{str(key).lower(): value for key, value in item.items()} for item in found if isinstance(item, Mapping)]
    return {
        str(pair.get("key", pair.get("tagkey"))): str(pair.get("value", pair.get("tagvalue", ""))) for pair in pairs
    }


def context(params: Mapping[str, Any]) -> Context:
    """`aws:RequestTag/…` and `aws:TagKeys`."""
    tags = request_tags(params)
    keys = tuple(tags) or tuple(params.get("TagKeys") or params.get("tagKeys") or ())
    found: dict[str, tuple[str, ...]] = {f"aws:requesttag/{key.lower()}": (value,) for key, value in tags.items()}
    return found | {"aws:tagkeys": keys} if keys else found


def needs(call: Call, resources: Iterable[str]) -> list[Need]:
    """The tagging permission on what a call creates. `resources` are the ARNs it works on."""
    action = _ACTIONS.get(call.service)
    if action is None or call.operation in _TAG_CALLS or not call.operation.startswith(_VERBS):
        return []
    if not request_tags(call.params):
        return []
    # A log group is tagged under its plain ARN; an endpoint's configuration is not what CreateEndpoint makes.
    made = [arn.removesuffix(":log-stream:") for arn in resources][:1]
    return [Need(action, arn) for arn in made]
