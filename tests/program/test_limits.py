"""The longest settings that are accepted: all that the program makes of them is within AWS's limits.

Where names are not too long for settings, they are for nothing: drawn are names, environments, regions and features
up to what settings refuse. The stand-in refuses the same lengths, as far as a rehearsal makes them.
It does not prove that the limits here are all that AWS has.
"""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from contracts.names import Names
from contracts.tasks import CLASS_CHARACTERS
from definitions.roles import delivery as delivery_roles
from definitions.roles import environment as environment_roles
from definitions.roles.delivery_account import Delivery
from definitions.roles.record import PARTS, Record
from definitions.roles.subject import Environment
from settings.limits import FEATURE_NAMES
from settings.load import review
from tests.program.harness import Recorded, Run, Store, address, config, run_with

INLINE, MANAGED, TRUST = 10_240, 6_144, 2_048
"""https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html (characters, white space apart)"""
ENVIRONMENT = 4_096
"""Bytes of a function's environment, names and values as JSON (docs.aws.amazon.com/lambda, Lambda quotas)."""
NAMES = {
    "aws:apigateway/restApi:RestApi": ("name", 1024),
    "aws:cloudwatch/compositeAlarm:CompositeAlarm": ("alarmName", 255),
    "aws:cloudwatch/dashboard:Dashboard": ("dashboardName", 255),
    "aws:cloudwatch/eventRule:EventRule": ("name", 64),
    "aws:cloudwatch/logGroup:LogGroup": ("name", 512),
    "aws:cloudwatch/metricAlarm:MetricAlarm": ("name", 255),
    "aws:codebuild/project:Project": ("name", 150),
    "aws:codeconnections/connection:Connection": ("name", 32),
    "aws:codedeploy/application:Application": ("name", 100),
    "aws:codedeploy/deploymentConfig:DeploymentConfig": ("deploymentConfigName", 100),
    "aws:codedeploy/deploymentGroup:DeploymentGroup": ("deploymentGroupName", 100),
    "aws:codepipeline/pipeline:Pipeline": ("name", 100),
    "aws:glue/job:Job": ("name", 255),
    "aws:glue/securityConfiguration:SecurityConfiguration": ("name", 255),
    "aws:iam/policy:Policy": ("name", 128),
    "aws:iam/role:Role": ("name", 64),
    "aws:kms/alias:Alias": ("name", 256),
    "aws:lambda/function:Function": ("name", 64),
    "aws:s3/bucket:Bucket": ("bucket", 63),
    "aws:sagemaker/modelPackageGroup:ModelPackageGroup": ("modelPackageGroupName", 63),
    "aws:sagemaker/notebookInstance:NotebookInstance": ("name", 63),
    "aws:scheduler/schedule:Schedule": ("name", 64),
    "aws:sfn/stateMachine:StateMachine": ("name", 80),
    "aws:sns/topic:Topic": ("name", 256),
    "aws:ssm/parameter:Parameter": ("name", 1011),
}
"""Type → the name's input, and how long it may be, as the references of the services' create calls say."""
AUTONAMED = {
    "aws:sagemaker/endpoint:Endpoint": 63,
    "aws:sagemaker/endpointConfiguration:EndpointConfiguration": 63,
    "aws:sagemaker/model:Model": 63,
    "aws:sagemaker/dataQualityJobDefinition:DataQualityJobDefinition": 63,
    "aws:sagemaker/monitoringSchedule:MonitoringSchedule": 63,
}
"""Types that Pulumi names by the resource's own name and 8 characters more."""
TEXTS = {
    ("aws:cloudwatch/eventRule:EventRule", "description"): 512,
    ("aws:cloudwatch/eventRule:EventRule", "eventPattern"): 4_096,
    ("aws:cloudwatch/eventRule:EventRule", "scheduleExpression"): 256,
    ("aws:cloudwatch/compositeAlarm:CompositeAlarm", "alarmRule"): 10_240,
    ("aws:cloudwatch/compositeAlarm:CompositeAlarm", "alarmDescription"): 1_024,
    ("aws:cloudwatch/metricAlarm:MetricAlarm", "alarmDescription"): 1_024,
    ("aws:codebuild/project:Project", "description"): 255,
    ("aws:iam/policy:Policy", "description"): 1_000,
    ("aws:iam/role:Role", "description"): 1_000,
    ("aws:kms/key:Key", "description"): 8_192,
    ("aws:kms/key:Key", "policy"): 32_768,
    ("aws:s3/bucketPolicy:BucketPolicy", "policy"): 20_480,
    ("aws:scheduler/schedule:Schedule", "description"): 512,
    ("aws:scheduler/schedule:Schedule", "scheduleExpression"): 256,
    ("aws:sfn/stateMachine:StateMachine", "definition"): 1_048_576,
    ("aws:sns/topicPolicy:TopicPolicy", "policy"): 30_720,
    ("aws:ssm/parameter:Parameter", "description"): 1_024,
    ("aws:ssm/parameter:Parameter", "value"): 4_096,
}


def _compact(document: Any) -> int:
    """IAM counts no white space."""
    return len(json.dumps(json.loads(document) if isinstance(document, str) else document, separators=(",", ":")))


def over(ran: Run) -> Iterator[str]:
    """What is over a limit."""
    inline: dict[str, int] = {}
    for each in ran.resources:
        inputs, where = each.inputs, f"{each.type} {each.name}"
        key, most = NAMES.get(each.type, ("name", AUTONAMED.get(each.type, 1 << 20)))
        name = f"{each.name}-1a2b3c4" if each.type in AUTONAMED else str(inputs.get(key, ""))
        if len(name) > most:
            yield f"{where}: {name} has {len(name)} of {most} characters"
        for (kind, text), limit in TEXTS.items():
            if kind == each.type and len(str(inputs.get(text, ""))) > limit:
                yield f"{where}: {text} has {len(str(inputs[text]))} of {limit} characters"
        if each.type == "aws:iam/rolePolicy:RolePolicy":
            inline[inputs["role"]] = inline.get(inputs["role"], 0) + _compact(inputs["policy"])
        yield from _documents(each, where)
    yield from (f"{role}: inline policies of {size}" for role, size in inline.items() if size > INLINE)


def _documents(each: Recorded, where: str) -> Iterator[str]:
    if each.type == "aws:iam/policy:Policy" and (size := _compact(each.inputs["policy"])) > MANAGED:
        yield f"{where}: {size} of {MANAGED} characters"
    if each.type == "aws:iam/role:Role" and (size := _compact(each.inputs["assumeRolePolicy"])) > TRUST:
        yield f"{where}: {size} of {TRUST} characters of trust"
    if each.type == "aws:lambda/function:Function":
        variables = each.inputs["environment"]["variables"]
        size = len(json.dumps(variables, separators=(",", ":")).encode())
        if size > ENVIRONMENT:
            yield f"{where}: {size} of {ENVIRONMENT} bytes of environment"


REGIONS = ("ap-northeast-1", "ap-southeast-2", "eu-central-1", "eu-west-1")


def _given(stack: str, name: str, env: str, region: str, **changes: Any) -> dict[str, str]:
    """The committed config of production or of delivery, under other names."""
    accounts = {"delivery": "1" * 12, "dev": "2" * 12, env: "3" * 12}
    others = {"name": name, "accounts": accounts, "environments": ["dev", env], **changes}
    return {**config("delivery" if stack == "delivery" else "prod", **others), "aws:region": region}


def longest(region: str, env: str) -> str:
    """The longest name that settings accept beside an environment in a region."""
    names = ("n" * length for length in range(20, 2, -1))
    return next(name for name in names if review(env, _given(env, name, env, region))[0] is not None)


CASES = [(region, longest(region, "e" * length), "e" * length) for region in REGIONS for length in (2, 7, 12)]


@pytest.mark.parametrize(("region", "name", "env"), CASES)
def test_roles_of_the_longest_names_are_within_iams_limits(region: str, name: str, env: str) -> None:
    names = Names(name, region, {"delivery": "1" * 12, env: "2" * 12})
    key = f"arn:aws:kms:{region}:{'2' * 12}:key/{'0' * 36}"
    delivery = Delivery(
        names,
        key,
        key,
        key,
        source_kind="connection",
        repository="o" * 39 + "/" + "r" * 100,
        connection_arn=f"arn:aws:codestar-connections:{region}:{'1' * 12}:connection/{'0' * 36}",
        backend=f"s3://{'s' * 63}?region={region}&awssdk=v2",
        secret_name="x" * 512,
        notebook_repository="https://git-codecommit.eu-west-1.amazonaws.com/v1/repos/" + "r" * 100,
        notebook_secret="x" * 512,
    )
    for by in ("own", "sagemaker"):
        at = Environment(names, env, key, by, probe=True, judge=True)
        for role in environment_roles.roles(names, env, True, by, probe=True, judge=True).values():
            assert list(_over(role, at)) == []
        for part in PARTS:
            assert _compact(environment_roles.boundary(at, part)) <= MANAGED
    for each in delivery_roles.roles(names).values():
        assert list(_over(each, delivery)) == []


def _over(role: Record[Any], at: Any) -> Iterator[str]:
    apart = role.attached(at) if role.attached else []
    sizes = ((role.inline(at), INLINE), (apart, MANAGED))
    for statements, most in sizes:
        size = _compact({"Version": "2012-10-17", "Statement": statements})
        if size > most:
            yield f"{role.name}: {size} of {most}"
    if _compact(role.trust) > TRUST:
        yield f"{role.name}: trust of {_compact(role.trust)}"
    if len(role.name) > 64:
        yield f"{role.name} has more than 64 characters"


def _features(most: int) -> list[str]:
    """Names of features, as many and as long as settings accept."""
    count = 30
    length = (most - 4 * count) // count
    return [f"{number:02}".rjust(length, "f") for number in range(count)]


def _classes() -> list[str]:
    """Names of classes, as many and as long as settings accept."""
    return [f"{number:02}".rjust(36, "c") for number in range(CLASS_CHARACTERS // 40)]


def _served(name: str, env: str, region: str, by: str, beside: str) -> tuple[dict[str, str], Store]:
    """Production with the longest release that settings admit, and what it reads."""
    store = Store(key=Names(name, region, {"delivery": "1" * 12}).signing_key)
    bins = {"edges": [-1.2345678901234567e-300 * part for part in (9, 7, 5, 3)], "shares": [0.2] * 5}
    # SageMaker's own monitor watches no model of several classes.
    named = {"task": "multiclass", "classes": _classes()} if by == "own" else {}
    for number in (1, 2, 3):
        store.put(number, features=_features(FEATURE_NAMES), distribution=bins, **named)
    room = 63 - 8 - len(f"{name}-{env}-")
    models = [{"name": str(number).rjust(room, "v"), "manifest": address(2)} for number in range(9)]
    several: dict[str, dict[str, Any]] = {"variants": {"variants": models}, "shadow": {"shadow": models[0]}}
    changes: dict[str, Any] = {
        "release": address(1),
        "monitor": {"by": by},
        "deployment": {"kind": "linear", "percentage": 33, "minutes": 650},
        "shiftMinutes": 2_090,
        "build": {"deployMinutes": 2_160},
        "returning": {"reason": "r" * 150},
        **several[beside],
    }
    return _given(env, name, env, region, **changes), store


def _delivered(name: str, env: str, region: str, source: dict[str, str]) -> dict[str, str]:
    """Delivery with the widest dataset that settings admit."""
    features = _features(FEATURE_NAMES)
    columns = {str(number).rjust(64, "c"): "timestamp" for number in range(300)}
    slices = [{"feature": feature, "quantiles": 10} for feature in features]
    metric = {"name": "rmse", "threshold": 10}
    dataset = {"columns": columns, "target": min(columns), "features": features, "slices": slices, "metric": metric}
    return _given("delivery", name, env, region, source=source, dataset=dataset)


@pytest.mark.parametrize("length", [2, 12])
@pytest.mark.parametrize(("by", "beside"), [("own", "variants"), ("sagemaker", "variants"), ("own", "shadow")])
def test_all_that_an_environment_is_made_of_fits(length: int, by: str, beside: str) -> None:
    env, region = "e" * length, "ap-northeast-1"
    given, store = _served(longest(region, env), env, region, by, beside)
    assert review(env, given)[1] == []
    assert list(over(run_with(env, given, store))) == []


SOURCES = (
    {"kind": "s3", "key": "source/" + "k" * 400 + ".zip"},
    {"kind": "connection", "repository": "o" * 39 + "/" + "r" * 60, "branch": "b" * 255},
    {"kind": "codecommit", "repository": "r" * 100, "branch": "b" * 255},
)


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source["kind"])
def test_all_that_delivery_is_made_of_fits(source: dict[str, str]) -> None:
    region, env = "ap-southeast-2", "e" * 7
    given = _delivered(longest(region, env), env, region, source)
    assert review("delivery", given)[1] == []
    assert list(over(run_with("delivery", given))) == []
