"""One shift of an alias, from the first look to the end. What to do next is decided in `decide`, from what is seen."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from contracts.appspec import ACTIVE, ALL_AT_ONCE, app_spec, description, target_version
from providers.process import CANCELLED, PlainError
from providers.traffic_shift import baking
from providers.traffic_shift.decide import (
    Alarm,
    Alias,
    Clear,
    Deployment,
    Done,
    Failure,
    Follow,
    Observation,
    Refuse,
    Start,
    Target,
    Wait,
    cause,
    decide,
)
from providers.traffic_shift.hook_verdict import verdict
from providers.traffic_shift.lookup import alias_of, endpoint_of, variables_of

# A rollback is one change of the alias; what takes longer is reported, not waited for.
_ROLLBACK_SECONDS = 60.0
# CodeDeploy's longest deployment, and the longest bake.
_BAKES_HOURS = 100
# Steps come quickly at first (and in a rehearsal); a shift of an hour need not be asked about every second.
_PAUSES = ((60.0, 1.0), (600.0, 3.0), (float("inf"), 10.0))
_HOOKS = ("BeforeAllowTraffic", "AfterAllowTraffic")
EVIDENCE = "-evidence"
"""End of the name of the alarm that the judge's evidence sets off."""


class ShiftError(PlainError):
    """The shift did not happen; the message is what CodeDeploy, the alarm or the hook gave as reason."""


def say(line: str) -> None:
    # The engine shows what a provider prints.
    import sys

    print(f"shift: {line}", file=sys.stderr, flush=True)


class Shifting:
    """One shift, from the first look to the end. Only `run` is called from outside."""

    def __init__(self, client: Callable[[str], Any], props: dict[str, Any]) -> None:
        self._client = client
        self._lambda, self._codedeploy, self._cloudwatch = map(client, ("lambda", "codedeploy", "cloudwatch"))
        self._props = props
        self._target = Target(props["version"], bool(props.get("returning")), bool(props.get("urgent")))
        self._group = {"applicationName": props["application"], "deploymentGroupName": props["group"]}
        self._said: set[str] = set()
        self._began = time.monotonic()

    def run(self) -> None:
        """Move the alias. Raises ShiftError with the one sentence that says why it did not move."""
        looked, since = self._look(), time.monotonic()
        while True:
            action = decide(Observation(*looked, time.monotonic() - since), self._target)
            if isinstance(action, Refuse):
                raise ShiftError(f"release {self._props['release']} was not shifted: {action.reason}")
            if isinstance(action, Done | Start):
                self._refuse_another()
            if isinstance(action, Done):
                self._say(
                    f"alias {self._props['alias']} is at version {self._target.version} already: nothing to shift"
                )
                self._bake(self._last_shift())
                return
            if self._act(action):
                return
            now = self._look()
            if now != looked:
                looked, since = now, time.monotonic()

    def _act(self, action: Follow | Wait | Clear | Start) -> bool:
        """One step; whether the shift has come to its good end by it."""
        if isinstance(action, Wait):
            self._say_once(action.reason)
            self._pause(action)
            return False
        if isinstance(action, Clear):
            self._say(f"removing orphaned weights: version {action.version} takes all traffic")
            self._lambda.update_alias(
                FunctionName=self._props["function"],
                Name=self._props["alias"],
                RoutingConfig={"AdditionalVersionWeights": {}},
            )
            return False
        deployment = action.deployment if isinstance(action, Follow) else self._start(action)
        if deployment is None:
            return False
        self._say(f"{'waiting for' if isinstance(action, Follow) else 'started'} deployment {deployment}")
        self._follow(deployment)
        self._bake(deployment)
        return True

    def _refuse_another(self) -> None:
        """Refuse a version that was published for another release or endpoint.

        An update of the function that failed is in the state as if it had been made: the version is then an old one.
        """
        variables = variables_of(self._lambda, self._props["function"], self._target.version)
        wanted = {"RELEASE_ID": self._props["release"], "ENDPOINT_NAME": self._props.get("endpoint")}
        wrong = [f"{name} {variables.get(name)}, not {value}" for name, value in wanted.items()
                 if value and variables.get(name) != value]  # fmt: skip
        if wrong:
            raise ShiftError(
                f"release {self._props['release']} was not shifted: version {self._target.version} of"
                f" {self._props['function']} has {' and '.join(wrong)}, so an update of the function must have failed."
                " Refresh the stack and run this again; where that does not help, publish a version first"
                f" (aws lambda publish-version --function-name {self._props['function']})"
            )

    # --- looking -----------------------------------------------------------------------------------------------------

    def _look(self) -> tuple[Alias, tuple[Deployment, ...], tuple[Alarm, ...]]:
        alias, under_way = self._alias(), self._under_way()
        settled = under_way or alias.weights or alias.version == self._target.version
        return alias, under_way, () if settled else self._alarms()

    def _alias(self) -> Alias:
        return alias_of(self._lambda, self._props)

    def _under_way(self) -> tuple[Deployment, ...]:
        """Deployments of this group that have not ended; the rollback of a stopped one is a deployment as well."""
        ids = self._codedeploy.list_deployments(**self._group, includeOnlyStatuses=list(ACTIVE))["deployments"]
        return tuple(self._deployment(found) for found in ids)

    def _deployment(self, deployment: str) -> Deployment:
        info = self._codedeploy.get_deployment(deploymentId=deployment)["deploymentInfo"]
        rollback = info.get("creator") == "codeDeployRollback"
        return Deployment(deployment, target_version(info.get("revision") or {}), rollback)

    def _alarms(self) -> tuple[Alarm, ...]:
        """The group's alarms with their states."""
        group = self._codedeploy.get_deployment_group(**self._group)["deploymentGroupInfo"]
        settings = group.get("alarmConfiguration") or {}
        names = [alarm["name"] for alarm in settings.get("alarms") or []] if settings.get("enabled") else []
        if not names:
            return ()
        alarms = self._cloudwatch.describe_alarms(AlarmNames=names, AlarmTypes=["MetricAlarm"])["MetricAlarms"]
        # Composite alarms are shown only to who may describe every alarm: they are asked for only where there are some.
        others = sorted(set(names) - {alarm["AlarmName"] for alarm in alarms})
        if others:
            found = self._cloudwatch.describe_alarms(AlarmNames=others, AlarmTypes=["CompositeAlarm"])
            alarms = [*alarms, *found["CompositeAlarms"]]
        return tuple(Alarm(a["AlarmName"], a["StateValue"] == "ALARM", a.get("StateReason") or "") for a in alarms)

    # --- the deployment ----------------------------------------------------------------------------------------------

    def _start(self, action: Start) -> str | None:
        """Id of the new deployment, None where another one came first."""
        props = self._props
        content = app_spec(
            props["function"], props["alias"], action.current, props["version"], props["before"], props["after"]
        )
        self._say(f"version {action.current} → {props['version']} for release {props['release']}")
        try:
            made = self._codedeploy.create_deployment(
                **self._group,
                deploymentConfigName=self._configuration(action.current),
                description=description(
                    props["release"], action.current, props["version"], props.get("returning") or ""
                ),
                revision={"revisionType": "AppSpecContent", "appSpecContent": {"content": content}},
                **self._override(action),
            )
        except self._codedeploy.exceptions.DeploymentLimitExceededException:
            return None
        return str(made["deploymentId"])

    def _configuration(self, current: str) -> str:
        """How traffic moves: all at once where the version that it leaves has no endpoint to answer from any more."""
        endpoint = variables_of(self._lambda, self._props["function"], current)["ENDPOINT_NAME"]
        if endpoint_of(self._client("sagemaker"), endpoint):
            return str(self._props["configuration"])
        self._say(f"version {current} asks endpoint {endpoint}, which is gone: all traffic leaves it at once")
        return ALL_AT_ONCE

    def _override(self, action: Start) -> dict[str, Any]:
        """The group's alarms without those that were in ALARM before this return, and those that this shift leaves."""
        ignored = {alarm.name for alarm in action.ignored} | set(self._props.get("unwatched") or ())
        if not ignored:
            return {}
        watched = [{"name": alarm.name} for alarm in self._alarms() if alarm.name not in ignored]
        if action.ignored:
            self._say(f"rolling back although in ALARM: {', '.join(map(str, action.ignored))}")
        return {"overrideAlarmConfiguration": {"enabled": bool(watched), "alarms": watched}}

    def _follow(self, deployment: str) -> None:
        """Report every change of the weight and of the hooks until the end. Raises ShiftError unless it succeeded."""
        props = self._props
        while True:
            info = self._codedeploy.get_deployment(deploymentId=deployment)["deploymentInfo"]
            alias = self._alias()
            self._say_once(self._weight(alias))
            for event in self._events(deployment):
                if event["status"] != "Pending":
                    self._say_once(f"{event['lifecycleEventName']}: {event['status']}")
            if info["status"] == "Succeeded":
                if alias.version != props["version"]:
                    raise ShiftError(f"deployment {deployment} succeeded, but {alias}: run this again")
                self._say(f"deployment {deployment} succeeded: alias {props['alias']} is at version {props['version']}")
                return
            if info["status"] in ("Failed", "Stopped"):
                raise ShiftError(self._failed(deployment, info))
            self._pause(Wait(f"deployment {deployment} goes on"), deployment)

    def _last_shift(self) -> str:
        """The newest deployment that has moved the alias to this version and may still be baking; empty: there is none.

        An update that was killed in a bake left the judge behind, which may still take traffic back.
        """
        if not self._props.get("bake_minutes"):
            return ""
        since = datetime.now(UTC) - timedelta(hours=_BAKES_HOURS)
        found = self._codedeploy.list_deployments(
            **self._group, includeOnlyStatuses=["Succeeded"], createTimeRange={"start": since}
        )
        infos = [self._codedeploy.get_deployment(deploymentId=each)["deploymentInfo"] for each in found["deployments"]]
        newest = max(infos, key=lambda info: info["createTime"], default=None)
        if newest is None or target_version(newest.get("revision") or {}) != self._target.version:
            return ""
        return str(newest["deploymentId"])

    def _bake(self, deployment: str) -> None:
        """Wait for the end of the bake. Raises ShiftError where traffic does not stay on the new version."""
        props = self._props
        if not deployment or not props.get("bake_minutes") or props.get("returning"):
            return
        s3 = self._client("s3")
        ended = baking.wait(s3, props, deployment, lambda seconds: not CANCELLED.wait(seconds), self._say_once)
        if CANCELLED.is_set():
            raise ShiftError(
                f"release {props['release']}: the update was interrupted while it was baking; the judge goes on without"
                " it. Run this again to record the release"
            )
        if ended is not None:
            self._say(ended.sentence)
        # Whoever moved it: the endpoint that has the traffic must not be deleted after this.
        alias = self._rolled_back()
        if alias.weights or alias.version != props["version"]:
            why = ended.sentence.rstrip(".") if ended else "while it was baking"
            raise ShiftError(f"release {props['release']} was taken back: {why}. Now {alias}")

    def _failed(self, deployment: str, info: dict[str, Any]) -> str:
        error = info.get("errorInformation") or {}
        failed = next((event for event in self._events(deployment) if event["status"] == "Failed"), None)
        message = str(error.get("message") or "")
        code = str(error.get("code") or info["status"])
        hook = failed["lifecycleEventName"] if failed and code.startswith("HOOK") else ""
        # Read before the rollback: an alarm may be quiet again after it.
        alarms = self._alarms() if code == "ALARM_ACTIVE" else ()
        said = self._reason(deployment, hook, code, message)
        failure = Failure(deployment, code, message, hook, said.rstrip("."))
        return cause(self._props["release"], failure, alarms, self._rolled_back())

    def _reason(self, deployment: str, hook: str, code: str, message: str) -> str:
        """What the hook or the judge has written into its log; empty where neither ended the deployment."""
        props, logs, judge = self._props, self._client("logs"), self._props.get("judge") or ""
        if hook == _HOOKS[0]:
            return verdict(logs, props["before"], deployment)
        if hook:
            # Where a person was asked, and did not answer, it is the judge that spoke for the hook.
            return verdict(logs, props["after"], deployment) or (verdict(logs, judge, deployment) if judge else "")
        if code == "ALARM_ACTIVE" and EVIDENCE in message and judge:
            return verdict(logs, judge, deployment)
        return ""

    def _rolled_back(self) -> Alias:
        """The alias once nothing moves it any more, or as it is when that takes too long."""
        limit, quiet = time.monotonic() + _ROLLBACK_SECONDS, 0
        while True:
            alias = self._alias()
            quiet = 0 if alias.weights or self._under_way() else quiet + 1
            if quiet > 1 or time.monotonic() > limit:
                return alias
            time.sleep(0.5)

    def _events(self, deployment: str) -> list[dict[str, Any]]:
        """Lifecycle events of the hooks."""
        ids = self._codedeploy.list_deployment_targets(deploymentId=deployment).get("targetIds") or []
        found = [self._codedeploy.get_deployment_target(deploymentId=deployment, targetId=target) for target in ids]
        targets = [entry["deploymentTarget"].get("lambdaTarget") or {} for entry in found]
        events = [event for target in targets for event in target.get("lifecycleEvents") or []]
        return [event for event in events if event["lifecycleEventName"] in _HOOKS]

    def _weight(self, alias: Alias) -> str:
        version = self._props["version"]
        share = 1.0 if alias.version == version else float(alias.weights.get(version, 0.0))
        return f"version {version} takes {share:.0%} of the traffic"

    # --- waiting and reporting ---------------------------------------------------------------------------------------

    def _pause(self, wait: Wait, deployment: str = "") -> None:
        """A moment. Raises ShiftError where the engine cancels or the limit is reached; stops `deployment` first."""
        passed = time.monotonic() - self._began
        minutes = self._props["limit_minutes"]
        if passed > float(minutes) * 60:
            end = self._stop(deployment) if deployment else f"{wait.fix or 'run this again later'}; now {self._alias()}"
            raise ShiftError(
                f"release {self._props['release']} was not shifted within {minutes} minutes: {wait.reason}; {end}"
            )
        CANCELLED.wait(next(pause for until, pause in _PAUSES if passed < until))
        if CANCELLED.is_set():
            end = self._stop(deployment) if deployment else f"no deployment was begun, {self._alias()}"
            raise ShiftError(f"release {self._props['release']}: the update was interrupted; {end}")

    def _stop(self, deployment: str) -> str:
        """Stop with rollback, wait for the alias to be back, and say where traffic is."""
        import contextlib

        self._say(f"stopping deployment {deployment} with rollback")
        # It may have ended since it was looked at.
        with contextlib.suppress(self._codedeploy.exceptions.DeploymentAlreadyCompletedException):
            self._codedeploy.stop_deployment(deploymentId=deployment, autoRollbackEnabled=True)
        alias = self._rolled_back()
        moving = bool(alias.weights or self._under_way())
        return f"deployment {deployment} {'is being stopped' if moving else 'has ended'}, {alias}"

    def _say_once(self, line: str) -> None:
        """Say a line that was not said yet."""
        if line not in self._said:
            self._said.add(line)
            self._say(line)

    def _say(self, line: str) -> None:
        say(line)
