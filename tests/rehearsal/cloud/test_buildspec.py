"""Reading buildspecs, packing files, and the shell alone."""

import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from pip._internal.commands import create_command

from rehearsal.cloud.services.codebuild.artifacts import ArtifactError, collect, pack, unpack
from rehearsal.cloud.services.codebuild.buildspec import ArtifactSpec, BuildspecError, parse_buildspec
from rehearsal.cloud.services.codebuild.environment import image_environment, pulumi_home, split_secret
from rehearsal.cloud.services.codebuild.shell import Session


def test_everything_is_read() -> None:
    spec = parse_buildspec(
        """
version: 0.2
env:
  shell: bash
  variables: {A: 1, B: true}
  exported-variables: [A]
phases:
  install: {runtime-versions: {python: 3.12}}
  build: {on-failure: ABORT, commands: [x], finally: [y]}
artifacts:
  files: ['**/*']
  discard-paths: yes
  secondary-artifacts: {Two: {files: [z], base-directory: d}}
"""
    )
    assert (spec.shell, spec.python, spec.exported) == ("bash", "3.12", ("A",))
    assert spec.variables == {"A": "1", "B": "true"}
    assert spec.phases["build"].commands == ("x",)
    assert spec.phases["build"].always == ("y",)
    assert spec.artifacts == ArtifactSpec(("**/*",), discard_paths=True)
    assert spec.secondary_artifacts["Two"].base_directory == "d"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[]", "expected a mapping"),
        ("version: 0.2", "at least one phase"),
        ("version: 0.2\nphases: {deploy: {commands: [a]}}", "unknown key 'deploy'"),
        ("version: 0.2\nphases: {build: {commands: a}}", "expected a list"),
        ("version: 0.2\nphases: {build: {commands: [a], on-failure: RETRY}}", "not implemented by the rehearsal"),
        ("version: 0.2\nreports: {r: {files: [a]}}\nphases: {build: {commands: [a]}}", "not implemented"),
        ("version: 0.2\nenv: {shell: fish}\nphases: {build: {commands: [a]}}", "'fish' is not one of"),
        ("version: 0.2\nphases: {install: {runtime-versions: {nodejs: 20}}}", "'nodejs' is not implemented"),
        ("version: 0.2\nartifacts: {name: x}\nphases: {build: {commands: [a]}}", "at least one file pattern"),
    ],
)
def test_what_codebuild_refuses_is_refused(text: str, message: str) -> None:
    with pytest.raises(BuildspecError, match=message):
        parse_buildspec(text)


def test_artifacts_keep_names_and_modes(tmp_path: Path) -> None:
    source = tmp_path / "source"
    (source / "a/b").mkdir(parents=True)
    (source / "a/b/run.sh").write_text("x")
    (source / "a/b/run.sh").chmod(0o755)
    (source / "a/skip.pyc").write_text("")
    spec = ArtifactSpec(("**/*",), base_directory="a", exclude_paths=("*.pyc",))
    files = collect(spec, source)
    assert [name for _, name in files] == ["b/run.sh"]
    unpack(pack(files), tmp_path / "target")
    assert (tmp_path / "target/b/run.sh").stat().st_mode & 0o111
    assert [name for _, name in collect(ArtifactSpec(("a/**",), discard_paths=True), source)] == ["run.sh", "skip.pyc"]
    with pytest.raises(ArtifactError, match="no matching artifact paths"):
        collect(ArtifactSpec(("*.none",)), source)
    with pytest.raises(ArtifactError, match="no matching base directory"):
        collect(ArtifactSpec(("*",), base_directory="none"), source)
    with pytest.raises(ArtifactError, match="not a zip archive"):
        unpack(b"no zip", tmp_path / "other")


def test_secret_references() -> None:
    arn = "arn:aws:secretsmanager:eu-west-1:111111111111:secret:s-abc"
    assert split_secret("s:key:AWSCURRENT:v1") == ("s", "key", "AWSCURRENT", "v1")
    assert split_secret("s") == ("s", "", "", "")
    assert split_secret(f"{arn}:key") == (arn, "key", "", "")


def test_image_brings_tools_and_no_administrators_settings() -> None:
    given = {
        "PATH": "/bin",
        "PULUMI_HOME": "/h",
        "PULUMI_BACKEND_URL": "file:///s",
        "PULUMI_CONFIG_PASSPHRASE": "p",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "AWS_ENDPOINT_URL": "http://x",
        "AWS_ACCESS_KEY_ID": "k",
        "AWS_CONFIG_FILE": "/c",
        "HOME": "/me",
    }
    brought = image_environment(given)
    assert set(brought) & set(given) == {"PATH", "PULUMI_SKIP_UPDATE_CHECK"}


def test_the_images_pip_reaches_for_no_index_and_looks_for_no_conflicts(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in image_environment({}).items():
        monkeypatch.setenv(name, value)
    options, _ = create_command("install").parse_args([])
    assert (options.no_index, options.warn_about_conflicts) == (True, False)


def test_a_build_has_the_images_plugins_and_no_login(tmp_path: Path) -> None:
    theirs, home = tmp_path / "theirs", tmp_path / "home"
    (theirs / "plugins" / "resource-aws-v7").mkdir(parents=True)
    (theirs / "credentials.json").write_text("{}")
    home.mkdir()
    own = Path(pulumi_home(home, {"PULUMI_HOME": str(theirs)})["PULUMI_HOME"])
    assert (own / "plugins" / "resource-aws-v7").is_dir()
    assert not (own / "credentials.json").exists()
    (theirs / "logs").touch()
    with pytest.raises(FileExistsError):
        (own / "logs").mkdir()
    assert pulumi_home(home, {}) == {}


def started(argv: list[str], **options: Any) -> subprocess.Popen[bytes]:
    return subprocess.Popen(argv, start_new_session=True, **options)


def test_shell_ends_at_its_deadline_with_its_children(tmp_path: Path) -> None:
    lines: list[str] = []
    env = {"PATH": "/usr/bin:/bin", "CODEBUILD_BUILD_ID": f"test:{tmp_path.name}"}
    session = Session("bash", env, tmp_path, tmp_path / "state", lines.append, lambda: False, started)
    assert session.run("echo out; echo err >&2; printf '\\n\\nlast'") == 0
    assert lines == ["out", "err", "", "", "last"]
    with pytest.raises(TimeoutError):
        session.run("sleep 600", deadline=time.monotonic() + 0.3)
    assert session.run("echo never") == 137
    assert lines[-1] == "last"


def test_shell_survives_a_command_that_replaces_it(tmp_path: Path) -> None:
    lines: list[str] = []
    session = Session("bash", {"PATH": "/usr/bin:/bin"}, tmp_path, tmp_path / "s", lines.append, lambda: False, started)
    assert session.run("export KEPT=1") == 0
    assert session.run("set -e; false; echo never") == 1
    assert session.run("exec false") == 1
    assert session.run('echo "kept $KEPT"') == 0
    assert lines == ["kept 1"]
    session.kill()
