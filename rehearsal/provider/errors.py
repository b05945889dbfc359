"""What can go wrong in the provider, in words a person reads."""

from __future__ import annotations

from typing import Any

NOT_FOUND_WORDS = ("notfound", "nosuch", "doesnotexist", "nonexist", "unknownresource")
NOT_FOUND_TEXTS = (
    "could not find",
    "does not exist",
    "not found",
    "cannot find",
    "recordnotfound",
    "no scaling policy found",
)


class ProviderError(Exception):
    """An error whose text is the message for the user."""


class Failures(ProviderError):
    """Inputs that do not fit: a list of (property path, reason)."""

    def __init__(self, failures: list[tuple[str, str]]) -> None:
        super().__init__("; ".join(f"{path}: {reason}" for path, reason in failures))
        self.failures = failures


class Unsupported(ProviderError):
    """A property that has no place in AWS's request."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason


class PartialFailure(ProviderError):
    """The resource exists, but a later step failed: the state must be kept so that nothing leaks."""

    def __init__(self, message: str, ident: str, outputs: dict[str, Any], inputs: dict[str, Any]) -> None:
        super().__init__(message)
        self.ident = ident
        self.outputs = outputs
        self.inputs = inputs


def code_of(error: Exception) -> str:
    """The AWS error code of a botocore ClientError, or an empty string."""
    response = getattr(error, "response", None)
    return str(response.get("Error", {}).get("Code", "")) if isinstance(response, dict) else ""


def is_not_found(error: Exception) -> bool:
    """Whether AWS says that the thing does not exist (SageMaker says so with a ValidationException)."""
    code = code_of(error)
    if not code:
        return False
    if code in ("404", "NoSuchEntity") or any(word in code.lower().replace(".", "") for word in NOT_FOUND_WORDS):
        return True
    return code == "ValidationException" and any(word in str(error).lower() for word in NOT_FOUND_TEXTS)


def describe(error: Exception) -> str:
    """One line for the user: AWS's own words, without a traceback."""
    response = getattr(error, "response", None)
    if not isinstance(response, dict):
        return str(error) or type(error).__name__
    operation = getattr(error, "operation_name", "?")
    detail = response.get("Error", {})
    return f"{operation}: {detail.get('Code', 'Unknown')}: {detail.get('Message', '')}"
