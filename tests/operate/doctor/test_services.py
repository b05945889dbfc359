from typing import Any

import boto3
import pytest

from operate.doctor import services
from operate.doctor.finding import FINE, NOTE, PROBLEM, UNCHECKED, Unread
from tests.operate.doctor.fakes import Client, refused, settings

KNOWN = services.known_types(boto3.client("sagemaker", region_name="us-east-1"))
BY_CONNECTION = {"kind": "connection", "repository": "me/penguins"}


def test_instance_types_that_the_service_has_are_fine() -> None:
    for stack in ("delivery", "test", "live1"):
        assert [found.status for found in services.instance_types(settings(stack), KNOWN)] == [FINE]


@pytest.mark.parametrize(
    ("stack", "changes", "key"),
    [
        ("test", {"endpoint": {"instanceType": "ml.m5.tiny"}}, "endpoint.instanceType"),
        ("test", {"monitor": {"instanceType": "ml.m5.tiny"}}, "monitor.instanceType"),
        ("delivery", {"training": {"instanceType": "ml.m5.tiny"}}, "training.instanceType"),
        ("delivery", {"evaluation": {"instanceType": "ml.m5.tiny"}}, "evaluation.instanceType"),
        ("delivery", {"notebook": {"enabled": True, "instanceType": "ml.m5.tiny"}}, "notebook.instanceType"),
    ],
)
def test_a_type_that_it_does_not_have_is_a_problem(stack: str, changes: Any, key: str) -> None:
    (found,) = services.instance_types(settings(stack, **changes), KNOWN)
    assert (found.status, found.what) == (PROBLEM, f"glidepath:{key} is ml.m5.tiny")
    assert "ml.m5." in found.fix


def test_images_are_looked_for_in_the_region(monkeypatch: pytest.MonkeyPatch) -> None:
    assert services.images(settings("test")).status == FINE

    def none(region: str) -> str:
        raise KeyError(region)

    monkeypatch.setattr(services, "xgboost", none)
    assert services.images(settings("test")).status == PROBLEM


def test_model_monitor_is_asked_for_only_where_it_is_chosen() -> None:
    assert services.model_monitor_open(settings("test"), False) == []
    chosen = settings("test", monitor={"by": "sagemaker"})
    empty: dict[str, list[Any]] = {"MonitoringScheduleSummaries": [], "JobDefinitionSummaries": []}
    nothing = Client(list_monitoring_schedules=empty, list_data_quality_job_definitions=empty)
    (found,) = services.model_monitor_open(chosen, services.monitored(nothing))
    assert (found.status, "closed it to new customers" in found.why) == (PROBLEM, True)
    used = Client(list_monitoring_schedules={"MonitoringScheduleSummaries": [{}]})
    assert services.model_monitor_open(chosen, services.monitored(used))[0].status == FINE
    denied = services.monitored(Client(list_monitoring_schedules=refused()))
    assert services.model_monitor_open(chosen, denied)[0].status == UNCHECKED


@pytest.mark.parametrize(("answer", "status"), [("AVAILABLE", FINE), ("PENDING", PROBLEM), ("ERROR", PROBLEM)])
def test_a_connection_is_complete_or_waits_for_a_person(answer: str, status: str) -> None:
    own = settings("delivery", source=BY_CONNECTION)
    listed = [{"ConnectionName": "other", "ConnectionStatus": "AVAILABLE"}]
    client = Client(
        list_connections={"Connections": [*listed, {"ConnectionName": "penguins", "ConnectionStatus": answer}]}
    )
    (found,) = services.connected(own, services.connection(own, client))
    assert found.status == status
    assert status == FINE or "Update pending connection" in found.fix


def test_a_connection_that_is_named_not_made_or_not_there() -> None:
    own = settings("delivery", source=BY_CONNECTION)
    unmade = services.connection(own, Client(list_connections={"Connections": []}))
    assert services.connected(own, unmade)[0].status == NOTE
    arn = "arn:aws:codeconnections:us-east-1:011111111111:connection/1"
    named = settings("delivery", source={**BY_CONNECTION, "connectionArn": arn})
    gone = services.connection(named, Client(get_connection=refused("ResourceNotFoundException")))
    assert services.connected(named, gone)[0].status == PROBLEM
    pending = services.connection(named, Client(get_connection={"Connection": {"ConnectionStatus": "PENDING"}}))
    assert services.connected(named, pending)[0].status == PROBLEM
    assert services.connected(named, Unread("no", "AccessDeniedException"))[0].status == UNCHECKED
    assert services.connected(settings("delivery"), None) == []
