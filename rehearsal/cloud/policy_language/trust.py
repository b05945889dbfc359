"""Whom a trust or resource policy lets in."""

import functools
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from rehearsal.cloud.policy_language.evaluate import Effect, Kind, Policies, Request, Source, evaluate
from rehearsal.cloud.policy_language.policy import Policy, Statement, parse_policy
from rehearsal.cloud.policy_language.principals import Requester
from rehearsal.cloud.wire.types import Principal


def allows(
    document: str | Mapping[str, Any],
    principal: Principal,
    context: Mapping[str, str],
    action: str = "sts:AssumeRole",
) -> bool:
    """Does a policy let `principal` do `action`? `context` holds condition keys, e.g. aws:SourceArn.

    The resource that the policy hangs on is the one asked for, so `Resource` is not looked at; nor are identity
    policies: an account that is let in counts as let in with all its principals.
    """
    source = Source("", Kind.RESOURCE, _about_itself(parse_policy(document)))
    requester = Requester(principal.arn, principal.account, principal.role_arn, principal.kind == "service")
    keys = {name.lower(): (value,) for name, value in context.items()}
    decision = evaluate(Request(requester, action, "*", keys), Policies(resource=source))
    return decision.by_kind[Kind.RESOURCE] is Effect.ALLOWED


@functools.lru_cache(maxsize=512)
def _about_itself(policy: Policy) -> Policy:
    return Policy(tuple(_anywhere(statement) for statement in policy.statements))


def _anywhere(statement: Statement) -> Statement:
    return replace(statement, resources=None)
