"""The report of a tour that has failed: what can be read is in it, what cannot is null, and the error stays itself."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from contracts.errors import UserError
from rehearsal.cloud.process import lifecycle
from rehearsal.engine import Engine
from rehearsal.environment import Rehearsal
from scenarios.tour import conduct, evidence, facts, report, roles
from scenarios.tour.conduct import Options
from scenarios.tour.dataset import Table
from scenarios.tour.display import Display

FAILURE = UserError("New data: the run ended Failed. DeployProd: alarm errors went off", "see the logs")


class Tour:
    """A tour whose second release fails with `failure`."""

    def __init__(self, project: Any, clients: Any, *_: Any) -> None:
        self.project, self.clients = project, clients
        self.runs: list[report.Report] = []
        self.stacks = SimpleNamespace(outputs=self._outputs)
        self.failure: BaseException = FAILURE

    def _outputs(self, stack: str) -> dict[str, str]:
        raise UserError("pulumi stack failed:\nerror: the state cannot be decrypted", "the whole log is up.log")

    def foundations(self) -> None:
        """Made."""

    def first_release(self) -> None:
        """Released."""

    def second_release(self) -> None:
        raise self.failure


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Rehearsal:
    def broken(*_: Any) -> Any:
        raise RuntimeError("no report holds violations")

    monkeypatch.setattr(conduct, "Tour", Tour)
    monkeypatch.setattr(conduct, "Clients", lambda _: None)
    monkeypatch.setattr(lifecycle, "died", lambda _: None)
    monkeypatch.setattr(facts, "version_now", lambda *_: "7")
    monkeypatch.setattr(facts, "role_proof", lambda *_: [])
    monkeypatch.setattr(evidence, "manifest_now", lambda *_: {"id": "r1"})
    monkeypatch.setattr(evidence, "captured", lambda *_: {"files": 2, "records": 9})
    monkeypatch.setattr(evidence, "monitor", broken)
    return Rehearsal(folder=tmp_path)


def play(rehearsal: Rehearsal) -> None:
    engine = Engine(Path("pulumi"), "3.259.0", built=False)
    project: Any = SimpleNamespace(production="prod")
    conduct.play(rehearsal, project, Table("t.csv", ["a"], []), engine, Options(), Display())


def written(rehearsal: Rehearsal) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(rehearsal.report_json.read_text())
    return found


def test_a_failed_tour_reports_what_can_be_read(world: Rehearsal) -> None:
    with pytest.raises(UserError) as raised:
        play(world)
    assert raised.value is FAILURE
    found = written(world)
    assert found["error"] == str(FAILURE)
    assert found["production"] == {"release": "r1", "version": "7", "endpoint": None, "url": None}
    assert (found["capture"], found["monitor"], found["roles"]) == ({"files": 2, "records": 9}, None, [])
    assert found["unread"] == {
        "production.endpoint": "error: the state cannot be decrypted",
        "production.url": "error: the state cannot be decrypted",
        "monitor": "no report holds violations",
    }


def test_the_page_of_a_failed_tour_says_so(world: Rehearsal) -> None:
    with pytest.raises(UserError):
        play(world)
    page = report.render_html(written(world))
    assert "The rehearsal failed: New data: the run ended Failed." in page
    assert "<li>monitor: no report holds violations</li>" in page


def test_nothing_is_read_of_a_cloud_that_is_gone(world: Rehearsal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lifecycle, "died", lambda _: "the cloud has ended")
    with pytest.raises(UserError):
        play(world)
    assert written(world)["production"]["release"] is None
    assert set(written(world)["unread"].values()) == {"the cloud has ended"}


def test_nothing_is_read_after_an_interruption(world: Rehearsal, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_: Tour) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Tour, "second_release", interrupted)
    with pytest.raises(KeyboardInterrupt):
        play(world)
    found = written(world)
    assert (found["error"], found["roles"]) == ("KeyboardInterrupt", None)
    assert set(found["unread"].values()) == {"the rehearsal was interrupted"}


def test_roles_that_are_not_proven_are_the_reports_error(world: Rehearsal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Tour, "second_release", lambda _: None)
    monkeypatch.setattr(conduct, "bad_release", lambda _: None)
    production = {"release": "r1", "version": "7", "endpoint": "e", "url": "u"}
    gathered = {"production": production, "capture": {}, "monitor": {}, "roles": []}
    monkeypatch.setattr(facts, "gather", lambda *_: gathered)
    monkeypatch.setattr(
        conduct, "drift", lambda *_: {"alarm": "a", "release": "r", "held": {"brake": "b", "reason": "w"}}
    )
    monkeypatch.setattr(roles, "faults", lambda _: ["prod-predict was denied s3:GetObject"])
    with pytest.raises(UserError, match="the roles are not proven: prod-predict was denied s3:GetObject") as raised:
        play(world)
    assert written(world)["error"] == str(raised.value)
    assert written(world)["production"] == production
