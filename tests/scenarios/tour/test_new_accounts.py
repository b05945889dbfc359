"""New accounts are made fit by doctor's own commands."""

from pathlib import Path
from typing import Any

import pytest

from contracts.names import Names
from operate.doctor import PROBLEM, Finding
from operate.project import Project
from rehearsal.cloud.process.running import RunningCloud
from rehearsal.environment import ESTABLISHED, NEW, Rehearsal
from scenarios.tour import new_accounts

COMMAND = (
    "aws service-quotas request-service-quota-increase --service-code sagemaker --quota-code L-614B09FD"
    " --desired-value 16 --region eu-west-1 --profile glidepath-prod"
)
NAMES = Names("glidepath", "eu-west-1", {"delivery": "210000000001", "prod": "210000000003"})


class Display:
    def __init__(self) -> None:
        self.said: list[str] = []

    def say(self, text: str) -> None:
        self.said.append(text)


class Clients:
    def __init__(self, running: RunningCloud) -> None:
        self.running = running

    def of(self, stack: str, service: str) -> Any:
        return self.running.cloud.client(service, NAMES.accounts[stack], NAMES.region)


def test_a_command_of_doctor_is_taken_apart() -> None:
    assert new_accounts.read(COMMAND) == new_accounts.Request("glidepath-prod", "sagemaker", "L-614B09FD", 16.0)


def test_what_doctor_names_is_requested_and_waited_for(
    running_cloud: RunningCloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running_cloud.cloud, "new_accounts", True)
    found = [
        Finding("quotas", "prod", PROBLEM, "too few", "twice", COMMAND),
        Finding("mail", "prod", PROBLEM, "a@example.com has not confirmed", "", "the link"),
        Finding("quotas", "prod", "fine", "enough"),
    ]
    monkeypatch.setattr(new_accounts, "examine", lambda *_: iter(found))
    display, project = Display(), Project(tmp_path, NAMES, {})
    clients: Any = Clients(running_cloud)
    rehearsal = Rehearsal(folder=tmp_path, accounts=NEW)
    (request,) = new_accounts.settle_in(rehearsal, project, clients, display)  # type: ignore[arg-type]
    client = clients.of("prod", "service-quotas")
    quota = client.get_service_quota(ServiceCode=request.service, QuotaCode=request.code)["Quota"]
    assert quota["Value"] == 16
    assert display.said == ["doctor: new accounts have too little of 1 quotas; they are requested"]


def test_established_accounts_have_what_is_needed(tmp_path: Path) -> None:
    rehearsal = Rehearsal(folder=tmp_path, accounts=ESTABLISHED)
    nothing: Any = None
    assert new_accounts.settle_in(rehearsal, nothing, nothing, nothing) == []
