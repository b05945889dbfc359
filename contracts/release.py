"""The release manifest: what one run of the pipeline hands to the environments.

Written once by `functions.manifest`; read by the program, the command line and the tests through `parse_release`,
which accepts nothing that is not exactly as agreed: a release that cannot be trusted must not be deployed.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from contracts.cross_table import CrossTable, check_table, parse_table
from contracts.data import Data as Data
from contracts.data import parse_data
from contracts.differences import Differences, parse_differences
from contracts.distribution import Distribution, parse_distribution
from contracts.features import Feature, columns_of, parse_feature, special
from contracts.fields import FieldError, Fields, name, number, parse_json, unique, whole
from contracts.retraining import REASONS
from contracts.tasks import REGRESSION, TASKS, class_name, wrong_classes

SCHEMA = 1
ID_PATTERN = r"[0-9]{8}-[0-9a-f]{8}"
OUTCOMES = ("better", "worse", "undecided")
"""Of a comparison with the champion. A worse model is never released."""
SHA256_PATTERN = r"[0-9a-f]{64}"
SALT_PATTERN = r"[0-9a-f]{16}"
_ARN = r"arn:aws[a-z-]*:sagemaker:[a-z0-9-]+:[0-9]{12}:model-package/.+"
_PACKAGE = "the ARN of a SageMaker model package"


class ReleaseError(ValueError):
    """A manifest that is not as agreed: `path` is the place (`model.sha256`), `reason` what is wrong there."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"release manifest: {path}: {reason}")
        self.path = path
        self.reason = reason


@dataclass(frozen=True)
class Model:
    """The registered package, the artifact with its SHA-256 in hex, and the serving image."""

    package: str
    artifact: str
    sha256: str
    image: str


@dataclass(frozen=True)
class Slice:
    """The metric on a part of the held-out rows."""

    slice: str
    value: float
    rows: int


@dataclass(frozen=True)
class Metrics:
    """The metric on held-out rows, with its confidence interval and the threshold of the gate.

    `class_rows` says how many of them each class has; empty of a regression.
    """

    name: str
    value: float
    ci: tuple[float, float]
    threshold: float
    rows: int
    slices: tuple[Slice, ...]
    class_rows: tuple[int, ...] = ()


@dataclass(frozen=True)
class Champion:
    """The package to beat, its metric on the same rows (None: it could not be asked), and what the gate wrote.

    `package` is None where nothing tells any more which one serves. `outcome` is None where nothing was compared, and
    in manifests from before there were three.
    """

    package: str | None
    value: float | None
    verdict: str
    outcome: str | None = None


@dataclass(frozen=True)
class Pair:
    """The champion's release, the SHA-256 of its model in hex, and how far both models' answers lie apart.

    `table` is how both put the rows into bins; None where the champion counts no bins, and in manifests from before it
    was made.
    """

    release: str
    sha256: str
    differences: Differences
    table: CrossTable | None = None


@dataclass(frozen=True)
class Baseline:
    """Statistics and constraints of the training data, for the monitor."""

    statistics: str
    constraints: str


@dataclass(frozen=True)
class Hashes:
    """SHA-256 in hex of what hooks, tests and the monitor believe: golden records and the baseline's two documents."""

    golden: str
    statistics: str
    constraints: str


@dataclass(frozen=True)
class Split:
    """Which rows the model was tested on: what decided it, and what came of it.

    `sql` is the address of features.sql as it ran, `rule` its SHA-256 in hex. `salt` tells the secret and the columns
    that lots are drawn with from others. `test` is the sum of the SHA-256 of each line of the test part, modulo 2^256,
    in hex: the same for the same rows, in whichever order and files they lie.
    """

    sql: str
    rule: str
    salt: str
    test: str


@dataclass(frozen=True)
class Release:
    """One release, as the manifest describes it. All addresses are `s3://` URIs; `created` is UTC, ISO 8601 with `Z`.

    `distribution` is that of the evaluated model's predictions on the held-out rows; None in manifests from before it
    was measured, whose releases can still be deployed, without an alarm on the distribution. `hashes` is None in
    manifests from before they were signed: one with hashes is believed with its signature alone (docs/adr/0015).
    `split` is None in manifests from before it was recorded.
    `pair` is None where no champion was asked, and in manifests from before it was measured.
    `task` is regression in manifests from before there were others. `classes` are the names of the target's values 0,
    1, …: of several always, of two where answers have them; so their number says what the endpoint answers.
    `features` are the columns of the model's matrix; `inputs` the features that callers send, where one of them is more
    than a number that is always there, else empty.
    """

    id: str
    reason: str
    commit: str
    created: str
    execution: str
    data: Data
    model: Model
    metrics: Metrics
    champion: Champion | None
    baseline: Baseline
    golden: str
    target: str
    features: tuple[str, ...]
    distribution: Distribution | None = None
    hashes: Hashes | None = None
    split: Split | None = None
    pair: Pair | None = None
    task: str = REGRESSION
    classes: tuple[str, ...] = ()
    inputs: tuple[Feature, ...] = ()

    @property
    def rarest(self) -> str:
        """` (3 classes, fewest of Chinstrap: 12)`, of the held-out rows; empty where no classes are counted."""
        rows = self.metrics.class_rows
        if not rows:
            return ""
        place = min(range(len(rows)), key=lambda place: rows[place])
        name = self.classes[place] if self.classes else f"class {place}"
        return f" ({len(rows)} classes, fewest of {name}: {rows[place]})"


def parse_release(text: str) -> Release:
    """Read a manifest. Raises ReleaseError with path and reason for anything that is not as agreed."""
    try:
        return _release(parse_json(text, "document"))
    except FieldError as error:
        raise ReleaseError(error.path, error.reason) from None


def render_release(release: Release) -> str:
    """The manifest's text: stable member order, so that equal releases have equal hashes. Ends with a newline."""
    document: dict[str, Any] = {"schema": SCHEMA, **asdict(release)}
    # Code from before there were any reads a manifest without them.
    del document["inputs"]
    if release.data.target is None:
        del document["data"]["target"]
    if release.inputs:
        document["inputs"] = [feature.document() for feature in release.inputs]
    return json.dumps(document, indent=2, allow_nan=False, ensure_ascii=False) + "\n"


def vouched(release: Release) -> list[tuple[str, str, str]]:
    """What a release is made of: a word for it, its address, its SHA-256 (empty where nothing vouches for it)."""
    hashes = release.hashes or Hashes("", "", "")
    return [
        ("model artifact", release.model.artifact, release.model.sha256),
        ("golden records", release.golden, hashes.golden),
        ("baseline statistics", release.baseline.statistics, hashes.statistics),
        ("baseline constraints", release.baseline.constraints, hashes.constraints),
        *([("features.sql", release.split.sql, release.split.rule)] if release.split else []),
    ]


def parse_pair(value: object, path: str) -> Pair | None:
    """`{"release", "sha256", "differences", "table"}` or null; a FieldError names place and reason."""
    if value is None:
        return None
    fields = Fields(value, path)
    differences = parse_differences(fields.raw("differences"), f"{path}.differences")
    table = None
    if fields.has("table") and not fields.null("table"):
        table = parse_table(fields.raw("table"), f"{path}.table")
    pair = Pair(_id(fields, "release"), _sha256(fields, "sha256"), differences, table)
    fields.done()
    return pair


def check_pair(pair: Pair | None, distribution: Distribution | None, path: str) -> None:
    """Whether the pair's table is of its rows and of the release's own bins. Raises FieldError."""
    if pair is None or pair.table is None:
        return
    if distribution is None:
        raise FieldError(f"{path}.table", "must not be there: the release's own bins are not known")
    rows = sum(each.rows for each in pair.differences.bins)
    check_table(pair.table, len(distribution.shares), rows, f"{path}.table")


def _release(document: object) -> Release:
    fields = Fields(document, "")
    schema = fields.count("schema")
    if schema != SCHEMA:
        raise FieldError("schema", f"is {schema}, but this code reads {SCHEMA}: deploy it with the code that wrote it")
    release = Release(
        id=_id(fields, "id"),
        reason=fields.text("reason", "|".join(REASONS), f"one of {', '.join(REASONS)}"),
        commit=fields.text("commit"),
        created=_created(fields),
        execution=fields.text("execution"),
        data=parse_data(fields.raw("data")),
        model=_model(fields.raw("model")),
        metrics=_metrics(fields.raw("metrics")),
        champion=_champion(fields.raw("champion")),
        baseline=_baseline(fields.raw("baseline")),
        golden=fields.uri("golden"),
        target=name(fields.raw("target"), "target"),
        features=unique(fields.items("features", name), "features"),
        distribution=_distribution(fields.raw("distribution")) if fields.has("distribution") else None,
        hashes=_hashes(fields.raw("hashes")) if fields.has("hashes") else None,
        split=_split(fields.raw("split")) if fields.has("split") else None,
        pair=parse_pair(fields.raw("pair"), "pair") if fields.has("pair") else None,
        task=fields.text("task", "|".join(TASKS), f"one of {', '.join(TASKS)}") if fields.has("task") else REGRESSION,
        classes=fields.items("classes", class_name) if fields.has("classes") else (),
        inputs=special(fields.items("inputs", parse_feature)) if fields.has("inputs") else (),
    )
    fields.done()
    if release.inputs and columns_of(release.inputs) != release.features:
        reason = f"are the columns {', '.join(columns_of(release.inputs))}, and features {', '.join(release.features)}"
        raise FieldError("inputs", reason)
    check_pair(release.pair, release.distribution, "pair")
    if reason := wrong_classes(release.task, release.classes):
        raise FieldError("classes", reason)
    counted = len(release.metrics.class_rows)
    if release.classes and counted not in (0, len(release.classes)):
        raise FieldError("metrics.class_rows", f"are of {counted} classes, and {len(release.classes)} have names")
    if release.target in release.features:
        raise FieldError("features", f"contain the target {release.target!r}: the model would be given its answer")
    return release


def _distribution(value: object) -> Distribution | None:
    return None if value is None else parse_distribution(value, "distribution")


def _hashes(value: object) -> Hashes | None:
    if value is None:
        return None
    fields = Fields(value, "hashes")
    hashes = Hashes(_sha256(fields, "golden"), _sha256(fields, "statistics"), _sha256(fields, "constraints"))
    fields.done()
    return hashes


def _split(value: object) -> Split | None:
    if value is None:
        return None
    fields = Fields(value, "split")
    split = Split(
        sql=fields.uri("sql"),
        rule=_sha256(fields, "rule"),
        salt=fields.text("salt", SALT_PATTERN, "16 lower case hex digits"),
        test=_sha256(fields, "test"),
    )
    fields.done()
    return split


def _id(fields: Fields, name: str) -> str:
    return fields.text(name, ID_PATTERN, "a date and eight hex digits, like 20261121-1a2b3c4d")


def _sha256(fields: Fields, name: str) -> str:
    return fields.text(name, SHA256_PATTERN, "a SHA-256 of 64 lower case hex digits")


def _created(fields: Fields) -> str:
    value = fields.text("created", r"[0-9-]{10}T[0-9:]{8}Z", "a UTC time like 2026-11-21T03:45:00Z")
    try:
        datetime.strptime(value, "%Y-%m-%dT%H:%M:%SZ")
    except ValueError:
        raise FieldError("created", f"{value!r} is not a date and time that exists") from None
    return value


def _model(value: object) -> Model:
    fields = Fields(value, "model")
    model = Model(
        package=fields.text("package", _ARN, _PACKAGE),
        artifact=fields.uri("artifact"),
        sha256=_sha256(fields, "sha256"),
        image=fields.text("image"),
    )
    fields.done()
    return model


def _metrics(value: object) -> Metrics:
    fields = Fields(value, "metrics")
    metrics = Metrics(
        name=name(fields.raw("name"), "metrics.name"),
        value=fields.number("value"),
        ci=_interval(fields.items("ci", number)),
        threshold=fields.number("threshold"),
        rows=fields.count("rows", least=1),
        slices=fields.items("slices", _slice),
        class_rows=fields.items("class_rows", whole) if fields.has("class_rows") else (),
    )
    fields.done()
    return metrics


def _interval(bounds: tuple[float, ...]) -> tuple[float, float]:
    if len(bounds) != 2 or bounds[0] > bounds[1]:
        raise FieldError("metrics.ci", f"must be a lower and an upper bound, not {list(bounds)}")
    return bounds[0], bounds[1]


def _slice(value: object, path: str) -> Slice:
    fields = Fields(value, path)
    result = Slice(slice=fields.text("slice"), value=fields.number("value"), rows=fields.count("rows"))
    fields.done()
    return result


def _champion(value: object) -> Champion | None:
    if value is None:
        return None
    fields = Fields(value, "champion")
    champion = Champion(
        package=None if fields.null("package") else fields.text("package", _ARN, _PACKAGE),
        value=None if fields.null("value") else fields.number("value"),
        verdict=fields.text("verdict"),
        outcome=_outcome(fields),
    )
    fields.done()
    return champion


def _outcome(fields: Fields) -> str | None:
    if not fields.has("outcome") or fields.null("outcome"):
        return None
    return fields.text("outcome", "|".join(OUTCOMES), f"one of {', '.join(OUTCOMES)}")


def _baseline(value: object) -> Baseline:
    fields = Fields(value, "baseline")
    baseline = Baseline(statistics=fields.uri("statistics"), constraints=fields.uri("constraints"))
    fields.done()
    return baseline
