"""Roles taken with a CI's identity token, through botocore as every tool does it.

What these tests do not prove: how GitHub and GitLab word their tokens; their documentation says so.
"""

import json
import urllib.request
from dataclasses import replace
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from contracts.names import Names
from definitions.roles import ci as ci_roles
from definitions.roles.ci import AUDIENCE, Repository
from rehearsal.cloud.core.cloud import Cloud
from rehearsal.cloud.gateway import web_identity
from settings import HOSTS

GITHUB = Repository("github", "owner/name", "main", HOSTS["github"])
GITLAB = Repository("gitlab", "group/sub/name", "main", HOSTS["gitlab"])
REQUEST = "repo:owner/name:pull_request"
MAIN = "repo:owner/name:ref:refs/heads/main"


def make_role(cloud: Cloud, account: str, purpose: str, repository: Repository = GITHUB, provider: bool = True) -> str:
    iam = cloud.client("iam", account, "us-east-1")
    arn = f"arn:aws:iam::{account}:oidc-provider/{repository.host}"
    if provider:
        iam.create_open_id_connect_provider(Url=f"https://{repository.host}", ClientIDList=[AUDIENCE])
    names = Names("glidepath", "eu-west-1", {"delivery": account})
    trust = ci_roles.roles(names, arn, repository)[purpose].trust
    return str(iam.create_role(RoleName=purpose, AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"])


def assume(cloud: Cloud, role: str, token: str) -> dict[str, Any]:
    sts = boto3.Session().client(
        "sts", region_name="eu-west-1", endpoint_url=cloud.url, aws_access_key_id="none", aws_secret_access_key="none"
    )
    answer: dict[str, Any] = sts.assume_role_with_web_identity(
        RoleArn=role, RoleSessionName="run-1", WebIdentityToken=token
    )
    return answer


def refusal(cloud: Cloud, role: str, token: str) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        assume(cloud, role, token)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def test_a_run_of_the_repository_becomes_its_role(cloud: Cloud, account: str) -> None:
    role = make_role(cloud, account, "ci-preview")
    keys = assume(cloud, role, web_identity.issue(GITHUB.host, REQUEST, AUDIENCE))["Credentials"]
    sts = boto3.Session().client(
        "sts",
        region_name="eu-west-1",
        endpoint_url=cloud.url,
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys["SessionToken"],
    )
    assert sts.get_caller_identity()["Arn"] == f"arn:aws:sts::{account}:assumed-role/ci-preview/run-1"


@pytest.mark.parametrize(
    ("purpose", "subject", "allowed"),
    [
        ("ci-preview", REQUEST, True),
        ("ci-preview", "repo:owner/other:pull_request", False),
        ("ci-preview", "repo:owner/name:ref:refs/heads/feature", False),
        ("ci-drift", MAIN, True),
        ("ci-drift", REQUEST, False),
        ("ci-deliver", MAIN, True),
        ("ci-deliver", REQUEST, False),
        ("ci-deliver", "repo:owner/name:ref:refs/heads/main2", False),
        ("ci-deliver", "repo:fork/name:ref:refs/heads/main", False),
    ],
)
def test_github_runs_get_what_their_kind_is_for(
    cloud: Cloud, account: str, purpose: str, subject: str, allowed: bool
) -> None:
    role = make_role(cloud, account, purpose)
    token = web_identity.issue(GITHUB.host, subject, AUDIENCE)
    if allowed:
        assert assume(cloud, role, token)["SubjectFromWebIdentityToken"] == subject
    else:
        assert refusal(cloud, role, token) == (
            "AccessDenied",
            "Not authorized to perform sts:AssumeRoleWithWebIdentity",
        )


@pytest.mark.parametrize(
    ("purpose", "project", "branch", "allowed"),
    [
        ("ci-preview", "group/sub/name", "feature/x", True),
        ("ci-preview", "group/sub/name2", "feature/x", False),
        ("ci-preview", "fork/name", "feature/x", False),
        ("ci-deliver", "group/sub/name", "main", True),
        ("ci-deliver", "group/sub/name", "feature/x", False),
    ],
)
def test_gitlab_runs_get_what_their_branch_is_for(
    cloud: Cloud, account: str, purpose: str, project: str, branch: str, allowed: bool
) -> None:
    role = make_role(cloud, account, purpose, GITLAB)
    token = web_identity.issue(GITLAB.host, f"project_path:{project}:ref_type:branch:ref:{branch}", AUDIENCE)
    if allowed:
        assert assume(cloud, role, token)["Credentials"]
    else:
        assert refusal(cloud, role, token)[0] == "AccessDenied"


@pytest.mark.parametrize("purpose", ["ci-deliver", "ci-drift"])
def test_a_forks_branch_of_the_same_name_is_not_the_protected_one(cloud: Cloud, account: str, purpose: str) -> None:
    role = make_role(cloud, account, purpose, replace(GITLAB, protected=True))
    subject = "project_path:group/sub/name:ref_type:branch:ref:main"
    for end in ("", ":ref_protected:false"):
        token = web_identity.issue(GITLAB.host, f"{subject}{end}", AUDIENCE)
        assert refusal(cloud, role, token)[0] == "AccessDenied"
    assert assume(cloud, role, web_identity.issue(GITLAB.host, f"{subject}:ref_protected:true", AUDIENCE))


def test_a_token_for_somebody_else_is_refused(cloud: Cloud, account: str) -> None:
    role = make_role(cloud, account, "ci-preview")
    token = web_identity.issue(GITHUB.host, REQUEST, "https://example.com")
    assert refusal(cloud, role, token) == ("InvalidIdentityToken", "Incorrect token audience")


def test_an_issuer_the_account_does_not_know_is_refused(cloud: Cloud, account: str) -> None:
    role = make_role(cloud, account, "ci-preview", provider=False)
    token = web_identity.issue(GITHUB.host, REQUEST, AUDIENCE)
    assert refusal(cloud, role, token) == (
        "InvalidIdentityToken",
        "No OpenIDConnect provider found in your account for https://token.actions.githubusercontent.com",
    )


def test_an_expired_token_is_refused(cloud: Cloud, account: str) -> None:
    role = make_role(cloud, account, "ci-preview")
    token = web_identity.issue(GITHUB.host, REQUEST, AUDIENCE, lifetime=-10)
    assert refusal(cloud, role, token)[0] == "ExpiredTokenException"


def test_a_forged_token_is_refused(cloud: Cloud, account: str) -> None:
    role = make_role(cloud, account, "ci-deliver")
    head, _, tail = web_identity.issue(GITHUB.host, REQUEST, AUDIENCE).split(".")
    _, claims, _ = web_identity.issue(GITHUB.host, MAIN, AUDIENCE).split(".")
    assert refusal(cloud, role, f"{head}.{claims}.{tail}")[0] == "InvalidIdentityToken"
    assert refusal(cloud, role, "no token at all")[0] == "InvalidIdentityToken"


def test_a_role_that_does_not_exist_is_no_more_than_denied(cloud: Cloud, account: str) -> None:
    role = make_role(cloud, account, "ci-preview")
    token = web_identity.issue(GITHUB.host, REQUEST, AUDIENCE)
    assert refusal(cloud, f"{role}-other", token)[0] == "AccessDenied"


def test_the_rehearsal_answers_as_github_does_when_a_job_asks_for_its_token(cloud: Cloud, account: str) -> None:
    role = make_role(cloud, account, "ci-preview")
    url = f"{cloud.url}/_rehearsal/identity-token?host={GITHUB.host}&subject={REQUEST}&audience={AUDIENCE}"
    with urllib.request.urlopen(url, timeout=10) as answer:
        token = json.load(answer)["value"]
    assert assume(cloud, role, token)["Provider"].endswith(f"oidc-provider/{GITHUB.host}")


def test_a_profile_takes_the_role_by_itself(
    cloud: Cloud, account: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As CI's profiles do: the token lies in a file, botocore exchanges it."""
    role = make_role(cloud, account, "ci-preview")
    (tmp_path / "token").write_text(web_identity.issue(GITHUB.host, REQUEST, AUDIENCE))
    (tmp_path / "config").write_text(
        f"[profile ci]\nrole_arn = {role}\nweb_identity_token_file = {tmp_path / 'token'}\nregion = eu-west-1\n"
    )
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_ENDPOINT_URL", cloud.url)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    arn = boto3.Session(profile_name="ci").client("sts").get_caller_identity()["Arn"]
    assert arn.startswith(f"arn:aws:sts::{account}:assumed-role/ci-preview/")
