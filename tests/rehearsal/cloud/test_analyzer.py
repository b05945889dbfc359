"""The model monitor's analyzer by itself: types, captured JSON, and what it cannot read."""

import json
from pathlib import Path
from typing import Any

import numpy
import pytest

from functions.jobs.monitor.baseline import baseline as make_baseline
from functions.predict.request import read_request
from functions.predict.schema import Schema
from rehearsal.cloud.containers.analyzer.__main__ import main
from rehearsal.cloud.containers.analyzer.dataset import DataError, load

CAPTURE = {"sagemakerCaptureJson": {"captureIndexNames": ["endpointInput", "endpointOutput"]}}


def captured(folder: Path, *exchanges: tuple[str, str], encoding: str = "CSV") -> Path:
    """A capture file with exchanges of input and output."""
    lines = []
    for given, answer in exchanges:
        data = {
            "endpointInput": {"data": given, "encoding": encoding, "mode": "INPUT", "observedContentType": "x"},
            "endpointOutput": {"data": answer, "encoding": encoding, "mode": "OUTPUT", "observedContentType": "x"},
        }
        lines.append(json.dumps({"captureData": data, "eventMetadata": {}, "eventVersion": "0"}))
    folder.mkdir()
    (folder / "a.jsonl").write_text("\n".join(lines))
    return folder


def analyze(tmp_path: Path, dataset_format: dict[str, Any], source: Path, **more: str) -> tuple[int, str, Path]:
    """Exit code, message and output folder of a run."""
    said = tmp_path / f"said-{source.name}"
    said.mkdir()
    output = tmp_path / f"out-{source.name}"
    env = {
        "dataset_format": json.dumps(dataset_format), "dataset_source": str(source), "output_path": str(output),
        "output_message_directory": str(said), "publish_cloudwatch_metrics": "Disabled", **more,
    }  # fmt: skip
    return main(env), (said / "message").read_text(), output


def baseline(tmp_path: Path, text: str) -> dict[str, str]:
    """Baseline files of a CSV with header, as the variables of a monitoring run."""
    source = tmp_path / "baseline.csv"
    source.write_text(text)
    code, _, output = analyze(tmp_path, {"csv": {"header": True}}, source)
    assert code == 0
    return {
        "baseline_constraints": str(output / "constraints.json"),
        "baseline_statistics": str(output / "statistics.json"),
    }


def broken(output: Path) -> list[dict[str, str]]:
    found: list[dict[str, str]] = json.loads((output / "constraint_violations.json").read_text())["violations"]
    return found


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("text/csv", "1.5,2008\n2.0,2009.0"),
        ("application/json", '{"instances": [{"mass": 1.5, "year": 2008}, {"mass": 2, "year": 2009.0}]}'),
    ],
)
@pytest.mark.parametrize(
    "made_of", ["0.1,1.5,2008\n0.2,3.0,2009\n", "0.1,1.5,2008.0\n0.2,3.0,2009.0\n"], ids=["whole", "floats"]
)
def test_types_of_what_is_asked_agree_with_those_of_the_training_data(
    tmp_path: Path, content_type: str, body: str, made_of: str
) -> None:
    """From a caller's request, through what the model is sent and what is captured, to the service's analyzer. The
    baseline is ours: a column without a fraction is Integral, however the features job wrote it."""
    source = tmp_path / "baseline"
    source.mkdir()
    (source / "part-0.csv").write_text(f"answer,mass,year\n{made_of}")
    ours = tmp_path / "ours"
    make_baseline(str(source), ["mass", "year"], lambda rows: numpy.full(len(rows), 0.5), str(ours))
    constraints = json.loads((ours / "constraints.json").read_text())
    types = {feature["name"]: feature["inferred_type"] for feature in constraints["features"]}
    assert (types["mass"], types["year"]) == ("Fractional", "Integral")
    event = {"headers": {"content-type": content_type}, "body": body}
    asked = read_request(event, Schema(["mass", "year"])).csv
    assert asked == "1.5,2008\n2,2009"
    live = captured(tmp_path / "live", (asked, "0.5\n0.5"))
    given = {f"baseline_{name}": str(ours / f"{name}.json") for name in ("constraints", "statistics")}
    code, message, output = analyze(tmp_path, CAPTURE, live, **given)
    assert code == 0, message
    assert not [each for each in broken(output) if each["constraint_check_type"] == "data_type_check"]


def test_a_whole_number_with_a_point_is_fractional(tmp_path: Path) -> None:
    given = baseline(tmp_path, "total,passengers\n10.5,1\n11.5,2\n")
    code, message, output = analyze(
        tmp_path, CAPTURE, captured(tmp_path / "points", ("1.0", "10.5"), ("2", "11.5")), **given
    )
    assert code == 0
    assert message.startswith("CompletedWithViolations")
    assert [(item["feature_name"], item["constraint_check_type"]) for item in broken(output)] == [
        ("passengers", "data_type_check")
    ]
    assert "Expected match: 100.0%. Observed: Only 50.0% of data is Integral." in broken(output)[0]["description"]


def test_whole_numbers_fit_a_fractional_column(tmp_path: Path) -> None:
    given = baseline(tmp_path, "total,distance\n10.5,1.5\n11.5,2\n")
    code, _, output = analyze(tmp_path, CAPTURE, captured(tmp_path / "whole", ("2", "10"), ("1", "11.5")), **given)
    assert (code, broken(output)) == (0, [])


@pytest.mark.parametrize("where", ["monitoring_config", "features"])
def test_the_threshold_of_types_is_the_constraints_own(tmp_path: Path, where: str) -> None:
    given = baseline(tmp_path, "total,passengers\n10.5,1\n11.5,2\n")
    file = Path(given["baseline_constraints"])
    content = json.loads(file.read_text())
    assert content["monitoring_config"]["datatype_check_threshold"] == 1.0
    if where == "features":
        content["features"][1]["monitoringConfigOverrides"] = {"datatype_check_threshold": 0.5}
    else:
        content["monitoring_config"]["datatype_check_threshold"] = 0.5
    file.write_text(json.dumps(content))
    source = captured(tmp_path / "half", ("1.0", "10.5"), ("2", "11.5"))
    assert broken(analyze(tmp_path, CAPTURE, source, **given)[2]) == []


def test_flat_json_on_both_sides_is_read(tmp_path: Path) -> None:
    source = captured(tmp_path / "flat", ('{"a": 1, "b": 2.5}', '{"score": 7.5}'), encoding="JSON")
    data = load(CAPTURE, source, None)
    assert data.columns == ["score", "a", "b"]
    assert data.one("SELECT * FROM data") == ("7.5", "1", "2.5")


def test_nested_json_ends_the_run_with_a_reason(tmp_path: Path) -> None:
    source = captured(tmp_path / "nested", ('{"a": 1}', '{"predictions": [{"score": 7.5}]}'), encoding="JSON")
    code, message, output = analyze(tmp_path, CAPTURE, source)
    assert code == 255
    assert message == (
        "Error: endpointOutput: encountered nested JSON, only flat JSON is supported without a preprocessing script"
    )
    assert not (output / "statistics.json").exists()


def test_base64_names_the_setting_that_is_missing(tmp_path: Path) -> None:
    source = captured(tmp_path / "raw", ("MSwy", "Mw=="), encoding="BASE64")
    with pytest.raises(DataError, match="CaptureContentTypeHeader must list this content type"):
        load(CAPTURE, source, None)
