"""The plan of a return: what is chosen, what is refused and in which words, what is stopped first."""

import base64
import hashlib
import io
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from cli.rollback import lines
from contracts.errors import UserError
from contracts.release import parse_release
from contracts.signature import sign
from operate import rollback
from operate.history import Approval, Manifest
from operate.releases import Attempt, ServingRecord, Traffic
from operate.rollback import Plan, end_bake, exemption, plan, stop_shift
from policies.rules.exemptions import read
from tests.functions.judge.world import record
from tests.program.harness import SIGNING_KEY, FakeKms, address, manifest, older
from tests.times import own_time

START = datetime(2026, 11, 21, 12, tzinfo=UTC)
ONE, TWO, THREE = (manifest(number)["id"] for number in (1, 2, 3))
TEXTS = {address(number): json.dumps(manifest(number)) for number in (1, 2, 3)}
OLDER = {**TEXTS, address(1): json.dumps(older(1))}
ENDINGS = {"tar.gz": "ab", "golden.json": "01", "statistics.json": "02", "constraints.json": "03"}
PROJECT: Any = SimpleNamespace(
    names=SimpleNamespace(signing_key=SIGNING_KEY, stack=lambda env: f"m-{env}", predict=lambda env: f"m-{env}-predict")
)


class NoSuchKey(Exception):
    """As S3's client has it."""


def entry(number: int, minute: int) -> ServingRecord:
    sha256 = sha256_of(TEXTS[address(number)])
    return ServingRecord(manifest(number)["id"], address(number), sha256, START + timedelta(minutes=minute))


def sha256_of(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass
class World:
    """Production: 1 and 2 have served, 2 serves."""

    traffic: Traffic | None = field(default_factory=lambda: Traffic(TWO, "2", "e-2"))
    served: list[ServingRecord] = field(default_factory=lambda: [entry(1, 0), entry(2, 10)])
    attempts: list[Attempt] = field(default_factory=list)
    texts: dict[str, str] = field(default_factory=lambda: dict(TEXTS))
    gone: set[str] = field(default_factory=set)
    changed: str = ""
    signing: str = SIGNING_KEY
    stopped: list[str] = field(default_factory=list)
    made: list[dict[str, Any]] = field(default_factory=list)

    def history(self, *_: Any) -> Any:
        def read_one(at: str) -> Manifest | None:
            text = self.texts.get(at)
            return Manifest(at, hashlib.sha256(text.encode()).hexdigest(), parse_release(text)) if text else None

        return SimpleNamespace(
            traffic=lambda: self.traffic,
            served=lambda: self.served,
            attempts=lambda *_: self.attempts,
            manifest=read_one,
            endpoint_of=lambda version: f"e-{version}",
            approval=lambda execution: Approval("arn:aws:iam::1:user/ann", START, ""),
        )

    def of(self, stack: str, service: str) -> Any:
        def head_object(Bucket: str, Key: str, **_: Any) -> dict[str, str]:  # noqa: N803
            if Key in self.gone:
                raise ClientError({"Error": {"Code": "404", "Message": "Not Found"}}, "HeadObject")
            ending = next(ending for ending in ENDINGS if Key.endswith(ending))
            sha256 = ("cd" if self.changed == ending else ENDINGS[ending]) * 32
            return {"ChecksumSHA256": base64.b64encode(bytes.fromhex(sha256)).decode()}

        def get_object(Bucket: str, Key: str) -> dict[str, Any]:  # noqa: N803
            if Key in self.gone:
                raise NoSuchKey
            at = f"s3://{Bucket}/{Key.replace('.sig', '.json')}"
            signature = sign(FakeKms(), self.signing, at, sha256_of(TEXTS[at]))
            return {"Body": io.BytesIO(signature.encode())}

        def stop_deployment(deploymentId: str, autoRollbackEnabled: bool) -> None:  # noqa: N803
            assert autoRollbackEnabled
            self.stopped.append(deploymentId)
            self.attempts = []
            self.traffic = Traffic(TWO, "2", "e-2")

        class Completed(Exception):
            pass

        if service == "kms":
            return FakeKms()

        def create_deployment(**request: Any) -> dict[str, str]:
            self.made.append(request)
            self.traffic = Traffic(TWO, "7", "e-2")
            return {"deploymentId": "d-9"}

        def describe_endpoint(EndpointName: str) -> dict[str, str]:  # noqa: N803
            if EndpointName in self.gone:
                raise ClientError({"Error": {"Code": "ValidationException", "Message": "gone"}}, "DescribeEndpoint")
            return {"EndpointName": EndpointName}

        exceptions = SimpleNamespace(DeploymentAlreadyCompletedException=Completed, NoSuchKey=NoSuchKey)
        return SimpleNamespace(
            head_object=head_object, get_object=get_object, stop_deployment=stop_deployment,
            create_deployment=create_deployment, describe_endpoint=describe_endpoint, exceptions=exceptions,
        )  # fmt: skip


Planner = Callable[..., Plan]


@pytest.fixture
def planned(monkeypatch: pytest.MonkeyPatch) -> Planner:
    def make(world: World, to: str = "", unsigned: bool = False) -> Plan:
        monkeypatch.setattr(rollback, "History", world.history)
        clients: Any = world
        return plan(clients, PROJECT, "prod", to, unsigned)

    return make


def refusal(planned: Planner, world: World, to: str = "") -> str:
    with pytest.raises(UserError) as caught:
        planned(world, to)
    return str(caught.value)


def shifting(**more: Any) -> Attempt:
    return Attempt("d-3", THREE, "InProgress", START + timedelta(minutes=20), **more)


def test_the_release_before_is_chosen(planned: Planner) -> None:
    found = planned(World())
    assert (found.present, found.target.release.id, found.under_way, found.deploys) == (TWO, ONE, None, True)
    assert lines(found, now=False) == [
        f"prod: from release {TWO} back to {ONE}",
        "  made       2026-11-21T03:45:00Z for data, commit abc",
        "  metric     rmse 3.5 (3.1 to 3.9, gate 10)",
        "  data       s3://data/datasets/trips.csv version 1, 100 rows",
        "  served     from 2026-11-21 12:00 UTC",
        "  approved   2026-11-21 12:00 UTC by user/ann",
    ]


def test_what_is_skipped_at_once_is_reported(planned: Planner) -> None:
    told = "\n".join(lines(planned(World()), now=True))
    assert "no steps, so no alarm can stop it on the way; both hooks run" in told
    assert "policy all-at-once is exempted for this one update; recorded with the deployment" in told


def test_an_older_one_can_be_named_by_a_part(planned: Planner) -> None:
    world = World(served=[entry(1, 0), entry(3, 5), entry(2, 10)])
    assert planned(world, ONE[3:]).target.release.id == ONE
    assert planned(world).target.release.id == THREE


def test_a_shift_under_way_is_stopped_and_that_is_all(planned: Planner) -> None:
    world = World(attempts=[shifting()], traffic=Traffic(TWO, "2", "e-2", {THREE: 0.1}))
    found = planned(world)
    assert (found.present, found.target.release.id, found.deploys) == (THREE, TWO, False)
    assert lines(found, now=False) == [
        f"prod: from release {THREE} back to {TWO}",
        f"  first      the shift to {THREE} (deployment d-3) is stopped and rolled back",
        f"  then       {TWO} takes all traffic again: nothing else is to be done",
    ]


def test_a_shift_under_way_is_stopped_before_a_return_further_back(planned: Planner) -> None:
    found = planned(World(attempts=[shifting()]), ONE)
    assert (found.target.release.id, found.deploys, found.under_way) == (ONE, True, shifting())


def test_stopping_waits_until_the_alias_is_at_rest(planned: Planner, monkeypatch: pytest.MonkeyPatch) -> None:
    own_time(monkeypatch, rollback, sleep=lambda _: None)
    world = World(attempts=[shifting()], traffic=Traffic(TWO, "2", "e-2", {THREE: 0.1}))
    said: list[str] = []
    clients: Any = world
    stop_shift(clients, PROJECT, planned(world), said.append)
    assert world.stopped == ["d-3"]
    assert said == ["stopping deployment d-3 with rollback"]


def test_a_roll_back_by_codedeploy_is_not_stopped(planned: Planner, monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(attempts=[shifting(rollback=True)])
    found = planned(world)
    now = [0.0]

    def sleep(seconds: float) -> None:
        now[0] += seconds
        if now[0] > 5:
            world.attempts = []

    own_time(monkeypatch, rollback, sleep=sleep)
    clients: Any = world
    stop_shift(clients, PROJECT, found, lambda _: None)
    assert world.stopped == []
    assert now[0] > 5


def baking(monkeypatch: pytest.MonkeyPatch, **changes: Any) -> World:
    """3 has all traffic, and the update that waits for its bake has not recorded it."""
    known = replace(record(), deployment="d-3", release=THREE, former=TWO, **changes)
    monkeypatch.setattr(rollback, "find", lambda _s3, _names, _stack, ids: known if ids == ["d-3"] else None)
    shifted = Attempt("d-3", THREE, "Succeeded", START + timedelta(minutes=20))
    return World(attempts=[shifted], traffic=Traffic(THREE, "8", "e-3"))


def test_a_release_in_its_bake_loses_its_traffic_at_once(planned: Planner, monkeypatch: pytest.MonkeyPatch) -> None:
    own_time(monkeypatch, rollback, sleep=lambda _: None)
    world = baking(monkeypatch)
    found = planned(world)
    assert (found.present, found.target.release.id, found.deploys) == (THREE, TWO, False)
    assert lines(found, now=False)[1:] == [
        f"  first      {THREE} is in its bake (deployment d-3): its traffic is taken back, all at once",
        f"  then       {TWO} takes all traffic again: nothing else is to be done",
    ]
    clients: Any = world
    said: list[str] = []
    end_bake(clients, PROJECT, found, said.append)
    (made,) = world.made
    assert made["description"].startswith(f"Release {TWO}: version 8 to 7. Taken back in its bake: by ")
    assert made["overrideAlarmConfiguration"] == {"enabled": False, "alarms": []}
    assert said == [f"release {THREE} is baking: deployment d-9 takes its traffic back"]


def test_a_version_whose_endpoint_is_gone_takes_no_traffic_back(
    planned: Planner, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = baking(monkeypatch)
    world.gone = {"e-7"}
    clients: Any = world
    with pytest.raises(UserError, match="asks endpoint e-7, which is gone"):
        end_bake(clients, PROJECT, planned(world), lambda _: None)
    assert world.made == []


def test_a_release_that_is_recorded_is_in_no_bake(planned: Planner, monkeypatch: pytest.MonkeyPatch) -> None:
    """The judge died in it: the update went on, and the endpoint before it is gone."""
    world = baking(monkeypatch)
    world.served.append(entry(3, 20))
    found = planned(world)
    assert (found.baking, found.deploys, found.target.release.id) == (None, True, TWO)


@pytest.mark.parametrize("changes", [{"over": "Held: 10 minutes."}, {"bounds": {}}])
def test_a_bake_that_is_over_or_never_was_is_not_ended(
    planned: Planner, monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any]
) -> None:
    found = planned(baking(monkeypatch, **changes))
    assert (found.baking, found.deploys, found.target.release.id) == (None, True, TWO)


def test_an_update_that_was_broken_off_after_its_shift_returns_to_what_is_recorded(planned: Planner) -> None:
    found = planned(World(traffic=Traffic(THREE, "3", "e-3")))
    assert (found.present, found.target.release.id) == (THREE, TWO)


def test_one_that_was_rolled_back_already_needs_no_return(planned: Planner) -> None:
    failed = Attempt("d-3", THREE, "Stopped", START + timedelta(minutes=20), code="MANUAL_STOP")
    assert refusal(planned, World(attempts=[failed])) == (
        f"prod serves release {TWO}: the last shift, to {THREE}, was rolled back already (stopped by hand)\n"
        f"  to go back further, name the release: ./glidepath rollback prod --to {ONE}"
    )
    assert planned(World(attempts=[failed]), ONE).target.release.id == ONE


@pytest.mark.parametrize(
    ("world", "to", "message"),
    [
        (World(traffic=None), "", "prod serves no release: there is nothing to return from"),
        (World(served=[]), "", "prod serves no release: there is nothing to return from"),
        (
            World(served=[entry(2, 0)]),
            "",
            f"there is nothing to go back to: {TWO} is the first release of prod, or the last one left",
        ),
        (World(), TWO, f"prod serves release {TWO} already\n  ./glidepath releases prod lists the others"),
        (
            World(),
            "20261121-1a2b3c4e",
            f"no release '20261121-1a2b3c4e' has ever served prod\n  did you mean {ONE} or {TWO}?",
        ),
        (World(), "zzz", f"no release 'zzz' has ever served prod\n  it has served {TWO}, {ONE}"),
        (
            World(texts={}),
            "",
            f"the manifest of release {ONE} is gone, or is none any more: {address(1)}\n  restore that object's",
        ),
        (
            World(texts={address(1): TEXTS[address(1)] + "\n"}),
            "",
            f"the manifest of release {ONE} was changed: {address(1)} has SHA-256",
        ),
        (
            World(gone={"runs/run-1/release/model.tar.gz"}),
            "",
            f"release {ONE} has lost its model artifact: s3://glidepath-artifacts-111111111111-eu-west-1/runs/run-1/",
        ),
        (World(gone={"runs/run-1/release/golden.json"}), "", f"release {ONE} has lost its golden records"),
        (
            World(gone={"runs/run-1/release/constraints.json"}),
            "",
            f"release {ONE} has lost its baseline constraints",
        ),
        (World(changed="tar.gz"), "", f"the model artifact of release {ONE} changed: s3://"),
        (World(changed="golden.json"), "", f"the golden records of release {ONE} changed: s3://"),
        (World(changed="statistics.json"), "", f"the baseline statistics of release {ONE} changed: s3://"),
        (World(changed="constraints.json"), "", f"the baseline constraints of release {ONE} changed: s3://"),
        (
            World(gone={"runs/run-1/release/manifest.sig"}),
            "",
            f"the manifest of release {ONE} is not signed: there is no s3://",
        ),
        (World(signing="another"), "", f"the signature of release {ONE} is not good: s3://"),
    ],
)
def test_refusals(planned: Planner, world: World, to: str, message: str) -> None:
    assert message in refusal(planned, world, to)


def test_a_release_from_before_manifests_were_signed_is_returned_to_only_where_that_is_said(planned: Planner) -> None:
    record = entry(1, 0)
    record = ServingRecord(ONE, record.manifest, sha256_of(OLDER[record.manifest]), record.at)
    world = World(texts=OLDER, served=[record, entry(2, 10)])
    assert refusal(planned, world) == (
        f"release {ONE} is from before manifests were signed: nobody vouches for {address(1)}\n"
        f"  if you trust it, ./glidepath rollback prod --to {ONE} --unsigned returns to it"
    )
    found = planned(world, unsigned=True)
    assert (found.target.release.id, found.unsigned) == (ONE, True)
    assert "  unsigned   from before manifests were signed: nobody but you vouches for it" in lines(found, now=False)


def test_a_manifest_of_now_needs_its_signature_whatever_is_said(planned: Planner) -> None:
    with pytest.raises(UserError, match="is not good"):
        planned(World(signing="another"), unsigned=True)


def test_the_update_is_told_which_unsigned_manifest_is_meant(planned: Planner, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []
    monkeypatch.setattr("operate.deploy.deploy_release", lambda *given, **_: asked.extend(given[3]))
    record = ServingRecord(ONE, address(1), sha256_of(OLDER[address(1)]), START)
    rollback.redeploy(planned(World(texts=OLDER, served=[record, entry(2, 10)]), "", True), False, "", lambda _: None)
    assert f'glidepath:unsigned=["{record.sha256}"]' in asked
    asked.clear()
    rollback.redeploy(planned(World()), False, "", lambda _: None)
    assert not [each for each in asked if each.startswith("glidepath:unsigned")]


def test_the_exemption_holds_today_and_names_one_resource() -> None:
    given = exemption("prod", "At once. Return from b by ann")
    (found,) = read([asdict(given)], {"all-at-once"}, datetime.now(UTC).date())
    assert found.fault == ""
    assert (found.rule, found.reason) == ("all-at-once", "At once. Return from b by ann")
    recorded = json.loads((Path(__file__).parents[1] / "preview" / "documents" / "new-release.json").read_text())
    assert found.resource in [step["urn"] for step in recorded["steps"]]
