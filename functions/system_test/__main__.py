"""Command line of the system test."""

from __future__ import annotations

import argparse
import hashlib
import os
import sys
import time
import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from contracts.names import LIVE
from contracts.release import Release, parse_release
from functions.shared.api import ApiClient
from functions.shared.capture import CaptureSearch
from functions.shared.golden import read_golden
from functions.shared.store import read_text
from functions.system_test import checks, report


class UsageError(Exception):
    """The test cannot start; the message says what it needs."""


def main(argv: Sequence[str], environment: Mapping[str, str]) -> int:
    """Exit code: 0 if all passed, 1 with one clear line on stderr if not."""
    try:
        outcomes = test(parse(argv, environment))
    except (UsageError, ValueError, ClientError, BotoCoreError) as error:
        print(f"system test could not run: {error}", file=sys.stderr)
        return 1
    failed = [outcome for outcome in outcomes if not outcome.passed]
    if failed:
        print(f"system test failed: {failed[0].name}: {failed[0].detail}", file=sys.stderr)
        return 1
    print(f"system test passed: {len(outcomes)} checks")
    return 0


def test(options: argparse.Namespace) -> list[report.Outcome]:
    """Run all checks with the tester's credentials."""
    session = _session(options.region, options.role_arn)
    s3 = session.client("s3")
    release = _release(s3, options.release, options.manifest_sha256)
    golden = read_golden(s3, release.golden, release.hashes.golden if release.hashes else "")
    api = ApiClient(options.api_url, options.region, session.get_credentials())
    subject = checks.Subject(api, release, golden, f"test-{uuid.uuid4().hex[:12]}", options.variant)
    search = CaptureSearch(
        s3, options.capture_bucket, options.capture_prefix, options.endpoint, datetime.now(UTC), options.variant
    )
    print(f"release {release.id} at {options.api_url}, {len(golden.records)} golden records, test {subject.scope}")
    outcomes = report.run(
        {
            "golden records": partial(checks.golden_records, subject),
            "CSV": partial(checks.golden_csv, subject),
            "categories": partial(checks.categories, subject),
            "bad input": partial(checks.bad_input, subject),
            "unsigned request": partial(checks.unsigned, subject),
            "latency": partial(checks.latency, subject, options.requests, options.latency_budget_ms),
            "capture": partial(checks.captured, subject, search, options.capture_wait, time.sleep),
        },
        partial(print, flush=True),
    )
    if options.junit:
        Path(options.junit).write_text(report.junit(outcomes), encoding="utf-8")
    return outcomes


def parse(argv: Sequence[str], environment: Mapping[str, str]) -> argparse.Namespace:
    """Options from the command line, else from the environment. Raises UsageError for what is missing."""
    parser = argparse.ArgumentParser(
        prog="python -m functions.system_test",
        description="Test one environment through its real API: golden records, bad input, latency, data capture.",
    )

    def option(name: str, variable: str, text: str, default: str | None = None, **more: Any) -> None:
        value = environment.get(variable) or default
        parser.add_argument(name, default=value, help=f"{text} [{variable}]", **more)

    option("--api-url", "API_URL", "base URL of the stage, without /predict")
    option("--release", "RELEASE", "s3:// URI of the manifest of the release that must answer")
    option("--capture-bucket", "CAPTURE_BUCKET", "bucket of the environment's data capture")
    option("--region", "AWS_REGION", "region of the API", environment.get("AWS_DEFAULT_REGION"))
    option("--role-arn", "TESTER_ROLE_ARN", "role to assume for everything; without it, the caller's own credentials")
    option("--manifest-sha256", "MANIFEST_SHA256", "SHA-256 (hex) that the manifest must have")
    option("--capture-prefix", "CAPTURE_PREFIX", "prefix of the capture", "capture")
    option("--endpoint", "ENDPOINT_NAME", "endpoint whose capture is searched; without it, all of the bucket's")
    option("--variant", "VARIANT", "variant that golden records are sent to, and whose capture is searched", LIVE)
    option("--requests", "REQUESTS", "requests for the latency", "100", type=_positive)
    option("--latency-budget-ms", "LATENCY_BUDGET_MS", "longest p99 in milliseconds", "1000", type=float)
    option("--capture-wait", "CAPTURE_WAIT", "seconds to wait for the capture", "600", type=float)
    option("--junit", "JUNIT", "file for the result as JUnit XML")
    options = parser.parse_args(argv)
    missing = [name for name in ("api_url", "release", "capture_bucket", "region") if not getattr(options, name)]
    if missing:
        names = ", ".join("--" + name.replace("_", "-") for name in missing)
        raise UsageError(f"{names} missing: give the option, or its environment variable (see --help)")
    return options


def _session(region: str, role_arn: str | None) -> Any:
    if not role_arn:
        return boto3.Session(region_name=region)
    sts = boto3.Session(region_name=region).client("sts")
    found = sts.assume_role(RoleArn=role_arn, RoleSessionName="glidepath-system-test")["Credentials"]
    return boto3.Session(
        aws_access_key_id=found["AccessKeyId"],
        aws_secret_access_key=found["SecretAccessKey"],
        aws_session_token=found["SessionToken"],
        region_name=region,
    )


def _release(s3: Any, uri: str, sha256: str | None) -> Release:
    text = read_text(s3, uri)
    found = hashlib.sha256(text.encode()).hexdigest()
    if sha256 and found != sha256:
        raise UsageError(f"the manifest {uri} has SHA-256 {found}, not {sha256}: it is not the one that was deployed")
    return parse_release(text)


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1, not {text}")
    return value


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
