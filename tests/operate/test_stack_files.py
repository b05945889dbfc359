"""Copies of stack files, for an engine to write to."""

from pathlib import Path

import pytest

from contracts.errors import UserError
from operate.stack_files import copy, with_secrets_of

CONFIG = "# ours\nconfig:\n  glidepath:api: {quotaPerDay: 5} # a day\n"
THEIRS = f"secretsprovider: awskms://alias/real?region=eu-west-1\n{CONFIG}encryptedkey: AQIDAHj=\n"


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        ("encryptionsalt: v1:abc:v1:d/e\n", f"{CONFIG}encryptionsalt: v1:abc:v1:d/e\n"),
        ("encryptedkey: x\nsecretsprovider: kms://y\n", f"{CONFIG}secretsprovider: kms://y\nencryptedkey: x\n"),
        ("", CONFIG),
        ("config: {secretsprovider: no}\n", CONFIG),
    ],
)  # fmt: skip
def test_secrets_settings_are_those_of_the_other_and_all_else_stays(other: str, expected: str) -> None:
    assert with_secrets_of(THEIRS, other) == expected
    assert with_secrets_of(CONFIG, other) == expected


def test_a_copy_is_the_file_as_it_is_where_its_own_state_is_in_use(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.prod.yaml").write_text(THEIRS)
    (tmp_path / "copies").mkdir()
    made = copy("prod", tmp_path, tmp_path / "copies", {})
    assert made == tmp_path / "copies" / "Pulumi.prod.yaml"
    assert made.read_text() == THEIRS


def test_a_copy_has_the_secrets_settings_of_the_state_in_use(tmp_path: Path) -> None:
    for folder in ("copies", "project"):
        (tmp_path / folder).mkdir()
    (tmp_path / "Pulumi.prod.yaml").write_text(THEIRS)
    (tmp_path / "Pulumi.dev.yaml").write_text(THEIRS)
    (tmp_path / "project" / "Pulumi.prod.yaml").write_text("encryptionsalt: v1:abc\n")
    environ = {"GLIDEPATH_PROJECT": str(tmp_path / "project")}
    assert copy("prod", tmp_path, tmp_path / "copies", environ).read_text() == f"{CONFIG}encryptionsalt: v1:abc\n"
    # One that the project does not know: the engine makes a salt for the copy.
    assert copy("dev", tmp_path, tmp_path / "copies", environ).read_text() == CONFIG
    assert (tmp_path / "Pulumi.prod.yaml").read_text() == THEIRS


def test_a_stack_without_a_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"there is no Pulumi\.nowhere\.yaml"):
        copy("nowhere", tmp_path, tmp_path, {})
