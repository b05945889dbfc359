"""What each role may do, and what it did: sufficient where nothing is denied, minimal where nothing is unused."""

import fnmatch
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from contracts.errors import UserError
from scenarios.tour.report import Report

REASONS = Path(__file__).resolve().parent.parent / "unused_grants.yaml"
"""Grants that only real AWS uses, each with its reason."""

MATRIX_LEDGER = Path("faults", "cloud", "ledger.json")
"""Where the cloud of the fault matrix leaves its ledger, in the rehearsal's folder."""


@dataclass(frozen=True)
class Reason:
    """Why roles need actions that the rehearsal does not use. `role` is a pattern for role names."""

    role: str
    actions: tuple[str, ...]
    reason: str

    def covers(self, role: str, action: str) -> bool:
        return fnmatch.fnmatchcase(role, self.role) and action in self.actions


def read_reasons(production: str, path: Path = REASONS) -> list[Reason]:
    """The file's entries, `{production}` in a role's pattern being the environment of that name.

    Raises UserError for one that lacks a role, actions or a reason, or has a wildcard action."""
    entries = yaml.safe_load(path.read_text()) or []
    return [_reason(path, number, entry, production) for number, entry in enumerate(entries, 1)]


def _reason(path: Path, number: int, entry: Any, production: str) -> Reason:
    if not isinstance(entry, dict) or set(entry) != {"role", "actions", "reason"}:
        raise UserError(f"{path.name}: entry {number} must have role, actions and reason, and nothing else")
    actions = entry["actions"]
    if not isinstance(actions, list) or any(":" not in str(action) or "*" in str(action) for action in actions):
        raise UserError(f"{path.name}: entry {number}: actions must be a list of full names such as s3:GetObject")
    if len(str(entry["reason"]).split()) < 4:
        raise UserError(f"{path.name}: entry {number}: {entry['reason']!r} is no reason: say which real call needs it")
    role = str(entry["role"]).replace("{production}", production)
    return Reason(role, tuple(str(action) for action in actions), str(entry["reason"]))


def as_list(value: Any) -> list[Any]:
    """IAM allows one value where a list may stand."""
    return value if isinstance(value, list) else [value]


def granted(documents: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """The grants of policy documents, by their names: `<policy>/<statement> <action>` for each allowed action."""
    found = []
    for name, document in documents.items():
        for index, statement in enumerate(as_list(document["Statement"])):
            if statement["Effect"] != "Allow":
                continue
            label = f"{name}/{statement.get('Sid') or index}"
            found += [f"{label} {action}" for action in as_list(statement.get("Action", []))]
    return found


def role_documents(iam: Any, role: str) -> dict[str, dict[str, Any]]:
    """The inline policies of a role and those attached to it, by their names."""
    names = iam.list_role_policies(RoleName=role)["PolicyNames"]
    found = {name: iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"] for name in names}
    for attached in iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]:
        arn = attached["PolicyArn"]
        version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
        document = iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]
        found[attached["PolicyName"]] = document
    return {name: json.loads(d) if isinstance(d, str) else d for name, d in found.items()}


def role_entry(arn: str, grants: Iterable[str], calls: Mapping[str, Any], reasons: Iterable[Reason] = ()) -> Report:
    """One entry of the report's `roles`; `calls` is the role's part of the ledger.

    `unused` are grants that neither a call nor a reason speaks for, `explained` those that only a reason does.
    """
    everything = list(grants)
    used = {_folded(grant) for grant in calls.get("grants", {})}
    idle = [grant for grant in everything if _folded(grant) not in used]
    name = arn.rpartition("/")[2]
    explained = {}
    unused = []
    for grant in idle:
        reason = next((item for item in reasons if item.covers(name, grant.partition(" ")[2])), None)
        if reason:
            explained[_shown(grant)] = reason.reason
        else:
            unused.append(_shown(grant))
    return {
        "role": arn,
        "granted": len(everything),
        "used": len(everything) - len(idle),
        "unused": unused,
        "explained": explained,
        "denied": sorted(calls.get("denied", {})),
        "refusals": list(calls.get("refusals", ())),
    }


def _folded(grant: str) -> str:
    # IAM minds no case in actions.
    label, _, action = grant.partition(" ")
    return f"{label} {action.lower()}"


def _shown(grant: str) -> str:
    label, _, action = grant.partition(" ")
    return f"{action} ({label.rpartition('/')[2]})"


def role_entries(
    iam_clients: Iterable[Any], ledger: Mapping[str, Mapping[str, Any]], reasons: Iterable[Reason] = ()
) -> list[Report]:
    """All roles of the given accounts, in the order of their ARNs. Roles of AWS's own services are left out."""
    entries = []
    known = list(reasons)
    for iam in iam_clients:
        for page in iam.get_paginator("list_roles").paginate():
            for role in page["Roles"]:
                if role["Path"].startswith("/aws-service-role/"):
                    continue
                grants = granted(role_documents(iam, role["RoleName"]))
                entries.append(role_entry(role["Arn"], grants, ledger.get(role["Arn"], {}), known))
    return sorted(entries, key=lambda entry: str(entry["role"]))


def matrix_ledger(folder: Path) -> dict[str, Any]:
    """What the last run of the fault matrix did, as its gateway left it in the rehearsal's folder; else nothing."""
    path = folder / MATRIX_LEDGER
    if not path.is_file():
        return {}
    found: dict[str, Any] = json.loads(path.read_text())
    return found


def without_purpose(ledger: Mapping[str, Mapping[str, Any]], denied: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """The ledger without the denials that faults were there to cause: role's name without the project's, action."""
    found: dict[str, Any] = {}
    known = list(denied)
    for arn, calls in ledger.items():
        meant = {action for role, action in known if arn.endswith(f"-{role}")}
        found[arn] = {
            **calls,
            "denied": {action: count for action, count in calls.get("denied", {}).items() if action not in meant},
            "refusals": [
                sentence
                for sentence in calls.get("refusals", ())
                if not any(f"to perform: {action} on" in sentence for action in meant)
            ],
        }
    return found


def merged(entries: Iterable[Report], ledger: Mapping[str, Mapping[str, Any]]) -> list[Report]:
    """The entries, with what the same roles did in another cloud: what was used there is used, what denied denied."""
    return [_merged(entry, ledger.get(str(entry["role"]), {})) for entry in entries]


def _merged(entry: Report, calls: Mapping[str, Any]) -> Report:
    used = {_shown(grant).lower() for grant in calls.get("grants", {})}
    unused = [grant for grant in entry["unused"] if grant.lower() not in used]
    explained = {grant: reason for grant, reason in entry["explained"].items() if grant.lower() not in used}
    return {
        **entry,
        "used": entry["granted"] - len(unused) - len(explained),
        "unused": unused,
        "explained": explained,
        "denied": sorted({*entry["denied"], *calls.get("denied", {})}),
        "refusals": list(dict.fromkeys([*entry["refusals"], *calls.get("refusals", ())])),
    }


def faults(entries: Iterable[Report]) -> list[str]:
    """One sentence for each denied call and each grant that nothing speaks for."""
    found = []
    for entry in entries:
        name = str(entry["role"]).rpartition("/")[2]
        sentences = entry["refusals"] or [f"was denied {action}" for action in entry["denied"]]
        found += [f"{name}: {sentence}" for sentence in sentences]
        found += [f"{name}: {grant} is granted and never used" for grant in entry["unused"]]
    return found
