"""Data capture: what goes in and comes out of every endpoint is kept, in full, encrypted, readable later."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from .alarms import telling
from .model import UNKNOWN, Context, Finding, Resource, Rule, items, known, number, off, section, text
from .references import NIST, WELL_ARCHITECTED

FAMILY = "data-capture"
CONFIGURATIONS = (
    "aws:sagemaker/endpointConfiguration:EndpointConfiguration",
    "aws-native:sagemaker:EndpointConfig",
)
_BUCKET = re.compile(r"s3://([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(/.*)?")
_MODES = {"Input": {"Input"}, "Output": {"Output"}, "InputAndOutput": {"Input", "Output"}}


def _config(resource: Resource) -> object:
    """The capture block; None where the resource has none or is no endpoint configuration."""
    return resource.props.get("dataCaptureConfig") if resource.type in CONFIGURATIONS else None


def _on(resource: Resource) -> bool:
    config = _config(resource)
    return known(config) and not off(section(config, "enableCapture"))


def _serverless(resource: Resource) -> bool:
    """Whether all variants are serverless ones: AWS captures nothing there."""
    variants = items(resource.props.get("productionVariants"))
    return bool(variants) and all(known(each) and bool(section(each, "serverlessConfig")) for each in variants)


def enabled(resource: Resource, context: Context) -> Iterator[Finding]:
    """Capture is on."""
    if resource.type not in CONFIGURATIONS:
        return
    config = _config(resource)
    if resource.props.get("asyncInferenceConfig"):
        # https://docs.aws.amazon.com/sagemaker/latest/dg/async-inference.html: no data capture
        yield Finding("is asynchronous, and captures nothing whatever is set", "asyncInferenceConfig")
    elif (config is None or config == []) and not _serverless(resource):
        yield Finding("captures nothing", "dataCaptureConfig")
    elif config not in (None, []) and off(section(config, "enableCapture")):
        yield Finding("has its capture switched off", "dataCaptureConfig.enableCapture")


def impossible(resource: Resource, context: Context) -> Iterator[Finding]:
    """Endpoints that cannot capture."""
    if resource.type in CONFIGURATIONS and _serverless(resource):
        yield Finding("is serverless: nothing of what it is asked is kept", "productionVariants")


def foreign(resources: Sequence[Resource], context: Context) -> Iterator[Finding]:
    """Endpoints on configurations that the program does not hold."""
    held = [each for each in resources if each.type in CONFIGURATIONS]
    names = {each.props.get(name) for each in held for name in ("name", "endpointConfigName")}
    urns = {each.urn for each in held}
    for endpoint in (each for each in resources if each.type in ENDPOINTS):
        name = endpoint.props.get("endpointConfigName")
        if isinstance(name, str) and name not in names and urns.isdisjoint(endpoint.depends):
            yield Finding(f"endpoint {endpoint.name} runs `{name}`, which this program does not hold", urn=endpoint.urn)


def percentage(resource: Resource, context: Context) -> Iterator[Finding]:
    """Enough is captured."""
    if not _on(resource):
        return
    given = section(_config(resource), "initialSamplingPercentage")
    share, least = number(given), context.options["minimum"]
    if given is None:
        yield Finding("does not say how much it captures", "dataCaptureConfig.initialSamplingPercentage")
    if share is not None and share < least:
        yield Finding(
            f"captures {share:g} % of the requests, {least:g} % are wanted",
            "dataCaptureConfig.initialSamplingPercentage",
        )


def modes(resource: Resource, context: Context) -> Iterator[Finding]:
    """Input and output are captured."""
    if not _on(resource):
        return
    options = section(_config(resource), "captureOptions")
    if options is UNKNOWN or any(section(each, "captureMode") is UNKNOWN for each in items(options)):
        return
    found = {mode for each in items(options) for mode in _MODES.get(text(section(each, "captureMode")), ())}
    missing = sorted({"Input", "Output"} - found)
    if missing:
        yield Finding(f"does not capture {' and '.join(missing)}", "dataCaptureConfig.captureOptions")


def encrypted(resource: Resource, context: Context) -> Iterator[Finding]:
    """Captured data is encrypted with a key of one's own."""
    if _on(resource) and not section(_config(resource), "kmsKeyId"):
        yield Finding("captures without a KMS key", "dataCaptureConfig.kmsKeyId")


def destination(resource: Resource, context: Context) -> Iterator[Finding]:
    """Captured data has a valid address."""
    uri = section(_config(resource), "destinationS3Uri") if _on(resource) else UNKNOWN
    if uri is not UNKNOWN and not _BUCKET.fullmatch(text(uri)):
        yield Finding(f"captures to {uri!r}, which is no address in S3", "dataCaptureConfig.destinationS3Uri")


def content_types(resource: Resource, context: Context) -> Iterator[Finding]:
    """What is captured can be read."""
    if not _on(resource):
        return
    header = section(_config(resource), "captureContentTypeHeader")
    if header is UNKNOWN:
        return
    if not any(section(header, name) for name in ("csvContentTypes", "jsonContentTypes")):
        yield Finding("names no content types", "dataCaptureConfig.captureContentTypeHeader")


def bucket_of(resource: Resource) -> str:
    """The capture bucket's name, empty where not known."""
    found = _BUCKET.fullmatch(text(section(_config(resource), "destinationS3Uri")))
    return found[1] if found else ""


def private_bucket(resources: Sequence[Resource], context: Context) -> Iterator[Finding]:
    """The bucket is private, where the stack holds it."""
    blocks = [each for each in resources if each.type == _BLOCK]
    for bucket in (each for each in resources if each.kind == "aws:s3/bucket:Bucket"):
        name = text(bucket.props.get("bucket"))
        captured = any(_captures_to(each, bucket, name) for each in resources if _on(each))
        if captured and not any(_closes(block, bucket, name) for block in blocks):
            yield Finding(f"the capture bucket {name or bucket.name} has no public access block", urn=bucket.urn)


_BLOCK = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"


def _captures_to(configuration: Resource, bucket: Resource, name: str) -> bool:
    """By the bucket's name; where the address is not known yet, by what it is made from."""
    found = bucket_of(configuration)
    return found == name if found else bucket.urn in configuration.depends


def _closes(block: Resource, bucket: Resource, name: str) -> bool:
    found = block.props.get("bucket")
    if bucket.urn in block.depends or (not block.depends and not known(found)):
        return True
    return bool(name) and found == name


def _names(endpoint: Resource) -> set[str]:
    return {text(endpoint.props.get("name")), endpoint.urn} - {""}


def refers(resource: Resource, endpoint: Resource) -> bool:
    """Whether a resource has to do with an endpoint: by its name in a property, or by what it is made from."""
    return endpoint.urn in resource.depends or any(_mentions(resource.props, each) for each in _names(endpoint))


def _mentions(value: object, name: str) -> bool:
    if isinstance(value, str):
        parted = any(f"{mark}{name}{mark}" in f"{mark}{value}{mark}" for mark in "/:")
        return value == name or parted or f'"{name}"' in value
    if isinstance(value, dict):
        return any(_mentions(each, name) for each in value.values())
    return isinstance(value, list) and any(_mentions(each, name) for each in value)


ENDPOINTS = ("aws:sagemaker/endpoint:Endpoint", "aws-native:sagemaker:Endpoint")
_BEATS = ("aws:scheduler/schedule:Schedule", "aws-native:scheduler:Schedule")
_FUNCTIONS = ("aws:lambda/function:Function", "aws-native:lambda:Function")
_DEFINITION = re.compile(r"(DataQuality|ModelQuality|ModelBias|ModelExplainability)JobDefinition$")


def compares(function: Resource) -> bool:
    """Whether a function is given a baseline: one that a schedule merely keeps warm watches nothing."""
    variables = section(function.props.get("environment"), "variables")
    if not isinstance(variables, dict):
        return variables is UNKNOWN
    return any(value is UNKNOWN or str(value).endswith("constraints.json") for value in variables.values())


def monitored(resources: Sequence[Resource], context: Context) -> Iterator[Finding]:
    """A monitor, a schedule and an alarm for every endpoint."""
    schedules = [each for each in resources if each.type.endswith(":MonitoringSchedule")]
    beats = [each for each in resources if each.type in _BEATS]
    definitions = [each for each in resources if _DEFINITION.search(each.type)]
    functions = [each for each in resources if each.type in _FUNCTIONS and compares(each)]
    alarms = [each for each in resources if each.type.endswith((":MetricAlarm", ":Alarm"))]
    for endpoint in (each for each in resources if each.type in ENDPOINTS):
        own = [each for each in definitions if refers(each, endpoint)]
        scheduled = [each for each in schedules if refers(each, endpoint) or any(_runs(each, job) for job in own)]
        direct = [each for each in scheduled if refers(each, endpoint)]
        analyzers = [each for each in functions if refers(each, endpoint)]
        called = [each for each in beats if any(refers(each, function) for function in analyzers)]
        missing = [
            name
            for name, found in (
                ("monitoring job definition", own or direct or analyzers),
                ("monitoring schedule", scheduled or called),
                ("alarm", any(_watches(each, endpoint) for each in alarms)),
            )
            if not found
        ]
        if missing:
            yield Finding(f"endpoint {endpoint.name} has no {', no '.join(missing)}", urn=endpoint.urn)


def _watches(alarm: Resource, endpoint: Resource) -> bool:
    """Whether an alarm can tell something of an endpoint's answers: its description and its name measure nothing."""
    measured = {name: each for name, each in alarm.props.items() if name not in _WORDS}
    return telling(alarm) and refers(replace(alarm, props=measured), endpoint)


_WORDS = ("alarmDescription", "description", "name", "alarmName", "tags", "tagsAll", "alarmActions", "okActions")


def _runs(schedule: Resource, definition: Resource) -> bool:
    config = schedule.props.get("monitoringScheduleConfig")
    wanted = section(config, "monitoringJobDefinitionName")
    return (
        definition.urn in schedule.depends
        or wanted is UNKNOWN
        or (known(wanted) and wanted == definition.props.get("name"))
    )


_REFERENCES = (NIST["AU-12"], WELL_ARCHITECTED["OPS04-BP02"])
RULES = (
    Rule(
        "capture-enabled",
        FAMILY,
        "mandatory",
        "high",
        "Every endpoint configuration captures",
        "nobody can tell later what the model was asked and what it answered: neither drift nor misuse is seen",
        "set dataCaptureConfig with enableCapture; asynchronous endpoints cannot capture and have no"
        " place on this road",
        _REFERENCES,
        enabled,
    ),
    Rule(
        "capture-possible",
        FAMILY,
        "advisory",
        "medium",
        "Endpoints can capture",
        "what a serverless endpoint is asked and answers is kept by nobody: drift is not seen",
        "take instances for what decides something, or log requests beside the endpoint",
        _REFERENCES,
        impossible,
    ),
    Rule(
        "endpoint-configuration",
        FAMILY,
        "advisory",
        "medium",
        "Endpoints run configurations of this program",
        "whether a configuration that somebody made elsewhere captures, nobody can tell here",
        "make the configuration in this program",
        _REFERENCES,
        stack_check=foreign,
    ),
    Rule(
        "capture-percentage",
        FAMILY,
        "mandatory",
        "medium",
        "Enough requests are captured",
        "what is not captured cannot be looked into, and rare slices are lost first",
        "raise initialSamplingPercentage",
        _REFERENCES,
        percentage,
        options={"minimum": {"type": "number", "minimum": 1, "maximum": 100, "default": 100}},
    ),
    Rule(
        "capture-modes",
        FAMILY,
        "mandatory",
        "high",
        "Input and output are captured",
        "an answer without its question (or the other way round) can be neither checked nor learnt from",
        "list captureMode Input and captureMode Output in captureOptions",
        _REFERENCES,
        modes,
    ),
    Rule(
        "capture-encrypted",
        FAMILY,
        "mandatory",
        "high",
        "Captured data is encrypted with a KMS key",
        "captured requests are customers' data: who can read the bucket can read them",
        "set dataCaptureConfig.kmsKeyId",
        (NIST["SC-28"], WELL_ARCHITECTED["SEC08-BP02"]),
        encrypted,
    ),
    Rule(
        "capture-destination",
        FAMILY,
        "mandatory",
        "medium",
        "Captured data has an address in S3",
        "SageMaker refuses the endpoint, or nothing arrives",
        "set destinationS3Uri to s3://<bucket>/<prefix>",
        _REFERENCES,
        destination,
    ),
    Rule(
        "capture-content-types",
        FAMILY,
        "mandatory",
        "medium",
        "Captured data names its content types",
        "SageMaker stores what it does not know in base64, and the monitor fails on it",
        "set captureContentTypeHeader with csvContentTypes (text/csv) and jsonContentTypes (application/json)",
        _REFERENCES,
        content_types,
    ),
    Rule(
        "capture-private-bucket",
        FAMILY,
        "mandatory",
        "high",
        "The capture bucket is private",
        "one wrong ACL or policy publishes customers' data",
        "add a BucketPublicAccessBlock with all four switches on",
        (NIST["AC-3"], NIST["SC-7"]),
        stack_check=private_bucket,
    ),
    Rule(
        "endpoint-monitored",
        FAMILY,
        "mandatory",
        "high",
        "Every endpoint has a monitor, a schedule and an alarm",
        "the model grows worse and nobody is notified",
        "add a job definition for the endpoint, a MonitoringSchedule that runs it, and a MetricAlarm on the endpoint"
        " (a Schedule of a function that knows the endpoint and the address of a constraints.json does as well)",
        (NIST["SI-4"], WELL_ARCHITECTED["OPS04-BP02"]),
        stack_check=monitored,
    ),
)
