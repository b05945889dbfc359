"""The state machine that has a shift judged."""

from definitions.judging import LOOKS, SECONDS, every, state_machine

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
    assert every(10) == 10
    for minutes in (1, 120, 290, 600, 36 * 60, SECONDS / 60):
        assert every(minutes) >= 10
        assert minutes * 60 / every(minutes) <= LOOKS
        # A history holds 25,000 events; a task leaves five, another state two.
        assert minutes * 60 / every(minutes) * (2 * 5 + 2 * 2) <= 25_000 - 100
    assert every(SECONDS / 60) < 120, "the judge may look away for two minutes"
