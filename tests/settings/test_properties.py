"""Broken configs: N faults give N lines, no value gives a traceback, and schema and check agree.

It does not prove that a sentence is good English, nor that the engine hands config over as the tests write it.
"""

import itertools
import json
import math
from collections.abc import Iterator
from typing import Any

import jsonschema
from hypothesis import given, target
from hypothesis import strategies as st

from settings.hyperparameters import KINDS, Hyperparameters, Interval
from settings.keys import Section, WordOr
from settings.kinds import Choice, Flag, Kind, ListOf, Number, Problems, Scalar, TableOf, Text, Whole, shown
from settings.load import CONFIG, review
from settings.schema import stack_file
from tests.settings.configs import DATASET, document

ADDRESS = "s3://bucket/runs/1/release/manifest.json"
METRIC = {**DATASET["metric"], "also": [{"name": "r2", "threshold": 0.1}]}
FEATURES = [{"name": DATASET["features"][0]}, *DATASET["features"][1:]]
RULES = [{"name": "positive", "sql": f"{DATASET['target']} > 0"}]
BASE = {
    **document("delivery", dataset={**DATASET, "metric": METRIC, "features": FEATURES, "rules": RULES}),
    "glidepath:ci": {"provider": "github", "repository": "owner/name"},
    "glidepath:policies": {"exemptions": [{"rule": "a-b", "resource": "c", "reason": "d", "until": "2027-03-31"}]},
    "glidepath:tuning": {"trials": 4, "ranges": {"eta": [0.1, 0.5]}},
    "glidepath:variants": [{"name": "b", "manifest": ADDRESS}],
}
VALIDATOR = jsonschema.Draft7Validator(stack_file())
# A key that stands at a place: the path of messages, the steps to it, and its kind.
Place = tuple[str, tuple[str | int, ...], Kind]


def _places(section: Section, path: str, steps: tuple[str | int, ...]) -> Iterator[Place]:
    for key in section.keys:
        top = not steps
        name = key.name if ":" in key.name or not top else f"glidepath:{key.name}"
        here = name if top else f"{path}.{name}"
        yield here, (*steps, name), key.kind
        if isinstance(key.kind, Section):
            yield from _places(key.kind, here, (*steps, name))
        elif isinstance(key.kind, ListOf) and isinstance(key.kind.item, Section):
            yield from _places(key.kind.item, f"{here}[0]", (*steps, name, 0))


# A shadow may not stand beside variants, whose keys it has.
PLACES = [place for place in _places(CONFIG, "", ()) if not place[0].startswith("glidepath:shadow")]
LEAVES = [place for place in PLACES if not isinstance(place[2], Section | ListOf | TableOf)]
SECTIONS = [place for place in PLACES if isinstance(place[2], Section)]


def _with(config: dict[str, Any], steps: tuple[str | int, ...], value: Any) -> None:
    at: Any = config
    for step, following in itertools.pairwise(steps):
        empty: Any = [{}] if isinstance(following, int) else {}
        at = at.setdefault(step, empty) if isinstance(step, str) else at[step]
    at[steps[-1]] = value


def _as_given(config: dict[str, Any]) -> dict[str, Any]:
    return {key: value if isinstance(value, str) else json.dumps(value) for key, value in config.items()}


def _copy() -> dict[str, Any]:
    copied: dict[str, Any] = json.loads(json.dumps(BASE))
    return copied


def _bad(kind: Kind) -> st.SearchStrategy[Any]:
    """Values of the wrong type or out of range."""
    structures: list[Any] = [[], {}, [1, 2], {"a": None}, [[[]]]]
    out = [True, None, *structures]
    if isinstance(kind, Whole):
        out = [*out, kind.low - 1, kind.high + 1, 10**30, -(10**30), 1.5, 1e308, "x", "", "0x1", "1_0", "NaN"]
    elif isinstance(kind, Number):
        out = [*out, "x", "", "nan", "inf", "1_0"]
        out += [kind.low - 1, kind.high + 1, 1e308, 10**400] if math.isfinite(kind.low) else []
    elif isinstance(kind, Flag):
        out = [None, *structures, 1, 0, "yes", "", "TRUE", 2.5]
    elif isinstance(kind, Choice):
        out = [*out, 1, 1.5, "no such option", ""]
    elif isinstance(kind, Text):
        out = [*out, "", "\n", " \n "]
    return st.sampled_from(out)


def _sentence(place: Place, value: Any) -> str:
    """What the line of a fault begins with. The engine hands plain values over as text: those need not be repeated."""
    path, steps, kind = place
    if len(steps) == 1:
        return f"{path}: "
    return f"{path}: " + (
        f"is null; set it to {kind.wanted}" if value is None else f"{shown(value)} is not {kind.wanted}"
    )


@st.composite
def broken(draw: st.DrawFn) -> tuple[dict[str, Any], list[str]]:
    """A config with faults at distinct keys, and what the lines of these begin with."""
    leaves = draw(st.lists(st.sampled_from(LEAVES), unique_by=lambda place: place[0], max_size=8))
    unknown = draw(st.lists(st.sampled_from(SECTIONS), unique_by=lambda place: place[0], max_size=3))
    config = _copy()
    sentences = [f"{path}.qqq: unknown key; known are " for path, _, _ in unknown]
    for place in leaves:
        _, steps, kind = place
        value = draw(_bad(kind))
        # The engine hands plain values over as text: true may be a name.
        text = len(steps) == 1 and isinstance(kind, Text) and not isinstance(value, str)
        _with(config, steps, [value] if text else value)
        sentences.append(_sentence(place, value))
    for _, steps, _ in unknown:
        _with(config, (*steps, "qqq"), draw(st.sampled_from([1, None, {}, "x"])))
    return config, sentences


@given(broken())
def test_every_fault_is_one_line(case: tuple[dict[str, Any], list[str]]) -> None:
    config, sentences = case
    settings, lines = review("delivery", _as_given(config))
    target(len(sentences))
    missed = [sentence for sentence in sentences if sum(line.startswith(sentence) for line in lines) != 1]
    assert (missed, len(lines)) == ([], len(sentences)), lines
    assert (settings is None) == bool(sentences)
    assert VALIDATOR.is_valid({"config": config}) == (not sentences)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    # Python refuses to write numbers of more than 4300 digits, those of a failing example too.
    | st.integers(100, 5000).map(lambda digits: 10**digits)
    | st.sampled_from([1e308, math.inf, -math.inf, math.nan, "9" * 5000])
    | st.floats()
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(st.sampled_from(PLACES), JSON)
def test_no_value_gives_a_traceback(place: Place, value: Any) -> None:
    config = _copy()
    _with(config, place[1], value)
    settings, lines = review("delivery", config)
    assert (settings is None) == bool(lines)
    assert all("\n" not in line and len(line) < 1500 for line in lines)


@given(st.sampled_from([place for place in PLACES if len(place[1]) == 1]), st.text() | JSON.map(shown))
def test_no_text_gives_a_traceback(place: Place, text: str) -> None:
    settings, lines = review("delivery", {**_as_given(BASE), place[0]: text})
    assert (settings is None) == bool(lines)


def test_no_depth_gives_a_traceback() -> None:
    checked = 0
    for path, steps, _ in PLACES:
        if len(steps) == 1:
            lines = review("delivery", {**_as_given(BASE), path: "[" * 100_000 + "]" * 100_000})[1]
            assert [line for line in lines if line.startswith(path)] == lines != []
            checked += 1
    assert checked > 20


def _good(kind: Kind) -> st.SearchStrategy[Any]:
    """Values that are in range, and a few that are not."""
    if isinstance(kind, Whole):
        return st.sampled_from(kind.options) if kind.options else st.integers(kind.low - 1, kind.high + 1)
    if isinstance(kind, Number):
        low, high = (kind.low, kind.high) if math.isfinite(kind.low) else (None, None)
        return st.floats(low, high, allow_nan=False, allow_infinity=False)
    if isinstance(kind, Choice):
        return st.sampled_from(kind.options)
    if isinstance(kind, Text):
        return st.from_regex(kind.pattern.replace(r"\d", "[0-9]"), fullmatch=True).filter(str.isascii)
    if isinstance(kind, Scalar):
        return st.integers() | st.booleans() | st.text("abc0.", max_size=5)
    if isinstance(kind, ListOf):
        return st.lists(_good(kind.item), max_size=2)
    if isinstance(kind, Hyperparameters):
        # What goes together is not the schema's to say.
        numbers = {name: _between(each) for name, each in KINDS.items() if isinstance(each, Interval)}
        del numbers["num_class"], numbers["num_round"]
        texts = st.sampled_from(["rmse,mae", "rmse", "foo", "error@0.5", "rmse@1", "rmse, mae"])
        given = {"objective": st.just("reg:squarederror"), "eval_metric": texts}
        return st.fixed_dictionaries({"num_round": st.just(5)}, optional=numbers | {"updater": st.just("x")}).flatmap(
            lambda found: st.one_of(st.just(found), st.fixed_dictionaries(given).map(lambda more: found | more))
        )
    if isinstance(kind, WordOr):
        more = {"unit": st.text("km", min_size=1), "min": st.integers(), "max": st.floats(allow_nan=False)}
        return _good(kind.word) | st.fixed_dictionaries({"type": _good(kind.word)}, optional=more)
    if isinstance(kind, TableOf):
        return st.dictionaries(_good(kind.name), _good(kind.item), max_size=2)
    return st.booleans()


def _between(kind: Interval) -> st.SearchStrategy[Any]:
    edges = [each for bound in (kind.low, kind.high) if math.isfinite(bound) for each in (bound - 1, bound, bound + 1)]
    return st.sampled_from([*(int(each) if kind.whole else each for each in edges), 7.5, "x", True])


def _plain(kind: Kind) -> bool:
    return not isinstance(kind, Section) and not (isinstance(kind, ListOf) and isinstance(kind.item, Section))


@given(st.data())
def test_what_the_schema_accepts_the_check_accepts(data: st.DataObject) -> None:
    path, steps, kind = data.draw(
        st.sampled_from(LEAVES + [place for place in PLACES if isinstance(place[2], TableOf)])
    )
    config = _copy()
    _with(config, steps, data.draw(_good(kind)))
    problems = Problems("delivery")
    own = {key.removeprefix("glidepath:"): value for key, value in _as_given(config).items() if key != "aws:profile"}
    CONFIG.values(own, "glidepath:", problems)
    if VALIDATOR.is_valid({"config": config}):
        assert problems.lines == [], path
