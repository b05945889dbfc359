"""API Gateway's role for logs on the real engine: looked at before it is set, and left when the stack is destroyed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from rehearsal.cloud.process.running import RunningCloud
from tests.rehearsal.provider.test_retry import Toy

ACCOUNT = "111122223355"
TRUST = {"Effect": "Allow", "Principal": {"Service": "apigateway.amazonaws.com"}, "Action": "sts:AssumeRole"}
PROGRAM = f"""
import json
import sys
import pulumi
from pulumi_aws.iam.role import Role

sys.path.insert(0, {str(Path(__file__).resolve().parents[3])!r})
from components.foundation import Foundation
from contracts.names import Names

class Own(Foundation):
    def __init__(self, names):
        pulumi.ComponentResource.__init__(self, "toy:index:Own", "own")
        trust = {json.dumps({"Version": "2012-10-17", "Statement": [TRUST]})!r}
        role = Role("role", name=names.role("dev", "api-logs"), assume_role_policy=trust)
        self.roles = {{"api-logs": role.arn}}
        self._api_account("toy", {{"names": names, "env": "dev"}})

Own(Names("toy", "eu-west-1", {{"delivery": "{ACCOUNT}", "dev": "{ACCOUNT}"}}))
"""


@pytest.fixture
def toy(
    own_environ: Callable[[str], dict[str, str]],
    tmp_path: Path,
    running_cloud: RunningCloud,
    monkeypatch: pytest.MonkeyPatch,
) -> Toy:
    for name, value in own_environ(ACCOUNT).items():
        monkeypatch.setenv(name, value)
    return Toy(tmp_path / "toy", running_cloud, PROGRAM)


@pytest.mark.engine
def test_another_teams_log_role_stops_the_first_update_and_ours_outlives_the_stack(
    toy: Toy, running_cloud: RunningCloud
) -> None:
    client = running_cloud.cloud.client("apigateway", ACCOUNT, "eu-west-1")
    iam = running_cloud.cloud.client("iam", ACCOUNT, "eu-west-1")
    document = json.dumps({"Version": "2012-10-17", "Statement": [TRUST]})
    theirs = iam.create_role(RoleName="theirs", AssumeRolePolicyDocument=document)["Role"]["Arn"]

    def set_role(arn: str) -> None:
        client.update_account(patchOperations=[{"op": "replace", "path": "/cloudwatchRoleArn", "value": arn}])

    def role() -> str:
        return str(client.get_account().get("cloudwatchRoleArn") or "")

    set_role(theirs)
    assert "Set glidepath:api.logRole to account to keep that role" in toy.run("up", "--yes", fails=True)
    assert role() == theirs
    set_role("")
    toy.run("up", "--yes")
    ours = role()
    assert ours.endswith(":role/toy-dev-api-logs")
    assert "unchanged" in toy.run("up", "--yes", "--expect-no-changes")
    toy.run("destroy", "--yes")
    assert role() == ours
