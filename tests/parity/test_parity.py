"""A test for each fact of `facts.yaml`. `make parity` prints the table of areas and classes."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from rehearsal.cloud.process.running import RunningCloud
from tests.parity.classes import Fact, classify, record
from tests.parity.world import World

_TABLE: Mapping[str, list[list[Any]]] = yaml.safe_load((Path(__file__).parent / "facts.yaml").read_text())
FACTS = [Fact(area, number, *row) for area, rows in _TABLE.items() for number, row in enumerate(rows, 1)]


@pytest.fixture(scope="module")
def world(running_cloud: RunningCloud) -> World:
    """One account for all facts."""
    return World(running_cloud.cloud.url, "123456789012")


@pytest.mark.parametrize("fact", FACTS, ids=str)
def test_fact(world: World, fact: Fact) -> None:
    found, detail = classify(fact, *world.call(fact.action, fact.parameters))
    record(fact.area, found)
    assert found == "equal", f"{fact.action} {fact.parameters}: {detail}"
