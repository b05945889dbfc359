"""The policies that bear on a request, from moto's records and the gateway's own."""

from collections.abc import Sequence
from typing import Any

from moto.events.models import events_backends
from moto.iam.models import iam_backends
from moto.secretsmanager.models import secretsmanager_backends
from moto.sns.models import sns_backends
from moto.sqs.models import sqs_backends

from rehearsal.cloud.authorization import kms, registry, s3
from rehearsal.cloud.authorization.need import Need
from rehearsal.cloud.core.cloud import Cloud
from rehearsal.cloud.policy_language.evaluate import Kind, Policies, Source
from rehearsal.cloud.policy_language.policy import Policy, parse_policy
from rehearsal.cloud.wire.types import Principal

_EVERYTHING = Source(
    "AdministratorAccess",
    Kind.IDENTITY,
    parse_policy({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}),
)


def role(account: str, arn: str) -> Any:
    """moto's role with this ARN; None where there is none."""
    return next((item for item in list(iam_backends[account]["aws"].roles.values()) if item.arn == arn), None)


def holder(principal: Principal) -> Any:
    """moto's role or user behind a principal; None for one that has gone, for services and administrators."""
    if principal.role_arn:
        return role(principal.account, principal.role_arn)
    if principal.kind == "service":
        return None
    return iam_backends[principal.account]["aws"].users.get(principal.arn.rpartition("/")[2])


def identity(item: Any) -> list[Source]:
    """Inline and attached policies of a role, a user (with its groups) or a group."""
    if item is None:
        return []
    kind = type(item).__name__.lower()
    found = [Source(name, Kind.IDENTITY, parse_policy(text), kind) for name, text in list(item.policies.items())]
    for policy in list(item.managed_policies.values()):
        origin = "aws-managed" if ":iam::aws:" in policy.arn else "user-managed"
        found.append(Source(policy.name, Kind.IDENTITY, managed(policy), origin))
    if kind == "user":
        groups = iam_backends[item.account_id]["aws"].get_groups_for_user(item.name)
        found += [source for group in groups for source in identity(group)]
    return found


def managed(policy: Any) -> Policy:
    """A managed policy's default version."""
    version = next(item for item in policy.versions if item.version_id == policy.default_version_id)
    return parse_policy(version.document)


def boundary(item: Any) -> Source | None:
    """The permissions boundary of a role or user. One that does not exist any more allows nothing."""
    arn = getattr(item, "permissions_boundary_arn", None)
    if not arn:
        return None
    policy = iam_backends[item.account_id]["aws"].managed_policies.get(arn)
    text = managed(policy) if policy is not None else parse_policy({"Version": "2012-10-17", "Statement": []})
    return Source(arn, Kind.BOUNDARY, text)


def policies(cloud: Cloud, principal: Principal, item: Any, need: Need, granted: bool = False) -> Policies:
    """All that may speak on what a principal needs. `item` is its `holder`."""
    return Policies(
        identity=[_EVERYTHING] if principal.kind == "administrator" else identity(item),
        boundary=boundary(item),
        sessions=sessions(principal),
        resource=of_resource(cloud, need),
        granted=granted,
    )


def sessions(principal: Principal) -> Sequence[Source]:
    """Session policies given when the role was assumed."""
    return [Source("session", Kind.SESSION, parse_policy(text)) for text in principal.session_policies]


def of_resource(cloud: Cloud, need: Need) -> Source | None:
    """The policy that is attached to the resource itself."""
    finder = registry.policy_finders.get(need.service) or _FINDERS.get(need.service)
    document = finder(cloud, need) if finder and need.resource != "*" else None
    return Source(need.resource, Kind.RESOURCE, parse_policy(document)) if document else None


def _bucket(cloud: Cloud, need: Need) -> Any:
    found = s3.bucket(need.resource.removeprefix("arn:aws:s3:::").partition("/")[0])
    return found.policy if found is not None else None


def _key(cloud: Cloud, need: Need) -> Any:
    found = kms.find(need.resource, need.account, need.resource.split(":")[3])
    return found.policy if found is not None else None


def _trust(cloud: Cloud, need: Need) -> Any:
    if not need.action.startswith("sts:"):
        return None
    found = role(need.account, need.resource)
    return found.assume_role_policy_document if found is not None else None


def _topic(cloud: Cloud, need: Need) -> Any:
    parts = need.resource.split(":")
    found = sns_backends[parts[4]][parts[3]].topics.get(need.resource)
    return found.policy if found is not None else None


def _queue(cloud: Cloud, need: Need) -> Any:
    parts = need.resource.split(":")
    found = sqs_backends[parts[4]][parts[3]].queues.get(parts[5])
    return found.policy if found is not None else None


def _secret(cloud: Cloud, need: Need) -> Any:
    parts = need.resource.split(":")
    found = secretsmanager_backends[parts[4]][parts[3]].secrets.get(need.resource)
    return getattr(found, "policy", None) if found is not None else None


def _bus(cloud: Cloud, need: Need) -> Any:
    parts = need.resource.split(":")
    if not parts[5].startswith("event-bus/"):
        return None
    found = events_backends[parts[4]][parts[3]].event_buses.get(parts[5].removeprefix("event-bus/"))
    return found.policy if found is not None else None


_FINDERS = {
    "s3": _bucket,
    "kms": _key,
    "sts": _trust,
    "sns": _topic,
    "sqs": _queue,
    "secretsmanager": _secret,
    "events": _bus,
}
