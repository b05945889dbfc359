"""Returns, kills and stops on the real engine: whatever the order, one release serves and all agree on it.

They leave production on the release that the rehearsal took there. Kills are where nothing is being created: what was
made and not yet written down, the engine cannot know, and it would be there when the rehearsal is destroyed.
"""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from operate.caller import Caller
from scenarios.tour import evidence
from tests.scenarios.road.conftest import ROOT, Road

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(2400)]


def served(road: Road) -> list[str]:
    """The two releases that have served production, the present one last."""
    shown = road.glidepath("releases", "prod", "--json")
    assert shown.returncode == 0, shown.stderr
    found = [entry for entry in json.loads(shown.stdout) if entry["served"]]
    found.sort(key=lambda entry: (entry["state"] == "serving", entry["served"][-1]))
    return [entry["release"] for entry in found][-2:]


def agree(road: Road, release: str) -> None:
    """Alias, endpoint, baseline, schedule, pointer and the API's answers are of one release."""
    found = road.production()
    assert (found["release"], found["recorded"], found["shifting"], found["shift"]) == (release, release, {}, None)
    assert found["state"] == "InService"
    watching = road.clients.of("prod", "lambda").get_function_configuration(
        FunctionName=f"{road.project.names.stack('prod')}-monitor"
    )["Environment"]["Variables"]
    manifest = evidence.manifest_now(road.clients, road.project, "prod")
    assert manifest["id"] == release
    assert (watching["RELEASE_ID"], watching["ENDPOINT_NAME"]) == (release, found["endpoint"])
    assert watching["STATISTICS_URI"] == manifest["baseline"]["statistics"]
    assert watching["CONSTRAINTS_URI"] == manifest["baseline"]["constraints"]
    caller = Caller(road.report["production"]["url"], road.project.names.region, road.clients.credentials("prod"))
    assert caller.predict(evidence.golden_instances(road.clients, manifest)[:1]).release == release


def alone(road: Road) -> None:
    """No other endpoint is left."""
    prefix = f"{road.project.names.name}-prod-"
    found = road.clients.of("prod", "sagemaker").list_endpoints(NameContains=prefix)["Endpoints"]
    assert [entry["EndpointName"] for entry in found] == [road.production()["endpoint"]]


def begin(road: Road, release: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "cli", "rollback", "prod", "--to", release, "--yes"]
    pipes: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    return subprocess.Popen(command, cwd=ROOT, env=road.environ, text=True, **pipes)


def until(reached: Callable[[], Any], running: "subprocess.Popen[str]") -> Any:
    """Wait for what happens during a command."""
    limit = time.monotonic() + 300
    while not (found := reached()):
        assert running.poll() is None, running.communicate()[0]
        assert time.monotonic() < limit
        time.sleep(0.1)
    return found


def weights(road: Road) -> dict[str, float]:
    alias = road.clients.of("prod", "lambda").get_alias(FunctionName=road.project.names.predict("prod"), Name="live")
    found: dict[str, float] = (alias.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {}
    return found


def kill_engine(running: "subprocess.Popen[str]") -> None:
    """kill -9 the engine that a command has started; the command tells of it."""
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            name, fields = (folder / "stat").read_text().rpartition(")")[::2]
        except OSError:
            continue
        if name.endswith("(pulumi") and int(fields.split()[1]) == running.pid:
            os.kill(int(folder.name), signal.SIGKILL)
    told = running.communicate(timeout=60)[0]
    assert "the update of prod was killed (signal 9)" in told, told
    assert running.returncode == 1


def seam(road: Road, method: str, body: dict[str, Any] | None = None) -> Any:
    """The rehearsal's faults: a real wrong or slow answer of a service."""
    url = f"{road.rehearsal.endpoint}/_rehearsal/faults"
    headers = {"Content-Type": "application/json", **road.rehearsal.headers()}
    request = urllib.request.Request(url, json.dumps(body).encode() if body else None, headers, method=method)
    with urllib.request.urlopen(request, timeout=60) as response:
        return json.load(response)


def returns(road: Road, present: str, other: str) -> str:
    done = road.glidepath("rollback", "prod", "--to", other, "--yes")
    assert done.returncode == 0, done.stdout + done.stderr
    return other


def returns_at_once(road: Road, present: str, other: str) -> str:
    done = road.glidepath("rollback", "prod", "--to", other, "--now", "--reason", "a test", "--yes")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "takes 10%" not in done.stdout
    return other


def is_stopped_by_hand(road: Road, present: str, other: str) -> str:
    running = begin(road, other)
    until(lambda: weights(road), running)
    codedeploy = road.clients.of("prod", "codedeploy")
    deployment = road.production()["shift"]["deployment"]
    codedeploy.stop_deployment(deploymentId=deployment, autoRollbackEnabled=True)
    told = running.communicate(timeout=300)[0]
    assert running.returncode == 1
    assert f"release {other} does not serve: its deployment was stopped by hand" in told
    assert "Traceback" not in told
    agree(road, present)  # the schedule has not moved
    assert road.production()["failed"]["release"] == other
    return returns(road, present, other)


def is_killed_in_the_shift(road: Road, present: str, other: str) -> str:
    running = begin(road, other)
    until(lambda: weights(road), running)
    kill_engine(running)
    return returns(road, present, other)


def is_killed_at_the_pointer_then_goes_back(road: Road, present: str, other: str) -> str:
    fault = {"service": "ssm", "operation": "PutParameter", "delay": 8, "times": 1}
    seam(road, "POST", fault)
    running = begin(road, other)
    until(lambda: any(known["struck"] for known in seam(road, "GET")), running)
    kill_engine(running)
    time.sleep(10)  # the parameter is written although nobody waits for it any more
    seam(road, "DELETE")
    return returns(road, other, present)


# Each of them ends with a return, or is one.
ACTIONS = [
    returns_at_once,
    is_stopped_by_hand,
    is_killed_in_the_shift,
    is_killed_at_the_pointer_then_goes_back,
]


@settings(
    max_examples=1,
    derandomize=True,
    deadline=None,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(order=st.permutations(ACTIONS))
def test_whatever_the_order_all_agree_on_one_release(road: Road, order: list[Callable[[Road, str, str], str]]) -> None:
    for act in order:
        other, present = served(road)
        now = act(road, present, other)
        agree(road, now)
        alone(road)


def test_the_list_shows_every_release(road: Road) -> None:
    shown = road.glidepath("releases", "prod")
    assert shown.returncode == 0, shown.stderr
    other, present = served(road)
    assert f"{present}  serving\n" in shown.stdout
    assert f"{other}  former\n" in shown.stdout
    assert "approved" in shown.stdout
    assert "user/administrator" in shown.stdout


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["nowhere"], "there is no environment 'nowhere'\n  choose one of: dev, prod"),
        (["prod", "--to", "20200101-00000000"], "no release '20200101-00000000' has ever served prod\n"),
        (["prod", "--to", "PRESENT"], "already\n  ./glidepath releases prod lists the others"),
    ],
)
def test_what_cannot_be_is_refused_in_words(road: Road, arguments: list[str], reason: str) -> None:
    present = served(road)[-1]
    done = road.glidepath("rollback", *[present if word == "PRESENT" else word for word in arguments], "--yes")
    assert done.returncode == 1
    assert reason in done.stderr
    assert "Traceback" not in done.stderr


def test_production_ends_on_the_release_that_it_had(road: Road) -> None:
    wanted = road.report["production"]["release"]
    if road.production()["release"] != wanted:
        returns(road, "", wanted)
    agree(road, wanted)
    alone(road)
