"""The provider's configuration and its AWS clients."""

from __future__ import annotations

import functools
import json
import os
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from rehearsal.provider import schema
from rehearsal.provider.errors import Failures, ProviderError, describe
from rehearsal.provider.values import Unknown, reveal

if TYPE_CHECKING:
    from botocore.session import Session as BotoSession

SUPPORTED = frozenset(
    "accessKey allowedAccountIds assumeRoles defaultTags forbiddenAccountIds maxRetries profile region s3UsePathStyle "
    "secretKey sharedConfigFiles sharedCredentialsFiles skipCredentialsValidation skipMetadataApiCheck "
    "skipRegionValidation skipRequestingAccountId token".split()
)
ROLE_FIELDS = {
    "duration": "DurationSeconds",
    "externalId": "ExternalId",
    "policy": "Policy",
    "policyArns": "PolicyArns",
    "roleArn": "RoleArn",
    "sessionName": "RoleSessionName",
    "sourceIdentity": "SourceIdentity",
    "tags": "Tags",
    "transitiveTagKeys": "TransitiveTagKeys",
}
LABELS = {"version", "pluginDownloadURL"}


def parse_config(values: dict[str, Any]) -> dict[str, Any]:
    """Provider inputs in their real types: nested ones arrive as JSON text. Raises Failures."""
    properties = schema.provider_properties()
    parsed: dict[str, Any] = {}
    failures: list[tuple[str, str]] = []
    for key, value in reveal(values).items():
        if key in LABELS or key.startswith("__") or value is None:
            continue
        try:
            parsed[key] = _parse_value(properties, key, value)
        except ValueError as error:
            failures.append((key, str(error)))
    failures += [] if failures else schema.check(properties, parsed)
    failures += [
        (key, "the rehearsal's provider does not support this setting of aws:*")
        for key, value in parsed.items()
        if key in properties and key not in SUPPORTED and value not in (False, [], {}, "")
    ]
    if failures:
        raise Failures(failures)
    return parsed


def _parse_value(properties: dict[str, schema.Property], key: str, value: Any) -> Any:
    kind = properties[key].type if key in properties else schema.Type("any")
    if isinstance(value, str) and kind.kind in ("list", "object", "map", "union"):
        try:
            value = json.loads(value)
        except ValueError as error:
            raise ValueError(f"expected JSON, got {value!r}") from error
    return schema.coerce(kind, value)


def default_tags(config: dict[str, Any]) -> dict[str, str]:
    """The tags every taggable resource gets."""
    tags = (config.get("defaultTags") or {}).get("tags") or {}
    return dict(tags) if not isinstance(tags, Unknown) else {}


@dataclass
class Session:
    """Clients of one configured provider, made once each."""

    config: dict[str, Any]
    _clients: dict[tuple[str, str], Any] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @functools.cached_property
    def endpoint(self) -> str:
        """The address of the stand-in cloud; without one this provider must not run at all."""
        address = os.environ.get("AWS_ENDPOINT_URL")
        if not address:
            raise ProviderError(
                "AWS_ENDPOINT_URL is not set: this is the rehearsal's provider, it never calls real AWS"
            )
        return address.rstrip("/")

    @functools.cached_property
    def region(self) -> str:
        region = self.config.get("region") or os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
        region = region or self._base.get_config_variable("region")
        if not region:
            raise ProviderError("no region: `pulumi config set aws:region <region>` or set AWS_REGION")
        return str(region)

    @functools.cached_property
    def account(self) -> str:
        return str(self.client("sts").get_caller_identity()["Account"])

    @functools.cached_property
    def partition(self) -> str:
        return (
            "aws-cn" if self.region.startswith("cn-") else "aws-us-gov" if self.region.startswith("us-gov-") else "aws"
        )

    def client(self, service: str, region: str | None = None) -> Any:
        """The client of a service, by botocore's name for it."""
        key = (service, region or self.region)
        with self._lock:
            if key not in self._clients:
                self._clients[key] = self._make(self._assumed, *key)
            return self._clients[key]

    @functools.cached_property
    def _base(self) -> BotoSession:
        import botocore.session
        from botocore.exceptions import BotoCoreError

        session = botocore.session.Session(profile=self.config.get("profile"))
        for setting, files in (("config_file", "sharedConfigFiles"), ("credentials_file", "sharedCredentialsFiles")):
            if self.config.get(files):
                session.set_config_variable(setting, self.config[files][0])
        if self.config.get("accessKey"):
            session.set_credentials(self.config["accessKey"], self.config.get("secretKey"), self.config.get("token"))
        try:
            if session.get_credentials() is None:
                raise ProviderError("no valid credential sources found: set aws:profile, or keys in the environment")
        except BotoCoreError as error:
            raise ProviderError(f"unable to load AWS credentials: {error}") from error
        return session

    @functools.cached_property
    def _assumed(self) -> BotoSession:
        session = self._base
        for role in self.config.get("assumeRoles") or []:
            session = self._assume(session, role)
        return session

    def _assume(self, source: BotoSession, role: dict[str, Any]) -> BotoSession:
        import botocore.session
        from botocore.credentials import RefreshableCredentials, create_assume_role_refresher
        from botocore.exceptions import BotoCoreError, ClientError

        request = {ROLE_FIELDS[key]: value for key, value in role.items() if value is not None}
        request.setdefault("RoleSessionName", "pulumi")
        if "DurationSeconds" in request:
            request["DurationSeconds"] = _seconds(str(request["DurationSeconds"]))
        if "Tags" in request:
            request["Tags"] = [{"Key": key, "Value": value} for key, value in request["Tags"].items()]
        if "PolicyArns" in request:
            request["PolicyArns"] = [{"arn": arn} for arn in request["PolicyArns"]]
        refresh = create_assume_role_refresher(self._make(source, "sts", self.region), request)
        try:
            first = refresh()
        except (ClientError, BotoCoreError) as error:
            raise ProviderError(f"cannot assume {role.get('roleArn')}: {describe(error)}") from error
        session = botocore.session.Session()
        # botocore has no public way to give a session credentials that renew themselves before they end.
        session._credentials = RefreshableCredentials.create_from_metadata(first, refresh, "sts-assume-role")
        return session

    def _make(self, session: BotoSession, service: str, region: str) -> Any:
        from botocore.config import Config

        attempts = int(self.config.get("maxRetries") or 2) + 1
        config = Config(
            retries={"mode": "standard", "total_max_attempts": attempts},
            s3={"addressing_style": "path"},
            max_pool_connections=32,
            connect_timeout=10,
            read_timeout=120,
        )
        return session.create_client(service, region_name=region, endpoint_url=self.endpoint, config=config)

    def validate(self) -> None:
        """What the real provider verifies when it is configured; raises ProviderError."""
        _ = self.endpoint, self.region, self._base
        allowed, forbidden = self.config.get("allowedAccountIds"), self.config.get("forbiddenAccountIds")
        if allowed and self.account not in allowed:
            raise ProviderError(f"AWS account ID not allowed: {self.account} (aws:allowedAccountIds is {allowed})")
        if forbidden and self.account in forbidden:
            raise ProviderError(f"AWS account ID not allowed: {self.account} (named in aws:forbiddenAccountIds)")


def _seconds(duration: str) -> int:
    """Go's duration text (`1h30m`) in seconds."""
    import re

    parts = re.findall(r"(\d+)([hms])", duration)
    if not parts or "".join(n + u for n, u in parts) != duration:
        raise ProviderError(f"assumeRoles duration {duration!r}: expected a duration such as 15m or 1h")
    return sum(int(number) * {"h": 3600, "m": 60, "s": 1}[unit] for number, unit in parts)
