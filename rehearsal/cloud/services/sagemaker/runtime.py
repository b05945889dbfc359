"""InvokeEndpoint: a variant chosen by weight, a real prediction, capture, shadow copies and metrics."""

from typing import Any

from werkzeug.wrappers import Response

from rehearsal.cloud.containers.xgboost_serve import MAX_PAYLOAD, ContainerError
from rehearsal.cloud.core import service_time
from rehearsal.cloud.core.api import AwsError, Call, LogLines, Sample, operation
from rehearsal.cloud.services.sagemaker import endpoints
from rehearsal.cloud.services.sagemaker.capture import Payload
from rehearsal.cloud.services.sagemaker.deployment import Deployment, Variant
from rehearsal.cloud.services.sagemaker.inputs import refuse

NAMESPACE = "AWS/SageMaker"


@operation("sagemaker-runtime", "InvokeEndpoint")
def invoke(call: Call) -> Response:
    params, name = call.params, call.params["EndpointName"]
    refuse(params.get("InferenceComponentName"), "InferenceComponentName")
    refuse(params.get("TargetModel"), "TargetModel")
    refuse(params.get("SessionId"), "SessionId")
    deployment = endpoints.serving(call.cloud, call.account, call.region, name)
    variant = _variant(deployment, params.get("TargetVariant"), name)
    body = _bytes(params.get("Body"))
    if len(body) > MAX_PAYLOAD:
        raise AwsError(
            "ValidationError", f"1 validation error detected: Body has {len(body)} bytes, more than {MAX_PAYLOAD}", 400
        )
    request = Payload(params.get("ContentType") or "text/libsvm", body)
    accept = params.get("Accept") or "text/csv"
    ids = {"inference_id": params.get("InferenceId"), "attributes": params.get("CustomAttributes")}
    try:
        answer = _answer(call, variant, request, accept, call.begun)
    finally:
        # Whatever the production variant answered: the request came, so the shadow gets its copy.
        _copy(call, deployment, request, accept, ids)
    if deployment.capture:
        deployment.capture.add(variant.name, variant.credentials, request, answer, **ids)
    headers = {
        "x-Amzn-Invoked-Production-Variant": variant.name,
        service_time.HEADER: f"{service_time.since(call.begun) * 1000:.3f}",
    }
    if ids["attributes"]:
        headers["X-Amzn-SageMaker-Custom-Attributes"] = ids["attributes"]
    # Written by hand: the generic serialiser would put its own content type over the model's.
    return Response(answer.data, content_type=answer.content_type, headers=headers)


def _variant(deployment: Deployment, target: str | None, endpoint: str) -> Variant:
    if target is None:
        return deployment.choose()
    variant = deployment.variant(target)
    if variant is None:
        raise AwsError(
            "ValidationError", f"Variant {target} not found for Request: endpoint {endpoint} has no such variant"
        )
    return variant


def _bytes(body: Any) -> bytes:
    if body is None:
        return b""
    if hasattr(body, "read"):
        body = body.read()
    return body.encode() if isinstance(body, str) else bytes(body)


def _answer(call: Call, variant: Variant, request: Payload, accept: str, begun: service_time.Mark) -> Payload:
    before = service_time.mark()
    status = 200
    try:
        data, content_type = variant.model.invoke(request.data, request.content_type, accept)
        return Payload(content_type, data)
    except ContainerError as error:
        status = error.status
        raise _model_error(call, variant, error) from error
    finally:
        latency = service_time.since(before) * 1e6
        overhead = service_time.since(begun) * 1e6 - latency
        _count(call, variant, status, latency, overhead)


def _model_error(call: Call, variant: Variant, error: ContainerError) -> AwsError:
    endpoint = call.params["EndpointName"]
    who = "client" if error.status < 500 else "server"
    group = f"/aws/sagemaker/Endpoints/{endpoint}"
    call.cloud.log(call.place, LogLines(group, f"{variant.name}/i-rehearsal", [f"[ERROR] {error.message}"]))
    return AwsError(
        "ModelError",
        f'Received {who} error ({error.status}) from primary with message "{error.message}". See'
        f" https://{call.region}.console.aws.amazon.com/cloudwatch/home?region={call.region}#logEventViewer:group={group}"
        f" in account {call.account} for more information.",
        424,
        OriginalStatusCode=error.status,
        OriginalMessage=error.message,
        LogStreamArn=f"arn:aws:logs:{call.region}:{call.account}:log-group:{group}",
    )


def _count(call: Call, variant: Variant, status: int, latency: float, overhead: float) -> None:
    dimensions = {"EndpointName": call.params["EndpointName"], "VariantName": variant.name}
    values = {
        "Invocations": (1.0, "None"),
        "InvocationsPerInstance": (1.0 / max(1, variant.instances), "None"),
        "Invocation4XXErrors": (float(400 <= status < 500), "None"),
        "Invocation5XXErrors": (float(status >= 500), "None"),
    }
    if status < 400:
        values |= {"ModelLatency": (latency, "Microseconds"), "OverheadLatency": (overhead, "Microseconds")}
    for name, (value, unit) in values.items():
        call.cloud.put_metric(call.place, Sample(NAMESPACE, name, dimensions, value, unit))


def _copy(call: Call, deployment: Deployment, request: Payload, accept: str, ids: dict[str, Any]) -> None:
    """Hand copies to the shadows without waiting; a shadow that cannot keep up misses some, and holds up nobody."""
    for shadow in deployment.shadows:
        if deployment.copies_to(shadow) and deployment.copies.acquire(blocking=False):
            call.cloud.background(_shadow, call, deployment, shadow, request, accept, ids, name="shadow")


def _shadow(
    call: Call, deployment: Deployment, variant: Variant, request: Payload, accept: str, ids: dict[str, Any]
) -> None:
    """A copy of the request for a shadow variant: its answer goes nowhere but into metrics and capture."""
    try:
        answer = _answer(call, variant, request, accept, service_time.mark())
    except AwsError:
        return
    finally:
        deployment.copies.release()
    if deployment.capture:
        deployment.capture.add(variant.name, variant.credentials, request, answer, **ids)
