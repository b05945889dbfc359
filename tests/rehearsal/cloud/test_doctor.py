"""doctor's questions, answered by the gateway: fine, a problem, and what the caller may not read."""

import json
from functools import partial
from typing import Any

import pytest

from operate.doctor import accounts, needs, people, quotas, services
from operate.doctor.finding import FINE, PROBLEM, UNCHECKED
from rehearsal.cloud.core.cloud import Cloud
from rehearsal.cloud.services import sns
from rehearsal.cloud.wire.types import Credentials
from settings import Settings, parse
from tests.operate.doctor.fakes import settings
from tests.settings.configs import config

REGION = "us-east-1"
ENDPOINT = "ml.m5.large for endpoint usage"


@pytest.fixture
def own(account: str) -> Settings:
    return parse("live1", config("live1", accounts={"delivery": account, "test": account, "live1": account}))


def nobody(cloud: Cloud, account: str) -> Any:
    """Clients of a user who may do nothing."""
    iam = cloud.client("iam", account, REGION)
    iam.create_user(UserName="nobody")
    key = iam.create_access_key(UserName="nobody")["AccessKey"]
    keys = Credentials(key["AccessKeyId"], key["SecretAccessKey"])
    return lambda service: cloud.client(service, account, REGION, keys)


def administrator(cloud: Cloud, account: str) -> Any:
    return lambda service: cloud.client(service, account, REGION)


def of_quotas(ask: Any, own: Settings) -> dict[str, str]:
    totals = needs.totals(needs.of(own))
    found = quotas.look(ask, REGION, "p", ["sagemaker"], ("penguins-live1-",))
    return {each.what.partition(":")[0]: each.status for each in quotas.check(totals, found)}


def test_quotas_of_an_established_and_of_a_new_account(
    cloud: Cloud, account: str, own: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask = administrator(cloud, account)
    assert set(of_quotas(ask, own).values()) == {FINE}
    monkeypatch.setattr(cloud, "new_accounts", True)
    found = of_quotas(ask, own)
    assert found[ENDPOINT] == found[needs.CONCURRENCY] == PROBLEM
    assert found["ml.m5.large for processing job usage"] == PROBLEM
    assert found["Number of instances across all processing jobs"] == FINE
    assert set(of_quotas(nobody(cloud, account), own).values()) == {UNCHECKED}


def test_identity(cloud: Cloud, account: str) -> None:
    who = accounts.look(partial(administrator(cloud, account), "sts"))
    assert accounts.check("live1", account, "p", who).status == FINE


def test_mail_that_waits_for_its_owner(cloud: Cloud, account: str, own: Settings) -> None:
    client, topic = administrator(cloud, account)("sns"), people.topic(own)

    def statuses() -> list[str]:
        return [each.status for each in people.mails(own, people.subscribed(client, topic))]

    assert statuses() == ["note"]
    client.create_topic(Name=topic.rpartition(":")[2])
    client.subscribe(TopicArn=topic, Protocol="email", Endpoint="oncall@example.com")
    assert statuses() == [PROBLEM]
    sns.confirm_all(cloud, account)
    assert statuses() == [FINE]
    denied = people.subscribed(nobody(cloud, account)("sns"), topic)
    assert people.mails(own, denied)[0].status == UNCHECKED


def test_the_log_role_of_another_team(cloud: Cloud, account: str, own: Settings) -> None:
    client = administrator(cloud, account)("apigateway")

    def status(who: Any = client) -> str:
        return people.api_logs(own, people.log_role(who))[0].status

    assert status() == FINE
    trust = {"Effect": "Allow", "Principal": {"Service": "apigateway.amazonaws.com"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    role = cloud.client("iam", account, REGION).create_role(RoleName="theirs", AssumeRolePolicyDocument=document)
    change = {"op": "replace", "path": "/cloudwatchRoleArn", "value": role["Role"]["Arn"]}
    client.update_account(patchOperations=[change])
    assert status() == PROBLEM
    assert status(nobody(cloud, account)("apigateway")) == UNCHECKED


def test_a_connection_waits_for_a_person(cloud: Cloud, account: str) -> None:
    own = settings("delivery", source={"kind": "connection", "repository": "me/penguins"})
    ask = administrator(cloud, account)
    ask("codeconnections").create_connection(ConnectionName="penguins", ProviderType="GitHub")
    assert services.connected(own, services.connection(own, ask("codeconnections")))[0].status == PROBLEM
    denied = services.connection(own, nobody(cloud, account)("codeconnections"))
    assert services.connected(own, denied)[0].status == UNCHECKED


def test_model_monitor_of_an_account_that_never_had_it(cloud: Cloud, account: str) -> None:
    assert services.monitored(administrator(cloud, account)("sagemaker")) is False
