"""Release safety: traffic moves step by step, under alarms, with a way back."""

from collections.abc import Iterator, Sequence

from .alarms import METRIC_ALARMS, telling
from .capture import CONFIGURATIONS, ENDPOINTS, refers
from .model import UNKNOWN, Context, Finding, Resource, Rule, items, known, number, off, section, text
from .references import NIST, WELL_ARCHITECTED

FAMILY = "release-safety"
_ALIAS = ("aws:lambda/alias:Alias", "aws-native:lambda:Alias")
_GROUP = ("aws:codedeploy/deploymentGroup:DeploymentGroup", "aws-native:codedeploy:DeploymentGroup")
_CONFIG = ("aws:codedeploy/deploymentConfig:DeploymentConfig", "aws-native:codedeploy:DeploymentConfig")
_SHIFT = ":TrafficShift"
_TARGET = ("aws:appautoscaling/target:Target", "aws-native:applicationautoscaling:ScalableTarget")
_POLICY = ("aws:appautoscaling/policy:Policy", "aws-native:applicationautoscaling:ScalingPolicy")
_VARIANT = "sagemaker:variant:DesiredInstanceCount"


def alias(resource: Resource, context: Context) -> Iterator[Finding]:
    """CodeDeploy moves the alias, not the program."""
    if resource.type not in _ALIAS:
        return
    version = resource.props.get("functionVersion")
    if version == "$LATEST":
        yield Finding("points to $LATEST: whatever is uploaded serves at once", "functionVersion")
    if not resource.ignores("functionVersion"):
        yield Finding("is moved by the program: every new version serves at once", "ignoreChanges")
    elif not resource.ignores("routingConfig"):
        yield Finding("has its weights reset by the program, in the middle of a shift", "ignoreChanges")


def _style(resource: Resource, name: str) -> object:
    return section(resource.props.get("deploymentStyle"), name)


def _of_servers(resource: Resource) -> bool:
    """Groups that deploy onto machines know other settings."""
    machines = ("ec2TagFilters", "ec2TagSets", "autoscalingGroups", "autoScalingGroups", "onPremisesInstanceTagFilters")
    return any(resource.props.get(name) for name in machines)


def all_at_once(resource: Resource, context: Context) -> Iterator[Finding]:
    """In production, traffic does not jump."""
    if not context.production:
        return
    yield from _jumps(resource)
    if resource.type in _CONFIG and resource.props.get("computePlatform") in ("Lambda", "ECS"):
        routing = resource.props.get("trafficRoutingConfig")
        kind = section(routing, "type")
        steps = [section(section(routing, name), "percentage") for name in ("timeBasedCanary", "timeBasedLinear")]
        if not kind or kind == "AllAtOnce":
            yield Finding("moves all traffic at once", "trafficRoutingConfig.type")
        else:
            yield from _leaps([number(step) for step in steps], context, "trafficRoutingConfig")
    if resource.type in ENDPOINTS:
        policy = section(section(resource.props.get("deploymentConfig"), "blueGreenUpdatePolicy"), _ROUTING)
        if section(policy, "type") == "ALL_AT_ONCE":
            yield Finding("moves all traffic at once", f"deploymentConfig.blueGreenUpdatePolicy.{_ROUTING}")
        sizes = [section(policy, name) for name in ("canarySize", "linearStepSize")]
        shares = [number(section(each, "value")) for each in sizes if section(each, "type") == "CAPACITY_PERCENT"]
        yield from _leaps(shares, context, f"deploymentConfig.blueGreenUpdatePolicy.{_ROUTING}")


def _leaps(steps: Sequence[float | None], context: Context, place: str) -> Iterator[Finding]:
    """A first step that takes most callers along."""
    for step in steps:
        if step is not None and step >= _WHOLE:
            yield Finding("moves all traffic at once: its first step is 100 %", place)
        elif step is not None and step > context.options["step"]:
            yield Finding(f"moves {step:g} % of the traffic in one step, {context.options['step']:g} % at most", place)


_WHOLE = 100


def _jumps(resource: Resource) -> Iterator[Finding]:
    """A group, or one shift beside it, that names a configuration without steps."""
    place = "deploymentConfigName" if resource.type in _GROUP else "configuration"
    if resource.type not in _GROUP and not resource.type.endswith(_SHIFT):
        return
    config = resource.props.get(place)
    if text(config).lower().endswith("allatonce"):
        yield Finding(f"moves all traffic at once: {config}", place)
    elif resource.type in _GROUP and not config and not _of_servers(resource):
        yield Finding("names no deployment configuration: traffic moves all at once", place)


_ROUTING = "trafficRoutingConfiguration"


def rollback(resource: Resource, context: Context) -> Iterator[Finding]:
    """What fails goes back by itself."""
    if resource.type in _GROUP:
        config = resource.props.get("autoRollbackConfiguration")
        if config is UNKNOWN:
            return
        if not config or off(section(config, "enabled")):
            yield Finding("does not roll back", "autoRollbackConfiguration")
            return
        events = section(config, "events")
        if events is UNKNOWN or UNKNOWN in items(events):
            return
        missing = [each for each in ("DEPLOYMENT_FAILURE", "DEPLOYMENT_STOP_ON_ALARM") if each not in items(events)]
        if missing:
            yield Finding(f"does not roll back on {' and '.join(missing)}", "autoRollbackConfiguration.events")
    if resource.type in ENDPOINTS and known(resource.props.get("deploymentConfig")):
        config = section(resource.props.get("deploymentConfig"), "autoRollbackConfiguration")
        if config is not UNKNOWN and not items(section(config, "alarms")) and section(config, "alarms") is not UNKNOWN:
            yield Finding("does not roll back: no alarms", "deploymentConfig.autoRollbackConfiguration")


def alarms(resource: Resource, context: Context) -> Iterator[Finding]:
    """Alarms watch a shift."""
    if resource.type not in _GROUP:
        return
    config = resource.props.get("alarmConfiguration")
    if config is UNKNOWN:
        return
    if not config or off(section(config, "enabled")):
        yield Finding("is watched by no alarm", "alarmConfiguration")
    elif section(config, "alarms") is not UNKNOWN and not items(section(config, "alarms")):
        yield Finding("is watched by no alarm: the list is empty", "alarmConfiguration.alarms")
    elif section(config, "ignorePollAlarmFailure") in (True, "true"):
        yield Finding("goes on where the alarms cannot be read", "alarmConfiguration.ignorePollAlarmFailure")


def watched(resources: Sequence[Resource], context: Context) -> Iterator[Finding]:
    """Groups whose alarms say nothing of what is released."""
    found = {text(each.props.get(name)): each for each in resources if each.type in METRIC_ALARMS for name in _NAMES}
    for group in (each for each in resources if each.type in _GROUP):
        named = [
            section(each, "name") or each for each in items(section(group.props.get("alarmConfiguration"), "alarms"))
        ]
        own = [found.get(each) for each in named if isinstance(each, str)]
        if own and len(own) == len(named) and all(each is not None and not telling(each) for each in own):
            yield Finding(f"{group.name}: none of its alarms can tell a bad release", urn=group.urn)


_NAMES = ("name", "alarmName")


def style(resource: Resource, context: Context) -> Iterator[Finding]:
    """A function's group shifts traffic."""
    if resource.type not in _GROUP or _of_servers(resource) or resource.props.get("deploymentStyle") is UNKNOWN:
        return
    if "deploymentStyle" not in resource.props and not text(resource.props.get("deploymentConfigName")).startswith(
        ("CodeDeployDefault.Lambda", "CodeDeployDefault.ECS")
    ):
        return
    option, kind = _style(resource, "deploymentOption"), _style(resource, "deploymentType")
    if (known(option) or option is None) and option != "WITH_TRAFFIC_CONTROL":
        yield Finding("deploys without traffic control", "deploymentStyle.deploymentOption")
    elif (known(kind) or kind is None) and kind != "BLUE_GREEN":
        yield Finding("deploys in place", "deploymentStyle.deploymentType")


def hooks(resource: Resource, context: Context) -> Iterator[Finding]:
    """Both hooks run at a shift."""
    if not resource.type.endswith(_SHIFT):
        return
    missing = [each for each in ("before", "after") if not resource.props.get(each)]
    if missing:
        yield Finding(f"has no hook {' and none '.join(missing)} traffic", missing[0])


def instances(resource: Resource, context: Context) -> Iterator[Finding]:
    """In production, one machine may fail."""
    if resource.type not in CONFIGURATIONS or not context.production:
        return
    least = context.options["minimum"]
    for at, variant in enumerate(items(resource.props.get("productionVariants"))):
        if not known(variant) or section(variant, "serverlessConfig"):
            continue
        managed = section(section(variant, "managedInstanceScaling"), "minInstanceCount")
        count = managed if known(managed) else section(variant, "initialInstanceCount")
        count = 1 if count is None else count
        count = number(count)
        if count is not None and count < least:
            place = f"productionVariants[{at}].initialInstanceCount"
            yield Finding(
                f"runs {count:g} instance{'' if count == 1 else 's'}, {least:g} are wanted in production", place
            )


def scaling(resource: Resource, context: Context) -> Iterator[Finding]:
    """In production, autoscaling keeps two machines and can add more."""
    if resource.type not in _TARGET or not context.production:
        return
    if _VARIANT not in (resource.props.get("scalableDimension"), UNKNOWN):
        return
    low, high = number(resource.props.get("minCapacity")), number(resource.props.get("maxCapacity"))
    least = context.options["minimum"]
    if low is not None and low < least:
        yield Finding(f"scales in to {low:g} instance{'' if low == 1 else 's'}, {least:g} are wanted", "minCapacity")
    if low is not None and high is not None and high <= low:
        yield Finding(f"cannot scale: from {low:g} to {high:g}", "maxCapacity")


def scaled(resources: Sequence[Resource], context: Context) -> Iterator[Finding]:
    """In production, every endpoint scales."""
    if not context.production:
        return
    targets = [each for each in resources if each.type in _TARGET]
    policies = [each for each in resources if each.type in _POLICY]
    for endpoint in (each for each in resources if each.type in ENDPOINTS):
        own = [each for each in targets if refers(each, endpoint)]
        if not own:
            yield Finding(f"endpoint {endpoint.name} does not scale: no scalable target", urn=endpoint.urn)
        elif not any(refers(each, endpoint) or own[0].urn in each.depends for each in policies):
            yield Finding(f"endpoint {endpoint.name} does not scale: no scaling policy", urn=endpoint.urn)


def shifted(resources: Sequence[Resource], context: Context) -> Iterator[Finding]:
    """Where there is an alias, CodeDeploy is there to move it."""
    if any(each.type in _GROUP for each in resources):
        return
    for each in resources:
        if each.type in _ALIAS:
            yield Finding(f"alias {each.name} is moved by no CodeDeploy deployment group", urn=each.urn)


_DESTROYABLE = {
    "aws:s3/bucket:Bucket": "forceDestroy",
    "aws:ecr/repository:Repository": "forceDelete",
}
_PROTECTION = {
    "aws:dynamodb/table:Table": "deletionProtectionEnabled",
    "aws:rds/instance:Instance": "deletionProtection",
    "aws:rds/cluster:Cluster": "deletionProtection",
}


def protected(resource: Resource, context: Context) -> Iterator[Finding]:
    """In production, what holds state is not deleted along the way."""
    if not context.production:
        return
    force = _DESTROYABLE.get(resource.kind)
    if force and resource.props.get(force) is True:
        yield Finding("is deleted with all it holds", force)
    guard = _PROTECTION.get(resource.kind)
    if guard and not resource.props.get(guard):
        yield Finding("is not protected against deletion", guard)
    if resource.kind == "aws:kms/key:Key":
        days = resource.props.get("deletionWindowInDays")
        if isinstance(days, (int, float)) and days < context.options["keyDays"]:
            yield Finding(f"a deleted key is gone after {days:g} days", "deletionWindowInDays")


_CHANGE = (NIST["CM-3"], WELL_ARCHITECTED["OPS06-BP03"])
_BACK = (NIST["CP-10"], WELL_ARCHITECTED["OPS06-BP04"])
_COUNT = {"minimum": {"type": "number", "minimum": 1, "default": 2}}
RULES = (
    Rule(
        "alias-managed",
        FAMILY,
        "mandatory",
        "high",
        "CodeDeploy moves the alias",
        "a bad version reaches all callers before any alarm can see it",
        "set ignoreChanges to functionVersion and routingConfig, and shift with CodeDeploy",
        _CHANGE,
        alias,
    ),
    Rule(
        "all-at-once",
        FAMILY,
        "mandatory",
        "high",
        "Production traffic moves in steps",
        "a bad release reaches all callers before any alarm can see it",
        "use a canary or linear configuration, e.g. CodeDeployDefault.LambdaCanary10Percent5Minutes",
        (NIST["CM-3"], WELL_ARCHITECTED["REL08-BP04"]),
        all_at_once,
        options={"step": {"type": "number", "minimum": 1, "maximum": 99, "default": 50}},
    ),
    Rule(
        "rollback",
        FAMILY,
        "mandatory",
        "high",
        "Deployments roll back by themselves",
        "a release that fails stays until somebody wakes up",
        "enable autoRollbackConfiguration with DEPLOYMENT_FAILURE and DEPLOYMENT_STOP_ON_ALARM (endpoints: alarms)",
        _BACK,
        rollback,
    ),
    Rule(
        "deployment-alarms",
        FAMILY,
        "mandatory",
        "high",
        "Alarms watch every deployment",
        "nothing stops a shift to a release that answers wrongly",
        "enable alarmConfiguration with alarms on the model's errors and latency",
        _BACK,
        alarms,
    ),
    Rule(
        "alarms-tell",
        FAMILY,
        "mandatory",
        "high",
        "A deployment's alarms can tell a bad release",
        "alarms that cannot fire, or that look at machines only, let a release pass that answers wrongly",
        "name alarms on errors, latency or answers, with thresholds that they can reach",
        _BACK,
        stack_check=watched,
    ),
    Rule(
        "deployment-style",
        FAMILY,
        "mandatory",
        "medium",
        "Functions are deployed blue/green with traffic control",
        "there is no old version left to go back to",
        "set deploymentStyle to BLUE_GREEN and WITH_TRAFFIC_CONTROL",
        _CHANGE,
        style,
    ),
    Rule(
        "shift-hooks",
        FAMILY,
        "mandatory",
        "medium",
        "Hooks run before and after traffic moves",
        "nothing asks the new version anything before callers do",
        "give both hooks",
        _CHANGE,
        hooks,
    ),
    Rule(
        "production-instances",
        FAMILY,
        "mandatory",
        "medium",
        "Production endpoints have two instances or more",
        "SageMaker spreads instances over zones: with one, a zone's failure is an outage",
        "set initialInstanceCount to 2 or more",
        (NIST["CP-10"], WELL_ARCHITECTED["REL10-BP01"]),
        instances,
        options=_COUNT,
    ),
    Rule(
        "production-scaling",
        FAMILY,
        "mandatory",
        "medium",
        "Production autoscaling keeps two instances",
        "at night one machine is left, and its failure is an outage",
        "set minCapacity to 2 or more, and maxCapacity above it",
        (NIST["CP-10"], WELL_ARCHITECTED["REL07-BP01"]),
        scaling,
        options=_COUNT,
    ),
    Rule(
        "endpoint-scaled",
        FAMILY,
        "mandatory",
        "medium",
        "Production endpoints scale",
        "more callers than expected are an outage",
        "add a scalable target for the endpoint's variant, and a target tracking policy",
        (WELL_ARCHITECTED["REL07-BP01"],),
        stack_check=scaled,
    ),
    Rule(
        "alias-shifted",
        FAMILY,
        "advisory",
        "medium",
        "A deployment group moves every alias",
        "an alias that nothing moves stays at its first version, or jumps",
        "add a CodeDeploy application and deployment group for the function",
        _CHANGE,
        stack_check=shifted,
    ),
    Rule(
        "protected-state",
        FAMILY,
        "mandatory",
        "high",
        "Production state is protected",
        "a renamed resource or a slip deletes what cannot be made again",
        "turn forceDestroy off, deletion protection on, and leave keys their days",
        (NIST["CP-10"],),
        protected,
        options={"keyDays": {"type": "number", "minimum": 7, "maximum": 30, "default": 7}},
    ),
)
