"""The seam to Pulumi: from its proxies to plain values, and from rules to registered policies."""

import datetime
import json
from collections.abc import Mapping, Sequence
from typing import Any

from pulumi_policy import (
    EnforcementLevel,
    Policy,
    PolicyConfigSchema,
    PolicyResource,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    StackValidationArgs,
    StackValidationPolicy,
)
from pulumi_policy import policy as _sdk
from pulumi_policy import proxy as _proxy

from .catalogue import FAMILIES, RULES
from .judge import Judge, schema
from .model import UNKNOWN, Resource, Unknown, section
from .remediate import REMEDIATION, remediate
from .shared import share

_UNKNOWNS = frozenset(value for name, value in vars(_proxy).items() if name.startswith("UNKNOWN_"))


def plain(value: Any) -> Any:
    """Plain dicts, lists and scalars from what a policy is given; UNKNOWN where the engine does not know yet.

    The engine's own views raise on every touch of an unknown, which would leave the rest of the resource unjudged.
    """
    if isinstance(value, str):
        return UNKNOWN if value in _UNKNOWNS else value
    if isinstance(value, Mapping):
        inner = value if isinstance(value, dict) else value["__target"]
        return {key: plain(each) for key, each in inner.items()}
    if isinstance(value, Sequence):
        inner = value if isinstance(value, (list, tuple)) else value["__target"]  # type: ignore[call-overload]
        return [plain(each) for each in inner]
    return value


def _default_tags(provider: Any) -> Mapping[str, Any] | Unknown:
    """Tags that the AWS provider adds; its properties are JSON texts."""
    found = plain(provider.props).get("defaultTags") if provider is not None else None
    if isinstance(found, str):
        try:
            found = json.loads(found)
        except ValueError:
            return UNKNOWN
    tags: Any = section(found, "tags")
    return tags or {}


def _resource(args: ResourceValidationArgs) -> Resource:
    return Resource(
        args.resource_type,
        args.name,
        plain(args.props),
        args.urn,
        tuple(args.opts.ignore_changes),
        _default_tags(args.provider),
    )


def _member(resource: PolicyResource) -> Resource:
    sources = [
        *resource.dependencies,
        *(each for several in resource.property_dependencies.values() for each in several),
    ]
    return Resource(
        resource.resource_type,
        resource.name,
        plain(resource.props),
        resource.urn,
        depends=frozenset(each.urn for each in sources),
    )


def policies() -> list[Policy]:
    """All that is registered: a policy per family, `advice`, `stack` and `stack-advice`."""
    judge = Judge(RULES, datetime.datetime.now(datetime.UTC).date())
    share(_sdk)
    seen: tuple[object, Resource] | None = None

    def resource(args: ResourceValidationArgs) -> Resource:
        """What the families share of a resource: they are asked one after the other, with the same properties."""
        nonlocal seen
        before = seen
        if before is None or before[0] is not args.props:
            seen = before = (args.props, _resource(args))
        return before[1]

    def family(name: str, title: str) -> Policy:
        def validate(args: ResourceValidationArgs, report: ReportViolation) -> None:
            judge.resource(name, args.get_config(), resource(args), lambda text, _: report(text, None))

        rules = [rule for rule in RULES if rule.family == name and rule.check is not None]
        config = PolicyConfigSchema(schema(rules))
        return ResourceValidationPolicy(name, title, validate, EnforcementLevel.MANDATORY, config)

    def advice(args: ResourceValidationArgs, report: ReportViolation) -> None:
        judge.advice(args.urn, lambda text, _: report(text, None))

    def fix(args: ResourceValidationArgs) -> dict[str, Any] | None:
        changed = remediate(_resource(args), args.get_config())
        # What is not known yet must go back to the engine as it came.
        return {**args.props["__target"], **changed} if changed else None

    def stack(args: StackValidationArgs, report: ReportViolation) -> None:
        members = [_member(each) for each in args.resources]
        judge.stack(args.get_config(), members, lambda text, urn: report(text, urn or None))

    def stack_advice(args: StackValidationArgs, report: ReportViolation) -> None:
        for urn in [each.urn for each in args.resources]:
            judge.advice(urn, lambda text, urn: report(text, urn or None))

    return [
        *(family(name, title) for name, title in FAMILIES.items()),
        ResourceValidationPolicy("advice", "What would be better", advice, EnforcementLevel.ADVISORY),
        StackValidationPolicy(
            "stack",
            "What only the whole stack shows, and exemptions that do not hold",
            stack,
            EnforcementLevel.MANDATORY,
            PolicyConfigSchema(schema([rule for rule in RULES if rule.stack_check is not None])),
        ),
        ResourceValidationPolicy(
            "remediation",
            "Sets an end for logs, and the tags given in the config (off unless its enforcementLevel is remediate)",
            remediate=fix,  # type: ignore[arg-type]  # it may answer at once, the annotation forgets that
            enforcement_level=EnforcementLevel.DISABLED,
            config_schema=PolicyConfigSchema(REMEDIATION),
        ),
        StackValidationPolicy(
            "stack-advice", "What would be better for the whole stack", stack_advice, EnforcementLevel.ADVISORY
        ),
    ]
