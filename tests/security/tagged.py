"""What an attacker would try on what has an id of AWS's: APIs and scalable targets, which tags alone tell apart."""

from collections.abc import Iterator, Sequence
from urllib.parse import quote

from contracts.names import OWNER, Names
from tests.security.attempt import Attempt, Context

_VERBS = ("DELETE", "GET", "PATCH", "POST", "PUT")
_KINDS = {"restapis": "a1", "apikeys": "k1", "usageplans": "u1"}
_PARTS = ("restapis/a1/resources/r/methods/POST/integration", "restapis/a1/deployments", "restapis/a1/stages/live",
          "usageplans/u1/keys")  # fmt: skip
_BARE = ("account", "domainnames/d", "vpclinks/v")
_SCALING = ("DeleteScalingPolicy", "DeregisterScalableTarget", "PutScalingPolicy", "PutScheduledAction",
            "RegisterScalableTarget", "TagResource", "UntagResource")  # fmt: skip
_HERE: Context = {"application-autoscaling:service-namespace": ("sagemaker",)}


def by_tags(names: Names, env: str) -> Iterator[Attempt]:
    """On an environment's APIs and scalable targets, and on what carries no tag in its account."""
    api = f"arn:{names.partition}:apigateway:{names.region}::/"
    yield from _each("apigateway", _VERBS, api, _BARE, env, {})
    yield from _each(
        "apigateway", _VERBS, api, [f"{kind}/{name}" for kind, name in _KINDS.items()], env, _has(names, env)
    )
    yield from _each("apigateway", _VERBS, api, _PARTS, env, _has(names, env))
    yield from _each("apigateway", ("POST",), api, list(_KINDS), env, _given(names, env))
    for path in (*(f"{kind}/{name}" for kind, name in _KINDS.items()), "restapis/a1/stages/live"):
        yield from _tags(names, api, path, env)
    for kind in _KINDS:
        # Another team's, of which nobody has said whose it is.
        yield Attempt("apigateway:GET", f"{api}{kind}/s1", "stranger", kind, account=names.accounts[env])
        yield Attempt("apigateway:PATCH", f"{api}{kind}/s1", "stranger", kind, account=names.accounts[env])
    yield from _targets(names, env)


def _each(
    service: str, verbs: Sequence[str], start: str, paths: Sequence[str], owner: str, context: Context
) -> Iterator[Attempt]:
    for path in paths:
        yield from (Attempt(f"{service}:{verb}", f"{start}{path}", owner, path, context) for verb in verbs)


def _has(names: Names, env: str) -> Context:
    """It carries an environment's tag."""
    return {f"aws:resourcetag/{OWNER}": (names.stack(env),)}


def _given(names: Names, env: str) -> Context:
    """It is given an environment's tag."""
    return {f"aws:requesttag/{OWNER}": (names.stack(env),), "aws:tagkeys": (OWNER,)}


def _tags(names: Names, api: str, path: str, env: str) -> Iterator[Attempt]:
    """To say whose something is, which is to take it; and to change another tag of it."""
    target = f"{api}tags/{quote(f'{api}{path}', safe='')}"
    for verb in ("DELETE", "PUT"):
        for claimant in names.environments:
            what = f"tag {OWNER} of {path} for {claimant}"
            yield Attempt(f"apigateway:{verb}", target, env, what, _given(names, claimant))
        yield Attempt(f"apigateway:{verb}", target, env, f"another tag of {path}", {"aws:tagkeys": ("cost",)})


def _targets(names: Names, env: str) -> Iterator[Attempt]:
    start = names.arn("application-autoscaling", "scalable-target/", env)
    for verb in _SCALING:
        action = f"application-autoscaling:{verb}"
        yield Attempt(action, f"{start}{env}0000", env, "scalable target", {**_HERE, **_has(names, env)})
        yield Attempt(action, f"{start}*", env, "new scalable target", {**_HERE, **_given(names, env)})
        for claimant in names.environments:
            claimed = {**_HERE, **_given(names, claimant)}
            what = f"scalable target for {claimant}"
            if claimant != env:
                yield Attempt(action, f"{start}{env}0000", env, what, {**claimed, **_has(names, env)})
            yield Attempt(action, f"{start}s0000", "stranger", what, claimed)
