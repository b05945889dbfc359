"""The shell steps of the CI files, run as they stand against a rehearsed cloud, under the roles that CI would have.

The rehearsal signs the identity tokens, and a stand-in of the host's API keeps the comments. What is not run here is
`make check`, `make policies` and `make test` (this test is part of the last one), and what the hosts do around steps.
"""

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from definitions.roles.ci import Repository
from operate.bootstrap import place
from operate.clients import Clients
from operate.project import Project, read_project
from rehearsal.cloud.process import lifecycle
from rehearsal.environment import Rehearsal, token
from scenarios.faults.program import copy_program
from scenarios.tour import conduct
from scenarios.tour.display import Display
from scenarios.workplace import with_state
from settings import HOSTS
from tests.ci.api import Api, serving
from tests.ci.workflows import ROOT, Step, gitlab_steps, resolve, run_steps

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1500)]
REPOSITORY = Repository("github", "owner/name", "main", HOSTS["github"])
CI = {"provider": "github", "repository": REPOSITORY.path}
SKIPPED = ("make ",)


@dataclass(frozen=True)
class Walked:
    """The README's way to real accounts, as an administrator has walked it: home, its variables, and what was said."""

    home: Path
    environ: dict[str, str]
    said: list[str]


def walk(rehearsal: Rehearsal, project: Project, root: Path) -> Walked:
    """Each command of the README's way from an empty cloud to foundations, in an administrator's shell.

    It has nothing of the rehearsal's but the endpoint, credentials, and a provider that need not be downloaded: the
    engine asks the system for the user's home, whatever HOME says, so its own is named.
    """
    home = root.parent / "home"
    shutil.copytree(rehearsal.aws_config.parent, home / ".aws")
    (home / ".pulumi").mkdir()
    (home / ".pulumi" / "plugins").symlink_to(rehearsal.pulumi_home / "plugins")
    path = os.pathsep.join([str(root / ".venv" / "bin"), str(rehearsal.bin), os.defpath])
    environ = {
        "HOME": str(home),
        "PULUMI_HOME": str(home / ".pulumi"),
        "PATH": path,
        "AWS_ENDPOINT_URL": rehearsal.endpoint,
    }
    said = []

    def shell(script: str) -> str:
        done = subprocess.run(
            ["bash", "-eo", "pipefail", "-c", script],
            cwd=root,
            env=environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        assert done.returncode == 0, f"$ {script}\n{done.stdout}{done.stderr}"
        said.append(done.stdout)
        return done.stdout

    printed = shell("./glidepath bootstrap --aws").splitlines()
    commands = [line.strip() for line in printed if line.startswith(("  export ", "  pulumi "))]
    (setting,) = [line for line in printed if line.startswith("  glidepath:state: ")]
    config = root / "Pulumi.delivery.yaml"
    config.write_text(with_state(config.read_text(), yaml.safe_load(setting)["glidepath:state"]))
    shell("\n".join(commands))
    _git(root, "commit", "--quiet", "--all", "--message", "where the state is, and what opens it")
    _git(root, "update-ref", "refs/remotes/origin/main", "HEAD")
    for stack in project.names.stacks:
        shell(f"{commands[0]}\npulumi up -s {stack} --yes --skip-preview --non-interactive")
    return Walked(home, environ, said)


@dataclass
class World:
    """Three foundations in a rehearsed cloud, and a checkout that a CI would have: a branch beside `origin/main`."""

    rehearsal: Rehearsal
    project: Project
    clients: Clients
    walked: Walked
    root: Path
    api: Api

    def environ(self, subject: str, **more: str) -> dict[str, str]:
        """What a job of GitHub's finds: nobody's keys, an address for its token, the state's address."""
        event = self.root.parent / "event.json"
        event.write_text('{"pull_request": {"number": 7}}')
        address = f"{self.rehearsal.endpoint}/_rehearsal/identity-token?host={REPOSITORY.host}&subject={subject}"
        return {
            **self.rehearsal.tools(),
            "PULUMI_BACKEND_URL": place(self.project).backend,
            "GITHUB_ACTIONS": "true",
            "GITHUB_API_URL": self.api.url,
            "GITHUB_REPOSITORY": REPOSITORY.path,
            "GITHUB_RUN_ID": "99",
            "GITHUB_EVENT_PATH": str(event),
            "GITHUB_BASE_REF": "main",
            "GITHUB_STEP_SUMMARY": str(self.root.parent / "summary.md"),
            "ACTIONS_ID_TOKEN_REQUEST_URL": address,
            "ACTIONS_ID_TOKEN_REQUEST_TOKEN": token(self.rehearsal.secret()),
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            **more,
        }

    def run(self, step: Step, environ: dict[str, str], **values: str) -> "subprocess.CompletedProcess[str]":
        """A step as GitHub runs it: a bash of its own that stops at the first error."""
        known = {"github.workspace": str(self.root), "github.token": self.api.token} | values
        known["vars.PULUMI_BACKEND_URL"] = place(self.project).backend
        own = {name: resolve(value, known) for name, value in step.environ.items()}
        return subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step.script],
            cwd=self.root,
            env=environ | own,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )

    def job(self, name: str, job: str, subject: str, **values: str) -> list["subprocess.CompletedProcess[str]"]:
        """All steps of a job until one fails; what only sets the machine up is left out."""
        shutil.rmtree(self.root / ".ci", ignore_errors=True)
        done = []
        for step in run_steps(name, job):
            if step.script.startswith(SKIPPED):
                continue
            done.append(self.run(step, self.environ(subject), **values))
            if done[-1].returncode:
                break
        return done


def _git(root: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=test", "-c", "user.email=test@example.com"]
    subprocess.run(["git", *identity, *arguments], cwd=root, check=True, capture_output=True)


def _checkout(folder: Path) -> Path:
    """A repository of its own, with CI configured in every stack."""
    root = copy_program(ROOT, folder / "checkout")
    for path in root.glob("Pulumi.*.yaml"):
        document: dict[str, Any] = yaml.safe_load(path.read_text())
        document["config"]["glidepath:ci"] = CI
        path.write_text(yaml.safe_dump(document, sort_keys=False))
    _git(root, "init", "--quiet", "--initial-branch", "main")
    _git(root, "add", "--all")
    _git(root, "commit", "--quiet", "--message", "first")
    _git(root, "update-ref", "refs/remotes/origin/main", "HEAD")
    os.symlink(ROOT / ".venv", root / ".venv")  # what `make setup` makes, here once for all
    return root


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("ci")
    root = _checkout(folder)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    rehearsal = Rehearsal(root=root, folder=folder / "rehearsal", port=port)
    project = read_project(root)
    try:
        conduct.prepare(rehearsal, project, Display())
        with pytest.MonkeyPatch.context() as patch, serving() as api:
            for name, value in rehearsal.environ().items():
                patch.setenv(name, value)
            clients = Clients(project)
            walked = walk(rehearsal, project, root)
            # What comes after it is CI's, and the administrator's again.
            shutil.copy(walked.home / ".pulumi" / "credentials.json", rehearsal.pulumi_home)
            yield World(rehearsal, project, clients, walked, root, api)
    finally:
        lifecycle.stop(rehearsal)


def test_the_readmes_way_to_real_accounts_leads_there(world: World) -> None:
    readme = (ROOT / "README.md").read_text()
    for command in ("./glidepath bootstrap", "pulumi login", "pulumi stack init", "pulumi up -s delivery"):
        assert command in readme
    bootstrap, _, *ups = world.walked.said
    assert "state bucket and key are ready" in bootstrap
    assert len(ups) == len(world.project.names.stacks)
    assert all("Resources:" in said for said in ups)
    again = subprocess.run(
        ["bash", "-c", "./glidepath bootstrap --aws"],
        cwd=world.root,
        env=world.walked.environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (again.returncode, again.stdout) == (0, bootstrap), "safe to repeat"
    s3 = world.clients.of("delivery", "s3")
    kept = s3.list_objects_v2(Bucket=place(world.project).bucket, Prefix=".pulumi/stacks/")["Contents"]
    found = {Path(entry["Key"]).name for entry in kept}
    assert {f"{stack}.json" for stack in world.project.names.stacks} <= found
    committed = yaml.safe_load((world.root / "Pulumi.prod.yaml").read_text())
    assert committed["secretsprovider"] == place(world.project).secrets_provider("prod")


REQUEST = "repo:owner/name:pull_request"
MAIN = "repo:owner/name:ref:refs/heads/main"


def output_of(done: "list[subprocess.CompletedProcess[str]]") -> str:
    return "\n".join(each.stdout + each.stderr for each in done)


def test_a_request_that_changes_nothing_gets_its_comment(world: World) -> None:
    done = world.job("preview", "preview", REQUEST, **{"matrix.stack": "dev"})
    assert [each.returncode for each in done] == [0, 0], output_of(done)
    (body,) = [text for text in world.api.notes.values() if text.startswith("<!-- glidepath:preview-dev -->")]
    assert "## Preview of `dev`" in body


def test_a_wider_role_is_refused_and_the_comment_says_why(world: World) -> None:
    roles = world.root / "definitions" / "roles" / "environment.py"
    text = roles.read_text()
    predict = "return [_invoke_endpoint(at), "
    assert predict in text
    roles.write_text(text.replace(predict, f'{predict}allow("Wide", ["s3:*"], ["*"]), '))
    try:
        done = world.job("preview", "preview", REQUEST, **{"matrix.stack": "dev"})
        where = f"--bucket {world.project.names.artifacts_bucket} --commit wider"
        built = world.run(Step("", f"python -m cli evidence --stack dev {where}", {}), world.rehearsal.environ())
    finally:
        roles.write_text(text)
    assert [each.returncode for each in done] == [0, 3], output_of(done)
    assert "a policy refuses this change of dev" in done[-1].stderr
    assert len(world.api.notes) == 1
    (body,) = world.api.notes.values()
    assert built.returncode == 3
    findings = [line.strip() for line in built.stderr.splitlines() if "s3:*" in line]
    assert findings
    for finding in findings:
        assert finding.partition(": ")[2] in body


def test_a_night_without_drift_passes_and_one_with_drift_says_what(world: World) -> None:
    calm = world.job("drift", "drift", MAIN, **{"matrix.stack": "dev"})
    assert [each.returncode for each in calm] == [0, 0], output_of(calm)
    iam = world.clients.of("dev", "iam")
    role = f"{world.project.names.name}-dev-predict"
    before = iam.get_role(RoleName=role)["Role"]["Description"]
    iam.update_role(RoleName=role, Description="changed by hand")
    try:
        found = world.job("drift", "drift", MAIN, **{"matrix.stack": "dev"})
    finally:
        iam.update_role(RoleName=role, Description=before)
    assert [each.returncode for each in found] == [0, 1], output_of(found)
    assert "dev has drifted" in found[-1].stderr
    assert "foundation-predict" in found[-1].stdout


def test_merged_code_reaches_the_pipeline(world: World) -> None:
    done = world.job("deliver", "deliver", MAIN)
    assert [each.returncode for each in done] == [0, 0], output_of(done)
    head = world.clients.of("delivery", "s3").head_object(
        Bucket=world.project.names.data_bucket, Key="source/source.zip"
    )
    assert f"version {head['VersionId']}" in done[-1].stdout


def test_a_request_can_neither_deliver_nor_write(world: World) -> None:
    done = world.job("deliver", "deliver", REQUEST)
    assert [each.returncode for each in done] == [0, 1]
    assert "Not authorized to perform sts:AssumeRoleWithWebIdentity" in done[-1].stderr
    world.job("preview", "preview", REQUEST, **{"matrix.stack": "dev"})
    script = 'aws() { python -c \'import boto3,sys; boto3.Session(profile_name=sys.argv[1]).client("s3").put_object('
    script += 'Bucket=sys.argv[2], Key="source/source.zip", Body=b"x")\' "$@"; }; aws "$1" "$2"'
    environ = world.environ(REQUEST, AWS_CONFIG_FILE=str(world.root / ".ci" / "aws-config"))
    tried = subprocess.run(
        ["bash", "-c", script, "bash", f"{world.project.names.name}-delivery", world.project.names.data_bucket],
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "AccessDenied" in tried.stderr


def test_gitlabs_steps_are_the_same_commands(world: World) -> None:
    """Run by GitLab's variables: the profiles are refused, since the project's config names GitHub."""
    shutil.rmtree(world.root / ".ci", ignore_errors=True)
    (login,) = [step for step in gitlab_steps("deliver") if "login" in step.script]
    environ = world.rehearsal.tools() | {
        "GITLAB_CI": "true",
        "CI_API_V4_URL": world.api.url,
        "CI_PROJECT_ID": "42",
        "CI_JOB_ID": "5",
        "AWS_CONFIG_FILE": str(world.root / ".ci" / "aws-config"),
    }
    done = world.run(Step("deliver", login.script, {}), environ)
    assert done.returncode == 1
    assert "names github in glidepath:ci, and this is gitlab" in done.stderr


def test_a_forks_note_is_written(world: World, tmp_path: Path) -> None:
    (step,) = run_steps("preview", "fork")
    summary = tmp_path / "summary.md"
    done = subprocess.run(["bash", "-e", "-c", step.script], env={"GITHUB_STEP_SUMMARY": str(summary)}, check=False)
    assert done.returncode == 0
    assert "no credentials reach a fork's code" in summary.read_text()
