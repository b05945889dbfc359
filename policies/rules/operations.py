"""Observability, tags and costs: logs that end, alarms that notify, owners that are named, machines that are wanted."""

import re
from collections.abc import Iterator
from typing import Any

from .alarms import switched_off
from .capture import CONFIGURATIONS
from .model import UNKNOWN, Context, Finding, Resource, Rule, Unknown, items, known, section, text
from .references import NIST, WELL_ARCHITECTED

FAMILY = "operations"
LOG_GROUPS = ("aws:cloudwatch/logGroup:LogGroup", "aws-native:logs:LogGroup")
_ALARMS = (
    "aws:cloudwatch/metricAlarm:MetricAlarm",
    "aws:cloudwatch/compositeAlarm:CompositeAlarm",
    "aws-native:cloudwatch:Alarm",
    "aws-native:cloudwatch:CompositeAlarm",
)


def retention(resource: Resource, context: Context) -> Iterator[Finding]:
    """Logs end some day, and not too early."""
    if resource.type not in LOG_GROUPS:
        return
    days = resource.props.get("retentionInDays")
    if days is UNKNOWN:
        return
    if not days:
        yield Finding("keeps its logs forever", "retentionInDays")
    elif isinstance(days, (int, float)) and days < context.options["minimum"]:
        yield Finding(f"keeps its logs for {days:g} days, {context.options['minimum']:g} are wanted", "retentionInDays")


def alarm_actions(resource: Resource, context: Context) -> Iterator[Finding]:
    """An alarm notifies somebody."""
    if resource.type not in _ALARMS:
        return
    if switched_off(resource):
        yield Finding("is switched off: actionsEnabled is false", "actionsEnabled")
    elif resource.props.get("alarmActions") is not UNKNOWN and not items(resource.props.get("alarmActions")):
        yield Finding("notifies nobody", "alarmActions")


def tracing(resource: Resource, context: Context) -> Iterator[Finding]:
    """Requests can be followed."""
    props = resource.props
    if resource.kind == "aws:lambda/function:Function":
        mode = section(props.get("tracingConfig"), "mode")
        if mode is not UNKNOWN and mode != "Active":
            yield Finding("is not traced", "tracingConfig.mode")
    if resource.kind == "aws:apigateway/stage:Stage" and not props.get("xrayTracingEnabled"):
        yield Finding("is not traced", "xrayTracingEnabled")
    traced = section(props.get("tracingConfiguration"), "enabled")
    if resource.kind == "aws:sfn/stateMachine:StateMachine" and not traced:
        yield Finding("is not traced", "tracingConfiguration.enabled")


def access_logs(resource: Resource, context: Context) -> Iterator[Finding]:
    """APIs and state machines keep a log."""
    props = resource.props
    if resource.kind in ("aws:apigateway/stage:Stage", "aws:apigatewayv2/stage:Stage") and not props.get(
        "accessLogSettings"
    ):
        yield Finding("keeps no access log", "accessLogSettings")
    if resource.kind == "aws:sfn/stateMachine:StateMachine":
        level = section(props.get("loggingConfiguration"), "level")
        if level is not UNKNOWN and level in (None, "OFF"):
            yield Finding("keeps no log", "loggingConfiguration.level")


# Types that take tags and cost money or hold data. Others follow from them.
TAGGABLE = re.compile(
    r"^aws:(s3/bucket:|lambda/function:|sagemaker/(endpoint|endpointConfiguration|model|notebookInstance|modelPackageGroup):"
    r"|iam/(role|policy|user):|kms/key:|sns/topic:|sqs/queue:|dynamodb/table:|rds/(instance|cluster):|ec2/instance:"
    r"|cloudwatch/(logGroup|metricAlarm):|codebuild/project:|codepipeline/pipeline:|sfn/stateMachine:|glue/job:"
    r"|apigateway/(restApi|stage):|ecr/repository:|secretsmanager/secret:|kinesis/stream:|efs/fileSystem:|ecs/(cluster|service):)"
)


def tagged(resource: Resource) -> set[str] | Unknown:
    """Keys of the resource's tags, the provider's default tags included."""
    own = [resource.props.get("tags"), resource.props.get("tagsAll"), resource.default_tags]
    if any(each is UNKNOWN for each in own):
        return UNKNOWN
    return {key for each in own if isinstance(each, dict) for key in each}


def tags(resource: Resource, context: Context) -> Iterator[Finding]:
    """Every resource says whose it is."""
    if not TAGGABLE.match(resource.kind):
        return
    found = tagged(resource)
    if isinstance(found, Unknown):
        return
    wanted = list(context.options["required"])
    missing = [each for each in wanted if each not in found]
    if missing:
        yield Finding(f"has no tag {', '.join(missing)}", "tags")
    elif not found:
        yield Finding("has no tags at all", "tags")


_MACHINE = re.compile(r"((ml|db|cache)\.)?(?P<kind>[a-z]+)[\w-]*\.(?P<size>\w+)")
_SIZES = ("nano", "micro", "small", "medium", "large", "xlarge")
_ACCELERATED = ("p", "g", "gr", "inf", "trn", "dl")


def machines(resource: Resource, context: Context) -> Iterator[Finding]:
    """Machines are those an environment may have."""
    patterns = [re.compile(each) for each in context.options["allowed"]]
    for place, kind, count in _machines(resource):
        most = context.options["maximum"]
        if isinstance(count, (int, float)) and count > most:
            yield Finding(f"runs {count:g} instances, {most:g} are allowed", place)
        if not isinstance(kind, str):
            continue
        if patterns:
            refused = not any(pattern.fullmatch(kind) for pattern in patterns)
        else:
            refused = _accelerated(kind) or _size(kind) > context.options["xlarge"]
        if refused:
            yield Finding(f"runs on {kind}, which is not allowed here", place)


def _accelerated(kind: str) -> bool:
    found = _MACHINE.fullmatch(kind)
    return bool(found) and found["kind"] in _ACCELERATED  # type: ignore[index]


def _size(kind: str) -> float:
    """In xlarges: `large` is half of one, `4xlarge` four."""
    found = _MACHINE.fullmatch(kind)
    if not found:
        return 0
    size = found["size"]
    if size in _SIZES:
        return 2.0 ** (_SIZES.index(size) - _SIZES.index("xlarge"))
    number = re.match(r"\d+", size)
    return float(number[0]) if number else 1000.0


# type → property of the machine's type, property of how many
_PLAIN = {
    "aws:sagemaker/notebookInstance:NotebookInstance": ("instanceType", ""),
    "aws:ec2/instance:Instance": ("instanceType", ""),
    "aws:ec2/launchTemplate:LaunchTemplate": ("instanceType", ""),
    "aws:autoscaling/group:Group": ("", "maxSize"),
    "aws:rds/instance:Instance": ("instanceClass", ""),
    "aws:glue/job:Job": ("", "numberOfWorkers"),
}


def _machines(resource: Resource) -> Iterator[tuple[str, Any, Any]]:
    props = resource.props
    if resource.type in CONFIGURATIONS:
        for name in ("productionVariants", "shadowProductionVariants"):
            for number, each in enumerate(items(props.get(name))):
                if known(each):
                    yield f"{name}[{number}]", section(each, "instanceType"), section(each, "initialInstanceCount")
    if resource.type.endswith("JobDefinition") and resource.type.startswith("aws:sagemaker/"):
        cluster = section(props.get("jobResources"), "clusterConfig")
        yield "jobResources.clusterConfig", section(cluster, "instanceType"), section(cluster, "instanceCount")
    if resource.kind in _PLAIN:
        kind, count = _PLAIN[resource.kind]
        yield kind or count, props.get(kind), props.get(count)
    if resource.type == "aws:appautoscaling/target:Target" and text(props.get("serviceNamespace")) == "sagemaker":
        yield "maxCapacity", None, props.get("maxCapacity")


RULES = (
    Rule(
        "log-retention",
        FAMILY,
        "mandatory",
        "medium",
        "Logs have an end",
        "logs that never end cost more every month, and keep personal data longer than anybody promised",
        "set retentionInDays",
        (NIST["AU-11"],),
        retention,
        options={
            "minimum": {"type": "number", "minimum": 1, "default": 1},
        },
    ),
    Rule(
        "alarm-actions",
        FAMILY,
        "mandatory",
        "medium",
        "Alarms notify somebody",
        "it rings, and nobody hears it",
        "set alarmActions, e.g. to a topic with subscribers",
        (NIST["AU-6"], NIST["SI-4"]),
        alarm_actions,
    ),
    Rule(
        "tracing",
        FAMILY,
        "advisory",
        "low",
        "Requests are traced",
        "where a slow or failed request lost its time, nobody can tell",
        "turn X-Ray tracing on",
        (NIST["AU-12"], WELL_ARCHITECTED["OPS04-BP02"]),
        tracing,
    ),
    Rule(
        "access-logs",
        FAMILY,
        "advisory",
        "low",
        "APIs and workflows keep a log",
        "who asked what, and what went wrong, nobody can tell",
        "set accessLogSettings (API) or loggingConfiguration (state machine)",
        (NIST["AU-2"], NIST["AU-12"]),
        access_logs,
    ),
    Rule(
        "tags",
        FAMILY,
        "advisory",
        "low",
        "Resources say whose they are",
        "nobody knows who pays, and who to call",
        "set the tags, best as the provider's default tags",
        (NIST["CM-8"], WELL_ARCHITECTED["COST02-BP01"]),
        tags,
        options={"required": {"type": "array", "items": {"type": "string"}, "default": []}},
    ),
    Rule(
        "machines",
        FAMILY,
        "mandatory",
        "medium",
        "Machines are those an environment may have",
        "a slip in a type or a count costs a month's budget in a day; so does whoever mines with it",
        "take a smaller one, or allow it in the policy config of the stack",
        (WELL_ARCHITECTED["COST02-BP01"],),
        machines,
        options={
            "allowed": {
                "type": "array",
                "items": {"type": "string"},
                "default": [],
                "description": "Regular expressions of instance types; where given, the only ones allowed.",
            },
            "xlarge": {"type": "number", "default": 4, "description": "Largest size, in xlarges, without `allowed`."},
            "maximum": {"type": "number", "minimum": 1, "default": 20, "description": "Most instances."},
        },
    ),
)
