"""Models and endpoint configurations: checked as AWS checks them, kept as given."""

from typing import Any

from rehearsal.cloud.core.api import Call, operation
from rehearsal.cloud.services.sagemaker import images, state, tags
from rehearsal.cloud.services.sagemaker.inputs import refuse, split_uri

MODEL = "model"
CONFIG = "endpoint-config"


@operation("sagemaker", "CreateModel")
def create_model(call: Call) -> dict[str, Any]:
    params, name = call.params, call.params["ModelName"]
    models = state.records(call, MODEL)
    arn = state.call_arn(call, MODEL, name)
    if name in models:
        raise state.invalid(f'Cannot create already existing model "{arn}".')
    refuse(params.get("Containers"), "a model of several containers")
    refuse("PrimaryContainer" not in params, "a model without PrimaryContainer")
    role = params.get("ExecutionRoleArn")
    if role is None:
        raise state.invalid("ExecutionRoleArn is required")
    credentials = state.check_role(call, role, arn)
    container = params["PrimaryContainer"]
    _check_container(call, container, role, credentials)
    models[name] = {
        **{key: value for key, value in params.items() if key != "Tags"},
        "PrimaryContainer": {"Mode": "SingleModel", **container},
        "EnableNetworkIsolation": params.get("EnableNetworkIsolation", False),
        "ModelArn": arn,
        "CreationTime": call.cloud.clock.now(),
        "_arn": arn,
        "_tags": tags.given(call),
    }
    return {"ModelArn": arn}


def _check_container(call: Call, container: dict[str, Any], role: str, credentials: Any) -> None:
    refuse("ModelPackageName" in container, "a container given as ModelPackageName: give Image and ModelDataUrl")
    refuse("ModelDataSource" in container, "ModelDataSource: give ModelDataUrl")
    refuse(container.get("Mode", "SingleModel") != "SingleModel", "a container in MultiModel mode")
    if "Image" not in container:
        raise state.invalid("The container must have an Image")
    images.repository(container["Image"], call.region, (images.XGBOOST,))
    url = container.get("ModelDataUrl")
    if url is None:
        raise state.invalid("Model data is required for the XGBoost image: ModelDataUrl is missing")
    bucket, key = split_uri(url)
    client = call.cloud.client("s3", call.account, call.region, credentials)
    try:
        client.head_object(Bucket=bucket, Key=key)
    except client.exceptions.ClientError as error:
        raise state.invalid(
            f'Could not access model data at {url}. Please ensure that the role "{role}" exists and that its trust'
            f' relationship policy allows the action "sts:AssumeRole" for the service principal "{state.PRINCIPAL}".'
            f' Also ensure that the role has "s3:GetObject" permissions and that the object is located in'
            f" {call.region}."
        ) from error


@operation("sagemaker", "DescribeModel")
def describe_model(call: Call) -> dict[str, Any]:
    return find(call, MODEL, call.params["ModelName"], "model")


@operation("sagemaker", "DeleteModel")
def delete_model(call: Call) -> dict[str, Any]:
    find(call, MODEL, call.params["ModelName"], "model")
    del state.records(call, MODEL)[call.params["ModelName"]]
    return {}


@operation("sagemaker", "ListModels")
def list_models(call: Call) -> dict[str, Any]:
    found, token = state.page(call, state.records(call, MODEL).values(), name=lambda item: item["ModelName"])
    return state.with_token({"Models": found}, token)


def find(call: Call, kind: str, name: str, called: str) -> state.Record:
    """A record, or AWS's ValidationException with the ARN that was looked for."""
    record = state.records(call, kind).get(name)
    if record is None:
        raise state.invalid(f'Could not find {called} "{state.call_arn(call, kind, name)}".')
    return record


@operation("sagemaker", "CreateEndpointConfig")
def create_config(call: Call) -> dict[str, Any]:
    params, name = call.params, call.params["EndpointConfigName"]
    configs = state.records(call, CONFIG)
    arn = state.call_arn(call, CONFIG, name)
    if name in configs:
        raise state.invalid(f'Cannot create already existing endpoint configuration "{arn}".')
    refuse(params.get("AsyncInferenceConfig"), "AsyncInferenceConfig")
    refuse(params.get("ExplainerConfig"), "ExplainerConfig")
    variants, shadows = params["ProductionVariants"], params.get("ShadowProductionVariants", [])
    names = [variant["VariantName"] for variant in [*variants, *shadows]]
    if len(set(names)) != len(names):
        raise state.invalid(f"Variant names must be unique: {', '.join(names)}")
    if shadows and (len(variants), len(shadows)) != (1, 1):
        raise state.invalid("A shadow variant needs exactly one production variant, and must be the only one")
    for variant in [*variants, *shadows]:
        _check_variant(call, variant)
    if not sum(variant.get("InitialVariantWeight", 1.0) for variant in variants) > 0:
        raise state.invalid("The sum of all variant weights must be greater than 0")
    if "DataCaptureConfig" in params:
        _check_capture(params["DataCaptureConfig"])
    configs[name] = {
        **{key: value for key, value in params.items() if key != "Tags"},
        "ProductionVariants": [{"InitialVariantWeight": 1.0, **variant} for variant in variants],
        "EndpointConfigArn": arn,
        "CreationTime": call.cloud.clock.now(),
        "_arn": arn,
        "_tags": tags.given(call),
    }
    return {"EndpointConfigArn": arn}


def _check_variant(call: Call, variant: dict[str, Any]) -> None:
    refuse("ServerlessConfig" in variant, "ServerlessConfig of a variant")
    if "ModelName" not in variant:
        refuse(True, "a variant without ModelName (inference components)")
    find(call, MODEL, variant["ModelName"], "model")
    if "InstanceType" not in variant or "InitialInstanceCount" not in variant:
        raise state.invalid(f"Variant {variant['VariantName']} needs InstanceType and InitialInstanceCount")
    if not variant["InstanceType"].startswith("ml."):
        raise state.invalid(f"Instance type {variant['InstanceType']} is not supported")


def _check_capture(config: dict[str, Any]) -> None:
    s3_uri = config["DestinationS3Uri"]
    split_uri(s3_uri)
    modes = [option["CaptureMode"] for option in config["CaptureOptions"]]
    if len(set(modes)) != len(modes):
        raise state.invalid(f"Capture modes must be unique: {', '.join(modes)}")


@operation("sagemaker", "DescribeEndpointConfig")
def describe_config(call: Call) -> dict[str, Any]:
    return find(call, CONFIG, call.params["EndpointConfigName"], "endpoint configuration")


@operation("sagemaker", "DeleteEndpointConfig")
def delete_config(call: Call) -> dict[str, Any]:
    find(call, CONFIG, call.params["EndpointConfigName"], "endpoint configuration")
    del state.records(call, CONFIG)[call.params["EndpointConfigName"]]
    return {}


@operation("sagemaker", "ListEndpointConfigs")
def list_configs(call: Call) -> dict[str, Any]:
    found, token = state.page(call, state.records(call, CONFIG).values(), name=lambda item: item["EndpointConfigName"])
    return state.with_token({"EndpointConfigs": found}, token)
