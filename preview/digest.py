"""What a preview would do, in a form that two previews of one plan share: an approval is given for this form.

The engine's own plan (`--save-plan`) holds generated names and secrets, and is marked experimental; this one is made
of a steps document (preview/plan.py), and of secrets only hashes (preview/seal.py). Left out is what differs from run
to run: paths of assets (their hashes stay), the random end of generated names, and what AWS has answered.

What only the deployment makes known stands as the resources that it comes from. The program is the one that was
approved, so these and AWS's answers are all that can still decide it.
"""

import hashlib
import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from preview.plan import QUIET, UNKNOWN, Document
from preview.seal import INTERNAL, Sealed, covered, is_hash
from preview.values import SECRET

SHOWN = 3
"""Differences that are reported one by one; the rest is counted."""

Plan = dict[str, Any]
"""`{"schema": 1, "steps": [{"urn", "op", "id", "inputs", "diff"}]}`, in the order of the URNs."""

_IGNORED = tuple(op for op in QUIET if op != "same")
_MAKING = ("create", "update", "replace")
_SIGNATURE = "4dabf18193072939515e22adb298388d"
_ASSETS = ("0def7320c3a5731c473e5ecbe6d01bc7", "c44067f5952c0a294b673a41bacd8c17")
_RANDOM_END = re.compile(r"(.+)-[0-9a-f]{7,}")
_LONGEST = 60
_LEARNED = f"{UNKNOWN} of "


def normalise(document: Document) -> Plan:
    """The plan of a steps document."""
    kept = [step for step in document["steps"] if step["op"] not in _IGNORED]
    names, sealed = _generated(kept), document.get("sealed") or {}
    new = {step["urn"] for step in kept if step["op"] != "same"}
    found = [_step(step, names, sealed, new) for step in kept]
    return {"schema": 1, "steps": sorted(found, key=lambda step: (step["urn"], step["op"]))}


def text(plan: Plan) -> str:
    """The plan as text, always the same for the same plan."""
    return json.dumps(plan, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def digest(plan: Plan) -> str:
    """SHA-256 of the plan's text, as 64 hex digits."""
    return hashlib.sha256(text(plan).encode()).hexdigest()


def differences(approved: Plan, planned: Plan) -> list[str]:
    """What the second plan does otherwise, a phrase for each; empty where both are one.

    A deployment that was broken off has done a part of its plan. What that part has made is known since, and was not
    when the plan was approved: it is no other plan for that.
    """
    before, now = _by_urn(approved), _by_urn(planned)
    begun = any(_done(steps, now.get(urn, [])) for urn, steps in before.items())
    found: list[str] = []
    for urn in sorted(before.keys() | now.keys()):
        found += _compare(_named(urn), before.get(urn, []), now.get(urn, []), begun)
    return found


def summary(found: Sequence[str]) -> str:
    """Differences in one line."""
    more = f"; and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
    return "; ".join(found[:SHOWN]) + more


def _step(
    step: Mapping[str, Any], names: Mapping[str, str], sealed: Sealed, changing: Collection[str]
) -> dict[str, Any]:
    new = step["new"] or {}
    sources = new.get("propertyDependencies") or {}
    inputs = {
        key: _sourced(value, [urn for urn in sources.get(key, ()) if urn in changing])
        for key, value in (new.get("inputs") or {}).items()
        if key not in INTERNAL
    }
    return {
        "urn": step["urn"],
        "op": step["op"],
        # What exists and is touched: another physical thing under the same name is another plan.
        "id": str((step["old"] or {}).get("id") or ""),
        "inputs": _plain(covered(inputs, sealed.get(step["urn"], {})), names),
        "diff": {path: kind for path, kind in step["diff"].items() if path.partition(".")[0] not in INTERNAL},
    }


def _sourced(value: Any, sources: Sequence[str]) -> Any:
    """A value with what is unknown in it told by the resources that it comes from."""
    if value == UNKNOWN and sources:
        return f"{_LEARNED}{', '.join(sorted(map(_named, sources)))}"
    if isinstance(value, list):
        return [_sourced(item, sources) for item in value]
    if isinstance(value, dict):
        return {key: _sourced(item, sources) for key, item in value.items()}
    return value


def _unknown(value: Any) -> bool:
    return isinstance(value, str) and (value == UNKNOWN or value.startswith(_LEARNED))


def _now_known(approved: Any, planned: Any) -> bool:
    """Whether a deployment that has begun has made a value known, or all but some of what it comes from."""
    if not _unknown(approved):
        return False
    left = _origins(planned)
    return not _unknown(planned) or bool(left and left <= _origins(approved))


def _origins(value: Any) -> set[str]:
    return set(value.removeprefix(_LEARNED).split(", ")) if _unknown(value) and value != UNKNOWN else set()


def _generated(steps: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Names that the provider makes up, new in each preview → the same name without its random end.

    Those that exist already are among them: which thing is meant stands in the step's `id`.
    """
    found: dict[str, str] = {}
    for step in steps:
        inputs = (step["new"] or {}).get("inputs") or {}
        for key in inputs.get("__defaults") or ():
            value = inputs.get(key)
            match = _RANDOM_END.fullmatch(value) if isinstance(value, str) else None
            if match:
                found[str(value)] = f"{match[1]}-(generated)"
    return found


def _plain(value: Any, names: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        for generated, plain in names.items():
            value = value.replace(generated, plain)
        return value
    if isinstance(value, list):
        return [_plain(item, names) for item in value]
    if not isinstance(value, dict):
        return value
    kept = {key: item for key, item in value.items() if item is not None and not _made_up(key, item)}
    if value.get(_SIGNATURE) in _ASSETS:
        # Where an asset lies differs from machine to machine; what is in it is its hash.
        kept = {key: item for key, item in kept.items() if key in ("hash", "assets")}
    return {key: _plain(item, names) for key, item in kept.items()}


def _made_up(key: str, item: Any) -> bool:
    """Whether this is the provider's list of what it made up. Anybody's own key may begin with two underscores."""
    return key == "__defaults" and isinstance(item, list)


def _by_urn(plan: Plan) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for step in plan["steps"]:
        found.setdefault(step["urn"], []).append(step)
    return found


def _named(urn: str) -> str:
    kind = urn.split("::")[2].rpartition("$")[2].rpartition(":")[2]
    return f"{urn.rpartition('::')[2]} ({kind})"


def _compare(name: str, before: list[dict[str, Any]], now: list[dict[str, Any]], begun: bool) -> list[str]:
    was, does = [step["op"] for step in before], [step["op"] for step in now]
    if was != does:
        return [] if _done(before, now) else [f"{name}: approved was {_ops(was)}, planned is {_ops(does)}"]
    found = []
    for old, new in zip(before, now, strict=True):
        apart = _paths(old["inputs"], new["inputs"])
        changed = [(path, a, b) for path, a, b in apart if not (begun and _now_known(a, b))]
        found += [f"{name}: {path} was {_short(a)} when approved and is {_short(b)}" for path, a, b in changed]
        if old["id"] != new["id"]:
            found.append(f"{name}: approved was the {old['op']} of {old['id']}, planned is that of {new['id']}")
        elif old["diff"] != new["diff"] and not changed:
            touched = sorted(path for path, _ in old["diff"].items() ^ new["diff"].items())
            found.append(f"{name}: the {old['op']} now touches other properties: {', '.join(dict.fromkeys(touched))}")
    return found


def _done(before: list[dict[str, Any]], now: list[dict[str, Any]]) -> bool:
    """Whether a part of what was approved has been done already: a deployment that failed half way is run again."""
    if len(before) != 1:
        return False
    (approved,) = before
    if approved["op"] == "delete":
        return not now
    # Of a replacement, the new thing may be there and the old one may still have to go.
    rest = [step for step in now if not (step["op"] == "delete" and step["id"] == approved["id"])]
    if approved["op"] not in _MAKING or (len(rest) < len(now) and approved["op"] != "replace"):
        return False
    return [step["op"] for step in rest] == ["same"] and _fits(approved["inputs"], rest[0]["inputs"])


def _fits(approved: Any, there: Any) -> bool:
    """Whether what is there is what was approved, as far as that was known."""
    return all(_unknown(value) or (is_hash(value) and now == SECRET) for _, value, now in _paths(approved, there))


def _ops(ops: Sequence[str]) -> str:
    return " and ".join(ops) or "nothing"


def _paths(old: Any, new: Any, path: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Where two values differ: path, old, new."""
    if _written(old) == _written(new):  # 1 and true are equal to Python
        return
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted(old.keys() | new.keys()):
            yield from _paths(old.get(key), new.get(key), f"{path}.{key}" if path else key)
        return
    if isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for index, (a, b) in enumerate(zip(old, new, strict=True)):
            yield from _paths(a, b, f"{path}[{index}]")
        return
    inner = _document(old), _document(new)
    if all(isinstance(side, dict) for side in inner) and _written(inner[0]) != _written(inner[1]):
        yield from _paths(*inner, path)
        return
    yield path, old, new


def _written(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


def _document(value: Any) -> Any:
    """A document that is given as text (a policy, an API) by its parts."""
    if not (isinstance(value, str) and value.startswith("{")):
        return None
    try:
        return json.loads(value)
    except ValueError:
        return None


def _short(value: Any) -> str:
    if value is None:
        return "absent"
    if value == UNKNOWN:
        return "not known before the deployment"
    if _unknown(value):
        return f"what the deployment learns from {value.removeprefix(_LEARNED)}"
    if is_hash(value):
        return f"a secret ({value.rpartition(':')[2][:8]}…)"
    words = json.dumps(value, ensure_ascii=False) if not isinstance(value, str) else value
    return words if len(words) <= _LONGEST else words[: _LONGEST - 1] + "…"
