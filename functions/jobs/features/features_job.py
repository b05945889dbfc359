"""Glue job: raw CSV → features, by one SQL file.

Arguments (all required):
    --RUN      id of the run, for messages
    --INPUT    s3://…/input/data.csv, the validated copy of the data
    --OUTPUT   s3://…/features, below which train/, validation/, test/ and baseline/ are written
    --SQL      s3://…/features.sql: a query that reads table `input` (text columns), gives the target, the features
               and `split`. It is the commit's, which nobody has approved yet, and does nothing but give rows
    --DATASET  s3://…, the dataset's schema; its `target` and `features` name the columns, in this order
    --SPLIT_KEY  ARN of the KMS key whose secret draws a row's lot
    --CHAMPION  JSON, the `split` that functions.champion answers: how the rows of the model were made that this run's
               is compared with; null where there is none, or nobody knows

`input` has NULL for each cell that is not of its column's type, as the validation counted it, and one column more than
the data, `draw`: 32 hex digits that depend on the row and on a secret of the project.
The same row always draws the same lot, in whichever file it comes; who uploads data can neither choose nor guess it.
SQL that gives `draw` on is held to it: no row may be in two parts.

train, validation and test are CSV with the label first and no header, as built-in XGBoost expects; baseline holds
the training rows with a header, as the model monitor's analyzer expects. Beside them:
    split.json      what decided which row is tested on: `rule`, the SHA-256 of the SQL, and `salt`, by which the
                    secret and the columns that lots are drawn with are told from others
    champion/paired.json  on which rows the champion is asked: `{"how": "test"}`, those of test/; `{"how": "pairs"}`,
                    those in champion/rows/; or `{"problem"}`, why on none. `doubt` says why it may have been trained on
                    them, `foreign` why it proves nothing that it loses
    champion/rows/  CSV: label, our features, the champion's features, of the test rows that it was not trained on
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
from collections.abc import Iterable, Mapping
from typing import Any

import boto3

PARTS = ("train", "validation", "test")
LARGEST = 3.4028234663852886e38
"""Of float32, which XGBoost computes with."""
CELLS = {
    "number": "[ ]*[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]{1,3})?[ ]*",
    "integer": "[ ]*[+-]?[0-9]+([.]0*)?[ ]*",
    "timestamp": "[1-9][0-9]{3}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
    "([ T]([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9]([.][0-9]{1,6})?(Z|[+]00:00)?)?)?",
}
"""Type of a raw column → what its cells match: those of contracts/cells.py, as validation has them."""
FEWEST_PAIRS = 30
"""Ours. Of fewer rows a percentile interval holds the truth far less often than it says: https://arxiv.org/abs/1411.5279"""

# In Spark SQL a text can write files, run programs and read files, all with this job's role. The grammar:
# https://github.com/apache/spark/blob/v3.5.6/sql/api/src/main/antlr4/org/apache/spark/sql/catalyst/parser/SqlBaseParser.g4
# All of a text is searched, comments too: where one ends, only Spark's own lexer would know for sure.
QUERY = re.compile(r"(?:[ \t\r\n]|--[^\r\n]*[\r\n])*(?:SELECT|WITH)\b")
QUOTED = re.compile(r"`\w+(?:\.\w+)*`", re.ASCII)
REFUSED = (
    (re.compile(r"\b(?:INSERT|DELETE|UPDATE|MERGE)\b"), "changes tables"),
    # A query pipes its rows through a program; a join only names columns.
    (re.compile(r"\bUSING\b(?![ \t\r\n]*\()"), "runs a program"),
    (re.compile(r"\b(?:REFLECT|TRY_REFLECT|JAVA_METHOD)\b"), "calls any Java"),
    (re.compile(r"\bIDENTIFIER\b"), "takes names from texts"),
    (re.compile(r"\$\{"), "replaces parts of a text"),
    (re.compile(r"\\[\r\n]"), "goes on with a comment"),
)
"""What no features.sql may hold, in capitals, and what it does. Spark reads ſ and ı as S and I: so does str.upper."""


class NoPairsError(Exception):
    """Nothing tells which rows the champion can be asked about; the message says why."""


class FeatureError(Exception):
    """The data or the SQL cannot give what training needs; the message says which and why."""


def main(argv: list[str]) -> None:
    """Read, transform, write."""
    # Only Glue has them, and what no features.sql may hold is asked elsewhere too (operate/checks/features.py).
    from awsglue.utils import getResolvedOptions
    from pyspark.sql import SparkSession

    args = getResolvedOptions(argv, ["RUN", "INPUT", "OUTPUT", "SQL", "DATASET", "SPLIT_KEY", "CHAMPION"])
    dataset = json.loads(read_text(args["DATASET"]))
    columns = [dataset["target"], *dataset["features"]]
    spark = SparkSession.builder.getOrCreate()
    sql = read_text(args["SQL"])
    refuse_more_than_rows(sql, args)
    # A quote is doubled, as it was to the validation; to Spark a backslash would do as well.
    raw = spark.read.option("header", "true").option("escape", '"').csv(args["INPUT"])
    raw.createOrReplaceTempView("raw")
    # The secret comes as a row: a literal would stand in the plan, which Spark's errors show to whoever reads them.
    drawn_by = secret(args["SPLIT_KEY"])
    spark.createDataFrame([(drawn_by,)], "secret string").createOrReplaceTempView("lots")
    spark.sql(with_lots(dataset["columns"])).createOrReplaceTempView("drawn")
    spark.sql(readable(dataset["columns"])).createOrReplaceTempView("input")
    spark.catalog.dropTempView("lots")
    # Once and for all: what depends on the time would put a row into another part each time that it is asked for.
    # https://spark.apache.org/docs/3.5.6/api/python/reference/pyspark.sql/api/pyspark.sql.DataFrame.localCheckpoint.html
    made = spark.sql(sql).localCheckpoint()
    made.createOrReplaceTempView("made")
    refuse_leaks(spark, made, args)
    features = made.select(*columns, "split")
    counts = {part: features.where(f"split = '{part}'").count() for part in PARTS}
    check(counts, args)
    for part in ("train", "test"):
        features.where(f"split = '{part}'").select(dataset["target"]).createOrReplaceTempView(part)
        check_target(part, spark.sql(f"SELECT DISTINCT * FROM {part}").count(), dataset["target"], args)  # noqa: S608
    for part in PARTS:
        write(features.where(f"split = '{part}'").drop("split"), f"{args['OUTPUT']}/{part}", header=False)
    # The monitor sees captured records as answer, then inputs: the baseline has the same columns in the same order.
    training = features.where("split = 'train'").drop("split")
    write(training, f"{args['OUTPUT']}/baseline", header=True)
    split = {"rule": hashlib.sha256(sql.encode()).hexdigest(), "salt": salt(drawn_by, dataset["columns"])}
    write_json(split, f"{args['OUTPUT']}/split.json")
    write_json(pair(spark, made, split, dataset, args), f"{args['OUTPUT']}/champion/paired.json")
    print(json.dumps({"run": args["RUN"], "rows": counts}))


def with_lots(columns: Iterable[str]) -> str:
    """SQL that gives each row of `raw` its lot, by the secret in the one row of `lots`.

    Column names are letters, digits and underscores (contracts/fields.py). Empty cells count: CONCAT_WS would leave
    them out, and another row would have the same text.
    """
    named = [f"raw.{column}" for column in columns]
    cells = ", ".join(f"COALESCE({column}, '')" for column in named)
    lot = f"MD5(CONCAT_WS('|', lots.secret, {cells})) AS draw"
    # Without the hint Spark sends the data to the secret: it does not know how small that is.
    return f"SELECT /*+ BROADCAST(lots) */ {', '.join(named)}, {lot} FROM raw CROSS JOIN lots"  # noqa: S608


def readable(columns: Mapping[str, str]) -> str:
    """SQL that gives `drawn` with NULL for each cell that its column's type does not have: `columns` has the types.

    Engines read more, each something else (contracts/cells.py): what features.sql casts is what both read alike.
    """
    cells = (f"{_readable(f'drawn.{name}', kind)} AS {name}" for name, kind in columns.items())
    return f"SELECT {', '.join(cells)}, drawn.draw FROM drawn"  # noqa: S608


def _readable(cell: str, kind: str) -> str:
    if kind not in CELLS:
        return cell
    as_number = f"ABS(TRY_CAST({cell} AS DOUBLE)) <= {LARGEST!r}"
    value = f"TRY_CAST({cell} AS TIMESTAMP) IS NOT NULL" if kind == "timestamp" else as_number
    return f"CASE WHEN REGEXP_EXTRACT({cell}, '^({CELLS[kind]})$', 0) <> '' AND {value} THEN {cell} END"


def refuse_more_than_rows(sql: str, args: dict[str, str]) -> None:
    """Refuse SQL that could do anything but give rows. Raises FeatureError before Spark reads it."""
    found = not_a_query(sql)
    if found:
        raise FeatureError(f"run {args['RUN']}: {args['SQL']} {found}: features.sql only gives rows")


def not_a_query(sql: str) -> str:
    """What of a text is more than a query; empty for one query."""
    text = sql.upper()
    if not QUERY.match(text):
        return "must begin with SELECT or WITH; only comments by -- may stand before that"
    for pattern, does in REFUSED:
        found = pattern.search(text)
        if found:
            return f"has {found[0]!r}, and with that Spark {does}. It may stand nowhere, comments and names included"
    # Like csv.`s3://…`. Both marks of a quoted name stand in one comment, text or piece of code: nothing ends within.
    return (
        "has '`' around more than a name, and with that Spark reads files. It may stand nowhere, comments included"
        if "`" in QUOTED.sub("", text)
        else ""
    )


def secret(key: str) -> str:
    """What only this job learns: a code over a fixed text, always the same for the same key, as hex digits.

    https://docs.aws.amazon.com/kms/latest/APIReference/API_GenerateMac.html
    """
    answer = boto3.client("kms").generate_mac(KeyId=key, Message=b"glidepath split", MacAlgorithm="HMAC_SHA_256")
    mac: bytes = answer["Mac"]
    return mac.hex()


def salt(drawn_by: str, columns: Iterable[str]) -> str:
    """By what one way to draw lots is told from another: 16 hex digits that nobody can draw lots with."""
    return hashlib.sha256(f"glidepath salt {with_lots(columns)} {drawn_by}".encode()).hexdigest()[:16]


def refuse_leaks(spark: Any, made: Any, args: dict[str, str]) -> None:
    """Refuse rows that are in several parts: a model would be measured on what it was trained on.

    A row is known by its lot. SQL that does not give it on is not checked.
    """
    if not gives_lots(made):
        return
    leaked = spark.sql("SELECT draw FROM made GROUP BY draw HAVING COUNT(DISTINCT split) > 1").count()
    if leaked:
        raise FeatureError(
            f"run {args['RUN']}: {args['SQL']} puts {leaked} rows of {args['INPUT']} into more than one of"
            f" {', '.join(PARTS)}: a model would be measured on what it was trained on. Give each row one split"
        )
    forged = "SELECT draw FROM made WHERE NOT EXISTS (SELECT 1 FROM input WHERE input.draw = made.draw)"
    others = spark.sql(forged).count()
    if others:
        raise FeatureError(
            f"run {args['RUN']}: {args['SQL']} gives {others} rows with a draw that no row of {args['INPUT']} has: give"
            " input.draw on as it is, or leave it out"
        )


def pair(
    spark: Any, made: Any, split: Mapping[str, str], dataset: Mapping[str, Any], args: dict[str, str]
) -> dict[str, str]:
    """On which rows the champion is asked, as in champion/paired.json.

    The same SQL and lots have made its rows: it was trained on none of test/. Other SQL may have split otherwise, and
    makes other features: it is run on the same data, and says both. What goes wrong with that stops no training, and
    switches no comparison off while the features have the same names.
    """
    theirs = json.loads(args["CHAMPION"])
    if theirs is None:
        return {"how": "test"}
    alike = theirs["features"] == dataset["features"]
    if alike and (theirs["rule"], theirs["salt"]) == (split["rule"], split["salt"]):
        return {"how": "test"}
    if theirs["salt"] != split["salt"]:
        return {"problem": "its rows had other lots (another secret, other columns): it may have been trained on these"}
    try:
        return pair_rows(spark, made, theirs, dataset, args)
    except NoPairsError as error:
        problem = str(error)
    except Exception as error:  # noqa: BLE001  whatever it is, the model of today can still be judged
        # Spark's words may hold cells of the data, and these go on to a mail.
        print(json.dumps({"run": args["RUN"], "champion": str(error)}))
        problem = f"the champion's features.sql fails on this data ({type(error).__name__}; the job's log has more)"
    return (
        {"how": "test", "foreign": f"it was given this commit's features: {problem}"} if alike else {"problem": problem}
    )


def pair_rows(
    spark: Any, made: Any, theirs: Mapping[str, Any], dataset: Mapping[str, Any], args: dict[str, str]
) -> dict[str, str]:
    """Write champion/rows/. Raises NoPairsError where nothing tells which rows are the same."""
    former = run_former(spark, theirs)
    if not gives_lots(made):
        raise NoPairsError("features.sql does not give draw on")
    former.createOrReplaceTempView("former")
    target = dataset["target"]
    both = spark.sql(paired(target, dataset["features"], theirs["features"])).localCheckpoint()
    told = {"how": "pairs"}
    other = both.where("NOT own_0 = their_0").count()
    if other:
        told["foreign"] = f"its own features.sql gives another {target} for {other} of the test rows"
    chosen = "part = 'test'"
    rows = both.where(chosen).count()
    if rows < FEWEST_PAIRS:
        # Whoever splits otherwise must not switch the comparison off. At worst the champion knows its rows, and wins.
        told["doubt"], chosen = f"of {rows} of these rows alone it is known that it was not trained on them", "TRUE"
    columns = [f"own_{number}" for number in range(1 + len(dataset["features"]))]
    columns += [f"their_{number}" for number in range(1, 1 + len(theirs["features"]))]
    pairs = both.where(chosen).select(*columns)
    if pairs.count() == 0:
        raise NoPairsError("the champion's features.sql makes none of the test rows")
    write(pairs, f"{args['OUTPUT']}/champion/rows", header=False)
    return told


def run_former(spark: Any, theirs: Mapping[str, Any]) -> Any:
    """What the champion's features.sql makes of today's data. Raises NoPairsError where it may not be run."""
    sql = read_text(theirs["sql"])
    if hashlib.sha256(sql.encode()).hexdigest() != theirs["rule"]:
        raise NoPairsError(f"{theirs['sql']} is not the features.sql that the champion was trained with")
    more = not_a_query(sql)
    if more:
        raise NoPairsError(f"the champion's features.sql {more}")
    former = spark.sql(sql).localCheckpoint()
    if not gives_lots(former):
        raise NoPairsError("the champion's features.sql does not give draw on")
    return former


def gives_lots(frame: Any) -> bool:
    """Whether rows can be told by their lots. Spark does not tell capitals apart."""
    return "draw" in [column.lower() for column in frame.columns]


def paired(target: str, ours: Iterable[str], theirs: Iterable[str]) -> str:
    """SQL for the test rows of `made` as `own_0` (the label), `own_1`, …, with what `former` makes of the same lots:
    `their_0`, …, and `part`, in which the champion had the row.

    Equal rows have one lot, and are one row here. A lot of which several different rows are made is left out: nothing
    tells which belong together. So is a row in which the champion would be given nothing, or more than float32 holds.
    """
    own = [f"{column} AS own_{number}" for number, column in enumerate([target, *ours])]
    their = [f"CAST({column} AS DOUBLE) AS their_{number}" for number, column in enumerate([target, *theirs])]

    def alone(view: str, columns: list[str]) -> str:
        """The only row of each lot: the least of one value is the value."""
        names = [column.rpartition(" AS ")[2] for column in columns]
        rows = f"SELECT DISTINCT draw, split AS part, {', '.join(columns)} FROM {view}"  # noqa: S608  names as above
        least = ", ".join(f"MIN({name}) AS {name}" for name in names)
        return f"(SELECT draw, MIN(part) AS part, {least} FROM ({rows}) x GROUP BY draw HAVING COUNT(*) = 1)"  # noqa: S608

    given = " AND ".join(f"ABS(b.their_{number}) <= {LARGEST!r}" for number in range(len(their)))
    chosen = [f"a.own_{number}" for number in range(len(own))] + [f"b.their_{number}" for number in range(len(their))]
    return (
        f"SELECT {', '.join(chosen)}, b.part FROM {alone('made', own)} a JOIN {alone('former', their)} b"  # noqa: S608
        f" ON a.draw = b.draw WHERE a.part = 'test' AND {given}"
    )


def check(counts: dict[str, int], args: dict[str, str]) -> None:
    """Refuse to go on with a part that holds nothing: training or evaluation would fail later, and say less."""
    empty = [part for part in PARTS if counts[part] == 0]
    if not empty:
        return
    raise FeatureError(
        f"run {args['RUN']}: no row of {args['INPUT']} is left for {', '.join(empty)} after the filters of"
        f" {args['SQL']} (rows kept: {counts}): check the data's values and units against the filters"
    )


def check_target(part: str, values: int, target: str, args: dict[str, str]) -> None:
    """Refuse a part whose target never differs: a model of it would be perfect and know nothing."""
    if values > 1:
        return
    raise FeatureError(
        f"run {args['RUN']}: {target}, the target, is the same in all {part} rows that {args['SQL']} makes of"
        f" {args['INPUT']}: nothing can be learned from them, or measured on them"
    )


def read_text(uri: str) -> str:
    """The text of one object."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    body: bytes = boto3.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    return body.decode("utf-8")


def write_json(document: Mapping[str, str], uri: str) -> None:
    """One small document."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    boto3.client("s3").put_object(Bucket=bucket, Key=key, Body=json.dumps(document).encode())


def write(frame: Any, path: str, header: bool) -> None:
    """One CSV file in a folder, and nothing beside it: XGBoost's container reads an empty `_SUCCESS` as data."""
    writer = frame.coalesce(1).write.mode("overwrite").option("header", str(header).lower())
    writer.option("mapreduce.fileoutputcommitter.marksuccessfuljobs", "false").csv(path)


if __name__ == "__main__":
    main(sys.argv)
