"""Glue job: raw CSV → features, by one SQL file.

Arguments (all required):
    --RUN      id of the run, for messages
    --INPUT    s3://…/input/data.csv, the validated copy of the data
    --OUTPUT   s3://…/features, below which train/, validation/, test/ and baseline/ are written
    --SQL      s3://…/features.sql: a query that reads table `input` (text columns), gives the target, the features
               and `split`. It is the commit's, which nobody has approved yet, and does nothing but give rows
    --DATASET  s3://…, the dataset's schema; its `target` and `features` name the columns, in this order
    --SPLIT_KEY  ARN of the KMS key whose secret draws a row's lot
    --CHAMPION  JSON, the answer of functions.champion: the model that this run's is compared with

`input` has one column more than the data, `draw`: 32 hex digits that depend on the row and on a secret of the project.
The same row always draws the same lot, in whichever file it comes; who uploads data can neither choose nor guess it.
SQL that gives `draw` on is held to it: no row may be in two parts.

train, validation and test are CSV with the label first and no header, as built-in XGBoost expects; baseline holds
the training rows with a header, as the model monitor's analyzer expects. Beside them:
    split.json      what decided which row is tested on: `rule`, the SHA-256 of the SQL, and `salt`, by which the
                    secret is told from another one
    champion/paired.json  on which rows the champion is asked: `{"how": "test"}`, those of test/; `{"how": "pairs"}`,
                    those in champion/rows/; or `{"problem"}`, why on none. `doubt` says why nobody knows whether
                    it was trained on those of test/
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
PROBLEM = 200
"""Characters of an error that a person reads."""
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
    spark.sql(with_lots(dataset["columns"])).createOrReplaceTempView("input")
    spark.catalog.dropTempView("lots")
    made = spark.sql(sql)
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
    split = {"rule": hashlib.sha256(sql.encode()).hexdigest(), "salt": salt(drawn_by)}
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


def salt(drawn_by: str) -> str:
    """By what a secret is told from another: 16 hex digits that nobody can compute lots with."""
    return hashlib.sha256(f"glidepath salt {drawn_by}".encode()).hexdigest()[:16]


def refuse_leaks(spark: Any, made: Any, args: dict[str, str]) -> None:
    """Refuse rows that are in several parts: a model would be measured on what it was trained on.

    A row is known by its lot. SQL that does not give it on is not checked.
    """
    if "draw" not in made.columns:
        return
    made.createOrReplaceTempView("made")
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

    The same SQL and secret have made its rows: it was trained on none of test/. Other SQL may have split otherwise, and
    makes other features: it is run on the same data, and says both. What goes wrong with that stops no training, and
    switches no comparison off while the features have the same names.
    """
    theirs = json.loads(args["CHAMPION"])["split"]
    if theirs is None or (theirs["rule"], theirs["salt"]) == (split["rule"], split["salt"]):
        return {"how": "test"}
    if theirs["salt"] != split["salt"]:
        return {"problem": "its test rows were drawn with another secret: it may have been trained on those of today"}
    try:
        former, problem = run_former(spark, theirs)
    except Exception as error:  # noqa: BLE001  whatever it is, the model of today can still be judged
        told = " ".join(str(error).split())[:PROBLEM]
        former, problem = None, f"the champion's features.sql fails on this data: {type(error).__name__}: {told}"
    if not problem and "draw" not in made.columns:
        problem = "features.sql does not give draw on"
    if problem:
        same = theirs["features"] == dataset["features"]
        return {"how": "test", "doubt": problem} if same else {"problem": problem}
    made.createOrReplaceTempView("made")
    former.createOrReplaceTempView("former")
    pairs = spark.sql(paired(dataset["target"], dataset["features"], theirs["features"]))
    rows = pairs.count()
    if rows < FEWEST_PAIRS:
        return {"problem": f"it was not trained on {rows} of the test rows, and at least {FEWEST_PAIRS} are needed"}
    write(pairs, f"{args['OUTPUT']}/champion/rows", header=False)
    return {"how": "pairs"}


def run_former(spark: Any, theirs: Mapping[str, Any]) -> tuple[Any, str]:
    """What the champion's features.sql makes of today's data; or None, and what is wrong with it."""
    sql = read_text(theirs["sql"])
    if hashlib.sha256(sql.encode()).hexdigest() != theirs["rule"]:
        return None, f"{theirs['sql']} is not the features.sql that the champion was trained with"
    more = not_a_query(sql)
    if more:
        return None, f"the champion's features.sql {more}"
    former = spark.sql(sql)
    if "draw" not in former.columns:
        return None, "the champion's features.sql does not give draw on"
    former.count()  # what it cannot read fails now
    return former, ""


def paired(target: str, ours: Iterable[str], theirs: Iterable[str]) -> str:
    """SQL for label, our features and the champion's, of the rows that `made` and `former` both test on.

    A lot that several rows have is left out: which of them belong together, nothing tells.
    """
    # Of a lot's only row the least value is the value.
    own = [f"MIN({column}) AS own_{number}" for number, column in enumerate([target, *ours])]
    their = [f"MIN({column}) AS their_{number}" for number, column in enumerate(theirs)]
    chosen = [f"a.own_{number}" for number in range(len(own))] + [f"b.their_{number}" for number in range(len(their))]

    def tested(view: str, columns: list[str]) -> str:
        alone = f"SELECT draw, MIN(split) AS part, {', '.join(columns)} FROM {view} GROUP BY draw HAVING COUNT(*) = 1"  # noqa: S608  names as in with_lots
        return f"(SELECT * FROM ({alone}) x WHERE x.part = 'test')"  # noqa: S608

    both = f"{tested('made', own)} a JOIN {tested('former', their)} b ON a.draw = b.draw"
    return f"SELECT {', '.join(chosen)} FROM {both}"  # noqa: S608


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
