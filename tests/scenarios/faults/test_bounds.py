"""The bound on failed requests, from configuration."""

import pytest

from definitions.health import Watched, alarms
from scenarios.faults.bounds import Routing, alarm_minutes, least_events, most_failed, routing_of, waiting_minutes
from settings import parse
from tests.rehearsal.cloud.test_health import to_query
from tests.settings.configs import config

LINEAR = {"type": "TimeBasedLinear", "timeBasedLinear": {"linearPercentage": 10, "linearInterval": 1}}
CANARY = {"type": "TimeBasedCanary", "timeBasedCanary": {"canaryPercentage": 5, "canaryInterval": 5}}


def test_the_weights_come_from_the_deployments_configuration() -> None:
    assert routing_of(LINEAR) == Routing(True, 0.1, 1)
    assert routing_of(CANARY) == Routing(False, 0.05, 5)
    assert routing_of({"type": "AllAtOnce"}).exposure(3) == 3


@pytest.mark.parametrize(("minutes", "exposed"), [(0.5, 0.05), (1, 0.1), (2, 0.3), (2.5, 0.45), (10, 5.5), (12, 7.5)])
def test_a_linear_shift_exposes_more_with_every_step(minutes: float, exposed: float) -> None:
    assert routing_of(LINEAR).exposure(minutes) == pytest.approx(exposed)


def test_a_canary_exposes_its_share_and_then_all() -> None:
    assert routing_of(CANARY).exposure(4) == pytest.approx(0.2)
    assert routing_of(CANARY).exposure(7) == pytest.approx(0.25 + 2)


def test_a_hard_limit_waits_for_a_minute_with_requests_enough() -> None:
    # 25 requests a minute, of which the new version gets 2.5, 5, 7.5, …: the third minute has twice three.
    assert waiting_minutes(routing_of(LINEAR), 3, 25) == 2
    assert waiting_minutes(routing_of(LINEAR), 3, 60) == 0
    assert waiting_minutes(routing_of(CANARY), 3, 25) == 5, "until all traffic is there"


def test_the_bound_is_weight_times_time_to_alarm_times_rate() -> None:
    # Two minutes of alarm, ten seconds of CodeDeploy's look and one of the machine's (a minute lasts 2 s): 2.667.
    assert most_failed(routing_of(CANARY), 2, 2.0, 60.0, 3) == pytest.approx(0.05 * (2 + 1 / 6 + 0.5) * 2 * 60)
    # Of the committed production in the rehearsal, as docs/faults.md says.
    assert most_failed(routing_of(LINEAR), 2, 1.0, 25.0, 3) == pytest.approx(40.0)


def test_the_bound_is_read_from_what_is_deployed() -> None:
    watched = Watched("shop", "shop-predict", "live", "7", "shop-1", ["live"], "shop", "live")
    limits = parse("live1", config("live1", alarms={"modelErrors": 4, "periods": 2, "mails": []})).alarms.limits
    given = alarms(watched, limits, [], [1.0])["model-errors"].arguments
    queries = [to_query(query) for query in given["metric_queries"]]
    deployed = {"Metrics": queries, "EvaluationPeriods": given["evaluation_periods"]}
    assert (least_events(deployed), alarm_minutes(deployed)) == (4, 3)
