"""Endpoints: created and updated blue/green, serving only once every model is really loaded."""

import json
from typing import Any

from rehearsal.cloud.core.api import AwsError, Call, Cloud, Event, Place, operation
from rehearsal.cloud.services.sagemaker import models, quotas, state, tags
from rehearsal.cloud.services.sagemaker.deployment import Deployment, DeploymentError, deploy
from rehearsal.cloud.wire.types import INTERRUPTED

KIND = "endpoint"
_RESIZE_SECONDS = 60.0
"""How long new weights or instances take, in AWS's time."""
_SETTLED = ("InService", "Failed", "OutOfService", "UpdateRollbackFailed")
_LIST_FIELDS = ("EndpointName", "EndpointArn", "CreationTime", "LastModifiedTime", "EndpointStatus")


@operation("sagemaker", "CreateEndpoint")
def create(call: Call) -> dict[str, Any]:
    params, name = call.params, call.params["EndpointName"]
    endpoints = state.records(call, KIND)
    arn = state.call_arn(call, KIND, name)
    config = models.find(call, models.CONFIG, params["EndpointConfigName"], "endpoint configuration")
    now = call.cloud.clock.now()
    with state.lock:
        if name in endpoints:
            raise state.invalid(f'Cannot create already existing endpoint "{arn}".')
        instances = quotas.endpoint_instances(config)
        quotas.check_endpoint(call.cloud, call.account, call.region, instances)
        endpoint = endpoints[name] = {
            "EndpointName": name, "EndpointArn": arn, "EndpointConfigName": config["EndpointConfigName"],
            "EndpointStatus": "Creating", "CreationTime": now, "LastModifiedTime": now, "_arn": arn,
            "_tags": tags.given(call), "_serving": None, quotas.COMING: instances,
        }  # fmt: skip
        if "DeploymentConfig" in params:
            endpoint["LastDeploymentConfig"] = params["DeploymentConfig"]
    call.cloud.background(_create, call.cloud, call.account, call.region, endpoint, config, name=f"endpoint {name}")
    return {"EndpointArn": arn}


def _create(cloud: Cloud, account: str, region: str, endpoint: state.Record, config: state.Record) -> None:
    try:
        deployment = deploy(cloud, account, region, endpoint["EndpointName"], config)
    except DeploymentError as error:
        _settle(cloud, account, region, endpoint, "Failed", reason=str(error))
        return
    except Exception as error:
        _settle(cloud, account, region, endpoint, "Failed", reason=f"InternalServerError: {error}")
        raise
    endpoint["_serving"] = deployment
    _settle(cloud, account, region, endpoint, "InService")


def resume(cloud: Cloud, account: str, region: str, endpoint: state.Record) -> None:
    """After a restart of the cloud: a creation begins anew, an update leaves the endpoint as it was before."""
    name, serving = endpoint["EndpointName"], endpoint["_serving"]
    if serving is not None and serving.capture:
        cloud.background(serving.capture.flush, name=f"capture {name}")
    if endpoint["EndpointStatus"] == "Updating":
        _settle(cloud, account, region, endpoint, "InService" if serving else "Failed", reason=INTERRUPTED)
    if endpoint["EndpointStatus"] == "Creating":
        config = state.table(cloud, account, region, models.CONFIG)[endpoint["EndpointConfigName"]]
        cloud.background(_create, cloud, account, region, endpoint, config, name=f"endpoint {name}")


@operation("sagemaker", "UpdateEndpoint")
def update(call: Call) -> dict[str, Any]:
    params = call.params
    endpoint = _get(call)
    config = models.find(call, models.CONFIG, params["EndpointConfigName"], "endpoint configuration")
    with state.lock:
        if endpoint["EndpointStatus"] not in ("InService", "Failed"):
            raise state.invalid(
                f'Cannot update endpoint "{endpoint["_arn"]}" while it is in status {endpoint["EndpointStatus"]}.'
            )
        if endpoint["EndpointConfigName"] == config["EndpointConfigName"] and endpoint["EndpointStatus"] == "InService":
            raise state.invalid(
                f'Cannot update endpoint "{endpoint["_arn"]}" with the endpoint configuration it already uses,'
                f' "{config["EndpointConfigName"]}".'
            )
        # The new fleet comes up beside the old one.
        instances = quotas.endpoint_instances(config)
        quotas.check_endpoint(call.cloud, call.account, call.region, instances)
        endpoint |= {
            "EndpointStatus": "Updating", "LastModifiedTime": call.cloud.clock.now(), quotas.COMING: instances,
        }  # fmt: skip
        endpoint.pop("FailureReason", None)
    retain = params.get("RetainAllVariantProperties", False)
    excluded = {item["VariantPropertyType"] for item in params.get("ExcludeRetainedVariantProperties", [])}
    if excluded and not retain:
        raise state.invalid("ExcludeRetainedVariantProperties needs RetainAllVariantProperties")
    call.cloud.background(
        _update, call.cloud, call.account, call.region, endpoint, config, retain, excluded,
        name=f"endpoint {endpoint['EndpointName']}",
    )  # fmt: skip
    return {"EndpointArn": endpoint["_arn"]}


def _update(
    cloud: Cloud,
    account: str,
    region: str,
    endpoint: state.Record,
    config: state.Record,
    retain: bool,
    excluded: set[str],
) -> None:
    old: Deployment | None = endpoint["_serving"]
    try:
        new = deploy(cloud, account, region, endpoint["EndpointName"], config)
    except DeploymentError as error:
        # The old fleet never stopped serving: a failed update leaves the endpoint as it was.
        _settle(cloud, account, region, endpoint, "InService" if old else "Failed", reason=str(error))
        return
    if retain and old:
        _retain(old, new, excluded)
    with state.lock:
        endpoint |= {"_serving": new, "EndpointConfigName": config["EndpointConfigName"]}
    if old and old.capture:
        old.capture.flush()
    _settle(cloud, account, region, endpoint, "InService")


def _retain(old: Deployment, new: Deployment, excluded: set[str]) -> None:
    for variant in new.variants:
        before = next((known for known in old.variants if known.name == variant.name), None)
        if before is None:
            continue
        variant.want(
            variant.weight if "DesiredWeight" in excluded else before.wanted_weight,
            variant.instances if "DesiredInstanceCount" in excluded else before.wanted_instances,
        )
        variant.arrive()
    if new.capture and old.capture and "DataCaptureConfig" not in excluded:
        new.capture = old.capture


@operation("sagemaker", "UpdateEndpointWeightsAndCapacities")
def update_weights(call: Call) -> dict[str, Any]:
    endpoint = _get(call)
    wanted = {item["VariantName"]: item for item in call.params["DesiredWeightsAndCapacities"]}
    with state.lock:
        if endpoint["EndpointStatus"] != "InService":
            raise state.invalid(
                f'Cannot update endpoint "{endpoint["_arn"]}" while it is in status {endpoint["EndpointStatus"]}.'
            )
        serving: Deployment = endpoint["_serving"]
        _check_wanted(endpoint, serving, wanted, len(call.params["DesiredWeightsAndCapacities"]))
        more = serving.more_instances(wanted)
        quotas.check_endpoint(call.cloud, call.account, call.region, more)
        serving.want(wanted)
        endpoint |= {"EndpointStatus": "Updating", "LastModifiedTime": call.cloud.clock.now()}
    call.cloud.background(
        _resize, call.cloud, call.account, call.region, endpoint, serving, name=f"endpoint {endpoint['EndpointName']}"
    )
    return {"EndpointArn": endpoint["_arn"]}


def _check_wanted(endpoint: state.Record, serving: Deployment, wanted: dict[str, Any], given: int) -> None:
    """Refuse what AWS refuses: strangers, no weight at all, and capacities of several variants at once."""
    if len(wanted) < given:
        raise state.invalid("Variant names in DesiredWeightsAndCapacities must be unique")
    unknown = sorted(set(wanted) - {variant.name for variant in serving.variants})
    if unknown:
        raise state.invalid(f"The endpoint {endpoint['_arn']} has no variant {', '.join(unknown)}.")
    weights = [wanted.get(variant.name, {}).get("DesiredWeight", variant.weight) for variant in serving.production]
    if not sum(weights) > 0:
        raise state.invalid("The sum of all variant weights must be greater than 0")
    resized = {name: item["DesiredInstanceCount"] for name, item in wanted.items() if "DesiredInstanceCount" in item}
    if len(resized) > 1:
        raise state.invalid(f"The capacity of one variant can be updated at a time, not of {', '.join(resized)}")
    if any(count < 1 for count in resized.values()):
        raise state.invalid("DesiredInstanceCount must be at least 1 for a variant with instances")


def _resize(cloud: Cloud, account: str, region: str, endpoint: state.Record, serving: Deployment) -> None:
    """New instances come up, or old ones go, while the variants go on serving as they were."""
    cloud.clock.sleep(_RESIZE_SECONDS)
    serving.arrive()
    _settle(cloud, account, region, endpoint, "InService")


@operation("sagemaker", "DescribeEndpoint")
def describe(call: Call) -> dict[str, Any]:
    endpoint = _get(call)
    serving: Deployment | None = endpoint["_serving"]
    answer = {key: value for key, value in endpoint.items() if not key.startswith("_")}
    if serving is None:
        return answer
    now = endpoint["LastModifiedTime"]
    answer["ProductionVariants"] = [variant.describe(now) for variant in serving.production]
    if serving.shadows:
        answer["ShadowProductionVariants"] = [variant.describe(now) for variant in serving.shadows]
    if serving.capture:
        answer["DataCaptureConfig"] = serving.capture.describe()
    return answer


@operation("sagemaker", "ListEndpoints")
def list_endpoints(call: Call) -> dict[str, Any]:
    found, token = state.page(
        call, state.records(call, KIND).values(), name=lambda item: item["EndpointName"], status="EndpointStatus"
    )
    return state.with_token({"Endpoints": [{key: item[key] for key in _LIST_FIELDS} for item in found]}, token)


@operation("sagemaker", "DeleteEndpoint")
def delete(call: Call) -> dict[str, Any]:
    endpoint = _get(call)
    if endpoint["EndpointStatus"] not in _SETTLED:
        raise state.invalid(
            f'Cannot delete endpoint "{endpoint["_arn"]}" while it is in status {endpoint["EndpointStatus"]}.'
        )
    schedules = state.records(call, "monitoring-schedule").values()
    if any(schedule["EndpointName"] == endpoint["EndpointName"] for schedule in schedules):
        raise state.invalid(
            f"Cannot delete endpoint {endpoint['_arn']}: it has monitoring schedules; delete them first."
        )
    endpoint["EndpointStatus"] = "Deleting"
    serving: Deployment | None = endpoint["_serving"]
    if serving and serving.capture:
        serving.capture.flush()
    state.records(call, KIND).pop(endpoint["EndpointName"], None)
    return {}


def serving(cloud: Cloud, account: str, region: str, name: str) -> Deployment:
    """What answers for an endpoint. Raises ValidationError as InvokeEndpoint does."""
    endpoint = state.table(cloud, account, region, KIND).get(name)
    deployment: Deployment | None = endpoint["_serving"] if endpoint else None
    if deployment is None:
        raise AwsError("ValidationError", f"Endpoint {name} of account {account} not found.")
    return deployment


def _get(call: Call) -> state.Record:
    return models.find(call, KIND, call.params["EndpointName"], "endpoint")


def _settle(
    cloud: Cloud, account: str, region: str, endpoint: state.Record, status: str, *, reason: str | None = None
) -> None:
    with state.lock:
        if reason:
            endpoint["FailureReason"] = reason[:1024]
        endpoint.pop(quotas.COMING, None)
        endpoint |= {"EndpointStatus": status, "LastModifiedTime": cloud.clock.now()}
    shown = {key: value for key, value in endpoint.items() if not key.startswith("_")}
    detail = json.loads(json.dumps(shown, default=str))
    event = Event("aws.sagemaker", "SageMaker Endpoint State Change", detail, [endpoint["_arn"]])
    cloud.put_event(Place(account, region), event)
