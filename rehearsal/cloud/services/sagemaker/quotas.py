"""Instances that an account may have at once: an endpoint's, and those of jobs.

The sentence is the one that AWS answers, as many reports of 2024 to 2026 quote it.
"""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from rehearsal.cloud.core import quotas
from rehearsal.cloud.core.api import AwsError, Cloud
from rehearsal.cloud.services.sagemaker import state

COMING = "_coming"
"""Member of an endpoint's record: instances, by type, that are being started for it."""
_SPOT = "EnableManagedSpotTraining"
_RUNNING = ("InProgress", "Stopping")


def endpoint_instances(config: state.Record) -> Counter[str]:
    """How many instances of each type an endpoint configuration asks for, shadows included."""
    found: Counter[str] = Counter()
    for key in ("ProductionVariants", "ShadowProductionVariants"):
        for variant in config.get(key, []):
            if "InstanceType" in variant:
                found[variant["InstanceType"]] += int(variant["InitialInstanceCount"])
    return found


def check_endpoint(cloud: Cloud, account: str, region: str, more: Mapping[str, int]) -> None:
    """Refuse instances that the account may not have beside those of its endpoints. Holding the lock."""
    used: Counter[str] = Counter()
    for endpoint in state.table(cloud, account, region, "endpoint").values():
        used.update(endpoint.get(COMING) or {})
        serving = endpoint["_serving"]
        for variant in serving.variants if serving else ():
            used[variant.instance_type] += max(variant.instances, variant.wanted_instances)
    for kind, count in more.items():
        _refuse_above(cloud, account, region, f"{kind} for endpoint usage", used[kind], count)


def check_training(cloud: Cloud, account: str, region: str, job: Mapping[str, Any]) -> None:
    """Refuse a training job's instances. Holding the lock."""
    check = _check_spot if job.get(_SPOT) else check_job
    check(cloud, account, region, "training", job["ResourceConfig"])


def _check_spot(cloud: Cloud, account: str, region: str, work: str, cluster: Mapping[str, Any]) -> None:
    """Spot instances have a quota of their own."""
    kind, count = cluster["InstanceType"], int(cluster.get("InstanceCount", 1))
    jobs = state.table(cloud, account, region, f"{work}-job").values()
    clusters = [_cluster(job) for job in list(jobs) if job["TrainingJobStatus"] in _RUNNING and job.get(_SPOT)]
    same = sum(int(used.get("InstanceCount", 1)) for used in clusters if used["InstanceType"] == kind)
    _refuse_above(cloud, account, region, f"{kind} for spot {work} job usage", same, count)


def check_job(cloud: Cloud, account: str, region: str, work: str, cluster: Mapping[str, Any]) -> None:
    """Refuse a `training` or `processing` job's instances, by type and over all types. Holding the lock."""
    jobs = state.table(cloud, account, region, f"{work}-job").values()
    running = [job for job in list(jobs) if job[f"{work.title()}JobStatus"] in _RUNNING and not job.get(_SPOT)]
    clusters = [_cluster(job) for job in running]
    kind, count = cluster["InstanceType"], int(cluster.get("InstanceCount", 1))
    same = sum(int(used.get("InstanceCount", 1)) for used in clusters if used["InstanceType"] == kind)
    _refuse_above(cloud, account, region, f"{kind} for {work} job usage", same, count)
    every = sum(int(used.get("InstanceCount", 1)) for used in clusters)
    _refuse_above(cloud, account, region, f"Number of instances across all {work} jobs", every, count)


def _cluster(job: state.Record) -> Mapping[str, Any]:
    found: Mapping[str, Any] = job.get("ResourceConfig") or job["ProcessingResources"]["ClusterConfig"]
    return found


def _refuse_above(cloud: Cloud, account: str, region: str, name: str, used: int, more: int) -> None:
    most = quotas.limit(cloud, account, region, "sagemaker", name)
    if most is None or more <= 0 or used + more <= most:
        return
    raise AwsError(
        "ResourceLimitExceeded",
        f"The account-level service limit '{name}' is {most:.0f} Instances, with current utilization of {used}"
        f" Instances and a request delta of {more} Instances. Please use AWS Service Quotas to request an increase for"
        " this quota. If AWS Service Quotas is not available, contact AWS support to request an increase for this"
        " quota.",
    )
