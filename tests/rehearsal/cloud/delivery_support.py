"""What the tests of CodePipeline and CodeBuild share: roles, buckets, zips, and waiting for an end."""

import io
import json
import time
import zipfile
from collections.abc import Callable
from typing import Any

ACCOUNT = "111111111111"
REGION = "eu-west-1"


def aws(cloud: Any, service: str) -> Any:
    return cloud.client(service, ACCOUNT, REGION)


def zipped(files: dict[str, str]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return buffer.getvalue()


def unzipped(body: bytes) -> dict[str, str]:
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        return {name: archive.read(name).decode() for name in archive.namelist()}


def role(cloud: Any, name: str, service: str) -> str:
    trust = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}],
    }
    iam = aws(cloud, "iam")
    try:
        return str(iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"])
    except iam.exceptions.EntityAlreadyExistsException:
        return f"arn:aws:iam::{ACCOUNT}:role/{name}"


def allow(cloud: Any, name: str, actions: list[str]) -> None:
    document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": actions, "Resource": "*"}]}
    aws(cloud, "iam").put_role_policy(RoleName=name, PolicyName="test", PolicyDocument=json.dumps(document))


def bucket(cloud: Any, name: str, versioned: bool = True) -> str:
    s3 = aws(cloud, "s3")
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
    if versioned:
        s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    return name


def until(check: Callable[[], Any], seconds: float = 30) -> Any:
    """What `check` gives once it is true; fails after `seconds`."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = check()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError(f"not true within {seconds} s: {check}")
