"""What of an update's creations is there already, from the engine's documents and AWS's answers."""

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from contracts.errors import UserError
from operate import adopt, engine

VERSIONING = "aws:s3/bucketVersioning:BucketVersioning"
POLICY = "aws:s3/bucketPolicy:BucketPolicy"
URN = "urn:pulumi:dev::p::glidepath:storage:Key$aws:kms/key:Key::dev"
ENTRIES: list[dict[str, Any]] = [
    {"type": "p:Foundation", "name": "foundation", "component": True},
    {"type": "glidepath:storage:Bucket", "name": "holder", "component": True, "parent": "foundation"},
    {"type": "glidepath:storage:Bucket", "name": "unused", "component": True, "parent": "foundation"},
    {"type": adopt.BUCKET, "name": "bucket", "logicalName": "capture", "parent": "holder", "id": "<PLACEHOLDER>"},
    {"type": VERSIONING, "name": "capture", "parent": "holder", "id": "<PLACEHOLDER>"},
    {"type": POLICY, "name": "policy", "logicalName": "capture", "parent": "holder", "id": "<PLACEHOLDER>"},
    {"type": adopt.ALIAS, "name": "dev", "parent": "known", "id": "<PLACEHOLDER>"},
    {"type": "aws:sns/topic:Topic", "name": "topic", "parent": "foundation", "id": "<PLACEHOLDER>"},
]
INPUTS = {
    (adopt.BUCKET, "capture"): {"bucket": "b-capture"},
    (VERSIONING, "capture"): {"bucket": "b-capture"},
    (POLICY, "capture"): {"bucket": "b-capture"},
    (adopt.ALIAS, "dev"): {"name": "alias/dev"},
    ("aws:sns/topic:Topic", "topic"): {},
}


def refusal(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code}}, "Call")


class Answers:
    """Clients whose calls answer what is given here; an error is raised."""

    def __init__(self, **answers: Any) -> None:
        self.answers = {
            "head_bucket": {},
            "get_bucket_versioning": {"Status": "Enabled"},
            "get_bucket_policy": {"Policy": "{}"},
            "describe_key": {"KeyMetadata": {"KeyId": "k-old", "KeyState": "Enabled"}},
            **answers,
        }

    def __call__(self, _service: str) -> "Answers":
        return self

    def __getattr__(self, operation: str) -> Any:
        def call(**_: str) -> Any:
            answer = self.answers[operation]
            if isinstance(answer, ClientError):
                raise answer
            return answer

        return call


class Engine:
    """The engine's part: a preview with an import file, a state, and what it is told."""

    def __init__(self, state: dict[str, Any]) -> None:
        self.state, self.ran, self.imported = state, list[str](), dict[str, Any]()

    def run(self, arguments: list[str], _root: Path, _environ: Any = None) -> Any:
        options = dict(pairwise(arguments))
        self.ran.append(" ".join(arguments[:2]) if arguments[0] == "stack" else arguments[0])
        output = ""
        if arguments[0] == "preview":
            steps = [
                {"op": "create", "urn": f"urn:pulumi:dev::p::x${kind}::{name}", "newState": {"inputs": inputs}}
                for (kind, name), inputs in INPUTS.items()
            ]
            Path(options["--import-file"]).write_text(json.dumps({"nameTable": {"known": "urn"}, "resources": ENTRIES}))
            output = json.dumps({"steps": [*steps, {"op": "same", "urn": "a::b::c::d", "newState": {}}]})
        if arguments[:2] == ["stack", "export"]:
            output = json.dumps(self.state)
        if arguments[:2] == ["stack", "import"]:
            self.state = json.loads(Path(options["--file"]).read_text())
        if arguments[0] == "import":
            self.imported = json.loads(Path(options["--file"]).read_text())

        class Done:
            returncode, stdout, stderr = 0, output, ""

        return Done


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Engine:
    (tmp_path / "Pulumi.dev.yaml").write_text("config: {}\n")
    key = {"type": adopt.KEY, "urn": URN, "id": "k-new"}
    made = Engine({"version": 3, "deployment": {"resources": [{"type": "x", "urn": "urn::a"}, key]}})
    monkeypatch.setattr(engine, "run", made.run)
    return made


def ids(plan: adopt.Plan) -> dict[str, str]:
    return {each.kind: each.id for each in plan.kept}


def test_what_is_there_is_found(run: Engine, tmp_path: Path) -> None:
    plan = adopt.find(Answers(), "dev", tmp_path)
    assert ids(plan) == {
        adopt.BUCKET: "b-capture", VERSIONING: "b-capture", POLICY: "b-capture", adopt.ALIAS: "alias/dev",
    }  # fmt: skip
    assert plan.keys == (adopt.NewKey(URN, "k-new", "k-old"),)
    assert run.ran == ["preview", "stack export"]


@pytest.mark.parametrize(
    ("answers", "missing"),
    [
        ({"head_bucket": refusal("404")}, {adopt.BUCKET, VERSIONING, POLICY}),
        ({"head_bucket": refusal("403")}, {adopt.BUCKET, VERSIONING, POLICY}),
        ({"get_bucket_policy": refusal("NoSuchBucketPolicy")}, {POLICY}),
        ({"get_bucket_versioning": {}}, {VERSIONING}),
        ({"describe_key": refusal("NotFoundException")}, {adopt.ALIAS}),
        ({"describe_key": {"KeyMetadata": {"KeyId": "k", "KeyState": "PendingDeletion"}}}, {adopt.ALIAS}),
    ],
)
def test_what_is_not_there_is_left_to_the_update(
    run: Engine, tmp_path: Path, answers: dict[str, Any], missing: set[str]
) -> None:
    plan = adopt.find(Answers(**answers), "dev", tmp_path)
    assert {adopt.BUCKET, VERSIONING, POLICY, adopt.ALIAS} - set(ids(plan)) == missing
    assert bool(plan.keys) == (adopt.ALIAS not in missing)


@pytest.mark.parametrize("operation", ["head_bucket", "get_bucket_policy", "describe_key"])
def test_a_refusal_is_not_taken_for_absence(run: Engine, tmp_path: Path, operation: str) -> None:
    with pytest.raises(ClientError, match="AccessDenied"):
        adopt.find(Answers(**{operation: refusal("AccessDenied")}), "dev", tmp_path)


def test_it_is_imported_with_the_components_that_hold_it(run: Engine, tmp_path: Path) -> None:
    adopt.adopt(adopt.find(Answers(), "dev", tmp_path), "dev", tmp_path)
    assert run.imported["nameTable"] == {"known": "urn"}
    assert {entry["name"]: entry.get("id", "") for entry in run.imported["resources"]} == {
        "foundation": "", "holder": "", "bucket": "b-capture", "capture": "b-capture", "policy": "b-capture",
        "dev": "alias/dev",
    }  # fmt: skip
    key = run.state["deployment"]["resources"][1]
    assert (key["urn"], key["id"]) == (URN, "k-old")
    assert run.ran[-1] == "import"
    assert "refresh" in run.ran


def test_without_a_preview_nothing_is_known(run: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Failed:
        returncode, stdout, stderr = 255, "", "error: no credentials"

    monkeypatch.setattr(engine, "run", lambda *_: Failed)
    with pytest.raises(UserError, match="no preview of dev can be made:\nerror: no credentials"):
        adopt.find(Answers(), "dev", tmp_path)
