"""F14, F15: what a fork's request, or whoever may push a branch, would get in this project's own CI."""

import re
from collections.abc import Mapping
from typing import Any

import pytest

from contracts.errors import UserError
from contracts.names import Names
from definitions.roles import ci as ci_roles
from definitions.roles import delivery as delivery_roles
from definitions.roles.ci import Repository
from definitions.roles.delivery_account import Delivery
from operate.ci import host as hosts
from operate.ci import login
from tests.ci.workflows import GITLAB, gitlab_jobs, load
from tests.program.harness import run

RULE = re.compile(r"\$(\w+)(?:\s*(==|!=)\s*(?:\"([^\"]*)\"|\$(\w+)))?")
PROJECT = {"CI_PROJECT_ID": "42", "CI_DEFAULT_BRANCH": "main", "PULUMI_BACKEND_URL": "s3://state"}
REQUEST = {
    **PROJECT,
    "CI_PIPELINE_SOURCE": "merge_request_event",
    "CI_MERGE_REQUEST_PROJECT_ID": "42",
    "CI_MERGE_REQUEST_SOURCE_PROJECT_ID": "42",
    "CI_COMMIT_REF_PROTECTED": "false",
}
PUSH = {**PROJECT, "CI_PIPELINE_SOURCE": "push", "CI_COMMIT_BRANCH": "main", "CI_COMMIT_REF_PROTECTED": "true"}
NIGHT = {**PUSH, "CI_PIPELINE_SOURCE": "schedule"}
FORK = {**REQUEST, "CI_MERGE_REQUEST_SOURCE_PROJECT_ID": "666"}
CHECKS = {"check", "policies", "test"}


def holds(condition: str, variables: Mapping[str, str]) -> bool:
    """GitLab's `rules:if`, as far as our file uses it: https://docs.gitlab.com/ci/jobs/job_rules/."""
    for part in condition.split("&&"):
        match = RULE.fullmatch(part.strip())
        assert match, part
        name, operator, text, other = match.groups()
        left = variables.get(name, "")
        right = variables.get(other, "") if other else text
        if not (left if operator is None else (left == right) == (operator == "==")):
            return False
    return True


def made(rules: list[dict[str, Any]], variables: Mapping[str, str]) -> bool:
    for rule in rules:
        if "if" not in rule or holds(rule["if"], variables):
            return bool(rule.get("when") != "never")
    return False


def jobs(variables: Mapping[str, str]) -> set[str]:
    """What GitLab runs."""
    if not made(load(GITLAB)["workflow"]["rules"], variables):
        return set()
    return {name for name, job in gitlab_jobs().items() if made(job["rules"], variables)}


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        (REQUEST, CHECKS | {"preview"}),
        (PUSH, CHECKS | {"deliver"}),
        (NIGHT, {"drift"}),
        # A member starts a fork's request in this project, on any branch of the fork, `main` too.
        (FORK, set()),
        (FORK | {"CI_COMMIT_BRANCH": "main", "CI_COMMIT_REF_PROTECTED": "true"}, set()),
        (FORK | {"CI_PIPELINE_SOURCE": "push", "CI_COMMIT_BRANCH": "main"}, set()),
        # A fork's own project runs its checks, and nothing of ours.
        (FORK | {"CI_PROJECT_ID": "666", "PULUMI_BACKEND_URL": ""}, CHECKS),
        (FORK | {"CI_PROJECT_ID": "666"}, CHECKS),
        (PUSH | {"CI_COMMIT_REF_PROTECTED": "false"}, CHECKS),
        (NIGHT | {"CI_COMMIT_REF_PROTECTED": "false"}, set()),
        (NIGHT | {"CI_COMMIT_BRANCH": "feature"}, set()),
    ],
)
def test_gitlab_runs_nothing_with_rights_for_a_fork(variables: dict[str, str], expected: set[str]) -> None:
    assert jobs(variables) == expected


def test_the_token_that_comments_can_be_kept_to_the_preview() -> None:
    environments = {name: job.get("environment") for name, job in gitlab_jobs().items()}
    assert environments.pop("preview") == {"name": "glidepath-preview", "action": "access"}
    assert set(environments.values()) == {None}


def gitlab(**more: str) -> hosts.Host:
    run_of = {"GITLAB_CI": "true", "CI_API_V4_URL": "https://gitlab.com/api/v4", "CI_JOB_ID": "5"}
    return hosts.find({**run_of, "CI_PROJECT_ID": "42", "GLIDEPATH_ID_TOKEN": "the token", **more})


def test_a_forks_request_gets_no_login_in_this_project() -> None:
    with pytest.raises(UserError, match=r"runs the code of a fork \(project 666\) in project 42"):
        login.token(gitlab(CI_MERGE_REQUEST_SOURCE_PROJECT_ID="666"))
    assert login.token(gitlab(CI_MERGE_REQUEST_SOURCE_PROJECT_ID="42")) == "the token"
    assert login.token(gitlab()) == "the token"


def test_previews_cannot_read_the_token_that_deploys() -> None:
    names = Names("taxi", "eu-west-1", {"delivery": "111111111111", "dev": "222222222222", "prod": "333333333333"})
    at = Delivery(
        names,
        "key",
        "signing",
        "split",
        backend="https://api.pulumi.com",
        secret_name="taxi/deploys",
        preview_secret_name="taxi/looks",
    )
    repository = Repository("github", "owner/name", "main", "token.actions.githubusercontent.com")
    records = delivery_roles.roles(names) | ci_roles.roles(names, "provider", repository)
    readable = {
        purpose: [
            resource.rpartition(":")[2].removesuffix("-??????")
            for statement in record.statements(at)
            if "secretsmanager:GetSecretValue" in statement["Action"]
            for resource in statement["Resource"]
        ]
        for purpose, record in records.items()
    }
    found = {purpose: secrets for purpose, secrets in readable.items() if secrets}
    assert {purpose for purpose, secrets in found.items() if secrets == ["taxi/deploys"]} == {
        "deploy-dev",
        "deploy-prod",
    }
    looks = {purpose for purpose, secrets in found.items() if secrets == ["taxi/looks"]}
    assert looks == found.keys() - {"deploy-dev", "deploy-prod"}
    assert {"build", "plan-prod", "ci-preview", "ci-drift"} <= looks


def test_builds_that_look_are_given_the_token_that_only_reads() -> None:
    state = {"backend": "https://api.pulumi.com", "secretName": "t/deploys", "secretVariable": "PULUMI_ACCESS_TOKEN"}
    projects = run("delivery", state={**state, "previewSecretName": "t/looks"}).of("aws:codebuild/project:Project")
    given = {
        project.inputs["name"]: [
            variable["value"]
            for variable in project.inputs["environment"].get("environmentVariables", ())
            if variable.get("name") == "PULUMI_ACCESS_TOKEN"
        ]
        for project in projects
    }
    looking = {name for name in given if "-deploy-" not in name and "-test-" not in name}
    assert {name for name, secrets in given.items() if secrets == ["t/looks"]} == looking
    assert {name for name, secrets in given.items() if secrets == ["t/deploys"]} == {
        name for name in given if "-deploy-" in name
    }
    assert len(looking) >= 2
