"""What people are told of a new object that starts nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from contracts.datasets import ENDINGS, PART, SUCCESS, UNKNOWN, folder_of, hidden, is_data, role
from contracts.retraining import TOLD
from contracts.s3 import EXISTS

_LONGEST_SUBJECT = 100
"""Of SNS: https://docs.aws.amazon.com/sns/latest/api/API_Publish.html"""
_LONGEST_KEY = 200
_INSTEAD = {
    (".xlsx", ".xls", ".ods"): "save the sheet as CSV in UTF-8",
    (".zip", ".tar", ".tgz", ".bz2", ".7z", ".zst"): "take the file out, or pack it by gzip (.csv.gz)",
    (".json", ".jsonl", ".ndjson", ".avro", ".orc", ".feather", ".arrow"): "write it as Parquet or CSV",
    (".tsv", ".txt", ".tab", ".psv"): "give it a name that ends in .csv; what stands between cells is found",
    (".gz",): "give it a name that ends in .csv.gz, if it is CSV; Parquet is packed within, and ends in .parquet",
}


def notice(s3: Any, detail: Mapping[str, Any], prefix: str) -> str:
    """What is to be said of an object; empty for nothing. `s3` is a boto3 S3 client."""
    bucket, key = detail["bucket"]["name"], detail["object"]["key"]
    if not key.startswith(prefix):
        return ""
    what = role(key, prefix)
    if what == UNKNOWN:
        return (
            f"s3://{bucket}/{_shown(key)} starts no run: its name ends in none of {', '.join(ENDINGS)}, and nothing"
            f" else is read as data. What to do: {_instead(key)}. Names that begin with _ or a point are passed by in"
            " silence."
        )
    return _of_part(s3, bucket, key, prefix) if what == PART else ""


def _shown(key: str) -> str:
    """A key for a mail: whoever uploads chooses it, and approvers read it."""
    plain = "".join(character if character.isprintable() else "?" for character in key)
    return plain if len(plain) <= _LONGEST_KEY else f"{plain[:_LONGEST_KEY]}…"


def _instead(key: str) -> str:
    return next((words for endings, words in _INSTEAD.items() if key.lower().endswith(endings)), "write it as CSV")


def _of_part(s3: Any, bucket: str, key: str, prefix: str) -> str:
    """Of a folder's first file, once: who writes sets knows what completes them, others wait for a run for ever."""
    folder = folder_of(key, prefix)
    if folder == prefix:
        return (
            f"s3://{bucket}/{_shown(key)} starts no run: folders like {_shown(key.removeprefix(prefix).split('/')[0])}"
            f" belong into a folder of their data set, like s3://{bucket}/{prefix}trips/, which {SUCCESS} completes."
        )
    inner = folder.removeprefix(prefix).strip("/").split("/")
    for depth in range(len(inner)):
        outer = prefix + "".join(f"{part}/" for part in inner[: depth + 1])
        marks = s3.list_object_versions(Bucket=bucket, Prefix=f"{outer}{SUCCESS}", MaxKeys=1)
        if marks.get("Versions") or marks.get("DeleteMarkers"):
            return ""
    listed = s3.list_object_versions(Bucket=bucket, Prefix=folder).get("Versions", ())
    names = [entry["Key"] for entry in listed]
    if any(name < key and is_data(name) and not hidden(name.removeprefix(prefix)) for name in names):
        return ""
    return (
        f"s3://{bucket}/{_shown(key)} starts no run by itself: files in a folder are one set, whose run starts once"
        f" s3://{bucket}/{_shown(folder)}{SUCCESS} is written (Spark and Glue write it last; an empty object will do),"
        f" or a manifest that lists them. A file that is a dataset of its own belongs directly below s3://{bucket}/{prefix}."
        f" This is said once, of the first file of {_shown(folder)}."
    )


def tell(s3: Any, sns: Any, words: str, detail: Mapping[str, Any], environment: Mapping[str, str]) -> bool:
    """Send the words, once for each object version, and once for each folder and ending; whether they were sent now.

    `sns` is a boto3 SNS client. A program that writes a folder writes thousands of files.
    """
    key = detail["object"]["key"]
    folder, _, name = key.removeprefix(environment.get("DATA_PREFIX", "datasets/")).rpartition("/")
    ending = name.rpartition(".")[2].lower() if "." in name else ""
    what = f"{folder}/*.{ending}" if folder else f"{key}@{detail['object'].get('version-id')}"
    place = f"{detail['bucket']['name']}/{what}"
    mark = {
        "Bucket": environment["ARTIFACTS_BUCKET"],
        "Key": f"{TOLD}{hashlib.sha256(place.encode()).hexdigest()[:32]}.json",
    }
    try:
        s3.put_object(**mark, Body=b"{}", IfNoneMatch="*")
    except ClientError as error:
        if error.response["Error"]["Code"] in EXISTS:
            return False
        raise
    subject = f"{environment['PIPELINE_NAME']}: new data that starts no run"
    try:
        sns.publish(TopicArn=environment["TOPIC_ARN"], Subject=subject[:_LONGEST_SUBJECT], Message=words)
    except Exception:
        # Lambda tries again, and then it shall be said.
        s3.delete_object(**mark)
        raise
    return True
