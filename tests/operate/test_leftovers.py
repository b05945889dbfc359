"""What is left over: never what a state, an answering version, a deployment or another stack names."""

import json
from pathlib import Path
from typing import Any

import pytest

from operate.leftovers import CONFIG, ENDPOINT, MODEL, Held, Leftover, Leftovers, Thing, held
from tests.operate.leftovers_world import World, name, project

NOTHING = Held()


def left(world: World, root: Path, state: Held = NOTHING, other: str = "") -> list[str]:
    stacks = {other: "3" * 12} if other else {}
    looked = Leftovers(world, project(root, **stacks), "prod")  # type: ignore[arg-type]
    found: list[Leftover] = looked.left(looked.candidates(), state)
    return [f"{each.thing.kind} {each.thing.name}" for each in found]


def all_of(made: str) -> list[str]:
    return [f"{kind} {made}" for kind in (ENDPOINT, CONFIG, MODEL)]


def test_what_serves_is_never_left_over_with_all_that_it_uses(tmp_path: Path) -> None:
    world = World()
    world.versions["1"] = world.release(1)
    second = world.release(2)
    assert left(world, tmp_path) == all_of(second)


@pytest.mark.parametrize("where", ["weights", "deployment", "next"])
def test_nor_is_what_is_shifted_to(where: str, tmp_path: Path) -> None:
    world = World()
    world.versions["1"], second = world.release(1), world.release(2)
    if where == "weights":
        world.alias = {"FunctionVersion": "1", "RoutingConfig": {"AdditionalVersionWeights": {"2": 0.1}}}
    if where == "deployment":
        world.going_to = ["2"]
    world.versions["$LATEST" if where == "next" else "2"] = second
    assert left(world, tmp_path) == []


def test_nor_is_what_requests_of_the_former_schema_are_handed_on_to(tmp_path: Path) -> None:
    world = World()
    world.versions["1"] = f'{{"release": "r", "endpoint": "{world.release(2)}"}}'
    assert left(world, tmp_path) == []


def test_nor_is_what_the_state_holds_with_all_that_it_uses(tmp_path: Path) -> None:
    world = World()
    world.versions["1"], second = world.release(1), world.release(2)
    assert left(world, tmp_path, Held(frozenset({Thing(ENDPOINT, second)}))) == []
    # A configuration that the state lost, and an endpoint that uses it.
    assert left(world, tmp_path, Held(frozenset({Thing(CONFIG, second)}))) == [f"endpoint {second}"]


def test_nothing_serves_where_the_first_release_failed(tmp_path: Path) -> None:
    world = World(alias=None)
    assert left(world, tmp_path) == []
    made = world.release(1)
    assert left(world, tmp_path) == all_of(made)


@pytest.mark.parametrize(
    "other", ["glidepath-prod-eu-0000007", "glidepath-prod-by-hand", "my-glidepath-prod-0000007", "glidepath-prod-77"]
)
def test_names_that_are_not_of_this_stack_are_left_alone(other: str, tmp_path: Path) -> None:
    world = World(models=[other])
    assert left(world, tmp_path, other="prod-eu") == []


def test_a_variants_model_is_of_this_stack(tmp_path: Path) -> None:
    assert left(World(models=["glidepath-prod-challenger-0000007"]), tmp_path) == [
        "model glidepath-prod-challenger-0000007"
    ]


def test_what_has_other_tags_is_left_alone(tmp_path: Path) -> None:
    world = World(models=[name(1), name(2)], tags={name(1): {"project": "glidepath", "stack": "somebody-elses"}})
    assert left(world, tmp_path) == [f"model {name(2)}"]


def resource(kind: str, made: str = "", **more: Any) -> dict[str, Any]:
    token = {"model": "model:Model", "endpoint": "endpoint:Endpoint", "other": "x:X"}[kind]
    return {"type": f"aws:sagemaker/{token}", "urn": "u", **({"id": made} if made else {}), **more}


def test_a_state_holds_what_it_has_and_what_it_is_to_delete_yet() -> None:
    deployment = {
        "resources": [resource("model", "m"), resource("endpoint", "e", delete=True), resource("other", "x")],
        "pending_operations": [
            {"type": "deleting", "resource": resource("model", "m-2")},
            {"type": "creating", "resource": resource("endpoint", inputs={"name": "e-2"})},
            {"type": "creating", "resource": resource("other", inputs={"name": "x-2"})},
        ],
    }
    found = held(json.dumps({"deployment": deployment}))
    assert found.things == {Thing(MODEL, "m"), Thing(ENDPOINT, "e"), Thing(MODEL, "m-2")}
    assert found.creating == {Thing(ENDPOINT, "e-2")}
    assert held('{"deployment": null}') == Held()


def test_what_was_being_created_is_told_as_such(tmp_path: Path) -> None:
    world = World(models=[name(1)])
    looked = Leftovers(world, project(tmp_path), "prod")  # type: ignore[arg-type]
    (found,) = looked.left(looked.candidates(), Held(creating=frozenset({Thing(MODEL, name(1))})))
    assert found.as_dict() == {
        "kind": "model", "name": name(1), "status": None, "created": "2026-11-21T12:00:00Z", "creating": True,
    }  # fmt: skip
