"""The command line itself: finding commands, errors, exit codes."""

import subprocess
import sys
from pathlib import Path

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, NoCredentialsError, ProfileNotFound

import rehearsal.errors
from cli import main as cli_main
from cli.errors import FAILED, INTERRUPTED, USAGE, UserError
from cli.main import commands, main

ROOT = Path(__file__).resolve().parents[2]


def test_lists_every_command_with_its_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    out = capsys.readouterr().out
    for name, line in commands().items():
        assert name in out
        assert line, f"cli/{name}.py has no docstring"
        assert line in out


def test_without_arguments_the_overview_goes_to_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == USAGE
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "Commands:" in captured.err


def test_help_imports_no_command() -> None:
    code = "import sys; from cli.main import main; main(['--help']); print([m for m in sys.modules if m == 'typer'])"
    result = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert result.stdout.endswith("[]\n")


def test_only_modules_with_an_app_are_commands(tmp_path: Path) -> None:
    (tmp_path / "one_two.py").write_text('"""Does this.\n\nMore."""\napp = new_app()\n')
    (tmp_path / "errors.py").write_text('"""Helpers."""\napplication = 1\n')
    assert commands(tmp_path) == {"one-two": "Does this."}


@pytest.mark.parametrize(
    ("name", "hint"), [("exce", "Did you mean 'exec'?"), ("zzz", "`./glidepath --help` lists them.")]
)
def test_unknown_command(name: str, hint: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([name]) == USAGE
    assert capsys.readouterr().err == f"glidepath: there is no command {name!r}\n  {hint}\n"


def test_every_command_has_help(capsys: pytest.CaptureFixture[str]) -> None:
    for name in commands():
        assert main([name, "--help"]) == 0, name
        assert f"Usage: glidepath {name}" in capsys.readouterr().out


def test_unknown_option_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["status", "--nonsense"]) == USAGE
    assert "--nonsense" in capsys.readouterr().err


def test_user_error_is_one_line_and_its_fix(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(name: str, arguments: list[str]) -> int:
        raise UserError("port 80 is taken", "Choose another.", 5)

    monkeypatch.setattr(cli_main, "_run", fail)
    assert main(["exec", "true"]) == 5
    assert capsys.readouterr().err == "glidepath: port 80 is taken\n  Choose another.\n"


def test_the_rehearsals_own_error_is_printed_alike(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(name: str, arguments: list[str]) -> int:
        raise rehearsal.errors.UserError("port 80 is taken", "Choose another.", 5)

    monkeypatch.setattr(cli_main, "_run", fail)
    assert main(["exec", "true"]) == 5
    assert capsys.readouterr().err == "glidepath: port 80 is taken\n  Choose another.\n"


DEPLOYS = ("deploy", "package", "plan", "evidence")
"""What runs in CodeBuild."""


def test_what_runs_in_a_build_needs_no_rehearsal() -> None:
    code = (
        "import sys; sys.modules['rehearsal'] = sys.modules['scenarios'] = None\n"
        f"from cli.main import main\nfor name in {DEPLOYS}: main([name, '--help'])\n"
        "import operate.updates, operate.previews, operate.plans\n"
        "sys.exit(main(['deploy', '--stack', 'prod', '--release', 's3://a/b', '--plan', 's3://a/c']))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (
        USAGE,
        "glidepath: --plan and --plan-sha256 go together\n  give both, or neither\n",
    )


def test_interrupt_ends_without_a_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(name: str, arguments: list[str]) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli_main, "_run", interrupted)
    assert main(["exec", "true"]) == INTERRUPTED
    assert capsys.readouterr().err == "glidepath: interrupted\n"


def test_a_mistake_of_the_program_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(name: str, arguments: list[str]) -> int:
        raise ValueError("a bug")

    monkeypatch.setattr(cli_main, "_run", broken)
    with pytest.raises(ValueError, match="a bug"):
        main(["status"])


def client_error(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "m"}}, "GetRole")


@pytest.mark.parametrize(
    ("error", "fix"),
    [
        (ProfileNotFound(profile="glidepath-dev"), "./glidepath doctor --aws"),
        (NoCredentialsError(), "./glidepath doctor --aws"),
        (client_error("ExpiredToken"), "./glidepath doctor --aws"),
        (EndpointConnectionError(endpoint_url="https://sts.aws.com"), "reaches AWS"),
        (EndpointConnectionError(endpoint_url="http://127.0.0.1:4566"), "the rehearsal's cloud does not answer"),
        (client_error("AccessDenied"), ""),
    ],
)
def test_what_aws_or_the_network_says_comes_with_what_to_do(
    error: Exception, fix: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(name: str, arguments: list[str]) -> int:
        raise error

    monkeypatch.setattr(cli_main, "_run", fail)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    assert main(["status"]) == FAILED
    first, *rest = capsys.readouterr().err.splitlines()
    assert first == f"glidepath: {error}"
    assert len(rest) == bool(fix)
    assert fix in "".join(rest)


def test_in_the_rehearsal_a_missing_profile_is_a_missing_stack(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(name: str, arguments: list[str]) -> int:
        raise ProfileNotFound(profile="glidepath-dev")

    monkeypatch.setattr(cli_main, "_run", fail)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:4566")
    assert main(["status"]) == FAILED
    assert capsys.readouterr().err.splitlines()[1] == (
        "  the rehearsal's cloud has no stacks yet: `./glidepath rehearse` brings them up"
    )
