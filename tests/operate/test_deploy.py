"""The deploy command's decisions, apart from the engine."""

from pathlib import Path

import pytest

from contracts.errors import UserError
from operate.deploy import exported, refuse_foundation
from operate.evidence import write_variables

FOUNDATION = "urn:pulumi:prod::glidepath::glidepath:foundation:Foundation$glidepath:iam:Role$aws:iam/role:Role::model"
RELEASE = "urn:pulumi:prod::glidepath::glidepath:deploy:Endpoint$aws:sagemaker/endpoint:Endpoint::glidepath-prod"


def test_foundation_change_is_refused_with_who_must_run_what() -> None:
    steps = [{"op": "update", "urn": FOUNDATION}, {"op": "create", "urn": RELEASE}]
    with pytest.raises(UserError) as caught:
        refuse_foundation("prod", steps)
    text = str(caught.value)
    assert "update model (aws:iam/role:Role)" in text
    assert "pulumi up --stack prod" in text
    assert "glidepath-prod" not in text


@pytest.mark.parametrize("op", ["same", "read", "refresh"])
def test_untouched_foundation_passes(op: str) -> None:
    refuse_foundation("prod", [{"op": op, "urn": FOUNDATION}, {"op": "replace", "urn": RELEASE}])


def test_outcome_names_every_variable() -> None:
    outputs = {"apiUrl": "https://x/live", "endpoint": "e", "release": "r", "manifestSha256": "ab", "version": "3"}
    found = exported(outputs, "dev")
    assert set(found) == {"API_URL", "ENDPOINT", "RELEASE", "MANIFEST_SHA256", "SUMMARY"}
    assert found["SUMMARY"] == "Release r serves in dev as version 3."


def test_missing_output_is_named() -> None:
    with pytest.raises(UserError, match="apiUrl"):
        exported({}, "dev")


def test_variables_survive_the_shell(tmp_path: Path) -> None:
    path = tmp_path / "env"
    write_variables(path, {"SUMMARY": "it's $HOME"})
    assert path.read_text() == "export SUMMARY='it'\"'\"'s $HOME'\n"
