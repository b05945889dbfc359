"""Starting the engine: which one is found, what it is given, and what a person reads where there is none.

The engine is a script here; the real one runs in tests/scenarios.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from contracts.errors import UserError
from operate import ROOT, engine

SHOW = '#!/bin/sh\necho "$0" "$@"\necho "$PATH" "$PULUMI_SKIP_UPDATE_CHECK"\n'
PLAIN = "--non-interactive --color never"


def script(folder: Path, text: str = SHOW) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "pulumi"
    path.write_text(text)
    path.chmod(0o755)
    return path


def test_the_engine_on_path_comes_first(tmp_path: Path) -> None:
    own = script(tmp_path / "own")
    script(tmp_path / "rehearsal" / "bin")
    path = f"{own.parent}:/usr/bin:/bin"
    done = engine.run(["about"], tmp_path, {"PATH": path, "GLIDEPATH_FOLDER": str(tmp_path / "rehearsal")})
    assert done.stdout.splitlines() == [f"{own} {PLAIN} about", f"{path} true"]


def test_else_the_built_one_runs_with_its_language_host_and_our_interpreter(tmp_path: Path) -> None:
    built = script(tmp_path / "rehearsal" / "bin")
    done = engine.run(["about"], tmp_path, {"PATH": "/bin", "GLIDEPATH_FOLDER": str(tmp_path / "rehearsal")})
    path = f"{built.parent}:{Path(sys.executable).parent}:/bin"
    assert done.stdout.splitlines() == [f"{built} {PLAIN} about", f"{path} true"]


def test_without_one_there_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(UserError) as caught:
        engine.start(["up"], tmp_path, {"PATH": "/nowhere", "GLIDEPATH_FOLDER": str(tmp_path)})
    assert str(caught.value) == (
        "pulumi is not on PATH\n  install it (https://www.pulumi.com/docs/install/), or have it built: make setup"
    )


def test_deploy_without_an_engine_says_so(tmp_path: Path) -> None:
    """It ended with a FileNotFoundError and its traceback."""
    done = subprocess.run(
        [sys.executable, "-m", "cli", "deploy", "--stack", "prod", "--release", "s3://a/manifest.json"],
        cwd=ROOT,
        env={"PATH": str(tmp_path), "HOME": os.environ["HOME"], "GLIDEPATH_FOLDER": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "glidepath: pulumi is not on PATH\n"
        "  install it (https://www.pulumi.com/docs/install/), or have it built: make setup\n"
    )


def test_outputs_that_cannot_be_had_are_explained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script(tmp_path, "#!/bin/sh\necho 'error: no stack named prod' >&2\nexit 1\n")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UserError) as caught:
        engine.outputs("prod", tmp_path)
    assert str(caught.value) == "pulumi stack output failed:\nerror: no stack named prod"


def test_outputs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script(tmp_path, '#!/bin/sh\nshift 3\necho "{\\"asked\\": \\"$*\\"}"\n')
    monkeypatch.setenv("PATH", str(tmp_path))
    assert engine.outputs("prod", tmp_path) == {"asked": "stack output --json --stack prod"}
    assert engine.outputs("prod", tmp_path, secrets=True)["asked"].endswith("--stack prod --show-secrets")


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("Resources\nDiagnostics:\n  a\n", "Diagnostics:\n  a"),
        ("Resources\nPolicies:\n  b\nDiagnostics:\n  a\n", "Policies:\n  b\nDiagnostics:\n  a"),
        ("\n".join(map(str, range(50))), "\n".join(map(str, range(10, 50)))),
    ],
)
def test_diagnostics_leave_the_resources_out(text: str, kept: str) -> None:
    assert engine.diagnostics(text) == kept
