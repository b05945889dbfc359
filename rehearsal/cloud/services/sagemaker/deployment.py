"""What serves behind an endpoint: loaded models, weights, capture."""

import random
import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from rehearsal.cloud.compute import objects as s3
from rehearsal.cloud.containers.xgboost_serve import ModelLoadError, XGBoostModel
from rehearsal.cloud.core.api import AwsError, Cloud, Credentials
from rehearsal.cloud.services.sagemaker import state
from rehearsal.cloud.services.sagemaker.capture import Capture


class DeploymentError(Exception):
    """A variant that cannot serve; the message is the endpoint's FailureReason."""


_COPIES_AT_ONCE = 8
"""Requests that a shadow works on at once; what comes above that is not copied to it."""


@dataclass
class Variant:
    """One loaded variant. `weight` and `instances` are what serves; `wanted_*` what it is being brought to."""

    name: str
    model_name: str
    image: str
    instance_type: str
    model: XGBoostModel
    credentials: Credentials
    weight: float
    instances: int
    shadow: bool = False
    wanted_weight: float = field(init=False)
    wanted_instances: int = field(init=False)

    def __post_init__(self) -> None:
        self.wanted_weight, self.wanted_instances = self.weight, self.instances

    def want(self, weight: float, instances: int) -> None:
        """What an update asks for; it serves only after `arrive`."""
        self.wanted_weight, self.wanted_instances = weight, instances

    def arrive(self) -> None:
        """The update is done."""
        self.weight, self.instances = self.wanted_weight, self.wanted_instances

    def describe(self, now: Any) -> dict[str, Any]:
        """As DescribeEndpoint shows it."""
        return {
            "VariantName": self.name,
            "DeployedImages": [{"SpecifiedImage": self.image, "ResolvedImage": self.image, "ResolutionTime": now}],
            "CurrentWeight": self.weight, "DesiredWeight": self.wanted_weight,
            "CurrentInstanceCount": self.instances, "DesiredInstanceCount": self.wanted_instances,
        }  # fmt: skip


@dataclass
class Deployment:
    """Everything one endpoint configuration needs in order to serve."""

    config: state.Record
    variants: list[Variant]
    capture: Capture | None
    lock: threading.Lock = field(default_factory=threading.Lock)
    copies: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(_COPIES_AT_ONCE))

    @property
    def production(self) -> list[Variant]:
        return [variant for variant in self.variants if not variant.shadow]

    @property
    def shadows(self) -> list[Variant]:
        return [variant for variant in self.variants if variant.shadow]

    def variant(self, name: str) -> Variant | None:
        return next((variant for variant in self.production if variant.name == name), None)

    def choose(self) -> Variant:
        """A production variant at random, by weight."""
        with self.lock:
            variants = self.production
            weights = [variant.weight for variant in variants]
        return random.choices(variants, weights)[0]  # noqa: S311

    def want(self, wanted: Mapping[str, Mapping[str, Any]]) -> None:
        """Take up DesiredWeight and DesiredInstanceCount per variant name."""
        with self.lock:
            for variant in self.variants:
                item = wanted.get(variant.name, {})
                variant.want(
                    float(item.get("DesiredWeight", variant.weight)),
                    int(item.get("DesiredInstanceCount", variant.instances)),
                )

    def more_instances(self, wanted: Mapping[str, Mapping[str, Any]]) -> Counter[str]:
        """How many instances of each type the wanted capacities add."""
        found: Counter[str] = Counter()
        for variant in self.variants:
            count = int(wanted.get(variant.name, {}).get("DesiredInstanceCount", variant.instances))
            found[variant.instance_type] += max(0, count - variant.instances)
        return found

    def arrive(self) -> None:
        """What was wanted serves."""
        with self.lock:
            for variant in self.variants:
                variant.arrive()

    def copies_to(self, shadow: Variant) -> bool:
        """Whether this request is one of those a shadow gets: its weight is a share of the production variant's."""
        share = shadow.weight / sum(variant.weight for variant in self.production)
        return random.random() < share  # noqa: S311


def deploy(cloud: Cloud, account: str, region: str, endpoint: str, config: state.Record) -> Deployment:
    """Load every variant's model with its own role. Raises DeploymentError."""
    variants = []
    for key in ("ProductionVariants", "ShadowProductionVariants"):
        for wanted in config.get(key, []):
            variants.append(_load(cloud, account, region, wanted, shadow=key.startswith("Shadow")))
    settings = config.get("DataCaptureConfig")
    capture = Capture(cloud, account, region, endpoint, settings) if settings else None
    return Deployment(config, variants, capture)


def _load(cloud: Cloud, account: str, region: str, wanted: dict[str, Any], *, shadow: bool) -> Variant:
    name = wanted["VariantName"]
    record = state.table(cloud, account, region, "model").get(wanted["ModelName"])
    if record is None:
        raise DeploymentError(
            f'Could not find model "{state.arn(account, region, "model", wanted["ModelName"])}" of variant {name}.'
        )
    container = record["PrimaryContainer"]
    try:
        credentials = cloud.assume_for_service(
            record["ExecutionRoleArn"], state.PRINCIPAL, "SageMaker", source_arn=record["_arn"]
        )
        archive = s3.read(cloud.client("s3", account, region, credentials), container["ModelDataUrl"])
        model = XGBoostModel.from_archive(archive)
    except (s3.TransferError, AwsError) as error:
        raise DeploymentError(
            f'Failed to download model data for container "container_1" from URL: "{container["ModelDataUrl"]}".'
            f" Please ensure that there is an object located at the URL and that the role passed to CreateModel has"
            f" permissions to download the object. ({error})"
        ) from error
    except ModelLoadError as error:
        raise DeploymentError(
            f"The primary container for production variant {name} did not pass the ping health check. Please check"
            f" CloudWatch logs for this endpoint. ({error})"
        ) from error
    return Variant(
        name, wanted["ModelName"], container["Image"], wanted["InstanceType"], model, credentials,
        float(wanted.get("InitialVariantWeight", 1.0)), int(wanted["InitialInstanceCount"]), shadow,
    )  # fmt: skip
