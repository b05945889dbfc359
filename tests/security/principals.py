"""The roles of a project with all that bears on what they may do, at the gateway's evaluator."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from contracts.names import DELIVERY, Names
from definitions.roles import ci
from definitions.roles import delivery as delivery_roles
from definitions.roles import environment as environment_roles
from definitions.roles.delivery_account import Delivery
from definitions.roles.record import PARTS
from definitions.roles.subject import Environment
from definitions.storage import bucket_policy, delivery_key, environment_key, guard_artifacts, read_runs
from rehearsal.cloud.policy_language.evaluate import Kind, Policies, Request, Source, evaluate
from rehearsal.cloud.policy_language.policy import Policy, parse_policy
from rehearsal.cloud.policy_language.principals import Requester
from tests.security.attempt import Attempt
from tests.security.attempts import BACKEND, attempts

_REPOSITORY = ci.Repository("github", "owner/name", "main", "token.actions.githubusercontent.com")


@dataclass(frozen=True)
class Principal:
    """A role: `stack/purpose`, and how it is called where two monitors have roles of their own."""

    stack: str
    purpose: str
    requester: Requester
    identity: Policy
    boundary: Policy | None

    @property
    def name(self) -> str:
        """`prod/deployer`."""
        return f"{self.stack}/{self.purpose}"


@dataclass(frozen=True)
class Project:
    """A project with the foundation's own documents."""

    names: Names

    @cached_property
    def keys(self) -> dict[str, str]:
        """The keys of its stacks, and that of the state."""
        found = {stack: self.names.arn("kms", f"key/{stack}", stack) for stack in self.names.stacks}
        return found | {"state": self.names.arn("kms", "key/state")}

    @cached_property
    def attempts(self) -> list[Attempt]:
        """All that is tried on it."""
        return attempts(self.names, self.keys)

    def principals(self) -> Iterator[Principal]:
        """Every role. The delivery stack takes its source from a bucket; the state is in one as well."""
        signing, split = (self.names.arn("kms", f"key/{name}") for name in ("signing", "split"))
        key = self.keys[DELIVERY]
        at = Delivery(
            self.names, key, signing, split, backend=BACKEND, secret_name="glidepath/pulumi", spot=True, tuning=True
        )
        provider = ci.provider_arn(self.names, _REPOSITORY)
        records = delivery_roles.roles(self.names) | ci.roles(self.names, provider, _REPOSITORY)
        for record in records.values():
            yield self._principal(DELIVERY, record, at, None)
        for env in self.names.environments:
            for by in ("own", "sagemaker"):
                here = Environment(self.names, env, self.keys[env], by=by, probe=True, judge=True)
                limits = {part: parse_policy(environment_roles.boundary(here, part)) for part in PARTS}
                for made in environment_roles.roles(self.names, env, ci=True, by=by, probe=True, judge=True).values():
                    yield self._principal(env, made, here, limits[made.part] if made.bounded else None)

    def _principal(self, stack: str, record: Any, at: Any, boundary: Policy | None) -> Principal:
        account = self.names.accounts[stack]
        session = f"arn:aws:sts::{account}:assumed-role/{record.name}/attack"
        identity = parse_policy({"Version": "2012-10-17", "Statement": record.statements(at)})
        requester = Requester(session, account, self.names.role_arn(stack, record.purpose))
        return Principal(stack, record.purpose, requester, identity, boundary)

    @cached_property
    def resource_policies(self) -> Mapping[str, Policy]:
        """Policies of buckets by their ARNs, of keys and (for who may assume them) roles by theirs."""
        names = self.names
        found: dict[str, Any] = {arn: environment_key(names, stack) for stack, arn in self.keys.items()
                                 if stack in names.environments}  # fmt: skip
        found[self.keys[DELIVERY]] = delivery_key(names)
        account = {"Effect": "Allow", "Principal": {"AWS": names.root(DELIVERY)}, "Action": "kms:*", "Resource": "*"}
        found[self.keys["state"]] = {"Version": "2012-10-17", "Statement": [account]}
        artifacts, data = names.bucket_arn(names.artifacts_bucket), names.bucket_arn(names.data_bucket)
        found[artifacts] = bucket_policy(artifacts, self.keys[DELIVERY], *guard_artifacts(names), *read_runs(names))
        found[data] = bucket_policy(data, self.keys[DELIVERY])
        for env in names.environments:
            capture = names.bucket_arn(names.capture_bucket(env))
            found[capture] = bucket_policy(capture, self.keys[env])
            for by in ("own", "sagemaker"):
                makes = environment_roles.roles(names, env, ci=True, by=by, probe=True, judge=True).values()
                found |= {names.role_arn(env, made.purpose): made.trust for made in makes}
        kept = delivery_roles.roles(names).values()
        found |= {names.role_arn(DELIVERY, each.purpose): each.trust for each in kept}
        return {arn: parse_policy(_about_itself(document)) for arn, document in found.items()}


def _about_itself(document: Any) -> Any:
    return {**document, "Statement": [{"Resource": "*", **each} for each in document["Statement"]]}


def passing(project: Project, who: Principal, tried: Mapping[str, Sequence[Attempt]]) -> list[Attempt]:
    """What the gateway would let pass of attempts, which are given by their actions."""
    found: list[Attempt] = []
    for action, listed in tried.items():
        # Only a key's or a role's policy lets somebody in by itself here; of buckets, none names a role.
        if who.identity.about(action.lower()) or action.startswith(("kms:", "sts:")):
            found += [attempt for attempt in listed if _allowed(project, who, attempt)]
    return found


def _allowed(project: Project, who: Principal, attempt: Attempt) -> bool:
    service, _, _ = attempt.action.partition(":")
    policy = _policy(project, attempt, service)
    mine = who.requester.account
    # API Gateway's ARNs have no account: a call is about the caller's own.
    if service == "apigateway" and attempt.account != mine:
        return False
    context = {
        "aws:principalarn": (who.requester.role_arn or "",),
        "aws:principalaccount": (mine,),
        "aws:securetransport": ("true",),
        "s3:objectcreationoperation": ("true",),
        "s3:prefix": ("",),
        **attempt.context,
    }
    request = Request(
        who.requester,
        attempt.action,
        attempt.resource,
        context,
        attempt.account or mine,
        service in ("kms", "sts") and attempt.resource != "*",
    )
    policies = Policies(
        [Source("own", Kind.IDENTITY, who.identity)],
        Source("boundary", Kind.BOUNDARY, who.boundary) if who.boundary else None,
        (),
        Source(attempt.resource, Kind.RESOURCE, policy) if policy else None,
    )
    return evaluate(request, policies).allowed


def _policy(project: Project, attempt: Attempt, service: str) -> Policy | None:
    if service == "iam":
        return None
    if service == "s3":
        return project.resource_policies.get(attempt.resource.partition("/")[0])
    return project.resource_policies.get(attempt.resource)
