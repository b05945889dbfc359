"""Record the documents of the prepared changes with the real engine: `python -m tests.preview.record [NAME…]`.

Needs a rehearsal that is up with this program and has taken two releases to production. The checkout stays as it is:
changes are made in a copy.
"""

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from operate.previews import Asked, steps
from rehearsal.environment import Rehearsal
from tests.preview.prepared import CHANGES, DOCUMENTS, SAME, UNCHANGED, Prepared, document

ROOT = Path(__file__).resolve().parents[2]
STACK = "prod"
_OUTPUTS = ("arn", "name", "id", "url", "keyId")


def main(names: list[str], source: Path) -> None:
    """Record these changes, or all. `no-change` comes first: the others are recorded as what differs from it."""
    environ = Rehearsal.here().environ()
    for name in sorted(names or CHANGES, key=lambda each: each != UNCHANGED):
        with tempfile.TemporaryDirectory(prefix="record-") as scratch:
            root = Path(scratch) / "program"
            shutil.copytree(source, root, ignore=shutil.ignore_patterns(".git", ".venv", ".*cache", ".rehearsal"))
            found = steps(_asked(root, CHANGES[name], environ))
        recorded = _trimmed(json.loads(json.dumps(found).replace(str(root), "/checkout")))
        _write(name, recorded)
        print(f"{name}: {len(recorded['steps'])} steps")


def _asked(root: Path, change: Prepared, environ: Mapping[str, str]) -> Asked:
    for path, old, new in change.edits:
        file = root / path
        text = file.read_text(encoding="utf-8")
        assert text.count(old) >= 1, f"{path} does not hold {old!r}"
        file.write_text(text.replace(old, new, 1), encoding="utf-8")
    release = _previous(environ) if change.options.get("release") else ""
    return Asked(root, STACK, release, change.options.get("destroy", False), pack=root / "policies", environ=environ)


def _previous(environ: Mapping[str, str]) -> str:
    """The manifest of a release that does not serve production now."""
    outputs = ["pulumi", "stack", "output", "--json", "--stack", STACK]
    now = json.loads(_output_of(outputs, environ))["manifest"]
    bucket = now.split("/")[2]
    import boto3

    session = boto3.Session(profile_name="glidepath-delivery")
    s3 = session.client("s3", endpoint_url=environ["AWS_ENDPOINT_URL"])
    keys = [each["Key"] for each in s3.list_objects_v2(Bucket=bucket, Prefix="runs/")["Contents"]]
    others = [f"s3://{bucket}/{key}" for key in keys if key.endswith("/release/manifest.json")]
    return sorted(uri for uri in others if uri != now)[0]


def _output_of(command: list[str], environ: Mapping[str, str]) -> str:
    return subprocess.run(command, cwd=ROOT, env=environ, check=True, capture_output=True, text=True).stdout


def _trimmed(found: dict[str, Any]) -> dict[str, Any]:
    """Without what no reader of a plan looks at: answers of AWS but for names."""
    for step in found["steps"]:
        if step["op"] == "same":
            step["new"] = step["old"]
        for side in ("old", "new"):
            state = step[side]
            if state and step["urn"].split("::")[2] != "pulumi:pulumi:Stack":
                state["outputs"] = {
                    key: state["outputs"][key] for key in _OUTPUTS if key in (state.get("outputs") or {})
                }
    return found


def _write(name: str, found: dict[str, Any]) -> None:
    if name == UNCHANGED:
        for step in found["steps"]:
            step["old"] = None
    else:
        before = {step["urn"]: step for step in document(UNCHANGED)["steps"]}
        there = {step["urn"] for step in found["steps"]}
        found["without"] = sorted(urn for urn in before if urn not in there)
        found["steps"] = [_short(step, before) for step in found["steps"] if step != before.get(step["urn"])]
    text = json.dumps(found, indent=1, sort_keys=True, ensure_ascii=False)
    (DOCUMENTS / f"{name}.json").write_text(text + "\n", encoding="utf-8")


def _short(step: dict[str, Any], before: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    """A side that is as in `no-change` is written as SAME."""
    usual = before.get(step["urn"], {}).get("new")
    return {key: SAME if key in ("old", "new") and value and value == usual else value for key, value in step.items()}


if __name__ == "__main__":
    arguments = sys.argv[1:]
    folder = Path(arguments.pop(0)) if arguments and Path(arguments[0]).is_dir() else ROOT
    main(arguments, folder)
