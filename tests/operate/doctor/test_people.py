from typing import Any

import pytest

from operate.doctor import people
from operate.doctor.finding import FINE, NOTE, PROBLEM, UNCHECKED
from tests.operate.doctor.fakes import Client, refused, settings

ARN = "arn:aws:sns:us-east-1:011111111111:penguins-approval:1"
ANOTHERS = "arn:aws:iam::022222222222:role/another-team"
OURS = "arn:aws:iam::022222222222:role/penguins-test-api-logs"


def subscribed(**mails: str) -> Client:
    found = [
        {"Protocol": "email", "Endpoint": f"{who}@example.com", "SubscriptionArn": arn} for who, arn in mails.items()
    ]
    return Client(list_subscriptions_by_topic={"Subscriptions": found})


def found(client: Any, stack: str = "delivery", **changes: Any) -> list[tuple[str, str]]:
    own = settings(stack, **changes)
    return [(each.status, each.what) for each in people.mails(own, people.subscribed(client, people.topic(own)))]


def test_topics_are_those_of_the_program() -> None:
    assert people.topic(settings("delivery")) == ARN.rpartition(":")[0]
    assert people.topic(settings("live1")) == "arn:aws:sns:us-east-1:033333333333:penguins-live1-alarms"


def test_everybody_has_confirmed() -> None:
    assert found(subscribed(a=ARN, b=ARN)) == [(FINE, "2 hear of approvals")]


def test_who_has_not_confirmed_or_was_dropped_is_named() -> None:
    assert found(subscribed(a="PendingConfirmation")) == [
        (PROBLEM, "a@example.com has not confirmed"),
        (PROBLEM, "b@example.com is not subscribed to approvals"),
    ]
    assert found(subscribed(oncall="PendingConfirmation"), "live1") == [
        (PROBLEM, "oncall@example.com has not confirmed")
    ]


@pytest.mark.parametrize("code", ["NotFound", "NotFoundException"])
def test_before_the_topic_is_made_nobody_can_have_confirmed(code: str) -> None:
    assert found(Client(list_subscriptions_by_topic=refused(code))) == [(NOTE, "2 will be asked to confirm")]


def test_a_topic_that_may_not_be_read_is_not_checked() -> None:
    assert found(Client(list_subscriptions_by_topic=refused("AuthorizationError")))[0][0] == UNCHECKED


def test_where_nobody_is_named_nobody_hears() -> None:
    assert found(subscribed(), "test") == [(NOTE, "nobody is told of alarms by mail")]


def role(answer: Any, **api: Any) -> Any:
    client = Client(get_account=answer if isinstance(answer, Exception) else {"cloudwatchRoleArn": answer})
    (finding,) = people.api_logs(settings("test", api=api), people.log_role(client))
    return finding


def test_a_log_role_that_is_unset_or_ours_is_fine() -> None:
    assert role("").status == role(OURS).status == FINE


def test_another_teams_log_role_is_a_problem_that_says_how_to_decide() -> None:
    finding = role(ANOTHERS)
    assert finding.status == PROBLEM
    assert "glidepath:api.logRole in Pulumi.test.yaml: account keeps that role, replace" in finding.fix
    assert role(ANOTHERS, logRole="replace").status == NOTE
    assert role(ANOTHERS, logRole="account").status == FINE
    assert role("", logRole="account").status == PROBLEM


def test_a_log_role_that_may_not_be_read_is_not_checked() -> None:
    assert role(refused()).status == UNCHECKED


def test_environments_in_one_account_share_the_role() -> None:
    one = {"delivery": "011111111111", "test": "022222222222", "live1": "022222222222"}
    finding = people.api_logs(settings("live1", accounts=one), OURS)[0]
    assert finding.status == FINE
