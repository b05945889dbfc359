"""Roles and functions for the tests of what invokes functions."""

import io
import json
import time
import zipfile
from collections.abc import Callable
from typing import Any, TypeVar

from rehearsal.cloud.core.cloud import Cloud

REGION = "eu-west-1"
_T = TypeVar("_T")


def package(code: str, **files: str) -> bytes:
    """A deployment package with `app.py` and more files (`name.py` as `name`)."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("app.py", code)
        for name, text in files.items():
            archive.writestr(f"{name}.py", text)
    return buffer.getvalue()


def make_role(cloud: Cloud, account: str, name: str, *services: str) -> str:
    """A role that the services may assume, and that may do everything: its rights are not what is tested."""
    statement = {"Effect": "Allow", "Principal": {"Service": list(services)}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam = cloud.client("iam", account, REGION)
    arn = str(iam.create_role(RoleName=name, AssumeRolePolicyDocument=document)["Role"]["Arn"])
    everything = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}
    iam.put_role_policy(RoleName=name, PolicyName="everything", PolicyDocument=json.dumps(everything))
    return arn


def make_function(cloud: Cloud, account: str, name: str, code: str, **options: Any) -> Any:
    """A function with a role of its own; returns the answer of CreateFunction."""
    role = options.pop("Role", None) or make_role(cloud, account, f"{name}-role", "lambda.amazonaws.com")
    arguments = {"Handler": "app.handler", "Runtime": "python3.12", "Timeout": 10, "MemorySize": 256, **options}
    client = cloud.client("lambda", account, REGION)
    return client.create_function(FunctionName=name, Role=role, Code={"ZipFile": package(code)}, **arguments)


def eventually(read: Callable[[], _T], seconds: float = 180.0) -> _T:
    """The first truthy value that `read` gives; fails when there is none in time."""
    deadline = time.monotonic() + seconds
    while True:
        value = read()
        if value or time.monotonic() > deadline:
            assert value, "did not become true in time"
            return value
        time.sleep(0.05)
