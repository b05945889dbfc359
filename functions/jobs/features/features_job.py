"""Glue job: raw CSV or Parquet → checked rows → features, by the run's plan and one SQL file.

Long, since a job is one file.

Arguments (all required):
    --RUN      id of the run, for messages
    --PLAN     s3://…/input/plan.json, by which rows are read and checked: the validation wrote it (contracts/plan.py)
    --OUTPUT   s3://…/features, below which train/, validation/, test/ and baseline/ are written
    --SQL      s3://…/features.sql: a query that reads table `input` (typed columns), gives the target, the features
               and `split`. It is the commit's, which nobody has approved yet, and does nothing but give rows
    --SPLIT_KEY  ARN of the KMS key whose secret draws a row's lot
    --CHAMPION  JSON, the `split` that functions.champion answers: how the rows of the model were made that this run's
               is compared with; null where there is none, or nobody knows

`input` has the rows that break no rule, with the declared columns, others of the file that the SQL reads (as texts),
and `draw`: 32 hex digits that depend on the
row and on a secret of the project.
The same row always draws the same lot, in whichever file it comes; who uploads data can neither choose nor guess it.
SQL that gives `draw` on is held to it: no row may be in two parts.

train, validation and test are CSV with the label first and no header, as built-in XGBoost expects; baseline holds
the training rows with a header, as the model monitor's analyzer expects. Beside them:
    rows.json       what became of each row: `read` = `used` + `filtered` (by features.sql) + `quarantined`, these also
                    by rule (`rules`), with `examples` and where the data came from (`files`); `made` of the used, which
                    are more where the SQL gives a row several times
    quarantine/     Parquet: `file`, `line` at which the row begins, `rule`, `cell` that breaks it, `text`
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
IN_A_PART = f"split IN ({', '.join(repr(part) for part in PARTS)})"
LARGEST = 3.4028234663852886e38
"""Of float32, which XGBoost computes with."""
FEWEST_PAIRS = 30
"""Ours. Of fewer rows a percentile interval holds the truth far less often than it says: https://arxiv.org/abs/1411.5279"""

FEWEST_TESTED = 20
"""Ours: fewer held-out rows than a 95 % interval needs to leave one outside (1 / 0.05) tell nothing of a model."""
NEARLY = 0.999
"""Ours: correlation from which on a feature is the target by another name: the model would leave 0.2 % unexplained."""
OTHERWISE = 5
"""Ours: how many times as wide a target's values spread, or how many deviations farther away they lie, where they are
taken for another unit or meaning. Units that people mix up differ by more (cent and euro, metre and foot times mile);
what drifts by as much in one run deserves a look as well."""
EXAMPLES = 5

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

    args = getResolvedOptions(argv, ["RUN", "PLAN", "OUTPUT", "SQL", "SPLIT_KEY", "CHAMPION"])
    plan = json.loads(read_text(args["PLAN"]))
    spark = SparkSession.builder.getOrCreate()
    sql = read_text(args["SQL"])
    refuse_more_than_rows(sql, args)
    for rule in plan["predicates"]:
        refuse_more_than_rows(f"SELECT {rule}", args)
    drawn_by = secret(args["SPLIT_KEY"])
    plan = with_others(plan, f"{sql} {champions_sql(args)}")
    read_rows(spark, plan)
    checked = draw_lots(spark, plan, drawn_by)
    rows = account(spark, plan)
    if rows["quarantined"]:
        write_parquet(spark.sql("SELECT * FROM quarantine"), f"{args['OUTPUT']}/quarantine")
    refuse_rows(spark, rows, plan, args)
    view_input(checked, plan)
    # features.sql sees the rows that break no rule, and nothing else.
    for view in ("lines", "records", *views_of(plan), "read", "checked", "quarantine"):
        spark.catalog.dropTempView(view)
    # Once and for all: what depends on the time would put a row into another part each time that it is asked for.
    # https://spark.apache.org/docs/3.5.6/api/python/reference/pyspark.sql/api/pyspark.sql.DataFrame.localCheckpoint.html
    made = spark.sql(sql).localCheckpoint()
    made.createOrReplaceTempView("made")
    refuse_leaks(spark, made, args)
    counts = {part: made.where(f"split = '{part}'").count() for part in PARTS}
    rows["made"] = sum(counts.values())
    rows["used"] = used(spark, made, rows)
    rows["filtered"] -= rows["used"]
    rows["target"] = target_values(spark, plan)
    write_json(rows, f"{args['OUTPUT']}/rows.json")
    check(counts, rows, args)
    for part in ("train", "test"):
        made.where(f"split = '{part}'").select(plan["target"]).createOrReplaceTempView(part)
        check_target(part, spark.sql(f"SELECT DISTINCT * FROM {part}").count(), plan["target"], args)  # noqa: S608
    refuse_values(spark, plan, args)
    features = spark.sql("SELECT * FROM matrix").select(plan["target"], *plan["features"], "split")
    for part in PARTS:
        write(features.where(f"split = '{part}'").drop("split"), f"{args['OUTPUT']}/{part}", header=False)
    # The monitor sees captured records as answer, then inputs: the baseline has the same columns in the same order.
    training = features.where("split = 'train'").drop("split")
    write(training, f"{args['OUTPUT']}/baseline", header=True)
    split = {"rule": hashlib.sha256(sql.encode()).hexdigest(), "salt": salt(drawn_by, plan["columns"], plan["kind"])}
    write_json(split, f"{args['OUTPUT']}/split.json")
    told = changed(rows["target"], pair(spark, made, split, plan, args), plan, args)
    write_json(told, f"{args['OUTPUT']}/champion/paired.json")
    print(json.dumps({"run": args["RUN"], "rows": counts}))


def champions_sql(args: Mapping[str, str]) -> str:
    """The SQL that the champion was trained with; empty where there is none, or it cannot be read (`pair` says so)."""
    theirs = json.loads(args["CHAMPION"])
    try:
        return read_text(theirs["sql"]) if theirs else ""
    except Exception:  # noqa: BLE001  whatever it is, it stops no training
        return ""


def columns_named(sql: str) -> list[str]:
    """Columns that a SQL text reads as `input.name`, in the order in which it first does.

    By `input.` alone: a column that somebody uploads must not take the place of a name that the SQL gives itself.
    """
    return list(dict.fromkeys(re.findall(r"\binput[.](\w+)", sql, re.IGNORECASE)))


def with_others(plan: Mapping[str, Any], sql: str) -> dict[str, Any]:
    """The plan that reads the undeclared columns too that the SQL names. A file may have hundreds that nobody asks for.

    `reads` are all columns that `input` has.
    """
    named = {name.lower() for name in columns_named(sql)}
    chosen = [name for name in plan["others"] if name.lower() in named]
    pieces = "".join(f", {plan['others'][name]} AS {name}" for name in chosen)
    listed = "".join(f", {name}" for name in chosen)

    def filled(sql: str) -> str:
        return sql.replace("/* pieces of others */", pieces).replace("/* others */", listed)

    texts = {name: filled(plan[name]) for name in ("sql", "broken", "draw", "unique")}
    return {**plan, **texts, "reads": [*plan["columns"], *chosen]}


def read_rows(spark: Any, plan: Mapping[str, Any]) -> None:
    """Every row of the files with its values and the first rule that it breaks, as the view `read`."""
    read = read_records if plan["kind"] == "records" else read_lines
    read(spark, plan)
    found = spark.sql(plan["sql"]).persist()
    found.createOrReplaceTempView("read")
    torn = "SELECT 1 FROM read WHERE __problem = 'row.quotes' LIMIT 1"
    if plan["broken"] and spark.sql(torn).collect():
        found = spark.sql(plan["broken"]).persist()
        found.createOrReplaceTempView("read")


def read_lines(spark: Any, plan: Mapping[str, Any]) -> None:
    """Texts, line by line, as the view `lines`."""
    lines = spark.read.text([file["uri"] for file in plan["files"]])
    # Where a line stands in its file: blocks of a file are read side by side, each from its first line on.
    # https://spark.apache.org/docs/3.5.6/sql-data-sources-generic-options.html, `_metadata`
    place = ("_metadata.file_path AS __file", "_metadata.file_block_start AS __block")
    # Bytes that are no UTF-8 stay what they are in Spark until a text is made of them: then each is U+FFFD.
    text = "DECODE(ENCODE(value, 'UTF-8'), 'UTF-8') AS __text"
    lines = lines.selectExpr(*place, "monotonically_increasing_id() AS __place", text)
    lines.createOrReplaceTempView("lines")


def read_records(spark: Any, plan: Mapping[str, Any]) -> None:
    """Parquet, each group of files that are alike with its own schema, as the view `records`."""
    for view, group in zip(views_of(plan), plan["groups"], strict=True):
        names = [name for name in group["fields"] if name in plan["reads"]]
        reader = spark.read.schema(", ".join(group["fields"][name] for name in names))
        for kind in ("datetime", "int96"):
            # Days as they stand in the file: those before 1582 end a read otherwise.
            # https://spark.apache.org/docs/3.5.6/sql-data-sources-parquet.html#data-source-option
            reader = reader.option(f"{kind}RebaseMode", "CORRECTED")
        raw = reader.parquet(*group["files"]).toDF(*(f"__c_{name}" for name in names))
        place = ("_metadata.file_path AS __file", "0 AS __block", "_metadata.row_index AS __place")
        others = [f"{group['others'][name]} AS {name}" for name in plan["reads"] if name in group["others"]]
        raw.selectExpr(*place, *group["values"], *others).createOrReplaceTempView(view)
    every = " UNION ALL ".join(f"SELECT * FROM {view}" for view in views_of(plan))  # noqa: S608
    spark.sql(every).createOrReplaceTempView("records")


def views_of(plan: Mapping[str, Any]) -> list[str]:
    """A view for each group of files; none of lines."""
    return [f"records_{number}" for number in range(len(plan.get("groups", ())))]


def draw_lots(spark: Any, plan: Mapping[str, Any], drawn_by: str) -> Any:
    """The rows of `read` with their lots, and repeated values found, as the view `checked`."""
    # Once rows are read and checked, and not before: rules are the commit's too. And as a row: a literal would stand in
    # the plan, which Spark's errors show to whoever reads them.
    spark.createDataFrame([(drawn_by,)], "secret string").createOrReplaceTempView("lots")
    checked = spark.sql(plan["draw"]).persist()
    spark.catalog.dropTempView("lots")
    checked.createOrReplaceTempView("checked")
    if plan["unique"]:
        checked = spark.sql(plan["unique"]).persist()
        checked.createOrReplaceTempView("checked")
    return checked


def view_input(checked: Any, plan: Mapping[str, Any]) -> None:
    """The rows that break no rule, as the view `input`."""
    checked.where("__problem IS NULL").select(*plan["reads"], "draw").createOrReplaceTempView("input")


def account(spark: Any, plan: Mapping[str, Any]) -> dict[str, Any]:
    """How many rows were read, and how many break which rule; these become the view `quarantine`."""
    found = dict(spark.sql(PROBLEMS).collect())
    read, kept = sum(found.values()), found.pop(None, 0)
    rows = {"read": read, "used": 0, "filtered": kept, "quarantined": read - kept, "rules": found, "examples": []}
    rows["files"], rows["dialect"] = [file["source"] for file in plan["files"]], plan["dialect"]
    # Of a set, files without a byte: they are none of these.
    rows["empty_files"] = plan.get("empty", 0)
    if found:
        spark.sql(plan["quarantine"]).localCheckpoint().createOrReplaceTempView("quarantine")
        examples = spark.sql(f"SELECT * FROM quarantine ORDER BY file, line LIMIT {EXAMPLES}").collect()  # noqa: S608
        names = ("file", "line", "rule", "cell")
        rows["examples"] = [dict(zip(names, example, strict=False)) for example in examples]
    return rows


PROBLEMS = "SELECT __problem, COUNT(*) FROM checked GROUP BY __problem ORDER BY COUNT(*) DESC, __problem"


def refuse_rows(spark: Any, rows: Mapping[str, Any], plan: Mapping[str, Any], args: dict[str, str]) -> None:
    """Refuse data of which too much breaks a rule. Raises FeatureError; what is known of the rows is written first."""
    problem = unusable(spark, rows, plan)
    if problem:
        write_json(rows, f"{args['OUTPUT']}/rows.json")
        raise FeatureError(f"run {args['RUN']}: {problem}. All rows that break one: {args['OUTPUT']}/quarantine")


def unusable(spark: Any, rows: Mapping[str, Any], plan: Mapping[str, Any]) -> str:
    """Why nothing can be made of these rows; empty where something can."""
    kept = rows["filtered"]
    return too_many(rows, plan) or too_often_empty(spark, kept, plan) or constant(spark, kept, plan)


def constant(spark: Any, kept: int, plan: Mapping[str, Any]) -> str:
    """That the target never differs; empty where it does."""
    target = plan["target"]
    some = f"__problem IS NULL AND {target} IS NOT NULL"
    values = spark.sql(f"SELECT DISTINCT {target} FROM checked WHERE {some} LIMIT 2").collect()  # noqa: S608
    if len(values) > 1:
        return ""
    value = str(values[0][0])[:40] if values else "empty"
    return (
        f"{target}, the target, is {value} in all {kept} rows that keep every rule: a model of it would be"
        " perfect and know nothing. Upload data in which it differs"
    )


def too_many(rows: Mapping[str, Any], plan: Mapping[str, Any]) -> str:
    """Why nothing can be made of these rows; empty where something can."""
    read, bad, places = rows["read"], rows["quarantined"], named(rows["files"])
    if not read:
        had = "columns but no records" if plan["kind"] == "records" else "a header but no rows"
        return f"{places} has {had}: upload data, then start the run again"
    if bad < read and bad <= plan["max_bad_share"] * read:
        return ""
    rules = "; ".join(f"{count} × {plan['rules'][rule]}" for rule, count in rows["rules"].items())
    examples = "; ".join(
        f"{plan['place']} {each['line']}{' of ' + each['file'] if len(rows['files']) > 1 else ''}: {each['cell']!r}"
        f" ({each['rule']})"
        for each in rows["examples"]
    )
    allowed = "" if bad == read else f", more than the allowed {plan['max_bad_share']:.1%} (dataset.maxBadShare)"
    amount = f"all {read}" if bad == read else f"{bad} of {read}"
    return f"{amount} rows of {places} break a rule{allowed}: {rules}. Examples: {examples}"


def named(files: list[str]) -> str:
    """Files for a message, few of many."""
    return ", ".join(files[:3]) + (f" and {len(files) - 3} more files" if len(files) > 3 else "")


def too_often_empty(spark: Any, kept: int, plan: Mapping[str, Any]) -> str:
    """Which column is empty in more rows than its declaration allows; empty where none is."""
    names = list(plan["nulls"])
    if not names:
        return ""
    sums = ", ".join(f"SUM(CASE WHEN {name} IS NULL THEN 1 ELSE 0 END)" for name in names)
    (counts,) = spark.sql(f"SELECT {sums} FROM checked WHERE __problem IS NULL").collect()  # noqa: S608
    for name, count in zip(names, counts, strict=True):
        share = plan["nulls"][name]
        if count > share * kept:
            return f"{name} is empty in {count} of {kept} rows, more than the allowed {share:.1%} (maxNullShare)"
    return ""


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


def salt(drawn_by: str, columns: Iterable[str], kind: str = "lines") -> str:
    """By what one way to draw lots is told from another: 16 hex digits that nobody can draw lots with.

    Lines are drawn by the texts of their cells, records by their values.
    """
    by = {"lines": "texts", "records": "values"}[kind]
    return hashlib.sha256(f"glidepath salt, {by} of {json.dumps([*columns])} {drawn_by}".encode()).hexdigest()[:16]


def refuse_values(spark: Any, plan: Mapping[str, Any], args: dict[str, str]) -> None:
    """Refuse what a model cannot be made of, or measured with, or asked for later. Raises FeatureError.

    What is left is the view `matrix`.
    """
    found = unfit_values(spark, plan)
    if found:
        raise FeatureError(f"run {args['RUN']}: {args['SQL']} {found}")


def unfit_values(spark: Any, plan: Mapping[str, Any]) -> str:
    """What is wrong with the values in `made`; empty where nothing is, and then they are the view `matrix`."""
    inputs = {it if isinstance(it, str) else it["name"]: {} if isinstance(it, str) else it for it in plan["inputs"]}
    numbers = [plan["target"], *(name for name, it in inputs.items() if "categories" not in it)]
    found = (
        missing_values(spark, plan["target"], inputs)
        or beyond_float32(spark, numbers)
        or never_there(spark, [plan["target"], *inputs])
        or other_classes(spark, plan)
        or other_categories(spark, plan["unknown"], inputs)
    )
    if found:
        return found
    encode(spark, "made", plan["target"], plan).createOrReplaceTempView("matrix")
    return "" if plan["leakage"] == "accept" else target_as_feature(spark, plan)


def encode(spark: Any, view: str, target: str, made_by: Mapping[str, Any]) -> Any:
    """The rows of a view with the columns of a model's matrix in place of its features; lots stay, where it has them.

    `made_by`: `features`, the columns' names, and `encoding`, the expression for each (contracts/encoding.py).
    """
    pairs = zip(made_by["encoding"], made_by["features"], strict=True)
    columns = ", ".join(f"{expression} AS {name}" for expression, name in pairs)
    lots = ", draw" if gives_lots(spark.sql(f"SELECT * FROM {view}")) else ""  # noqa: S608  names as above
    return spark.sql(f"SELECT {target}, {columns}, split{lots} FROM {view}")  # noqa: S608  names as above


def missing_values(spark: Any, target: str, inputs: Mapping[str, Mapping[str, Any]]) -> str:
    """Which column is NULL in rows of a part although no request may leave it out."""
    needed = [target, *(name for name, it in inputs.items() if not it.get("nullable"))]
    sums = ", ".join(f"SUM(CASE WHEN {name} IS NULL THEN 1 ELSE 0 END)" for name in needed)
    (counts,) = spark.sql(f"SELECT {sums} FROM made WHERE {IN_A_PART}").collect()  # noqa: S608
    for name, count in zip(needed, counts, strict=True):
        if count:
            also = "" if name == target else ", or declare it nullable (dataset.features)"
            return (
                f"gives NULL for {name} in {count} rows: no request could hold it. Leave such rows out, or give a value"
                f" by COALESCE{also}"
            )
    return ""


def never_there(spark: Any, columns: list[str]) -> str:
    """Which column is NULL in all rows that train."""
    present = ", ".join(f"COUNT({name})" for name in columns)
    ((rows, *trained),) = spark.sql(f"SELECT COUNT(*), {present} FROM made WHERE split = 'train'").collect()  # noqa: S608
    never = next((name for name, count in zip(columns, trained, strict=True) if rows and not count), None)
    return f"gives NULL for {never} in all training rows: nothing can be learned of it. Take it out" if never else ""


def beyond_float32(spark: Any, names: list[str]) -> str:
    """Which column has NaN or more than float32 holds in a part: no request can send it, and NaN is no NULL."""
    # NaN is larger than any number, in both engines: https://spark.apache.org/docs/3.5.6/sql-ref-datatypes.html
    beyond = (f"SUM(CASE WHEN NOT ABS(CAST({name} AS DOUBLE)) <= {LARGEST!r} THEN 1 ELSE 0 END)" for name in names)
    (counts,) = spark.sql(f"SELECT {', '.join(beyond)} FROM made WHERE {IN_A_PART}").collect()  # noqa: S608
    for name, count in zip(names, counts, strict=True):
        if count:
            return (
                f"gives NaN, infinity or more than {LARGEST:.3g} for {name} in {count} rows: no request could hold it."
                " Leave such rows out, or give NULL where it may be"
            )
    return ""


def other_categories(spark: Any, unknown: Mapping[str, str], inputs: Mapping[str, Mapping[str, Any]]) -> str:
    """Which text of a feature is none of its categories; empty where all are."""
    for name, condition in unknown.items():
        query = (
            f"SELECT {name}, COUNT(*) FROM made WHERE {IN_A_PART} AND {condition} GROUP BY {name} ORDER BY 2 DESC, 1"  # noqa: S608
        )
        found = spark.sql(f"{query} LIMIT 1").collect()
        if found:
            value, rows = found[0]
            return (
                f"gives {name} the value {str(value)[:40]!r} in {rows} rows; its categories are"
                f" {', '.join(inputs[name]['categories'])}. Add it to them (dataset.features), leave such rows out, or"
                " map it by CASE"
            )
    return ""


def other_classes(spark: Any, plan: Mapping[str, Any]) -> str:
    """Which value of the target is none of its classes 0, 1, …: training would end with it. Empty of a regression."""
    if not plan["classes"]:
        return ""
    known = ", ".join(map(str, range(plan["classes"])))
    query = (
        f"SELECT DISTINCT {plan['target']} FROM made WHERE {IN_A_PART} AND {plan['target']} NOT IN ({known}) LIMIT 1"  # noqa: S608
    )
    found = spark.sql(query).collect()
    return f"gives {plan['target']}, the target, the value {found[0][0]}; its classes are {known}" if found else ""


def target_as_feature(spark: Any, plan: Mapping[str, Any]) -> str:
    """Which feature in `matrix` is all but the target; empty where none is."""
    target = plan["target"]
    sums = ", ".join(
        f"CORR(CAST({name} AS DOUBLE), CAST({target} AS DOUBLE)), COUNT({name})" for name in plan["features"]
    )
    (found,) = spark.sql(f"SELECT {sums} FROM matrix WHERE split = 'train'").collect()  # noqa: S608
    for name, value, rows in zip(plan["features"], found[::2], found[1::2], strict=True):
        # Of two rows that have a value any two are in line.
        if value is not None and rows >= FEWEST_TESTED and abs(value) >= NEARLY:
            return (
                f"gives {name}, which is all but {target}, the target (correlation {value:.5f} in the training rows): a"
                " model would know the answer. Take it out of the features, or set dataset.leakage: accept"
            )
    return ""


def refuse_leaks(spark: Any, made: Any, args: dict[str, str]) -> None:
    """Refuse rows that are in several parts: a model would be measured on what it was trained on.

    A row is known by its lot. SQL that does not give it on is not checked.
    """
    if not gives_lots(made):
        return
    leaked = spark.sql("SELECT draw FROM made GROUP BY draw HAVING COUNT(DISTINCT split) > 1").count()
    if leaked:
        raise FeatureError(
            f"run {args['RUN']}: {args['SQL']} puts {leaked} rows into more than one of"
            f" {', '.join(PARTS)}: a model would be measured on what it was trained on. Give each row one split"
        )
    forged = "SELECT draw FROM made WHERE NOT EXISTS (SELECT 1 FROM input WHERE input.draw = made.draw)"
    others = spark.sql(forged).count()
    if others:
        raise FeatureError(
            f"run {args['RUN']}: {args['SQL']} gives {others} rows with a draw that no row of the data has: give"
            " input.draw on as it is, or leave it out"
        )


def target_values(spark: Any, plan: Mapping[str, Any]) -> dict[str, Any] | None:
    """What the target's values are like in all parts; None where there are none."""
    target = f"CAST({plan['target']} AS DOUBLE)"
    query = f"SELECT AVG({target}), STDDEV_POP({target}) FROM made WHERE {IN_A_PART}"  # noqa: S608  names as above
    ((mean, deviation),) = spark.sql(query).collect()
    return None if mean is None else {"mean": mean, "deviation": deviation, "unit": plan["unit"]}


def changed(
    ours: Mapping[str, Any], told: dict[str, str], plan: Mapping[str, Any], args: Mapping[str, str]
) -> dict[str, str]:
    """What is said of the champion's rows; where the target is another than its own, that it proves nothing if it
    loses. A person is then asked with that sentence, and a run that nobody asked for ends."""
    theirs = json.loads(args["CHAMPION"])
    # Of classes the shares are no unit.
    if not theirs or not theirs["target"] or plan["classes"]:
        return told
    reason = other_target(plan["target"], ours, theirs["target"])
    if not reason:
        return told
    place = "problem" if "problem" in told else "foreign"
    return {**told, place: "; ".join(filter(None, (told.get(place), reason)))}


def other_target(name: str, ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> str:
    """Why a target's values cannot mean what the champion's did; empty where they can."""
    if ours["unit"] and theirs["unit"] and ours["unit"] != theirs["unit"]:
        return f"{name}, the target, is in {ours['unit']} now, and the champion's was in {theirs['unit']}"
    small, large = sorted((ours["deviation"], theirs["deviation"]))
    away = abs(ours["mean"] - theirs["mean"])
    if large <= OTHERWISE * small and away <= OTHERWISE * large:
        return ""
    now, then = (f"{one['mean']:.4g} on average (deviation {one['deviation']:.4g})" for one in (ours, theirs))
    return f"{name}, the target, is {now}, and was {then} in the champion's rows: has its unit or its meaning changed?"


def pair(
    spark: Any, made: Any, split: Mapping[str, str], plan: Mapping[str, Any], args: dict[str, str]
) -> dict[str, str]:
    """On which rows the champion is asked, as in champion/paired.json.

    The same SQL and lots have made its rows: it was trained on none of test/. Other SQL may have split otherwise, and
    makes other features: it is run on the same data, and says both. What goes wrong with that stops no training, and
    switches no comparison off while the features have the same names.
    """
    theirs = json.loads(args["CHAMPION"])
    if theirs is None:
        return {"how": "test"}
    alike = theirs["features"] == plan["features"] and theirs["inputs"] == plan["inputs"]
    if alike and (theirs["rule"], theirs["salt"]) == (split["rule"], split["salt"]):
        return {"how": "test"}
    if theirs["salt"] != split["salt"]:
        return {"problem": "its rows had other lots (another secret, other columns): it may have been trained on these"}
    try:
        return pair_rows(spark, made, theirs, plan, args)
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
    spark: Any, made: Any, theirs: Mapping[str, Any], plan: Mapping[str, Any], args: dict[str, str]
) -> dict[str, str]:
    """Write champion/rows/. Raises NoPairsError where nothing tells which rows are the same."""
    former = run_former(spark, theirs)
    if not gives_lots(made):
        raise NoPairsError("features.sql does not give draw on")
    target = plan["target"]
    # What it would refuse of a caller it is not asked.
    taken = [f"NOT COALESCE({condition}, FALSE)" for condition in theirs["refused"]]
    (former.where(" AND ".join(taken)) if taken else former).createOrReplaceTempView("former")
    encode(spark, "former", target, theirs).createOrReplaceTempView("former_matrix")
    both = spark.sql(paired(target, plan["features"], theirs["features"], theirs["nullable"])).localCheckpoint()
    told = {"how": "pairs"}
    other = both.where("NOT own_0 = their_0").count()
    if other:
        told["foreign"] = f"its own features.sql gives another {target} for {other} of the test rows"
    chosen = "part = 'test'"
    rows = both.where(chosen).count()
    if rows < FEWEST_PAIRS:
        # Whoever splits otherwise must not switch the comparison off. At worst the champion knows its rows, and wins.
        told["doubt"], chosen = f"of {rows} of these rows alone it is known that it was not trained on them", "TRUE"
    columns = [f"own_{number}" for number in range(1 + len(plan["features"]))]
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


def used(spark: Any, made: Any, rows: Mapping[str, Any]) -> int:
    """How many rows of the data are in a part; SQL may make several of one, as it does to have more of a rare class."""
    if not gives_lots(made):
        return min(int(rows["made"]), int(rows["filtered"]))
    chosen = f"SELECT draw FROM made WHERE {IN_A_PART}"  # noqa: S608
    return int(spark.sql(f"SELECT * FROM input WHERE draw IN ({chosen})").count())  # noqa: S608


def gives_lots(frame: Any) -> bool:
    """Whether rows can be told by their lots. Spark does not tell capitals apart."""
    return "draw" in [column.lower() for column in frame.columns]


def paired(target: str, ours: Iterable[str], theirs: Iterable[str], nullable: Iterable[str] = ()) -> str:
    """SQL for the test rows of `matrix` as `own_0` (the label), `own_1`, …, with what `former_matrix` has of the same
    lots: `their_0`, …, and `part`, in which the champion had the row.

    Equal rows have one lot, and are one row here. A lot of which several different rows are made is left out: nothing
    tells which belong together. So is a row in which the champion would be given nothing where it must be given
    something (all columns but the `nullable`), or more than float32 holds.
    """
    named = [target, *theirs]
    own = [f"{column} AS own_{number}" for number, column in enumerate([target, *ours])]
    their = [f"CAST({column} AS DOUBLE) AS their_{number}" for number, column in enumerate(named)]

    def alone(view: str, columns: list[str]) -> str:
        """The only row of each lot: the least of one value is the value."""
        names = [column.rpartition(" AS ")[2] for column in columns]
        rows = f"SELECT DISTINCT draw, split AS part, {', '.join(columns)} FROM {view}"  # noqa: S608  names as above
        least = ", ".join(f"MIN({name}) AS {name}" for name in names)
        return f"(SELECT draw, MIN(part) AS part, {least} FROM ({rows}) x GROUP BY draw HAVING COUNT(*) = 1)"  # noqa: S608

    def fits(number: int, column: str) -> str:
        held = f"ABS(b.their_{number}) <= {LARGEST!r}"
        return f"({held} OR b.their_{number} IS NULL)" if column in nullable else held

    given = " AND ".join(fits(number, column) for number, column in enumerate(named))
    chosen = [f"a.own_{number}" for number in range(len(own))] + [f"b.their_{number}" for number in range(len(their))]
    return (
        f"SELECT {', '.join(chosen)}, b.part FROM {alone('matrix', own)} a JOIN {alone('former_matrix', their)} b"  # noqa: S608
        f" ON a.draw = b.draw WHERE a.part = 'test' AND {given}"
    )


def check(counts: dict[str, int], rows: Mapping[str, Any], args: dict[str, str]) -> None:
    """Refuse to go on with a part that holds nothing, or too little to be measured on."""
    empty = [part for part in PARTS if counts[part] == 0]
    if empty:
        raise FeatureError(
            f"run {args['RUN']}: no row of {named(rows['files'])} is left for {', '.join(empty)} after the filters"
            f" of {args['SQL']} (rows kept: {counts}): check the data's values and units against the filters"
        )
    if counts["test"] < FEWEST_TESTED:
        raise FeatureError(
            f"run {args['RUN']}: {counts['test']} rows of {named(rows['files'])} are left to test on: no gate can"
            f" judge by fewer than {FEWEST_TESTED}. Upload more rows"
        )


def check_target(part: str, values: int, target: str, args: dict[str, str]) -> None:
    """Refuse a part whose target never differs: a model of it would be perfect and know nothing."""
    if values > 1:
        return
    raise FeatureError(
        f"run {args['RUN']}: {target}, the target, is the same in all {part} rows that {args['SQL']} makes of"
        f" the data: nothing can be learned from them, or measured on them"
    )


def read_text(uri: str) -> str:
    """The text of one object."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    body: bytes = boto3.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    return body.decode("utf-8")


def write_json(document: Mapping[str, Any], uri: str) -> None:
    """One small document."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    boto3.client("s3").put_object(Bucket=bucket, Key=key, Body=json.dumps(document).encode())


def write(frame: Any, path: str, header: bool) -> None:
    """CSV files in a folder, as many as Spark has parts, each with the header where one is asked for.

    Nothing beside them: XGBoost's container reads an empty `_SUCCESS` as data. Spark writes no empty file of text:
    https://issues.apache.org/jira/browse/SPARK-26081
    """
    writer = frame.write.mode("overwrite").option("header", str(header).lower())
    writer.option("mapreduce.fileoutputcommitter.marksuccessfuljobs", "false").csv(path)


def write_parquet(frame: Any, path: str) -> None:
    """Parquet in a folder."""
    frame.write.mode("overwrite").parquet(path)


if __name__ == "__main__":
    main(sys.argv)
