"""What each role may do, and what it did during the rehearsal."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from rehearsal.tour.report import Report


def as_list(value: Any) -> list[Any]:
    """IAM allows one value where a list may stand."""
    return value if isinstance(value, list) else [value]


def granted_actions(documents: Iterable[Mapping[str, Any]]) -> set[str]:
    """The actions that the Allow statements of these policy documents name."""
    actions: set[str] = set()
    for document in documents:
        for statement in as_list(document["Statement"]):
            if statement["Effect"] == "Allow":
                actions.update(as_list(statement.get("Action", [])))
    return actions


def role_documents(iam: Any, role: str) -> list[dict[str, Any]]:
    """The inline policies of a role and those attached to it."""
    names = iam.list_role_policies(RoleName=role)["PolicyNames"]
    documents = [iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"] for name in names]
    for attached in iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]:
        arn = attached["PolicyArn"]
        version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
        documents.append(iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"])
    return [json.loads(d) if isinstance(d, str) else d for d in documents]


def role_entry(arn: str, granted: set[str], calls: Mapping[str, Any]) -> Report:
    """One entry of the report's `roles`; `calls` has the ledger's `used` and `denied`, action → count."""
    known = {action.lower(): action for action in granted}
    used = {known[action.lower()] for action in calls.get("used", {}) if action.lower() in known}
    return {
        "role": arn,
        "granted": len(granted),
        "used": len(used),
        "unused": sorted(granted - used),
        "denied": sorted(calls.get("denied", {})),
    }


def role_entries(iam_clients: Iterable[Any], ledger: Mapping[str, Mapping[str, Any]]) -> list[Report]:
    """All roles of the given accounts, in the order of their ARNs."""
    entries = []
    for iam in iam_clients:
        for page in iam.get_paginator("list_roles").paginate():
            for role in page["Roles"]:
                granted = granted_actions(role_documents(iam, role["RoleName"]))
                entries.append(role_entry(role["Arn"], granted, ledger.get(role["Arn"], {})))
    return sorted(entries, key=lambda entry: str(entry["role"]))
