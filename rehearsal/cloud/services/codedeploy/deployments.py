"""Operations on deployments and their targets."""

import hashlib
import json
from datetime import UTC, datetime
from typing import Any

from werkzeug.wrappers import Request, Response

from rehearsal.cloud.core.api import AwsError, Call, Cloud, not_implemented, operation, route
from rehearsal.cloud.services.codedeploy import appspec, configs, execution
from rehearsal.cloud.services.codedeploy.state import Deployment, application, deployment, group, new, of, records

_OVERVIEW = ("Pending", "InProgress", "Succeeded", "Failed", "Skipped", "Ready")


@operation("codedeploy", "CreateDeployment")
def create_deployment(call: Call) -> dict[str, Any]:
    """Checks the request, and starts the deployment in the background."""
    owner, chosen = application(call), group(call)
    if owner.info["computePlatform"] != "Lambda":
        raise not_implemented("codedeploy", f"CreateDeployment on compute platform {owner.info['computePlatform']}")
    revision = call.params.get("revision")
    if not revision:
        raise AwsError("RevisionRequiredException", "The revision was not specified.")
    text = _text(call, revision)
    spec = appspec.parse(text)
    name = call.params.get("deploymentConfigName") or chosen["deploymentConfigName"]
    config = configs.find_for(call, name, "Lambda")
    overrides = {
        "alarmConfiguration": call.params.get("overrideAlarmConfiguration"),
        "autoRollbackConfiguration": call.params.get("autoRollbackConfiguration"),
    }
    settings = {**chosen, **{key: value for key, value in overrides.items() if value is not None}}
    digest = hashlib.sha256(text.encode()).hexdigest()
    kept = {"revisionType": "AppSpecContent", "appSpecContent": {"content": text, "sha256": digest}}
    if revision["revisionType"] != "AppSpecContent":
        kept = {"revisionType": "String", "string": {"content": text, "sha256": digest}}
    with of(call).lock:
        running = [d for d in of(call).deployments.values() if d.active and _is_of(d, chosen)]
        if running:
            name = chosen["deploymentGroupName"]
            text = f"The Deployment Group '{name}' already has an active Deployment '{running[0].id}'"
            raise AwsError("DeploymentLimitExceededException", text)
        made = new(call.cloud, call.account, call.region, settings, config, kept, spec, "user")
        made.info["description"] = call.params.get("description") or ""
        of(call).deployments[made.id] = made
        if kept not in owner.revisions:
            owner.revisions.append(kept)
    call.cloud.background(execution.execute, call.cloud, made, config, name=f"deployment-{made.id}")
    return {"deploymentId": made.id}


def _is_of(known: Deployment, chosen: dict[str, Any]) -> bool:
    return bool(known.group["deploymentGroupId"] == chosen["deploymentGroupId"])


def _text(call: Call, revision: dict[str, Any]) -> str:
    """The AppSpec's text. `String` is the older name of `AppSpecContent`."""
    kind = revision.get("revisionType")
    if kind in ("AppSpecContent", "String"):
        content = (revision.get("appSpecContent" if kind == "AppSpecContent" else "string") or {}).get("content")
        if not content:
            raise AwsError("InvalidRevisionException", "The revision has no content.")
        given = (revision.get("appSpecContent") or revision.get("string") or {}).get("sha256")
        if given and given != hashlib.sha256(content.encode()).hexdigest():
            raise AwsError("InvalidRevisionException", "The SHA-256 of the AppSpec does not match its content.")
        return str(content)
    if kind == "S3" and revision.get("s3Location"):
        place = revision["s3Location"]
        identity = call.cloud.accounts.find(call.access_key)
        credentials = identity.credentials if identity else None
        client = call.cloud.client("s3", call.account, call.region, credentials=credentials)
        version = {"VersionId": place["version"]} if place.get("version") else {}
        answer = client.get_object(Bucket=place["bucket"], Key=place["key"], **version)
        return str(answer["Body"].read().decode())
    raise AwsError("InvalidRevisionException", f"A revision of type {kind} cannot be deployed to Lambda.")


def shown(known: Deployment) -> dict[str, Any]:
    """DeploymentInfo."""
    return {**known.info, "deploymentOverview": {name: int(name == known.target["status"]) for name in _OVERVIEW}}


@operation("codedeploy", "GetDeployment")
def get_deployment(call: Call) -> dict[str, Any]:
    return {"deploymentInfo": shown(deployment(call))}


@operation("codedeploy", "BatchGetDeployments")
def batch_get_deployments(call: Call) -> dict[str, Any]:
    known = of(call).deployments
    return {"deploymentsInfo": [shown(known[name]) for name in call.params["deploymentIds"] if name in known]}


@operation("codedeploy", "ListDeployments")
def list_deployments(call: Call) -> dict[str, Any]:
    """The newest first."""
    params = call.params
    if params.get("applicationName"):
        application(call)
        if not params.get("deploymentGroupName"):
            text = "If the application name is specified, the deployment group name must be specified too."
            raise AwsError("DeploymentGroupNameRequiredException", text)
        group(call)
    elif params.get("deploymentGroupName"):
        text = "If the deployment group name is specified, the application name must be specified too."
        raise AwsError("ApplicationNameRequiredException", text)
    chosen = [known for known in of(call).deployments.values() if _matches(known, params)]
    chosen.sort(key=lambda known: known.info["createTime"], reverse=True)
    return {"deployments": [known.id for known in chosen]}


def _matches(known: Deployment, params: dict[str, Any]) -> bool:
    for key in ("applicationName", "deploymentGroupName"):
        if params.get(key) and known.info[key] != params[key]:
            return False
    statuses = params.get("includeOnlyStatuses")
    if statuses and known.info["status"] not in statuses:
        return False
    limits = params.get("createTimeRange") or {}
    created = known.info["createTime"].timestamp()
    start, end = _seconds(limits.get("start")), _seconds(limits.get("end"))
    return (start is None or created >= start) and (end is None or created <= end)


def _seconds(value: Any) -> float | None:
    if value is None or isinstance(value, int | float):
        return value
    stamp: datetime = value if value.tzinfo else value.replace(tzinfo=UTC)
    return stamp.timestamp()


@operation("codedeploy", "StopDeployment")
def stop_deployment(call: Call) -> dict[str, Any]:
    """Asks a deployment to stop; rolled back if the request or the group says so."""
    known = deployment(call)
    if not known.active:
        raise AwsError("DeploymentAlreadyCompletedException", f"The deployment {known.id} has already completed")
    known.rollback_on_stop = bool(call.params.get("autoRollbackEnabled"))
    known.stop.set()
    return {"status": "Pending", "statusMessage": "The deployment is being stopped."}


@operation("codedeploy", "ListDeploymentTargets")
def list_targets(call: Call) -> dict[str, Any]:
    return {"targetIds": [deployment(call).target["targetId"]]}


@operation("codedeploy", "GetDeploymentTarget")
def get_target(call: Call) -> dict[str, Any]:
    known = deployment(call)
    if call.params.get("targetId") != known.target["targetId"]:
        text = f"The deployment {known.id} has no target {call.params.get('targetId')}"
        raise AwsError("DeploymentTargetDoesNotExistException", text)
    return {"deploymentTarget": {"deploymentTargetType": "LambdaTarget", "lambdaTarget": known.target}}


@operation("codedeploy", "BatchGetDeploymentTargets")
def batch_get_targets(call: Call) -> dict[str, Any]:
    known = deployment(call)
    wanted = call.params.get("targetIds") or [known.target["targetId"]]
    found = [{"deploymentTargetType": "LambdaTarget", "lambdaTarget": known.target}]
    return {"deploymentTargets": found if known.target["targetId"] in wanted else []}


@operation("codedeploy", "GetApplicationRevision")
def get_revision(call: Call) -> dict[str, Any]:
    owner = application(call)
    wanted = call.params["revision"]
    digest = (wanted.get("string") or wanted.get("appSpecContent") or {}).get("sha256")
    for known in owner.revisions:
        if (known.get("string") or known["appSpecContent"])["sha256"] == digest:
            return {"applicationName": owner.info["applicationName"], "revision": known, "revisionInfo": {}}
    raise AwsError("RevisionDoesNotExistException", "The revision could not be found")


@operation("codedeploy", "ListApplicationRevisions")
def list_revisions(call: Call) -> dict[str, Any]:
    return {"revisions": application(call).revisions}


@operation("codedeploy", "PutLifecycleEventHookExecutionStatus")
def put_hook_status(call: Call) -> dict[str, Any]:
    """A hook reports `Succeeded` or `Failed`, once."""
    known = deployment(call)
    name, status = call.params.get("lifecycleEventHookExecutionId"), call.params.get("status")
    hook = known.hooks.get(name or "")
    if hook is None:
        text = f"No lifecycle event hook execution {name} in deployment {known.id}"
        raise AwsError("InvalidLifecycleEventHookExecutionIdException", text)
    if status not in ("Succeeded", "Failed"):
        text = f"The status is {status}, and must be Succeeded or Failed"
        raise AwsError("InvalidLifecycleEventHookExecutionStatusException", text)
    if hook.reported.is_set() or not known.active:
        text = f"The lifecycle event {hook.event} has already completed"
        raise AwsError("LifecycleEventAlreadyCompletedException", text)
    hook.status = status
    hook.reported.set()
    return {"lifecycleEventHookExecutionId": name}


@route("/_rehearsal/deployments/<deployment_id>", methods=["GET"])
def report(cloud: Cloud, request: Request, deployment_id: str) -> Response:
    """`{"id", "from", "to", "status", "error", "steps": [{"second", "weight"}]}` of a deployment of any account."""
    for account, region, _ in cloud.stores("codedeploy"):
        known = records(cloud, account, region).deployments.get(deployment_id)
        if known is not None:
            function = known.target["lambdaFunctionInfo"]
            body = {
                "id": known.id,
                "from": function["currentVersion"],
                "to": function["targetVersion"],
                "status": known.info["status"],
                "error": known.info.get("errorInformation"),
                "steps": known.steps(),
            }
            return Response(json.dumps(body), content_type="application/json")
    return Response(json.dumps({"message": f"no deployment {deployment_id}"}), 404, content_type="application/json")
