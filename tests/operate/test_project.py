"""A project's environments have any names: every command sees those of the config, and a faulty config is one line."""

import dataclasses
import json
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import pytest
import typer
import yaml
from typer.testing import CliRunner, Result

from cli import bootstrap, invoke, place, preview, promote, releases, rollback, status
from contracts.errors import UserError
from operate import ROOT, engine
from operate import clients as clients_module
from operate.project import Project, environment, read_project

PROJECTS = [("staging", "prod"), ("dev", "staging", "live")]
"""One without dev, and one whose production has another name."""

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes a project's stack files; `text` is a line of the config as somebody wrote it, instead of a sound one."""

    def project(environments: Sequence[str] | None, text: str = "") -> Path:
        stacks = ["delivery", *(environments or ("dev", "prod"))]
        config: dict[str, Any] = {
            "aws:region": "eu-west-1",
            "glidepath:name": "taxi",
            "glidepath:accounts": {stack: str(number) * 12 for number, stack in enumerate(stacks, 1)},
        }
        if environments is not None:
            config["glidepath:environments"] = list(environments)
        config.pop(text.partition(": ")[0], None)
        for stack in stacks:
            lines = yaml.safe_dump({"config": config}, sort_keys=False)
            (tmp_path / f"Pulumi.{stack}.yaml").write_text(f"{lines}  {text}\n")
        return tmp_path

    return project


class Absent(Exception):
    """What every service of an account without anything answers."""


class Cloud:
    """Accounts with a state key, and nothing else; remembers which stack's were asked."""

    asked: frozenset[str] = frozenset()

    def __init__(self, _: Project) -> None:
        """Every account is alike."""

    def of(self, stack: str, service: str) -> Any:
        Cloud.asked |= {stack}
        client = MagicMock(name=f"{stack} {service}")
        for error in (
            "ParameterNotFound",
            "ResourceNotFoundException",
            "PipelineNotFoundException",
            "PipelineExecutionNotFoundException",
            "ApplicationDoesNotExistException",
            "DeploymentGroupDoesNotExistException",
            "NoSuchBucket",
        ):
            setattr(client.exceptions, error, Absent)
        client.list_objects_v2.side_effect = Absent
        client.get_metric_data.return_value = {"MetricDataResults": []}
        client.get_alias.side_effect = client.list_pipeline_executions.side_effect = Absent
        if service in ("ssm", "codedeploy"):
            client.get_paginator.return_value.paginate.side_effect = Absent
        return client


@pytest.fixture(params=PROJECTS, ids="-".join)
def environments(request: pytest.FixtureRequest, write: Write, monkeypatch: pytest.MonkeyPatch) -> tuple[str, ...]:
    """A project that the commands find, in accounts where nothing serves yet."""
    named: tuple[str, ...] = request.param
    root = write(named)
    monkeypatch.setattr(place, "ROOT", root)
    monkeypatch.setattr(clients_module, "Clients", Cloud)
    monkeypatch.setattr(Cloud, "asked", frozenset())
    return named


def run(app: typer.Typer, *arguments: str) -> Result:
    return CliRunner().invoke(app, [*arguments, "--aws"])


def refusal(result: Result) -> UserError:
    assert isinstance(result.exception, UserError), result.output
    return result.exception


@pytest.mark.parametrize("environments", [("dev", "prod"), *PROJECTS], ids="-".join, indirect=True)
def test_environments_are_those_of_the_config(environments: tuple[str, ...]) -> None:
    project = read_project(place.ROOT)
    assert project.names.stacks == ["delivery", *environments]
    assert project.production == environments[-1]
    assert list(project.names.accounts.values()) == [str(n) * 12 for n in range(1, len(environments) + 2)]


def test_a_config_that_names_no_environment_has_dev_and_prod(write: Write) -> None:
    assert read_project(write(None)).names.environments == ["dev", "prod"]
    assert read_project(write(None, "glidepath:environments: ")).names.environments == ["dev", "prod"]


def test_status_has_a_line_for_staging(environments: tuple[str, ...]) -> None:
    done = run(status.app)
    assert done.exit_code == 0, done.output
    lines = [f"{stack:<10} serves no release" for stack in environments]
    assert done.output.splitlines() == [*lines, "pipeline   no run yet", "retraining nothing has asked for one yet"]
    shown = json.loads(run(status.app, "--json").output)
    assert [entry["stack"] for entry in shown["environments"]] == list(environments)


def test_bootstrap_prints_the_init_of_staging(environments: tuple[str, ...]) -> None:
    done = run(bootstrap.app)
    assert done.exit_code == 0, done.output
    inits = [line.split()[3] for line in done.output.splitlines() if "pulumi stack init" in line]
    assert inits == ["delivery", *environments]
    assert "profile=" not in done.output, "a build has no profile of that name"
    (backend,) = [line.split("'")[1] for line in done.output.splitlines() if line.startswith("  pulumi login")]
    (state,) = [line for line in done.output.splitlines() if line.startswith("  glidepath:state: ")]
    assert yaml.safe_load(state) == {"glidepath:state": {"backend": backend}}
    assert Cloud.asked == {"delivery"}


def test_releases_are_listed_for_staging(environments: tuple[str, ...]) -> None:
    done = run(releases.app, "staging")
    assert done.exit_code == 0, done.output
    assert done.output == "staging knows no release yet\n"
    assert Cloud.asked == {"delivery", "staging"}


def test_rollback_looks_at_staging(environments: tuple[str, ...]) -> None:
    assert "staging serves no release" in refusal(run(rollback.app, "staging", "--yes")).message
    assert Cloud.asked == {"staging"}


def test_promote_reads_the_config_of_staging(environments: tuple[str, ...]) -> None:
    assert refusal(run(promote.app, "staging", "rival")).message == "Pulumi.staging.yaml names no variant 'rival'"


def test_invoke_asks_staging_and_by_default_production(
    environments: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "outputs", lambda *_, **__: {})
    assert refusal(run(invoke.app, "--stack", "staging")).message == "staging serves no release yet"
    assert refusal(run(invoke.app)).message == f"{environments[-1]} serves no release yet"


def test_preview_is_asked_of_staging(environments: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def play(arguments: Sequence[str], *_: Any) -> subprocess.CompletedProcess[str]:
        asked.append(arguments[arguments.index("--stack") + 1])
        return subprocess.CompletedProcess(arguments, 0, json.dumps({"config": {}, "steps": []}), "")

    monkeypatch.setattr(engine, "run", play)
    done = run(preview.app, "--stack", "staging")
    assert (done.exit_code, asked) == (0, ["staging"]), done.output
    assert "staging" in done.output
    wrong = refusal(run(preview.app, "--stack", "stagin"))
    assert wrong.fix == f"choose one of: {', '.join(sorted(['delivery', *environments]))}"


@pytest.mark.parametrize(
    ("app", "arguments"),
    [
        (releases.app, ["stagin"]),
        (rollback.app, ["stagin"]),
        (promote.app, ["stagin", "rival"]),
        (invoke.app, ["--stack", "stagin"]),
    ],
)
def test_an_unknown_environment_is_answered_with_those_that_exist(
    environments: tuple[str, ...], app: typer.Typer, arguments: list[str]
) -> None:
    error = refusal(run(app, *arguments))
    assert error.message == "there is no environment 'stagin'"
    assert error.fix == f"choose one of: {', '.join(environments)}"
    with pytest.raises(UserError):
        environment(read_project(place.ROOT), "delivery")


def matrices() -> dict[str, list[str]]:
    """The stacks that the CI's files name, by job: what docs/ci.md says is edited for other environments."""
    github = {
        job: yaml.safe_load((ROOT / f".github/workflows/{job}.yml").read_text())["jobs"][job]["strategy"]["matrix"]
        for job in ("preview", "drift")
    }
    gitlab = yaml.safe_load((ROOT / ".gitlab-ci.yml").read_text())
    return {f"github {job}": matrix["stack"] for job, matrix in github.items()} | {
        f"gitlab {job}": gitlab[job]["parallel"]["matrix"][0]["STACK"] for job in ("preview", "drift")
    }


def test_the_matrices_of_ci_name_the_environments_of_the_config() -> None:
    names = read_project(ROOT).names
    wanted = {"preview": sorted(names.stacks), "drift": sorted(names.environments)}
    assert {job: sorted(stacks) for job, stacks in matrices().items()} == {
        f"{host} {job}": stacks for host in ("github", "gitlab") for job, stacks in wanted.items()
    }


IN_QUOTES = 'put it in quotes, like "011111111111"'
OCTAL = "YAML reads digits without quotes as a number, and those that begin with 0 as an octal one"


@dataclasses.dataclass(frozen=True)
class Fault:
    """Lines of a config, and what a person reads of them; `{path}` is the file."""

    text: str
    message: str
    fix: str


FAULTS = [
    Fault(
        "glidepath:environments: staging",
        "glidepath:environments in {path} is 'staging', which is not a list",
        "write the stacks as a list, like [staging, prod]",
    ),
    Fault(
        "glidepath:environments: 3",
        "glidepath:environments in {path} is 3, which is not a list",
        "write the stacks as a list, like [staging, prod]",
    ),
    Fault(
        "glidepath:environments: {staging: 1}",
        "glidepath:environments in {path} is {'staging': 1}, which is not a list",
        "write the stacks as a list, like [staging, prod]",
    ),
    Fault(
        "glidepath:environments: false",
        "glidepath:environments in {path} is False, which is not a list",
        "write the stacks as a list, like [staging, prod]",
    ),
    Fault(
        "glidepath:environments: []",
        "glidepath:environments in {path} is []: a release has nowhere to go",
        "name at least one stack, like [prod]",
    ),
    Fault(
        "glidepath:environments: [staging, prod, staging]",
        "glidepath:environments in {path} is ['staging', 'prod', 'staging'], which names staging more than once",
        "name each stack once",
    ),
    Fault(
        "glidepath:environments: [delivery, prod]",
        "glidepath:environments in {path} is ['delivery', 'prod'], and delivery is no environment: it holds the"
        " pipeline",
        "take it out",
    ),
    Fault(
        "glidepath:environments: [on, prod]",
        "glidepath:environments in {path} is [True, 'prod'], and True in it is not a text",
        "name each stack by a text, like staging",
    ),
    Fault(
        'glidepath:accounts: "111111111111"',
        "glidepath:accounts in {path} is '111111111111', which is not an object",
        'give each stack its account, like {delivery: "111111111111", prod: "333333333333"}',
    ),
    Fault(
        "glidepath:accounts: [111111111111]",
        "glidepath:accounts in {path} is [111111111111], which is not an object",
        'give each stack its account, like {delivery: "111111111111", prod: "333333333333"}',
    ),
    Fault(
        "glidepath:accounts: {delivery: 011111111111}",
        f"glidepath:accounts.delivery in {{path}} is the number 1227133513, not 12 digits: {OCTAL}",
        IN_QUOTES,
    ),
    Fault(
        "glidepath:accounts: {delivery: 000000000012}",
        f"glidepath:accounts.delivery in {{path}} is the number 10, not 12 digits: {OCTAL}",
        IN_QUOTES,
    ),
    Fault(
        "glidepath:accounts: {delivery: }",
        "glidepath:accounts.delivery in {path} is None, which is not an account id",
        IN_QUOTES,
    ),
    Fault(
        'glidepath:accounts: {delivery: "111111111111", prod: "222222222222"}',
        "glidepath:accounts in {path} lacks staging",
        "give each stack its 12-digit account id",
    ),
]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.text)
def test_a_faulty_config_is_one_line_with_value_reason_and_fix(write: Write, fault: Fault) -> None:
    root = write(["staging", "prod"], fault.text)
    with pytest.raises(UserError) as caught:
        read_project(root)
    assert caught.value.message == fault.message.replace("{path}", str(root / "Pulumi.delivery.yaml"))
    assert caught.value.fix == fault.fix
    assert "\n" not in caught.value.message + caught.value.fix


def test_an_account_id_without_quotes_is_read_while_it_keeps_its_digits(write: Write) -> None:
    root = write(["prod"], 'glidepath:accounts: {delivery: 111111111111, prod: "011111111111"}')
    assert read_project(root).names.accounts == {"delivery": "111111111111", "prod": "011111111111"}


@pytest.mark.parametrize("text", ["config: 3", "[config]", "3"])
def test_a_config_that_is_no_object_is_refused(write: Write, text: str) -> None:
    path = write(["prod"]) / "Pulumi.delivery.yaml"
    path.write_text(text)
    with pytest.raises(UserError) as caught:
        read_project(path.parent)
    assert caught.value.fix == "write `config:` and the keys under it"


def test_a_missing_key_is_named(write: Write) -> None:
    path = write(["prod"]) / "Pulumi.delivery.yaml"
    path.write_text("")
    with pytest.raises(UserError) as caught:
        read_project(path.parent)
    assert caught.value.message == f"{path} lacks 'glidepath:name'"
