"""The cloud: what services share."""

import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from subprocess import Popen
from typing import Any

import boto3
from botocore.config import Config

from rehearsal.cloud.core.accounts import Accounts, Identity, admin_credentials
from rehearsal.cloud.core.clock import Clock
from rehearsal.cloud.core.injection import Faults
from rehearsal.cloud.core.journal import Journal
from rehearsal.cloud.core.ledger import Ledger
from rehearsal.cloud.core.pace import Pace
from rehearsal.cloud.core.ports import Event, LogLines, Place, Ports, Sample
from rehearsal.cloud.core.store import Store
from rehearsal.cloud.core.workers import Workers
from rehearsal.cloud.policy_language import trust
from rehearsal.cloud.wire.types import AwsError, Credentials, Principal, for_service

_SESSION_SECONDS = 12 * 3600
_NAMES_NO_SOURCE = frozenset({"apigateway.amazonaws.com"})
"""Services of which no source says that they name an account where they assume a role: a condition on it fails."""
_CLIENTS = 200
_LEAST_LEFT = timedelta(minutes=30)


class Cloud:
    """One running gateway: its clock, its accounts, its ledger, and the means to start work."""

    def __init__(
        self, port: int, root: Path, ports: Callable[["Cloud"], Ports], seconds_per_minute: float = 1.0
    ) -> None:
        """`ports` makes the ways out of this cloud; `process/running.py` has it."""
        self.port = port
        self.root = root
        self.clock = Clock(seconds_per_minute)
        self.pace = Pace(self.clock)
        # AWS has opened the accounts only now, and refuses them what it no longer gives to new customers.
        self.new_accounts = False
        self.accounts = Accounts()
        self.ledger = Ledger()
        self.faults = Faults()
        self.journal = Journal()
        self.workers = Workers()
        self.moto = Store()
        self._stores: dict[tuple[str, str, str], dict[Any, Any]] = {}
        self._clients: dict[tuple[str, str, str, str], Any] = {}
        self._lock = threading.RLock()
        self._boto = boto3.session.Session()
        self._sessions: dict[tuple[str, ...], Identity] = {}
        self.ports = ports(self)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    # --- calling AWS -------------------------------------------------------------------------------------------------

    def client(self, service: str, account: str, region: str, credentials: Credentials | None = None) -> Any:
        """A boto3 client against the gateway, by default with the account's administrator keys. Cached."""
        keys = credentials or admin_credentials(account)
        key = (service, account, region, keys.access_key_id)
        with self._lock:
            client = self._clients.pop(key, None)
            if client is None:
                client = self._boto.client(
                    service,
                    region_name=region,
                    endpoint_url=self.url,
                    aws_access_key_id=keys.access_key_id,
                    aws_secret_access_key=keys.secret_access_key,
                    aws_session_token=keys.session_token,
                    config=Config(retries={"max_attempts": 1}, max_pool_connections=50, read_timeout=960),
                )
            # The one used last is at the end. Sessions of roles come and go, and each client holds connections.
            self._clients[key] = client
            if len(self._clients) > _CLIENTS:
                del self._clients[next(iter(self._clients))]
        return client

    def perform(
        self, principal: Principal, place: Place, service: str, operation: str, params: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Call a service from inside the gateway, with all that a request passes: see `gateway/handlers.py`.

        `principal` is a service (`for_service`) or a role's session (`session_for_service`), `place` where the resource
        is that is called. The answer is in the output shape, with `ResponseMetadata`. Raises AwsError.
        """
        return self.ports.perform(principal, place, service, operation, params)

    def store_call(
        self,
        service: str,
        operation: str,
        account: str,
        region: str,
        params: dict[str, Any] | None = None,
        access_key: str | None = None,
    ) -> dict[str, Any]:
        """Call moto directly: no principal, no ledger, no module of ours. Raises AwsError."""
        key = access_key or admin_credentials(account).access_key_id
        return self.moto.call(service, operation, account, region, params or {}, key)

    def backend(self, service: str, account: str, region: str) -> Any:
        """moto's own backend object."""
        return self.moto.backend(service, account, region)

    def store(self, service: str, account: str, region: str) -> dict[Any, Any]:
        """A module's own state, empty at first. Guard it with a lock of your own where threads share it."""
        with self._lock:
            return self._stores.setdefault((service, account, region), {})

    def stores(self, service: str) -> list[tuple[str, str, dict[Any, Any]]]:
        """Every `(account, region, state)` of a module."""
        with self._lock:
            return [
                (account, region, state) for (name, account, region), state in self._stores.items() if name == service
            ]

    def content(self) -> dict[str, Any]:
        """All state that is the cloud's own, for a snapshot. moto's backends are not in it."""
        with self._lock:
            stores = dict(self._stores)
        return {"stores": stores, "accounts": self.accounts, "ledger": self.ledger, "faults": self.faults}

    def adopt(self, content: Mapping[str, Any]) -> None:
        """Take over the `content()` of another cloud, before anybody uses this one."""
        self._stores = dict(content["stores"])
        self.accounts, self.ledger, self.faults = content["accounts"], content["ledger"], content["faults"]

    # --- roles -------------------------------------------------------------------------------------------------------

    def assume(
        self,
        role_arn: str,
        principal: Principal,
        session: str,
        context: Mapping[str, str],
        seconds: int = 3600,
        policies: Sequence[str] = (),
        tags: Mapping[str, str] | None = None,
        transitive: Sequence[str] = (),
    ) -> Any:
        """A session of a role for a principal, if its trust policy lets it. Raises AwsError (AccessDenied).

        `policies` are session policies, `tags` session tags, `transitive` the keys of those that are handed down.
        Returns an `Identity`: the session's principal and keys.
        """
        role = self._trusting(role_arn, principal, context)
        return self.accounts.open_session(role, session, seconds, policies, tags, transitive)

    def _trusting(self, role_arn: str, principal: Principal, context: Mapping[str, str]) -> Any:
        role = self.accounts.role(role_arn)
        if role is not None and trust.allows(role.assume_role_policy_document, principal, context):
            return role
        who = "User"
        if principal.kind == "service":
            # A person's call passes the gateway, which counts it; a service's does not.
            who = "Service"
            self.ledger.record(principal.ledger_key, "sts:AssumeRole", denied=True)
        raise AwsError(
            "AccessDenied",
            f"{who}: {principal.arn} is not authorized to perform: sts:AssumeRole on resource: {role_arn}",
            403,
        )

    def assume_for_service(
        self,
        role_arn: str,
        service_principal: str,
        session: str,
        *,
        source_arn: str | None = None,
        source_account: str | None = None,
    ) -> Credentials:
        """Keys of a role for a service such as `lambda.amazonaws.com`, if the role's trust policy lets it.

        `source_arn` and `source_account` are the condition keys aws:SourceArn and aws:SourceAccount: the resource the
        service acts for. By default the account is the role's own. Raises AwsError (AccessDenied).
        """
        account = role_arn.split(":")[4] if role_arn.count(":") >= 5 else ""
        principal = _acting(service_principal, source_account or account, source_arn)
        context = dict(principal.source)
        credentials: Credentials = self.assume(role_arn, principal, session, context, _SESSION_SECONDS).credentials
        return credentials

    def session_for_service(
        self,
        role_arn: str,
        service_principal: str,
        session: str,
        *,
        source_arn: str | None = None,
        source_account: str | None = None,
    ) -> Principal:
        """A role's session for what a service itself does with the role, by `perform`.

        One session serves the same service for hours, but the trust policy is asked each time. Raises AwsError.
        """
        account = role_arn.split(":")[4] if role_arn.count(":") >= 5 else ""
        principal = _acting(service_principal, source_account or account, source_arn)
        role = self._trusting(role_arn, principal, dict(principal.source))
        key = (role.id, service_principal, session)
        with self._lock:
            known = self._sessions.get(key)
        if known is None or not _lasts(known.credentials):
            known = self.accounts.open_session(role, session, _SESSION_SECONDS)
            with self._lock:
                self._sessions[key] = known
        return known.principal

    # --- events, metrics, logs ---------------------------------------------------------------------------------------

    def put_event(self, place: Place, event: Event) -> None:
        """An AWS service's event on the account's default bus."""
        self.ports.event(place, event)

    def put_metric(self, place: Place, sample: Sample) -> None:
        """One data point."""
        self.ports.metric(place, sample)

    def log(self, place: Place, lines: LogLines) -> None:
        """Log events; group and stream are created where missing. Embedded metrics are picked up."""
        self.ports.log(place, lines)

    # --- work --------------------------------------------------------------------------------------------------------

    def background(
        self, function: Callable[..., Any], *args: Any, name: str | None = None, **kwargs: Any
    ) -> threading.Thread:
        """Run on a thread that shutdown waits for (shortly). Errors are printed."""
        return self.workers.background(function, *args, name=name, **kwargs)

    def run_process(
        self, argv: Sequence[str], env: Mapping[str, str], cwd: str | Path | None = None, **options: Any
    ) -> Popen[Any]:
        """A child in its own process group, which ends with the gateway. Returns the Popen; `options` are Popen's."""
        return self.workers.run_process(argv, env, cwd, **options)

    def close(self) -> None:
        """End every sleeper, child and thread, and keep the ledger."""
        self.journal.close()
        self.clock.stop()
        self.workers.close()
        self.ledger.save(self.root / "ledger.json")


def _acting(service: str, account: str, source_arn: str | None) -> Principal:
    """A service that assumes a role: most name the account and the resource that they act for."""
    if service in _NAMES_NO_SOURCE:
        return Principal(service, account, "service")
    return for_service(service, account, source_arn)


def _lasts(credentials: Credentials) -> bool:
    return credentials.expiration is not None and credentials.expiration - datetime.now(UTC) > _LEAST_LEFT
