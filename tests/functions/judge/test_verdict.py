"""The three verdicts, and the sentences that say why."""

from functions.judge.bins import Pair
from functions.judge.counts import Bins, Block, Counts, Tally
from functions.judge.verdict import verdict
from tests.functions.judge.support import METRICS

FAILED, SLOW = METRICS


def _tallies(failed: Counts, slow: Counts, broken: str = "") -> list[Tally]:
    return [Tally(METRICS, 0, 0, blocks=(Block(0.5, {FAILED: failed, SLOW: slow}),), broken=broken)]


def test_evidence_in_one_metric_fails() -> None:
    found = verdict(_tallies(Counts(500, 0, 500, 0), Counts(500, 1, 500, 40)))
    assert found.outcome == "fail"
    assert found.sentence.startswith(
        "Failed: slow requests: 40 of 500 requests of the new version, 1 of 500 of the old one; so many would be seen"
    )


def test_a_loss_that_is_ruled_out_in_every_metric_passes() -> None:
    found = verdict(_tallies(Counts(500, 0, 500, 1), Counts(500, 1, 500, 0)))
    assert found.outcome == "pass"
    assert "3 points are tolerated" in found.sentence
    assert "is ruled out" in found.sentence


def test_one_metric_that_cannot_be_told_makes_it_inconclusive() -> None:
    found = verdict(_tallies(Counts(500, 0, 500, 0), Counts(500, 20, 500, 25)))
    assert [each.outcome for each in found.findings] == ["pass", "inconclusive"]
    assert found.outcome == "inconclusive"
    assert found.sentence.startswith("Inconclusive: slow requests: 25 of 500")


def test_little_traffic_never_passes_silently() -> None:
    found = verdict(_tallies(Counts(5, 0, 5, 0), Counts(5, 0, 5, 0)))
    assert found.outcome == "inconclusive"
    assert "only a loss of " in found.sentence
    nothing = verdict([Tally(METRICS, 0, 0)])
    assert nothing.outcome == "inconclusive"
    assert "no loss is ruled out" in nothing.sentence


def test_a_judge_that_looked_away_cannot_pass_a_release_and_can_still_fail_it() -> None:
    away = "the judge did not look for 300 s, and 120 s are allowed"
    quiet = Counts(500, 0, 500, 0)
    assert verdict(_tallies(quiet, quiet, away)).sentence == f"Inconclusive: {away}."
    assert verdict(_tallies(quiet, Counts(500, 0, 500, 40), away)).outcome == "fail"


def test_a_metric_may_have_a_tolerance_of_its_own() -> None:
    tallies = _tallies(Counts(500, 0, 500, 0), Counts(500, 20, 500, 25))
    assert verdict(tallies, tolerances={SLOW: 0.2}).outcome == "pass"


def test_predictions_that_the_evaluation_did_not_foresee_fail() -> None:
    quiet = Counts(500, 0, 500, 0)
    seen = Bins((250.0, 250.0), (450.0, 50.0))
    tally = Tally(METRICS, 0, 0, blocks=(Block(0.5, {FAILED: quiet, SLOW: quiet}, seen),))
    assert verdict([tally]).outcome == "pass"
    assert verdict([tally], Pair(((60, 0), (48, 12)))).outcome == "pass"
    found = verdict([tally], Pair(((60, 0), (0, 60))))
    assert found.outcome == "fail"
    assert found.sentence.startswith("Failed: the new version's predictions are distributed otherwise than")


def test_without_enough_predictions_it_is_inconclusive() -> None:
    quiet = Counts(500, 0, 500, 0)
    tally = Tally(METRICS, 0, 0, blocks=(Block(0.5, {FAILED: quiet, SLOW: quiet}, Bins((5.0, 5.0), (5.0, 5.0))),))
    assert verdict([tally]).outcome == "pass"
    found = verdict([tally], Pair(((60, 0), (0, 60))))
    assert found.outcome == "inconclusive"
    assert found.sentence.startswith(
        "Inconclusive: it is not ruled out that 15 % of the predictions are in another bin"
    )


def test_the_open_block_counts_in_the_end() -> None:
    quiet = Counts(500, 0, 500, 0)
    open_ = Block(0.5, {FAILED: Counts(5, 0, 5, 5), SLOW: Counts(5, 0, 5, 0)})
    tally = Tally(METRICS, 0, 0, blocks=(Block(0.5, {FAILED: quiet, SLOW: quiet}),), open=open_)
    assert verdict([tally]).findings[0].counts == Counts(505, 0, 505, 5)


def test_what_only_aws_counts_is_judged_beside_it() -> None:
    quiet = Counts(500, 0, 500, 0)
    ours = Tally(METRICS, 0, 0, blocks=(Block(0.5, {FAILED: quiet, SLOW: quiet}),))
    crashes = Counts(500, 0, 500, 40, 0.6)
    aws = Tally(("crashed requests",), 0, 0, 60, True, blocks=(Block(0.6, {"crashed requests": crashes}),))
    assert verdict([ours]).outcome == "pass"
    assert verdict([ours, aws]).sentence.startswith("Failed: crashed requests: 40 of 500")
    assert verdict([ours, Tally(("crashed requests",), 0, 0, 60, True)]).outcome == "inconclusive"
