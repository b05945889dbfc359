"""The requests that a preview looks up are those that the predict function reported, read as the roles that may."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from contracts.names import Names
from definitions.roles import environment as environment_roles
from definitions.roles.statements import document
from definitions.roles.subject import Environment
from functions.predict.metrics import Meter
from operate.power import Traffic, traffic
from rehearsal.cloud.core.api import LogLines, Place
from rehearsal.cloud.core.cloud import Cloud
from rehearsal.cloud.wire.types import Credentials


def names(account: str, region: str) -> Names:
    return Names("ml", region, dict.fromkeys(("delivery", "dev", "prod"), account))


def _environment(at: Names) -> Environment:
    return Environment(at, "prod", at.arn("kms", "key/k", "prod"), judge=True)


def role(cloud: Cloud, at: Names, purpose: str) -> Any:
    """CloudWatch, as one of production's roles."""
    account = at.accounts["prod"]
    iam, here = cloud.client("iam", account, at.region), _environment(at)
    bound = json.dumps(environment_roles.boundary(here))
    limit = iam.create_policy(PolicyName=at.boundary("prod"), PolicyDocument=bound)["Policy"]["Arn"]
    trust = json.dumps(document({"Effect": "Allow", "Principal": {"AWS": account}, "Action": "sts:AssumeRole"}))
    record = environment_roles.roles(at, "prod", judge=True)[purpose]
    made = iam.create_role(RoleName=record.name, AssumeRolePolicyDocument=trust, PermissionsBoundary=limit)
    own = json.dumps(document(*record.inline(here)), separators=(",", ":"))
    iam.put_role_policy(RoleName=record.name, PolicyName="own", PolicyDocument=own)
    sts = cloud.client("sts", account, at.region)
    keys = sts.assume_role(RoleArn=made["Role"]["Arn"], RoleSessionName="looks")["Credentials"]
    given = Credentials(keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"])
    return cloud.client("cloudwatch", account, at.region, given)


def reported(cloud: Cloud, at: Names, capsys: pytest.CaptureFixture[str]) -> None:
    """Five answers, a failure, and what no model is judged by."""
    meter = Meter("Glidepath", at.stack("prod"), "r", "3", [1.0], 500)
    for number in range(5):
        meter.answered(f"id-{number}", 12.0, [0.5, 1.5])
    meter.model_error("id-5")
    meter.caller_error("id-6")
    meter.probed("id-7")
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 8
    cloud.log(Place(at.accounts["prod"], at.region), LogLines("/aws/lambda/x", "s", lines))


@pytest.mark.parametrize("purpose", ["preview", "deployer"])
def test_who_previews_or_deploys_may_see_how_many_there_are(
    cloud: Cloud, account: str, region: str, capsys: pytest.CaptureFixture[str], purpose: str
) -> None:
    at = names(account, region)
    client = role(cloud, at, purpose)
    assert traffic(client, at, "prod", datetime.now(UTC)) is None
    reported(cloud, at, capsys)
    found = traffic(client, at, "prod", datetime.now(UTC))
    assert found == Traffic(6, 1, 60)
    assert traffic(client, at, "dev", datetime.now(UTC)) is None


def test_others_may_not(cloud: Cloud, account: str, region: str) -> None:
    at = names(account, region)
    with pytest.raises(ClientError, match="GetMetricData"):
        traffic(role(cloud, at, "tester"), at, "prod", datetime.now(UTC))
