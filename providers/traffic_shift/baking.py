"""The wait for the end of a bake: the judge's record of the deployment says how it goes."""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from contracts.judging import record_key

_PAUSES = ((60.0, 1.0), (float("inf"), 10.0))
_SILENT_SECONDS = 600.0
"""The judge looks every ten seconds, and in the longest shifts every two minutes."""


@dataclass(frozen=True)
class Baked:
    """How a bake ended, in the judge's words."""

    sentence: str


def wait(
    s3: Any, props: Mapping[str, Any], deployment: str, pause: Callable[[float], bool], say: Callable[[str], None]
) -> Baked | None:
    """The end of the bake. None where the judge has fallen silent, or `pause` says that nobody waits any more."""
    began = changed = time.monotonic()
    before: object = None
    while True:
        record = _record(s3, props["capture_bucket"], deployment)
        now = time.monotonic()
        if record is not None and record.get("over"):
            return Baked(str(record["over"]))
        say(f"baking for {props['bake_minutes']} minutes: the former version is still there")
        looked = (record or {}).get("requests", {}).get("looked"), (record or {}).get("bake")
        if looked != before:
            before, changed = looked, now
        if now - changed > _SILENT_SECONDS:
            say(f"the judge has said nothing for {_SILENT_SECONDS / 60:.0f} minutes: the bake is not judged to its end")
            return None
        if not pause(next(seconds for until, seconds in _PAUSES if now - began < until)):
            return None


def _record(s3: Any, bucket: str, deployment: str) -> dict[str, Any] | None:
    from botocore.exceptions import ClientError

    try:
        body = s3.get_object(Bucket=bucket, Key=record_key(deployment))["Body"].read()
    except ClientError as error:
        # Not there yet. Who may list only a prefix is told "denied".
        if error.response["Error"]["Code"] in ("NoSuchKey", "AccessDenied"):
            return None
        raise
    found: dict[str, Any] = json.loads(body)
    return found
