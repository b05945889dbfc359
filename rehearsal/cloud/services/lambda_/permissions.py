"""Resource policies: who besides the account's own identities may invoke a function."""

import fnmatch
import json
import re
from typing import Any

from rehearsal.cloud.core.api import AwsError, Call, Principal, operation
from rehearsal.cloud.services.lambda_.functions import target_of
from rehearsal.cloud.services.lambda_.state import (
    LATEST,
    Function,
    Policy,
    check_revision,
    conflict,
    lock,
    new_revision,
)

_ACCOUNT = re.compile(r"\d{12}")


@operation("lambda", "AddPermission")
def add_permission(call: Call) -> dict[str, Any]:
    """Adds a statement to the policy of the function, or of the version or alias that `Qualifier` names."""
    function, qualifier = target_of(call)
    qualifier = "" if qualifier == LATEST else qualifier
    statement = _statement(call, function.qualified(qualifier))
    with lock():
        policy = function.policies.setdefault(qualifier, Policy())
        check_revision(call.params.get("RevisionId"), policy.revision, "GetPolicy")
        if any(known["Sid"] == statement["Sid"] for known in policy.statements):
            raise conflict(
                f"The statement id ({statement['Sid']}) provided already exists. Please provide a new statement id, "
                "or remove the existing statement."
            )
        policy.statements.append(statement)
        policy.revision = new_revision()
    return {"Statement": json.dumps(statement, separators=(",", ":"))}


def _statement(call: Call, resource: str) -> dict[str, Any]:
    params = call.params
    conditions: dict[str, dict[str, str]] = {}
    if params.get("SourceAccount"):
        conditions["StringEquals"] = {"AWS:SourceAccount": params["SourceAccount"]}
    if params.get("PrincipalOrgID"):
        conditions.setdefault("StringEquals", {})["aws:PrincipalOrgID"] = params["PrincipalOrgID"]
    if params.get("SourceArn"):
        conditions["ArnLike"] = {"AWS:SourceArn": params["SourceArn"]}
    statement = {
        "Sid": params["StatementId"],
        "Effect": "Allow",
        "Principal": _principal(params["Principal"]),
        "Action": params["Action"],
        "Resource": resource,
    }
    return statement | {"Condition": conditions} if conditions else statement


def _principal(text: str) -> Any:
    if text == "*":
        return "*"
    if _ACCOUNT.fullmatch(text):
        return {"AWS": f"arn:aws:iam::{text}:root"}
    if text.startswith("arn:"):
        return {"AWS": text}
    if re.fullmatch(r"[\w.-]+\.amazonaws\.com", text):
        return {"Service": text}
    raise AwsError("InvalidParameterValueException", "The provided principal was invalid. Please check the principal "
                   "and try again.", 400, Type="User")  # fmt: skip


@operation("lambda", "GetPolicy")
def get_policy(call: Call) -> dict[str, Any]:
    function, qualifier = target_of(call)
    policy = function.policies.get("" if qualifier == LATEST else qualifier)
    if policy is None or not policy.statements:
        raise AwsError("ResourceNotFoundException", "The resource you requested does not exist.", 404, Type="User")
    document = {"Version": "2012-10-17", "Id": "default", "Statement": policy.statements}
    return {"Policy": json.dumps(document, separators=(",", ":")), "RevisionId": policy.revision}


@operation("lambda", "RemovePermission")
def remove_permission(call: Call) -> dict[str, Any]:
    function, qualifier = target_of(call)
    sid = call.params["StatementId"]
    with lock():
        policy = function.policies.get("" if qualifier == LATEST else qualifier, Policy())
        kept = [statement for statement in policy.statements if statement["Sid"] != sid]
        if len(kept) == len(policy.statements):
            text = f"Statement {sid} is not found in resource policy."
            raise AwsError("ResourceNotFoundException", text, 404, Type="User")
        check_revision(call.params.get("RevisionId"), policy.revision, "GetPolicy")
        policy.statements = kept
        policy.revision = new_revision()
    return {}


def service_may_invoke(function: Function, qualifier: str, service: str, source_arn: str, source_account: str) -> bool:
    """Does the policy of exactly this qualifier let a service principal invoke, on behalf of that source?"""
    policy = function.policies.get("" if qualifier == LATEST else qualifier)
    context = {"aws:sourcearn": source_arn, "aws:sourceaccount": source_account}
    return any(
        _allows_invoke(statement)
        and (statement["Principal"] == "*" or statement["Principal"].get("Service") == service)
        and _holds(statement, context)
        for statement in (policy.statements if policy else [])
    )


def principal_may_invoke(function: Function, qualifier: str, principal: Principal) -> bool:
    """Does the policy of exactly this qualifier let an identity of another account invoke?"""
    policy = function.policies.get("" if qualifier == LATEST else qualifier)
    accepted = {"*", f"arn:aws:iam::{principal.account}:root", principal.arn, principal.role_arn}
    return any(
        _allows_invoke(statement)
        and (statement["Principal"] == "*" or statement["Principal"].get("AWS") in accepted)
        and _holds(statement, {})
        for statement in (policy.statements if policy else [])
    )


def _allows_invoke(statement: dict[str, Any]) -> bool:
    return bool(statement["Effect"] == "Allow" and fnmatch.fnmatchcase("lambda:InvokeFunction", statement["Action"]))


def _holds(statement: dict[str, Any], context: dict[str, str]) -> bool:
    for operator, block in statement.get("Condition", {}).items():
        for key, wanted in block.items():
            actual = context.get(key.lower())
            if actual is None or not _matches(operator, actual, wanted):
                return False
    return True


def _matches(operator: str, actual: str, wanted: str) -> bool:
    if operator == "ArnLike":
        return fnmatch.fnmatchcase(actual, wanted.replace("[", "[[]"))
    return actual == wanted
