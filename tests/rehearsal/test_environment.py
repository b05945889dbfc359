"""Paths, variables and profiles of the rehearsal."""

import stat
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import botocore.session
import pytest

from rehearsal.environment import NEW, Rehearsal, access_key, cache_folder
from rehearsal.errors import UserError


@pytest.fixture
def rehearsal(tmp_path: Path) -> Rehearsal:
    return Rehearsal(root=tmp_path, folder=tmp_path / ".rehearsal", port=5000, python=tmp_path / "venv/bin/python")


def test_here_reads_its_variables(tmp_path: Path) -> None:
    given = {"GLIDEPATH_FOLDER": str(tmp_path), "GLIDEPATH_PORT": "5001", "GLIDEPATH_SECONDS_PER_MINUTE": "0.5"}
    found = Rehearsal.here({**given, "GLIDEPATH_ACCOUNTS": "new"})
    assert found.accounts == NEW
    assert (found.folder, found.port, found.seconds_per_minute) == (tmp_path, 5001, 0.5)
    assert found.endpoint == "http://127.0.0.1:5001"


def test_here_without_variables_is_the_checkout() -> None:
    found = Rehearsal.here({})
    assert found.folder == found.root / ".rehearsal"
    assert (found.root / "Pulumi.yaml").is_file()
    assert (found.port, found.seconds_per_minute) == (4599, 1.0)


@pytest.mark.parametrize("port", ["0", "80", "65536", "-1", "4599.0", "٤٥٩٩", "x"])
def test_bad_port(port: str) -> None:
    with pytest.raises(UserError, match="is not a port") as error:
        Rehearsal.here({"GLIDEPATH_PORT": port})
    assert repr(port) in error.value.message


@pytest.mark.parametrize("seconds", ["0", "-1", "61", "nan", "inf", "fast"])
def test_bad_duration(seconds: str) -> None:
    with pytest.raises(UserError, match="is not a duration"):
        Rehearsal.here({"GLIDEPATH_SECONDS_PER_MINUTE": seconds})


def test_bad_kind_of_accounts() -> None:
    with pytest.raises(UserError, match="GLIDEPATH_ACCOUNTS='old' is not a kind of accounts"):
        Rehearsal.here({"GLIDEPATH_ACCOUNTS": "old"})


def test_children_find_their_own_rehearsal_again(rehearsal: Rehearsal) -> None:
    again = Rehearsal.here(replace(rehearsal, accounts=NEW).environ({}))
    assert (again.folder, again.port, again.seconds_per_minute) == (rehearsal.folder, 5000, 1.0)
    assert again.accounts == NEW


def test_environ_drops_a_persons_own_cloud_and_keeps_the_rest(rehearsal: Rehearsal) -> None:
    env = rehearsal.environ(
        {
            "AWS_PROFILE": "real",
            "AWS_SESSION_TOKEN": "real",
            "PULUMI_ACCESS_TOKEN": "real",
            "PULUMI_HOME": "/real",
            "PYTHONHOME": "/real",
            "LANG": "C",
            "NO_PROXY": "example.org,localhost",
        }
    )
    assert "real" not in env.values()
    assert "/real" not in env.values()
    assert env["LANG"] == "C"
    assert env["NO_PROXY"] == "example.org,localhost,127.0.0.1"


def test_path_starts_with_venv_and_engine_once(rehearsal: Rehearsal) -> None:
    once = rehearsal.environ({"PATH": "/usr/bin::/bin"})
    twice = rehearsal.environ(once)
    expected = [str(rehearsal.root / "venv/bin"), str(rehearsal.bin), "/usr/bin", "/bin"]
    assert once["PATH"].split(":") == expected
    assert twice["PATH"] == once["PATH"]


def test_tools_carry_no_credentials(rehearsal: Rehearsal) -> None:
    env = rehearsal.tools({"AWS_CONFIG_FILE": "/real", "PATH": "/bin"})
    assert not {"AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"} & env.keys()


def test_state_is_where_the_engine_has_logged_in_and_in_a_folder_only_where_there_is_one(rehearsal: Rehearsal) -> None:
    stale = {"PULUMI_BACKEND_URL": "s3://real", "PULUMI_CONFIG_PASSPHRASE": "real"}
    assert not set(stale) & rehearsal.environ(stale).keys()
    rehearsal.prepare()
    (rehearsal.pulumi_home / "credentials.json").write_text("{}")
    rehearsal.keep_state_here()
    assert "PULUMI_BACKEND_URL" not in rehearsal.environ(stale)
    (rehearsal.pulumi_home / "credentials.json").unlink()
    rehearsal.keep_state_here()
    assert rehearsal.environ(stale)["PULUMI_BACKEND_URL"] == f"file://{rehearsal.state}"


def test_profiles_are_read_by_botocore(rehearsal: Rehearsal, monkeypatch: pytest.MonkeyPatch) -> None:
    rehearsal.write_credentials({"taxi-prod": "333333333333", "default": "111111111111"}, "eu-central-1")
    for name in ("AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(rehearsal.aws_config))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(rehearsal.aws_credentials))
    for profile, account in (("taxi-prod", "333333333333"), (None, "111111111111")):
        session = botocore.session.Session(profile=profile)
        assert session.get_credentials().access_key == access_key(account)
        assert session.get_config_variable("region") == "eu-central-1"


def test_credentials_are_the_users_alone_and_replaced_whole(rehearsal: Rehearsal) -> None:
    rehearsal.write_credentials({"a": "111111111111"})
    rehearsal.write_credentials({"b": "222222222222"})
    assert stat.S_IMODE(rehearsal.aws_credentials.stat().st_mode) == 0o600
    text = rehearsal.aws_credentials.read_text()
    assert "[a]" not in text
    assert text.count("AKIA222222222222") == 2, "b and default"


@pytest.mark.parametrize("account", ["", "12345678901", "1234567890123", "12345678901x", "１２３４５６７８９０１２"])
def test_bad_account(rehearsal: Rehearsal, account: str) -> None:
    with pytest.raises(UserError, match="of profile 'dev' is not 12 digits"):
        rehearsal.write_credentials({"dev": account})
    assert not rehearsal.aws_credentials.exists()


def test_prepare_keeps_given_profiles(rehearsal: Rehearsal) -> None:
    rehearsal.write_credentials({"default": "111111111111"})
    rehearsal.prepare()
    assert "AKIA111111111111" in rehearsal.aws_credentials.read_text()
    assert rehearsal.bin.is_dir()


def test_cache_folder_follows_the_xdg_rules() -> None:
    assert cache_folder({"XDG_CACHE_HOME": "/c"}) == Path("/c/glidepath")
    assert cache_folder({"XDG_CACHE_HOME": "relative"}) == Path.home() / ".cache/glidepath"


def test_importing_it_is_light() -> None:
    heavy = "('pulumi', 'boto3', 'moto', 'typer')"
    code = f"import sys, rehearsal.environment; print([m for m in {heavy} if m in sys.modules])"
    root = Rehearsal().root
    result = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert result.stdout == "[]\n"


def test_warm_starts_need_linux_and_a_short_path(rehearsal: Rehearsal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    assert replace(rehearsal, folder=Path("/short")).warm == Path("/short/warm.sock")
    assert replace(rehearsal, folder=Path("/" + 100 * "x")).warm is None
    monkeypatch.setattr("sys.platform", "darwin")
    assert replace(rehearsal, folder=Path("/short")).warm is None
