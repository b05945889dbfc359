"""An environment's components, fed from settings."""

from collections.abc import Sequence

import pulumi
from pulumi_aws.ssm.parameter import Parameter

from components.announce import Announce
from components.endpoint import VARIANT, Endpoint
from components.former import find_former
from components.foundation import Foundation
from components.health import Health
from components.judge import Judge
from components.monitor import Monitor
from components.probe import Probe
from components.release import LocatedRelease, Trust, find
from components.serve import ALIAS, Serve
from components.shift import Shift
from components.variants import ConfiguredVariant, EndpointVariants, load_variants
from contracts.names import PREDICT, PROBE
from contracts.release import Hashes
from contracts.tasks import MULTICLASS
from definitions.health import Watched
from definitions.images import model_monitor, xgboost
from settings import Settings, Variant


class EnvironmentStack:
    """Makes one component after the other; each is a line of the program."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.names = settings.names
        self.env = settings.stack

    def foundation(self) -> Foundation:
        """What an administrator makes."""
        self._warn_of_silence()
        return Foundation(
            "foundation",
            {
                "names": self.names,
                "env": self.env,
                "capture_days": self.settings.capture.days,
                "mails": self.settings.alarms.mails or (),
                "monitor": self.settings.monitor.by,
                "log_role": self.settings.api.log_role,
                "probe": bool(self.settings.probe.enabled),
                "ci": self.settings.ci is not None,
                "judge": self._judges(),
                "log_days": self.settings.log_days,
            },
        )

    def _warn_of_silence(self) -> None:
        """An empty list is a choice; where nothing is said, nobody may have thought of it."""
        if self.env == self.names.production and self.settings.alarms.mails is None:
            pulumi.log.warn(
                f"nobody hears of an alarm in {self.env}: name addresses in glidepath:alarms.mails, or set it to [] and"
                f" subscribe to the topic {self.names.stack(self.env)}-alarms yourself"
            )

    def announce(self, foundation: Foundation) -> Announce:
        """Tell the tooling account of drift."""
        return Announce("drift", {"names": self.names, "env": self.env, "role_arn": foundation.roles["announce"]})

    def release(self) -> LocatedRelease | None:
        """The release that is named, else the one that serves."""
        settings = self.settings
        found = find(
            settings.release, settings.manifest_sha256, self.names.pointer(self.env), settings.retire, self._trust()
        )
        if found and found.release.task == MULTICLASS and settings.monitor.enabled and settings.monitor.by != "own":
            # What it captures of a row is a column for each class, and its analyzer has the one of the baseline.
            raise pulumi.RunError(
                f"glidepath:monitor.by: {settings.monitor.by!r} cannot watch release {found.release.id}, which answers"
                " several probabilities a row; set it to own; nothing was touched"
            )
        return found

    def _trust(self) -> Trust:
        return Trust(self.names.signing_key, self.settings.unsigned)

    def variants(self, found: LocatedRelease) -> EndpointVariants:
        """The release's variant, with what config puts beside it."""
        wanted = [_wanted(variant, shadow=False) for variant in self.settings.variants]
        wanted += [_wanted(variant, shadow=True) for variant in (self.settings.shadow,) if variant]
        return load_variants(found, wanted, self._trust())

    def endpoint(self, variants: EndpointVariants, foundation: Foundation) -> Endpoint:
        """The release's own endpoint."""
        settings, scaling = self.settings, self.settings.autoscaling
        return Endpoint(
            self.names.stack(self.env),
            {
                "variants": variants.all,
                "role_arn": foundation.roles["model"],
                "key_arn": foundation.key_arn,
                "capture_bucket": foundation.capture_bucket,
                "capture_percentage": settings.capture.percentage,
                "instance_type": settings.instance_type,
                "instance_count": settings.instance_count,
                "scaling": {
                    "minimum": scaling.minimum,
                    "maximum": scaling.maximum,
                    "target": scaling.target,
                    "scale_in_seconds": scaling.scale_in_seconds,
                    "scale_out_seconds": scaling.scale_out_seconds,
                },
                "owned": self.names.owned(self.env),
            },
        )

    def serve(
        self, found: LocatedRelease, variants: EndpointVariants, foundation: Foundation, endpoint: Endpoint
    ) -> Serve:
        """Function, alias and API."""
        api = self.settings.api
        return Serve(
            "serve",
            {
                "names": self.names,
                "env": self.env,
                "endpoint": endpoint.name,
                "release_id": found.release.id,
                "features": found.release.features,
                "inputs": found.release.inputs,
                "classes": found.release.classes,
                "edges": _bins(found)[0],
                "latency_ms": self.settings.alarms.limits.latency_ms,
                "answering": variants.answering,
                "former": find_former(self.names.predict(self.env), found.release) if found.follows else None,
                "role_arn": foundation.roles[PREDICT],
                "key_arn": foundation.key_arn,
                "rate": api.rate,
                "burst": api.burst,
                "api_key": api.key,
                "quota_per_day": api.quota_per_day,
                "log_days": self.settings.log_days,
            },
        )

    def health(
        self,
        found: LocatedRelease,
        variants: EndpointVariants,
        foundation: Foundation,
        endpoint: Endpoint,
        serve: Serve,
    ) -> Health:
        """Alarms on what the release does."""
        edges, shares = _bins(found)
        service = self.names.stack(self.env)
        return Health(
            "health",
            {
                "prefix": service,
                "release_id": found.release.id,
                "watched": Watched(
                    service=service,
                    function=self.names.predict(self.env),
                    alias=ALIAS,
                    version=serve.function.version,
                    endpoint=endpoint.name,
                    variants=list(variants.answering or [VARIANT]),
                    api=service,
                    stage=ALIAS,
                    shadow=self.settings.shadow.name if self.settings.shadow else "",
                    handing=serve.handing,
                ),
                "limits": self.settings.alarms.limits,
                "edges": edges,
                "shares": shares,
                "judged": self.settings.deployment.judged,
                "topic_arn": foundation.topic_arn,
            },
        )

    def _judged_better(self, found: LocatedRelease, health: Health) -> list[pulumi.Input[str]]:
        """Alarms that do not stop this shift: of where predictions lie the judge knows more than their distribution."""
        shift = health.alarms.get("prediction-shift")
        return [shift.name] if shift and self.settings.deployment.judged and found.compared else []

    def _judges(self) -> bool:
        """Whether there is anything to judge: traffic that moves by steps, or a release at full traffic."""
        return self.settings.deployment.judged or self.settings.deployment.bake_minutes > 0

    def judge(self, foundation: Foundation) -> Judge | None:
        """Who compares the release with the former one while traffic moves."""
        if not self._judges():
            return None
        return Judge(
            self.names.stack(self.env) + "-judge",
            {
                "names": self.names,
                "env": self.env,
                "capture_bucket": foundation.capture_bucket,
                "roles": foundation.roles,
                "key_arn": foundation.key_arn,
                "bake_minutes": self.settings.deployment.bake_minutes,
                "on_silence": self.settings.deployment.on_silence,
                "topic_arn": foundation.topic_arn if self.settings.deployment.on_inconclusive == "ask" else None,
                "log_days": self.settings.log_days,
            },
        )

    def shift(
        self,
        found: LocatedRelease,
        variants: EndpointVariants,
        foundation: Foundation,
        endpoint: Endpoint,
        serve: Serve,
        health: Health,
        judge: Judge | None,
    ) -> Shift:
        """Traffic moves to the release."""
        deployment = self.settings.deployment
        return Shift(
            "shift",
            {
                "names": self.names,
                "env": self.env,
                "function": serve.function,
                "alias": serve.alias,
                "endpoint": endpoint.name,
                "release_id": found.release.id,
                "golden": found.release.golden,
                "golden_sha256": _hashes(found).golden,
                "manifest": found.manifest,
                "manifest_sha256": found.sha256,
                "replay": replay(self.settings),
                "others": variants.proven,
                "capture_bucket": foundation.capture_bucket,
                "capture_percentage": self.settings.capture.percentage,
                "capture_seconds": self.settings.capture.wait_seconds,
                "roles": foundation.roles,
                "key_arn": foundation.key_arn,
                "alarms": health.stopping,
                "unwatched": self._judged_better(found, health),
                "kind": deployment.kind,
                "percentage": deployment.percentage,
                "minutes": deployment.interval,
                "limit_minutes": self.settings.shift_minutes,
                "returning": self.settings.returning.reason,
                "urgent": self.settings.returning.urgent,
                "judge": judge,
                "judged": deployment.judged,
                "inconclusive": deployment.on_inconclusive,
                "silence": deployment.on_silence,
                "verdict_seconds": deployment.verdict_seconds,
                "bake_minutes": deployment.bake_minutes,
                "log_days": self.settings.log_days,
            },
        )

    def monitor(
        self, found: LocatedRelease, foundation: Foundation, endpoint: Endpoint, health: Health, recorded: Parameter
    ) -> None:
        """The release's data against its own baseline, where monitoring is on.

        After the record: a monitor that cannot be made ends the update with its error, and the release that serves
        is known as the one that does.
        """
        wanted = self.settings.monitor
        if not wanted.enabled:
            return
        region = self.settings.region
        Monitor(
            self.names.stack(self.env) + "-monitor",
            {
                "names": self.names,
                "env": self.env,
                "by": wanted.by,
                "release_id": found.release.id,
                "endpoint": endpoint.name,
                "variant": VARIANT,
                "features": found.release.features,
                "classes": len(found.release.classes) if found.release.task == MULTICLASS else 0,
                "statistics": found.release.baseline.statistics,
                "constraints": found.release.baseline.constraints,
                "statistics_sha256": _hashes(found).statistics,
                "constraints_sha256": _hashes(found).constraints,
                "image": xgboost(region) if wanted.by == "own" else model_monitor(region),
                "roles": foundation.roles,
                "key_arn": foundation.key_arn,
                "topic_arn": foundation.topic_arn,
                "capture_bucket": foundation.capture_bucket,
                "schedule": wanted.schedule,
                "instance_type": wanted.compute.instance_type,
                "instance_count": wanted.compute.instance_count,
                "volume_gb": wanted.compute.volume_gb,
                "minutes": wanted.compute.minutes,
                "least_records": wanted.least_records,
                "drift": self.settings.alarms.drift,
                "log_days": self.settings.log_days,
                "health": health,
                "after": recorded,
            },
        )

    def probe(self, found: LocatedRelease, foundation: Foundation, serve: Serve, recorded: Parameter) -> None:
        """Somebody asks where nobody does. After the record, as the monitor."""
        if not self.settings.probe.enabled:
            return
        Probe(
            self.names.stack(self.env) + "-probe",
            {
                "names": self.names,
                "env": self.env,
                "serve": serve,
                "golden": found.release.golden,
                "golden_sha256": _hashes(found).golden,
                "release_id": found.release.id,
                "role_arn": foundation.roles[PROBE],
                "key_arn": foundation.key_arn,
                "topic_arn": foundation.topic_arn,
                "minutes": self.settings.probe.minutes,
                "log_days": self.settings.log_days,
                "after": recorded,
            },
        )

    def pointer(self, found: LocatedRelease, shift: Shift) -> Parameter:
        """Written when traffic has moved: only a release that serves is remembered, and every one that does."""
        return Parameter(
            "release",
            name=self.names.pointer(self.env),
            type="String",
            value=found.pointer,
            description="The release that serves",
            opts=pulumi.ResourceOptions(depends_on=[shift.traffic]),
        )


def replay(settings: Settings) -> dict[str, object]:
    """What the hook before traffic is told of the replay of callers' requests (`functions.before_traffic.callers`)."""
    wanted = settings.deployment.replay
    return {
        "requests": wanted.requests,
        "seconds": wanted.seconds,
        "megabytes": wanted.megabytes,
        "latencyMs": settings.alarms.limits.latency_ms,
        "accept": list(wanted.accept),
    }


def _hashes(found: LocatedRelease) -> Hashes:
    """What the manifest vouches for; empty for a release from before that."""
    return found.release.hashes or Hashes("", "", "")


def _bins(found: LocatedRelease) -> tuple[Sequence[float], Sequence[float]]:
    """Edges and shares of the evaluated model's predictions; none in a manifest from before they were measured."""
    distribution = found.release.distribution
    return (distribution.edges, distribution.shares) if distribution else ((), ())


def _wanted(variant: Variant, shadow: bool) -> ConfiguredVariant:
    return {"name": variant.name, "manifest": variant.manifest, "weight": variant.weight, "shadow": shadow}
