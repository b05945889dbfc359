"""The login without keys: whose run it is, its token, and the profiles that are made of it."""

import configparser
import json
import stat
from pathlib import Path

import pytest

from contracts.errors import UserError
from contracts.names import Names
from operate.ci import host as hosts
from operate.ci import login
from operate.ci.host import Host

NAMES = Names("glidepath", "eu-west-1", {"delivery": "111111111111", "dev": "222222222222", "prod": "333333333333"})
GITHUB = {
    "GITHUB_ACTIONS": "true",
    "GITHUB_API_URL": "https://api.github.com",
    "GITHUB_REPOSITORY": "owner/name",
    "GITHUB_RUN_ID": "99",
}
GITLAB = {
    "GITLAB_CI": "true",
    "CI_API_V4_URL": "https://gitlab.com/api/v4",
    "CI_PROJECT_ID": "42",
    "CI_JOB_ID": "5",
    "CI_MERGE_REQUEST_IID": "7",
    "GLIDEPATH_ID_TOKEN": "the token",
}


def profiles(text: str) -> dict[str, dict[str, str]]:
    parser = configparser.ConfigParser()
    parser.read_string(text)
    return {name: dict(parser[name]) for name in parser.sections()}


def test_github_says_which_request_it_runs_for(tmp_path: Path) -> None:
    event = tmp_path / "event.json"
    event.write_text(json.dumps({"pull_request": {"number": 7}}))
    found = hosts.find(GITHUB | {"GITHUB_EVENT_PATH": str(event)})
    assert (found.kind, found.project, found.request, found.run) == ("github", "owner/name", 7, "github-99")
    event.write_text("{}")
    assert hosts.find(GITHUB | {"GITHUB_EVENT_PATH": str(event)}).request == 0


def test_gitlab_says_which_request_it_runs_for() -> None:
    found = hosts.find(GITLAB)
    assert (found.kind, found.project, found.request, found.run) == ("gitlab", "42", 7, "gitlab-5")
    assert hosts.find(GITLAB | {"CI_MERGE_REQUEST_IID": ""}).request == 0


def test_a_persons_machine_is_no_ci() -> None:
    with pytest.raises(UserError, match="no run of GitHub Actions or GitLab CI"):
        hosts.find({})


def test_a_github_job_without_the_permission_says_so() -> None:
    with pytest.raises(UserError) as caught:
        login.token(Host("github", "", "", 0, "", {}))
    assert caught.value.message == "this job may not ask for an identity token"
    assert "id-token: write" in (caught.value.fix or "")


def test_a_gitlab_job_without_the_token_says_so() -> None:
    with pytest.raises(UserError, match="GLIDEPATH_ID_TOKEN is empty"):
        login.token(Host("gitlab", "", "", 0, "", {}))


@pytest.mark.parametrize("role", ["preview", "drift"])
def test_environments_are_reached_from_the_tooling_account(role: str) -> None:
    found = profiles(login.profiles(NAMES, NAMES.accounts, role, Path("/t/token"), "github-99"))
    assert list(found) == ["profile ci", *(f"profile glidepath-{stack}" for stack in ("delivery", "dev", "prod"))]
    own = {
        "role_arn": f"arn:aws:iam::111111111111:role/glidepath-delivery-ci-{role}",
        "web_identity_token_file": "/t/token",
        "role_session_name": "github-99",
        "region": "eu-west-1",
    }
    assert found["profile ci"] == found["profile glidepath-delivery"] == own
    assert found["profile glidepath-prod"] == {
        "role_arn": f"arn:aws:iam::333333333333:role/glidepath-prod-{role}",
        "source_profile": "ci",
        "role_session_name": "github-99",
        "region": "eu-west-1",
    }


def test_who_delivers_reaches_no_environment() -> None:
    found = profiles(login.profiles(NAMES, NAMES.accounts, "deliver", Path("/t/token"), "github-99"))
    assert list(found) == ["profile ci", "profile glidepath-delivery"]


def test_the_token_is_for_this_user_alone(tmp_path: Path) -> None:
    text = login.write(tmp_path / ".ci", NAMES, "preview", hosts.find(GITLAB))
    token = tmp_path / ".ci" / "identity-token"
    assert token.read_text() == "the token"
    assert stat.S_IMODE(token.stat().st_mode) == 0o600
    assert str(token) in text
    assert "the token" not in text
