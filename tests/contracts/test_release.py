"""The manifest's reader: what it accepts, and the sentence for everything else."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.release import ReleaseError, parse_release, render_release, vouched
from tests.functions import samples

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)
PLACES = [
    ("id",), ("reason",), ("created",), ("data",), ("data", "rows"), ("model", "sha256"), ("model", "artifact"),
    ("metrics", "ci"), ("metrics", "value"), ("metrics", "slices"), ("champion",), ("baseline", "statistics"),
    ("golden",), ("target",), ("features",), ("distribution",), ("distribution", "shares"),
    ("hashes",), ("hashes", "golden"), ("split",), ("split", "salt"), ("pair", "table"),
    ("pair", "table", "rows", 0),
]  # fmt: skip


def changed(path: tuple[str | int, ...], value: Any) -> str:
    document: Any = samples.manifest()
    place = document
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    return json.dumps(document)


def test_reads_what_it_renders() -> None:
    release = parse_release(json.dumps(samples.manifest()))
    assert release.model.sha256 == "ab" * 32
    assert release.features == ("duration_minutes", "passengers", "distance")
    assert release.metrics.ci == (3.3, 6.9)
    assert parse_release(render_release(release)) == release
    assert render_release(parse_release(render_release(release))) == render_release(release)
    assert json.loads(render_release(release)) == samples.manifest()


LATER = {"classes", "distribution", "hashes", "pair", "split", "task"}
"""Members that manifests of older code lack."""


@pytest.mark.parametrize(
    ("bad", "unfit"), [(12, "12 of 6433 rows break a rule and were set aside"), (0, ""), (None, "")]
)
def test_says_how_many_rows_break_a_rule(bad: int | None, unfit: str) -> None:
    document: Any = samples.manifest()
    document["data"] |= {"bad_rows": bad, "rules": {}}
    release = parse_release(json.dumps(document))
    assert (release.data.bad_rows, release.data.unfit) == (bad, unfit)


def test_says_which_rules_and_how_many_rows_were_used() -> None:
    data = parse_release(json.dumps(samples.manifest())).data
    assert data.unfit == "12 of 6433 rows break a rule (total.null 10, row.width 2) and were set aside"
    assert data.used == "6275 of 6433 rows"
    many = {f"r{number}": number for number in range(1, 9)}
    told = replace(data, bad_rows=36, rules=many).unfit
    assert told.endswith("(r8 8, r7 7, r6 6, r5 5, r4 4, 3 more) and were set aside")
    assert replace(data, filtered=None).used == "6433 rows"


def test_a_manifest_from_before_bad_rows_were_kept_is_read() -> None:
    document: Any = samples.manifest()
    for name in ("bad_rows", "filtered", "rules"):
        del document["data"][name]
    assert parse_release(json.dumps(document)).data.bad_rows is None


def test_reads_a_champion() -> None:
    champion = {"package": samples.PACKAGE, "value": 5.0, "verdict": "better than the champion"}
    found = parse_release(changed(("champion",), champion)).champion
    assert found is not None
    assert found.value == 5.0


@pytest.mark.parametrize(
    ("path", "value", "place", "reason"),
    [
        (("schema",), 2, "schema", "deploy it with the code that wrote it"),
        (("id",), "latest", "id", "'latest' must be a date and eight hex digits"),
        (("reason",), "whim", "reason", "'whim' must be one of commit, data, manual, drift, schedule"),
        (("created",), "2026-13-41T03:45:00Z", "created", "not a date and time that exists"),
        (("created",), "yesterday", "created", "a UTC time like"),
        (("data", "rows"), 0, "data.rows", "must be at least 1, not 0"),
        (("data", "rows"), 12.5, "data.rows", "must be a whole number, not a number (12.5)"),
        (("data", "rows"), True, "data.rows", "must be a whole number, not true or false (true)"),
        (("data", "bad_rows"), -1, "data.bad_rows", "must be at least 0, not -1"),
        (("data", "bad_rows"), 6433, "data.bad_rows", "6433 and 146 of 6433 rows leave nothing to learn from"),
        (("data", "filtered"), -1, "data.filtered", "must be at least 0, not -1"),
        (("data", "rules"), {"total.null": 5}, "data.rules", "count 5 rows, and bad_rows is 12"),
        (("data", "rules"), {"total.null": 0}, "data.rules.total.null", "must be at least 1, not 0"),
        (("data", "uri"), "https://x/y", "data.uri", "'https://x/y' is not an S3 URI"),
        (("data", "uri"), "s3://B/y", "data.uri", "no valid bucket name"),
        (("model", "artifact"), "s3://bucket/", "model.artifact", "names a bucket but no key"),
        (("model", "sha256"), "AB" * 32, "model.sha256", "64 lower case hex digits"),
        (("model", "package"), "glidepath/1", "model.package", "ARN of a SageMaker model package"),
        (("metrics", "value"), "4", "metrics.value", 'must be a number, not a string ("4")'),
        (("metrics", "value"), None, "metrics.value", "must be a number, not null"),
        (("metrics", "ci"), [2, 1], "metrics.ci", "a lower and an upper bound, not [2.0, 1.0]"),
        (("metrics", "ci"), [1], "metrics.ci", "a lower and an upper bound"),
        (("metrics", "slices", 0, "rows"), -1, "metrics.slices[0].rows", "at least 0"),
        (("features",), [], "features", "must not be empty"),
        (("features",), ["a", "a"], "features", "names a more than once"),
        (("features",), ["a b"], "features[0]", "letters, digits and underscores"),
        (("features",), ["total"], "features", "contain the target 'total'"),
        (("distribution", "edges"), [2, 1, 3, 4], "distribution.edges", "must be increasing numbers"),
        (("distribution", "edges"), [1, 1, 3, 4], "distribution.edges", "must be increasing numbers"),
        (("distribution", "edges"), [1], "distribution.shares", "one more than edges and at most 9, not 5"),
        (("distribution", "shares"), [0.5, 0.5, 0, 0, 0], "distribution.shares", "must be above 0 and add up to 1"),
        (("distribution", "shares"), [0.1] * 5, "distribution.shares", "must be above 0 and add up to 1"),
        (("pair", "release"), "old", "pair.release", "a date and eight hex digits"),
        (("pair", "differences", "edges"), [20, 10], "pair.differences.edges", "must be increasing numbers"),
        (("pair", "differences", "edges"), [1], "pair.differences.bins", "one more than edges and at most 9, not 3"),
        (("pair", "differences", "bins", 0, "rows"), 0, "pair.differences.bins[0].rows", "at least 1"),
        (
            ("pair", "differences", "bins", 1, "quantiles"),
            [0.1, 0.3, 0.2, 0.4],
            "pair.differences.bins[1].quantiles",
            "4 numbers of 0 or more that do not fall",
        ),
        (("pair", "table"), [], "pair.table", "must be an object, not a list"),
        (("pair", "table", "edges"), [1, 2, 2, 3], "pair.table.edges", "must be increasing numbers"),
        (("pair", "table", "edges"), [1], "pair.table.rows", "one more than edges and at most 9, not 5"),
        (("pair", "table", "rows"), [[600]], "pair.table.rows", "one more than edges and at most 9, not 1"),
        (("pair", "table"), {"edges": [], "rows": [[600]]}, "pair.table.edges", "must not be empty"),
        (("pair", "table", "rows", 1), [30, 90], "pair.table.rows[1]", "must have 5 numbers as the first row has"),
        (("pair", "table", "rows", 1), 3, "pair.table.rows[1]", "must be a list, not a whole number (3)"),
        (("pair", "table", "rows", 2, 3), -1, "pair.table.rows[2][3]", "must be at least 0, not -1"),
        (("pair", "table", "rows", 2, 3), 1.5, "pair.table.rows[2][3]", "must be a whole number, not a number (1.5)"),
        (("pair", "table", "rows", 2, 3), True, "pair.table.rows[2][3]", "must be a whole number, not true or false"),
        (("pair", "table", "rows", 0, 0), 101, "pair.table.rows", "must add up to the 600 rows of the pair, not 601"),
        (
            ("pair", "table", "rows"),
            [[120]] * 5,
            "pair.table.rows[0]",
            "must have one number for each of the new model's 5 bins, not 1",
        ),
        (("pair", "table", "more"), 1, "pair.table.more", "is not known here"),
        (
            ("distribution",),
            None,
            "pair.table",
            "must not be there: the release's own bins are not known",
        ),
        (("extra",), 1, "extra", "is not known here"),
        (("model", "sha265"), "x", "model.sha265", "is not known here"),
        (("baseline",), [], "baseline", "must be an object, not a list"),
        (("hashes", "golden"), "00", "hashes.golden", "64 lower case hex digits"),
        (("hashes",), {"golden": "01" * 32}, "hashes.statistics", "is missing"),
        (("hashes", "model"), "01" * 32, "hashes.model", "is not known here"),
        (("split", "rule"), "01", "split.rule", "64 lower case hex digits"),
        (("split", "salt"), "01", "split.salt", "16 lower case hex digits"),
        (("split", "sql"), "features.sql", "split.sql", "is not an S3 URI"),
    ],
)
def test_refuses(path: tuple[str | int, ...], value: Any, place: str, reason: str) -> None:
    with pytest.raises(ReleaseError) as caught:
        parse_release(changed(path, value))
    assert caught.value.path == place
    assert reason in caught.value.reason
    assert str(caught.value).startswith(f"release manifest: {place}: ")


def test_reads_a_manifest_from_before_the_distribution_was_measured() -> None:
    document = samples.manifest()
    del document["distribution"], document["pair"]["table"]
    assert parse_release(json.dumps(document)).distribution is None


def test_reads_a_manifest_from_before_two_models_were_measured_side_by_side() -> None:
    document = samples.manifest()
    del document["pair"]
    assert parse_release(json.dumps(document)).pair is None
    document["pair"] = None
    assert parse_release(json.dumps(document)).pair is None


@pytest.mark.parametrize("there", [True, False])
def test_reads_a_manifest_from_before_both_models_bins_were_counted(there: bool) -> None:
    document = samples.manifest()
    if there:
        document["pair"]["table"] = None
    else:
        del document["pair"]["table"]
    pair = parse_release(json.dumps(document)).pair
    assert pair is not None
    assert pair.table is None


def test_reads_a_manifest_from_before_it_was_signed() -> None:
    document = samples.manifest()
    del document["hashes"]
    release = parse_release(json.dumps(document))
    assert release.hashes is None
    assert [sha256 for _, _, sha256 in vouched(release)] == ["ab" * 32, "", "", "", "04" * 32]


def test_reads_a_manifest_from_before_the_split_was_recorded() -> None:
    document = samples.manifest()
    del document["split"]
    release = parse_release(json.dumps(document))
    assert release.split is None
    assert len(vouched(release)) == 4


@pytest.mark.parametrize("name", sorted(samples.manifest().keys() - LATER))
def test_names_what_is_missing(name: str) -> None:
    document = samples.manifest()
    del document[name]
    with pytest.raises(ReleaseError, match=f"^release manifest: {name}: is missing"):
        parse_release(json.dumps(document))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "line 1, column 1"),
        ('{"schema": 1,', "is not valid JSON"),
        ("[" * 100_000, "nested too deeply"),
        ('{"schema": NaN}', "contains NaN"),
        ('{"schema": 1, "schema": 2}', "has the member 'schema' more than once"),
        ("[]", "must be an object, not a list"),
    ],
)
def test_refuses_what_is_no_document(text: str, reason: str) -> None:
    with pytest.raises(ReleaseError, match=reason):
        parse_release(text)


@given(st.text())
def test_any_text_gives_a_clear_error(text: str) -> None:
    with pytest.raises(ReleaseError):
        parse_release(text)


@given(st.sampled_from(PLACES), JSON_VALUES)
def test_any_value_is_read_or_refused_by_name(path: tuple[str, ...], value: Any) -> None:
    try:
        release = parse_release(changed(path, value))
    except ReleaseError as error:
        assert error.path == "document" or error.path.startswith(path[0])  # noqa: PT017
    else:
        assert parse_release(render_release(release)) == release


def test_a_manifest_from_before_there_were_tasks_is_a_regressions() -> None:
    document = samples.manifest()
    del document["task"], document["classes"], document["metrics"]["class_rows"]
    release = parse_release(json.dumps(document))
    assert (release.task, release.classes, release.metrics.class_rows) == ("regression", (), ())


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"task": "ranking"}, "task: 'ranking' must be one of regression, binary, multiclass"),
        ({"task": "multiclass"}, "classes: are missing"),
        ({"task": "binary", "classes": ["a", "b", "c"]}, "classes: are 3, and task binary has two"),
        ({"classes": ["a", "b"]}, "classes: are of no use to task regression"),
        ({"task": "binary", "classes": ["a", "a"]}, "classes: name one twice"),
        ({"task": "binary", "classes": ["a", "<b>"]}, r"classes\[1\]: must be a name"),
    ],
)
def test_classes_are_those_of_the_task(change: dict[str, object], reason: str) -> None:
    with pytest.raises(ReleaseError, match=f"^release manifest: {reason}"):
        parse_release(json.dumps(samples.manifest() | change))


def test_rows_are_counted_of_the_classes_that_have_names() -> None:
    document = samples.manifest() | {"task": "binary", "classes": ["no", "yes"]}
    document["metrics"]["class_rows"] = [500, 97]
    release = parse_release(json.dumps(document))
    assert release.rarest == " (2 classes, fewest of yes: 97)"
    assert parse_release(json.dumps(samples.manifest())).rarest == ""
    document["metrics"]["class_rows"] = [500, 90, 7]
    with pytest.raises(ReleaseError, match=r"metrics\.class_rows: are of 3 classes, and 2 have names"):
        parse_release(json.dumps(document))
