"""Deployment packages: where the bytes come from, what AWS refuses, and the folder they run from."""

import base64
import hashlib
import io
import shutil
import threading
import zipfile
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from rehearsal.cloud.core.api import AwsError, Call, Cloud, not_implemented
from rehearsal.cloud.services.lambda_.state import invalid

MAX_ZIPPED = 50 * 1024 * 1024
MAX_UNZIPPED = 262_144_000
_unpacking = threading.Lock()


def read_code(call: Call, code: dict[str, Any]) -> bytes:
    """The package that CreateFunction or UpdateFunctionCode names. Raises when it is missing or no valid archive."""
    if code.get("ImageUri"):
        raise not_implemented("lambda", f"{call.operation} with a container image")
    if code.get("ZipFile"):
        content = bytes(code["ZipFile"])
        if len(content) > MAX_ZIPPED:
            raise AwsError("RequestEntityTooLargeException", f"Request must be smaller than {MAX_ZIPPED} bytes", 413)
    elif code.get("S3Bucket") and code.get("S3Key"):
        content = _from_s3(call, code)
    else:
        raise invalid("Please provide a source for function code.")
    _check_archive(content)
    return content


def _from_s3(call: Call, code: dict[str, Any]) -> bytes:
    arguments = {"Bucket": code["S3Bucket"], "Key": code["S3Key"]}
    if code.get("S3ObjectVersion"):
        arguments["VersionId"] = code["S3ObjectVersion"]
    try:
        answer = _s3_client(call).get_object(**arguments)
    except ClientError as problem:
        error = problem.response["Error"]
        text = f"S3 Error Code: {error['Code']}. S3 Error Message: {error['Message']}"
        raise invalid(f"Error occurred while GetObject. {text}") from None
    return answer["Body"].read()  # type: ignore[no-any-return]


def _s3_client(call: Call) -> Any:
    # Lambda reads the package with the caller's rights.
    identity = call.cloud.accounts.find(call.access_key)
    credentials = identity.credentials if identity else None
    return call.cloud.client("s3", call.account, call.region, credentials=credentials)


def _check_archive(content: bytes) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            size = sum(entry.file_size for entry in archive.infolist())
            unsafe = [name for name in archive.namelist() if name.startswith("/") or ".." in name.split("/")]
    except zipfile.BadZipFile:
        unzip = "Could not unzip uploaded file. Please check your file, then try to upload again."
        raise invalid(unzip) from None
    if unsafe:
        raise invalid(f"Could not unzip uploaded file: {unsafe[0]} lies outside of the archive.")
    if size > MAX_UNZIPPED:
        raise invalid(f"Unzipped size must be smaller than {MAX_UNZIPPED} bytes")


def sha256(content: bytes) -> str:
    """The digest as Lambda writes it."""
    return base64.b64encode(hashlib.sha256(content).digest()).decode()


def unpack(cloud: Cloud, content: bytes) -> Path:
    """The folder with the unzipped package; packages of equal content share one."""
    folder = Path(cloud.root) / "lambda" / hashlib.sha256(content).hexdigest()[:32]
    with _unpacking:
        if folder.exists():
            return folder
        draft = folder.with_suffix(".new")
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(parents=True)
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            archive.extractall(draft)
        draft.rename(folder)
    return folder


def layer_version(cloud: Cloud, account: str, region: str, arn: str) -> Any:
    """moto's record of a layer version (`code_bytes`, `code_size`), or None."""
    return cloud.backend("lambda", account, region).layers_versions_by_arn(arn)
