"""Which policy documents a service takes when they are put.

The grammar: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html. What an element may hold:
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements.html and the pages below it. `policy.py`
reads what was let in; it is more lenient, so that a document kept by an older gateway still decides.
"""

import functools
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from rehearsal.cloud.policy_language.conditions import PolicyError, parse_conditions
from rehearsal.cloud.policy_language.principals import parse_principals

__all__ = ["IDENTITY", "RESOURCE", "TRUST", "PolicyError", "check"]

IDENTITY = "identity"
RESOURCE = "resource"
TRUST = "trust"

_VERSIONS = ("2012-10-17", "2008-10-17")
_DOCUMENT = frozenset({"Version", "Id", "Statement"})
_ELEMENTS = frozenset({
    "Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Principal", "NotPrincipal", "Condition",
})  # fmt: skip
_SID = re.compile(r"[A-Za-z0-9]*")
_ACTION = re.compile(r"[A-Za-z0-9-]+:[A-Za-z0-9*?]+")
_RESOURCE = re.compile(r"arn:[^:]*:[^:]*:[^:]*:[^:]*:.+", re.DOTALL)
_TRUSTED = ("sts:AssumeRole", "sts:AssumeRoleWithSAML", "sts:AssumeRoleWithWebIdentity", "sts:TagSession",
            "sts:SetSourceIdentity", "sts:SetContext", "sts:GetCallerIdentity")  # fmt: skip


@dataclass(frozen=True)
class _Kind:
    """Of which kind a document is, and of which service its actions must be (empty: any)."""

    name: str
    vendor: str


@functools.lru_cache(maxsize=1024)
def _passed(text: str, kind: str, vendor: str) -> str:
    """Empty, or why the document is refused. Kept: the same document is put again and again."""
    try:
        _document(text, _Kind(kind, vendor))
    except PolicyError as error:
        return str(error)
    return ""


def check(text: str, kind: str, vendor: str = "") -> None:
    """Raise PolicyError, worded as IAM words it, for a document that is refused."""
    if reason := _passed(text, kind, vendor):
        raise PolicyError(reason)


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({name for name, _ in pairs}) < len(pairs):
        raise PolicyError("Syntax errors in policy.")
    return dict(pairs)


def _document(text: str, kind: _Kind) -> None:
    try:
        document = json.loads(text, object_pairs_hook=_no_duplicates)
    except PolicyError:
        raise
    except (ValueError, RecursionError):
        raise PolicyError("This policy contains invalid Json") from None
    if not isinstance(document, dict):
        raise PolicyError("Syntax errors in policy.")
    if set(document) - _DOCUMENT:
        raise PolicyError("Syntax errors in policy.")
    if document.get("Version", _VERSIONS[0]) not in _VERSIONS:
        raise PolicyError("The policy must contain a valid version string" if kind.name != IDENTITY
                          else "Policy document must be version 2012-10-17 or greater.")  # fmt: skip
    if "Statement" not in document:
        raise PolicyError("Missing required field Statement")
    listed = document["Statement"] if isinstance(document["Statement"], list) else [document["Statement"]]
    if not listed:
        raise PolicyError("Missing required field Statement" if kind.name != IDENTITY else "Syntax errors in policy.")
    for statement in listed:
        _statement(statement, kind)
    sids = [statement["Sid"] for statement in listed if statement.get("Sid")]
    if len(set(sids)) < len(sids):
        raise PolicyError("Statement IDs (SID) in a single policy must be unique.")


def _statement(statement: Any, kind: _Kind) -> None:
    if not isinstance(statement, Mapping) or set(statement) - _ELEMENTS:
        raise PolicyError("Syntax errors in policy.")
    if "Effect" not in statement:
        raise PolicyError("Missing required field Effect")
    if statement["Effect"] not in ("Allow", "Deny"):
        raise PolicyError(f"Invalid effect: {statement['Effect']}")
    sid = statement.get("Sid", "")
    if not isinstance(sid, str) or (kind.name == IDENTITY and not _SID.fullmatch(sid)):
        raise PolicyError("Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular "
                          "expression [0-9A-Za-z]*")  # fmt: skip
    _actions(_one_of(statement, "Action"), kind)
    _principals(statement, kind)
    _resources(statement, kind)
    parse_conditions(statement.get("Condition"), variables=True)


def _one_of(statement: Mapping[str, Any], name: str) -> list[str]:
    inverse = f"Not{name}"
    if name in statement and inverse in statement:
        raise PolicyError("Syntax errors in policy.")
    value = statement.get(name, statement.get(inverse))
    if value is None:
        raise PolicyError("Policy statement must contain actions." if name == "Action" else
                          f"Missing required field {name}")  # fmt: skip
    listed = value if isinstance(value, list) else [value]
    if not listed:
        raise PolicyError("Policy statement must contain actions." if name == "Action" else
                          "Policy statement must contain resources.")  # fmt: skip
    if not all(isinstance(text, str) for text in listed):
        raise PolicyError("Syntax errors in policy.")
    return listed


def _actions(actions: list[str], kind: _Kind) -> None:
    for action in actions:
        if action == "*":
            if kind.name == TRUST:
                raise PolicyError("AssumeRole policy may only specify STS AssumeRole actions.")
            continue
        if not _ACTION.fullmatch(action):
            if ":" not in action:
                raise PolicyError("Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.")
            raise PolicyError(f"The action {action} is not valid")
        vendor = action.partition(":")[0].lower()
        if kind.name == TRUST and not _is_trusted(action):
            raise PolicyError("AssumeRole policy may only specify STS AssumeRole actions.")
        if kind.vendor and vendor != kind.vendor:
            raise PolicyError("Policy statement action out of service scope!")


def _is_trusted(action: str) -> bool:
    pattern = re.escape(action.lower()).replace(r"\*", ".*").replace(r"\?", ".")
    return any(re.fullmatch(pattern, known.lower()) for known in _TRUSTED)


def _principals(statement: Mapping[str, Any], kind: _Kind) -> None:
    given = [name for name in ("Principal", "NotPrincipal") if name in statement]
    if kind.name == IDENTITY:
        if given:
            raise PolicyError("Policy document should not specify a principal.")
        return
    if not given:
        raise PolicyError("Missing required field Principal")
    if len(given) > 1:
        raise PolicyError("Syntax errors in policy.")
    value = statement[given[0]]
    if kind.name == TRUST and given[0] == "NotPrincipal" and statement["Effect"] == "Allow":
        raise PolicyError("Allow with NotPrincipal is not allowed.")
    for text in _named(value):
        _principal(text)
    parse_principals(value)


def _named(value: Any) -> Iterator[str]:
    if value == "*":
        return
    if not isinstance(value, Mapping) or not value:
        raise PolicyError(f'Invalid principal in policy: "STRING":"{value}"')
    for kind, names in value.items():
        if kind not in ("AWS", "Service", "Federated", "CanonicalUser"):
            raise PolicyError(f"Invalid principal in policy: {kind}")
        for name in names if isinstance(names, list) else [names]:
            if not isinstance(name, str):
                raise PolicyError("Syntax errors in policy.")
            yield f"{kind}:{name}"


def _principal(text: str) -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html"""
    kind, _, name = text.partition(":")
    if kind == "AWS" and name != "*":
        known = re.fullmatch(r"\d{12}|arn:[\w-]+:(iam|sts)::(\d{12}|cloudfront):(root|(user|role|assumed-role|"
                             r"federated-user)/.+)|A[A-Z0-9]{15,}", name)  # fmt: skip
        if known is None:
            raise PolicyError(f'Invalid principal in policy: "AWS":"{name}"')
    if kind == "Service" and not re.fullmatch(r"[\w.-]+\.amazonaws\.com(\.cn)?|[\w.-]+\.amazon\.com", name):
        raise PolicyError(f'Invalid principal in policy: "SERVICE":"{name}"')


def _resources(statement: Mapping[str, Any], kind: _Kind) -> None:
    if kind.name == TRUST:
        if "Resource" in statement or "NotResource" in statement:
            raise PolicyError("Has prohibited field Resource")
        return
    for resource in _one_of(statement, "Resource"):
        if kind.name == IDENTITY and resource != "*" and not _RESOURCE.fullmatch(resource):
            raise PolicyError(f'Resource {resource} must be in ARN format or "*".')


def statements(text: str) -> list[dict[str, Any]]:
    """The statements of a document that was let in, as they are written."""
    found = json.loads(text)["Statement"]
    return list(found) if isinstance(found, list) else [found]
