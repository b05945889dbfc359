"""TrafficShift: a resource that is there once CodeDeploy has moved a Lambda alias to a version.

The provider is pickled into the state by its name and runs in a process of its own, which shares nothing with the
program's; what it imports, it imports when it works.
"""

import threading
from types import FunctionType
from typing import Any, TypedDict

import pulumi
from pulumi import dynamic

from definitions.appspec import app_spec

_CANCELLED = threading.Event()
"""Set in the provider's process once the engine has asked it to cancel."""

# A roll-back is one change of the alias; what takes longer is told, not waited for.
_ROLLBACK_SECONDS = 60.0


class ShiftError(Exception):
    """The shift did not happen; the message is what CodeDeploy or the hook gave as reason."""


class TrafficShiftArgs(TypedDict):
    """Arguments of a shift."""

    application: pulumi.Input[str]
    """CodeDeploy application."""
    group: pulumi.Input[str]
    """Deployment group."""
    configuration: pulumi.Input[str]
    """Deployment configuration, which says how traffic moves."""
    function: pulumi.Input[str]
    """Function name."""
    alias: pulumi.Input[str]
    """Alias that is moved."""
    version: pulumi.Input[str]
    """Version it is moved to."""
    before: pulumi.Input[str]
    """Hook before traffic."""
    after: pulumi.Input[str]
    """Hook after traffic."""
    release: pulumi.Input[str]
    """Release id, for the deployment's description."""
    limit_minutes: pulumi.Input[int]
    """When the shift is stopped and rolled back."""


class TrafficShiftProvider(dynamic.ResourceProvider):
    """Starts the deployment, tells each step, waits for the end."""

    serialize_as_secret_always = False
    _region: str | None = None
    _profile: str | None = None

    def configure(self, req: dynamic.ConfigureRequest) -> None:
        """Use the account and region of the stack's AWS provider."""
        self._region = req.config.get("aws:region")
        self._profile = req.config.get("aws:profile")

    def diff(self, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> dynamic.DiffResult:
        """Only another version (or alias) needs a shift; the rest is how one is made."""
        moved = any(olds.get(key) != news.get(key) for key in ("version", "release"))
        replaces = [key for key in ("function", "alias") if olds.get(key) != news.get(key)]
        return dynamic.DiffResult(changes=moved or bool(replaces), replaces=replaces, delete_before_replace=False)

    def create(self, props: dict[str, Any]) -> dynamic.CreateResult:
        """Shift, unless the alias is at the version already (as at the first release)."""
        self._shift(props)
        return dynamic.CreateResult(f"{props['function']}:{props['alias']}", _outputs(props))

    def update(self, _id: str, _olds: dict[str, Any], news: dict[str, Any]) -> dynamic.UpdateResult:
        """Shift to the new version."""
        self._shift(news)
        return dynamic.UpdateResult(_outputs(news))

    def _client(self, service: str) -> Any:
        import boto3

        return boto3.Session(profile_name=self._profile, region_name=self._region).client(service)

    def _shift(self, props: dict[str, Any]) -> None:
        heed_cancellation()
        lambda_, codedeploy = self._client("lambda"), self._client("codedeploy")
        serving, routing = _serving(lambda_, props)
        target = props["version"]
        if serving == target and not routing:
            _say(f"alias {props['alias']} is at version {target} already: nothing to shift")
            return
        found = _running(codedeploy, props)
        deployment = found or _start(codedeploy, props, serving)
        _say(f"{'waiting for' if found else 'started'} deployment {deployment}: version {serving} → {target}")
        _wait(lambda_, codedeploy, props, deployment)
        serving, _ = _serving(lambda_, props)
        if serving != target:
            raise ShiftError(f"deployment {deployment} ended, but alias {props['alias']} is at version {serving}")


def _outputs(props: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in props.items() if not key.startswith("__")}


def _say(line: str) -> None:
    # The engine shows what a provider prints.
    import sys

    print(f"shift: {line}", file=sys.stderr, flush=True)


def _serving(lambda_: Any, props: dict[str, Any]) -> tuple[str, dict[str, float]]:
    """Version of the alias, and the weights of others beside it."""
    alias = lambda_.get_alias(FunctionName=props["function"], Name=props["alias"])
    return alias["FunctionVersion"], (alias.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {}


def _running(codedeploy: Any, props: dict[str, Any]) -> str | None:
    """A deployment of this group that is under way to this very version; one to another version stops the update."""
    import json

    for deployment in _under_way(codedeploy, props):
        info = codedeploy.get_deployment(deploymentId=deployment)["deploymentInfo"]
        revision = info.get("revision") or {}
        content = (revision.get("appSpecContent") or revision.get("string") or {}).get("content") or "{}"
        resources = json.loads(content).get("Resources") or [{}]
        versions = [entry["Properties"]["TargetVersion"] for resource in resources for entry in resource.values()]
        if versions == [props["version"]]:
            return str(deployment)
        raise ShiftError(
            f"deployment {deployment} to version {', '.join(versions) or 'unknown'} is under way in"
            f" {props['application']}/{props['group']}: wait for its end, or stop it"
            f" (aws deploy stop-deployment --deployment-id {deployment} --auto-rollback-enabled), then run this again"
        )
    return None


def _under_way(codedeploy: Any, props: dict[str, Any]) -> list[str]:
    """Deployments of this group that have not ended; the roll-back of a stopped one is a deployment as well."""
    found: list[str] = codedeploy.list_deployments(
        applicationName=props["application"],
        deploymentGroupName=props["group"],
        includeOnlyStatuses=["Created", "Queued", "InProgress", "Baking", "Ready"],
    )["deployments"]
    return found


def _start(codedeploy: Any, props: dict[str, Any], serving: str) -> str:
    content = app_spec(props["function"], props["alias"], serving, props["version"], props["before"], props["after"])
    return str(
        codedeploy.create_deployment(
            applicationName=props["application"],
            deploymentGroupName=props["group"],
            deploymentConfigName=props["configuration"],
            description=f"Release {props['release']}: version {serving} to {props['version']}"[:256],
            revision={"revisionType": "AppSpecContent", "appSpecContent": {"content": content}},
        )["deploymentId"]
    )


def _wait(lambda_: Any, codedeploy: Any, props: dict[str, Any], deployment: str) -> None:
    """Tell every change of the weight and of the hooks until the end. Raises ShiftError unless it succeeded."""
    import time

    told: set[str] = set()
    limit = time.monotonic() + float(props["limit_minutes"]) * 60
    while True:
        info = codedeploy.get_deployment(deploymentId=deployment)["deploymentInfo"]
        for line in [_weight(lambda_, props), *_events(codedeploy, deployment)]:
            if line not in told:
                told.add(line)
                _say(line)
        if info["status"] == "Succeeded":
            _say(f"deployment {deployment} succeeded: alias {props['alias']} is at version {props['version']}")
            return
        if info["status"] in ("Failed", "Stopped"):
            raise ShiftError(_reason(codedeploy, info, deployment))
        if _CANCELLED.is_set():
            raise ShiftError(f"the update was interrupted; {_stop(lambda_, codedeploy, props, deployment)}")
        if time.monotonic() > limit:
            stopped = _stop(lambda_, codedeploy, props, deployment)
            raise ShiftError(f"deployment {deployment} took over {props['limit_minutes']} minutes; {stopped}")
        _CANCELLED.wait(1)


def heed_cancellation() -> None:
    """Have the engine's Cancel set `_CANCELLED`.

    At the first Ctrl-C the engine calls Cancel on every provider and waits for what is under way. Pulumi's Python SDK
    answers that call and tells no dynamic provider, so a shift would go on to its end. The handler is registered with
    its server by now; only its body can still be exchanged. Elsewhere than in the SDK's process there is none.
    """
    import sys

    servicer = getattr(sys.modules["__main__"], "DynamicResourceProviderServicer", None)
    handler = getattr(servicer, "Cancel", None)
    if isinstance(handler, FunctionType):
        handler.__code__ = _cancel.__code__


def _cancel(self: Any, request: Any, context: Any) -> Any:
    # Runs among the names of the SDK's module: it finds this one's by importing it.
    from google.protobuf import empty_pb2

    from components import traffic_shift

    traffic_shift._CANCELLED.set()
    return empty_pb2.Empty()


def _stop(lambda_: Any, codedeploy: Any, props: dict[str, Any], deployment: str) -> str:
    """Stop with rollback, wait for the alias to be back, and say where traffic is."""
    import contextlib
    import time

    _say(f"stopping deployment {deployment} with rollback")
    # It may have ended since it was looked at.
    with contextlib.suppress(codedeploy.exceptions.DeploymentAlreadyCompletedException):
        codedeploy.stop_deployment(deploymentId=deployment, autoRollbackEnabled=True)
    limit = time.monotonic() + _ROLLBACK_SECONDS
    while True:
        serving, routing = _serving(lambda_, props)
        if not routing and not _under_way(codedeploy, props):
            return f"deployment {deployment} has ended, version {serving} takes all traffic"
        if time.monotonic() > limit:
            return f"deployment {deployment} was told to stop; its roll-back goes on: {serving}, {routing}"
        time.sleep(1)


def _weight(lambda_: Any, props: dict[str, Any]) -> str:
    serving, routing = _serving(lambda_, props)
    share = 1.0 if serving == props["version"] else float(routing.get(props["version"], 0.0))
    return f"version {props['version']} takes {share:.0%} of the traffic"


def _targets(codedeploy: Any, deployment: str) -> list[dict[str, Any]]:
    ids = codedeploy.list_deployment_targets(deploymentId=deployment).get("targetIds") or []
    found = [codedeploy.get_deployment_target(deploymentId=deployment, targetId=target) for target in ids]
    return [entry["deploymentTarget"].get("lambdaTarget") or {} for entry in found]


def _events(codedeploy: Any, deployment: str) -> list[str]:
    """Hooks that have begun or ended."""
    return [
        f"{event['lifecycleEventName']}: {event['status']}"
        for target in _targets(codedeploy, deployment)
        for event in target.get("lifecycleEvents") or []
        if event["lifecycleEventName"] in ("BeforeAllowTraffic", "AfterAllowTraffic") and event["status"] != "Pending"
    ]


def _reason(codedeploy: Any, info: dict[str, Any], deployment: str) -> str:
    """One sentence: what stopped it, and where traffic is now."""
    error = info.get("errorInformation") or {}
    failed = [event for event in _events(codedeploy, deployment) if event.endswith(": Failed")]
    details = [
        str((event.get("diagnostics") or {}).get("message") or "")
        for target in _targets(codedeploy, deployment)
        for event in target.get("lifecycleEvents") or []
        if event["status"] == "Failed"
    ]
    cause = error.get("message") or "no reason given"
    hook = f"; hook {failed[0].partition(':')[0]} failed {' '.join(filter(None, details))}".rstrip() if failed else ""
    back = (info.get("rollbackInfo") or {}).get("rollbackMessage") or "traffic is back on the version that served"
    code = error.get("code") or info["status"]
    return f"deployment {deployment} {info['status'].lower()} ({code}): {cause}{hook}. {back}"


class TrafficShift(dynamic.Resource, module="glidepath", name="TrafficShift"):
    """The alias is at `version`."""

    version: pulumi.Output[str]
    """Version that takes all traffic."""
    release: pulumi.Output[str]
    """Release of that version."""

    def __init__(self, name: str, args: TrafficShiftArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(TrafficShiftProvider(), name, dict(args), opts)
