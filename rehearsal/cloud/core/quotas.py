"""What an account may use at once: AWS's defaults, what accounts have, and what was raised for one.

Names and codes are those of Service Quotas. The defaults of instance types: "of 251 endpoint instance types, only three
have a non-zero AWS default", "of the 126 processing instance types, exactly three" (course material that was checked
against GetAWSDefaultServiceQuota in July 2026); no type has one for training (several reports of 2026). CodeBuild's 60
and Lambda's 1,000 are AWS's pages "Quotas for CodeBuild" and "Lambda quotas". New accounts: 10 concurrent executions
(https://github.com/DataDog/datadog-serverless-functions/pull/621), one build at once
(https://github.com/awslabs/landing-zone-accelerator-on-aws/issues/249).

**Assumed:** an account that is established has had its instances raised to 100 of each type; a new one has the
defaults. AWS decides that for each account by itself.
"""

import functools
import hashlib
from dataclasses import dataclass

from rehearsal.cloud.core.cloud import Cloud
from rehearsal.cloud.wire.protocol import service_model

SERVICE = "service-quotas"
NAMES = {"codebuild": "AWS CodeBuild", "lambda": "AWS Lambda", "sagemaker": "Amazon SageMaker"}
"""The services whose quotas are known here, and what Service Quotas calls them."""
CONCURRENCY = "Concurrent executions"
BUILDS = "Concurrently running builds for Linux/{} environment"
"""Of a size, as `Small`."""
LEAST_UNRESERVED = 100
"""Concurrency that Lambda keeps for functions that reserve none; all there is in an account that has less."""
_RAISED = 100.0
_USES = {
    "endpoint usage": "ProductionVariantInstanceType",
    "processing job usage": "ProcessingInstanceType",
    "spot training job usage": "TrainingInstanceType",
    "training job usage": "TrainingInstanceType",
}
_DEFAULTS = {
    "ml.t2.medium for endpoint usage": 2.0,
    "ml.m6g.large for endpoint usage": 2.0,
    "ml.m6g.xlarge for endpoint usage": 1.0,
    "ml.t3.medium for processing job usage": 4.0,
    "ml.t3.large for processing job usage": 4.0,
    "ml.t3.xlarge for processing job usage": 2.0,
}
_CODES = {
    "ml.m5.large for endpoint usage": "L-614B09FD",
    "ml.m5.large for processing job usage": "L-8541302D",
    "ml.m5.large for training job usage": "L-611FA074",
    "ml.m5.xlarge for processing job usage": "L-0307F515",
    "ml.m5.xlarge for training job usage": "L-CCE2AFA6",
}
"""Codes that were found in public; those of other instance types are made up here, in AWS's form."""


@dataclass(frozen=True)
class Quota:
    """One quota: AWS's default, and what established and new accounts have."""

    service: str
    code: str
    name: str
    default: float
    established: float
    new: float


@functools.cache
def known(service: str) -> dict[str, Quota]:
    """A service's quotas by code, in the order of their names; none for a service that is not known here."""
    found = {"sagemaker": _sagemaker, "lambda": _lambda, "codebuild": _codebuild}.get(service, list)()
    return {quota.code: quota for quota in sorted(found, key=lambda quota: quota.name)}


@functools.cache
def _by_name(service: str) -> dict[str, Quota]:
    return {quota.name: quota for quota in known(service).values()}


def limit(cloud: Cloud, account: str, region: str, service: str, name: str) -> float | None:
    """What the account may use of it; None for a quota that is not known here."""
    quota = _by_name(service).get(name)
    return None if quota is None else applied(cloud, account, region, quota)


def applied(cloud: Cloud, account: str, region: str, quota: Quota) -> float:
    """What the account may use: what was granted, else what accounts of its age have."""
    granted = cloud.store(SERVICE, account, region).get("requests", [])
    now = cloud.clock.aws_now()
    values = [item["DesiredValue"] for item in granted if item["QuotaCode"] == quota.code and item["_granted"] <= now]
    return float(max(values, default=quota.new if cloud.new_accounts else quota.established))


def _sagemaker() -> list[Quota]:
    model, found = service_model("sagemaker"), []
    for use, shape in _USES.items():
        for kind in model.shape_for(shape).enum:
            name = f"{kind} for {use}"
            default = _DEFAULTS.get(name, 0.0)
            code = _CODES.get(name) or f"L-{hashlib.sha256(name.encode()).hexdigest()[:8].upper()}"
            found.append(Quota("sagemaker", code, name, default, _RAISED, default))
    for work, code in (("training", "L-00C91CB5"), ("processing", "L-F311B08F")):
        found.append(Quota("sagemaker", code, f"Number of instances across all {work} jobs", 4.0, _RAISED, 4.0))
    return found


def _lambda() -> list[Quota]:
    return [Quota("lambda", "L-B99A9384", CONCURRENCY, 1000.0, 1000.0, 10.0)]


def _codebuild() -> list[Quota]:
    sizes = {"Small": "L-9D07B6EF", "Medium": "L-2DC20C30", "Large": "L-4DDC4A99"}
    return [Quota("codebuild", code, BUILDS.format(size), 60.0, 60.0, 1.0) for size, code in sizes.items()]
