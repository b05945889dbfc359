"""A release's own endpoint: made beside the one that serves, and gone only after traffic has left it."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, TypedDict, cast

import pulumi
from pulumi_aws.appautoscaling.policy import Policy
from pulumi_aws.appautoscaling.target import Target
from pulumi_aws.sagemaker.endpoint import Endpoint as SageMakerEndpoint
from pulumi_aws.sagemaker.endpoint_configuration import EndpointConfiguration
from pulumi_aws.sagemaker.model import Model

from contracts.names import LIVE

if TYPE_CHECKING:
    from pulumi_aws.sagemaker import (
        EndpointConfigurationDataCaptureConfigCaptureOptionArgsDict as CaptureOption,
    )
    from pulumi_aws.sagemaker import EndpointConfigurationProductionVariantArgsDict as ProductionVariant
    from pulumi_aws.sagemaker import EndpointConfigurationShadowProductionVariantArgsDict as ShadowVariant

VARIANT = LIVE
"""The release's own variant."""
_CAPTURED: list["CaptureOption"] = [{"capture_mode": "Input"}, {"capture_mode": "Output"}]


class VariantArgs(TypedDict):
    """One model behind the endpoint."""

    name: str
    """Variant name."""
    artifact: str
    """`s3://…/model.tar.gz`."""
    image: str
    """Serving image."""
    weight: float
    """Share of requests, relative to the other variants'."""
    shadow: bool
    """Whether it only gets copies, and answers nobody."""


class ScalingArgs(TypedDict):
    """Target tracking."""

    minimum: int
    """Fewest instances."""
    maximum: int
    """Most instances."""
    target: int
    """Invocations per instance and minute."""
    scale_in_seconds: int
    """Pause after instances went."""
    scale_out_seconds: int
    """Pause after instances came."""


class EndpointArgs(TypedDict):
    """Arguments of an endpoint."""

    variants: Sequence[VariantArgs]
    """The release's model first."""
    role_arn: pulumi.Input[str]
    """Role of the models."""
    key_arn: pulumi.Input[str]
    """Key of capture and volumes."""
    capture_bucket: pulumi.Input[str]
    """Where requests and answers are captured."""
    capture_percentage: int
    """Share of them."""
    instance_type: str
    """Machine."""
    instance_count: int
    """How many at first; autoscaling goes on from there."""
    scaling: ScalingArgs
    """Autoscaling; off where minimum equals maximum."""
    owned: Mapping[str, str]
    """The tag by which a role may change how it scales."""


class Endpoint(pulumi.ComponentResource):
    """Models, configuration, endpoint and autoscaling."""

    name: pulumi.Output[str]
    """Name of the endpoint, another one for every release."""

    def __init__(self, name: str, args: EndpointArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("glidepath:deploy:Endpoint", name, None, opts)
        variants = [(variant, self._variant(name, args, variant)) for variant in args["variants"]]
        configuration = EndpointConfiguration(
            name,
            production_variants=[made for variant, made in variants if not variant["shadow"]],
            # To pulumi-aws a shadow is of a type of its own; what is said of it here is the same.
            shadow_production_variants=[cast("ShadowVariant", made) for variant, made in variants if variant["shadow"]]
            or None,
            kms_key_arn=args["key_arn"],
            data_capture_config={
                "enable_capture": True,
                "initial_sampling_percentage": args["capture_percentage"],
                "destination_s3_uri": pulumi.Output.concat("s3://", args["capture_bucket"], "/capture"),
                "kms_key_id": args["key_arn"],
                "capture_options": _CAPTURED,
                "capture_content_type_header": {
                    "csv_content_types": ["text/csv"],
                    "json_content_types": ["application/json"],
                },
            },
            opts=pulumi.ResourceOptions(parent=self),
        )
        # SageMaker would update the endpoint in place, and the old model would be gone before the new one has
        # proven itself. Replaced, the new endpoint is made first and the old one deleted last.
        endpoint = SageMakerEndpoint(
            name,
            endpoint_config_name=configuration.name,
            opts=pulumi.ResourceOptions(parent=self, replace_on_changes=["endpointConfigName"]),
        )
        if args["scaling"]["maximum"] > args["scaling"]["minimum"]:
            for variant in args["variants"]:
                # A shadow misses what it cannot take on, and holds up nobody: it needs no more instances.
                if not variant["shadow"]:
                    self._scale(_named(name, variant["name"]), endpoint.name, variant["name"], args)
        self.name = endpoint.name
        self.register_outputs({"name": self.name})

    def _variant(self, name: str, args: EndpointArgs, variant: VariantArgs) -> "ProductionVariant":
        model = Model(
            _named(name, variant["name"]),
            execution_role_arn=args["role_arn"],
            primary_container={"image": variant["image"], "model_data_url": variant["artifact"]},
            # Its artifact and its image are fetched for it: serving itself needs no network.
            enable_network_isolation=True,
            opts=pulumi.ResourceOptions(parent=self),
        )
        return {
            "variant_name": variant["name"],
            "model_name": model.name,
            "instance_type": args["instance_type"],
            "initial_instance_count": args["instance_count"],
            "initial_variant_weight": variant["weight"],
        }

    def _scale(self, name: str, endpoint: pulumi.Output[str], variant: str, args: EndpointArgs) -> None:
        scaling = args["scaling"]
        own = pulumi.ResourceOptions(parent=self)
        target = Target(
            name,
            service_namespace="sagemaker",
            scalable_dimension="sagemaker:variant:DesiredInstanceCount",
            resource_id=pulumi.Output.concat("endpoint/", endpoint, f"/variant/{variant}"),
            min_capacity=scaling["minimum"],
            max_capacity=scaling["maximum"],
            tags=args["owned"],
            opts=own,
        )
        Policy(
            name,
            # A target takes one policy for a metric, and no other beside it: an engine that was killed after it had
            # put one must put the same again, which a name of its own for each attempt would not be.
            name=name,
            policy_type="TargetTrackingScaling",
            service_namespace=target.service_namespace,
            scalable_dimension=target.scalable_dimension,
            resource_id=target.resource_id,
            target_tracking_scaling_policy_configuration={
                "predefined_metric_specification": {
                    "predefined_metric_type": "SageMakerVariantInvocationsPerInstance",
                },
                "target_value": scaling["target"],
                "scale_in_cooldown": scaling["scale_in_seconds"],
                "scale_out_cooldown": scaling["scale_out_seconds"],
            },
            opts=pulumi.ResourceOptions(
                parent=self,
                # With a name, the provider would take the serving endpoint's policy away before the shift.
                delete_before_replace=False,
                # The one that stands has the name it was made with: another one beside it is refused.
                ignore_changes=["name"],
            ),
        )


def _named(name: str, variant: str) -> str:
    """A resource of one variant; the release's own goes by the endpoint's name."""
    return name if variant == VARIANT else f"{name}-{variant}"
