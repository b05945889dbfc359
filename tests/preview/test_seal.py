"""What a secret is belongs to what is approved; what it says is nobody's business."""

import json
from typing import Any

from preview.digest import differences, digest, normalise
from preview.plan import document
from preview.seal import covered, is_hash, sealed

URN = "urn:pulumi:prod::own::aws:lambda/function:Function::predict"


def secret(value: Any) -> dict[str, str]:
    """As `--save-plan --show-secrets` writes one."""
    return {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "plaintext": json.dumps(value)}


def engine_plan(**updates: Any) -> dict[str, Any]:
    return {"resourcePlans": {URN: {"goal": {"inputDiff": {"adds": {}, "updates": updates}}, "steps": ["update"]}}}


def steps(op: str, **inputs: Any) -> list[dict[str, Any]]:
    diff = {"detailedDiff": {"environment": {"kind": "update"}}} if op == "update" else {}
    return [{"op": op, "urn": URN, "oldState": {"id": "predict", "inputs": {}}, "newState": {"inputs": inputs}, **diff}]


def plan(value: Any, op: str = "update", salt: str = "prod s3://b/m") -> dict[str, Any]:
    """The plan of an update to a function with a secret variable."""
    shown = {"environment": {"variables": {"KEY": "[secret]", "PLAIN": "p"}}}
    changes = {"environment": {"variables": {"KEY": secret(value), "PLAIN": "p"}}} if op == "update" else {}
    hashes = sealed(engine_plan(**changes), salt)
    return normalise(document({"steps": steps(op, **shown)}) | {"sealed": hashes})


def test_another_secret_is_another_plan_and_neither_is_shown() -> None:
    approved, planned = plan("one"), plan("https://evil.example")
    assert digest(approved) != digest(planned)
    (found,) = differences(approved, planned)
    assert found.startswith("predict (Function): environment.variables.KEY was a secret (")
    assert "one" not in json.dumps(approved)
    assert "evil" not in json.dumps(planned) + found


def test_the_same_secret_is_the_same_plan_and_of_another_release_no_clue() -> None:
    assert digest(plan("one")) == digest(plan("one"))
    assert digest(plan("one")) != digest(plan("one", salt="prod s3://b/other"))


def test_a_secret_that_is_an_object_is_one_whatever_the_order_of_its_keys() -> None:
    one, other = (sealed(engine_plan(env=secret(v)), "s")[URN]["env"] for v in ({"A": 1, "B": 2}, {"B": 2, "A": 1}))
    assert one == other
    assert is_hash(one)


def test_secrets_in_lists_are_covered() -> None:
    hashes = sealed(engine_plan(args=["x", secret("y")]), "s")[URN]
    first, second = covered({"args": ["x", "[secret]"]}, hashes)["args"]
    assert first == "x"
    assert is_hash(second)


def test_what_the_engine_only_encrypts_is_covered_too() -> None:
    hidden = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "ciphertext": "v1:xyz"}
    assert is_hash(sealed(engine_plan(env=hidden), "s")[URN]["env"])


def test_a_secret_that_does_not_change_stays_hidden() -> None:
    shown = covered({"environment": {"KEY": "[secret]"}, "timeout": 3}, {"timeout": 3})
    assert shown == {"environment": {"KEY": "[secret]"}, "timeout": 3}


def test_a_deployment_that_failed_after_it_changed_the_secret_does_the_rest() -> None:
    assert differences(plan("one"), plan("one", op="same")) == []


def test_a_word_that_is_no_secret_is_not_taken_for_one() -> None:
    assert covered({"text": "[secret]"}, {"text": "[secret]"}) == {"text": "[secret]"}


def test_a_variable_whose_name_begins_with_two_underscores_is_part_of_the_plan() -> None:
    def with_variable(name: str, value: str) -> dict[str, Any]:
        return normalise(document({"steps": steps("update", environment={"variables": {name: value}})}))

    for name in ("__EXFIL_URL", "__defaults", "__provider"):
        (found,) = differences(with_variable(name, "a"), with_variable(name, "https://evil.example"))
        assert f"environment.variables.{name} was a when approved" in found
