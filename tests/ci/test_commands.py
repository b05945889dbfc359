"""The commands that CI calls, where they stop before anything is asked of anybody."""

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import boto3
import pytest
from botocore.exceptions import ClientError

from cli import ci
from cli.errors import UserError
from tests.ci.workflows import ROOT


def call(*arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return subprocess.run(
        [sys.executable, "-m", "cli", "ci", *arguments],
        cwd=ROOT,
        env=kept | environ,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


GITHUB = {
    "GITHUB_ACTIONS": "true",
    "GITHUB_API_URL": "https://api.github.invalid",
    "GITHUB_REPOSITORY": "owner/name",
    "GITHUB_RUN_ID": "1",
}


@pytest.mark.parametrize(
    ("arguments", "environ", "message"),
    [
        (["login", "--role", "preview"], {}, "this is no run of GitHub Actions or GitLab CI"),
        (["login", "--role", "admin"], {}, "'admin' is no role of CI"),
        (["login", "--role", "preview"], GITHUB, "names no CI in glidepath:ci, and this is github"),
        (["preview", "--stack", "prod", "--base", "main"], {}, "this is no run of GitHub Actions or GitLab CI"),
        (["preview", "--stack", "prod", "--base", "main"], GITHUB, "PULUMI_BACKEND_URL is not set"),
        (["drift", "--stack", "prod"], GITHUB, "PULUMI_BACKEND_URL is not set"),
    ],
)
def test_what_is_missing_is_reported_in_one_line(arguments: list[str], environ: dict[str, str], message: str) -> None:
    done = call(*arguments, **environ)
    assert done.returncode == 1
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_a_persons_own_profiles_are_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from cli.ci import _config_file
    from cli.errors import UserError

    config = tmp_path / "config"
    config.write_text("[default]\nregion = eu-west-1\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    with pytest.raises(UserError, match="was not made by `ci login`"):
        _config_file()
    monkeypatch.delenv("AWS_CONFIG_FILE")
    with pytest.raises(UserError, match="AWS_CONFIG_FILE is not set"):
        _config_file()


def test_a_secret_that_unlocks_the_state_is_read_for_the_engine_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    names = SimpleNamespace(stack=lambda stack: f"taxi-{stack}", region="eu-west-1")
    state = {"secretName": "taxi/pulumi", "secretVariable": "PULUMI_ACCESS_TOKEN"}
    monkeypatch.setattr(ci, "_project", lambda: SimpleNamespace(names=names, config={"glidepath:state": state}))
    asked: list[dict[str, str]] = []

    class Secrets:
        def get_secret_value(self, **given: str) -> dict[str, str]:
            asked.append(given)
            if len(asked) > 1:
                raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "GetSecretValue")
            return {"SecretString": "opens"}

    monkeypatch.setattr(boto3, "Session", lambda **_: SimpleNamespace(client=lambda _: Secrets()))
    assert ci._secret({}) == {"PULUMI_ACCESS_TOKEN": "opens"}
    assert ci._secret({"PULUMI_ACCESS_TOKEN": "given"}) == {}
    assert asked == [{"SecretId": "taxi/pulumi"}]
    with pytest.raises(UserError, match=r"secret taxi/pulumi, which unlocks the state, cannot be read: .*no"):
        ci._secret({})
    asked.clear()
    state["previewSecretName"] = "taxi/looks"
    assert ci._secret({}) == {"PULUMI_ACCESS_TOKEN": "opens"}
    assert asked == [{"SecretId": "taxi/looks"}]
    state.clear()
    assert ci._secret({}) == {}
