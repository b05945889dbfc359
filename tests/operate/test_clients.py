"""Whose rights a client has."""

from pathlib import Path

import pytest

from contracts.names import Names
from operate.clients import Clients
from operate.project import Project

KEYS = "[{}]\naws_access_key_id = {}\naws_secret_access_key = s\n"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    path = tmp_path / "credentials"
    profiles = ("fares-delivery", "fares-prod", "mine")
    path.write_text("".join(KEYS.format(profile, f"key-of-{profile}") for profile in profiles))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(path))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key-of-the-machine")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s")
    return Project(tmp_path, Names("fares", "eu-west-1", {"delivery": "1" * 12, "prod": "2" * 12}), {})


def test_each_stack_has_its_own_profile_whatever_the_machine_is(project: Project) -> None:
    assert Clients(project).credentials("delivery").access_key == "key-of-fares-delivery"
    assert Clients(project).credentials("prod").access_key == "key-of-fares-prod"


def test_others_may_be_named_and_none_is_the_machine(project: Project) -> None:
    clients = Clients(project, {"delivery": None, "prod": "mine"})
    assert clients.credentials("delivery").access_key == "key-of-the-machine"
    assert clients.credentials("prod").access_key == "key-of-mine"
