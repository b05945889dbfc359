"""One deployment from its start to its end: hooks, the shift of the alias, alarms, rollback."""

import contextlib
import json
import time
import uuid
from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

from rehearsal.cloud.core.api import AwsError, Cloud, Event, Place, on_restore
from rehearsal.cloud.services.codedeploy import configs, rollback
from rehearsal.cloud.services.codedeploy.state import Deployment, Hook, records
from rehearsal.cloud.services.lambda_.state import functions, parse_name
from rehearsal.cloud.wire.types import INTERRUPTED

_HOOK_SECONDS = 3600.0
# Functions run in real time: however fast the clock, a hook gets this many seconds.
_HOOK_FLOOR = 15.0
_POLL_SECONDS = 10.0
_STATES = {"InProgress": "START", "Succeeded": "SUCCESS", "Failed": "FAILURE", "Stopped": "STOP"}
_TRIGGERS = {
    "InProgress": "DeploymentStart",
    "Succeeded": "DeploymentSuccess",
    "Failed": "DeploymentFailure",
    "Stopped": "DeploymentStop",
}


class _End(Exception):  # noqa: N818 (it ends a deployment; not every end is an error)
    """The deployment ends here. `event` is the rollback event that it is."""

    def __init__(self, status: str, code: str, message: str, event: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.event = event


def _failure(code: str, message: str) -> _End:
    return _End("Failed", code, message, "DEPLOYMENT_FAILURE")


def execute(cloud: Cloud, deployment: Deployment, config: dict[str, Any]) -> None:
    """Runs on a thread of its own. Whatever happens, the deployment reaches a final status."""
    run = _Run(cloud, deployment)

    def whole() -> None:
        run.begin()
        run.validate()
        run.hook("BeforeAllowTraffic")
        run.shift(configs.steps(config))
        run.hook("AfterAllowTraffic")
        run.watch()
        run.end("Succeeded")

    _to_the_end(cloud, run, whole)


@on_restore
def end_interrupted(cloud: Cloud) -> None:
    """A deployment that was under way has failed, and is rolled back; a rollback is done again."""
    for _, _, kept in cloud.stores("codedeploy"):
        active = [made for made in kept["records"].deployments.values() if made.active] if "records" in kept else []
        for made in active:
            cloud.background(_end_interrupted, cloud, made, name=f"deployment-{made.id}")


def _end_interrupted(cloud: Cloud, deployment: Deployment) -> None:
    if deployment.info["creator"] == "codeDeployRollback":
        execute(cloud, deployment, configs.BUILT_IN[configs.ALL_AT_ONCE])
        return
    run = _Run(cloud, deployment)
    _to_the_end(cloud, run, run.interrupted)


def _to_the_end(cloud: Cloud, run: "_Run", work: Callable[[], None]) -> None:
    try:
        work()
    except Exception as problem:
        # Whatever fails in a cloud that goes down is no deployment's fault: restored, it was interrupted.
        if cloud.clock.stopped:
            return
        if isinstance(problem, _End):
            run.fail(problem)
        elif isinstance(problem, AwsError | ClientError):
            run.fail(_failure(_code(problem), str(problem)))
        else:
            run.fail(_failure("INTERNAL_ERROR", f"{type(problem).__name__}: {problem}"))
            raise


def _code(problem: AwsError | ClientError) -> str:
    code = problem.code if isinstance(problem, AwsError) else problem.response["Error"]["Code"]
    if code in ("AccessDenied", "AccessDeniedException"):
        return "IAM_ROLE_PERMISSIONS"
    return "INVALID_LAMBDA_CONFIGURATION" if code == "ResourceNotFoundException" else "INTERNAL_ERROR"


class _Run:
    """What an execution does, always with the credentials of the group's service role."""

    def __init__(self, cloud: Cloud, deployment: Deployment) -> None:
        self._cloud = cloud
        self._deployment = deployment
        self._function = deployment.target["lambdaFunctionInfo"]
        self._credentials: Any = None
        self._polled = 0.0
        self._valid = False

    # --- beginning and end -------------------------------------------------------------------------------------------

    def begin(self) -> None:
        info = self._deployment.info
        info["startTime"] = self._cloud.clock.now()
        self._deployment.target["status"] = "InProgress"
        self._status("InProgress")
        self._assume()
        self._notify("InProgress")

    def _assume(self) -> None:
        info = self._deployment.info
        group = f"deploymentgroup:{info['applicationName']}/{info['deploymentGroupName']}"
        source = f"arn:aws:codedeploy:{self._deployment.region}:{self._deployment.account}:{group}"
        try:
            self._credentials = self._cloud.assume_for_service(
                self._deployment.group["serviceRoleArn"],
                "codedeploy.amazonaws.com",
                self._deployment.id,
                source_arn=source,
                source_account=self._deployment.account,
            )
        except AwsError as problem:
            raise _failure("IAM_ROLE_PERMISSIONS", problem.message) from None

    def interrupted(self) -> None:
        """Ends as failed, and puts the alias back if it was touched."""
        # What was shifted had been validated.
        self._valid = bool(self._deployment.timeline)
        self._assume()
        raise _failure("INTERNAL_ERROR", f"The deployment was interrupted: {INTERRUPTED}")

    def _client(self, service: str) -> Any:
        account, region = self._deployment.account, self._deployment.region
        return self._cloud.client(service, account, region, credentials=self._credentials)

    def end(self, status: str) -> None:
        deployment = self._deployment
        deployment.target["status"] = "Succeeded" if status == "Succeeded" else "Failed"
        deployment.target["lastUpdatedAt"] = deployment.info["completeTime"] = self._cloud.clock.now()
        owner = records(self._cloud, deployment.account, deployment.region).applications.get(
            deployment.info["applicationName"]
        )
        group = owner.groups.get(deployment.info["deploymentGroupName"]) if owner else None
        if group is not None:
            last = {
                "deploymentId": deployment.id,
                "status": status,
                "createTime": deployment.info["createTime"],
                "endTime": deployment.info["completeTime"],
            }
            group["lastAttemptedDeployment"] = last
            if status == "Succeeded":
                group["lastSuccessfulDeployment"] = last
                group["targetRevision"] = deployment.info["revision"]
        self._status(status)
        self._notify(status)

    def fail(self, end: _End) -> None:
        """Ends the deployment, and starts the rollback where it is wanted. The status is the last thing to change."""
        deployment = self._deployment
        deployment.info["errorInformation"] = {"code": end.code, "message": end.message}
        for event in deployment.target["lifecycleEvents"]:
            if event["status"] == "InProgress":
                event |= {"status": "Failed", "endTime": self._cloud.clock.now()}
            elif event["status"] == "Pending":
                event["status"] = "Skipped"
        # Nothing was touched before the AppSpec proved right, and what it calls the current version may be wrong.
        wanted = self._valid and rollback.is_wanted(deployment, end.event)
        made = rollback.make(self._cloud, deployment, end.message) if wanted else None
        self.end(end.status)
        if made is not None:
            execute(self._cloud, made, configs.BUILT_IN[configs.ALL_AT_ONCE])

    # --- what is checked before anything moves -----------------------------------------------------------------------

    def validate(self) -> None:
        """The alias must be where the AppSpec says, and the target version must exist."""
        if self._deployment.info["creator"] == "codeDeployRollback":
            return
        self._check()
        self._valid = True

    def _check(self) -> None:
        account, region = self._deployment.account, self._deployment.region
        name, alias_name = self._function["functionName"], self._function["functionAlias"]
        plain = parse_name(name, account, region).name
        function = functions(self._cloud, account, region).get(plain)
        if function is None:
            raise _failure("INVALID_LAMBDA_FUNCTION", f"The Lambda function {name} could not be found")
        alias = self._client("lambda").get_alias(FunctionName=name, Name=alias_name)
        current, target = self._function["currentVersion"], self._function["targetVersion"]
        if alias["FunctionVersion"] != current:
            raise _failure(
                "INVALID_LAMBDA_CONFIGURATION",
                f"The current version in the AppSpec ({current}) is not the version of alias {alias_name} "
                f"({alias['FunctionVersion']})",
            )
        if alias.get("RoutingConfig"):
            text = f"Alias {alias_name} already shifts traffic between versions: {alias['RoutingConfig']}"
            raise _failure("INVALID_LAMBDA_CONFIGURATION", text)
        if target not in function.versions:
            raise _failure("INVALID_LAMBDA_CONFIGURATION", f"The target version {target} of {name} does not exist")
        if target == current:
            text = f"The current version and the target version of {name} are the same: {target}"
            raise _failure("INVALID_LAMBDA_CONFIGURATION", text)

    # --- hooks and shift ---------------------------------------------------------------------------------------------

    def _event(self, name: str, status: str, **more: Any) -> None:
        now = self._cloud.clock.now()
        for event in self._deployment.target["lifecycleEvents"]:
            if event["lifecycleEventName"] == name:
                event |= {"status": status, **more}
                event.setdefault("startTime", now)
                if status != "InProgress":
                    event["endTime"] = now
        self._deployment.target["lastUpdatedAt"] = now

    def hook(self, name: str) -> None:
        """Calls the hook's function, and waits for its report."""
        function = self._deployment.content["hooks"].get(name)
        if function is None:
            self._event(name, "Skipped")
            return
        self._event(name, "InProgress")
        execution_id = str(uuid.uuid4())
        hook = self._deployment.hooks[execution_id] = Hook(name)
        payload = {"DeploymentId": self._deployment.id, "LifecycleEventHookExecutionId": execution_id}
        try:
            self._client("lambda").invoke(
                FunctionName=function, InvocationType="Event", Payload=json.dumps(payload).encode()
            )
        except ClientError as problem:
            code = "IAM_ROLE_PERMISSIONS" if _code(problem) == "IAM_ROLE_PERMISSIONS" else "INVALID_LAMBDA_FUNCTION"
            text = f"The hook {name} could not invoke {function}: {problem.response['Error']['Message']}"
            raise self._hook_failed(name, function, code, text) from None
        # What is tried before traffic may set off alarms; the hook itself has seen it, and says so within seconds.
        early = name == "BeforeAllowTraffic"
        with self._cloud.clock.held(_HOOK_FLOOR) if early else contextlib.nullcontext():
            self._await_report(name, function, hook)
        if hook.status == "Failed":
            text = f"The hook {name} ({function}) reported that it failed"
            raise self._hook_failed(name, function, "HOOK_EXECUTION_FAILURE", text)
        self._event(name, "Succeeded")

    def _await_report(self, name: str, function: str, hook: Hook) -> None:
        limit = time.monotonic() + max(self._cloud.clock.scaled(_HOOK_SECONDS), _HOOK_FLOOR)
        while not hook.reported.wait(0.05):
            self.watch()
            if time.monotonic() > limit:
                text = f"The hook {name} ({function}) did not report its status within one hour"
                raise self._hook_failed(name, function, "HOOK_EXECUTION_FAILURE", text, "ScriptTimedOut")

    def _hook_failed(self, name: str, function: str, code: str, text: str, kind: str = "ScriptFailed") -> _End:
        self._event(name, "Failed", diagnostics={"errorCode": kind, "scriptName": function, "message": text})
        return _failure(code, text)

    def shift(self, steps: list[tuple[float, float]]) -> None:
        """Moves the alias's weights step by step; an AWS minute lasts as long as the clock says."""
        self._event("AllowTraffic", "InProgress")
        for share, minutes in steps:
            self.watch()
            self._move(share)
            clock = self._cloud.clock
            until = clock.seconds() + minutes * 60
            while (left := until - clock.seconds()) > 0:
                # A minute that is held has nearly nothing left, for as long as it is held.
                self._deployment.stop.wait(min(max(clock.scaled(left), 0.01), self._pace()))
                self.watch()
            # What the minutes of this step showed counts before the next one begins.
            self._polled = 0.0
        self._event("AllowTraffic", "Succeeded")

    def _move(self, share: float) -> None:
        name, alias, target = (self._function[key] for key in ("functionName", "functionAlias", "targetVersion"))
        change: dict[str, Any] = {"RoutingConfig": {"AdditionalVersionWeights": {target: share}}}
        if share >= 1:
            change = {"FunctionVersion": target, "RoutingConfig": {"AdditionalVersionWeights": {}}}
        self._client("lambda").update_alias(FunctionName=name, Name=alias, **change)
        self._function["targetVersionWeight"] = share
        self._deployment.timeline.append((self._cloud.clock.now(), share))

    # --- what can stop it --------------------------------------------------------------------------------------------

    def _pace(self) -> float:
        return min(max(self._cloud.clock.scaled(_POLL_SECONDS), 0.05), 1.0)

    def watch(self) -> None:
        """Raises when somebody stopped the deployment, or one of the group's alarms is active."""
        if self._cloud.clock.stopped:
            raise RuntimeError("the cloud is shutting down")
        if self._deployment.stop.is_set():
            text = "The deployment was stopped by a user."
            raise _End("Stopped", "MANUAL_STOP", text, "DEPLOYMENT_STOP_ON_REQUEST")
        if self._deployment.info["creator"] == "codeDeployRollback":
            return
        if time.monotonic() - self._polled < self._pace():
            return
        self._polled = time.monotonic()
        self._poll_alarms()

    def _poll_alarms(self) -> None:
        settings = self._deployment.group.get("alarmConfiguration") or {}
        names = [alarm["name"] for alarm in settings.get("alarms") or []]
        if not settings.get("enabled") or not names:
            return
        try:
            # Nothing says that CodeDeploy takes composite alarms: here it does not.
            alarms = self._client("cloudwatch").describe_alarms(AlarmNames=names)["MetricAlarms"]
        except ClientError as problem:
            if settings.get("ignorePollAlarmFailure"):
                return
            text = f"The state of the alarms could not be read: {problem.response['Error']['Message']}"
            raise _failure(_code(problem), text) from None
        active = sorted(alarm["AlarmName"] for alarm in alarms if alarm["StateValue"] == "ALARM")
        if active:
            raise _End(
                "Stopped",
                "ALARM_ACTIVE",
                "One or more alarms have been activated according to the Amazon CloudWatch metrics you selected, and "
                f"the affected deployments have been stopped. Activated alarms: <{', '.join(active)}>",
                "DEPLOYMENT_STOP_ON_ALARM",
            )
        missing = sorted(set(names) - {alarm["AlarmName"] for alarm in alarms})
        if missing and not settings.get("ignorePollAlarmFailure"):
            raise _failure("ALARM_ACTIVE", f"The state of the alarms could not be read: no alarm {', '.join(missing)}")

    # --- telling others ----------------------------------------------------------------------------------------------

    def _status(self, status: str) -> None:
        self._deployment.info["status"] = status

    def _notify(self, status: str) -> None:
        info, account, region = self._deployment.info, self._deployment.account, self._deployment.region
        prefix = f"arn:aws:codedeploy:{region}:{account}:"
        application, group = info["applicationName"], info["deploymentGroupName"]
        detail = {
            "region": region,
            "deploymentId": self._deployment.id,
            "instanceGroupId": self._deployment.group["deploymentGroupId"],
            "deploymentGroup": group,
            "application": application,
            "state": _STATES[status],
        }
        resources = [f"{prefix}deploymentgroup:{application}/{group}", f"{prefix}application:{application}"]
        kind = "CodeDeploy Deployment State-change Notification"
        self._cloud.put_event(Place(account, region), Event("aws.codedeploy", kind, detail, resources))
        message = json.dumps({**detail, "status": status, "eventTriggerName": _TRIGGERS[status]})
        if self._credentials is None:
            return
        for trigger in self._deployment.group.get("triggerConfigurations") or []:
            if _TRIGGERS[status] not in (trigger.get("triggerEvents") or []):
                continue
            subject = f"{status}: AWS CodeDeploy {self._deployment.id}"
            # A trigger that cannot be delivered changes nothing about the deployment.
            with contextlib.suppress(ClientError):
                self._client("sns").publish(TopicArn=trigger["triggerTargetArn"], Message=message, Subject=subject)
