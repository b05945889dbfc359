"""One look of the judge with its clients: what it reads, publishes, keeps and does."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from contracts.judging import ASK_SECONDS, question_key, read_shift, record_key, render_shift
from contracts.release import parse_release
from functions.judge.clients import Clients
from functions.judge.judging import judge, pair_of
from functions.judge.record import CRASHED, FAILED, SLOW, Bake, Record, Said, parse, render
from functions.shared.metrics import IncompleteError
from tests.functions import samples
from tests.functions.judge.fakes import BUCKET, Aws, shift
from tests.functions.judge.world import START

RECORD = f"{BUCKET}/{record_key('d-1')}"
QUESTION = f"{BUCKET}/{question_key('d-1')}"
BEFORE, AFTER = {"FunctionVersion": "7"}, {"FunctionVersion": "8"}


def look(clients: Clients, alias: dict[str, Any], now: float, began: float = START) -> bool:
    """Whether it was the last one."""
    return judge(clients, shift(), alias, began, now).done


def known(aws: Aws) -> Record:
    return parse(aws.objects[RECORD].decode())


def change(aws: Aws, **changes: Any) -> None:
    aws.objects[RECORD] = render(replace(known(aws), **changes)).encode()


def test_the_first_look_keeps_a_record_and_publishes_no_evidence() -> None:
    aws = Aws()
    assert look(aws.clients(), BEFORE, START) is False
    found = known(aws)
    assert (found.old, found.new, found.judged, found.began) == ("7", "8", True, START)
    assert [each.weight for each in found.readings] == [0.0]
    (evidence,) = aws.published
    assert evidence["Evidence"] == {
        "MetricName": "Evidence",
        "Dimensions": [{"Name": "Service", "Value": "fares-prod"}, {"Name": "Version", "Value": "8"}],
        "Value": 0.0,
        "StorageResolution": 1,
    }


def test_evidence_is_read_from_what_both_versions_reported() -> None:
    aws = Aws()
    windows = [START + 60 + 10 * number for number in range(30)]
    aws.metrics = {
        ("Judged", "7"): dict.fromkeys(windows, 100.0), ("Judged", "8"): dict.fromkeys(windows, 100.0),
        ("JudgedFailed", "8"): dict.fromkeys(windows, 20.0),
    }  # fmt: skip
    moving = {"FunctionVersion": "7", "RoutingConfig": {"AdditionalVersionWeights": {"8": 0.5}}}
    look(aws.clients(), BEFORE, START)
    for number in range(1, 60):
        look(aws.clients(), moving, START + 10 * number)
    assert aws.published[-1]["Evidence"]["Value"] > 1
    (weight,) = known(aws).requests.weights
    counts = weight.counts[FAILED]
    assert counts.new_requests == counts.old_requests > 0
    assert (counts.new_events, counts.old_events) == (counts.new_requests / 5, 0)
    assert weight.counts[SLOW].new_events == 0


def test_windows_are_asked_by_ten_seconds_and_crashes_by_the_minute() -> None:
    aws = Aws()
    look(aws.clients(), BEFORE, START)
    assert aws.asked == [], "nothing is old enough"
    look(aws.clients(), BEFORE, START + 300)
    periods = {
        query["MetricStat"]["Metric"]["MetricName"]: query["MetricStat"]["Period"]
        for request in aws.asked for query in request["MetricDataQueries"]
    }  # fmt: skip
    assert {
        "Judged": 10,
        "JudgedFailed": 10,
        "JudgedSlow": 10,
        "Invocations": 60,
        "Errors": 60,
    }.items() <= periods.items()
    assert all(request["EndTime"].timestamp() == START + 300 for request in aws.asked)


def test_the_bound_of_the_bake_is_from_the_old_versions_week() -> None:
    aws = Aws()
    aws.metrics = {
        ("Judged", "7"): {START - 7200: 5000.0, START - 3600: 5000.0},
        ("JudgedFailed", "7"): {START - 3600: 100.0},
        ("Invocations", ""): {START - 3600: 10_000.0},
    }
    look(aws.clients(BAKE_MINUTES="10"), BEFORE, START)
    bounds = known(aws).bounds
    assert bounds[FAILED] == pytest.approx(0.0244, abs=0.0005)
    assert bounds[SLOW] == bounds[CRASHED] == 0.001


def failing(aws: Aws) -> None:
    """Put the deployment into its bake, with more failures than any bound allows."""
    look(aws.clients(BAKE_MINUTES="10"), BEFORE, START)
    looks = {FAILED: ((100.0, 90.0),), SLOW: (), CRASHED: ()}
    baking = Bake(START, START + 600, START + 60, START + 60, dict.fromkeys(looks, 0.01), looks)
    change(aws, verdict=Said("pass", "Passed."), ended=START, bake=baking)
    aws.status = "Succeeded"


def baking(aws: Aws, alias: dict[str, Any], after: float) -> bool:
    return look(aws.clients(BAKE_MINUTES="10"), alias, START + after)


def test_a_release_that_fails_its_bake_is_taken_back_once() -> None:
    aws = Aws()
    failing(aws)
    assert baking(aws, AFTER, 100) is False
    (made,) = aws.made
    assert (made["applicationName"], made["deploymentGroupName"]) == ("fares-prod", "predict")
    assert made["deploymentConfigName"] == "CodeDeployDefault.LambdaAllAtOnce"
    begins = "Release 20261101-0a0b0c0d: version 8 to 7. Taken back in its bake: Failed: 90 of 100"
    assert made["description"].startswith(begins)
    document = json.loads(made["revision"]["appSpecContent"]["content"])
    properties = document["Resources"][0]["live"]["Properties"]
    assert (properties["CurrentVersion"], properties["TargetVersion"]) == ("8", "7")
    assert "Hooks" not in document
    assert baking(aws, AFTER, 110) is False, "the alias is not there yet"
    assert baking(aws, BEFORE, 120) is True
    assert known(aws).over == known(aws).baked.sentence  # type: ignore[union-attr]
    assert len(aws.made) == 1


def test_a_return_that_cannot_begin_is_tried_again_with_the_next_look() -> None:
    aws = Aws()
    failing(aws)
    aws.fails = {"create_deployment"}
    with pytest.raises(ClientError):
        baking(aws, AFTER, 100)
    assert not known(aws).over
    assert known(aws).baked is not None
    aws.fails = set()
    baking(aws, AFTER, 110)
    assert len(aws.made) == 1


def test_a_return_whose_record_was_lost_is_still_the_judges() -> None:
    aws = Aws()
    failing(aws)
    before = aws.objects[RECORD]
    baking(aws, AFTER, 100)
    written = known(aws)
    # As it was written before the deployment was made, and not afterwards.
    aws.objects[RECORD] = render(replace(written, returned=None)).encode()
    assert baking(aws, BEFORE, 110) is True
    assert known(aws).over.startswith("Failed: 90 of 100")
    assert len(aws.made) == 1
    assert before != aws.objects[RECORD]


def test_a_return_that_does_not_move_the_alias_is_tried_again_later() -> None:
    aws = Aws()
    failing(aws)
    for after in (100, 110, 219):
        baking(aws, AFTER, after)
    assert len(aws.made) == 1
    baking(aws, AFTER, 221)
    assert len(aws.made) == 2


def test_traffic_stays_where_the_former_versions_endpoint_is_gone() -> None:
    aws = Aws(gone={"e-7"})
    failing(aws)
    assert baking(aws, AFTER, 100) is True
    assert aws.made == []
    assert known(aws).over.endswith("Traffic stays: the former version's endpoint is gone.")


def test_an_answer_of_cloudwatch_in_part_is_asked_again() -> None:
    """Counted as nothing, a missing series would hide a fault, or convict a good release."""
    aws = Aws()
    look(aws.clients(), BEFORE, START)
    aws.code = "InternalError"
    with pytest.raises(IncompleteError, match="InternalError"):
        look(aws.clients(), BEFORE, START + 300)
    assert known(aws).requests.looked == START


def test_looks_are_as_far_apart_as_planned() -> None:
    aws = Aws()
    given = shift(every=30, bake_every=70)
    assert judge(aws.clients(BAKE_MINUTES="10"), given, BEFORE, START, START).wait == 30
    assert known(aws).missed == 120
    looks: dict[str, tuple[tuple[float, float], ...]] = {FAILED: (), SLOW: (), CRASHED: ()}
    bake = Bake(START, START + 9000, START + 60, START + 60, dict.fromkeys(looks, 0.01), looks)
    change(aws, verdict=Said("pass", "Passed."), ended=START, bake=bake)
    aws.status = "Succeeded"
    assert judge(aws.clients(BAKE_MINUTES="10"), given, AFTER, START, START + 100).wait == 70


def test_a_judge_whose_first_looks_failed_knows_since_when_it_should_have_looked() -> None:
    aws = Aws()
    look(aws.clients(), BEFORE, START + 300, began=START)
    assert "did not look for 300 s" in known(aws).requests.broken


@pytest.mark.parametrize(("silence", "status"), [("return", "Failed"), ("accept", "Succeeded")])
def test_a_question_without_an_answer_is_answered_by_config(silence: str, status: str) -> None:
    aws = Aws()
    look(aws.clients(), BEFORE, START)
    change(aws, verdict=Said("inconclusive", "Inconclusive."), ended=START)
    look(aws.clients(ON_SILENCE=silence), AFTER, START + 10)
    assert "Question" not in aws.published[-1]
    aws.objects[QUESTION] = b'{"hook": "h-1", "sentence": "Inconclusive."}'
    look(aws.clients(ON_SILENCE=silence), AFTER, START + 20)
    assert aws.published[-1]["Question"]["Value"] == 1
    look(aws.clients(ON_SILENCE=silence), AFTER, START + 20 + ASK_SECONDS - 1)
    assert aws.reported == []
    for later in (0, 10):
        look(aws.clients(ON_SILENCE=silence), AFTER, START + 20 + ASK_SECONDS + later)
    assert aws.reported == [{"deploymentId": "d-1", "lifecycleEventHookExecutionId": "h-1", "status": status}]


def test_an_answer_that_was_given_stands() -> None:
    aws = Aws()
    look(aws.clients(), BEFORE, START)
    change(aws, verdict=Said("inconclusive", "Inconclusive."), ended=START, asked=START)
    aws.objects[QUESTION] = b'{"hook": "h-1", "sentence": "Inconclusive."}'
    aws.answered = True
    look(aws.clients(), AFTER, START + ASK_SECONDS + 1)
    assert known(aws).answered
    assert aws.reported == []


def test_the_verdict_stands_in_the_log_for_the_update_that_waits(capsys: pytest.CaptureFixture[str]) -> None:
    aws = Aws(status="Stopped")
    look(aws.clients(), BEFORE, START)
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["deployment"] for line in lines] == ["d-1"] * len(lines)
    assert lines[0]["message"].startswith("Inconclusive:")
    assert "CodeDeploy ended the deployment (Stopped)" in lines[-1]["message"]


# --- the pair --------------------------------------------------------------------------------------------------------


def test_what_is_known_of_the_pair_is_of_these_two_releases_and_these_bins() -> None:
    release = parse_release(json.dumps(samples.manifest()))
    assert release.pair is not None
    assert release.pair.table is not None
    own = shift(former=release.pair.release, edges=release.pair.table.edges)
    found, reason = pair_of(release, own)
    assert found is not None
    assert (found.rows, reason) == (release.pair.table.rows, "")
    for other, word in (
        (own._replace(former="20260101-00000000"), "compared with"),
        (own._replace(former=""), "another serves"),
        (own._replace(edges=(1.0,)), "other bins"),
    ):
        assert pair_of(release, other)[0] is None
        assert word in pair_of(release, other)[1]
    assert pair_of(replace(release, pair=None), own) == (None, "the evaluation compared with no champion")
    untabled = replace(release, pair=replace(release.pair, table=None))
    assert "where both models' predictions lie" in pair_of(untabled, own)[1]


def test_the_state_machines_input_is_read_as_it_was_written() -> None:
    assert read_shift(json.loads(json.dumps(render_shift(shift())))) == shift()
