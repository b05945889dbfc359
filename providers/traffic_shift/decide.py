"""What a shift does next, and how it ended: decisions over observations. No clients, no clock, no waiting."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

SETTLE_SECONDS = 15.0
"""Between the end of a deployment and its rollback none is under way, for a moment."""
ALARM_SECONDS = 180.0
"""An alarm that was given another version keeps its state until it is evaluated again, a period or two later."""
RETURN_ALARM_SECONDS = 90.0
"""How long a return waits for that: the release that serves may be what the alarm is about."""


@dataclass(frozen=True)
class Alias:
    """Where an alias is: its version, and the shares of other versions beside it."""

    version: str
    weights: Mapping[str, float] = field(default_factory=dict)

    def __str__(self) -> str:
        beside = "".join(f", version {version} {share:.0%}" for version, share in self.weights.items())
        return f"version {self.version} takes all traffic{' but' + beside[1:] if beside else ''}"


@dataclass(frozen=True)
class Deployment:
    """A deployment that has not ended; `rollback` where CodeDeploy made it to take a failed one back."""

    id: str
    target: str
    rollback: bool = False


@dataclass(frozen=True)
class Alarm:
    """An alarm of the deployment group."""

    name: str
    active: bool
    reason: str = ""

    def __str__(self) -> str:
        return f"{self.name} ({self.reason})" if self.reason else self.name


@dataclass(frozen=True)
class Observation:
    """One look. `seconds`: for how long it has looked just so."""

    alias: Alias
    under_way: Sequence[Deployment] = ()
    alarms: Sequence[Alarm] = ()
    seconds: float = 0.0


@dataclass(frozen=True)
class Target:
    """What is wanted: all traffic on `version`.

    `returning`: to a release that has served before, so that an alarm about the present one must not stand in the
    way. `urgent`: waits for no alarm.
    """

    version: str
    returning: bool = False
    urgent: bool = False


@dataclass(frozen=True)
class Done:
    """The alias is where it should be."""


@dataclass(frozen=True)
class Follow:
    """Wait for the end of a deployment to this very version."""

    deployment: str


@dataclass(frozen=True)
class Wait:
    """Look again; `reason` says for what, `fix` what a person can do where it takes too long."""

    reason: str
    fix: str = ""


@dataclass(frozen=True)
class Clear:
    """Take away weights that no deployment will ever take away."""

    version: str


@dataclass(frozen=True)
class Start:
    """Begin a deployment from version `current`; it does not watch `ignored`."""

    current: str
    ignored: Sequence[Alarm] = ()


@dataclass(frozen=True)
class Refuse:
    """Do nothing; `reason` is for a person."""

    reason: str


Action = Done | Follow | Wait | Clear | Start | Refuse


def decide(seen: Observation, target: Target) -> Action:
    """The next step towards `target`. Whatever is observed, steps end in Done, Refuse or a deployment's failure."""
    if seen.under_way:
        return _beside(seen.under_way[0], target)
    if seen.alias.weights:
        if seen.seconds < SETTLE_SECONDS:
            return Wait(f"{seen.alias}, and no deployment is under way: looking whether one begins")
        return Clear(seen.alias.version)
    if seen.alias.version == target.version:
        return Done()
    active = [alarm for alarm in seen.alarms if alarm.active]
    return _under_alarm(seen, target, active) if active else Start(seen.alias.version)


def _beside(deployment: Deployment, target: Target) -> Action:
    if deployment.target == target.version and not deployment.rollback:
        return Follow(deployment.id)
    what = "takes traffic back to" if deployment.rollback else "is under way to"
    return Wait(
        f"deployment {deployment.id} {what} version {deployment.target or 'unknown'}",
        f"wait for it to finish, or stop it (aws deploy stop-deployment --deployment-id {deployment.id}"
        " --auto-rollback-enabled), then run this again",
    )


def _under_alarm(seen: Observation, target: Target, active: Sequence[Alarm]) -> Action:
    """The new version has had no traffic: it cannot have caused this, yet it would end its deployment at once."""
    names = ", ".join(map(str, active))
    patience = 0.0 if target.urgent else RETURN_ALARM_SECONDS if target.returning else ALARM_SECONDS
    if seen.seconds < patience:
        return Wait(f"in ALARM before the shift: {', '.join(alarm.name for alarm in active)}; waiting for it to clear")
    if target.returning:
        return Start(seen.alias.version, tuple(active))
    return Refuse(
        f"in ALARM before anything was shifted: {names}. A deployment under it would be rolled back at once. Fix"
        " what it reports, or go back to a former release with ./glidepath rollback"
    )


@dataclass(frozen=True)
class Failure:
    """How a deployment ended that did not succeed: CodeDeploy's code and message, and the hook that failed, if any."""

    deployment: str
    code: str
    message: str
    hook: str = ""
    verdict: str = ""
    """What the hook itself, or the judge, gave as reason."""


def cause(release: str, failure: Failure, alarms: Sequence[Alarm], alias: Alias) -> str:
    """One sentence a person reads: what stopped the release, and one that says where traffic is."""
    return (
        f"release {release} does not serve: {_why(failure, alarms)} (deployment {failure.deployment},"
        f" {failure.code}). Now {alias}"
    )


def _why(failure: Failure, alarms: Sequence[Alarm]) -> str:
    if failure.hook:
        return f"hook {failure.hook} failed: {failure.verdict or failure.message}"
    if failure.code == "ALARM_ACTIVE":
        named = [alarm for alarm in alarms if alarm.name in failure.message]
        went = [alarm for alarm in named if alarm.active] or named
        if went:
            judged = f" ({failure.verdict})" if failure.verdict else ""
            return f"alarm {', '.join(map(str, went))} went off during the shift{judged}"
    if failure.code == "MANUAL_STOP":
        return "its deployment was stopped by hand"
    return failure.message.rstrip(".") or "CodeDeploy gave no reason"
