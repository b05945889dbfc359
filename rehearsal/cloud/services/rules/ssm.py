"""Parameter Store: https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_PutParameter.html, and the pages
beside it.
"""

import re

from rehearsal.cloud.core.api import AwsError, Call, request_rule, state_rule
from rehearsal.cloud.services.rules import tags

_NAME = re.compile(r"[\w.-]+(/[\w.-]+)*|(/[\w.-]+)+", re.ASCII)
_SIZES = {"Standard": 4096, "Advanced": 8192, "Intelligent-Tiering": 8192}
_DEPTH = 15
_LENGTH = 1011


def _invalid(text: str) -> AwsError:
    return AwsError("ValidationException", text)


@request_rule("ssm", "PutParameter")
def put_parameter(call: Call) -> None:
    params = call.params
    _name(params["Name"])
    if params.get("Tags") and params.get("Overwrite"):
        raise _invalid("Invalid request: tags and overwrite can't be used together. To create a parameter with tags, "
                       "please remove overwrite flag. To update tags for an existing parameter, please use "
                       "AddTagsToResource or RemoveTagsFromResource.")  # fmt: skip
    tags.check(params.get("Tags"), _invalid)
    value = params["Value"]
    if not value:
        raise _invalid("1 validation error detected: Value '' at 'value' failed to satisfy constraint: Member must "
                       "have length greater than or equal to 1.")  # fmt: skip
    tier = params.get("Tier") or "Standard"
    if len(value.encode()) > _SIZES[tier]:
        raise _invalid(f"{tier} tier parameters support a maximum parameter value of {_SIZES[tier]} characters.")
    if params.get("Policies") and tier == "Standard":
        raise AwsError("IncompatiblePolicyException", "Parameter policies need the advanced tier.")
    if params.get("KeyId") and params.get("Type") not in (None, "SecureString"):
        raise _invalid("KeyId is required for SecureString type parameter only.")
    if params.get("Type") == "StringList" and any(not part for part in value.split(",")):
        raise _invalid("A StringList has no empty items.")
    _pattern(params.get("AllowedPattern"), value)


def _pattern(pattern: str | None, value: str) -> None:
    if not pattern:
        return
    try:
        found = re.compile(pattern).fullmatch(value)
    except re.error as error:
        raise AwsError("InvalidAllowedPatternException", f"The pattern is no regular expression: {error}") from None
    if found is None:
        raise AwsError("ParameterPatternMismatchException",
                       f"Parameter value, cannot be validated against allowedPattern: {pattern}")  # fmt: skip


def _name(name: str) -> None:
    if "/" in name and not name.startswith("/"):
        raise _invalid(f"Parameter name must be a fully qualified name. {name}")
    if not _NAME.fullmatch(name):
        raise _invalid("Parameter name: it consists of sub-paths divided by a slash; each of them is a mix of letters, "
                       "numbers and the following 3 symbols .-_")  # fmt: skip
    if name.lower().lstrip("/").startswith("ssm"):
        raise _invalid('Parameter name: can\'t be prefixed with "ssm" (case-insensitive).')
    if name.lower().lstrip("/").startswith("aws"):
        raise AwsError("AccessDeniedException", f"No access to reserved parameter name: {name}.")
    if name.count("/") > _DEPTH:
        raise AwsError("HierarchyLevelLimitExceededException",
                       f"A hierarchy has at most {_DEPTH} levels.")  # fmt: skip
    if len(name) > _LENGTH:
        raise _invalid(f"A parameter name has at most {_LENGTH} characters.")


@request_rule("ssm", "GetParametersByPath")
def path(call: Call) -> None:
    text = call.params["Path"]
    if not text.startswith("/") or "//" in text or not re.fullmatch(r"[\w./-]+", text, re.ASCII):
        raise _invalid("The parameter path must begin with a slash and consist of sub-paths of letters, numbers and "
                       ".-_")  # fmt: skip


@request_rule("ssm", "GetParameters", "DeleteParameters")
def names(call: Call) -> None:
    found = call.params["Names"]
    if len(set(found)) != len(found):
        raise _invalid("Duplicate parameter names are not allowed.")


@request_rule("ssm", "AddTagsToResource")
def tag(call: Call) -> None:
    tags.check(call.params["Tags"], _invalid)


@state_rule("ssm", "PutParameter")
def new_parameter(call: Call) -> None:
    """A new parameter has a type; an old one keeps it, and is replaced only on request."""
    params = call.params
    known = call.cloud.backend("ssm", call.account, call.region)._parameters.get(params["Name"])
    if not known:
        if not params.get("Type"):
            raise _invalid("A parameter type is required when you create a parameter.")
        return
    if not params.get("Overwrite"):
        raise AwsError("ParameterAlreadyExists", "The parameter already exists. To overwrite this value, set the "
                       "overwrite option in the request to true.")  # fmt: skip
    if params.get("Type") and params["Type"] != known[-1].parameter_type:
        raise AwsError("HierarchyTypeMismatchException",
                       "The parameter has another type, which cannot be changed.")  # fmt: skip
