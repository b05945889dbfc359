"""The rehearsal's report: `report.json` for machines, `report.html` for people."""

import html
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from operate.caller import Answer
from operate.runs import Run
from operate.shift import Shift

Report = dict[str, Any]


def run_entry(run: Run, manifest: Report | None, shift: Report | None) -> Report:
    """One entry of `runs`. A run that failed before it had a release has `release: null` and `metrics: null`."""
    return {
        "release": manifest["id"] if manifest else None,
        "reason": run.reason,
        "status": run.status,
        "execution": run.id,
        "data": manifest["data"] if manifest else None,
        "stages": [stage.as_dict() for stage in run.stages],
        "metrics": metrics_entry(manifest) if manifest else None,
        "shift": shift,
    }


def metrics_entry(manifest: Report) -> Report:
    """The gate's metric by name, with its interval, threshold, the champion's value and the comparison's outcome."""
    metrics, champion = manifest["metrics"], manifest.get("champion")
    return {
        "name": metrics["name"],
        "value": metrics["value"],
        "ci": metrics["ci"],
        "threshold": metrics["threshold"],
        "champion": champion["value"] if champion else None,
        "outcome": champion.get("outcome") if champion else None,
        "rows": metrics["rows"],
    }


def shift_entry(shift: Shift | None, answers: list[Answer], alarms: Sequence[Report] = ()) -> Report | None:
    """The weights over time, the live requests sent while they changed, and the alarms that went off meanwhile."""
    if shift is None:
        return None
    # Weights are timed by the steady clock, alarms by the calendar.
    begun = shift.start + time.time() - time.monotonic()
    return {
        "from": shift.source,
        "to": shift.target,
        "steps": shift.steps(),
        "requests": len(answers),
        "failed": sum(not answer.ok for answer in answers),
        "alarms": [
            {"name": alarm["name"], "second": round(alarm["time"] - begun, 1), "reason": alarm["reason"]}
            for alarm in alarms
        ],
        "verdict": None,
    }


def write_report(folder: Path, report: Report) -> tuple[Path, Path]:
    """Writes both forms into `folder` and returns their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    as_json, as_html = folder / "report.json", folder / "report.html"
    as_json.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    as_html.write_text(render_html(report), encoding="utf-8")
    return as_json, as_html


STYLE = """
body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:64rem;padding:0 1rem;color:#1d2733}
table{border-collapse:collapse;margin:.5rem 0 1.5rem;width:100%}
td,th{border-bottom:1px solid #d8dee6;padding:.3rem .6rem;text-align:left;vertical-align:top}
.Succeeded{color:#0a6b3d}.Failed,.RolledBack{color:#b3261e}.muted{color:#667}
code{background:#f2f4f7;padding:0 .25rem}svg{display:block;margin:.5rem 0 1.5rem}
"""


def render_html(report: Report) -> str:
    """A plain page without scripts or outside resources."""
    production = report["production"]
    parts = [
        "<!doctype html><html lang='en'><meta charset='utf-8'><title>Glidepath rehearsal</title>",
        f"<style>{STYLE}</style><h1>Glidepath rehearsal</h1>",
        (
            f"<p>{_text(report['seconds'])} s on Pulumi {_text(report['engine']['pulumi'])}, with "
            f"{_text(report['data']['rows'])} rows of <code>{_text(report['data']['source'])}</code>.</p>"
        ),
        _failure(report),
        (
            f"<p>Production serves <b>{_text(production['release'])}</b> from endpoint "
            f"<code>{_text(production['endpoint'])}</code>, version {_text(production['version'])}.</p>"
        ),
    ]
    parts.append(_unread(report.get("unread") or {}))
    parts += [_run_html(number, run) for number, run in enumerate(report["runs"], 1)]
    parts.append(_pairs("Capture", report["capture"]))
    parts.append(_monitor(report["monitor"]))
    parts.append(_drift(report.get("drift")))
    parts.append(_roles(report["roles"]))
    return "\n".join(parts) + "\n</html>\n"


def _failure(report: Report) -> str:
    error = report.get("error")
    return f"<p class='Failed'>The rehearsal failed: {_text(error)}</p>" if error else ""


def _unread(unread: Report) -> str:
    items = "".join(f"<li>{_text(piece)}: {_text(why)}</li>" for piece, why in unread.items())
    return f"<p class='muted'>Could not be read:</p><ul>{items}</ul>" if items else ""


def _run_html(number: int, run: Report) -> str:
    rows = "".join(
        f"<tr><td>{_text(s['name'])}</td><td class='{_text(s['status'])}'>{_text(s['status'])}</td>"
        f"<td>{_text(s['seconds'])}</td><td>{_text(s['error'] or '')}</td></tr>"
        for s in run["stages"]
    )
    return (
        f"<h2>Run {number}: <span class='{_text(run['status'])}'>{_text(run['status'])}</span>, "
        f"release {_text(run['release'])} <span class='muted'>({_text(run['reason'])})</span></h2>"
        f"{_metrics(run['metrics'])}<table><tr><th>stage</th><th>status</th><th>seconds</th><th>error</th></tr>{rows}</table>"
        f"{_shift(run['shift'])}"
    )


def _metrics(metrics: Report | None) -> str:
    if metrics is None:
        return ""
    low, high = metrics["ci"]
    champion = "none" if metrics["champion"] is None else f"{metrics['champion']:.4g}"
    return (
        f"<p>{_text(metrics['name'])} {metrics['value']:.4g} on held-out rows (95 % interval {low:.4g} to {high:.4g}); "
        f"threshold {_text(metrics['threshold'])}, champion {champion}.</p>"
    )


def _shift(shift: Report | None) -> str:
    if shift is None:
        return "<p class='muted'>No shift: the alias was made at this version, or stayed where it was.</p>"
    return (
        f"<p>Shift from version {_text(shift['from'])} to {_text(shift['to'])}: "
        f"{_text(shift['requests'])} live requests, {_text(shift['failed'])} failed.</p>"
        f"{_alarms(shift['alarms'])}{_steps_svg(shift['steps'], shift['alarms'])}{_verdict(shift['verdict'])}"
    )


def _verdict(verdict: Report | None) -> str:
    """The judge's sentence, requests and events of both versions, and its evidence over time."""
    if verdict is None:
        return "<p class='muted'>No verdict: the judge has seen no shift of this release.</p>"
    rows = "".join(
        f"<tr><td>{_text(name)}</td><td>{_of(metric['old'])}</td><td>{_of(metric['new'])}</td>"
        f"<td>{100 * metric['evidence']:.0f} %</td></tr>"
        for name, metric in verdict["metrics"].items()
    )
    said = verdict["sentence"] or "The judge did not come to a verdict."
    baked = verdict["bake"]["sentence"] if verdict["bake"] else None
    return (
        f"<p>{_text(said)}{' ' + _text(baked) if baked else ''}</p>"
        "<table><tr><th>of the requests</th><th>former version</th><th>new version</th>"
        f"<th>evidence, of what stops a shift</th></tr>{rows}</table>{_evidence_svg(verdict['evidence'])}"
    )


def _of(seen: Report) -> str:
    return f"{seen['events']:g} of {seen['requests']:g}"


def _evidence_svg(points: list[dict[str, float]]) -> str:
    """The largest evidence over time; the dashed line is what stops a shift."""
    if not points:
        return ""
    width, height, room = 640, 80, 1.25
    last = max(points[-1]["second"], 1.0)
    drawn = []
    for point in points:
        most = max([0.0, *(value for name, value in point.items() if name not in ("second", "weight"))])
        drawn.append(f"{point['second'] / last * width:.1f},{height * (1 - min(most, room) / room):.1f}")
    limit = height * (1 - 1 / room)
    return (
        f"<svg width='{width + 60}' height='{height + 24}' role='img' aria-label='evidence over time'>"
        f"<line x1='0' x2='{width}' y1='{limit:.1f}' y2='{limit:.1f}' stroke='#b3261e' stroke-dasharray='4'/>"
        f"<polyline points='{' '.join(drawn)}' fill='none' stroke='#2457a6' stroke-width='2'/>"
        f"<text x='0' y='{height + 18}' font-size='12'>evidence over {last:.0f} s of AWS's time</text></svg>"
    )


def _alarms(alarms: list[Report]) -> str:
    items = "".join(
        f"<li><b>{_text(alarm['name'])}</b> after {_text(alarm['second'])} s: {_text(alarm['reason'])}</li>"
        for alarm in alarms
    )
    return f"<p class='Failed'>Stopped by its alarms, and rolled back:</p><ul>{items}</ul>" if alarms else ""


def _steps_svg(steps: list[dict[str, float]], alarms: list[Report]) -> str:
    width, height = 640, 120
    last = max(steps[-1]["second"], 0.1)
    points: list[str] = []
    level = 0.0
    for step in steps:
        x = step["second"] / last * width
        points += [f"{x:.1f},{height - level * height:.1f}", f"{x:.1f},{height - step['weight'] * height:.1f}"]
        level = step["weight"]
    marks = "".join(
        _mark(min(max(alarm["second"] / last, 0.0), 1.0) * width, height, alarm["name"]) for alarm in alarms
    )
    return (
        f"<svg width='{width + 60}' height='{height + 24}' role='img' aria-label='weight of the new version over time'>"
        f"<polyline points='{' '.join(points)}' fill='none' stroke='#2457a6' stroke-width='2'/>{marks}"
        f"<text x='0' y='{height + 18}' font-size='12'>0 s</text>"
        f"<text x='{width - 20}' y='{height + 18}' font-size='12'>{last:.1f} s</text></svg>"
    )


def _mark(x: float, height: int, name: str) -> str:
    return (
        f"<line x1='{x:.1f}' x2='{x:.1f}' y1='0' y2='{height}' stroke='#b3261e' stroke-dasharray='4'>"
        f"<title>{_text(name)}</title></line>"
    )


def _pairs(title: str, values: Report | None) -> str:
    if values is None:
        return f"<h2>{_text(title)}</h2><p class='muted'>Could not be read.</p>"
    rows = "".join(f"<tr><th>{_text(key)}</th><td>{_text(value)}</td></tr>" for key, value in values.items())
    return f"<h2>{_text(title)}</h2><table>{rows}</table>"


def _monitor(monitor: Report | None) -> str:
    if monitor is None:
        return "<h2>Monitor</h2><p class='muted'>Could not be read.</p>"
    rows = "".join(
        f"<tr><td>{_text(execution['sentence'])}</td><td>{_violations(execution['violations'])}</td></tr>"
        for execution in monitor.get("executions", ())
    )
    return f"<h2>Monitor</h2><table><tr><th>analysis</th><th>violations by feature</th></tr>{rows}</table>"


def _violations(by_feature: dict[str, list[str]]) -> str:
    return _text("; ".join(f"{feature}: {', '.join(checks)}" for feature, checks in by_feature.items()))


def _drift(drift: Report | None) -> str:
    if not drift:
        return ""
    came = f"its release {_text(drift['release'])} serves"
    if drift.get("refused"):
        came = f"it did not help ({_text(drift['refused'])}): release {_text(drift['release'])} serves on"
    return (
        f"<h2>Drift</h2><p>{_text(drift['alarm'])} went off; a run began by itself, on newer rows, and {came}."
        f" Then callers changed again, and nothing was started: <b>{_text(drift['held']['brake'])}</b>,"
        f" {_text(drift['held']['reason'])}.</p>"
    )


def _roles(roles: list[Report] | None) -> str:
    if roles is None:
        return "<h2>Roles</h2><p class='muted'>Could not be read.</p>"
    rows = "".join(
        f"<tr><td><code>{_text(r['role'])}</code></td><td>{_text(r['granted'])}</td><td>{_text(r['used'])}</td>"
        f"<td>{_text(', '.join(r['unused']))}</td><td>{_text(', '.join(r['denied']))}</td></tr>"
        for r in roles
    )
    head = "<tr><th>role</th><th>granted</th><th>used</th><th>unused</th><th>denied</th></tr>"
    return f"<h2>Roles</h2><table>{head}{rows}</table>"


def _text(value: object) -> str:
    return html.escape(str(value))
