"""The CI files themselves: valid, pinned, with no more rights than they need, and nothing for a fork's code.

What these tests do not prove: that GitHub and GitLab run them as their documentation says.
"""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from cli.main import commands
from tests.ci import actionlint
from tests.ci.workflows import GITHUB, GITLAB, ROOT, gitlab_jobs, load, workflow

JOBS = [
    pytest.param(path, name, job, id=f"{path.stem}:{name}")
    for path in GITHUB
    for name, job in load(path)["jobs"].items()
]
PINNED = re.compile(r"uses: [\w.-]+/[\w./-]+@[0-9a-f]{40}  # v\d+\.\d+\.\d+$")


def test_every_workflow_is_there() -> None:
    assert [path.stem for path in GITHUB] == ["checks", "deliver", "drift", "preview"]


def test_actionlint_finds_nothing() -> None:
    program = actionlint.find()
    if program is None:
        pytest.skip("actionlint is neither on PATH nor can it be built (that needs Go and its module proxy)")
    done = subprocess.run([program, "-no-color", *GITHUB], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("arguments", "files"),
    [
        (["--builtin-schema", "vendor.github-workflows"], GITHUB),
        (["--builtin-schema", "custom.github-workflows-require-timeout"], GITHUB),
        (["--builtin-schema", "vendor.gitlab-ci", "--data-transform", "gitlab-ci"], [GITLAB]),
    ],
    ids=["github", "github timeouts", "gitlab"],
)
def test_the_files_meet_their_schemas(arguments: list[str], files: list[Path]) -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--no-cache", *arguments, *map(str, files)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("path", GITHUB, ids=lambda path: path.stem)
def test_actions_are_pinned_by_commit_with_their_version(path: Path) -> None:
    lines = [line.strip().removeprefix("- ") for line in path.read_text().splitlines() if "uses:" in line]
    assert [line for line in lines if not PINNED.fullmatch(line)] == []


def test_one_action_has_one_pin() -> None:
    pins: dict[str, set[str]] = {}
    for path in GITHUB:
        for action, pin in re.findall(r"uses: ([\w/-]+)@(\S+)", path.read_text()):
            pins.setdefault(action, set()).add(pin)
    assert {action: len(found) for action, found in pins.items()} == dict.fromkeys(pins, 1)
    assert set(pins) == {"actions/checkout", "actions/setup-python"}


@pytest.mark.parametrize("path", GITHUB, ids=lambda path: path.stem)
def test_a_workflow_starts_without_rights_and_limits_its_runs(path: Path) -> None:
    document = load(path)
    assert document["permissions"] in ({}, {"contents": "read"})
    assert document["concurrency"]["group"]


@pytest.mark.parametrize(("path", "name", "job"), JOBS)
def test_a_job_has_a_limit_and_only_the_rights_it_needs(path: Path, name: str, job: dict[str, Any]) -> None:
    assert job["timeout-minutes"] <= 60
    logs_in = "ci login" in str(job["steps"])
    comments = "ci preview" in str(job["steps"])
    expected = {"contents": "read"} | ({"id-token": "write"} if logs_in else {})
    expected |= {"pull-requests": "write"} if comments else {}
    assert job.get("permissions", expected if not logs_in else None) == expected


@pytest.mark.parametrize(("path", "name", "job"), JOBS)
def test_a_checkout_leaves_no_credentials_behind(path: Path, name: str, job: dict[str, Any]) -> None:
    for step in job["steps"]:
        if str(step.get("uses", "")).startswith("actions/checkout@"):
            assert step["with"]["persist-credentials"] is False


@pytest.mark.parametrize("path", GITHUB, ids=lambda path: path.stem)
def test_no_workflow_runs_a_requests_code_with_the_repositorys_rights(path: Path) -> None:
    text = path.read_text()
    triggers = load(path)[True]
    assert "pull_request_target" not in triggers
    assert "workflow_run" not in triggers
    assert "secrets." not in text


def test_only_requests_from_the_repository_itself_log_in() -> None:
    for path in GITHUB:
        document = load(path)
        if "pull_request" not in document[True]:
            continue
        for job in document["jobs"].values():
            if "ci login" in str(job["steps"]):
                assert job["if"].startswith("github.event.pull_request.head.repo.full_name == github.repository && ")


def test_a_forks_request_learns_why_it_has_no_preview() -> None:
    fork = workflow("preview")["jobs"]["fork"]
    assert fork["if"] == "github.event.pull_request.head.repo.full_name != github.repository"
    assert not any("uses" in step for step in fork["steps"])
    assert workflow("preview")["permissions"] == {}


@pytest.mark.parametrize("path", GITHUB, ids=lambda path: path.stem)
def test_nothing_that_an_outsider_writes_is_put_into_a_script(path: Path) -> None:
    """Titles, branch names and the like reach a shell as variables: an expression in a script would run them."""
    for job in load(path)["jobs"].values():
        for step in job["steps"]:
            assert "${{" not in step.get("run", "")


@pytest.mark.parametrize("name", gitlab_jobs())
def test_gitlab_gives_a_token_only_to_jobs_that_are_kept_to_the_project(name: str) -> None:
    job = gitlab_jobs()[name]
    if "id_tokens" not in job:
        assert "ci " not in str(job["script"])
        return
    assert job["id_tokens"] == {"GLIDEPATH_ID_TOKEN": {"aud": "sts.amazonaws.com"}}
    (rule,) = job["rules"]
    bound = {
        "preview": "$CI_MERGE_REQUEST_SOURCE_PROJECT_ID == $CI_PROJECT_ID",
        "deliver": "$CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH",
        "drift": '$CI_PIPELINE_SOURCE == "schedule"',
    }
    assert bound[name] in rule["if"]
    assert "$PULUMI_BACKEND_URL" in rule["if"]


def _scripts() -> list[str]:
    github = [
        step["run"] for path in GITHUB for job in load(path)["jobs"].values() for step in job["steps"] if "run" in step
    ]
    return github + [line for job in gitlab_jobs().values() for line in job["script"]]


@pytest.mark.parametrize("script", sorted(set(_scripts())))
def test_steps_are_the_commands_that_people_call(script: str) -> None:
    targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    known = {f"make {target}" for target in targets} | {f"./glidepath {name}" for name in commands()}
    if "GITHUB_STEP_SUMMARY" in script or script.startswith("git fetch "):
        return
    assert "\n" not in script
    assert any(script == name or script.startswith(f"{name} ") for name in known), script


def test_both_hosts_run_the_same_commands() -> None:
    def normal(scripts: list[str]) -> set[str]:
        plain = {re.sub(r'"origin/\$\w+"', '"origin/BASE"', script) for script in scripts}
        return {script for script in plain if script.startswith(("make ", "./glidepath "))}

    github = [
        step["run"] for path in GITHUB for job in load(path)["jobs"].values() for step in job["steps"] if "run" in step
    ]
    gitlab = [line for job in gitlab_jobs().values() for line in job["script"]]
    assert normal(github) == normal(gitlab)
