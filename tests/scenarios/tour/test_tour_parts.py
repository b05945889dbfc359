"""The tour's own logic, without a cloud: what it reads from records, and how it reports."""

import html
import json
import re
import time
import zipfile
from io import BytesIO
from pathlib import Path

import pytest

from contracts.errors import UserError
from functions.judge.record import FAILED
from operate import verdicts
from operate.caller import Answer, read_answer
from operate.project import read_project
from operate.runs import Run, Stage
from operate.shift import Weight, shift_in
from scenarios.tour import drift_scene, report
from scenarios.tour.dataset import read_table
from scenarios.tour.report import render_html, run_entry, shift_entry
from scenarios.tour.source import source_zip
from scenarios.tour.traffic import Traffic
from tests.functions.judge.world import World, record, watch


def answer(status: int = 200, error: str | None = None) -> Answer:
    return Answer(0.0, 0.1, status, "r", "i", error)


def test_failed_requests_are_counted_by_what_the_caller_got() -> None:
    shift = shift_in([Weight(0, "1", 1.0), Weight(1, "2", 1.0)])
    entry = shift_entry(shift, [answer(), answer(500, "x"), answer(200, "no prediction")])
    assert entry
    assert (entry["requests"], entry["failed"]) == (3, 2)


@pytest.mark.parametrize("data", [b"", b"no json", b"[]", b'{"predictions": []}', b'{"predictions": [1]}'])
def test_an_answer_without_a_full_prediction_is_an_error(data: bytes) -> None:
    assert not read_answer(0.0, 200, data).ok


def test_an_answer_names_release_and_inference() -> None:
    body = json.dumps({"predictions": [1.5], "release": "r", "inference_id": "i"}).encode()
    got = read_answer(0.0, 200, body)
    assert got.ok
    assert (got.release, got.inference_id) == ("r", "i")


def test_traffic_keeps_every_answer_and_stops() -> None:
    turns: list[int] = []

    def call(turn: int) -> Answer:
        turns.append(turn)
        return answer(500 if turn == 3 else 200)

    with Traffic(call, rate=500, threads=2) as traffic:
        while 3 not in turns or len(turns) < 10:
            time.sleep(0.001)
    count = len(turns)
    assert traffic.counts() == (count, 1)
    assert len(turns) == count


def test_source_zip_is_stable_and_leaves_out_what_git_ignores(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("print(1)")
    (tmp_path / "run").write_text("#!/bin/sh")
    (tmp_path / "run").chmod(0o755)
    (tmp_path / "__pycache__").mkdir()
    (tmp_path / "__pycache__" / "a.pyc").write_text("x")
    first = source_zip(tmp_path, {"a.py": "print(2)"})
    (tmp_path / "a.py").touch()
    assert source_zip(tmp_path, {"a.py": "print(2)"}) == first
    archive = zipfile.ZipFile(BytesIO(first))
    assert archive.namelist() == ["a.py", "run"]
    assert archive.read("a.py") == b"print(2)"
    assert archive.getinfo("run").external_attr >> 16 & 0o100


@pytest.mark.parametrize(("content", "reason"), [(b"", "is empty"), (b"\xff\xfe\x00", "UTF-8"), (None, "no data file")])
def test_a_data_file_that_cannot_be_delivered_is_refused(tmp_path: Path, content: bytes | None, reason: str) -> None:
    path = tmp_path / "t.csv"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UserError, match=reason):
        read_table(path)


def test_a_window_keeps_header_and_first_rows(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("a,b\n1,2\n3,4\n5,6\n7,8\n")
    table = read_table(path)
    assert table.window(0.5) == "a,b\n1,2\n3,4\n"
    assert table.window(1.0) == path.read_text()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (None, "does not exist"),
        ("config: [", "is not valid YAML"),
        ("config: {}", "lacks 'glidepath:name'"),
        ("config: {'glidepath:accounts': {delivery: '1'}, 'glidepath:name': a, 'aws:region': r}", "lacks dev, prod"),
    ],
)
def test_a_project_that_cannot_be_read_is_refused(tmp_path: Path, text: str | None, reason: str) -> None:
    if text is not None:
        (tmp_path / "Pulumi.delivery.yaml").write_text(text)
    with pytest.raises(UserError, match=reason):
        read_project(tmp_path)


def test_the_page_escapes_what_it_shows() -> None:
    run = run_entry(Run("e", "Failed", [Stage("Build", "Failed", 1.0, "<script>")]), None, None)
    page = render_html(
        {
            "engine": {"pulumi": "3", "built": False},
            "seconds": 1,
            "data": {"source": "t.csv", "rows": 1},
            "runs": [run],
            "production": {"release": None, "endpoint": None, "version": None, "url": None},
            "capture": {"files": 0, "records": 0},
            "monitor": {"executions": [{"sentence": "<b>", "violations": {"<i>": ["drift"]}}]},
            "roles": [],
        }
    )
    assert "<script>" not in page
    assert "&lt;script&gt;" in page
    assert "<td>&lt;b&gt;</td><td>&lt;i&gt;: drift</td>" in page


def test_the_page_shows_the_judges_verdict_with_its_evidence_over_time() -> None:
    known = next(each for each in watch(World(new={FAILED: 0.2}), record()) if each.verdict)
    entry = shift_entry(shift_in([Weight(0, "1", 1.0), Weight(1, "2", 1.0)]), [answer()])
    assert entry is not None
    entry["verdict"] = json.loads(json.dumps(verdicts.document(known, None)))
    page = report._shift(entry)
    failed = entry["verdict"]["metrics"]["failed"]["new"]
    assert known.verdict is not None
    assert html.escape(known.verdict.sentence) in page
    assert f"<td>{failed['events']:g} of {failed['requests']:g}</td>" in page
    points = page.partition("aria-label='evidence over time'")[2].partition("points='")[2].partition("'")[0].split()
    assert len(points) == len(entry["verdict"]["evidence"]) > 3
    assert "No verdict" in report._shift({**entry, "verdict": None})


@pytest.mark.parametrize(
    ("refused", "words"),
    [
        (None, "on newer rows, and its release r9 serves. Then"),
        ("GateRejected: <no>", "and it did not help (GateRejected: &lt;no&gt;): release r9 serves on. Then"),
    ],
)
def test_the_page_says_whether_retraining_helped(refused: str | None, words: str) -> None:
    held = {"brake": "cooldown", "reason": "not before noon"}
    assert words in report._drift({"alarm": "a", "release": "r9", "refused": refused, "held": held})


@pytest.mark.parametrize("outcome", ["undecided against", "clearly worse than"])
def test_the_gates_own_sentence_is_what_may_end_a_retraining(outcome: str) -> None:
    said = (
        f"GateRejected: Failed: rmse 4 (95 % interval 3 to 5) on 9 held-out rows is below 10; {outcome} the champion ("
    )
    assert re.search(drift_scene.NO_HELP, said)
    assert not re.search(
        drift_scene.NO_HELP, "GateRejected: Failed: rmse 11 (…) must be below 10; there is no champion"
    )
