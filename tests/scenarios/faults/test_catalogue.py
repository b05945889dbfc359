"""The matrix holds what it must, and finds what it is asked for."""

import re

import pytest

from contracts.errors import UserError
from scenarios.faults.catalogue import choose, faults

SERVING = {
    "model-raises",
    "model-nan",
    "model-constant",
    "model-constant-live",
    "model-constant-unseen",
    "model-biased-slice",
    "model-slow",
    "endpoint-creation-fails",
    "endpoint-update-throttled",
    "before-hook-fails",
    "before-hook-crashes",
    "after-hook-fails",
    "alarm-during-canary",
    "alarm-metric-missing",
    "deployment-stopped",
    "lambda-cold-failure",
    "pulumi-killed",
    "capture-denied",
    "kms-key-disabled",
}


def test_every_fault_of_the_serving_side_is_there() -> None:
    assert {fault.name for fault in faults()} >= SERVING


@pytest.mark.parametrize("fault", faults(), ids=lambda fault: fault.name)
def test_a_fault_can_be_named_and_can_fail(fault: object) -> None:
    from scenarios.faults.fault import Fault
    from scenarios.faults.outcome import DEPLOY, FIRST_DEPLOY, NONE

    assert isinstance(fault, Fault)
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", fault.name)
    assert fault.title[0].isupper() or fault.title.startswith("pulumi")
    assert fault.expected.stage in ("Train", "Approve", FIRST_DEPLOY, DEPLOY, NONE)
    assert fault.expected.serving in ("old", "new")
    # An expression that is found in every sentence would check none.
    assert fault.expected.stage == NONE or not re.search(fault.expected.error, "")


def test_a_fault_is_about_production_whatever_it_is_called() -> None:
    (denied,) = choose(["deployer-lacks-permission"])
    found = denied.at("live")
    assert (found.expected.stage, found.denies) == ("DeployLive", ("live-deployer", "sagemaker:CreateEndpointConfig"))
    assert "-live-deployer" in found.expected.error
    (first,) = choose(["foreign-state"])
    assert first.at("live", "try").expected.stage == "DeployTry"
    assert first.at("live").expected.stage == "DeployLive"
    for fault in faults():
        assert "{" not in fault.at("live").expected.stage
        assert "{production}" not in fault.at("live").expected.error


def test_names_choose_in_the_catalogues_order_and_none_chooses_all() -> None:
    names = [fault.name for fault in choose(["model-nan", "model-raises", "model-nan"])]
    assert names == ["model-raises", "model-nan"]
    assert choose([]) == faults()


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("model-nann", "Did you mean model-nan"),
        ("kms-key-disable", "Did you mean kms-key-disabled?"),
        ("zzzzz", "./glidepath faults --list shows all."),
    ],
)
def test_an_unknown_name_is_refused_with_those_that_come_near(name: str, hint: str) -> None:
    with pytest.raises(UserError) as caught:
        choose(["model-nan", name])
    assert str(caught.value).startswith(f"there is no fault {name!r}. {hint}")
    assert caught.value.code == 2
    assert "\n" not in str(caught.value)
