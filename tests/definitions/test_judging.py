"""The state machine that has a shift judged."""

from definitions.judging import bake_every, every, state_machine
from functions.judge.judging import missed

MACHINE = state_machine("fares-prod-predict", "live", "arn:aws:lambda:eu-west-1:1:function:fares-prod-judge")


def test_every_state_is_reached_and_a_look_that_fails_is_made_again() -> None:
    states = MACHINE["States"]
    reached, waiting = set(), [MACHINE["StartAt"]]
    while waiting:
        name = waiting.pop()
        if name in reached:
            continue
        reached.add(name)
        state = states[name]
        waiting += [state[key] for key in ("Next", "Default") if key in state]
        waiting += [other["Next"] for key in ("Choices", "Catch") for other in state.get(key, [])]
    assert reached == set(states)
    for task in ("Read", "Look"):
        assert states[task]["Catch"] == [{"ErrorEquals": ["States.ALL"], "ResultPath": "$.error", "Next": "Wait"}]
    assert states["Wait"]["Next"] == "Read"


def test_the_alias_is_read_by_the_service_and_dated_right_after() -> None:
    read, look = MACHINE["States"]["Read"], MACHINE["States"]["Look"]
    assert read["Resource"] == "arn:aws:states:::aws-sdk:lambda:getAlias"
    assert read["Next"] == "Look"
    assert look["Parameters"]["Payload"]["now.$"] == "$$.State.EnteredTime"


def test_an_execution_never_outgrows_its_history() -> None:
    assert (every(9), bake_every(10), bake_every(0)) == (10, 10, 10)
    # The longest shift, with both hooks and a person who is asked, and the longest bake.
    for steps in (0, 1, 99, 480, 2880):
        for minutes in (0, 10, 2880):
            looks = (steps + 80) * 60 / every(steps) + minutes * 60 / bake_every(minutes)
            # A history holds 25,000 events; a task leaves five, another state two.
            assert looks * (2 * 5 + 2 * 2) <= 25_000 - 1_000


def test_steps_are_looked_at_often_enough_to_be_counted() -> None:
    """A window counts where the readings on either side agree."""
    for percentage in (1, 5, 10, 50):
        for minutes in (1, 5, 60, 600):
            steps = -(-100 // percentage) - 1
            assert every(steps * minutes) <= minutes * 60 / 3
    for minutes in (1, 60, 2880):
        assert every(minutes) <= max(20, minutes * 60 / 3)
        assert missed(every(minutes)) >= 2 * every(minutes)
