"""Registration and manifest: what a run that passed leaves behind."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from contracts.dataset import Metric
from contracts.release import ReleaseError, Split, parse_pair, parse_release, vouched
from contracts.s3 import S3Location
from contracts.signature import SignatureError, check
from functions.gate.decide import Champion, decide
from functions.manifest.build import summary
from functions.manifest.handler import write_manifest
from functions.manifest.publish import ManifestError, copy_artifact, hash_rows
from functions.register import handler as register
from functions.register.package import package_request
from functions.shared.evaluation import parse_evaluation
from functions.shared.registry import package_of_run
from operate.evidence import headline
from tests.functions import samples

NOW = datetime(2026, 11, 21, 23, 59, 59, tzinfo=UTC)
RUN = "8d2f7a3c-1111-2222-3333-444455556666"
ENVIRONMENT = {"ARTIFACTS_BUCKET": "artifacts", "DATASET_URI": samples.DATASET_URI}
ARTIFACT = b"a model" * 1000
SQL = b"SELECT 1"
RAN = {"rule": hashlib.sha256(SQL).hexdigest(), "salt": "cd" * 8}
ROWS = {"read": 6433, "used": 6287, "filtered": 146, "quarantined": 0, "rules": {}}
PARTS = {
    "evaluation/golden.json": b"golden", "baseline/s.json": b"statistics", "baseline/c.json": b"constraints",
    "features/split.json": json.dumps(RAN).encode(), "features/rows.json": json.dumps(ROWS).encode(),
    "features/test/part-0.csv": b"1,2\n3,4\n",
    "features/test/part-1.csv": b"5,6\n", "features/train/part-0.csv": b"7,8\n",
}  # fmt: skip


class Writer(NamedTuple):
    """Writes a manifest; checks a signature (address, SHA-256, signature)."""

    write: Callable[..., dict[str, str]]
    check: Callable[[str, str, str], None]

    def __call__(self, event: dict[str, Any], now: datetime = NOW) -> dict[str, str]:
        return self.write(event, now)


def event() -> dict[str, Any]:
    difference = {"value": -0.53, "standard_deviation": 0.1, "ci": [-0.7, -0.3]}
    pair = samples.manifest()["pair"]
    metrics = {"rmse": {"value": 5.5, "difference": difference}}
    champion = {"metrics": metrics, "slices": [], "answers": pair["differences"], "table": pair["table"]}
    evaluation = parse_evaluation(json.dumps({**samples.evaluation(), "champion": champion}))
    edges = tuple(pair["table"]["edges"])
    serving = Champion(samples.PACKAGE, "", pair["release"], pair["sha256"], edges=edges)
    folder = f"s3://artifacts/runs/{RUN}"
    return {
        "run": RUN,
        "reason": "data",
        "commit": "4f2a9c",
        "artifact": f"{folder}/training/job/output/model.tar.gz",
        "image": "123456789012.dkr.ecr.eu-west-1.amazonaws.com/sagemaker-xgboost:1.7-1",
        "evaluation": f"{folder}/evaluation/evaluation.json",
        "golden": f"{folder}/evaluation/golden.json",
        "baseline": {"statistics": f"{folder}/baseline/s.json", "constraints": f"{folder}/baseline/c.json"},
        "sql": "s3://artifacts/code/4f2a9c/features.sql",
        "features": f"{folder}/features",
        "package": samples.PACKAGE,
        "data": {"uri": "s3://data-bucket/datasets/a.csv", "version": "v,1", "plan": f"{folder}/input/plan.json"},
        "gate": decide(evaluation, Metric("rmse", 10), serving, "data"),
    }


@pytest.fixture
def store(s3: Any) -> Any:
    s3.put_object(Bucket="artifacts", Key=f"runs/{RUN}/training/job/output/model.tar.gz", Body=ARTIFACT)
    for key, body in PARTS.items():
        s3.put_object(Bucket="artifacts", Key=f"runs/{RUN}/{key}", Body=body)
    s3.put_object(Bucket="artifacts", Key="code/4f2a9c/features.sql", Body=SQL)
    return s3


@pytest.fixture
def write(store: Any, aws: None) -> Writer:
    kms = boto3.client("kms")
    key = kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["Arn"]

    def at(event: dict[str, Any], now: datetime = NOW) -> dict[str, str]:
        return write_manifest(store, kms, event, {**ENVIRONMENT, "SIGNING_KEY": key}, now)

    return Writer(at, lambda *given: check(kms, key, *given))


def read(store: Any, name: str = "manifest.json") -> str:
    body: bytes = store.get_object(Bucket="artifacts", Key=f"runs/{RUN}/release/{name}")["Body"].read()
    return body.decode()


def test_writes_a_release_that_its_readers_accept(store: Any, write: Writer) -> None:
    answer = write(event())
    text = read(store)
    release = parse_release(text)
    assert answer["manifest"] == f"s3://artifacts/runs/{RUN}/release/manifest.json"
    assert answer["sha256"] == hashlib.sha256(text.encode()).hexdigest()
    assert answer["id"] == release.id == "20261121-" + hashlib.sha256(RUN.encode()).hexdigest()[:8]
    assert release.model.sha256 == hashlib.sha256(ARTIFACT).hexdigest()
    assert release.data.version == "v,1"
    assert release.pair == parse_pair(samples.manifest()["pair"], "pair")
    assert release.champion is not None
    for part in ("rmse 4.97", "better than the champion", "6433 rows", "4f2a9c", release.id):
        assert part in answer["summary"]


def test_golden_records_and_baseline_lie_in_the_release_with_their_hashes(store: Any, write: Writer) -> None:
    write(event())
    release = parse_release(read(store))
    assert release.hashes is not None
    for name, (_, uri, sha256) in zip(("golden", "statistics", "constraints"), vouched(release)[1:4], strict=True):
        assert uri == f"s3://artifacts/runs/{RUN}/release/{name}.json"
        assert sha256 == hashlib.sha256(name.encode()).hexdigest()
        head = store.head_object(Bucket="artifacts", Key=uri.removeprefix("s3://artifacts/"), ChecksumMode="ENABLED")
        assert base64.b64decode(head["ChecksumSHA256"]).hex() == sha256


def test_the_release_says_which_rows_it_was_tested_on_and_why_these(store: Any, write: Writer) -> None:
    write(event())
    release = parse_release(read(store))
    lines = [hashlib.sha256(line).digest() for line in (b"5,6", b"3,4", b"1,2")]
    expected = sum(int.from_bytes(line) for line in lines) % (1 << 256)
    place = f"s3://artifacts/runs/{RUN}/release/features.sql"
    assert release.split == Split(place, RAN["rule"], RAN["salt"], f"{expected:064x}")
    assert read(store, "features.sql") == SQL.decode()
    assert vouched(release)[4:] == [("features.sql", place, RAN["rule"])]


def test_features_sql_that_was_exchanged_after_it_ran_makes_no_release(store: Any, write: Writer) -> None:
    store.put_object(Bucket="artifacts", Key="code/4f2a9c/features.sql", Body=b"SELECT 2")
    with pytest.raises(ManifestError, match=r"features\.sql has SHA-256 \w+, but the features were made with"):
        write(event())
    with pytest.raises(ClientError, match="NoSuchKey"):
        read(store)


def test_rows_have_the_same_hash_in_whichever_files_they_lie(store: Any) -> None:
    folder = S3Location("artifacts", "h")
    store.put_object(Bucket="artifacts", Key="h/a/1.csv", Body=b"1,2\n3,4\n5,6\n")
    store.put_object(Bucket="artifacts", Key="h/b/1.csv", Body=b"5,6")
    store.put_object(Bucket="artifacts", Key="h/b/2.csv", Body=b"3,4\n1,2\n")
    store.put_object(Bucket="artifacts", Key="h/c/1.csv", Body=b"5,6\n3,4\n1,2\n1,2\n")
    one, other, twice = (hash_rows(store, folder.join(name)) for name in "abc")
    assert one == other != twice


def test_the_signature_beside_it_is_of_this_manifest_at_this_address(store: Any, write: Writer) -> None:
    answer = write(event())
    body = store.get_object(Bucket="artifacts", Key=f"runs/{RUN}/release/manifest.sig")
    assert body["ContentType"] == "text/plain"
    signature = body["Body"].read().decode()
    write.check(answer["manifest"], answer["sha256"], signature)
    for address, sha256 in (
        ("s3://artifacts/runs/other/release/manifest.json", answer["sha256"]),
        (answer["manifest"], "00" * 32),
    ):
        with pytest.raises(SignatureError, match="is not the signature of"):
            write.check(address, sha256, signature)
    with pytest.raises(SignatureError, match="holds no signature"):
        write.check(answer["manifest"], answer["sha256"], "{}")


def test_what_a_release_is_made_of_is_never_overwritten(store: Any, write: Writer) -> None:
    write(event())
    store.put_object(Bucket="artifacts", Key=f"runs/{RUN}/evaluation/golden.json", Body=b"other")
    with pytest.raises(ManifestError, match=r"release/golden\.json already holds something else"):
        write(event())


def test_the_artifact_has_a_checksum_that_s3_keeps(store: Any, write: Writer) -> None:
    write(event())
    head = store.head_object(Bucket="artifacts", Key=f"runs/{RUN}/release/model.tar.gz", ChecksumMode="ENABLED")
    assert base64.b64decode(head["ChecksumSHA256"]) == hashlib.sha256(ARTIFACT).digest()


def test_a_repeated_step_keeps_its_manifest(store: Any, write: Writer) -> None:
    first = write(event())
    text, signature = read(store), read(store, "manifest.sig")
    assert write(event(), NOW + timedelta(minutes=5)) == first
    assert (read(store), read(store, "manifest.sig")) == (text, signature)


def test_never_overwrites_another_release(store: Any, write: Writer) -> None:
    write(event())
    text = read(store)
    with pytest.raises(ManifestError, match="already holds another release"):
        write({**event(), "commit": "other"})
    assert read(store) == text


def test_publishes_nothing_its_readers_would_refuse(store: Any, write: Writer) -> None:
    with pytest.raises(ReleaseError, match="reason: 'whim'"):
        write({**event(), "reason": "whim"})
    with pytest.raises(ClientError, match="NoSuchKey"):
        read(store)


def test_refuses_an_artifact_that_changed_meanwhile(store: Any) -> None:
    class Changing:
        """Another process replaces the artifact between reading and copying."""

        get_object, meta = store.get_object, store.meta

        def copy_object(self, **request: Any) -> Any:
            store.put_object(**request["CopySource"], Body=b"another model")
            return store.copy_object(**request)

    with pytest.raises(ManifestError, match="changed while it was copied"):
        copy_artifact(Changing(), event()["artifact"], S3Location("artifacts", "copy"))


def test_the_summary_fits_into_a_mail(store: Any, write: Writer) -> None:
    write({**event(), "data": {**event()["data"], "uri": "s3://data-bucket/" + "x" * 1000}})
    assert len(summary(parse_release(read(store)))) == 900


def test_who_approves_reads_how_many_rows_do_not_fit(store: Any, write: Writer) -> None:
    rows = {**ROWS, "read": 400, "quarantined": 25, "filtered": 5, "used": 370, "rules": {"total.separators": 25}}
    store.put_object(Bucket="artifacts", Key=f"runs/{RUN}/features/rows.json", Body=json.dumps(rows).encode())
    write(event())
    release = parse_release(read(store))
    said = "25 of 400 rows break a rule (total.separators 25) and were set aside."
    assert said in summary(release)
    assert "Made of 370 of 400 rows of s3://data-bucket/datasets/a.csv" in summary(release)
    assert headline(release, "prod").endswith(said)
    fitting = replace(release, data=replace(release.data, bad_rows=0, rules={}))
    assert "break a rule" not in summary(fitting) + headline(fitting, "prod")


def test_registers_a_package_that_is_found_by_its_run(store: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    sagemaker = boto3.client("sagemaker")
    sagemaker.create_model_package_group(ModelPackageGroupName="glidepath")
    monkeypatch.setenv("PACKAGE_GROUP", "glidepath")
    arn = register.handle(event(), None)["package"]
    found = package_of_run(sagemaker, "glidepath", RUN)
    assert found is not None
    assert (found["ModelPackageArn"], found["ModelApprovalStatus"]) == (arn, "PendingManualApproval")
    assert package_of_run(sagemaker, "glidepath", "another") is None
    package = sagemaker.describe_model_package(ModelPackageName=arn)
    assert package["InferenceSpecification"]["Containers"][0]["ModelDataUrl"] == event()["artifact"]
    properties = package["CustomerMetadataProperties"]
    assert properties["data-version"] == "v_1"
    assert (properties["data-read"], properties["data-used"], properties["data-quarantined"]) == ("6433", "6287", "0")


def test_the_request_is_idempotent_by_run(monkeypatch: pytest.MonkeyPatch) -> None:
    client = boto3.client("sagemaker", "eu-west-1", aws_access_key_id="x", aws_secret_access_key="x")
    request = package_request(event(), "glidepath", ROWS)
    assert request["ClientToken"] == RUN
    with Stubber(client) as stub:
        stub.add_response("create_model_package", {"ModelPackageArn": samples.PACKAGE}, request)
        monkeypatch.setenv("PACKAGE_GROUP", "glidepath")
        monkeypatch.setattr(boto3, "client", lambda _: client)
        monkeypatch.setattr(register, "read_text", lambda _, uri: PARTS[f"features/{uri.rpartition('/')[2]}"])
        assert register.handle(event(), None) == {"package": samples.PACKAGE}
