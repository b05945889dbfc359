"""Small values shared by every part of the gateway."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


class AwsError(Exception):
    """An error that the caller receives in the protocol of the service called.

    `code` is the error code of the API (`ValidationException`), `message` the sentence beside it, `status` the HTTP
    status where the service model gives none for this code, and `fields` further members of a modelled error.
    """

    def __init__(self, code: str, message: str, status: int = 400, **fields: Any) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status
        self.fields: Mapping[str, Any] = fields

    def __reduce__(self) -> tuple[Any, ...]:
        # By itself an exception is made again from its text alone.
        return AwsError, (self.code, self.message, self.status), {"fields": self.fields}


def not_implemented(service: str, operation: str) -> AwsError:
    """The answer for everything that neither a module of ours nor moto really executes."""
    return AwsError("NotImplemented", f"the rehearsal does not implement {service}:{operation}", 501)


@dataclass(frozen=True)
class Credentials:
    """Temporary or static keys, as a client needs them."""

    access_key_id: str
    secret_access_key: str = field(repr=False)
    session_token: str | None = field(default=None, repr=False)
    expiration: datetime | None = None

    def environment(self) -> dict[str, str]:
        """The variables a child process needs to call AWS as this principal."""
        values = {"AWS_ACCESS_KEY_ID": self.access_key_id, "AWS_SECRET_ACCESS_KEY": self.secret_access_key}
        if self.session_token:
            values["AWS_SESSION_TOKEN"] = self.session_token
        return values


@dataclass(frozen=True)
class Principal:
    """Who makes a call. `kind` is `administrator`, `user`, `role` or `service`."""

    arn: str
    account: str
    kind: str
    user_id: str = ""
    role_arn: str | None = None
    session_name: str | None = None
    session_policies: tuple[str, ...] = ()
    """Documents that limit this session further."""
    session_tags: tuple[tuple[str, str], ...] = ()
    transitive_tags: tuple[str, ...] = ()
    """Keys of session tags that the next session of a chain inherits."""
    source: tuple[tuple[str, str], ...] = ()
    """Condition keys that a service states about what it acts for, e.g. aws:SourceArn."""

    @property
    def ledger_key(self) -> str:
        """What calls are counted under: the role behind a session, else the principal itself."""
        return self.role_arn or self.arn


def for_service(name: str, source_account: str, source_arn: str | None = None) -> Principal:
    """An AWS service such as `sns.amazonaws.com`, acting for a resource of an account."""
    source = {"aws:SourceAccount": source_account}
    if source_arn:
        source["aws:SourceArn"] = source_arn
    return Principal(name, source_account, "service", source=tuple(source.items()))


INTERRUPTED = "the rehearsal's cloud was restarted in the meantime"
"""Why something failed that was executing when a snapshot was taken."""
