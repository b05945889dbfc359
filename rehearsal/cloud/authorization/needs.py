"""From a call to the permissions that AWS asks for: its own action on its resources, and what follows from it."""

import hashlib
from typing import TYPE_CHECKING, Any

from moto.iam.models import iam_backends
from moto.secretsmanager.models import secretsmanager_backends
from moto.sns.models import sns_backends
from moto.sqs.models import sqs_backends
from moto.ssm.models import ssm_backends

from rehearsal.cloud.authorization import kms, passing, s3, tagging
from rehearsal.cloud.authorization.actions import action_of
from rehearsal.cloud.authorization.arns import resources
from rehearsal.cloud.authorization.need import Need, many

if TYPE_CHECKING:
    from rehearsal.cloud.core.call import Call

_FREE = frozenset({("sts", "GetCallerIdentity"), ("sts", "GetSessionToken"), ("sts", "GetAccessKeyInfo")})
"""Operations that need no permission."""


def needs_of(call: "Call") -> list[Need]:
    """Everything the caller must be allowed, the call's own action first."""
    if (call.service, call.operation) in _FREE:
        return []
    action = action_of(call.service, call.operation)
    own = _SPECIAL.get(call.service, _general)(call, action)
    made = [need.resource for need in own]
    if made == ["*"]:
        # Allowed on everything or not at all, as composite alarms are; its tags are given to the thing itself.
        made = resources(call.service, call.operation, call.params, call.region, call.account) or made
    return [*own, *tagging.needs(call, made), *passing.needs(call)]


def _general(call: "Call", action: str) -> list[Need]:
    found = resources(call.service, call.operation, call.params, call.region, call.account) or ["*"]
    return [Need(action, arn, _owner(arn)) for arn in found]


def _owner(arn: str) -> str:
    return arn.split(":")[4] if arn.startswith("arn:") else ""


def _lambda(call: "Call", action: str) -> list[Need]:
    from rehearsal.cloud.services.lambda_.state import parse_name

    text = call.params.get("FunctionName")
    resource = call.params.get("Resource")
    if text is None:
        return [Need(action, str(resource) if resource else "*", _owner(str(resource)) if resource else "")]
    name = parse_name(text, call.account, call.region, call.params.get("Qualifier"))
    arn = f"arn:aws:lambda:{name.region}:{name.account}:function:{name.name}"
    own = f"{arn}:{name.qualifier}" if name.qualifier and name.qualifier != "$LATEST" else arn
    return [Need(action, own, name.account, many({"lambda:FunctionArn": own, "lambda:Principal": _principal(call)}))]


def _principal(call: "Call") -> str | None:
    return call.params.get("Principal") if call.operation == "AddPermission" else None


def _iam(call: "Call", action: str) -> list[Need]:
    params = call.params
    context = many(
        {
            "iam:PermissionsBoundary": params.get("PermissionsBoundary"),
            "iam:PolicyARN": params.get("PolicyArn") if "Policy" in call.operation else None,
            "iam:AWSServiceName": params.get("AWSServiceName"),
        }
    )
    return [Need(action, _iam_resource(call), call.account, context)]


def _iam_resource(call: "Call") -> str:
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


def _sts(call: "Call", action: str) -> list[Need]:
    arn = call.params.get("RoleArn")
    if not arn:
        return [Need(action, "*")]
    context = many(
        {"sts:RoleSessionName": call.params.get("RoleSessionName"), "sts:ExternalId": call.params.get("ExternalId")}
    )
    found = [Need(action, str(arn), _owner(str(arn)), context | dict(tagging.context(call.params)))]
    if call.params.get("Tags"):
        found.append(Need("sts:TagSession", str(arn), _owner(str(arn)), context | dict(tagging.context(call.params))))
    return found


def _apigateway(call: "Call", action: str) -> list[Need]:
    path = str(call.request.raw_path) if call.request is not None else "/*"  # type: ignore[attr-defined]
    return [Need(action, f"arn:aws:apigateway:{call.region}::{path.partition('?')[0]}")]


def _secrets(call: "Call", action: str) -> list[Need]:
    text = call.params.get("SecretId") or call.params.get("Name")
    if not text:
        return [Need(action, "*")]
    secret = _secret(call, str(text))
    if secret is None:
        arn = text if text.startswith("arn:") else f"arn:aws:secretsmanager:{call.region}:{call.account}:secret:{text}"
        return [Need(action, f"{arn}-??????" if not text.startswith("arn:") else arn, _owner(arn))]
    found = [Need(action, secret.arn, _owner(secret.arn), many({"secretsmanager:SecretId": secret.arn}))]
    if call.operation == "GetSecretValue" and secret.kms_key_id:
        context = {"SecretARN": secret.arn}
        found += kms.via("secretsmanager", "kms:Decrypt", secret.kms_key_id, call.account, call.region, context)
    return found


def _secret(call: "Call", text: str) -> Any:
    parts = text.split(":") if text.startswith("arn:") else []
    account, region = (parts[4], parts[3]) if parts else (call.account, call.region)
    return secretsmanager_backends[account][region].secrets.get(text)


def _sqs(call: "Call", action: str) -> list[Need]:
    url = str(call.params.get("QueueUrl") or "")
    name = url.rpartition("/")[2] or call.params.get("QueueName")
    if not name:
        return [Need(action, "*")]
    owner = url.rstrip("/").split("/")[-2] if url.count("/") > 2 else call.params.get("QueueOwnerAWSAccountId")
    account = str(owner or call.account)
    found = [Need(action, f"arn:aws:sqs:{call.region}:{account}:{name}", account)]
    queue = sqs_backends[account][call.region].queues.get(name)
    key = getattr(queue, "kms_master_key_id", None)
    if key and call.operation.startswith("SendMessage"):
        found += kms.via("sqs", "kms:GenerateDataKey", key, call.account, call.region)
    if key and call.operation in ("ReceiveMessage", "SendMessage", "SendMessageBatch"):
        found += kms.via("sqs", "kms:Decrypt", key, call.account, call.region)
    return found


def _sns(call: "Call", action: str) -> list[Need]:
    found = _general(call, action)
    arn = str(call.params.get("TopicArn") or call.params.get("TargetArn") or "")
    if not call.operation.startswith("Publish") or arn.count(":") != 5:
        return found
    _, _, _, region, account, _ = arn.split(":")
    topic = sns_backends[account][region].topics.get(arn)
    if topic is not None and topic.kms_master_key_id:
        for use in ("kms:GenerateDataKey", "kms:Decrypt"):
            found += kms.via("sns", use, topic.kms_master_key_id, call.account, region, {"aws:sns:topicArn": arn})
    return found


def _ssm(call: "Call", action: str) -> list[Need]:
    found = _general(call, action)
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


def _decrypt_parameter(call: "Call", name: str) -> list[Need]:
    stored: Any = next(iter(ssm_backends[call.account][call.region].get_parameters([name]).values()), None)
    key = getattr(stored, "keyid", None)
    if stored is None or stored.parameter_type != "SecureString" or not key:
        return []
    return kms.via("ssm", "kms:Decrypt", key, call.account, call.region)


def _cloudwatch(call: "Call", action: str) -> list[Need]:
    if call.operation == "PutMetricData":
        return [Need(action, "*", context=many({"cloudwatch:namespace": call.params.get("Namespace")}))]
    # What concerns composite alarms is allowed on all alarms or not at all; told in these operations' reference.
    composite = "CompositeAlarm" in (call.params.get("AlarmTypes") or ())
    if call.operation == "PutCompositeAlarm" or (call.operation == "DescribeAlarms" and composite):
        return [Need(action, "*")]
    found = _general(call, action)
    if call.operation == "DescribeAlarms" and found[0].resource == "*":
        return [Need(action, f"arn:aws:cloudwatch:{call.region}:{call.account}:alarm:*", call.account)]
    return found


def _logs(call: "Call", action: str) -> list[Need]:
    params = call.params
    identifier = params.get("logGroupIdentifier")
    if identifier and not params.get("logGroupName"):
        params = {
            **params,
            "logGroupName": str(identifier).rpartition(":log-group:")[2].removesuffix(":*") or identifier,
        }
    found = resources("logs", call.operation, params, call.region, call.account) or ["*"]
    return [Need(action, arn, _owner(arn)) for arn in found]


def _events(call: "Call", action: str) -> list[Need]:
    params = call.params
    if call.operation == "PutEvents":
        entries = [{**entry, "EventBusName": entry.get("EventBusName") or "default"} for entry in params["Entries"]]
        params = {**params, "Entries": entries}
    elif not call.operation.endswith("EventBus"):
        # Rules of the default bus do not name it.
        params = {**params, "EventBusName": str(params.get("EventBusName") or "default").rpartition("/")[2]}
    found = resources("events", call.operation, params, call.region, call.account) or ["*"]
    plain = dict.fromkeys(arn.replace(":rule/default/", ":rule/") for arn in found)
    return [Need(action, arn, _owner(arn)) for arn in plain]


def _codebuild(call: "Call", action: str) -> list[Need]:
    # A build is allowed or not with its project, whose name is the first part of the build's id.
    params = call.params
    builds = params.get("ids") if call.operation in ("BatchGetBuilds", "BatchDeleteBuilds") else [params.get("id")]
    if call.operation in ("BatchGetBuilds", "BatchDeleteBuilds", "StopBuild", "RetryBuild") and builds:
        names = dict.fromkeys(str(build).rpartition("build/")[2].partition(":")[0] for build in builds)
        start = f"arn:aws:codebuild:{call.region}:{call.account}:project/"
        return [Need(action, start + name, call.account) for name in names]
    return _general(call, action)


def _codedeploy(call: "Call", action: str) -> list[Need]:
    if call.operation not in ("GetDeployment", "BatchGetDeployments"):
        return _general(call, action)
    from rehearsal.cloud.services.codedeploy.state import records

    ids = call.params.get("deploymentIds") or [call.params.get("deploymentId")]
    known = records(call.cloud, call.account, call.region).deployments
    start = f"arn:aws:codedeploy:{call.region}:{call.account}:deploymentgroup:"
    found = [known[item].info for item in ids if item in known]
    groups = dict.fromkeys(f"{info['applicationName']}/{info['deploymentGroupName']}" for info in found)
    return [Need(action, start + group, call.account) for group in groups] or [Need(action, f"{start}*", call.account)]


def _connections(call: "Call", action: str) -> list[Need]:
    context = many({f"{call.service}:FullRepositoryId": call.params.get("FullRepositoryId")})
    return [Need(need.action, need.resource, need.account, context) for need in _general(call, action)]


def _autoscaling(call: "Call", action: str) -> list[Need]:
    params = call.params
    context = many(
        {
            "application-autoscaling:service-namespace": params.get("ServiceNamespace"),
            "application-autoscaling:scalable-dimension": params.get("ScalableDimension"),
        }
    )
    if params.get("ResourceId"):
        # AWS gives a target an id of its own, which no caller knows beforehand.
        name = hashlib.sha256(f"{params.get('ServiceNamespace')}{params['ResourceId']}".encode()).hexdigest()[:28]
        params = {**params, "ScalableTargetId": name}
    found = resources("application-autoscaling", call.operation, params, call.region, call.account) or ["*"]
    return [Need(action, arn, _owner(arn), context) for arn in found]


def _sagemaker(call: "Call", action: str) -> list[Need]:
    params = call.params
    context: dict[str, tuple[str, ...]] = {}
    types = sorted(set(_members(params, "InstanceType")))
    if types:
        context["sagemaker:instancetypes"] = tuple(types)
    for name, key in (("KmsKeyId", "sagemaker:volumekmskey"), ("VolumeKmsKeyId", "sagemaker:volumekmskey")):
        if isinstance(params.get(name), str):
            context[key] = (params[name],)
    context |= many({"sagemaker:ModelApprovalStatus": params.get("ModelApprovalStatus")})
    if call.operation in ("ListModelPackages", "CreateModelPackage"):
        params = {**params, "ModelPackageGroupName": _plain(params.get("ModelPackageGroupName"))}
    found = resources("sagemaker", call.operation, params, call.region, call.account) or ["*"]
    own = [Need(action, arn, _owner(arn), context) for arn in found]
    return own + (_endpoint_key(call) if call.operation in ("CreateEndpoint", "UpdateEndpoint") else [])


def _plain(group: str | None) -> str | None:
    return group.rpartition("/")[2] if group else None


def _endpoint_key(call: "Call") -> list[Need]:
    """SageMaker encrypts an endpoint's volumes with a key by a grant that the caller must be allowed to make."""
    # Services are read after this module, which their calls pass.
    from rehearsal.cloud.services.sagemaker import models, state

    configs = state.table(call.cloud, call.account, call.region, models.CONFIG)
    key = configs.get(str(call.params.get("EndpointConfigName")), {}).get("KmsKeyId")
    if not key:
        return []
    context = many({"kms:GrantIsForAWSResource": True})
    return [
        Need(need.action, need.resource, need.account, {**need.context, **context})
        for need in kms.via("sagemaker", "kms:CreateGrant", str(key), call.account, call.region)
    ]


def _members(value: Any, name: str) -> list[str]:
    if isinstance(value, dict):
        own = [str(value[name])] if isinstance(value.get(name), str) else []
        return own + [item for inner in value.values() for item in _members(inner, name)]
    return [item for inner in value for item in _members(inner, name)] if isinstance(value, list) else []


_SPECIAL = {
    "s3": s3.needs,
    "kms": kms.needs,
    "lambda": _lambda,
    "iam": _iam,
    "sts": _sts,
    "apigateway": _apigateway,
    "apigatewayv2": _apigateway,
    "secretsmanager": _secrets,
    "sqs": _sqs,
    "sns": _sns,
    "ssm": _ssm,
    "cloudwatch": _cloudwatch,
    "logs": _logs,
    "events": _events,
    "codebuild": _codebuild,
    "codedeploy": _codedeploy,
    "application-autoscaling": _autoscaling,
    "sagemaker": _sagemaker,
    "codeconnections": _connections,
    "codestar-connections": _connections,
}
