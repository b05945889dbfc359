"""Entry point of the probe: `functions.probe.handler.handle`.

| environment variable | meaning |
|---|---|
| `API_URL` | the API's stage, without `/predict` |
| `API_KEY` | only where callers need one |
| `FUNCTION_NAME`, `ALIAS` | where a shift shows |
| `GOLDEN_URI`, `RELEASE_ID` | golden records of the release that serves |
| `GOLDEN_SHA256` | their SHA-256, which the manifest vouches for; none for releases from before that |

Called by a rule every few minutes. One golden record goes through the API, signed as a caller's; its inference id
begins with `contracts.monitoring.PROBES`, by which the function and the monitor know that no caller asked. A failure is
raised: Lambda counts it, and an alarm tells people.
"""

from __future__ import annotations

import os
from typing import Any

import boto3

from functions.probe.ask import Probe
from functions.shared.api import ApiClient
from functions.shared.golden import read_golden
from functions.shared.log import log


def handle(_event: Any, context: Any) -> dict[str, str]:
    """Lambda's entry point."""
    environment = os.environ
    session = boto3.Session()
    probe = Probe(
        ApiClient(environment["API_URL"], environment["AWS_REGION"], session.get_credentials()),
        read_golden(session.client("s3"), environment["GOLDEN_URI"], environment.get("GOLDEN_SHA256", "")),
        environment["RELEASE_ID"],
        environment.get("API_KEY", ""),
    )
    alias = session.client("lambda").get_alias(FunctionName=environment["FUNCTION_NAME"], Name=environment["ALIAS"])
    said = probe.run(alias, context.aws_request_id)
    log("INFO", said)
    return {"said": said}
