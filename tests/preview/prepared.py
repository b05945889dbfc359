"""Changes that reviewers must read right, as edits of the program; and the documents that the engine made of them.

The documents are recorded (`python -m tests.preview.record`, with a rehearsal up that has taken releases to
production); what the tests do with them needs no engine. A change's document holds only the steps that differ from
those of `no-change`.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
DOCUMENTS = HERE / "documents"
GOLDEN = HERE / "golden"
UNCHANGED = "no-change"
SAME = "as in no-change"


@dataclass(frozen=True)
class Prepared:
    """A change. edits: file, text in it, what stands there instead. options: how it is previewed.

    line: what the first line of its report must say. exit_code: of the command.
    """

    edits: tuple[tuple[str, str, str], ...]
    line: str
    exit_code: int
    options: dict[str, Any]


def _edit(path: str, old: str, new: str, line: str, exit_code: int = 2) -> Prepared:
    return Prepared(((path, old, new),), line, exit_code, {})


_ROLES = "definitions/roles/environment.py"
_TRACE = "    return [_invoke_endpoint(at), _logs(at, PREDICT), trace()]"
_READ = 'allow("ReadCapture", ["s3:GetObject"], [at.names.bucket_arn(at.capture, "capture/*")])'
CHANGES: dict[str, Prepared] = {
    UNCHANGED: Prepared((), "Nothing changes in `prod`, compared with what is there now.", 0, {}),
    "wider-role": _edit(
        _ROLES,
        _TRACE,
        _TRACE.replace("trace()]", f"trace(), {_READ}]"),
        "role `glidepath-prod-predict` can now `s3:GetObject` on"
        " `arn:aws:s3:::glidepath-prod-capture-333333333333-eu-west-1/capture/*`",
    ),
    "narrower-role": _edit(
        _ROLES,
        '            {"StringLike": {"s3:prefix": "capture/*"}},\n        ),\n'
        "        use_key(at.key_arn, [at.s3], write=False),\n"
        '        *read_runs(at, "*/evaluation/golden.json"),\n        *_report(at),',
        '            {"StringLike": {"s3:prefix": "capture/live/*"}},\n        ),\n'
        "        use_key(at.key_arn, [at.s3], write=False),\n"
        '        *read_runs(at, "*/evaluation/golden.json"),\n        *_report(at),',
        "role `glidepath-prod-after-traffic` can no longer",
    ),
    "instance-type": _edit(
        "Pulumi.prod.yaml",
        "ml.m5.large",
        "ml.m5.xlarge",
        "the serving endpoint `glidepath-prod` is **replaced**, forced by `productionVariants[live].instanceType`:"
        " `ml.m5.large` → `ml.m5.xlarge`",
    ),
    "renamed-component": _edit(
        "wiring/environment.py",
        'Shift(\n            "shift",',
        'Shift(\n            "traffic",',
        "component `shift` is now called `traffic`",
    ),
    "dropped-capture": _edit(
        "components/endpoint.py",
        '"enable_capture": True',
        '"enable_capture": False',
        "capture of requests and answers of the serving endpoint `glidepath-prod` is **turned off**",
        3,
    ),
    "removed-alarm": _edit(
        "components/monitor.py",
        'for feature in args["features"])]',
        'for feature in args["features"] if feature != "distance")]',
        "alarm `glidepath-prod-monitor-drift-distance` is **deleted**: nobody hears of it any more",
    ),
    "tag": _edit(
        "Pulumi.prod.yaml",
        "{project: glidepath, stack: prod}",
        "{project: glidepath, stack: prod, owner: rides}",
        "resources changed (`tags.owner`: (none) → `rides`)",
    ),
    "retention": _edit(
        "Pulumi.prod.yaml",
        "days: 365}",
        "days: 90}",
        "bucket lifecycle configuration `foundation-capture` changed",
    ),
    "new-release": Prepared(
        (), "the serving endpoint `glidepath-prod` is **replaced**, forced by", 2, {"release": "previous"}
    ),
    "destroy": Prepared(
        (), "key `foundation` is **deleted**: what it encrypts can no longer be read", 2, {"destroy": True}
    ),
}


def document(name: str) -> dict[str, Any]:
    """The steps document of a change, complete."""
    found: dict[str, Any] = json.loads((DOCUMENTS / f"{name}.json").read_text(encoding="utf-8"))
    if name == UNCHANGED:
        for step in found["steps"]:
            step["old"] = step["new"]
        return found
    steps = {step["urn"]: step for step in document(UNCHANGED)["steps"]}
    for step in found["steps"]:
        usual = steps.get(step["urn"], {}).get("new")
        steps[step["urn"]] = {key: usual if value == SAME else value for key, value in step.items()}
    for urn in found.pop("without", ()):
        del steps[urn]
    return {**found, "steps": [steps[urn] for urn in sorted(steps)]}
