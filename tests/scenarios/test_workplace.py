"""The folder in which the rehearsal's engine works: it may write there, and nothing of the checkout changes."""

from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from rehearsal.environment import Rehearsal
from scenarios.workplace import clear, lay_out, name_state, stack_files, with_state

KMS = "secretsprovider: awskms://alias/real\nconfig: {}\nencryptedkey: AQID\n"


@pytest.fixture
def rehearsal(tmp_path: Path) -> Rehearsal:
    checkout = tmp_path / "checkout"
    (checkout / "components").mkdir(parents=True)
    (checkout / "components" / "a.py").write_text("A = 1")
    (checkout / "__main__.py").write_text("import components.a")
    (checkout / "Pulumi.yaml").write_text("name: x\nruntime: python\nmain: .\n")
    (checkout / "Pulumi.prod.yaml").write_text(KMS)
    return replace(Rehearsal.here({}), root=checkout, folder=checkout / ".rehearsal")


def everything(checkout: Path) -> dict[str, str]:
    files = (path for path in checkout.rglob("*") if path.is_file() and ".rehearsal" not in path.parts)
    return {str(path): path.read_text() for path in files}


def test_the_program_is_the_checkouts_and_its_stack_files_are_not(rehearsal: Rehearsal) -> None:
    before = everything(rehearsal.root)
    folder = lay_out(rehearsal)
    assert (folder / "components" / "a.py").resolve() == rehearsal.root / "components" / "a.py"
    assert (folder / "Pulumi.prod.yaml").read_text() == "config: {}\n"
    for name in ("Pulumi.yaml", "Pulumi.prod.yaml"):
        (folder / name).write_text("what an engine writes")
    assert everything(rehearsal.root) == before


def test_it_follows_the_checkout_and_keeps_what_an_engine_works_in(rehearsal: Rehearsal) -> None:
    folder = lay_out(rehearsal)
    inode = folder.stat().st_ino
    (rehearsal.root / "__main__.py").rename(rehearsal.root / "main.py")
    (rehearsal.root / "Pulumi.prod.yaml").write_text("config: {a: 1}\n")
    (rehearsal.root / "Pulumi.dev.yaml").write_text("config: {}\n")
    lay_out(rehearsal)
    assert folder.stat().st_ino == inode
    assert sorted(entry.name for entry in folder.iterdir()) == [
        "Pulumi.dev.yaml", "Pulumi.prod.yaml", "Pulumi.yaml", "components", "main.py",
    ]  # fmt: skip
    assert (folder / "Pulumi.prod.yaml").read_text().startswith("config: {a: 1}\n")


def test_what_python_has_compiled_is_in_nobodys_way(rehearsal: Rehearsal) -> None:
    folder = lay_out(rehearsal)
    for place in (folder, rehearsal.root):
        (place / "__pycache__").mkdir()
    lay_out(rehearsal)
    assert not (folder / "__pycache__").is_symlink()


def test_the_environment_names_it_once_it_is_there(rehearsal: Rehearsal) -> None:
    stale = {"GLIDEPATH_PROJECT": "/another"}
    assert "GLIDEPATH_PROJECT" not in rehearsal.environ(stale)
    folder = lay_out(rehearsal)
    assert rehearsal.environ(stale)["GLIDEPATH_PROJECT"] == str(folder)
    # A build of the rehearsed cloud has a source of its own.
    assert "GLIDEPATH_PROJECT" not in rehearsal.tools(stale)


OURS = "secretsprovider: awskms:///alias/ours\nencryptedkey: BBBB\nconfig: {a: 1}\n"


def test_what_encrypts_the_rehearsals_state_stays_when_the_checkouts_config_changes(rehearsal: Rehearsal) -> None:
    folder = lay_out(rehearsal)
    (folder / "Pulumi.prod.yaml").write_text(OURS)
    (rehearsal.root / "Pulumi.prod.yaml").write_text(KMS.replace("{}", "{b: 2}"))
    lay_out(rehearsal)
    text = (folder / "Pulumi.prod.yaml").read_text()
    assert yaml.safe_load(text) == {
        "config": {"b": 2}, "secretsprovider": "awskms:///alias/ours", "encryptedkey": "BBBB",
    }  # fmt: skip
    clear(folder)
    assert stack_files(rehearsal.root, folder)["Pulumi.prod.yaml"] == "config: {b: 2}\n"


STATE = {"backend": "s3://ours?region=eu-west-1&awssdk=v2"}


def test_the_delivery_stacks_commit_names_the_rehearsals_state(rehearsal: Rehearsal) -> None:
    theirs = "config:\n  glidepath:state: {backend: 's3://theirs'}\n"
    (rehearsal.root / "Pulumi.delivery.yaml").write_text(theirs)
    folder = lay_out(rehearsal)
    name_state(folder, STATE)
    lay_out(rehearsal)
    assert yaml.safe_load((folder / "Pulumi.delivery.yaml").read_text()) == {"config": {"glidepath:state": STATE}}
    assert (rehearsal.root / "Pulumi.delivery.yaml").read_text() == theirs


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            "config:\n  a: 1 # one\n  glidepath:state: {x: 1}\n  b: '09'\n",
            "config:\n  a: 1 # one\n  STATE\n  b: '09'\n",
        ),
        ("config:\n  glidepath:state:\n    x: 1\n    y: 2\n\n  b: 09\n", "config:\n  STATE\n\n  b: 09\n"),
        ("config:\n  'glidepath:state':\n    x: 1\nk: v\n", "config:\n  STATE\nk: v\n"),
        ("# top\nconfig:\n  a: 1\n", "# top\nconfig:\n  STATE\n  a: 1\n"),
        ("config: {a: 1}\n", "config: {STATE, a: 1}\n"),
        ("config: {glidepath:state: {x: 1}, a: 1}\n", "config: {STATE, a: 1}\n"),
    ],
)
def test_the_states_place_is_the_only_line_that_changes(before: str, after: str) -> None:
    line = "glidepath:state: {backend: 's3://ours?region=eu-west-1&awssdk=v2'}"
    found = with_state(before, STATE)
    assert found == after.replace("STATE", line)
    assert yaml.safe_load(found)["config"]["glidepath:state"] == STATE
