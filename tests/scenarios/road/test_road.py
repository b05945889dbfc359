"""The road end to end, in one file: the tests run in this order. test_teardown.py ends the rehearsal afterwards."""

import csv
import io
import itertools
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from operate.caller import Caller
from operate.runs import follow, newest_run, run_ids
from scenarios.faults.candidates import Candidates
from scenarios.tour import evidence
from scenarios.tour.tour import BUSY
from scenarios.vouching import overwritten
from tests.scenarios.road.conftest import Road
from tests.scenarios.road.schema import renamed, watched
from tests.scenarios.road.variants import Production, eventually, of_two_features

STACKS = ("delivery", "dev", "prod")
STAGES = ("Source", "Build", "Train", "DeployDev", "TestDev", "Approve", "DeployProd")
# The first test waits for a whole rehearsal: minutes on a quiet machine, more on a busy one.
pytestmark = [pytest.mark.e2e, pytest.mark.timeout(2400)]


def test_both_runs_succeed_through_all_seven_stages(road: Road) -> None:
    runs = road.report["runs"][:2]
    assert [run["reason"] for run in runs] == ["commit", "data"]
    for run in runs:
        assert run["status"] == "Succeeded"
        assert [(s["name"], s["status"]) for s in run["stages"]] == [(name, "Succeeded") for name in STAGES]


def test_the_second_run_saw_more_rows(road: Road) -> None:
    first, second = (run["data"]["rows"] for run in road.report["runs"][:2])
    assert first < second == road.report["data"]["rows"]


def test_the_reported_error_is_what_the_stored_model_makes_on_the_held_out_rows(road: Road) -> None:
    run = road.report["runs"][3]
    s3 = road.clients.of("delivery", "s3")
    manifest = evidence.manifest_now(road.clients, road.project, "prod")
    prefix = f"runs/{run['execution']}/features/test/"
    listed = s3.list_objects_v2(Bucket=road.project.names.artifacts_bucket, Prefix=prefix)["Contents"]
    parts = [
        s3.get_object(Bucket=road.project.names.artifacts_bucket, Key=o["Key"])["Body"].read().decode() for o in listed
    ]
    rows = [[float(cell) for cell in row] for row in csv.reader(io.StringIO("".join(parts))) if row]
    instances = [dict(zip(manifest["features"], row[1:], strict=False)) for row in rows]
    artifact = evidence.read_object(s3, manifest["model"]["artifact"])
    predicted = evidence.artifact_predictions(artifact, manifest["features"], instances)
    rmse = (sum((row[0] - p) ** 2 for row, p in zip(rows, predicted, strict=True)) / len(rows)) ** 0.5
    assert run["metrics"]["name"] == "rmse"
    assert run["metrics"]["value"] == pytest.approx(rmse, rel=1e-4)
    assert run["metrics"]["value"] < run["metrics"]["threshold"]


def test_the_second_shift_is_stepwise_and_no_live_request_fails(road: Road) -> None:
    shift = road.report["runs"][1]["shift"]
    weights = [step["weight"] for step in shift["steps"]]
    assert weights == sorted(weights)
    assert weights[0] <= 0.1
    assert weights[-1] == 1.0
    assert shift["requests"] >= 200
    assert shift["failed"] == 0


def test_the_bad_release_is_rolled_back_by_its_alarm(road: Road) -> None:
    bad = road.report["runs"][2]
    assert (bad["reason"], bad["status"]) == ("manual", "RolledBack")
    [stage] = bad["stages"]
    assert (stage["name"], stage["status"]) == ("DeployProd", "Failed")
    assert "glidepath-prod-model-errors" in stage["error"]
    assert "Traceback" not in stage["error"]
    shift = bad["shift"]
    assert shift["alarms"][0]["name"] == "glidepath-prod-model-errors"
    assert shift["steps"][-1]["weight"] == 0
    assert road.report["production"]["release"] == road.report["runs"][3]["release"] != bad["release"]


def test_only_the_canarys_callers_saw_the_bad_release_fail(road: Road) -> None:
    """At most rate by the canary's weight over time of all requests reached it; all others were answered."""
    shift = road.report["runs"][2]["shift"]
    steps = shift["steps"]
    reached = sum(a["weight"] * (b["second"] - a["second"]) for a, b in itertools.pairwise(steps)) * BUSY
    assert 0 < shift["failed"] <= reached + 3 * reached**0.5 + 1
    assert shift["requests"] > shift["failed"]


def test_captured_records_cover_the_live_requests(road: Road) -> None:
    assert road.report["capture"]["records"] >= road.report["runs"][1]["shift"]["requests"]


def test_drift_is_seen_by_feature_and_retrains_once(road: Road) -> None:
    first, *others = [found for found in road.report["monitor"]["executions"] if found["violations"]]
    assert "baseline_drift_check" in {check for checks in first["violations"].values() for check in checks}
    assert others, "the second drift was seen as well"
    drift, run = road.report["drift"], road.report["runs"][3]
    assert drift["alarm"].startswith(f"{road.project.names.stack('prod')}-drift-")
    assert (run["reason"], run["status"], run["release"]) == ("drift", "Succeeded", drift["release"])
    assert run["metrics"]["outcome"] == "better", "after drift, nothing less goes on"
    assert (drift["held"]["brake"], "not before" in drift["held"]["reason"]) == ("cooldown", True)


def test_the_registry_says_what_became_of_each_model(road: Road) -> None:
    """Approved because it was deployed, or because production returned to it; rejected where production left it."""
    candidates, sagemaker = Candidates(road.clients, road.project), road.clients.of("delivery", "sagemaker")
    said = {}
    for run in (run for run in road.report["runs"] if run["status"] == "Succeeded"):
        manifest = candidates.of_run(run["execution"]).manifest
        found = sagemaker.describe_model_package(ModelPackageName=manifest["model"]["package"])
        said[manifest["id"]] = found["ModelApprovalStatus"], found["ApprovalDescription"]
    assert said[road.production()["release"]][0] == "Approved"
    words = {"Approved": "DeployProd succeeded: production serves it|returned from .*", "Rejected": "returned from .*"}
    assert len(said) > 2
    assert all(re.fullmatch(words[status], why) for status, why in said.values()), said


def test_a_changed_features_sql_is_judged_on_rows_that_neither_model_was_trained_on(road: Road) -> None:
    """A larger test part than the champion's: it stopped its training by some of these rows."""
    ended = Candidates(road.clients, road.project).execute("latest", sql=lambda sql: sql.replace("'e667'", "'d99a'"))
    s3, folder = road.clients.of("delivery", "s3"), f"s3://{road.project.names.artifacts_bucket}/runs/{ended.run}"
    assert json.loads(evidence.read_object(s3, f"{folder}/features/champion/paired.json")) == {"how": "pairs"}
    verdict = json.loads(evidence.read_object(s3, f"{folder}/evaluation/gate.json"))
    ((rows, of),) = re.findall(r"on the (\d+) of (\d+) rows that neither was trained on", verdict["reason"])
    assert 0.5 < int(rows) / int(of) < 0.8
    assert bool(ended.error) != verdict["passed"]


def test_production_answers_as_the_stored_artifact_does(road: Road) -> None:
    manifest = evidence.manifest_now(road.clients, road.project, "prod")
    url = road.report["production"]["url"]
    caller = Caller(url, road.project.names.region, road.clients.credentials("prod"))
    assert evidence.check_predictions(road.clients, manifest, caller)["rows"] > 0
    assert road.production()["release"] == road.report["production"]["release"] == manifest["id"]


def test_every_role_kept_to_what_it_was_granted(road: Road) -> None:
    by_name = {role["role"].rpartition("/")[2]: role for role in road.report["roles"]}
    name = road.project.names.name
    for used in (f"{name}-delivery-pipeline", f"{name}-prod-deployer", f"{name}-prod-predict", f"{name}-prod-model"):
        assert by_name[used]["used"] > 0, used


def test_invoke_prints_predictions_and_refuses_bad_input(road: Road) -> None:
    instance = evidence.golden_instances(road.clients, evidence.manifest_now(road.clients, road.project, "prod"))[0]
    good = road.glidepath("invoke", json.dumps({"instances": [instance]}))
    assert good.returncode == 0
    assert len(json.loads(good.stdout)["predictions"]) == 1
    bad = road.glidepath("invoke", '{"instances": []}')
    assert bad.returncode == 1
    assert "400" in bad.stderr
    assert "Traceback" not in bad.stderr


def test_an_unsigned_request_is_refused(road: Road) -> None:
    caller = Caller(road.report["production"]["url"], road.project.names.region, road.clients.credentials("prod"))
    answer = caller.pool.request("POST", f"{caller.url}/predict", body=b"{}")
    assert answer.status == 403


@pytest.mark.parametrize("stack", STACKS)
def test_a_second_up_changes_nothing(road: Road, stack: str) -> None:
    done = road.pulumi("up", "--stack", stack, "--yes", "--skip-preview", "--expect-no-changes")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("stack", STACKS)
def test_refresh_finds_no_drift(road: Road, stack: str) -> None:
    done = road.pulumi("refresh", "--stack", stack, "--yes", "--skip-preview", "--expect-no-changes")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("stack", STACKS)
def test_preview_shows_no_warning(road: Road, stack: str) -> None:
    done = road.pulumi("preview", "--stack", stack)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "warning" not in (done.stdout + done.stderr).lower()


def test_an_alias_that_was_moved_by_hand_is_seen_and_put_back_at_once(road: Road) -> None:
    """To a version whose endpoint is gone: nobody is answered until an update has put it back."""
    before = road.production()
    functions, name = road.clients.of("prod", "lambda"), road.project.names.predict("prod")
    functions.update_alias(FunctionName=name, Name="live", FunctionVersion="1")
    moved = road.production()
    assert moved["moved"]
    assert moved["recorded"] == before["release"] != moved["release"]
    shown = road.glidepath("preview", "--stack", "prod")
    assert "the alias is not where the last shift left it" in shown.stdout, shown.stdout + shown.stderr
    done = road.pulumi("up", "--stack", "prod", "--yes", "--skip-preview")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "which is gone: all traffic leaves it at once" in done.stdout + done.stderr
    assert road.production() == before


def test_stray_weights_are_removed_by_the_next_update(road: Road) -> None:
    before = road.production()
    functions, name = road.clients.of("prod", "lambda"), road.project.names.predict("prod")
    functions.update_alias(FunctionName=name, Name="live", RoutingConfig={"AdditionalVersionWeights": {"1": 0.5}})
    assert road.production()["shifting"]
    done = road.pulumi("up", "--stack", "prod", "--yes", "--skip-preview")
    assert done.returncode == 0, done.stdout + done.stderr
    assert road.production() == before


def run_data(road: Road, text: str) -> Any:
    """A run started by new data; its end."""
    pipeline = road.clients.of("delivery", "codepipeline")
    known = run_ids(pipeline, road.project.names.name)
    s3 = road.clients.of("delivery", "s3")
    s3.put_object(Bucket=road.project.names.data_bucket, Key="datasets/trips.csv", Body=text.encode())
    execution = newest_run(pipeline, road.project.names.name, known)
    *_, last = follow(pipeline, road.project.names.name, execution, lambda _: False)
    return last


HEADER = (
    "pickup,dropoff,passengers,distance,fare,tip,tolls,total,color,payment,"
    "pickup_zone,dropoff_zone,pickup_borough,dropoff_borough"
)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (HEADER.replace(",total", "") + "\n1,2,3,4,5,6,7,8,9,10,11,12,13\n", "total"),
        ("", "empty"),
        (HEADER + "\n" + "x,y,a,b,c,d,e,f,g,h,i,j,k,l\n" * 50, "row"),
    ],
    ids=["no target column", "empty file", "rows that all fail"],
)
def test_bad_data_stops_at_train_and_production_stays(road: Road, text: str, reason: str) -> None:
    before = road.production()
    run = run_data(road, text)
    assert run.status == "Failed"
    train = next(stage for stage in run.stages if stage.name == "Train")
    assert train.status == "Failed"
    assert reason in (train.error or "")
    assert road.production() == before


def test_a_corrupt_manifest_is_refused(road: Road, tmp_path: Path) -> None:
    before = road.production()
    path = tmp_path / "manifest.json"
    path.write_text('{"schema": 1')
    done = road.pulumi("preview", "--stack", "prod", "--config", f"glidepath:release={path}")
    assert done.returncode != 0
    assert "manifest" in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert road.production() == before


def test_a_changed_artifact_is_refused(road: Road) -> None:
    manifest = evidence.manifest_now(road.clients, road.project, "prod")
    s3 = road.clients.of("delivery", "s3")
    original = evidence.read_object(s3, manifest["model"]["artifact"])
    uri = evidence.pointer(road.clients, road.project, "prod")["manifest"]
    with overwritten(s3, manifest["model"]["artifact"], original + b"x", "application/gzip"):
        done = road.pulumi("preview", "--stack", "prod", "--config", f"glidepath:release={uri}")
        text = done.stdout + done.stderr
        assert done.returncode != 0
        assert "has SHA-256" in text
        assert "Traceback" not in text


def test_an_unknown_config_key_is_refused(road: Road) -> None:
    done = road.pulumi("preview", "--stack", "prod", "--config", "glidepath:captur=1")
    text = done.stdout + done.stderr
    assert done.returncode != 0
    assert "capture" in text
    assert "Traceback" not in text


@pytest.fixture(scope="module")
def production(road: Road, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Production]:
    made = Production(road, tmp_path_factory.mktemp("program") / "copy")
    yield made
    made.close()


def test_an_ab_test_begins_at_a_peak_without_losing_capacity(production: Production) -> None:
    first, second = production.manifests()
    production.configure(variants=[{"name": "challenger", "manifest": first, "weight": 0.5}])
    old = production.grow(6)
    with production.watched() as seen, production.traffic() as traffic:
        said = production.deploy(second)
    requests, failed = traffic.counts()
    assert requests > 50
    assert failed == 0
    new = production.serving()
    assert new != old
    # Six instances by the weights of 1 and 0.5; none went, though the old endpoint's traffic did.
    held = {f"{old}/live": (6, True), f"{new}/live": (4, True), f"{new}/challenger": (2, True)}
    assert seen.moving
    assert all(look == held for look in seen.moving), seen.moving
    assert f"endpoint {new}, variant live: to 4 instances, as {old} has" in said
    assert {suspended for _, suspended in production.scaling().values()} == {False}


def test_an_ab_test_splits_the_requests_by_weight(production: Production) -> None:
    first, second = production.manifests()
    endpoint, asked = production.serving(), 300
    answered = production.ask(asked)
    assert set(answered) == {production.release_of(first), production.release_of(second)}
    # A third of the requests; six standard deviations are 49.
    assert abs(answered[production.release_of(first)] - asked / 3) < 49
    for variant in ("live", "challenger"):
        assert production.counted(endpoint, variant, "Invocations") > 0
        assert eventually(lambda name=variant: production.captured(endpoint, name) > 0)  # type: ignore[misc]
    shown = production.glidepath("promote", "prod", "challenger", "--show")
    assert shown.returncode == 0, shown.stderr
    header, *rows = shown.stdout.partition("\n\n")[0].splitlines()[1:]
    assert header.split()[:3] == ["variant", "release", "weight"]
    assert [row.split()[:3] for row in rows] == [
        ["live", production.release_of(second), "1"],
        ["challenger", production.release_of(first), "0.5"],
    ]
    assert "\nchallenger against live since " in shown.stdout


def test_the_winner_becomes_the_release(production: Production) -> None:
    first, _ = production.manifests()
    unknown = production.glidepath("promote", "prod", "nobody")
    assert unknown.returncode == 1
    assert unknown.stderr.startswith("glidepath: Pulumi.prod.yaml names no variant 'nobody'")
    with production.traffic() as traffic:
        # What was asked so far may be too little to rule a loss out.
        done = production.glidepath("promote", "prod", "challenger", "--yes")
    assert done.returncode == 0, done.stdout + done.stderr
    assert traffic.counts()[1] == 0
    assert "challenger is the release of prod now. take challenger out of Pulumi.prod.yaml, line" in done.stdout
    assert production.road.production()["release"] == production.release_of(first)
    assert set(production.ask(20)) == {production.release_of(first)}
    refused = production.up()
    assert refused.returncode != 0
    assert "which is the release itself: take it out of the stack's config" in refused.stdout + refused.stderr
    production.configure()
    assert production.up().returncode == 0


def test_a_shadow_that_fails_fails_nobody(production: Production) -> None:
    first, second = production.manifests()
    candidates = Candidates(production.road.clients, production.road.project)
    broken = candidates.spoiled(candidates.read(first), "broken-shadow", artifact=of_two_features)
    production.configure(shadow={"manifest": broken.uri, "weight": 1})
    with production.traffic() as traffic:
        production.deploy(second)
    assert traffic.counts()[1] == 0
    endpoint = production.serving()
    assert set(production.ask(100)) == {production.release_of(second)}
    assert eventually(lambda: production.counted(endpoint, "shadow", "Invocation4XXErrors") >= 100)
    assert production.counted(endpoint, "live", "Invocation4XXErrors") == 0
    assert production.counted(endpoint, "live", "Invocation5XXErrors") == 0
    assert production.captured(endpoint, "live") > 0


def test_a_change_of_schema_refuses_no_caller_of_the_release_that_serves(road: Road, production: Production) -> None:
    production.configure()
    manifest = evidence.manifest_now(road.clients, road.project, production.stack)
    changed, address, names = renamed(road, manifest)
    first, second = manifest["features"][0], changed["features"][0]
    deployment = ("deploy", "--stack", production.stack, "--release", address)
    # What callers asked until now cannot be tried on it.
    refused_by_hook = production.glidepath(*deployment)
    assert refused_by_hook.returncode == 1
    assert f"lack {second}. If golden records" in refused_by_hook.stdout + refused_by_hook.stderr
    moves = production.plain("deployment")
    production.configure(deployment={**moves, "replay": {"accept": [second]}})
    row = evidence.golden_instances(road.clients, manifest)[0]
    instances = {"old": row, "new": {names[name]: value for name, value in row.items()}}

    there = watched(road, instances, production.glidepath, *deployment)
    old = there.during("old")
    assert len(old) > 10
    assert {(answer.status, answer.release) for answer in old} == {(200, manifest["id"])}
    refused = there.caller.predict([instances["old"]])
    assert refused.status == 400
    assert f"lacks {second} and has unknown {first}" in str(refused.error)
    assert f"a request of release {manifest['id']}, which no longer serves; release {changed['id']}" in str(
        refused.error
    )
    assert there.caller.predict([instances["new"]]).release == changed["id"]
    (variables,) = [
        there.lambda_.get_function_configuration(FunctionName=there.function, Qualifier="live")["Environment"][
            "Variables"
        ]
    ]
    assert json.loads(variables["FORMER"])["release"] == manifest["id"]

    again = production.glidepath(*deployment)
    assert again.returncode == 0, again.stdout + again.stderr
    assert "started deployment" not in again.stdout + again.stderr

    back = watched(road, instances, road.glidepath, "rollback", production.stack, "--to", manifest["id"], "--yes")
    assert {(answer.status, answer.release) for answer in back.during("new")} == {(200, changed["id"])}
    assert back.caller.predict([instances["old"]]).release == manifest["id"]
    assert back.caller.predict([instances["new"]]).status == 400
