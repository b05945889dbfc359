"""Resource policies: who besides the account's own identities may invoke a function."""

import json
import re
from typing import Any

from rehearsal.cloud.core.api import AwsError, Call, operation
from rehearsal.cloud.services.lambda_.functions import target_of
from rehearsal.cloud.services.lambda_.state import (
    LATEST,
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
    if params.get("FunctionUrlAuthType"):
        conditions.setdefault("StringEquals", {})["lambda:FunctionUrlAuthType"] = params["FunctionUrlAuthType"]
    if params.get("EventSourceToken"):
        conditions.setdefault("StringEquals", {})["lambda:EventSourceToken"] = params["EventSourceToken"]
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
        if not policy.statements:
            text = "No policy is associated with the given resource."
            raise AwsError("ResourceNotFoundException", text, 404, Type="User")
        if len(kept) == len(policy.statements):
            text = f"Statement {sid} is not found in resource policy."
            raise AwsError("ResourceNotFoundException", text, 404, Type="User")
        check_revision(call.params.get("RevisionId"), policy.revision, "GetPolicy")
        policy.statements = kept
        policy.revision = new_revision()
    return {}
