"""Drift crosses accounts over a bus of its own: rules, roles and policies are the program's, the events CloudWatch's.

Each test makes an environment's account and a tooling account by hand, as the program would, and a function that keeps
what it was invoked with. What the program itself makes of them, tests/program shows.
"""

import json
import time
from dataclasses import dataclass
from typing import Any

import pytest
from botocore.exceptions import ClientError

from contracts.monitoring import DETAIL_TYPE, SOURCE
from contracts.names import Names
from definitions.events import announcing_rules, arriving_pattern, bus_policy
from definitions.roles import environment as environment_roles
from definitions.roles.statements import document
from definitions.roles.subject import Environment
from rehearsal.cloud.core.cloud import Cloud
from tests.rehearsal.cloud.lambda_support import REGION, eventually, make_function, make_role
from tests.rehearsal.cloud.test_invocations import KEEP, events

ENV = "prod"


@dataclass
class Road:
    """From an environment's default bus to a function in the tooling account."""

    cloud: Cloud
    names: Names

    def client(self, service: str, stack: str) -> Any:
        return self.cloud.client(service, self.names.accounts[stack], REGION)

    @property
    def role(self) -> str:
        return self.names.role_arn(ENV, "announce")

    def arrive(self, policy: dict[str, Any] | None = None, function: str = "") -> None:
        """Bus, policy and rule of the tooling account; and a function that keeps its events, where none is given."""
        account, rules = self.names.accounts["delivery"], self.client("events", "delivery")
        function = function or make_function(self.cloud, account, "keep", KEEP)["FunctionArn"]
        bus = self.names.retrain_bus
        rules.create_event_bus(Name=bus)
        rules.put_permission(EventBusName=bus, Policy=json.dumps(policy or bus_policy(self.names)))
        pattern = json.dumps(arriving_pattern(self.names, ENV))
        rule = rules.put_rule(Name="arrivals", EventBusName=bus, EventPattern=pattern)["RuleArn"]
        self.client("lambda", "delivery").add_permission(
            FunctionName=function, StatementId="bus", Action="lambda:InvokeFunction", Principal="events.amazonaws.com",
            SourceArn=rule, SourceAccount=account,
        )  # fmt: skip
        rules.put_targets(Rule="arrivals", EventBusName=bus, Targets=[{"Id": "1", "Arn": function}])

    def announce(self, *, role: bool = True) -> None:
        """Role and rules of the environment's account."""
        record = environment_roles.roles(self.names, ENV)["announce"]
        iam, rules = self.client("iam", ENV), self.client("events", ENV)
        iam.create_role(RoleName=record.name, AssumeRolePolicyDocument=json.dumps(record.trust))
        statements = record.statements(Environment(self.names, ENV, "no-key"))
        iam.put_role_policy(RoleName=record.name, PolicyName="work", PolicyDocument=json.dumps(document(*statements)))
        for name, pattern in announcing_rules(self.names, ENV).items():
            rules.put_rule(Name=name, EventPattern=json.dumps(pattern))
            target = {"Id": "1", "Arn": self.names.retrain_bus_arn}
            rules.put_targets(Rule=name, Targets=[target | ({"RoleArn": self.role} if role else {})])

    def alarm(self, name: str, *states: str) -> None:
        """An alarm that a person brings into states."""
        watch = self.client("cloudwatch", ENV)
        watch.put_metric_alarm(
            AlarmName=name, AlarmDescription="drift", Namespace="Glidepath/Monitor", MetricName="Drift",
            Dimensions=[{"Name": "Service", "Value": "glidepath-prod"}], Statistic="Maximum", Period=3600,
            EvaluationPeriods=1, Threshold=0.2, ComparisonOperator="GreaterThanThreshold", TreatMissingData="ignore",
        )  # fmt: skip
        for state in states:
            watch.set_alarm_state(AlarmName=name, StateValue=state, StateReason=f"the hour is {state}")

    def received(self) -> list[dict[str, Any]]:
        return events(self.cloud, self.names.accounts["delivery"])

    def failures(self) -> list[str]:
        """The rules of the environment whose target could not be reached."""
        found = self.client("cloudwatch", ENV).list_metrics(Namespace="AWS/Events", MetricName="FailedInvocations")
        return sorted(item["Dimensions"][0]["Value"] for item in found["Metrics"])

    def calls(self) -> tuple[dict[str, int], dict[str, int]]:
        entry = self.cloud.ledger.snapshot().get(self.role, {})
        return entry.get("calls", {}), entry.get("denied", {})


@pytest.fixture
def road(cloud: Cloud, account: str, other_account: str) -> Road:
    return Road(cloud, Names("glidepath", REGION, {"delivery": other_account, ENV: account}))


def quiet() -> None:
    """Time for a second delivery, where there was one."""
    time.sleep(0.5)


def check_an_alarm_arrives_once(road: Road) -> None:
    name = "glidepath-prod-drift-distance"
    road.alarm("glidepath-prod-model-errors", "ALARM")
    road.alarm(name, "OK", "ALARM", "OK")
    (event,) = eventually(road.received)
    quiet()
    assert len(road.received()) == 1
    assert road.failures() == []
    assert (event["source"], event["account"]) == ("aws.cloudwatch", road.names.accounts[ENV])
    assert event["resources"] == [road.names.arn("cloudwatch", f"alarm:{name}", ENV)]
    detail = event["detail"]
    assert (detail["alarmName"], detail["previousState"]["value"]) == (name, "OK")
    assert set(detail) == {"alarmName", "configuration", "previousState", "state"}
    assert (detail["state"]["value"], detail["state"]["reason"]) == ("ALARM", "the hour is ALARM")
    assert detail["state"]["timestamp"].endswith("+0000")
    assert detail["configuration"]["metrics"][0]["metricStat"] == {
        "metric": {"namespace": "Glidepath/Monitor", "name": "Drift", "dimensions": {"Service": "glidepath-prod"}},
        "period": 3600,
        "stat": "Maximum",
    }
    calls, denied = road.calls()
    assert calls == {"events:PutEvents": 1}
    assert not denied


def test_an_alarm_in_one_account_starts_the_function_in_another_once(road: Road) -> None:
    road.arrive()
    road.announce()
    check_an_alarm_arrives_once(road)


def test_one_account_for_all_works_too(cloud: Cloud, account: str) -> None:
    road = Road(cloud, Names("glidepath", REGION, {"delivery": account, ENV: account}))
    road.arrive()
    road.announce()
    check_an_alarm_arrives_once(road)


def test_drift_that_lasts_is_told_by_its_own_event(road: Road) -> None:
    road.arrive()
    road.announce()
    for env in ("dev", ENV):
        entry = {"Source": SOURCE, "DetailType": DETAIL_TYPE, "Detail": json.dumps({"env": env, "features": ["x"]})}
        road.client("events", ENV).put_events(Entries=[entry])
    (event,) = eventually(road.received)
    quiet()
    assert len(road.received()) == 1
    assert event["detail"] == {"env": ENV, "features": ["x"]}


def without_the_account(road: Road) -> dict[str, Any]:
    names = road.names
    return bus_policy(Names(names.name, REGION, {**names.accounts, ENV: names.accounts["delivery"]}))


def with_another_rule(road: Road) -> dict[str, Any]:
    policy = bus_policy(road.names)
    (statement,) = policy["Statement"]
    statement["Condition"] = {"ArnEquals": {"aws:SourceArn": [road.names.arn("events", "rule/other", ENV)]}}
    return policy


def with_another_role(road: Road) -> dict[str, Any]:
    policy = bus_policy(road.names)
    (statement,) = policy["Statement"]
    statement["Condition"] = {"ArnEquals": {"aws:PrincipalArn": [road.names.role_arn(ENV, "predict")]}}
    return policy


@pytest.mark.parametrize("policy", [without_the_account, with_another_rule, with_another_role])
def test_a_bus_that_does_not_name_the_sender_gets_nothing(road: Road, policy: Any) -> None:
    road.arrive(policy(road))
    road.announce()
    road.alarm("glidepath-prod-drift-distance", "ALARM")
    assert eventually(road.failures) == ["glidepath-prod-drift-alarm"]
    assert road.received() == []
    assert road.calls()[1] == {"events:PutEvents": 1}


def test_without_a_role_the_receiving_bus_alone_decides(road: Road) -> None:
    road.arrive()
    road.announce(role=False)
    road.alarm("glidepath-prod-drift-distance", "ALARM")
    assert eventually(road.received)
    bus = road.names.retrain_bus
    road.client("events", "delivery").put_permission(EventBusName=bus, Policy=json.dumps(with_another_rule(road)))
    road.alarm("glidepath-prod-drift-passengers", "ALARM")
    assert eventually(road.failures) == ["glidepath-prod-drift-alarm"]
    assert len(road.received()) == 1


def test_a_role_that_may_not_put_events_sends_nothing_in_its_own_account(cloud: Cloud, account: str) -> None:
    road = Road(cloud, Names("glidepath", REGION, {"delivery": account, ENV: account}))
    road.arrive(with_another_role(road))
    road.announce()
    road.client("iam", ENV).delete_role_policy(RoleName="glidepath-prod-announce", PolicyName="work")
    road.alarm("glidepath-prod-drift-distance", "ALARM")
    assert eventually(road.failures) == ["glidepath-prod-drift-alarm"]
    assert road.received() == []


def test_another_of_the_accounts_roles_cannot_put_events_on_the_bus(road: Road) -> None:
    road.arrive()
    entry = {"Source": SOURCE, "DetailType": DETAIL_TYPE, "Detail": '{"env": "prod"}'}
    with pytest.raises(ClientError, match="not authorized"):
        road.client("events", ENV).put_events(Entries=[{**entry, "EventBusName": road.names.retrain_bus_arn}])


def test_an_event_goes_no_further_than_one_bus(road: Road) -> None:
    """As EventBridge's guide says of a third bus."""
    road.arrive()
    road.announce()
    there = road.client("events", "delivery")
    third = there.create_event_bus(Name="third")["EventBusArn"]
    role = make_role(road.cloud, road.names.accounts["delivery"], "onward", "events.amazonaws.com")
    target = {"Id": "2", "Arn": third, "RoleArn": role}
    there.put_targets(Rule="arrivals", EventBusName=road.names.retrain_bus, Targets=[target])
    road.alarm("glidepath-prod-drift-distance", "ALARM")
    eventually(road.received)
    quiet()
    metrics = road.client("cloudwatch", "delivery").list_metrics(Namespace="AWS/Events", MetricName="FailedInvocations")
    assert metrics["Metrics"] == []


@pytest.mark.parametrize(
    "rule",
    [
        {"numeric": [">"]}, {"numeric": ["<", 1, ">", 0]}, {"prefix": 1}, {"exists": "yes"}, {"wildcard": ["a*"]},
        {"anything-but": {"numeric": [">", 1]}}, {"anything-but": []}, ["nested"],
    ],
)  # fmt: skip
def test_an_operator_with_a_wrong_operand_is_refused(cloud: Cloud, account: str, rule: Any) -> None:
    with pytest.raises(ClientError) as error:
        cloud.client("events", account, REGION).put_rule(Name="r", EventPattern=json.dumps({"detail": {"x": [rule]}}))
    assert error.value.response["Error"]["Code"] == "InvalidEventPatternException"
