"""What a release needs of an account at once, by the names of Service Quotas (docs/quotas.md has the table)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from contracts.names import DELIVERY
from settings import Settings, TrainingCompute, Tuning

CONCURRENCY = "Concurrent executions"
SAGEMAKER, LAMBDA, CODEBUILD = "sagemaker", "lambda", "codebuild"
_HELPERS = 10
"""Concurrency for the functions beside predict: hooks, gate, trigger, monitor."""
_BUILDS = 3
"""Builds at once: the test of one environment beside the plan for production, and the build of the run behind."""
_ANALYSES = 2
"""Analyses at once: the last of the release that goes, and the first of the one that comes."""
_SIZES = {f"BUILD_GENERAL1_{size.upper()}": size for size in ("Small", "Medium", "Large")}


@dataclass(frozen=True)
class Need:
    """So much of a quota, and what for."""

    stack: str
    service: str
    quota: str
    amount: int
    why: str


@dataclass(frozen=True)
class Total:
    """What all stacks in one account need of a quota."""

    stacks: tuple[str, ...]
    service: str
    quota: str
    amount: int
    why: str


def of(settings: Settings) -> list[Need]:
    """What one stack needs."""
    return _delivery(settings) if settings.stack == DELIVERY else _environment(settings)


def totals(needs: Iterable[Need]) -> list[Total]:
    """The sum for each quota. Stacks in one account may all be at it at once: a run follows closely on the other."""
    found: dict[tuple[str, str], list[Need]] = {}
    for need in needs:
        found.setdefault((need.service, need.quota), []).append(need)
    return [
        Total(
            tuple(dict.fromkeys(need.stack for need in parts)),
            service,
            quota,
            sum(need.amount for need in parts),
            "; ".join(f"{need.stack}: {need.why}" for need in parts),
        )
        for (service, quota), parts in found.items()
    ]


def _environment(settings: Settings) -> list[Need]:
    stack, endpoint, scaling = settings.stack, settings.endpoint, settings.autoscaling
    most = max(endpoint.instance_count, scaling.maximum)
    # A shadow is not scaled, the release's own variant and those beside it are.
    instances = most * (1 + len(settings.variants)) + (endpoint.instance_count if settings.shadow else 0)
    why = f"twice the release's {instances}, since the new endpoint is made beside the old one"
    found = [Need(stack, SAGEMAKER, f"{endpoint.instance_type} for endpoint usage", 2 * instances, why)]
    if settings.monitor.enabled:
        machines = settings.monitor.compute
        found += _jobs(
            stack,
            "processing",
            {machines.instance_type: _ANALYSES * machines.instance_count},
            "the old and the new release's analysis",
        )
    return [*found, Need(stack, LAMBDA, CONCURRENCY, *_concurrency(settings))]


def _concurrency(settings: Settings) -> tuple[int, str]:
    """Requests per second times seconds: https://docs.aws.amazon.com/lambda/latest/dg/lambda-concurrency.html."""
    rate, seconds = settings.api.rate, settings.alarms.limits.latency_ms / 1000
    needed = -int(-rate * seconds // 1)
    return needed + _HELPERS, f"{rate} requests a second of up to {seconds:g} s, and {_HELPERS} for other functions"


def _delivery(settings: Settings) -> list[Need]:
    stack, training, evaluation = settings.stack, settings.training, settings.evaluation
    found = _training(stack, training, settings.tuning)
    made = {evaluation.instance_type: evaluation.instance_count}
    found += _jobs(stack, "processing", made, "the evaluation, then the baseline")
    if settings.notebook:
        name = f"{settings.notebook_instance_type} for notebook instance usage"
        found.append(Need(stack, SAGEMAKER, name, 1, "the notebook"))
    size = _SIZES.get(settings.build.compute_type)
    if size:
        why = "a test beside the plan for production, and the build of the run behind"
        name = f"Concurrently running builds for Linux/{size} environment"
        found.append(Need(stack, CODEBUILD, name, _BUILDS, why))
    return [*found, Need(stack, LAMBDA, CONCURRENCY, _HELPERS, "the pipeline's functions")]


def _training(stack: str, machines: TrainingCompute, tuning: Tuning | None) -> list[Need]:
    """Spot machines have a quota of their own by type."""
    why = f"{tuning.parallel} trials of the tuning job at once" if tuning else "the training job"
    count = machines.instance_count * (tuning.parallel if tuning else 1)
    if machines.spot:
        name = f"{machines.instance_type} for spot training job usage"
        return [Need(stack, SAGEMAKER, name, count, why)]
    return _jobs(stack, "training", {machines.instance_type: count}, why)


def _jobs(stack: str, work: str, machines: Mapping[str, int], why: str) -> list[Need]:
    """Two quotas count a job's instances: that of their type, and one over all types."""
    found = [Need(stack, SAGEMAKER, f"{kind} for {work} job usage", count, why) for kind, count in machines.items()]
    every = Need(stack, SAGEMAKER, f"Number of instances across all {work} jobs", sum(machines.values()), why)
    return [*found, every]
