"""Asks KMS, as the stack's own provider would, whether a manifest's signature is good."""

from typing import Any

import pulumi

from contracts.signature import SignatureError, check

_FIX = (
    "the manifest was changed, or the training workflow did not write it; train the release anew; nothing was touched"
)


def verify(key: str, manifest: str, sha256: str, signature: str) -> None:
    """Raises `pulumi.RunError` where `key` did not sign this manifest, or KMS cannot be asked."""
    try:
        check(client(), key, manifest, sha256, signature)
    except SignatureError as error:
        raise pulumi.RunError(f"{error}: {_FIX}") from None
    except Exception as error:  # noqa: BLE001  # botocore's, which is imported when it is needed
        raise pulumi.RunError(f"the signature of {manifest} cannot be verified: {error}; nothing was touched") from None


def client() -> Any:
    """A KMS client with the profile and region of the stack's provider: the provider itself cannot verify."""
    import boto3  # only a release needs it, and it takes long to import

    config = pulumi.Config("aws")
    return boto3.Session(profile_name=config.get("profile"), region_name=config.get("region")).client("kms")
