"""What an attacker would try: actions on everything that a project has, in the name of each of its roles."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from contracts.names import DELIVERY, LIVE, Names
from contracts.retraining import COLLECTED, JOINED, LEDGER_KEY, TRAINED, UPLOADED, start_key
from definitions.roles import delivery as delivery_roles
from definitions.roles import environment as environment_roles
from tests.security.attempt import Attempt
from tests.security.tagged import by_tags

STATE_BUCKET = "trusted-state"
BACKEND = f"s3://{STATE_BUCKET}"
PROJECT = "glidepath"


SERVICES = (
    "lambda", "sagemaker", "codebuild", "codedeploy", "codepipeline", "states", "glue", "events", "scheduler",
    "apigateway", "ecs-tasks", "ec2", "cloudformation", "application-autoscaling", "bedrock", "pipes",
)  # fmt: skip
_ROLE_WRITES = (
    "AttachRolePolicy", "CreateRole", "DeleteRole", "DeleteRolePermissionsBoundary", "DeleteRolePolicy",
    "DetachRolePolicy", "PutRolePermissionsBoundary", "PutRolePolicy", "TagRole", "UntagRole", "UpdateAssumeRolePolicy",
    "UpdateRole", "UpdateRoleDescription", "CreateServiceLinkedRole",
)  # fmt: skip
_POLICY_WRITES = (
    "CreatePolicy", "CreatePolicyVersion", "DeletePolicy", "DeletePolicyVersion", "SetDefaultPolicyVersion",
    "TagPolicy",
)  # fmt: skip
_ANYWHERE = (
    "iam:CreateUser", "iam:CreateAccessKey", "iam:CreateLoginProfile", "iam:PutUserPolicy", "iam:AttachUserPolicy",
    "iam:AddUserToGroup", "iam:CreateGroup", "iam:PutGroupPolicy", "iam:CreateOpenIDConnectProvider",
    "iam:UpdateOpenIDConnectProviderThumbprint", "iam:AddClientIDToOpenIDConnectProvider", "iam:CreateSAMLProvider",
    "iam:CreateInstanceProfile", "iam:AddRoleToInstanceProfile", "iam:UpdateAccountPasswordPolicy",
    "iam:CreateAccountAlias", "sts:GetFederationToken", "cloudformation:CreateStack", "cloudformation:UpdateStack",
    "cloudformation:CreateChangeSet", "cloudcontrol:CreateResource", "cloudformation:CreateResource",
    "ec2:RunInstances", "ec2:CreateVpcEndpoint", "ecs:RunTask", "organizations:LeaveOrganization",
    "account:CloseAccount", "cloudtrail:StopLogging", "cloudtrail:DeleteTrail", "config:DeleteConfigRule",
    "guardduty:DeleteDetector", "kms:CreateKey", "s3:CreateBucket", "s3:PutAccountPublicAccessBlock",
    "sso:CreatePermissionSet", "sso:AttachManagedPolicyToPermissionSet", "ram:CreateResourceShare",
    "logs:PutResourcePolicy", "logs:PutAccountPolicy", "lambda:CreateEventSourceMapping", "xray:PutEncryptionConfig",
    "codedeploy:StopDeployment", "codedeploy:PutLifecycleEventHookExecutionStatus", "cloudwatch:PutCompositeAlarm",
    "cloudwatch:PutMetricData", "apigateway:UpdateAccount", "ssm:SendCommand", "ssm:StartSession",
    "secretsmanager:ListSecrets", "s3:ListAllMyBuckets", "dynamodb:ListTables", "codebuild:ImportSourceCredentials",
)  # fmt: skip
_BUCKET = (
    "DeleteBucket", "DeleteBucketPolicy", "ListBucket", "PutBucketAcl", "PutBucketNotification",
    "PutBucketOwnershipControls", "PutBucketPolicy", "PutBucketPublicAccessBlock", "PutBucketVersioning",
    "PutEncryptionConfiguration", "PutLifecycleConfiguration", "PutReplicationConfiguration",
)  # fmt: skip
_OBJECT = (
    "DeleteObject", "DeleteObjectVersion", "GetObject", "GetObjectVersion", "PutObject", "PutObjectAcl",
    "PutObjectRetention", "BypassGovernanceRetention",
)  # fmt: skip
_KEY = (
    "CancelKeyDeletion", "CreateGrant", "Decrypt", "DeleteAlias", "DisableKey", "DisableKeyRotation", "Encrypt",
    "GenerateDataKey", "PutKeyPolicy", "ReEncryptFrom", "ReEncryptTo", "RetireGrant", "RevokeGrant",
    "ScheduleKeyDeletion", "UpdateAlias",
)  # fmt: skip
_FUNCTION = (
    "AddPermission", "CreateAlias", "CreateFunction", "CreateFunctionUrlConfig", "DeleteAlias", "DeleteFunction",
    "GetFunction", "InvokeFunction", "PublishVersion", "PutFunctionConcurrency", "PutProvisionedConcurrencyConfig",
    "RemovePermission", "UpdateAlias", "UpdateFunctionCode", "UpdateFunctionConfiguration",
)  # fmt: skip
_PROJECT = ("BatchGetBuilds", "CreateProject", "DeleteProject", "StartBuild", "StopBuild", "UpdateProject")
_PIPELINE = (
    "DeletePipeline", "DisableStageTransition", "EnableStageTransition", "GetPipelineState", "OverrideStageCondition",
    "PutApprovalResult", "RetryStageExecution", "RollbackStage", "StartPipelineExecution", "StopPipelineExecution",
    "UpdatePipeline",
)  # fmt: skip
_SAGEMAKER = {
    "endpoint": ("CreateEndpoint", "DeleteEndpoint", "InvokeEndpoint", "UpdateEndpoint",
                 "UpdateEndpointWeightsAndCapacities", "AddTags", "DeleteTags"),
    "endpoint-config": ("CreateEndpointConfig", "DeleteEndpointConfig"),
    "model": ("CreateModel", "DeleteModel"),
    "monitoring-schedule": ("CreateMonitoringSchedule", "DeleteMonitoringSchedule", "StopMonitoringSchedule",
                            "UpdateMonitoringSchedule"),
    "processing-job": ("CreateProcessingJob", "StopProcessingJob"),
    "training-job": ("CreateTrainingJob", "StopTrainingJob"),
    "hyper-parameter-tuning-job": ("CreateHyperParameterTuningJob", "StopHyperParameterTuningJob"),
    "notebook-instance": ("CreateNotebookInstance", "CreatePresignedNotebookInstanceUrl"),
}  # fmt: skip
_PACKAGES = ("CreateModelPackage", "DeleteModelPackage", "DeleteModelPackageGroup", "DeleteModelPackageGroupPolicy",
             "PutModelPackageGroupPolicy", "UpdateModelPackage")  # fmt: skip
_ALARM = ("DeleteAlarms", "DisableAlarmActions", "EnableAlarmActions", "PutMetricAlarm", "SetAlarmState", "TagResource")
_DEPLOY = (
    "CreateDeployment",
    "CreateDeploymentGroup",
    "DeleteDeploymentGroup",
    "GetDeployment",
    "UpdateDeploymentGroup",
)
_PARAMETER = ("DeleteParameter", "GetParameter", "PutParameter", "AddTagsToResource")
_GROUP = ("AssociateKmsKey", "CreateLogGroup", "DeleteLogGroup", "DeleteLogStream", "DeleteRetentionPolicy",
          "DisassociateKmsKey", "FilterLogEvents", "GetLogEvents", "PutLogEvents", "PutRetentionPolicy",
          "PutSubscriptionFilter")  # fmt: skip
_TOPIC = ("AddPermission", "DeleteTopic", "Publish", "SetTopicAttributes", "Subscribe")
_RULE = ("DeleteRule", "DisableRule", "PutRule", "PutTargets", "RemoveTargets")
_SCHEDULE = ("CreateSchedule", "DeleteSchedule", "UpdateSchedule")
_TABLE = ("DeleteItem", "DeleteTable", "GetItem", "PutItem", "Scan", "UpdateItem")
_SECRET = ("GetSecretValue", "PutResourcePolicy", "PutSecretValue", "DeleteSecret")
_ALARMS = ("healthy", "errors", "latency", "prediction-shift")
_GROUP_NAMES = ("/aws/lambda/{}-predict", "/aws/apigateway/{}", "/aws/sagemaker/Endpoints/{}-1")


def account_of(names: Names, bucket: str) -> str:
    """Whose a bucket is."""
    mine = {names.capture_bucket(env): names.accounts[env] for env in names.environments}
    return mine.get(bucket, names.delivery_account)


def roles(names: Names) -> Iterator[tuple[str, str]]:
    """Stack and purpose of every role."""
    for purpose in delivery_roles.roles(names):
        yield DELIVERY, purpose
    for env in names.environments:
        for by in ("own", "sagemaker"):
            yield from ((env, purpose) for purpose in environment_roles.roles(names, env, by=by, probe=True))


def attempts(names: Names, keys: Mapping[str, str]) -> list[Attempt]:
    """Everything that is tried on a project. `keys` are the ARNs of its stacks' keys."""
    found = [
        *_iam(names),
        *_passed(names),
        *_stored(names),
        *_state(names),
        *_keys(names, keys),
        *_delivery(names),
        *(each for env in names.environments for each in _environment(names, env)),
        *(Attempt(action, "*", "account", "anything") for action in _ANYWHERE),
    ]
    return [replace(each, account=_account(names, each)) for each in dict.fromkeys(found)]


def _account(names: Names, attempt: Attempt) -> str:
    if attempt.resource == "*" or attempt.account:
        return attempt.account
    if attempt.owner in names.accounts and attempt.action.startswith("apigateway:"):
        return names.accounts[attempt.owner]
    parts = attempt.resource.split(":", 5)
    return parts[4] or account_of(names, parts[5].partition("/")[0])


def _each(service: str, verbs: Sequence[str], resource: str, owner: str, what: str) -> Iterator[Attempt]:
    return (Attempt(f"{service}:{verb}", resource, owner, what) for verb in verbs)


def _iam(names: Names) -> Iterator[Attempt]:
    for stack, purpose in roles(names):
        arn = names.role_arn(stack, purpose)
        yield from _each("iam", _ROLE_WRITES, arn, stack, f"role {purpose}")
        yield Attempt("sts:AssumeRole", arn, stack, f"role {purpose}")
        yield from _each("iam", _POLICY_WRITES, names.policy_arn(stack, purpose), stack, f"policy {purpose}")
    for stack in names.stacks:
        yield from _each("iam", _POLICY_WRITES, names.boundary_arn(stack), stack, "boundary")
        fresh = f"arn:{names.partition}:iam::{names.accounts[stack]}:role/fresh"
        yield from _each("iam", _ROLE_WRITES, fresh, stack, "a new role")


def _passed(names: Names) -> Iterator[Attempt]:
    for stack, purpose in roles(names):
        for service in SERVICES:
            context = {"iam:passedtoservice": (f"{service}.amazonaws.com",)}
            what = f"role {purpose} to {service}"
            yield Attempt("iam:PassRole", names.role_arn(stack, purpose), stack, what, context)


def _stored(names: Names) -> Iterator[Attempt]:
    run = "runs/r-other"
    artifacts = [
        f"{names.name}/source/k7zvFW3.zip", f"{names.name}/out/o.zip", "code/c1/evaluate.py", "previews/p.md", "glue/t",
        "dataset/seed", "tools/0a.zip", LEDGER_KEY, f"{TRAINED}r1", start_key("r1"), f"{run}/input/d.csv",
        f"{run}/features/f", f"{run}/training/model.tar.gz", f"{run}/checkpoints/c", f"{run}/evaluation/golden.json",
        f"{run}/baseline/constraints.json",
        f"{run}/release/manifest.json", f"{run}/release/model.tar.gz",
        *(f"{run}/plan/{env}.json" for env in names.environments),
    ]  # fmt: skip
    data = ["source/source.zip", f"{UPLOADED}d.csv", f"{COLLECTED}d.csv", f"{JOINED}d.csv"]
    captured = ["capture/live/1.jsonl", "monitoring/report.json", "monitoring/code/analyze.py", "judge/d-1.json"]
    buckets = [
        (DELIVERY, names.artifacts_bucket, "artifacts", artifacts),
        (DELIVERY, names.data_bucket, "data", data),
        *((env, names.capture_bucket(env), "capture", captured) for env in names.environments),
        ("state", STATE_BUCKET, "state", []),
    ]
    for owner, bucket, word, listed in buckets:
        yield from _each("s3", _BUCKET, names.bucket_arn(bucket), owner, f"{word} bucket")
        for key in listed:
            for verb in _OBJECT:
                what = f"{word} {key}"
                yield Attempt(f"s3:{verb}", names.bucket_arn(bucket, key), owner, what)
                if verb == "PutObject":
                    once = {"s3:if-none-match": ("*",), "s3:objectcreationoperation": ("true",)}
                    yield Attempt(f"s3:{verb}", names.bucket_arn(bucket, key), owner, f"{what} (new)", once)


def _state(names: Names) -> Iterator[Attempt]:
    for stack in (*names.stacks, f"{names.production}-eu"):
        base = f".pulumi/{{}}/{PROJECT}/{stack}"
        objects = {
            "state": f"{base.format('stacks')}.json", "copy": f"{base.format('stacks')}.json.bak",
            "history": f"{base.format('history')}/1.json", "backup": f"{base.format('backups')}/1.json",
            "lock": f".pulumi/locks/organization/{PROJECT}/{stack}/1.json", "owner": f"owners/{PROJECT}/{stack}/1.json",
            "tags": f"{base.format('stacks')}.pulumi-tags",
        }  # fmt: skip
        for what, key in objects.items():
            yield from _each("s3", _OBJECT, names.bucket_arn(STATE_BUCKET, key), stack, what)
    for key in (".pulumi/meta.yaml", ".pulumi/plugins/p.tar.gz"):
        yield from _each("s3", _OBJECT, names.bucket_arn(STATE_BUCKET, key), "state", key)


def _keys(names: Names, keys: Mapping[str, str]) -> Iterator[Attempt]:
    s3 = {"kms:viaservice": (f"s3.{names.region}.amazonaws.com",)}
    alias = {stack: {"kms:resourcealiases": (names.key_alias(stack),)} for stack in names.stacks}
    for stack, arn in keys.items():
        named = alias.get(stack, {"kms:resourcealiases": (f"alias/{names.name}-state",)})
        for verb in _KEY:
            yield Attempt(f"kms:{verb}", arn, stack, "key", named)
            yield Attempt(f"kms:{verb}", arn, stack, "key through S3", {**named, **s3})
        service = {"kms:grantisforawsresource": ("true",)}
        yield Attempt("kms:CreateGrant", arn, stack, "key for a service", {**named, **service})
    for stack in names.stacks:
        context = {
            "kms:encryptioncontext:stack": (stack,),
            "kms:resourcealiases": (f"alias/{names.name}-state",),
        }
        yield Attempt("kms:Decrypt", keys["state"], stack, "secrets of the state", context)


def _delivery(names: Names) -> Iterator[Attempt]:
    pipeline = names.pipeline_arn
    for what, arn in (("pipeline", pipeline), ("pipeline stage", f"{pipeline}/Approve"),
                      ("pipeline action", f"{pipeline}/Approve/Approval")):  # fmt: skip
        yield from _each("codepipeline", _PIPELINE, arn, DELIVERY, what)
    for role in delivery_roles.projects(names):
        arn = names.arn("codebuild", f"project/{names.project(role.purpose)}")
        yield from _each("codebuild", _PROJECT, arn, DELIVERY, f"project {role.purpose}")
    states = ("DeleteStateMachine", "StartExecution", "UpdateStateMachine", "PublishStateMachineVersion")
    yield from _each("states", states, names.state_machine_arn, DELIVERY, "workflow")
    execution = names.arn("states", f"execution:{names.name}-train:1")
    yield from _each(
        "states", ("StopExecution", "RedriveExecution", "SendTaskSuccess"), execution, DELIVERY, "execution"
    )
    glue = ("UpdateJob", "StartJobRun", "BatchStopJobRun", "DeleteJob")
    yield from _each("glue", glue, names.arn("glue", f"job/{names.name}-features"), DELIVERY, "features job")
    for purpose in ("validate", "champion", "gate", "register", "manifest", "trigger", "retrain", "outcome"):
        yield from _each("lambda", _FUNCTION, names.function_arn(DELIVERY, purpose), DELIVERY, f"function {purpose}")
    for what, arn in (("package", f"model-package/{names.name}/1"), ("group", f"model-package-group/{names.name}")):
        yield from _each("sagemaker", _PACKAGES, names.arn("sagemaker", arn), DELIVERY, what)
    for kind, verbs in _SAGEMAKER.items():
        yield from _each("sagemaker", verbs, names.arn("sagemaker", f"{kind}/{names.name}-r1"), DELIVERY, kind)
    yield from _each("sns", _TOPIC, names.arn("sns", f"{names.name}-approval"), DELIVERY, "approval topic")
    bus = ("DeleteEventBus", "PutEvents", "PutPermission", "RemovePermission")
    yield from _each("events", bus, names.retrain_bus_arn, DELIVERY, "retrain bus")
    for rule in ("data", "retrain", "StepFunctionsGetEventsForSageMakerTrainingJobsRule"):
        name = rule if rule.startswith("Step") else f"{names.name}-{rule}"
        yield from _each("events", _RULE, names.arn("events", f"rule/{name}"), DELIVERY, f"rule {rule}")
    yield from _each("scheduler", _SCHEDULE, names.arn("scheduler", f"schedule/default/{names.name}-retrain"), DELIVERY,
                     "retrain schedule")  # fmt: skip
    yield from _each("secretsmanager", _SECRET, names.arn("secretsmanager", "secret:glidepath/pulumi-abcdef"), DELIVERY,
                     "passphrase")  # fmt: skip
    for group in (f"/aws/codebuild/{names.project('build')}", f"/aws/lambda/{names.function(DELIVERY, 'gate')}"):
        yield from _logs(names, DELIVERY, group)
    yield from _each("dynamodb", _TABLE, names.arn("dynamodb", f"table/{names.name}-locks"), DELIVERY, "table")


def _logs(names: Names, stack: str, group: str) -> Iterator[Attempt]:
    what = f"log {group.replace(names.stack(stack), '…').replace(names.name, '…')}"
    for tail in (":log-stream:", ":log-stream:s"):
        yield from _each("logs", _GROUP, names.arn("logs", f"log-group:{group}{tail}", stack), stack, what)


def _environment(names: Names, env: str) -> Iterator[Attempt]:
    prefix = names.stack(env)

    def arn(service: str, resource: str) -> str:
        return names.arn(service, resource, env)

    for purpose in ("predict", "before-traffic", "after-traffic", "monitor", "probe"):
        yield from _each("lambda", _FUNCTION, names.function_arn(env, purpose), env, f"function {purpose}")
        version = f"{names.function_arn(env, purpose)}:{LIVE}"
        yield from _each("lambda", ("GetFunction", "InvokeFunction"), version, env, f"function {purpose}:live")
    for kind, verbs in _SAGEMAKER.items():
        yield from _each("sagemaker", verbs, arn("sagemaker", f"{kind}/{prefix}-1"), env, kind)
    yield Attempt("execute-api:Invoke", arn("execute-api", f"a1/{LIVE}/POST/predict"), env, "API")
    for alarm in _ALARMS:
        yield from _each("cloudwatch", _ALARM, arn("cloudwatch", f"alarm:{prefix}-{alarm}"), env, f"alarm {alarm}")
    dashboard = f"arn:{names.partition}:cloudwatch::{names.accounts[env]}:dashboard/{prefix}"
    yield from _each("cloudwatch", ("DeleteDashboards", "PutDashboard"), dashboard, env, "dashboard")
    yield from by_tags(names, env)
    yield from _each("codedeploy", _DEPLOY, arn("codedeploy", f"deploymentgroup:{prefix}/predict"), env, "deployments")
    for what, name in (("release", names.pointer(env)), ("other", f"{names.pointer_path(env)}/other")):
        yield from _each("ssm", _PARAMETER, arn("ssm", f"parameter{name}"), env, f"parameter {what}")
    for group in _GROUP_NAMES:
        yield from _logs(names, env, group.format(prefix))
    yield from _each("sns", _TOPIC, arn("sns", f"{prefix}-alarms"), env, "alarms topic")
    for rule in ("monitor", "probe", "drift-own"):
        yield from _each("events", _RULE, arn("events", f"rule/{prefix}-{rule}"), env, f"rule {rule}")
    yield from _each("scheduler", _SCHEDULE, arn("scheduler", f"schedule/default/{prefix}-monitor"), env, "schedule")
    yield from _each("dynamodb", _TABLE, arn("dynamodb", f"table/{prefix}-releases"), env, "table")
