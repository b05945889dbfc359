"""STS. The page of each operation below https://docs.aws.amazon.com/STS/latest/APIReference/.

Session tags: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html.
"""

import re

from rehearsal.cloud.core.api import AwsError, Call, request_rule, state_rule
from rehearsal.cloud.policy_language import grammar
from rehearsal.cloud.services.rules import tags

_ROLE = re.compile(r"arn:aws[\w-]*:iam::\d{12}:role/.+")
_POLICIES = 10


def _invalid(text: str) -> AwsError:
    return AwsError("InvalidParameterValue", text, Type="Sender")


@request_rule("sts", "AssumeRole", "AssumeRoleWithWebIdentity", "AssumeRoleWithSAML")
def role_arn(call: Call) -> None:
    arn = call.params["RoleArn"]
    if not _ROLE.fullmatch(arn):
        raise AwsError("ValidationError", f"{arn} is invalid", Type="Sender")


@request_rule("sts", "AssumeRole", "GetFederationToken", "AssumeRoleWithWebIdentity")
def session_policies(call: Call) -> None:
    if len(call.params.get("PolicyArns") or ()) > _POLICIES:
        raise AwsError("ValidationError", f"A session has at most {_POLICIES} managed policies", Type="Sender")
    text = call.params.get("Policy")
    if not text:
        return
    try:
        grammar.check(text, grammar.IDENTITY)
    except grammar.PolicyError as error:
        raise AwsError("MalformedPolicyDocument", str(error), Type="Sender") from None


@request_rule("sts", "AssumeRole", "GetFederationToken")
def session_tags(call: Call) -> None:
    given = call.params.get("Tags")
    tags.check(given, _invalid, fold=True)
    keys = {key.lower() for key, _ in tags.pairs(given)}
    for key in call.params.get("TransitiveTagKeys") or ():
        if key.lower() not in keys:
            raise _invalid("The specified transitive tag key must be included in the requested tags.")


@state_rule("sts", "AssumeRole")
def transitive(call: Call) -> None:
    """Tags that a session handed down cannot be set anew in the next one."""
    handed = {key.lower() for key in call.principal.transitive_tags}
    if any(key.lower() in handed for key, _ in tags.pairs(call.params.get("Tags"))):
        raise _invalid("One of the specified transitive tag keys can't be set because it conflicts with a transitive "
                       "tag key from the calling session.")  # fmt: skip


@state_rule("sts", "AssumeRole")
def duration(call: Call) -> None:
    """ "A value from 900 seconds up to the maximum session duration set for the role."""
    role = call.cloud.accounts.role(call.params["RoleArn"])
    most = int(getattr(role, "max_session_duration", None) or 3600)
    if role is not None and call.params.get("DurationSeconds", 0) > most:
        raise AwsError("ValidationError", "The requested DurationSeconds exceeds the MaxSessionDuration set for this "
                       "role.", Type="Sender")  # fmt: skip
