"""Promotion: what config and metrics say of variants, and what a person is told to change."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner, Result

from cli import place, promote
from cli.errors import UserError
from functions.judge.counts import Counts
from functions.judge.record import FAILED
from operate import comparison, deploy
from operate.comparison import Comparison
from operate.variants import Configured, Figures, configured, figures, leave_out, row, serving, table, take_out
from operate.versus import Answer, Finding

FIRST, SECOND = "s3://artifacts/runs/1/release/manifest.json", "s3://artifacts/runs/2/release/manifest.json"
TEXT = f"""# what serves
config:
  glidepath:name: taxi
  glidepath:variants:
    # since Monday
    - name: challenger
      manifest: {FIRST}
      weight: 0.2
    - {{manifest: {SECOND}}}
  glidepath:capture: {{percentage: 100}}
"""
INLINE = f"config:\n  glidepath:shadow: {{manifest: {FIRST}, weight: 1}}\n"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "Pulumi.prod.yaml"
    file.write_text(TEXT)
    return file


def test_variants_are_found_with_their_lines(path: Path) -> None:
    assert configured(path) == {
        "challenger": Configured("challenger", FIRST, False, (6, 8)),
        "variant-2": Configured("variant-2", SECOND, False, (9, 9)),
    }
    path.write_text(INLINE)
    assert configured(path) == {"shadow": Configured("shadow", FIRST, True, (2, 2))}
    path.write_text("config: {}\n")
    assert configured(path) == {}


def test_the_rest_of_the_config_stays_without_the_promoted_one(path: Path) -> None:
    before = yaml.safe_load(TEXT)
    leave_out(path, "challenger")
    after = yaml.safe_load(path.read_text())
    assert after["config"].pop("glidepath:variants") == [{"manifest": SECOND, "name": "variant-2"}]
    del before["config"]["glidepath:variants"]
    assert after == before
    path.write_text(INLINE)
    leave_out(path, "shadow")
    assert yaml.safe_load(path.read_text()) == {"config": {}}


def test_a_person_is_shown_the_lines(path: Path) -> None:
    known = configured(path)
    assert take_out(path, known["challenger"]) == (
        "take challenger out of Pulumi.prod.yaml, lines 6 to 8, and commit that:\n"
        f"     6      - name: challenger\n     7        manifest: {FIRST}\n     8        weight: 0.2"
    )
    assert take_out(path, known["variant-2"]).splitlines()[0].endswith("Pulumi.prod.yaml, line 9, and commit that:")


@pytest.mark.parametrize("text", ["config: {glidepath:variants: 3}", "config: {glidepath:variants: [{}]}", "a: ["])
def test_what_cannot_be_read_is_reported_without_a_traceback(path: Path, text: str) -> None:
    path.write_text(text.replace("glidepath:variants:", '"glidepath:variants":'))
    with pytest.raises(UserError, match=r"Pulumi\.prod\.yaml names variants in a way that cannot be read"):
        configured(path)
    with pytest.raises(UserError, match="does not exist"):
        configured(path.with_name("Pulumi.none.yaml"))


class Watch:
    """CloudWatch that has figures for one variant."""

    def get_metric_data(self, **request: Any) -> dict[str, Any]:
        self.request = request
        values = {("live", "Invocations"): [90.0], ("live", "Invocation5XXErrors"): [2.0]}
        values |= {("live", "ModelLatency"): [4500.0]}
        return {
            "MetricDataResults": [
                {"Id": query["Id"], "Values": values.get(_subject(query), [])} for query in request["MetricDataQueries"]
            ]
        }


def _subject(query: dict[str, Any]) -> tuple[str, str]:
    metric = query["MetricStat"]["Metric"]
    return {item["Name"]: item["Value"] for item in metric["Dimensions"]}["VariantName"], metric["MetricName"]


def test_figures_are_each_variants_own() -> None:
    watch = Watch()
    assert figures(watch, "e-1", ["live", "b"], 24) == {
        "live": Figures(90, 0, 2, 4.5, 4.5),
        "b": Figures(0, 0, 0, None, None),
    }
    periods = {query["MetricStat"]["Period"] for query in watch.request["MetricDataQueries"]}
    span = (watch.request["EndTime"] - watch.request["StartTime"]).total_seconds()
    # A single period, or a percentile would be one of percentiles.
    assert len(periods) == 1
    assert min(periods) >= span
    assert min(periods) % 60 == 0


def test_variants_stand_side_by_side() -> None:
    serves = {"CurrentWeight": 1.0, "CurrentInstanceCount": 2}
    release = {"id": "20261121-1a2b3c4d", "metrics": {"name": "rmse", "value": 4.97, "ci": [3.3, 6.9]}}
    rows = [
        row("live", serves, False, Figures(1204, 3, 0, 3.11, 9.0), release),
        row("dark", serves | {"CurrentWeight": 0.5}, True, Figures(0, 0, 0, None, None), release),
    ]
    assert table(rows).splitlines() == [
        "variant        release            weight  instances  requests  4xx  5xx  p50     p99     rmse",
        "live           20261121-1a2b3c4d  1       2          1,204     3    0    3.1 ms  9.0 ms  4.97 (3.3 to 6.9)",
        "dark (shadow)  20261121-1a2b3c4d  0.5     2          0         0    0    -       -       4.97 (3.3 to 6.9)",
    ]


def test_an_endpoint_that_does_not_serve_is_named() -> None:
    class Failed:
        def describe_endpoint(self, **_: str) -> dict[str, Any]:
            return {"EndpointStatus": "Failed"}

    with pytest.raises(UserError, match="endpoint e-1 is Failed"):
        serving(Failed(), "e-1")


# --- what is let through ---------------------------------------------------------------------------------------------


class Production:
    """A project whose production serves `live` and a challenger, and that remembers what was deployed."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.deployed: list[str] = []
        self.answer: Answer = "no worse"
        accounts = {"delivery": "1" * 12, "dev": "2" * 12, "prod": "3" * 12}
        delivery = {"aws:region": "eu-west-1", "glidepath:name": "taxi", "glidepath:accounts": accounts}
        (root / "Pulumi.delivery.yaml").write_text(yaml.safe_dump({"config": delivery}))
        monkeypatch.setattr(place, "ROOT", root)
        monkeypatch.setattr(comparison, "compare", lambda *_: self._compared())
        monkeypatch.setattr(deploy, "deploy_release", lambda _, manifest, *__, **___: self.deployed.append(manifest))

    def _compared(self) -> Comparison:
        finding = Finding(FAILED, self.answer, Counts(80, 1, 20, 5), 3.0, 1.0, 0.1, None)
        manifests = {name: json.dumps({"id": f"release-{name}"}) for name in ("live", "challenger")}
        shown = {name: Figures(90, 0, 2, 4.5, 4.5) for name in manifests}
        return Comparison("e-1", "challenger", "the table", shown, manifests, 0, (finding,))

    def promote(self, *options: str) -> Result:
        return CliRunner().invoke(promote.app, ["prod", "challenger", *options, "--aws"])


@pytest.fixture
def production(path: Path, monkeypatch: pytest.MonkeyPatch) -> Production:
    return Production(path.parent, monkeypatch)


@pytest.mark.parametrize(
    ("answer", "options", "deploys"),
    [
        ("better", (), True),
        ("no worse", (), True),
        ("not yet", (), False),
        ("not yet", ("--yes",), True),
        ("not yet", ("--anyway",), True),
        ("worse", (), False),
        ("worse", ("--yes",), False),
        ("worse", ("--anyway",), True),
        ("better", ("--show",), False),
        ("worse", ("--show", "--anyway"), False),
        ("better", ("--json",), False),
    ],
)
def test_what_is_worse_or_not_told_yet_needs_a_word(
    production: Production, answer: Answer, options: tuple[str, ...], deploys: bool
) -> None:
    production.answer = answer
    done = production.promote(*options)
    assert production.deployed == ([FIRST] if deploys else [])
    if deploys or "--show" in options or "--json" in options:
        assert done.exit_code == 0, done.output
    else:
        assert isinstance(done.exception, UserError)
        assert done.exception.fix


def test_a_person_at_a_terminal_is_asked(production: Production, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(promote, "confirm", asked.append)
    production.answer = "not yet"
    assert production.promote().exit_code == 0
    assert asked == ["Make challenger the release, though a loss is not ruled out?"]
    assert production.deployed == [FIRST]


def test_the_comparison_stands_before_the_refusal(production: Production) -> None:
    production.answer = "worse"
    done = production.promote()
    assert "the table\n\nchallenger against live since 1970-01-01 00:00 UTC: worse\n" in done.output
    assert "challenger: 5 of 20 requests failed, live: 1 of 80;" in done.output
    assert isinstance(done.exception, UserError)
    assert done.exception.message == "challenger is worse than the release, so nothing was changed"


def test_json_is_all_that_is_printed(production: Production) -> None:
    shown = json.loads(production.promote("--json").output)
    assert (shown["answer"], shown["variants"]["live"]["requests"]) == ("no worse", 90)
