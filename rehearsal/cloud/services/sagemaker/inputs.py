"""Checks on what requests of SageMaker name: inputs that are there, and features that are not executed here."""

from rehearsal.cloud.compute import objects as s3
from rehearsal.cloud.core.api import AwsError, Call, Credentials
from rehearsal.cloud.services.sagemaker import state


def check_input(call: Call, role: str, credentials: Credentials, uri: str) -> None:
    """Refuse an input that the role cannot list or that holds nothing, as CreateTrainingJob does."""
    client = call.cloud.client("s3", call.account, call.region, credentials)
    bucket, prefix = split_uri(uri)
    try:
        answer = client.list_objects_v2(Bucket=bucket, Prefix=prefix, MaxKeys=1)
    except client.exceptions.ClientError as error:
        raise state.invalid(s3.nothing_there(uri, role)) from error
    if not answer.get("KeyCount"):
        raise state.invalid(s3.nothing_there(uri, role))


def split_uri(uri: str) -> tuple[str, str]:
    """Bucket and key. Raises ValidationException."""
    try:
        return s3.split(uri)
    except s3.TransferError as error:
        raise state.invalid(str(error)) from None


def refuse(condition: object, what: str) -> None:
    """Refuse a feature that is not executed here."""
    if condition:
        raise AwsError("NotImplemented", f"not implemented by the rehearsal: {what}", 501)
