"""F1: somebody wrote into a stack's state. What it holds is refused before an engine acts on it."""

import base64
import json
import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pulumi.dynamic.dynamic import serialize_provider

from contracts.errors import UserError
from operate import engine, state_code
from operate.adopt import Plan, adopt
from operate.exported import State, read_state
from operate.previews import Asked, steps
from operate.sweep import refuse_while_held
from operate.updates import refresh_interrupted
from providers.model_packages import PackagesProvider
from providers.traffic_shift.provider import TrafficShiftProvider

URN = "urn:pulumi:prod::glidepath::glidepath:serve:Shift$pulumi-python:dynamic/glidepath:Shift::live"
OWN = serialize_provider(TrafficShiftProvider())


class Shell:
    """What an attacker's pickle does when it is loaded."""

    def __reduce__(self) -> Any:
        return os.system, ("touch /tmp/owned",)


def text(thing: object, protocol: int = 4) -> str:
    return base64.b64encode(pickle.dumps(thing, protocol)).decode()


def dynamic(held: object, **more: Any) -> dict[str, Any]:
    kind = "pulumi-python:dynamic/glidepath:Shift"
    return {"urn": URN, "type": kind, "custom": True, "inputs": {"__provider": held}, **more}


def provider(**inputs: Any) -> dict[str, Any]:
    return {"urn": "urn:pulumi:prod::g::pulumi:providers:aws::d", "type": "pulumi:providers:aws", "custom": True,
            "inputs": {"region": "eu-west-1", **inputs}}  # fmt: skip


def resource(kind: str, **more: Any) -> dict[str, Any]:
    return {"urn": f"urn:pulumi:prod::g::{kind}::x", "type": kind, "custom": True, "inputs": {"create": "sh"}, **more}


CALLED = base64.b64encode(b"cos\nsystem\n(S'touch /tmp/owned'\ntR.").decode()
# A class of the project, with state given to it; and two classes, the second of which is not.
BUILT = base64.b64encode(base64.b64decode(OWN)[:-1] + b"}b.").decode()
OTHERS = base64.b64encode(base64.b64decode(OWN)[:-1] + b"0\x8c\x02os\x8c\x06system\x93\x8c\x05touch\x85\x81.").decode()
POISONED = {
    "a pickle that calls": dynamic(text(Shell())),
    "a pickle of an old protocol": dynamic(text(Shell(), 0)),
    "a pickle written by hand": dynamic(CALLED),
    "a class of somebody else's": dynamic(text(pytest.Session)),
    "state for a class of ours": dynamic(BUILT),
    "a class of ours, and something after it": dynamic(OTHERS),
    "not a pickle": dynamic("AAAA"),
    "not text": dynamic({"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "ciphertext": "x"}),
    "no provider at all": dynamic(None),
    "another one in the outputs": dynamic(OWN, outputs={"__provider": text(Shell())}),
    "an orphan that is to be deleted": dynamic(text(Shell()), delete=True),
    "a resource of another language": resource("pulumi-nodejs:dynamic:Resource"),
    "a command": resource("command:local:Command", delete=True),
    "a plugin nobody installs": resource("pulumi:providers:command"),
    "a plugin from elsewhere": provider(pluginDownloadURL="https://evil.example"),
    "a plugin from elsewhere, inside": provider(__internal={"pluginDownloadURL": "https://evil.example"}),
    "requests that go elsewhere": provider(endpoints='[{"sts": "https://evil.example"}]'),
    "requests through somebody": provider(httpsProxy="http://evil.example"),
}
FINE = [
    dynamic(OWN, outputs={"__provider": OWN}),
    dynamic(serialize_provider(PackagesProvider())),
    # As states from before the providers had a folder of their own name them.
    dynamic("gASVOAAAAAAAAACMGGNvbXBvbmVudHMudHJhZmZpY19zaGlmdJSMFFRyYWZmaWNTaGlmdFByb3ZpZGVylJOUKYGULg=="),
    provider(profile="glidepath-prod", __internal={}),
    resource("aws:s3/bucket:Bucket"),
    {"urn": "urn:pulumi:prod::g::glidepath:serve:Serve::x", "type": "glidepath:serve:Serve", "custom": False},
    {"urn": "urn:pulumi:prod::g::pulumi:pulumi:Stack::x", "type": "pulumi:pulumi:Stack", "custom": False},
    resource("pulumi:pulumi:StackReference"),
]


def export(*resources: dict[str, Any], pending: bool = False) -> str:
    held: dict[str, Any] = {"resources": [] if pending else list(resources)}
    if pending:
        held["pending_operations"] = [{"type": "updating", "resource": each} for each in resources]
    return json.dumps({"version": 3, "deployment": held})


def test_what_the_project_made_is_its_own() -> None:
    assert list(state_code.foreign(read_state(export(*FINE)))) == []


@pytest.mark.parametrize("pending", [False, True], ids=["kept", "pending"])
@pytest.mark.parametrize("name", POISONED)
def test_what_somebody_put_there_is_named(name: str, pending: bool) -> None:
    state = read_state(export(*FINE, POISONED[name], pending=pending))
    ((urn, reason),) = list(state_code.foreign(state))
    assert urn == POISONED[name]["urn"]
    assert reason


class Engine:
    """Its state is poisoned; it notes what it was asked to run."""

    def __init__(self) -> None:
        self.ran: list[str] = []

    def __call__(self, arguments: list[str], *_: Any) -> Any:
        self.ran.append(" ".join(arguments[:2]) if arguments[0] == "stack" else arguments[0])

        class Done:
            returncode, stdout, stderr = 0, export(POISONED["a pickle that calls"]), ""

        return Done


def deployed(root: Path) -> None:
    refresh_interrupted("prod", root)


def checked_at_night(root: Path) -> None:
    steps(Asked(root, "prod", refresh=True))


def swept(root: Path) -> None:
    refuse_while_held(root, "prod")


def adopted(root: Path) -> None:
    adopt(Plan({}, ()), "prod", root)


@pytest.mark.parametrize("acts", [deployed, checked_at_night, swept, adopted])
def test_no_command_that_refreshes_runs_it(
    acts: Callable[[Path], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = Engine()
    monkeypatch.setattr(engine, "run", asked)
    monkeypatch.setattr(engine, "start", lambda *_, **__: pytest.fail("an engine was started"))
    (tmp_path / "Pulumi.prod.yaml").write_text("config: {}\n")
    with pytest.raises(UserError) as caught:
        acts(tmp_path)
    assert asked.ran == ["stack export"]
    assert "the state of prod would run code that is not this project's" in caught.value.message
    assert "live: its provider is not one of this project's" in caught.value.message
    assert "nothing was run" in str(caught.value.fix)


def test_an_empty_state_is_nobodys() -> None:
    assert list(state_code.foreign(State())) == []
