"""What production has recorded of the release that it serves."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import boto3
from botocore.exceptions import ClientError

from contracts.pointer import PointerError, parse_pointer, run_of

_REFUSED = ("AccessDenied", "AccessDeniedException")
"""Codes of STS and of Systems Manager.

https://docs.aws.amazon.com/STS/latest/APIReference/CommonErrors.html
https://docs.aws.amazon.com/systems-manager/latest/APIReference/CommonErrors.html
"""


class ServingError(Exception):
    """What production serves may not be looked up; the message says who changes that."""


def recorded(sts: Any, open_ssm: Callable[[Mapping[str, str]], Any], role: str, parameter: str, run: str) -> str | None:
    """The record of the release that production serves, as it stands there; None where nothing has served yet.

    `role` may read `parameter`, and `open_ssm` makes a client from that role's keys. Raises ServingError where the role
    cannot be taken, or does not get to read.
    """
    try:
        keys = sts.assume_role(RoleArn=role, RoleSessionName=_session(run))["Credentials"]
        value: str = open_ssm(keys).get_parameter(Name=parameter)["Parameter"]["Value"]
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code == "ParameterNotFound":
            return None
        if code in _REFUSED:
            raise ServingError(_who_helps(role, parameter, code)) from None
        raise
    return value


def is_of_run(record: str | None, run: str) -> bool:
    """Whether a record names the release that a run has made. What cannot be read names none."""
    try:
        return record is not None and run_of(parse_pointer(record)) == run
    except PointerError:
        return False


def look_up(environment: Mapping[str, str], run: str) -> str | None:
    """`recorded`, by the function's variables `POINTER_ROLE` and `POINTER`."""
    return recorded(boto3.client("sts"), _parameters, environment["POINTER_ROLE"], environment["POINTER"], run)


def _parameters(keys: Mapping[str, str]) -> Any:
    """A client of the parameter store in the account whose keys these are."""
    return boto3.client(
        "ssm",
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys["SessionToken"],
    )


def _session(run: str) -> str:
    """A name that STS takes: https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html."""
    return re.sub(r"[^\w+=,.@-]", "-", f"serving-{run}", flags=re.ASCII)[:64]


def _who_helps(role: str, parameter: str, code: str) -> str:
    stack = parameter.split("/")[-2]
    return (
        f"the champion is what {stack} serves, and {role} does not let this function read {parameter} ({code}): an"
        f" administrator of the tooling account runs pulumi up --stack delivery, then one of {stack}'s account runs"
        f" pulumi up --stack {stack}; then retry this stage"
    )
