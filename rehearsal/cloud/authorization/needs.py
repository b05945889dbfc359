"""From a call to the permissions that AWS asks for: its own action on its resources, and what follows from it."""

from typing import Any

from moto.iam.models import iam_backends
from moto.secretsmanager.models import secretsmanager_backends
from moto.sns.models import sns_backends
from moto.sqs.models import sqs_backends
from moto.ssm.models import ssm_backends

from rehearsal.cloud.authorization import kms, passing, registry, s3, tagging
from rehearsal.cloud.authorization.arns import resources
from rehearsal.cloud.authorization.general import general, owner
from rehearsal.cloud.authorization.need import Need, many
from rehearsal.cloud.core.call import Call

_FREE = frozenset({("sts", "GetCallerIdentity"), ("sts", "GetSessionToken"), ("sts", "GetAccessKeyInfo")})
"""Operations that need no permission."""


def needs_of(call: Call) -> list[Need]:
    """Everything the caller must be allowed, the call's own action first."""
    if (call.service, call.operation) in _FREE:
        return []
    finder = registry.needs_finders.get(call.service) or _SPECIAL.get(call.service, general)
    own = finder(call)
    made = [need.resource for need in own]
    if made == ["*"]:
        # Allowed on everything or not at all, as composite alarms are; its tags are given to the thing itself.
        made = resources(call.service, call.operation, call.params, call.region, call.account) or made
    return [*own, *tagging.needs(call, made), *passing.needs(call)]


def _iam(call: Call) -> list[Need]:
    params = call.params
    context = many(
        {
            "iam:PermissionsBoundary": params.get("PermissionsBoundary"),
            "iam:PolicyARN": params.get("PolicyArn") if "Policy" in call.operation else None,
            "iam:AWSServiceName": params.get("AWSServiceName"),
        }
    )
    return [Need(call.action, _iam_resource(call), call.account, context)]


def _iam_resource(call: Call) -> str:
    params, account = call.params, call.account
    backend = iam_backends[account]["aws"]
    start = f"arn:aws:iam::{account}:"
    path = params.get("Path") or "/"
    if params.get("AWSServiceName"):
        return f"{start}role/aws-service-role/{params['AWSServiceName']}/*"
    if params.get("RoleName"):
        role = next((role for role in list(backend.roles.values()) if role.name == params["RoleName"]), None)
        return str(role.arn) if role else f"{start}role{path}{params['RoleName']}"
    if params.get("UserName"):
        user = backend.users.get(params["UserName"])
        return str(user.arn) if user else f"{start}user{path}{params['UserName']}"
    if params.get("GroupName"):
        return f"{start}group{path}{params['GroupName']}"
    if params.get("PolicySourceArn"):
        return str(params["PolicySourceArn"])
    if params.get("PolicyArn"):
        return str(params["PolicyArn"])
    return f"{start}policy{path}{params['PolicyName']}" if params.get("PolicyName") else "*"


def _sts(call: Call) -> list[Need]:
    arn = call.params.get("RoleArn")
    if not arn:
        return [Need(call.action, "*")]
    context = many(
        {"sts:RoleSessionName": call.params.get("RoleSessionName"), "sts:ExternalId": call.params.get("ExternalId")}
    )
    found = [Need(call.action, str(arn), owner(str(arn)), context | dict(tagging.context(call.params)))]
    if call.params.get("Tags"):
        found.append(Need("sts:TagSession", str(arn), owner(str(arn)), context | dict(tagging.context(call.params))))
    return found


def _apigateway_v2(call: Call) -> list[Need]:
    path = str(call.request.raw_path) if call.request is not None else "/*"
    return [Need(call.action, f"arn:aws:apigateway:{call.region}::{path.partition('?')[0]}")]


def _secrets(call: Call) -> list[Need]:
    text = call.params.get("SecretId") or call.params.get("Name")
    if not text:
        return [Need(call.action, "*")]
    secret = _secret(call, str(text))
    if secret is None:
        arn = text if text.startswith("arn:") else f"arn:aws:secretsmanager:{call.region}:{call.account}:secret:{text}"
        return [Need(call.action, f"{arn}-??????" if not text.startswith("arn:") else arn, owner(arn))]
    found = [Need(call.action, secret.arn, owner(secret.arn), many({"secretsmanager:SecretId": secret.arn}))]
    if call.operation == "GetSecretValue" and secret.kms_key_id:
        context = {"SecretARN": secret.arn}
        found += kms.via("secretsmanager", "kms:Decrypt", secret.kms_key_id, call.account, call.region, context)
    return found


def _secret(call: Call, text: str) -> Any:
    parts = text.split(":") if text.startswith("arn:") else []
    account, region = (parts[4], parts[3]) if parts else (call.account, call.region)
    return secretsmanager_backends[account][region].secrets.get(text)


def _sqs(call: Call) -> list[Need]:
    url = str(call.params.get("QueueUrl") or "")
    name = url.rpartition("/")[2] or call.params.get("QueueName")
    if not name:
        return [Need(call.action, "*")]
    owner = url.rstrip("/").split("/")[-2] if url.count("/") > 2 else call.params.get("QueueOwnerAWSAccountId")
    account = str(owner or call.account)
    found = [Need(call.action, f"arn:aws:sqs:{call.region}:{account}:{name}", account)]
    queue = sqs_backends[account][call.region].queues.get(name)
    key = getattr(queue, "kms_master_key_id", None)
    if key and call.operation.startswith("SendMessage"):
        found += kms.via("sqs", "kms:GenerateDataKey", key, call.account, call.region)
    if key and call.operation in ("ReceiveMessage", "SendMessage", "SendMessageBatch"):
        found += kms.via("sqs", "kms:Decrypt", key, call.account, call.region)
    return found


def _sns(call: Call) -> list[Need]:
    found = general(call)
    arn = str(call.params.get("TopicArn") or call.params.get("TargetArn") or "")
    if not call.operation.startswith("Publish") or arn.count(":") != 5:
        return found
    _, _, _, region, account, _ = arn.split(":")
    topic = sns_backends[account][region].topics.get(arn)
    if topic is not None and topic.kms_master_key_id:
        for use in ("kms:GenerateDataKey", "kms:Decrypt"):
            found += kms.via("sns", use, topic.kms_master_key_id, call.account, region, {"aws:sns:topicArn": arn})
    return found


def _ssm(call: Call) -> list[Need]:
    found = general(call)
    params = call.params
    if call.operation == "GetParametersByPath":
        recursive = many({"ssm:Recursive": bool(params.get("Recursive"))})
        found = [Need(need.action, need.resource, need.account, recursive) for need in found]
    if call.operation == "PutParameter":
        overwrite = many({"ssm:Overwrite": bool(params.get("Overwrite"))})
        found = [Need(need.action, need.resource, need.account, overwrite) for need in found]
        if params.get("Type") == "SecureString" and params.get("KeyId"):
            found += kms.via("ssm", "kms:Encrypt", params["KeyId"], call.account, call.region)
    if call.operation == "GetParameter" and params.get("WithDecryption"):
        found += _decrypt_parameter(call, str(params["Name"]))
    return found


def _decrypt_parameter(call: Call, name: str) -> list[Need]:
    stored: Any = next(iter(ssm_backends[call.account][call.region].get_parameters([name]).values()), None)
    key = getattr(stored, "keyid", None)
    if stored is None or stored.parameter_type != "SecureString" or not key:
        return []
    return kms.via("ssm", "kms:Decrypt", key, call.account, call.region)


def _cloudwatch(call: Call) -> list[Need]:
    if call.operation == "PutMetricData":
        return [Need(call.action, "*", context=many({"cloudwatch:namespace": call.params.get("Namespace")}))]
    # What concerns composite alarms is allowed on all alarms or not at all; told in these operations' reference.
    composite = "CompositeAlarm" in (call.params.get("AlarmTypes") or ())
    if call.operation == "PutCompositeAlarm" or (call.operation == "DescribeAlarms" and composite):
        return [Need(call.action, "*")]
    found = general(call)
    if call.operation == "DescribeAlarms" and found[0].resource == "*":
        return [Need(call.action, f"arn:aws:cloudwatch:{call.region}:{call.account}:alarm:*", call.account)]
    return found


def _logs(call: Call) -> list[Need]:
    params = call.params
    identifier = params.get("logGroupIdentifier")
    if identifier and not params.get("logGroupName"):
        params = {
            **params,
            "logGroupName": str(identifier).rpartition(":log-group:")[2].removesuffix(":*") or identifier,
        }
    found = resources("logs", call.operation, params, call.region, call.account) or ["*"]
    return [Need(call.action, arn, owner(arn)) for arn in found]


def _events(call: Call) -> list[Need]:
    params = call.params
    if call.operation == "PutEvents":
        entries = [{**entry, "EventBusName": entry.get("EventBusName") or "default"} for entry in params["Entries"]]
        return [_put_event(call, entry) for entry in entries]
    if not call.operation.endswith("EventBus"):
        # Rules of the default bus do not name it.
        params = {**params, "EventBusName": str(params.get("EventBusName") or "default").rpartition("/")[2]}
    found = resources("events", call.operation, params, call.region, call.account) or ["*"]
    plain = dict.fromkeys(arn.replace(":rule/default/", ":rule/") for arn in found)
    return [Need(call.action, arn, owner(arn)) for arn in plain]


def _scheduler(call: Call) -> list[Need]:
    """A schedule is named within its group; the default group need not be named."""
    group, name = call.params.get("GroupName") or "default", call.params.get("Name")
    if not name or not call.operation.endswith("Schedule"):
        return general(call)
    arn = f"arn:aws:scheduler:{call.region}:{call.account}:schedule/{group}/{name}"
    return [Need(call.action, arn, call.account)]


def _put_event(call: Call, entry: dict[str, Any]) -> Need:
    """Each entry is decided by itself."""
    (arn,) = resources("events", "PutEvents", {"Entries": [entry]}, call.region, call.account)
    context = {"events:source": entry.get("Source"), "events:detail-type": entry.get("DetailType")}
    return Need(call.action, arn, owner(arn), many(context))


def _codebuild(call: Call) -> list[Need]:
    # A build is allowed or not with its project, whose name is the first part of the build's id.
    params = call.params
    builds = params.get("ids") if call.operation in ("BatchGetBuilds", "BatchDeleteBuilds") else [params.get("id")]
    if call.operation in ("BatchGetBuilds", "BatchDeleteBuilds", "StopBuild", "RetryBuild") and builds:
        names = dict.fromkeys(str(build).rpartition("build/")[2].partition(":")[0] for build in builds)
        start = f"arn:aws:codebuild:{call.region}:{call.account}:project/"
        return [Need(call.action, start + name, call.account) for name in names]
    return general(call)


def _connections(call: Call) -> list[Need]:
    context = many({f"{call.service}:FullRepositoryId": call.params.get("FullRepositoryId")})
    return [Need(need.action, need.resource, need.account, context) for need in general(call)]


_SPECIAL = {
    "s3": s3.needs,
    "kms": kms.needs,
    "iam": _iam,
    "sts": _sts,
    "apigatewayv2": _apigateway_v2,
    "secretsmanager": _secrets,
    "sqs": _sqs,
    "sns": _sns,
    "ssm": _ssm,
    "cloudwatch": _cloudwatch,
    "logs": _logs,
    "events": _events,
    "scheduler": _scheduler,
    "codebuild": _codebuild,
    "codeconnections": _connections,
    "codestar-connections": _connections,
}
