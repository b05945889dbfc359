"""Plans that are approved: written down before the approval, compared with what is about to run after it."""

import hashlib
import json
from typing import Any

from contracts.errors import UserError
from contracts.s3 import EXISTS, S3Location, parse_s3_uri
from preview import digest
from preview.plan import Document

AGAIN = "nothing was changed; run the pipeline again and approve what it plans now"


def split(uri: str) -> S3Location:
    """Bucket and key of an `s3://` address. Raises UserError for anything else."""
    try:
        return parse_s3_uri(uri)
    except ValueError:
        raise UserError(f"{uri!r} is no address in S3", "give it as s3://bucket/key") from None


def read(s3: Any, uri: str) -> bytes:
    """An object. Raises UserError where it cannot be had."""
    from botocore.exceptions import BotoCoreError, ClientError

    bucket, key = split(uri)
    try:
        body: bytes = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    except (BotoCoreError, ClientError) as error:
        raise UserError(f"{uri} cannot be read: {error}") from error
    return body


def write(s3: Any, uri: str, body: bytes, content_type: str = "application/json") -> None:
    """An object. Raises UserError where it cannot be written."""
    from botocore.exceptions import BotoCoreError, ClientError

    bucket, key = split(uri)
    try:
        s3.put_object(Bucket=bucket, Key=key, Body=body, ContentType=content_type)
    except (BotoCoreError, ClientError) as error:
        raise UserError(f"{uri} cannot be written: {error}") from error


def write_once(s3: Any, uri: str, body: bytes, content_type: str) -> None:
    """An object that nobody overwrites. Raises UserError where it cannot be written, or something else lies there."""
    from botocore.exceptions import BotoCoreError, ClientError

    bucket, key = split(uri)
    try:
        s3.put_object(Bucket=bucket, Key=key, Body=body, ContentType=content_type, IfNoneMatch="*")
        return
    except ClientError as error:
        if error.response["Error"]["Code"] not in EXISTS:
            raise UserError(f"{uri} cannot be written: {error}") from error
    except BotoCoreError as error:
        raise UserError(f"{uri} cannot be written: {error}") from error
    if read(s3, uri) != body:
        raise UserError(
            f"{uri} holds something else already",
            "it is never overwritten: find out what wrote it, and commit again to package under another name",
        )


def store(s3: Any, uri: str, plan: digest.Plan) -> str:
    """Writes a plan down; returns the digest that is approved with it."""
    write(s3, uri, digest.text(plan).encode())
    return digest.digest(plan)


def load(s3: Any, uri: str, sha256: str) -> digest.Plan:
    """The plan that was approved. Raises UserError where what is stored is another."""
    body = read(s3, uri)
    actual = hashlib.sha256(body).hexdigest()
    if actual != sha256:
        raise UserError(f"the plan stored at {uri} has SHA-256 {actual}, but {sha256} was approved", AGAIN)
    plan: digest.Plan = json.loads(body)
    return plan


def refuse_another(stack: str, approved: digest.Plan, steps: Document) -> None:
    """Stops where the plan about to run is not the approved one. Raises UserError that names what differs.

    `steps` is the steps document of the preview (preview/plan.py).

    What remains of an approved plan that failed half way is no other plan.
    """
    found = digest.differences(approved, digest.normalise(steps))
    if found:
        raise UserError(f"the plan for {stack} is not the one that was approved: {digest.summary(found)}", AGAIN)
