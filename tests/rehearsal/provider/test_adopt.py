"""On the real engine: a stack that was destroyed comes up again on what it kept."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from operate import ROOT, adopt
from rehearsal.cloud.process.running import RunningCloud
from tests.rehearsal.provider.test_retry import Toy

PROGRAM = """
import pulumi
from components.bucket import Bucket
from components.key import Key

account = pulumi.Config("toy").require("account")


class Storage(pulumi.ComponentResource):
    def __init__(self):
        super().__init__("toy:storage:Storage", "toy")
        own = pulumi.ResourceOptions(parent=self)
        root = {"Sid": "Own", "Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{account}:root"},
                "Action": "kms:*", "Resource": "*"}
        policy = {"Version": "2012-10-17", "Statement": [root]}
        key = Key("toy", {"alias": "alias/toy-dev", "policy": policy}, own)
        for name in ("capture", "other"):
            bucket = {"bucket_name": f"toy-{name}-{account}", "key_arn": key.arn, "expiry": [("capture/", 30)]}
            Bucket(f"toy-{name}", bucket, own)
        self.register_outputs({"key": key.arn})
        pulumi.export("key", key.arn)


Storage()
"""


class Destroyed(Toy):
    """A stack that was destroyed; in one of its buckets lies a file."""

    def __init__(self, folder: Path, cloud: RunningCloud, account: str) -> None:
        super().__init__(folder, cloud, PROGRAM)
        self.account = account
        self.run("config", "set", "toy:account", account)
        self.run("up", "--yes", "--skip-preview")
        self.key = self.outputs()["key"]
        self.client("s3").put_object(Bucket=f"toy-capture-{account}", Key="capture/1", Body=b"asked")
        self.run("destroy", "--yes", "--skip-preview")

    def client(self, service: str) -> Any:
        return self._cloud.cloud.client(service, self.account, "eu-west-1")

    def outputs(self) -> dict[str, Any]:
        return dict(json.loads(self.run("stack", "output", "--json")))

    def adopt(self) -> adopt.Plan:
        plan = adopt.find(self.client, "dev", self.folder)
        adopt.adopt(plan, "dev", self.folder)
        return plan

    def is_up(self) -> None:
        """It comes up, on the old key and with what it held; a second update has nothing to do."""
        assert "creating failed" not in self.run("up", "--yes", "--skip-preview")
        assert self.outputs()["key"] == self.key
        client = self.client("kms")
        assert client.describe_key(KeyId="alias/toy-dev")["KeyMetadata"]["Arn"] == self.key
        found = self.client("s3").get_object(Bucket=f"toy-capture-{self.account}", Key="capture/1")
        assert (found["Body"].read(), found["SSEKMSKeyId"]) == (b"asked", self.key)
        assert adopt.find(self.client, "dev", self.folder).kept == ()
        self.run("preview", "--expect-no-changes")


@pytest.fixture
def destroyed(
    own_environ: Callable[[str], dict[str, str]],
    account: str,
    tmp_path: Path,
    running_cloud: RunningCloud,
    monkeypatch: pytest.MonkeyPatch,
) -> Destroyed:
    for name, value in own_environ(account).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    return Destroyed(tmp_path / "toy", running_cloud, account)


@pytest.mark.engine
def test_what_a_stack_kept_is_adopted_before_the_next_update(destroyed: Destroyed) -> None:
    plan = destroyed.adopt()
    assert len(plan.kept) == 2 + 2 * 7
    assert plan.keys == ()
    destroyed.is_up()


@pytest.mark.engine
def test_a_key_that_a_refused_update_made_does_not_take_the_alias(destroyed: Destroyed) -> None:
    assert "BucketAlreadyOwnedByYou" in destroyed.run("up", "--yes", "--skip-preview", fails=True)
    destroyed.client("s3").delete_bucket_policy(Bucket=f"toy-other-{destroyed.account}")
    (key,) = destroyed.adopt().keys
    assert destroyed.key.endswith(key.kept)
    assert key.made != key.kept
    destroyed.is_up()
