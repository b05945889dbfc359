"""The folder in which the rehearsal's engine works: it may write there, and nothing of the checkout changes."""

from dataclasses import replace
from pathlib import Path

import pytest

from rehearsal.environment import SALT, Rehearsal
from scenarios.workplace import lay_out

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
    assert (folder / "Pulumi.prod.yaml").read_text() == f"config: {{}}\nencryptionsalt: {SALT}\n"
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


def test_the_environment_names_it_once_it_is_there(rehearsal: Rehearsal) -> None:
    stale = {"GLIDEPATH_PROJECT": "/another"}
    assert "GLIDEPATH_PROJECT" not in rehearsal.environ(stale)
    folder = lay_out(rehearsal)
    assert rehearsal.environ(stale)["GLIDEPATH_PROJECT"] == str(folder)
    # A build of the rehearsed cloud has a source of its own.
    assert "GLIDEPATH_PROJECT" not in rehearsal.tools(stale)
