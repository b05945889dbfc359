"""Granted, used, unused, explained and denied: pure parts of the role proof."""

from pathlib import Path
from typing import Any

import pytest

from cli.roles import lines
from contracts.errors import UserError
from rehearsal.environment import Rehearsal
from scenarios.faults.catalogue import denied_on_purpose
from scenarios.faults.world import place
from scenarios.tour.roles import (
    MATRIX_LEDGER,
    REASONS,
    Reason,
    faults,
    granted,
    matrix_ledger,
    merged,
    read_reasons,
    role_entry,
    without_purpose,
)

ARN = "arn:aws:iam::111111111111:role/glidepath-delivery-train"
DOCUMENTS: dict[str, dict[str, Any]] = {
    "own": {
        "Statement": [
            {"Sid": "Read", "Effect": "Allow", "Action": ["s3:GetObject", "s3:PutObject"], "Resource": "*"},
            {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"},
            {"Sid": "No", "Effect": "Deny", "Action": "kms:Decrypt", "Resource": "*"},
        ]
    }
}


def test_every_action_of_every_allow_is_a_grant() -> None:
    assert granted(DOCUMENTS) == ["own/Read s3:GetObject", "own/Read s3:PutObject", "own/1 s3:GetObject"]


def test_what_nothing_speaks_for_is_unused() -> None:
    calls = {
        "grants": {"own/Read S3:getObject": 3},
        "denied": {"kms:Decrypt": 1},
        "refusals": ["User: … not authorized"],
    }
    reasons = [Reason("glidepath-*-train", ("s3:PutObject",), "real AWS writes here")]
    entry = role_entry(ARN, granted(DOCUMENTS), calls, reasons)
    assert (entry["granted"], entry["used"]) == (3, 1)
    assert entry["unused"] == ["s3:GetObject (1)"]
    assert entry["explained"] == {"s3:PutObject (Read)": "real AWS writes here"}
    assert entry["denied"] == ["kms:Decrypt"]
    assert faults([entry]) == [
        "glidepath-delivery-train: User: … not authorized",
        "glidepath-delivery-train: s3:GetObject (1) is granted and never used",
    ]


def test_a_used_and_undenied_role_has_no_fault() -> None:
    grants = granted(DOCUMENTS)
    assert faults([role_entry(ARN, grants, {"grants": dict.fromkeys(grants, 1)})]) == []


def test_a_reason_is_for_its_role_and_action_alone() -> None:
    reason = Reason("glidepath-delivery-*", ("s3:GetObject",), "…")
    assert reason.covers("glidepath-delivery-train", "s3:GetObject")
    assert not reason.covers("glidepath-prod-model", "s3:GetObject")
    assert not reason.covers("glidepath-delivery-train", "s3:GetObjectVersion")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("- {role: a, actions: [s3:Get*], reason: because it is so}", "full names such as"),
        ("- {role: a, actions: [s3], reason: because it is so}", "full names such as"),
        ("- {role: a, actions: [s3:GetObject], reason: why not}", "is no reason"),
        ("- {role: a, reason: because it is so}", "must have role, actions and reason"),
        ("- nothing", "must have role, actions and reason"),
    ],
)
def test_a_bad_reason_is_refused(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "reasons.yaml"
    path.write_text(text)
    with pytest.raises(UserError, match=words):
        read_reasons("prod", path)


def test_the_projects_own_reasons_can_be_read() -> None:
    assert any(reason.role == "*-live-tester" for reason in read_reasons("live", REASONS))
    assert all(reason.actions for reason in read_reasons("live", REASONS))


def test_the_lines_of_a_role() -> None:
    entry = role_entry(ARN, granted(DOCUMENTS), {"grants": {"own/Read s3:GetObject": 1}})
    head, *rest = lines(entry)
    assert " ".join(head.split()) == "glidepath-delivery-train granted 3 used 1 unused 2 explained 0 denied 0"
    assert [line.split()[:2] for line in rest] == [["unused", "s3:PutObject"], ["unused", "s3:GetObject"]]


def test_the_fault_matrix_speaks_for_grants_and_against_roles() -> None:
    grants = [*granted(DOCUMENTS), "attached/arn:aws:iam::1:policy/b sqs:SendMessage"]
    reasons = [Reason("*", ("s3:PutObject", "sqs:SendMessage"), "only real AWS does that")]
    entry = role_entry(ARN, grants, {"grants": {"own/1 s3:GetObject": 1}, "denied": {"kms:Decrypt": 1}}, reasons)
    assert (entry["used"], entry["unused"], len(entry["explained"])) == (1, ["s3:GetObject (Read)"], 2)
    ledger: dict[str, dict[str, Any]] = {
        ARN: {
            "grants": {"own/Read s3:getobject": 2, "own/Read s3:PutObject": 1},
            "denied": {"sns:Publish": 1, "kms:Decrypt": 2},
            "refusals": ["User: … sns:Publish"],
        },
        "arn:another": {"denied": {"sns:Publish": 1}},
    }
    (found,) = merged([entry], ledger)
    assert (found["used"], found["unused"], list(found["explained"])) == (3, [], ["sqs:SendMessage (b)"])
    assert (found["denied"], found["refusals"]) == (["kms:Decrypt", "sns:Publish"], ["User: … sns:Publish"])
    assert merged([entry], {}) == [entry]


def test_only_what_a_fault_denied_on_purpose_is_left_out() -> None:
    role, other = "arn:aws:iam::3:role/glidepath-prod-model", "arn:aws:iam::3:role/glidepath-dev-model"
    meant = "User: m is not authorized to perform: s3:PutObject on resource: r"
    calls = {"denied": {"s3:PutObject": 3, "kms:Decrypt": 1}, "refusals": [meant, "User: m … kms:Decrypt"]}
    found = without_purpose({role: calls, other: calls}, [("prod-model", "s3:PutObject")])
    assert found[role] == {"denied": {"kms:Decrypt": 1}, "refusals": ["User: m … kms:Decrypt"]}
    assert found[other] == calls


def test_the_faults_say_what_they_deny() -> None:
    denied = {("live-deployer", "sagemaker:CreateEndpointConfig"), ("live-model", "s3:PutObject")}
    assert denied_on_purpose("live") == denied


def test_the_matrix_leaves_its_ledger_in_the_folder(tmp_path: Path) -> None:
    assert matrix_ledger(tmp_path) == {}
    place(Rehearsal(folder=tmp_path)).cloud.mkdir(parents=True)
    (place(Rehearsal(folder=tmp_path)).cloud / "ledger.json").write_text('{"arn": {"calls": {}}}')
    assert matrix_ledger(tmp_path) == {"arn": {"calls": {}}}
    assert tmp_path / MATRIX_LEDGER == place(Rehearsal(folder=tmp_path)).cloud / "ledger.json"
