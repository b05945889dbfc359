"""The bound on failed requests, from configuration."""

import pytest

from scenarios.faults.bounds import Routing, most_failed, routing_of

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


def test_the_bound_is_weight_times_time_to_alarm_times_rate() -> None:
    # Two minutes of alarm, ten seconds of CodeDeploy's look and one of the machine's (a minute lasts 2 s): 2.667.
    assert most_failed(routing_of(CANARY), 2, 2.0, 30.0) == pytest.approx(0.05 * (2 + 1 / 6 + 0.5) * 2 * 30)
