"""What the deployer of an environment may do: create, read, change and delete a release's resources by their names."""

from contracts.names import JUDGE, OWNER, PREDICT, PROBE
from definitions.roles import judging, watching
from definitions.roles.runs import read_pointer, read_release
from definitions.roles.statements import Statement, allow, grant_to_services, pass_role, unscoped
from definitions.roles.subject import Environment

_HANDLERS = (PREDICT, "before-traffic", "after-traffic")
_FUNCTIONS = {"own": (*_HANDLERS, "watch"), "sagemaker": _HANDLERS}
"""Roles of functions, by who looks at the data."""


def statements(at: Environment) -> list[Statement]:
    """All that a release needs, and none of the foundation: no role, no policy, no key, no bucket."""
    pointer = at.arn("ssm", f"parameter{at.names.pointer(at.env)}")
    return [
        *read_release(at),
        allow(
            "Pointer",
            [
                "ssm:AddTagsToResource",
                "ssm:DeleteParameter",
                "ssm:GetParameter",
                "ssm:GetParameters",
                "ssm:ListTagsForResource",
                "ssm:PutParameter",
                "ssm:RemoveTagsFromResource",
            ],
            [pointer],
        ),
        read_pointer(at),
        unscoped("DescribeParameters", ["ssm:DescribeParameters"]),
        pass_role(
            # Our own monitor's jobs are started by its function.
            [at.names.role_arn(at.env, each) for each in ("model", *(["monitor"] if at.by != "own" else []))],
            "sagemaker.amazonaws.com",
            "PassToSageMaker",
        ),
        pass_role(
            [at.names.role_arn(at.env, each) for each in (*_FUNCTIONS[at.by], *_optional(at))],
            "lambda.amazonaws.com",
            "PassToLambda",
        ),
        pass_role([at.names.role_arn(at.env, "shift")], "codedeploy.amazonaws.com", "PassToCodeDeploy"),
        *_sagemaker(at),
        *_lambda(at),
        *_watching(at),
        *_autoscaling(at),
        *attached(at),
    ]


def attached(at: Environment) -> list[Statement]:
    """What stands in a managed policy: with long names, one policy would be longer than IAM lets it be."""
    return [
        *_api(at),
        *_codedeploy(at),
        *(watching.beat(at) if at.by == "own" else watching.closed(at)),
        *(watching.rules(at) if at.by == "own" or at.probe else []),
        *(judging.wait(at) if at.judge else []),
    ]


def _optional(at: Environment) -> list[str]:
    """Roles of functions that not every environment has."""
    return [purpose for purpose, there in ((PROBE, at.probe), (JUDGE, at.judge)) if there]


def _sagemaker(at: Environment) -> list[Statement]:
    def named(kind: str) -> str:
        return at.arn("sagemaker", f"{kind}/{at.prefix}-*")

    model, config, endpoint = named("model"), named("endpoint-config"), named("endpoint")
    return [
        allow("Models", ["sagemaker:CreateModel", "sagemaker:DeleteModel", "sagemaker:DescribeModel"], [model]),
        allow(
            "EndpointConfigs",
            ["sagemaker:CreateEndpointConfig", "sagemaker:DeleteEndpointConfig", "sagemaker:DescribeEndpointConfig"],
            [config],
        ),
        allow("Endpoints", ["sagemaker:CreateEndpoint"], [endpoint, config]),
        allow(
            "EndpointStates",
            # Before traffic moves, a new endpoint is brought to as many instances as the old one has.
            ["sagemaker:DeleteEndpoint", "sagemaker:DescribeEndpoint", "sagemaker:UpdateEndpointWeightsAndCapacities"],
            [endpoint],
        ),
        allow(
            "SageMakerTags",
            ["sagemaker:AddTags", "sagemaker:DeleteTags", "sagemaker:ListTags"],
            [model, config, endpoint],
        ),
        grant_to_services(at.key_arn, "EndpointGrant"),
        allow("EndpointKey", ["kms:DescribeKey"], [at.key_arn]),
    ]


def _lambda(at: Environment) -> list[Statement]:
    functions = at.arn("lambda", f"function:{at.prefix}-*")
    groups = at.arn("logs", f"log-group:/aws/lambda/{at.prefix}-*")
    access_log = at.arn("logs", f"log-group:/aws/apigateway/{at.prefix}")
    actions = [
        "AddPermission",
        "CreateAlias",
        "CreateFunction",
        "DeleteAlias",
        "DeleteFunction",
        "GetAlias",
        "GetFunction",
        "GetFunctionCodeSigningConfig",
        "GetFunctionConfiguration",
        "GetPolicy",
        "ListTags",
        "ListVersionsByFunction",
        "PublishVersion",
        "RemovePermission",
        "TagResource",
        "UntagResource",
        "UpdateAlias",
        "UpdateFunctionCode",
        "UpdateFunctionConfiguration",
    ]
    return [
        allow("Functions", [f"lambda:{action}" for action in actions], [functions]),
        allow(
            "LogGroups",
            [
                "logs:AssociateKmsKey",
                "logs:CreateLogGroup",
                "logs:DeleteLogGroup",
                "logs:ListTagsForResource",
                "logs:PutRetentionPolicy",
                "logs:TagResource",
                "logs:UntagResource",
            ],
            # IAM sees a group's own actions at `<group>:log-stream:`, and its tags at the plain ARN.
            [groups, access_log, f"{access_log}:*"],
        ),
        allow(
            "HookReasons",
            ["logs:FilterLogEvents"],
            [
                at.names.log_group_arn(f"/aws/lambda/{at.names.function(at.env, hook)}", at.env)
                for hook in ("before-traffic", "after-traffic", *([JUDGE] if at.judge else []))
            ],
        ),
        unscoped("FindLogGroups", ["logs:DescribeLogGroups"]),
    ]


def _api(at: Environment) -> list[Statement]:
    """API Gateway gives ids, not names: what is made must have the environment's tag, what is used must carry it.

    All that belongs to an API or a plan is judged by the tags of that
    (https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-tagging-supported-resources.html).
    """
    root = f"arn:{at.names.partition}:apigateway:{at.names.region}::"
    kinds = ("restapis", "usageplans", "apikeys")
    tags = f"{root}/tags/arn%3A{at.names.partition}%3Aapigateway%3A{at.names.region}%3A%3A%2F"
    return [
        allow("NewApis", ["apigateway:POST"], [f"{root}/{kind}" for kind in kinds], _new(at)),
        # The tags of what is being made are asked for with `*` for the id that there is not yet
        # (github.com/mattclay/aws-terminator/pull/284): one character is that star, and no id.
        allow("NewApiTags", ["apigateway:PUT"], [f"{tags}{kind}%2F?" for kind in kinds]),
        allow(
            "Apis",
            [f"apigateway:{verb}" for verb in ("DELETE", "GET", "PATCH", "PUT")],
            [f"{root}/{kind}/*" for kind in kinds],
            _owned(at),
        ),
        allow(
            "ApiParts",
            ["apigateway:POST"],
            [f"{root}/{part}" for part in ("restapis/*/deployments", "restapis/*/stages", "usageplans/*/keys")],
            _owned(at),
        ),
        # No tag binds this call itself: a new stage gets the config's tags, and whose it is by its API. To tag a stage
        # that is there, AWS asks for PATCH of it as well (github.com/iann0036/iam-dataset/pull/39). A tag's key is its
        # owner's in any capitals: the name of a condition's key has none
        # (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html).
        allow(
            "StageTags",
            ["apigateway:PUT"],
            [f"{tags}restapis%2F*%2Fstages%2F*"],
            {"ForAllValues:StringNotEqualsIgnoreCase": {"aws:TagKeys": [OWNER]}},
        ),
        see_log_role(at),
    ]


def _new(at: Environment) -> dict[str, dict[str, str]]:
    """The condition on a call that makes something: it gives the environment's tag."""
    return {"StringEquals": {f"aws:RequestTag/{key}": value for key, value in at.names.owned(at.env).items()}}


def _owned(at: Environment) -> dict[str, dict[str, str]]:
    """The condition on a call about something: it carries the environment's tag."""
    return {"StringEquals": {f"aws:ResourceTag/{key}": value for key, value in at.names.owned(at.env).items()}}


def see_log_role(at: Environment) -> Statement:
    """Look up which role API Gateway writes the account's logs with."""
    return allow("ApiAccount", ["apigateway:GET"], [f"arn:{at.names.partition}:apigateway:{at.names.region}::/account"])


def _codedeploy(at: Environment) -> list[Statement]:
    application = at.arn("codedeploy", f"application:{at.prefix}")
    group = at.arn("codedeploy", f"deploymentgroup:{at.prefix}/{PREDICT}")
    config = at.arn("codedeploy", f"deploymentconfig:{at.prefix}-*")
    standard = at.arn("codedeploy", "deploymentconfig:CodeDeployDefault.LambdaAllAtOnce")

    def actions(*names: str) -> list[str]:
        return [f"codedeploy:{name}" for name in names]

    return [
        allow(
            "Applications",
            actions(
                "CreateApplication",
                "DeleteApplication",
                "GetApplication",
                "GetApplicationRevision",
                "RegisterApplicationRevision",
            ),
            [application],
        ),
        allow(
            "DeploymentGroups",
            actions("CreateDeploymentGroup", "DeleteDeploymentGroup", "GetDeploymentGroup", "UpdateDeploymentGroup"),
            [group],
        ),
        allow("DeploymentConfigs", actions("CreateDeploymentConfig", "DeleteDeploymentConfig"), [config]),
        allow("ReadDeploymentConfigs", actions("GetDeploymentConfig"), [config, standard]),
        allow("CodeDeployTags", actions("ListTagsForResource", "TagResource", "UntagResource"), [application, group]),
        allow("Shift", actions("CreateDeployment", "GetDeployment", "ListDeployments"), [group]),
        unscoped("ShiftTargets", actions("GetDeploymentTarget", "ListDeploymentTargets", "StopDeployment")),
    ]


def _autoscaling(at: Environment) -> list[Statement]:
    linked = (
        f"arn:{at.names.partition}:iam::{at.names.accounts[at.env]}:role/aws-service-role/"
        "sagemaker.application-autoscaling.amazonaws.com/"
        "AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint"
    )
    # Where there is no target yet, or no more, AWS judges a call on `scalable-target/*`: one character is that star,
    # and no id. Should more be judged so, what carries another environment's tag is refused all the same.
    absent, targets = (at.arn("application-autoscaling", f"scalable-target/{name}") for name in "?*")
    here = {"application-autoscaling:service-namespace": "sagemaker"}
    unless = {"StringEqualsIfExists": _owned(at)["StringEquals"]}

    def actions(*names: str) -> list[str]:
        return [f"application-autoscaling:{name}" for name in names]

    return [
        allow(
            "NewTargets",
            actions("RegisterScalableTarget"),
            [absent],
            {"StringEquals": _new(at)["StringEquals"] | here, **unless},
        ),
        allow("NewTargetTags", actions("TagResource"), [absent], {**_new(at), **unless}),
        allow(
            "Scaling",
            actions("DeleteScalingPolicy", "DeregisterScalableTarget", "PutScalingPolicy", "RegisterScalableTarget"),
            [targets],
            {"StringEquals": _owned(at)["StringEquals"] | here},
        ),
        # What a killed update had taken away already.
        allow(
            "GoneTargets",
            actions("DeleteScalingPolicy", "DeregisterScalableTarget"),
            [absent],
            {"StringEquals": here, **unless},
        ),
        allow("ScalingTags", actions("ListTagsForResource", "TagResource", "UntagResource"), [targets], _owned(at)),
        unscoped("ReadScaling", actions("DescribeScalableTargets", "DescribeScalingPolicies")),
        allow(
            "ScalingAlarms",
            ["cloudwatch:DeleteAlarms", "cloudwatch:DescribeAlarms", "cloudwatch:PutMetricAlarm"],
            [at.arn("cloudwatch", f"alarm:TargetTracking-endpoint/{at.prefix}-*")],
        ),
        allow(
            "ScalingServiceRole",
            ["iam:CreateServiceLinkedRole"],
            [linked],
            {"StringEquals": {"iam:AWSServiceName": "sagemaker.application-autoscaling.amazonaws.com"}},
        ),
    ]


def see_traffic() -> Statement:
    """How many requests there are tells what a shift can see. CloudWatch lets all metrics of an account be read, or
    none: https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoncloudwatch.html.
    """
    return unscoped("SeeTraffic", ["cloudwatch:GetMetricData"])


def _watching(at: Environment) -> list[Statement]:
    alarms = at.arn("cloudwatch", f"alarm:{at.prefix}-*")
    dashboard = f"arn:{at.names.partition}:cloudwatch::{at.names.accounts[at.env]}:dashboard/{at.prefix}"
    return [
        allow(
            "Alarms",
            [
                "cloudwatch:DeleteAlarms",
                "cloudwatch:ListTagsForResource",
                "cloudwatch:PutMetricAlarm",
                "cloudwatch:TagResource",
                "cloudwatch:UntagResource",
            ],
            [alarms],
        ),
        # CloudWatch allows this on all alarms or not at all, and shows a composite alarm to nobody else.
        unscoped("ReleaseAlarm", ["cloudwatch:DescribeAlarms", "cloudwatch:PutCompositeAlarm"]),
        allow(
            "Dashboard",
            ["cloudwatch:DeleteDashboards", "cloudwatch:GetDashboard", "cloudwatch:PutDashboard"],
            [dashboard],
        ),
        *([see_traffic()] if at.judge else []),
    ]
