"""The project's config: every parameter with its type, default and range, read once and checked as a whole.

`load()` raises one `pulumi.RunError` that lists everything that is wrong (key, value, range, fix), before any
resource is touched. Times are minutes unless the name says otherwise.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pulumi
from pulumi.runtime import config as runtime_config

from contracts.dataset import Dataset, parse_dataset
from contracts.fields import FieldError
from contracts.names import DELIVERY, ENVIRONMENTS, Names
from definitions.health import Limits
from definitions.roles.ci import HOSTS
from reading import MISSING, Reader

NAMESPACE = "glidepath"
RETENTION_DAYS = (1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288)
"""What CloudWatch Logs accepts."""
TEST_COMMAND = "python -m cli check"
"""What a commit must pass before it is packaged: config, features.sql, the policy pack, and the project's own tests."""
_MOST_VARIANTS = 10
"""Production variants that SageMaker lets an endpoint have."""
_STACK = r"[a-z][a-z0-9]{1,11}"
_INSTANCE = r"ml\.[a-z0-9-]+\.[a-z0-9]+"
_INSTANCE_HINT = "a SageMaker instance type like ml.m5.large"
_MAIL = r"[^@\s]+@[^@\s]+\.[^@\s]+"
_MANIFEST = r"s3://[a-z0-9.-]{3,63}/.+"
_MANIFEST_HINT = "the address of a release manifest, s3://bucket/…/manifest.json"


@dataclass(frozen=True)
class Source:
    """Where the code comes from. `kind`: s3 (a zip under `key` of the data bucket), codecommit or connection."""

    kind: str
    key: str
    repository: str
    branch: str
    connection_arn: str
    provider: str


@dataclass(frozen=True)
class Approval:
    """Who is asked, and for how many minutes the question stands."""

    mails: tuple[str, ...]
    minutes: int


@dataclass(frozen=True)
class Compute:
    """Machines of one kind of work. `minutes` is when a job is given up."""

    instance_type: str
    instance_count: int
    volume_gb: int
    minutes: int


@dataclass(frozen=True)
class Features:
    """Machines of the Glue job."""

    worker_type: str
    workers: int
    minutes: int


@dataclass(frozen=True)
class Build:
    """CodeBuild's machines, and the command that must succeed before anything is packaged."""

    compute_type: str
    image: str
    minutes: int
    test_command: str


@dataclass(frozen=True)
class Deployment:
    """How traffic moves. canary: `percentage` first, the rest after `minutes`; linear: `percentage` each time."""

    kind: str
    percentage: int
    minutes: int


@dataclass(frozen=True)
class Alarms:
    """From when on a release is unhealthy, and how far its data may drift from its baseline."""

    limits: Limits
    drift: float


@dataclass(frozen=True)
class Monitor:
    """The data-quality schedule."""

    enabled: bool
    schedule: str
    compute: Compute


@dataclass(frozen=True)
class Capture:
    """Share of requests that are captured, how long they are kept, and for how many seconds the hook after traffic
    waits for those that it looks for."""

    percentage: int
    days: int
    wait_seconds: int


@dataclass(frozen=True)
class Autoscaling:
    """Target tracking on invocations per instance and minute. Off where `maximum` equals `minimum`."""

    minimum: int
    maximum: int
    target: int
    scale_in_seconds: int
    scale_out_seconds: int


@dataclass(frozen=True)
class Api:
    """Requests per second, and whether callers also need an API key (with its daily quota)."""

    rate: int
    burst: int
    key: bool
    quota_per_day: int


@dataclass(frozen=True)
class Variant:
    """Another model on the endpoint: its manifest, and its weight beside the release's 1.0.

    A shadow's weight is the share of the requests that it gets copies of.
    """

    name: str
    manifest: str
    weight: float


@dataclass(frozen=True)
class Returning:
    """A return to a former release, as `./glidepath rollback` sets it for one update: why, and whether all at once."""

    reason: str
    urgent: bool


@dataclass(frozen=True)
class State:
    """Pulumi's state as the pipeline's builds find it; the secret holds the variable that unlocks it."""

    backend: str
    secret_name: str
    secret_variable: str


@dataclass(frozen=True)
class Ci:
    """The repository whose CI may look at the stacks and hand over code. `host` issues its identity tokens."""

    provider: str
    repository: str
    branch: str
    host: str
    provider_arn: str


@dataclass(frozen=True)
class Settings:
    """Everything one stack is told."""

    stack: str
    name: str
    region: str
    accounts: Mapping[str, str]
    source: Source
    approval: Approval
    build: Build
    features: Features
    training: Compute
    evaluation: Compute
    baseline: Compute
    hyperparameters: Mapping[str, str]
    dataset_document: Mapping[str, Any]
    dataset: Dataset | None
    instance_type: str
    instance_count: int
    deployment: Deployment
    alarms: Alarms
    monitor: Monitor
    capture: Capture
    autoscaling: Autoscaling
    api: Api
    variants: tuple[Variant, ...]
    shadow: Variant | None
    shift_minutes: int
    notebook: bool
    notebook_instance_type: str
    log_days: int
    state: State
    ci: Ci | None
    release: str
    manifest_sha256: str
    retire: bool
    returning: Returning

    @cached_property
    def names(self) -> Names:
        """The project's deterministic names."""
        return Names(self.name, self.region, self.accounts)

    @property
    def account(self) -> str:
        """Account of this stack."""
        return self.accounts[self.stack]


def load() -> Settings:
    """Read this stack's config. Raises `pulumi.RunError` with all problems at once."""
    given = {**runtime_config.get_config_env(), **runtime_config.CONFIG.get()}
    return parse(pulumi.get_stack(), given)


def parse(stack: str, given: Mapping[str, Any]) -> Settings:
    """Settings of `stack` from config as Pulumi hands it over: full key → text."""
    own = {key.partition(":")[2]: value for key, value in given.items() if key.startswith(f"{NAMESPACE}:")}
    reader = Reader(own, f"{NAMESPACE}:")
    provider = Reader({k.partition(":")[2]: v for k, v in given.items() if k.startswith("aws:")}, "aws:")
    provider.problems = reader.problems
    settings = _settings(stack, reader, provider)
    reader.done()
    if reader.problems:
        lines = "\n".join(f"  - {problem}" for problem in reader.problems)
        raise pulumi.RunError(f"the config of stack {stack} is not usable; nothing was touched:\n{lines}")
    return settings


def _settings(stack: str, reader: Reader, provider: Reader) -> Settings:
    delivery = stack == DELIVERY
    source = _source(reader.child("source"), delivery)
    endpoint = reader.child("endpoint")
    instance_type = endpoint.text("instanceType", "ml.m5.large", _INSTANCE, _INSTANCE_HINT)
    instance_count = endpoint.integer("instanceCount", 1, 1, 100)
    endpoint.done()
    variants = _variants(reader)
    document = reader.raw("dataset") if delivery else reader.raw("dataset", {})
    return Settings(
        stack=stack,
        name=reader.text("name", pattern=r"[a-z][a-z0-9-]{1,18}[a-z0-9]", hint="3 to 20 of a-z, 0-9 and -"),
        region=provider.text("region", pattern=r"[a-z]{2}(-[a-z]+)+-\d", hint="an AWS region like eu-west-1"),
        accounts=_accounts(stack, reader),
        source=source,
        approval=_approval(reader.child("approval"), delivery),
        build=_build(reader.child("build")),
        features=_features(reader.child("features")),
        training=_compute(reader.child("training"), "ml.m5.xlarge", 60),
        evaluation=_compute(reader.child("evaluation"), "ml.m5.large", 30),
        baseline=_compute(reader.child("baseline"), "ml.m5.xlarge", 30),
        hyperparameters=reader.mapping("hyperparameters", _HYPERPARAMETERS, hint="hyperparameter: value"),
        dataset_document=document,
        dataset=_dataset(reader, document),
        instance_type=instance_type,
        instance_count=instance_count,
        deployment=_deployment(reader.child("deployment")),
        alarms=_alarms(reader.child("alarms")),
        monitor=_monitor(reader.child("monitor")),
        capture=_capture(reader.child("capture")),
        autoscaling=_autoscaling(reader.child("autoscaling"), instance_count),
        api=_api(reader.child("api")),
        variants=variants,
        shadow=_shadow(reader, variants),
        shift_minutes=reader.integer("shiftMinutes", 120, 1, 2880),
        **_notebook(reader.child("notebook")),
        log_days=_retention(reader),
        state=_state(reader.child("state")),
        ci=_ci(reader.child("ci")),
        release=reader.text("release", "", _MANIFEST, _MANIFEST_HINT),
        manifest_sha256=reader.text("manifestSha256", "", r"[0-9a-f]{64}", "a SHA-256 of 64 lower case hex digits"),
        retire=reader.flag("retire"),
        returning=_returning(reader.child("returning")),
    )


_HYPERPARAMETERS = {
    "objective": "reg:squarederror",
    "num_round": "100",
    "early_stopping_rounds": "10",
    "max_depth": "9",
    "eta": "0.2",
    "gamma": "4",
    "min_child_weight": "300",
    "subsample": "0.8",
}


def _accounts(stack: str, reader: Reader) -> dict[str, str]:
    """Accounts of delivery and the environments, in the order in which a release travels.

    The order is a key of its own (`environments`): the engine hands objects over sorted by key.
    """
    given = reader.mapping("accounts", pattern=r"\d{12}", hint="stack: account id of 12 digits, in quotes")
    environments = reader.texts("environments", ENVIRONMENTS, _STACK, "stack names of 2 to 12 of a-z and 0-9")
    order = (DELIVERY, *environments)
    if given and stack not in order:
        reader.reject("environments", list(environments), f"does not name stack {stack}; add it")
    for name in order:
        if given and name not in given:
            reader.reject("accounts", sorted(given), f"has no account for stack {name}; add it")
    for name in given:
        if name not in order:
            reader.reject("accounts", name, "is no stack of glidepath:environments; add it there, or take it out")
    if len(set(order)) < len(order) or not environments:
        reader.reject("environments", list(environments), "must name each environment once, and at least one")
    return {name: given.get(name, "") for name in (*order, stack)}


def _source(reader: Reader, needed: bool) -> Source:
    kind = reader.choice("kind", "s3", ("s3", "codecommit", "connection"))
    source = Source(
        kind=kind,
        key=reader.text("key", "source/source.zip", r"source/.+\.zip", "a key like source/source.zip"),
        repository=reader.text("repository", "", r"[\w.-]+(/[\w./-]+)?", "a repository, owner/name for connections"),
        branch=reader.text("branch", "main", r"[\w./-]{1,255}", "a branch name"),
        connection_arn=reader.text("connectionArn", "", r"arn:aws[\w-]*:code(star-)?connections:.+", "an ARN"),
        provider=reader.choice("provider", "GitHub", ("GitHub", "GitLab", "Bitbucket")),
    )
    reader.done()
    if needed and kind != "s3" and not source.repository:
        reader.reject("repository", "", f"is empty, but source.kind {kind} needs one; name the repository")
    return source


def _approval(reader: Reader, needed: bool) -> Approval:
    mails = reader.texts("mails", MISSING if needed else (), _MAIL, "mail addresses")
    approval = Approval(mails=mails, minutes=reader.integer("minutes", 10080, 5, 86400))
    reader.done()
    return approval


def _build(reader: Reader) -> Build:
    sizes = ("BUILD_GENERAL1_SMALL", "BUILD_GENERAL1_MEDIUM", "BUILD_GENERAL1_LARGE")
    build = Build(
        compute_type=reader.choice("computeType", sizes[0], sizes),
        image=reader.text("image", "aws/codebuild/amazonlinux-x86_64-standard:5.0"),
        minutes=reader.integer("minutes", 60, 5, 2160),
        test_command=reader.text("testCommand", TEST_COMMAND),
    )
    reader.done()
    return build


def _features(reader: Reader) -> Features:
    features = Features(
        worker_type=reader.choice("workerType", "G.1X", ("G.1X", "G.2X", "G.4X", "G.8X")),
        workers=reader.integer("workers", 2, 2, 299),
        minutes=reader.integer("minutes", 60, 1, 2880),
    )
    reader.done()
    return features


def _compute(reader: Reader, instance_type: str, minutes: int, done: bool = True) -> Compute:
    compute = Compute(
        instance_type=reader.text("instanceType", instance_type, _INSTANCE, _INSTANCE_HINT),
        instance_count=reader.integer("instanceCount", 1, 1, 20),
        volume_gb=reader.integer("volumeGb", 20, 1, 16384),
        minutes=reader.integer("minutes", minutes, 1, 40320),
    )
    if done:
        reader.done()
    return compute


def _dataset(reader: Reader, document: Mapping[str, Any]) -> Dataset | None:
    if not document:
        return None
    try:
        return parse_dataset(dict(document))
    except FieldError as error:
        reader.problems.append(f"{NAMESPACE}:{error.path}: {error.reason}")
        return None


def _deployment(reader: Reader) -> Deployment:
    kind = reader.choice("kind", "canary", ("canary", "linear", "all-at-once"))
    deployment = Deployment(
        kind=kind, percentage=reader.integer("percentage", 10, 1, 99), minutes=reader.integer("minutes", 5, 1, 2880)
    )
    reader.done()
    return deployment


def _alarms(reader: Reader) -> Alarms:
    """Why the defaults are what they are stands in docs/health.md."""
    limits = Limits(
        model_errors=reader.integer("modelErrors", 1, 1, 1_000_000),
        function_errors=reader.integer("functionErrors", 1, 1, 1_000_000),
        endpoint_errors=reader.integer("endpointErrors", 1, 1, 1_000_000),
        latency_ms=reader.integer("latencyMs", 1000, 1, 60_000),
        model_latency_ms=reader.integer("modelLatencyMs", 1000, 1, 60_000),
        api_errors=reader.integer("apiErrors", 5, 1, 1_000_000),
        api_latency_ms=reader.integer("apiLatencyMs", 3000, 1, 60_000),
        prediction_shift=reader.number("predictionShift", 0.25, 0.01, 10.0),
        prediction_rows=reader.integer("predictionRows", 100, 20, 1_000_000),
        prediction_minutes=reader.integer("predictionMinutes", 10, 1, 1440),
        silent_invocations=reader.integer("silentInvocations", 10, 1, 1_000_000),
        period_minutes=reader.integer("periodMinutes", 1, 1, 60),
        periods=reader.integer("periods", 1, 1, 100),
    )
    alarms = Alarms(limits, drift=reader.number("drift", 0.2, 0.0, 1.0))
    reader.done()
    return alarms


def _monitor(reader: Reader) -> Monitor:
    # SageMaker's monitor knows hourly and daily runs: cron(0 * ? * * *) and cron(0 h ? * * *), or a step of hours.
    cron = r"cron\(0 (\*|\d{1,2}|\d{1,2}/\d{1,2}) \? \* \* \*\)"
    monitor = Monitor(
        enabled=reader.flag("enabled", True),
        schedule=reader.text("schedule", "cron(0 * ? * * *)", cron, "an hourly or daily cron like cron(0 * ? * * *)"),
        compute=_compute(reader, "ml.m5.large", 30, done=False),
    )
    reader.done()
    return monitor


def _capture(reader: Reader) -> Capture:
    capture = Capture(
        percentage=reader.integer("percentage", 100, 1, 100),
        days=reader.integer("days", 365, 1, 3650),
        # A function runs for 15 minutes at most, and must have time left to report.
        wait_seconds=reader.integer("waitSeconds", 600, 5, 880),
    )
    reader.done()
    return capture


def _autoscaling(reader: Reader, instances: int) -> Autoscaling:
    scaling = Autoscaling(
        minimum=reader.integer("min", instances, 1, 100),
        maximum=reader.integer("max", instances, 1, 1000),
        target=reader.integer("target", 750, 1, 1_000_000),
        scale_in_seconds=reader.integer("scaleInSeconds", 60, 0, 86400),
        scale_out_seconds=reader.integer("scaleOutSeconds", 60, 0, 86400),
    )
    reader.done()
    if scaling.maximum < scaling.minimum:
        reader.reject("max", scaling.maximum, f"is below the minimum of {scaling.minimum}; raise it")
    if not scaling.minimum <= instances <= max(scaling.maximum, scaling.minimum):
        reader.reject("min", scaling.minimum, f"does not admit endpoint.instanceCount {instances}; make them agree")
    return scaling


def _api(reader: Reader) -> Api:
    api = Api(
        rate=reader.integer("rate", 100, 1, 10_000),
        burst=reader.integer("burst", 200, 1, 5_000),
        key=reader.flag("key"),
        quota_per_day=reader.integer("quotaPerDay", 100_000, 1, 2**31),
    )
    reader.done()
    return api


def _variant(reader: Reader, name: str) -> Variant:
    variant = Variant(
        name=reader.text(
            "name", name, r"[A-Za-z0-9](-*[A-Za-z0-9]){0,62}", "letters, digits and - between them, 63 at most"
        ),
        manifest=reader.text("manifest", pattern=_MANIFEST, hint=_MANIFEST_HINT),
        weight=reader.number("weight", 0.1, 0.0, 1.0),
    )
    reader.done()
    return variant


def _variants(reader: Reader) -> tuple[Variant, ...]:
    variants = tuple(_variant(child, f"variant-{i}") for i, child in enumerate(reader.children("variants"), 1))
    names = [variant.name for variant in variants] + ["live"]
    if len(set(names)) < len(names):
        reader.reject("variants", names, "name a variant twice (live is the release's own); rename one")
    if len(names) > _MOST_VARIANTS:
        reader.reject(
            "variants",
            len(variants),
            f"are too many: with the release's own, an endpoint has {_MOST_VARIANTS} at most; take some out",
        )
    return variants


def _shadow(reader: Reader, variants: tuple[Variant, ...]) -> Variant | None:
    child = reader.child("shadow")
    if not child.values:
        return None
    shadow = _variant(child, "shadow")
    if variants:
        reader.reject(
            "shadow",
            shadow.name,
            "cannot stand beside glidepath:variants: SageMaker shadows an endpoint of one variant only;"
            " take out the one or the other",
        )
    if shadow.name == "live":
        child.reject("name", shadow.name, "is the release's own variant; rename the shadow")
    return shadow


def _notebook(reader: Reader) -> dict[str, Any]:
    values = {
        "notebook": reader.flag("enabled"),
        "notebook_instance_type": reader.text("instanceType", "ml.t3.medium", _INSTANCE, _INSTANCE_HINT),
    }
    reader.done()
    return values


def _retention(reader: Reader) -> int:
    days = reader.integer("logDays", 90, 1, 3653)
    if days not in RETENTION_DAYS:
        reader.reject(
            "logDays", days, f"is not kept by CloudWatch Logs; use one of {', '.join(map(str, RETENTION_DAYS))}"
        )
    return days


def _returning(reader: Reader) -> Returning:
    returning = Returning(
        reason=reader.text("reason", "", r"[^\n]{1,150}", "one line of at most 150 characters"),
        urgent=reader.flag("urgent"),
    )
    reader.done()
    if returning.urgent and not returning.reason:
        reader.reject("urgent", True, "needs a reason, which is recorded with the deployment; give returning.reason")
    return returning


def _ci(reader: Reader) -> Ci | None:
    if not reader.values:
        return None
    provider = reader.choice("provider", MISSING, tuple(HOSTS))
    found = Ci(
        provider=provider,
        repository=reader.text("repository", pattern=r"[\w.-]+(/[\w.-]+)+", hint="a repository, owner/name"),
        branch=reader.text("branch", "main", r"[\w./-]{1,255}", "a branch name"),
        host=reader.text("host", HOSTS[provider], r"[a-z0-9.-]+", "a host name like gitlab.example.com"),
        provider_arn=reader.text("providerArn", "", r"arn:aws[\w-]*:iam::\d{12}:oidc-provider/.+", "an ARN"),
    )
    reader.done()
    return found


def _state(reader: Reader) -> State:
    state = State(
        backend=reader.text("backend", os.environ.get("PULUMI_BACKEND_URL", ""), r"(s3|file|https|azblob|gs)://.*"),
        secret_name=reader.text("secretName", "", r"[\w/+=.@-]+", "the name of a secret"),
        secret_variable=reader.text("secretVariable", "PULUMI_CONFIG_PASSPHRASE", r"[A-Z][A-Z0-9_]*", "a variable"),
    )
    reader.done()
    return state
