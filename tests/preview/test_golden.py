"""What reviewers read of prepared changes, word by word.

`GOLDEN=write python -m pytest tests/preview/test_golden.py` rewrites the files, to be read before they are kept.
"""

import json
import os
import random
from typing import Any

import pytest

from preview import as_json, markdown, report, summary, text
from preview.model import Report
from tests.preview.prepared import CHANGES, GOLDEN, document


def _report(name: str) -> Report:
    return report(document(name), destroy=bool(CHANGES[name].options.get("destroy")))


@pytest.mark.parametrize("name", CHANGES)
def test_the_comment_is_as_it_was_read_and_found_good(name: str) -> None:
    path = GOLDEN / f"{name}.md"
    written = markdown(_report(name))
    if os.environ.get("GOLDEN") == "write":
        path.write_text(written, encoding="utf-8")
    assert written == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", CHANGES)
def test_the_dangerous_line_is_the_first(name: str) -> None:
    written = markdown(_report(name)).splitlines()
    assert written[0] == "## Preview of `prod`"
    assert CHANGES[name].line in written[2]
    assert CHANGES[name].line.replace("**", "") in text(_report(name)).splitlines()[0]


@pytest.mark.parametrize("name", CHANGES)
def test_the_exit_code_says_what_ci_needs(name: str) -> None:
    found = _report(name)
    assert found.exit_code == CHANGES[name].exit_code
    assert json.loads(as_json(found))["exitCode"] == CHANGES[name].exit_code


@pytest.mark.parametrize(
    ("name", "delta"),
    [
        # Two instances, 730 hours: (0.257 - 0.128) by 2 by 730.
        ("instance-type", 188.34),
        # A standard alarm.
        ("removed-alarm", -0.10),
        # 24 GB of captures at 0.023, and the files they lie in.
        ("dropped-capture", -0.77),
        # 18 of 24 GB.
        ("retention", -0.42),
        ("wider-role", 0.0),
        ("tag", 0.0),
        ("new-release", 0.0),
        ("renamed-component", 0.0),
        ("no-change", 0.0),
    ],
)
def test_the_cost_has_the_right_sign_and_size(name: str, delta: float) -> None:
    assert _report(name).cost.delta == pytest.approx(delta, abs=0.005)


def test_a_destroy_costs_nothing_any_more() -> None:
    cost = _report("destroy").cost
    assert cost.before > 200
    assert cost.after == 0


@pytest.mark.parametrize("name", ["instance-type", "new-release", "renamed-component"])
def test_another_run_from_another_folder_reads_the_same(name: str) -> None:
    """The engine's order of steps and dependencies, invented names and the checkout's path differ from run to run."""
    first = markdown(_report(name))
    for run in range(5):
        found = document(name)
        shuffled = random.Random(run)
        shuffled.shuffle(found["steps"])
        for step in found["steps"]:
            for side in (step["old"], step["new"]):
                for urns in (side or {}).get("propertyDependencies", {}).values():
                    shuffled.shuffle(urns)
        renamed = _elsewhere(found, run)
        assert markdown(report(renamed)) == first


def _elsewhere(found: dict[str, Any], run: int) -> dict[str, Any]:
    shown = json.dumps(found).replace("/checkout", f"/somewhere/else{run}")
    invented = {
        name
        for step in found["steps"]
        if step["op"] in ("create", "replace")
        for key in step["new"].get("inputs", {}).get("__defaults") or ()
        if (name := step["new"]["inputs"].get(key)) and str(name)[-8:-7] == "-"
    }
    for name in sorted(invented):
        shown = shown.replace(name, f"{name[:-7]}{random.Random(f'{run} {name}').randrange(16**7):07x}")
    changed: dict[str, Any] = json.loads(shown)
    return changed


@pytest.mark.parametrize("name", CHANGES)
def test_the_summary_fits_a_mail(name: str) -> None:
    shown = summary(_report(name))
    assert len(shown) <= 900
    assert "\n" not in shown
    assert "`" not in shown
    assert "Cost:" in shown


@pytest.mark.parametrize("name", CHANGES)
def test_no_id_time_or_path_is_left(name: str) -> None:
    shown = markdown(_report(name))
    assert "/checkout" not in shown
    assert "04da6b54" not in shown
    for step in document(name)["steps"]:
        for side in (step["old"], step["new"]):
            if side and side["type"] == "aws:kms/key:Key" and side.get("id"):
                assert side["id"] not in shown
