"""Values in readable form, and what differs between two of them, leaf by leaf."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from preview.plan import UNKNOWN
from preview.quote import code

LATER = "(known after the update)"
SECRET = "[secret]"  # noqa: S105  the engine's word for one
NOTHING = "(none)"
_LONGEST = 160
_SIGNATURE = "4dabf18193072939515e22adb298388d"
"""The key under which the engine marks an asset."""
_INTERNAL = frozenset(("__defaults", "__provider", _SIGNATURE))
_IDENTIFYING = ("variantName", "name", "id", "Sid", "sid", "key", "captureMode", "header")


@dataclass(frozen=True)
class Difference:
    """One leaf: where it stands (`productionVariants[live].instanceType`) and how it reads before and after."""

    path: str
    old: str
    new: str
    secret: bool = False

    def __str__(self) -> str:
        if self.secret:
            return f"{code(self.path)}: changes (secret)"
        return f"{code(self.path)}: {told(self.old)} → {told(self.new)}"


def told(shown: str) -> str:
    """A shown value as Markdown's code, so that nothing in it is read as markup; words of ours stay words."""
    return shown if shown in (LATER, NOTHING) else code(shown)


def differences(old: Any, new: Any) -> list[Difference]:
    """All leaves that differ, sorted by path. Lists of plain values are compared as sets."""
    return sorted(_walk("", _opened(old), _opened(new)), key=lambda each: each.path)


def shown(value: Any) -> str:
    """A value on one line, shortened where it is long."""
    if value is None:
        return NOTHING
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, str):
        return _short(LATER if UNKNOWN in value else value)
    if isinstance(value, Mapping) and _is_asset(value):
        return "(files)"
    return _short(json.dumps(_visible(value), sort_keys=True, ensure_ascii=False).replace(f'"{UNKNOWN}"', LATER))


def _walk(path: str, old: Any, new: Any) -> Iterator[Difference]:
    if old == new:
        return
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        if _is_asset(old) and _is_asset(new):
            yield from _files(path, old, new)
            return
        for key in sorted({*old, *new} - _INTERNAL):
            yield from _walk(f"{path}.{key}" if path else key, _opened(old.get(key)), _opened(new.get(key)))
        return
    if isinstance(old, list) and isinstance(new, list):
        yield from _lists(path, old, new)
        return
    before, after = shown(old), shown(new)
    if before != after:
        yield Difference(path, before, after)
    elif not isinstance(old, str) or UNKNOWN not in old:
        # Only the shortened form is the same: the end of a long text tells them apart.
        yield Difference(path, before, f"{after} (differs further on)")


def _lists(path: str, old: list[Any], new: list[Any]) -> Iterator[Difference]:
    if all(_scalar(each) for each in (*old, *new)):
        gone = [each for each in old if each not in new]
        come = [each for each in new if each not in old]
        if gone or come:
            yield Difference(path, _several(gone), _several(come))
        else:
            yield Difference(path, _several(old), f"{_several(new)} (in another order)")
        return
    left, right = _keyed(old, new)
    for key in dict.fromkeys((*left, *right)):
        yield from _walk(f"{path}[{key}]", _opened(left.get(key)), _opened(right.get(key)))


def _keyed(*lists: list[Any]) -> list[dict[str, Any]]:
    """Members by what names them in every one of the lists, else by their place."""
    for name in _IDENTIFYING:
        keyed = [{_key(item, name): item for item in items} for items in lists]
        if all("" not in each and len(each) == len(items) for each, items in zip(keyed, lists, strict=True)):
            return keyed
    return [{str(index): item for index, item in enumerate(items)} for items in lists]


def _key(item: Any, name: str) -> str:
    key = item.get(name) if isinstance(item, Mapping) else None
    return key if isinstance(key, str) and UNKNOWN not in key else ""


def _files(path: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Difference]:
    """Archives by the content of their files; where the checkout lies makes no difference."""
    left, right = _hashes(old), _hashes(new)
    for name in sorted({*left, *right}):
        if left.get(name) != right.get(name):
            states = ("there" if name in left else NOTHING), ("changed" if name in left else "added")
            yield Difference(f"{path}/{name}", states[0], states[1] if name in right else "removed")


def _hashes(asset: Mapping[str, Any]) -> dict[str, Any]:
    inner = asset.get("assets")
    if isinstance(inner, Mapping):
        return {name: each.get("hash") if isinstance(each, Mapping) else each for name, each in inner.items()}
    return {"(content)": asset.get("hash") or asset.get("text")}


def _is_asset(value: Mapping[str, Any]) -> bool:
    return _SIGNATURE in value and ("hash" in value or "assets" in value or "text" in value or "path" in value)


def _opened(value: Any) -> Any:
    """JSON in a text is compared by its content, as AWS does."""
    if isinstance(value, str) and value[:1] in "{[" and value[-1:] in "}]" and UNKNOWN not in value:
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value


def _visible(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _visible(each) for key, each in value.items() if key not in _INTERNAL}
    return [_visible(each) for each in value] if isinstance(value, list) else value


def _scalar(value: Any) -> bool:
    return value is None or isinstance(value, str | int | float | bool)


def _several(values: Iterable[Any]) -> str:
    return ", ".join(shown(value) for value in values) or NOTHING


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…"
