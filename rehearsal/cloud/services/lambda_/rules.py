"""What the pages of the operations say in prose: https://docs.aws.amazon.com/lambda/latest/api/.

Quotas: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html.
"""

import base64
import binascii
import json
import re
from typing import Any

from rehearsal.cloud.core.api import AwsError, Call, request_rule, state_rule
from rehearsal.cloud.services.lambda_.state import Function, functions, invalid, parse_name
from rehearsal.cloud.services.rules import tags

RUNTIMES = (
    "nodejs20.x", "nodejs22.x", "nodejs24.x", "python3.10", "python3.11", "python3.12", "python3.13", "python3.14",
    "java8.al2", "java11", "java17", "java21", "java25", "dotnet8", "dotnet10", "ruby3.2", "ruby3.3", "ruby3.4",
    "provided.al2", "provided.al2023",
)  # fmt: skip
"""https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html"""
_ENDING = ("nodejs16.x", "nodejs18.x", "python3.8", "python3.9", "dotnet6")
"""Deprecated, but still taken."""
_RETIRED = re.compile(r"nodejs(|4\.3|6\.10|8\.10|10\.x|12\.x|14\.x)|python(2\.7|3\.6|3\.7)|ruby2\.[57]|java8|go1\.x|"
                      r"dotnetcore.*|provided|dotnet[57]")  # fmt: skip
_VARIABLES = 4096
_LAYERS = 5
_DESTINATION = re.compile(r"arn:[\w-]+:(sqs|sns|lambda|events|s3):.*")


def _validation(text: str) -> AwsError:
    return AwsError("ValidationException", f"1 validation error detected: {text}")


# --- functions -------------------------------------------------------------------------------------------------------


@request_rule("lambda", "CreateFunction", "UpdateFunctionConfiguration", "UpdateFunctionCode")
def settings(call: Call) -> None:
    params = call.params
    _runtime(params.get("Runtime"))
    architectures = params.get("Architectures")
    if architectures is not None and (len(architectures) != 1 or architectures[0] not in ("x86_64", "arm64")):
        raise _validation(
            f"Value '[{', '.join(architectures)}]' at 'architectures' failed to satisfy constraint: Member must "
            "satisfy constraint: [Member must satisfy enum value set: [x86_64, arm64], Member must not be null]"
        )
    if len(params.get("Layers") or ()) > _LAYERS:
        raise invalid(f"Function can have at most {_LAYERS} layers.")
    layers = [arn.rpartition(":")[0] for arn in params.get("Layers") or ()]
    if len(set(layers)) < len(layers):
        raise invalid("Two different versions of the same layer are not allowed to be referenced in the same function.")
    vpc = params.get("VpcConfig") or {}
    if bool(vpc.get("SubnetIds")) != bool(vpc.get("SecurityGroupIds")):
        raise invalid("SubnetIds and SecurityIds must coexist or be both empty list.")
    target = (params.get("DeadLetterConfig") or {}).get("TargetArn")
    if target and not re.match(r"arn:[\w-]+:(sqs|sns):", target):
        raise invalid(f"The provided dead letter target {target} is not valid: it is a queue or a topic.")
    if (params.get("SnapStart") or {}).get("ApplyOn") == "PublishedVersions" and params.get("Runtime") == "python3.11":
        raise invalid("python3.11 is not supported for SnapStart enabled functions.")


def _runtime(runtime: str | None) -> None:
    if runtime is None or runtime in RUNTIMES or runtime in _ENDING:
        return
    if _RETIRED.fullmatch(runtime):
        raise invalid(f"The runtime parameter of {runtime} is no longer supported for creating or updating AWS Lambda "
                      "functions. We recommend you use a supported runtime while creating or updating functions."
                      )  # fmt: skip
    raise invalid(f"Value {runtime} at 'runtime' failed to satisfy constraint: Member must satisfy enum value set: "
                  f"[{', '.join((*RUNTIMES, *_ENDING))}] or be a valid ARN")  # fmt: skip


@request_rule("lambda", "CreateFunction", "UpdateFunctionConfiguration")
def environment(call: Call) -> None:
    variables = (call.params.get("Environment") or {}).get("Variables") or {}
    measured = json.dumps(variables, separators=(",", ":"), ensure_ascii=False)
    if len(measured.encode()) > _VARIABLES:
        raise invalid("Lambda was unable to configure your environment variables because the environment variables you "
                      f"have provided exceeded the 4KB limit. String measured: {measured}")  # fmt: skip


@request_rule("lambda", "CreateFunction")
def package(call: Call) -> None:
    name = parse_name(call.params["FunctionName"], call.account, call.region)
    if len(name.name) > 64:
        raise invalid(f"1 validation error detected: Value '{name.name}' at 'functionName' failed to satisfy "
                      "constraint: Member must have length less than or equal to 64")  # fmt: skip
    if name.region != call.region:
        text = f"Functions from '{name.region}' are not reachable in this region ('{call.region}')"
        raise AwsError("ResourceNotFoundException", text, 404, Type="User")
    code, image = call.params["Code"], call.params.get("PackageType") == "Image"
    _code(code)
    if image and not code.get("ImageUri"):
        raise invalid("Please provide ImageUri when updating a function with packageType Image.")
    if image and (call.params.get("Handler") or call.params.get("Runtime")):
        raise invalid("Please don't provide Handler or Runtime or Layer when the intended function PackageType is "
                      "Image.")  # fmt: skip
    _tags(call.params.get("Tags"))


@request_rule("lambda", "UpdateFunctionCode")
def new_code(call: Call) -> None:
    _code(call.params)


def _code(code: dict[str, Any]) -> None:
    given = [name for name in ("ZipFile", "S3Bucket", "ImageUri") if code.get(name)]
    if len(given) > 1:
        raise invalid("Please do not provide other FunctionCode parameters when providing a ZipFile.")
    if not given or (given == ["S3Bucket"]) != bool(code.get("S3Key")):
        raise invalid("Please provide a source for function code: a ZipFile, or an S3Bucket with an S3Key.")


@state_rule("lambda", "DeleteFunction")
def latest(call: Call) -> None:
    name = parse_name(call.params["FunctionName"], call.account, call.region, call.params.get("Qualifier"))
    if name.qualifier == "$LATEST":
        raise invalid("$LATEST version cannot be deleted without deleting the function.")


# --- tags ------------------------------------------------------------------------------------------------------------


def _tags(found: dict[str, str] | None) -> None:
    if found is not None and len(found) > tags.MOST:
        raise invalid("Number of tags exceeds resource tag limit.")
    tags.check(found, invalid)


@request_rule("lambda", "TagResource")
def tag(call: Call) -> None:
    if not call.params["Tags"]:
        raise invalid("An error occurred and the request cannot be processed.")
    _tags(call.params["Tags"])


@state_rule("lambda", "TagResource")
def tag_limit(call: Call) -> None:
    name = parse_name(call.params["Resource"], call.account, call.region)
    function = functions(call.cloud, name.account, name.region).get(name.name)
    if function is not None and len(function.tags | call.params["Tags"]) > tags.MOST:
        raise invalid("Number of tags exceeds resource tag limit.")


# --- permissions -----------------------------------------------------------------------------------------------------


@request_rule("lambda", "AddPermission")
def permission(call: Call) -> None:
    params = call.params
    account = params.get("SourceAccount")
    if account is not None and not re.fullmatch(r"\d{12}", account):
        raise _validation(f"Value '{account}' at 'sourceAccount' failed to satisfy constraint: Member must satisfy "
                          "regular expression pattern: \\d{12}")  # fmt: skip
    if params.get("FunctionUrlAuthType") and params["Action"] != "lambda:InvokeFunctionUrl":
        raise invalid("FunctionUrlAuthType is only supported for lambda:InvokeFunctionUrl action")
    if params.get("Qualifier") == "$LATEST" or params["FunctionName"].endswith(":$LATEST"):
        raise invalid("We currently do not support adding policies for $LATEST.")


# --- invocation ------------------------------------------------------------------------------------------------------


@request_rule("lambda", "Invoke")
def client_context(call: Call) -> None:
    """ "Up to 3,583 bytes of base64-encoded data about the invoking client." Asynchronous ones may have none."""
    text = call.params.get("ClientContext")
    if text is None:
        return
    try:
        json.loads(base64.b64decode(text, validate=True))
    except (ValueError, binascii.Error):
        raise AwsError("InvalidRequestContentException", "Client context must be a valid Base64-encoded JSON object.",
                       Type="User") from None  # fmt: skip
    if len(text) > 3583:
        raise AwsError("RequestTooLargeException", "Client context is limited to 3583 bytes.", 413, Type="User")


@request_rule("lambda", "PutFunctionEventInvokeConfig", "UpdateFunctionEventInvokeConfig")
def invoke_config(call: Call) -> None:
    params = call.params
    name = params["FunctionName"]
    parsed = parse_name(name, call.account, call.region, params.get("Qualifier"))
    members = ("MaximumRetryAttempts", "MaximumEventAgeInSeconds", "DestinationConfig")
    if call.operation.startswith("Put") and all(params.get(member) is None for member in members):
        raise invalid("You must specify at least one of error handling or destination setting.")
    for arn in _destinations(params):
        if not _DESTINATION.fullmatch(arn) or arn.endswith(".fifo"):
            raise invalid(f"The destination ARN {arn} is invalid.")
        other = parse_name(arn, call.account, call.region) if ":lambda:" in arn else None
        if other is not None and (other.account, other.region, other.name) == (
            parsed.account,
            parsed.region,
            parsed.name,
        ):
            raise invalid("You can't specify the function as a destination for itself.")


@state_rule("lambda", "PutFunctionEventInvokeConfig", "UpdateFunctionEventInvokeConfig")
def destination(call: Call) -> None:
    """A function that is named must be there."""
    for arn in _destinations(call.params):
        if ":lambda:" not in arn:
            continue
        name = parse_name(arn, call.account, call.region)
        found: Function | None = functions(call.cloud, name.account, name.region).get(name.name)
        if found is None:
            raise invalid(f"The destination ARN {arn} is invalid.")


def _destinations(params: dict[str, Any]) -> list[str]:
    config = params.get("DestinationConfig") or {}
    found = [(config.get(name) or {}).get("Destination") for name in ("OnSuccess", "OnFailure")]
    return [arn for arn in found if arn]
