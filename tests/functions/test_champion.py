"""Which model is the champion, and whether it can be compared with."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from contracts.dataset import parse_dataset
from contracts.distribution import MOST_BINS
from contracts.encoding import refused
from contracts.features import Feature
from contracts.pointer import Pointer, render_pointer
from functions.champion.find import Champion, Made, find
from functions.champion.handler import handle
from functions.register.package import package_request
from functions.shared.serving import ServingError, recorded
from tests.functions import samples

URI = "s3://artifacts/runs/run-1/evaluation/evaluation.json"
ARTIFACT = "s3://artifacts/runs/run-1/release/model.tar.gz"
GROUP = "glidepath"
PARAMETER = "/glidepath/prod/release"
ROLE = "arn:aws:iam::333333333333:role/glidepath-prod-champion"
KEYS = {"AccessKeyId": "a", "SecretAccessKey": "b", "SessionToken": "c"}


@pytest.fixture
def sagemaker(s3: Any) -> Any:
    client = boto3.client("sagemaker")
    client.create_model_package_group(ModelPackageGroupName=GROUP)
    return client


def registered(sagemaker: Any, run: str, status: str = "Approved") -> str:
    gate = {"reason": "Passed", "metrics": {"name": "rmse", "value": 5.25, "ci": [1, 9], "rows": 9}}
    event = {
        "run": run, "reason": "commit", "commit": "c", "artifact": "s3://artifacts/m.tar.gz", "image": "i",
        "evaluation": URI, "baseline": {"statistics": URI, "constraints": URI},
        "data": {"uri": "s3://data-bucket/a.csv", "version": "v"}, "gate": gate,
    }  # fmt: skip
    request = {
        **package_request(event, GROUP, {"read": 9, "used": 9, "filtered": 0, "quarantined": 0}),
        "ModelApprovalStatus": status,
    }
    arn: str = sagemaker.create_model_package(**request)["ModelPackageArn"]
    return arn


def released(s3: Any, run: str, artifact: bool = True, package: str = samples.PACKAGE, **changes: Any) -> str:
    """A release in the artifacts bucket; what production records of it."""
    document = samples.manifest() | changes
    place = f"runs/{run}/release"
    document["model"] = {**document["model"], "package": package, "artifact": f"s3://artifacts/{place}/model.tar.gz"}
    text = json.dumps(document).encode()
    s3.put_object(Bucket="artifacts", Key=f"{place}/manifest.json", Body=text)
    if artifact:
        s3.put_object(Bucket="artifacts", Key=f"{place}/model.tar.gz", Body=b"model")
    sha256 = hashlib.sha256(text).hexdigest()
    return render_pointer(Pointer(document["id"], f"s3://artifacts/{place}/manifest.json", sha256))


ID = "20261121-1a2b3c4d"
NONE = {"package": None, "artifact": None, "problem": "", "release": "", "sha256": "", "split": None, "edges": "",
    "unbinned": "",
}  # fmt: skip


def found(s3: Any, sagemaker: Any, record: str | None) -> Champion:
    return find(s3, sagemaker, GROUP, record, parse_dataset(samples.DATASET_TEXT))


def test_before_the_first_release_there_is_no_champion(s3: Any, sagemaker: Any) -> None:
    registered(sagemaker, "run-1")
    assert found(s3, sagemaker, None) == Champion()


@pytest.mark.parametrize("status", ["Approved", "Rejected", "PendingManualApproval"])
def test_the_champion_is_what_production_serves_whatever_was_registered_since(
    s3: Any, sagemaker: Any, status: str
) -> None:
    serving = registered(sagemaker, "run-1", status)
    record = released(s3, "run-1", package=serving)
    later = registered(sagemaker, "run-2")
    released(s3, "run-2", package=later)
    assert found(s3, sagemaker, record) == sample(serving)


def test_a_record_without_a_hash_is_followed(s3: Any, sagemaker: Any) -> None:
    record = json.loads(released(s3, "run-1"))
    del record["sha256"]
    assert found(s3, sagemaker, json.dumps(record)) == sample()


def test_a_manifest_from_before_they_were_signed_is_followed(s3: Any, sagemaker: Any) -> None:
    assert found(s3, sagemaker, released(s3, "run-1", hashes=None)).artifact == ARTIFACT


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        (
            {"features": ["passengers", "distance"], "split": None},
            "it takes passengers, distance, and not duration_minutes",
        ),
        ({"target": "fare"}, "it predicts fare, and not total"),
        ({"schema": 9}, "release 20261121-1a2b3c4d cannot be read: release manifest: schema"),
        ({"artifact": False}, "release 20261121-1a2b3c4d cannot be read: .*404"),
    ],
)
def test_a_champion_that_cannot_be_compared_with_says_why(
    s3: Any, sagemaker: Any, changes: dict[str, Any], problem: str
) -> None:
    package = registered(sagemaker, "run-1")
    registered(sagemaker, "run-2")
    champion = found(s3, sagemaker, released(s3, "run-1", package=package, **changes))
    assert (champion.package, champion.artifact) == (package, None)
    assert re.search(problem, champion.problem)


SPLIT = samples.manifest()["split"]


def made(features: list[str] = samples.FEATURES) -> Made:
    """How the sample's rows were made."""
    columns = tuple(features)
    conditions = tuple(refused(tuple(map(Feature, columns))))
    return Made(SPLIT["sql"], SPLIT["rule"], SPLIT["salt"], columns, columns, columns, (), conditions, None)


def sample(package: str = samples.PACKAGE, features: list[str] = samples.FEATURES) -> Champion:
    """The sample's release."""
    edges = json.dumps(samples.DISTRIBUTION["edges"])
    return Champion(package, ARTIFACT, release=ID, sha256="ab" * 32, split=made(features), edges=edges)


@pytest.mark.parametrize("features", [list(samples.FEATURES), ["passengers", "distance"]])
def test_a_champion_whose_features_can_be_made_again_is_compared_with(
    s3: Any, sagemaker: Any, features: list[str]
) -> None:
    record = released(s3, "run-1", features=features)
    assert found(s3, sagemaker, record) == sample(features=features)


def test_a_champion_that_counts_no_bins_says_why(s3: Any, sagemaker: Any) -> None:
    older = found(s3, sagemaker, released(s3, "run-1", distribution=None, pair=None))
    assert (older.artifact, older.edges) == (ARTIFACT, "")
    assert older.unbinned == "its manifest is from before predictions were counted in bins"
    constant = found(s3, sagemaker, released(s3, "run-1", distribution={"edges": [], "shares": [1.0]}, pair=None))
    assert (constant.artifact, constant.edges) == (ARTIFACT, "")
    assert constant.unbinned == "it gives one answer to everything"


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=MOST_BINS - 1, max_size=MOST_BINS - 1))
def test_edges_are_short_enough_for_a_variable_of_a_job_and_come_back_to_the_last_digit(edges: list[float]) -> None:
    text = json.dumps(edges)
    assert len(text) <= 256
    assert json.loads(text) == edges


def test_another_target_is_another_question_whatever_was_recorded(s3: Any, sagemaker: Any) -> None:
    champion = found(s3, sagemaker, released(s3, "run-1", target="fare"))
    assert (champion.artifact, champion.split) == (None, None)
    assert champion.problem == "it predicts fare, and not total"


@pytest.mark.parametrize(
    ("before", "now", "problem"),
    [
        (["a", "b"], ["b", "a"], "it tells a, b apart, and not b, a"),
        (["a", "b"], ["a", "b"], ""),
        ([], ["a", "b"], ""),
        (["a", "b"], [], ""),
    ],
)
def test_classes_in_another_order_are_another_question(
    s3: Any, sagemaker: Any, before: list[str], now: list[str], problem: str
) -> None:
    """A model of two classes from before they had names answers the same number."""
    metric = {"name": "auc", "threshold": 0.5}
    classes = {"classes": now} if now else {}
    dataset = parse_dataset(json.loads(samples.DATASET_TEXT) | {"task": "binary", "metric": metric} | classes)
    record = released(s3, "run-1", task="binary", classes=before)
    assert find(s3, sagemaker, GROUP, record, dataset).problem == problem


def test_a_manifest_that_was_changed_is_not_believed(s3: Any, sagemaker: Any) -> None:
    package = registered(sagemaker, "run-1")
    record = released(s3, "run-1")
    released(s3, "run-1", target="fare")
    champion = found(s3, sagemaker, record)
    assert (champion.package, champion.artifact) == (package, None)
    assert "but production's record vouches for" in champion.problem


def test_a_manifest_that_is_gone_leaves_what_the_registry_knows(s3: Any, sagemaker: Any) -> None:
    record = released(s3, "run-1")
    s3.delete_object(Bucket="artifacts", Key="runs/run-1/release/manifest.json")
    assert found(s3, sagemaker, record).package is None
    package = registered(sagemaker, "run-1")
    champion = found(s3, sagemaker, record)
    assert champion.package == package
    assert "release 20261121-1a2b3c4d cannot be read: " in champion.problem
    assert "NoSuchKey" in champion.problem


@pytest.mark.parametrize("record", ["", "{}", "none", '{"id": "r", "manifest": "elsewhere"}', "[1]"])
def test_a_record_that_is_no_release_is_said_to_be_none(s3: Any, sagemaker: Any, record: str) -> None:
    champion = found(s3, sagemaker, record)
    assert (champion.package, champion.artifact) == (None, None)
    assert champion.problem.startswith("what production has recorded is no release: ")


class Account:
    """STS and Systems Manager in one; `refuses` is the operation that fails, with its code."""

    def __init__(self, refuses: str = "", code: str = "") -> None:
        self.calls: list[tuple[str, Mapping[str, Any]]] = []
        self._refuses, self._code = refuses, code

    def _call(self, operation: str, given: Mapping[str, Any], answer: dict[str, Any]) -> dict[str, Any]:
        self.calls.append((operation, given))
        if operation == self._refuses:
            raise ClientError({"Error": {"Code": self._code, "Message": "no"}}, operation)
        return answer

    def assume_role(self, **given: Any) -> dict[str, Any]:
        """STS's."""
        return self._call("AssumeRole", given, {"Credentials": KEYS})

    def open(self, keys: Mapping[str, str]) -> Any:
        """Systems Manager, with the keys that were given."""
        assert keys == KEYS
        return self

    def get_parameter(self, **given: Any) -> dict[str, Any]:
        """Systems Manager's."""
        return self._call("GetParameter", given, {"Parameter": {"Value": "as it stands"}})

    def recorded(self, run: str = "run-2") -> str | None:
        """What the function reads of it."""
        return recorded(self, self.open, ROLE, PARAMETER, run)


def test_the_record_is_read_as_the_role_that_may_and_the_role_is_taken_once() -> None:
    account = Account()
    assert account.recorded() == "as it stands"
    assert account.calls == [
        ("AssumeRole", {"RoleArn": ROLE, "RoleSessionName": "serving-run-2"}),
        ("GetParameter", {"Name": PARAMETER}),
    ]


def test_a_sessions_name_is_one_that_sts_takes() -> None:
    account = Account()
    account.recorded("a run/of ours é" + "x" * 100)
    name = account.calls[0][1]["RoleSessionName"]
    assert re.fullmatch(r"[a-zA-Z0-9_=,.@-]{2,64}", name)


def test_no_record_is_no_release() -> None:
    assert Account("GetParameter", "ParameterNotFound").recorded() is None


@pytest.mark.parametrize(
    ("operation", "code"), [("AssumeRole", "AccessDenied"), ("GetParameter", "AccessDeniedException")]
)
def test_who_may_not_look_says_who_lets_it(operation: str, code: str) -> None:
    with pytest.raises(ServingError) as refused:
        Account(operation, code).recorded()
    assert str(refused.value) == (
        f"the champion is what prod serves, and {ROLE} does not let this function read {PARAMETER} ({code}): an"
        " administrator of the tooling account runs pulumi up --stack delivery, then one of prod's account runs"
        " pulumi up --stack prod; then retry this stage"
    )


def test_other_failures_are_not_taken_for_a_missing_champion() -> None:
    with pytest.raises(ClientError, match="ThrottlingException"):
        Account("GetParameter", "ThrottlingException").recorded()


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    environment = {
        "PACKAGE_GROUP": GROUP,
        "POINTER": PARAMETER,
        # moto keeps parameters by account, and its own is this one.
        "POINTER_ROLE": ROLE.replace("333333333333", "123456789012"),
        "DATASET_URI": samples.DATASET_URI,
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)


@pytest.mark.usefixtures("environment")
def test_the_handlers_answer_and_its_warning(s3: Any, sagemaker: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert handle({"run": "run-1"}, None) == NONE
    assert capsys.readouterr().out == ""
    package = registered(sagemaker, "run-1")
    record = released(s3, "run-1", package=package)
    boto3.client("ssm").put_parameter(Name=PARAMETER, Value=record, Type="String")
    assert handle({"run": "run-2"}, None) == {
        **NONE, "package": package, "artifact": ARTIFACT, "release": ID, "sha256": "ab" * 32, "split": asdict(made()),
        "edges": "[8.0, 11.5, 15.25, 22.0]",
    }  # fmt: skip
    assert capsys.readouterr().out == ""
    s3.delete_object(Bucket="artifacts", Key="runs/run-1/release/model.tar.gz")
    answer = handle({"run": "run-2"}, None)
    assert answer["package"] == package
    assert answer["artifact"] is None
    line = json.loads(capsys.readouterr().out)
    assert line["message"] == f"no comparison with the champion: {answer['problem']}"
    assert (line["level"], line["run"], line["package"]) == ("WARNING", "run-2", package)


@pytest.mark.usefixtures("environment")
def test_the_handler_says_why_there_will_be_no_table_of_bins(
    s3: Any, sagemaker: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    record = released(s3, "run-1", package=registered(sagemaker, "run-1"), distribution=None, pair=None)
    boto3.client("ssm").put_parameter(Name=PARAMETER, Value=record, Type="String")
    assert handle({"run": "run-2"}, None)["edges"] == ""
    line = json.loads(capsys.readouterr().out)
    assert line["message"] == (
        "the evaluation makes no table of bins with the champion: its manifest is from before predictions were counted"
        " in bins"
    )
