"""What calls of API Gateway need, and the tags that they are judged by.

A call is its HTTP verb on its path. Tags given to something new are asked for as `PUT /tags/<ARN>` as well, where `*`
stands for the id that there is not yet (in AWS's own words: github.com/mattclay/aws-terminator/pull/284). Tags given to
what is there take a `PATCH` of it, too (github.com/iann0036/iam-dataset/pull/39). Neither is asked of tags taken away.
"""

from collections.abc import Mapping
from urllib.parse import quote

from rehearsal.cloud.authorization.need import Need
from rehearsal.cloud.authorization.registry import needs, resource_tags
from rehearsal.cloud.core.api import Call
from rehearsal.cloud.services.apigateway.tags import holder


@needs("apigateway")
def of_call(call: Call) -> list[Need]:
    """The call's own verb, and what its tags take."""
    start = f"arn:aws:apigateway:{call.region}::"
    path = str(call.request.raw_path).partition("?")[0] if call.request is not None else "/*"
    own = Need(call.action, f"{start}{path}")
    if call.operation == "TagResource":
        return [own, Need("apigateway:PATCH", str(call.params["resourceArn"]))]
    if call.action == "apigateway:POST" and call.params.get("tags"):
        return [own, Need("apigateway:PUT", f"{start}/tags/{quote(f'{start}{path}/*', safe='*')}")]
    return [own]


@resource_tags("apigateway")
def of_resource(call: Call, resource: str) -> Mapping[str, str]:
    """The tags of an API, a usage plan or a key with its own, for what belongs to it as well.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-tagging-supported-resources.html; a stage's
    own tags come first. `/tags/…` itself carries none
    (https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonapigatewaymanagement.html).
    """
    kind, _, rest = resource.partition("::")[2].removeprefix("/").partition("/")
    name, *below = rest.split("/")
    found = dict(getattr(holder(call, f"{kind}/{name}"), "tags", None) or {})
    if below[:1] == ["stages"] and len(below) > 1:
        found |= getattr(holder(call, f"{kind}/{name}/stages/{below[1]}"), "tags", None) or {}
    return found
