"""What else AWS must have ready: instance types, images, Model Monitor, and the connection to the repository."""

from collections.abc import Iterable, Mapping
from typing import Any

from contracts.names import DELIVERY
from definitions.images import model_monitor, xgboost
from operate.doctor.finding import FINE, NOTE, PROBLEM, Finding, Unread, attempt, console
from settings import Settings

_SHAPES = {
    "endpoint": "ProductionVariantInstanceType",
    "training": "TrainingInstanceType",
    "processing": "ProcessingInstanceType",
    "notebook": "InstanceType",
}


# --- instance types --------------------------------------------------------------------------------------------------


def known_types(sagemaker: Any) -> dict[str, frozenset[str]]:
    """The types that the service's model has for each kind of work; asks nobody."""
    model = sagemaker.meta.service_model
    return {kind: frozenset(model.shape_for(shape).enum) for kind, shape in _SHAPES.items()}


def instance_types(settings: Settings, known: Mapping[str, frozenset[str]]) -> list[Finding]:
    """Whether each type that the stack names is one for its work."""
    stack, wrong = settings.stack, []
    for key, kind, given in _types(settings):
        if given in known[kind]:
            continue
        why = f"SageMaker's model has no such type for {kind}; the provider refuses it at the first preview"
        family = given.rpartition(".")[0]
        near = sorted(name for name in known[kind] if name.startswith(f"{family}."))[:5]
        fix = f"choose another in Pulumi.{stack}.yaml" + (f", like {', '.join(near)}" if near else "")
        wrong.append(Finding("instance types", stack, PROBLEM, f"glidepath:{key} is {given}", why, fix))
    return wrong or [Finding("instance types", stack, FINE, "every type is known")]


def _types(settings: Settings) -> Iterable[tuple[str, str, str]]:
    if settings.stack != DELIVERY:
        yield "endpoint.instanceType", "endpoint", settings.instance_type
        if settings.monitor.enabled:
            yield "monitor.instanceType", "processing", settings.monitor.compute.instance_type
        return
    yield "training.instanceType", "training", settings.training.instance_type
    yield "evaluation.instanceType", "processing", settings.evaluation.instance_type
    if settings.notebook:
        yield "notebook.instanceType", "notebook", settings.notebook_instance_type


# --- images ----------------------------------------------------------------------------------------------------------


def images(settings: Settings) -> Finding:
    """Whether SageMaker publishes the images that the stack needs in its region."""
    made = [xgboost] + ([model_monitor] if settings.monitor.enabled and settings.monitor.by == "sagemaker" else [])
    try:
        found = [image(settings.region) for image in made]
    except Exception as error:  # noqa: BLE001  # whatever the table raises for a region it does not have
        why = "training, evaluation and serving run in SageMaker's own images"
        fix = "choose another aws:region in every Pulumi.*.yaml"
        return Finding("images", settings.stack, PROBLEM, f"no image in {settings.region}: {error}", why, fix)
    return Finding("images", settings.stack, FINE, ", ".join(found))


# --- Model Monitor ---------------------------------------------------------------------------------------------------


def monitored(sagemaker: Any) -> bool | Unread:
    """Whether the account has anything of Model Monitor."""
    return attempt(
        lambda: bool(
            sagemaker.list_monitoring_schedules(MaxResults=1)["MonitoringScheduleSummaries"]
            or sagemaker.list_data_quality_job_definitions(MaxResults=1)["JobDefinitionSummaries"]
        )
    )


def model_monitor_open(settings: Settings, used: bool | Unread) -> list[Finding]:
    """Whether Model Monitor may be closed to the account. Only a call that makes something would tell for certain.

    https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-availability-change.html
    """
    check, stack = "model monitor", settings.stack
    if not settings.monitor.enabled or settings.monitor.by != "sagemaker":
        return []
    if isinstance(used, Unread):
        return [used.finding(check, stack, "Model Monitor")]
    if used:
        return [Finding(check, stack, FINE, "the account uses Model Monitor")]
    what = "nothing shows that this account may use Model Monitor"
    why = "AWS has closed it to new customers: where it was never used, its creation is refused after the shift"
    fix = f"set glidepath:monitor.by to own in Pulumi.{stack}.yaml, unless you know that the account had it"
    return [Finding(check, stack, PROBLEM, what, why, fix)]


# --- the connection --------------------------------------------------------------------------------------------------


def connection(settings: Settings, client: Any) -> str | Unread | None:
    """The status of the connection that the pipeline uses; None where it is not made yet."""

    def ask() -> str | None:
        arn = settings.source.connection_arn
        if arn:
            return str(client.get_connection(ConnectionArn=arn)["Connection"]["ConnectionStatus"])
        listed = client.list_connections(MaxResults=100)["Connections"]
        own = [item for item in listed if item["ConnectionName"] == settings.name]
        return str(own[0]["ConnectionStatus"]) if own else None

    return attempt(ask)


def connected(settings: Settings, status: str | Unread | None) -> list[Finding]:
    """Whether the pipeline can fetch the code. A connection is made PENDING, until a person has been there.

    https://docs.aws.amazon.com/dtconsole/latest/userguide/connections-update.html
    """
    check, path = "connection", console("codesuite/settings/connections", settings.region).replace("/home", "")
    if settings.stack != DELIVERY or settings.source.kind != "connection":
        return []
    if isinstance(status, Unread):
        if status.code == "ResourceNotFoundException":
            fix = "name one that exists, or take connectionArn out: the delivery stack then makes one"
            what = "the connection of glidepath:source.connectionArn does not exist"
            return [Finding(check, DELIVERY, PROBLEM, what, "the pipeline fetches the code through it", fix)]
        return [status.finding(check, DELIVERY, "the connection to the repository")]
    if status is None:
        why = "the delivery stack makes it, and it waits for a person then"
        fix = f"after pulumi up -s {DELIVERY}: {path} → Update pending connection"
        return [Finding(check, DELIVERY, NOTE, "the connection is not made yet", why, fix)]
    if status != "AVAILABLE":
        why = "nobody has completed it at the provider: the pipeline's Source fails"
        fix = f"{path} → the connection → Update pending connection"
        return [Finding(check, DELIVERY, PROBLEM, f"the connection is {status}", why, fix)]
    return [Finding(check, DELIVERY, FINE, f"the connection to {settings.source.repository} is available")]
