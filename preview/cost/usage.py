"""From resources to what they use in a month, under the assumptions that the report states."""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from preview.plan import UNKNOWN, Resource
from preview.quote import code

HOURS = 730
REQUESTS = 1_000_000
MILLISECONDS = 100
CAPTURED_KB = 2
LOGGED_KB = 1
METRICS = 21
"""Five of a version and of all together, three that the judge compares by both, and five bins of its predictions."""
JOB_MINUTES = 10
RUNS = 8
RUN_MINUTES = 45
ASSUMPTIONS = (
    f"a month has {HOURS} hours; endpoints run all of them, with autoscaling at its fewest instances",
    f"{REQUESTS:,} requests a month to the API, each {MILLISECONDS} ms of function time and {LOGGED_KB} kB per log",
    f"{CAPTURED_KB} kB captured per request, times the captured share; captures lie as long as their lifecycle says",
    f"a monitoring run takes {JOB_MINUTES} minutes; {METRICS} custom metrics per serving function",
    f"{RUNS} pipeline runs a month of {RUN_MINUTES} action minutes; {JOB_MINUTES} minutes per build and job",
    "on demand, without taxes, free tiers, savings plans, data transfer, traces and requests to keys",
)
_MINUTE = 60
_DPU = {"G.025X": 0.25, "G.1X": 1.0, "G.2X": 2.0, "G.4X": 4.0, "G.8X": 8.0, "Standard": 1.0}
_FREE = re.compile(
    r"aws:(iam|appautoscaling|codedeploy|codestarconnections|ssm|sns)/|pulumi|glidepath:"
    r"|aws:s3/bucket.+:|aws:lambda/(?!function:)|aws:apigateway/(?!restApi:)|aws:kms/(alias|grant|keyPolicy):"
    r"|aws:sagemaker/(model|modelPackageGroup|modelPackageGroupPolicy|endpoint|monitoringSchedule|notebook"
    r"InstanceLifecycleConfiguration):"
    r"|aws:cloudwatch/(event.+|logMetricFilter|logResourcePolicy|logStream):|aws:secretsmanager/secret.+:"
    r"|aws:(codecommit|ecr|glue/securityConfiguration|codebuild/(sourceCredential|webhook))"
)
"""Types that cost nothing by standing there."""


@dataclass(frozen=True)
class Use:
    """So many units of something with a price. `what` and `which` name the price, `units` is per month."""

    service: str
    what: str
    units: float
    text: str
    which: str = ""


@dataclass(frozen=True)
class Stack:
    """The resources of one side of a plan."""

    resources: Mapping[str, Resource]

    def of(self, type: str) -> list[Resource]:
        """Resources of a type, by URN."""
        return sorted((one for one in self.resources.values() if one.type == type), key=lambda each: each.urn)

    @cached_property
    def called(self) -> frozenset[str]:
        """Names of the functions that an API calls."""
        allowed = [one.inputs for one in self.of("aws:lambda/permission:Permission")]
        return frozenset(str(each.get("function")) for each in allowed if "apigateway" in str(each.get("principal")))

    def minimum(self, variant: str) -> int | None:
        """Fewest instances that autoscaling leaves of a variant."""
        for target in self.of("aws:appautoscaling/target:Target"):
            place = str(target.inputs.get("resourceId"))
            if place.endswith(f"/variant/{variant}") or UNKNOWN in place:
                return int(target.inputs.get("minCapacity") or 0)
        return None


def uses(resources: Mapping[str, Resource]) -> Iterator[Use]:
    """What one side of a plan uses."""
    stack = Stack(resources)
    for resource in sorted(resources.values(), key=lambda each: each.urn):
        reader = _READERS.get(resource.type)
        if reader is not None:
            yield from reader(resource, stack)


def unpriced(resources: Mapping[str, Resource]) -> list[str]:
    """Resources that neither have a price here nor are known to be free, as sentences."""
    return sorted(
        f"no price known for {one.type} {code(one.name)}"
        for one in resources.values()
        if one.custom and one.type not in _READERS and not _FREE.match(one.type)
    )


def _endpoint(resource: Resource, stack: Stack) -> Iterator[Use]:
    groups = ("productionVariants", "shadowProductionVariants")
    for variant in [each for group in groups for each in resource.inputs.get(group) or ()]:
        name = str(variant.get("variantName"))
        if not variant.get("instanceType"):
            yield Use("SageMaker endpoints", "serverless variant", 1, f"serverless variant {code(name)}")
            continue
        minimum = stack.minimum(name)
        count = minimum if minimum is not None else int(variant.get("initialInstanceCount") or 1)
        kind = str(variant["instanceType"])
        yield Use(
            "SageMaker endpoints", "instance-hour", count * HOURS, f"variant {code(name)}: {count} × {kind}", kind
        )
    yield from _capture(resource, stack)


def _capture(resource: Resource, stack: Stack) -> Iterator[Use]:
    capture = resource.inputs.get("dataCaptureConfig") or {}
    if not capture.get("enableCapture"):
        return
    share = float(capture.get("initialSamplingPercentage") or 0) / 100
    days = _kept_days(stack)
    gigabytes = REQUESTS * share * CAPTURED_KB / 1e6 * days / 30.4
    yield Use("S3", "storage-gb", gigabytes, f"captures at {share:.0%}, kept {days} days: {gigabytes:.1f} GB")
    # SageMaker gathers what it captures: a file a minute and instance is a fair guess at a steady load.
    yield Use("S3", "put-thousand", HOURS * 60 / 1000, "capture files, one a minute")


def _kept_days(stack: Stack) -> int:
    for one in stack.of("aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration"):
        for rule in one.inputs.get("rules") or ():
            if str((rule.get("filter") or {}).get("prefix")).startswith("capture"):
                return int((rule.get("expiration") or {}).get("days") or 365)
    return 365


def _monitor(resource: Resource, stack: Stack) -> Iterator[Use]:
    cluster = (resource.inputs.get("jobResources") or {}).get("clusterConfig") or {}
    runs = sum(_runs(one) for one in stack.of("aws:sagemaker/monitoringSchedule:MonitoringSchedule"))
    count, kind = int(cluster.get("instanceCount") or 1), str(cluster.get("instanceType"))
    text = f"monitoring: {runs:.0f} runs a month on {count} × {kind}"
    yield Use("SageMaker monitoring", "instance-hour", runs * count * JOB_MINUTES / 60, text, kind)


def _beat(resource: Resource, stack: Stack) -> Iterator[Use]:
    """A schedule costs nothing; what its function starts does."""
    kinds = [_variables(each).get("INSTANCE_TYPE") for each in stack.of("aws:lambda/function:Function")]
    runs = _beats(str(resource.inputs.get("scheduleExpression")))
    for kind in (str(each) for each in kinds if each):
        text = f"monitoring: {runs:.0f} runs a month on 1 × {kind}"
        yield Use("SageMaker monitoring", "instance-hour", runs * JOB_MINUTES / 60, text, kind)


def _variables(function: Resource) -> Mapping[str, Any]:
    return (function.inputs.get("environment") or {}).get("variables") or {}


def _runs(schedule: Resource) -> float:
    config = (schedule.inputs.get("monitoringScheduleConfig") or {}).get("scheduleConfig") or {}
    return _beats(str(config.get("scheduleExpression")))


def _beats(expression: str) -> float:
    hour = expression.removeprefix("cron(").split(" ")[1:2]
    if not expression.startswith("cron(") or not hour:
        return 0
    if hour[0] == "*":
        return HOURS
    every = hour[0].partition("/")[2]
    return HOURS / int(every) if every.isdigit() and int(every) else HOURS / 24


def _function(resource: Resource, stack: Stack) -> Iterator[Use]:
    name = str(resource.known.get("name"))
    if name not in stack.called and not (UNKNOWN in " ".join(stack.called) and resource.inputs.get("publish")):
        return
    memory = float(resource.inputs.get("memorySize") or 128) / 1024
    architecture = str((resource.inputs.get("architectures") or ["x86_64"])[0])
    seconds = REQUESTS * MILLISECONDS / 1000 * memory
    yield Use("Lambda", "lambda-million", REQUESTS / 1e6, f"{code(name)}: {REQUESTS:,} requests")
    yield Use("Lambda", "lambda-gb-second", seconds, f"{code(name)}: {seconds:,.0f} GB-seconds", architecture)
    yield Use("CloudWatch", "metric", METRICS, f"{METRICS} custom metrics of {code(name)}")


def _logs(resource: Resource, stack: Stack) -> Iterator[Use]:
    name = str(resource.known.get("name"))
    if name.startswith("/aws/apigateway/") or name.removeprefix("/aws/lambda/") in stack.called:
        yield Use("CloudWatch", "log-gb", REQUESTS * LOGGED_KB / 1e6, f"log {code(name)}")


def _alarm(resource: Resource, stack: Stack) -> Iterator[Use]:
    metrics = [each["metric"] for each in resource.inputs.get("metricQueries") or () if each.get("metric")]
    # What is known only after the update is a text.
    periods = [each.get("period") for each in metrics or [resource.inputs] if isinstance(each, Mapping)]
    fast = any(isinstance(period, int | float) and period < _MINUTE for period in periods)
    kind = "fast-alarm" if fast else "alarm"
    yield Use("CloudWatch", kind, max(1, len(metrics)), f"alarm {code(resource.name)}")


def _glue(resource: Resource, stack: Stack) -> Iterator[Use]:
    workers = float(resource.inputs.get("numberOfWorkers") or 2)
    kind = str(resource.inputs.get("workerType") or "G.1X")
    units = RUNS * JOB_MINUTES / 60 * workers * _DPU.get(kind, 1.0)
    yield Use("Glue", "dpu-hour", units, f"{RUNS} runs on {workers:.0f} × {kind}")


def _build(resource: Resource, stack: Stack) -> Iterator[Use]:
    kind = str((resource.inputs.get("environment") or {}).get("computeType"))
    yield Use("CodeBuild", "build-minute", RUNS * JOB_MINUTES, f"{code(resource.name)}: {RUNS} builds on {kind}", kind)


def _workflow(resource: Resource, stack: Stack) -> Iterator[Use]:
    yield Use("Step Functions", "transition-thousand", RUNS * 20 / 1000, f"{RUNS} runs of 20 transitions")
    text = resource.inputs.get("definition")
    try:
        definition = json.loads(text) if isinstance(text, str) else {}
    except ValueError:
        definition = {}
    if not definition and isinstance(text, str):
        yield Use("SageMaker jobs", "jobs of a workflow that is not known yet", 1, "jobs of the workflow")
    for kind, count in _machines(definition):
        units = RUNS * JOB_MINUTES / 60 * count
        yield Use("SageMaker jobs", "instance-hour", units, f"{RUNS} runs on {count} × {kind}", kind)


def _machines(value: Any) -> Iterator[tuple[str, int]]:
    """Every cluster that a state machine asks for."""
    if isinstance(value, Mapping):
        if isinstance(value.get("InstanceType"), str):
            yield value["InstanceType"], int(value.get("InstanceCount") or 1)
        for each in value.values():
            yield from _machines(each)
    elif isinstance(value, list):
        for each in value:
            yield from _machines(each)


def _notebook(resource: Resource, stack: Stack) -> Iterator[Use]:
    kind = str(resource.inputs.get("instanceType"))
    yield Use("SageMaker notebook", "instance-hour", HOURS, f"{code(resource.name)} on {kind}, never stopped", kind)


def _each(service: str, what: str, units: float, words: str) -> "Reader":
    def read(resource: Resource, stack: Stack) -> Iterable[Use]:
        yield Use(service, what, units, f"{words} {code(resource.name)}")

    return read


Reader = Callable[[Resource, Stack], Iterable[Use]]


def _nothing(resource: Resource, stack: Stack) -> Iterable[Use]:
    """Counted where it is used: a bucket by what is captured in it."""
    return ()


_READERS: dict[str, Reader] = {
    "aws:sagemaker/endpointConfiguration:EndpointConfiguration": _endpoint,
    "aws:sagemaker/dataQualityJobDefinition:DataQualityJobDefinition": _monitor,
    "aws:scheduler/schedule:Schedule": _beat,
    "aws:sagemaker/notebookInstance:NotebookInstance": _notebook,
    "aws:lambda/function:Function": _function,
    "aws:apigateway/restApi:RestApi": _each("API Gateway", "api-million", REQUESTS / 1e6, f"{REQUESTS:,} requests to"),
    "aws:cloudwatch/metricAlarm:MetricAlarm": _alarm,
    "aws:cloudwatch/compositeAlarm:CompositeAlarm": _each("CloudWatch", "composite-alarm", 1, "composite alarm"),
    "aws:cloudwatch/dashboard:Dashboard": _each("CloudWatch", "dashboard", 1, "dashboard"),
    "aws:cloudwatch/logGroup:LogGroup": _logs,
    "aws:kms/key:Key": _each("KMS", "key", 1, "key"),
    "aws:secretsmanager/secret:Secret": _each("Secrets Manager", "secret", 1, "secret"),
    "aws:s3/bucket:Bucket": _nothing,
    "aws:codepipeline/pipeline:Pipeline": _each("CodePipeline", "pipeline-minute", RUNS * RUN_MINUTES, "pipeline"),
    "aws:codebuild/project:Project": _build,
    "aws:glue/job:Job": _glue,
    "aws:sfn/stateMachine:StateMachine": _workflow,
}
