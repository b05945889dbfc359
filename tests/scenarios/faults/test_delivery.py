"""What faults of the delivery are made of, without a cloud."""

import copy
import json
from typing import Any

import pytest

from contracts.errors import UserError
from scenarios.faults import pipeline
from scenarios.faults.catalogue import faults

POLICY: dict[str, Any] = {
    "Version": "2012-10-17",
    "Statement": [
        {"Sid": "Two", "Effect": "Allow", "Action": ["s3:GetObject", "s3:PutObject"], "Resource": "*"},
        {"Sid": "One", "Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"},
        {"Sid": "Other", "Effect": "Allow", "Action": "s3:ListBucket", "Resource": "*"},
    ],
}


class Iam:
    """A role with one policy, and every document that it was given."""

    def __init__(self) -> None:
        self.documents = [copy.deepcopy(POLICY)]

    def list_role_policies(self, RoleName: str) -> dict[str, Any]:  # noqa: N803 (boto3's names)
        return {"PolicyNames": ["own"]}

    def get_role_policy(self, RoleName: str, PolicyName: str) -> dict[str, Any]:  # noqa: N803
        return {"PolicyDocument": self.documents[-1]}

    def put_role_policy(self, RoleName: str, PolicyName: str, PolicyDocument: str) -> None:  # noqa: N803
        self.documents.append(json.loads(PolicyDocument))


def test_a_role_loses_one_action_everywhere_and_gets_it_back() -> None:
    iam = Iam()
    with pipeline._without(iam, "role", "s3:GetObject"):
        left = [(statement["Sid"], statement["Action"]) for statement in iam.documents[-1]["Statement"]]
        assert left == [("Two", ["s3:PutObject"]), ("Other", "s3:ListBucket")]
    assert iam.documents[-1] == POLICY


def test_an_action_that_the_role_does_not_have_is_named() -> None:
    with (
        pytest.raises(UserError, match="no policy of role allows s3:DeleteObject"),
        pipeline._without(Iam(), "role", "s3:DeleteObject"),
    ):
        pass


def test_the_approvals_own_run_is_asked_for_with_its_declaration_alone() -> None:
    class Client:
        def __init__(self) -> None:
            self.pipeline: dict[str, Any] = {
                "stages": [
                    {"name": "Build", "actions": [{"name": "Build"}]},
                    {"name": "Approve", "actions": [{"name": "Approve", "timeoutInMinutes": 10080}]},
                ]
            }

        def get_pipeline(self, name: str) -> dict[str, Any]:
            return {"pipeline": copy.deepcopy(self.pipeline)}

        def update_pipeline(self, pipeline: dict[str, Any]) -> None:
            self.pipeline = pipeline

    client = Client()
    before = copy.deepcopy(client.pipeline)
    with pipeline._quick_approval(client, "p"):
        assert client.pipeline["stages"][1]["actions"][0]["timeoutInMinutes"] == 10
        assert client.pipeline["stages"][0] == before["stages"][0]
    assert client.pipeline == before


def test_every_fault_of_the_delivery_is_in_the_catalogue() -> None:
    wanted = {
        "wrong-schema", "training-fails", "baseline-fails", "below-gate", "champion-better", "same-data-twice",
        "event-twice", "two-runs-at-once", "approval-expired", "approval-rejected", "deployer-lacks-permission",
        "another-manifest", "changed-artifact", "exchanged-source", "gateway-restarted", "drift-while-running",
        "drift-budget-spent",
        "drift-within-cooldown", "two-drift-alarms", "drift-event-twice", "retraining-below-gate",
        "analysis-fails", "baseline-gone", "no-capture", "changed-golden", "changed-baseline", "unsigned-manifest",
        "altered-manifest", "other-manifest",
    }  # fmt: skip
    assert wanted <= {fault.name for fault in faults()}
