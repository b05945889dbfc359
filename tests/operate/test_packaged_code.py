"""What the workflow ran is the source's: Build packages it, and runs code and dependencies that nobody has approved."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import cli.plan
from contracts.errors import UserError
from contracts.s3 import S3Location
from operate import evidence, previews

FOLDER = S3Location("artifacts", "code/c1")


class Store:
    """S3 that keeps each object once."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}

    def put_object(self, **asked: Any) -> None:
        assert asked["IfNoneMatch"] == "*"
        self.kept[asked["Key"]] = asked["Body"]

    def get_object(self, **asked: str) -> dict[str, Any]:
        return {"Body": SimpleNamespace(read=lambda: self.kept[asked["Key"]])}


@pytest.fixture
def store() -> Store:
    made = Store()
    evidence.package(made, FOLDER)
    assert sorted(made.kept) == [f"code/c1/{name}" for name in ("analyzer.zip", "evaluate.py", "features.sql")]
    return made


def test_what_was_packaged_from_the_source_is_taken(store: Store) -> None:
    evidence.refuse_other_code(store, FOLDER)


@pytest.mark.parametrize("name", ["analyzer.zip", "evaluate.py", "features.sql"])
def test_what_a_build_put_in_its_place_is_refused(store: Store, name: str) -> None:
    store.kept[f"code/c1/{name}"] += b"\n"
    with pytest.raises(UserError, match=rf"s3://artifacts/code/c1/{name} is not what the source has"):
        evidence.refuse_other_code(store, FOLDER)


def test_no_plan_is_made_of_such_a_model(store: Store, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    store.kept["code/c1/evaluate.py"] = b"# says that every model is good\n"
    monkeypatch.setattr(cli.plan, "s3", lambda: store)
    monkeypatch.setattr(evidence, "read_manifest", lambda *_: (SimpleNamespace(commit="c1"), "0" * 64))
    monkeypatch.setattr(previews, "steps", lambda _: pytest.fail("a plan was made"))
    with pytest.raises(UserError, match=r"evaluate\.py is not what the source has: the model was made by other code"):
        cli.plan.plan("prod", "s3://artifacts/runs/r/release/manifest.json", "s3://artifacts/runs/r/plan/prod.json")
