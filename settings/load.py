"""Reads the project's config: once, and as a whole.

`load()` raises one `pulumi.RunError` that lists everything that is wrong (key, value, range, fix), before any
resource is touched.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from settings import rules, training
from settings.keys import Section, build
from settings.kinds import Problems
from settings.limits import bake, steps
from settings.model import Settings
from settings.sections import HOSTS, NAMESPACE
from settings.shifting import ACCEPT, REFUSE, RETURN, WARN, Deployment

CONFIG = Section(Settings)
"""All keys there are."""
_PREFIX = f"{NAMESPACE}:"
# pulumi is imported where it is used: what only reads the description starts without the SDK.


def load() -> Settings:
    """Read this stack's config. Raises `pulumi.RunError` with all problems at once."""
    import pulumi
    from pulumi.runtime import config

    return parse(pulumi.get_stack(), {**config.get_config_env(), **config.CONFIG.get()})


def parse(stack: str, given: Mapping[str, Any]) -> Settings:
    """Settings of `stack` from config as Pulumi hands it over: full key → text."""
    settings, problems = review(stack, given)
    if settings is None:
        import pulumi

        lines = "\n".join(f"  - {line}" for line in problems)
        raise pulumi.RunError(f"the config of stack {stack} is not usable; nothing was touched:\n{lines}")
    return settings


def review(stack: str, given: Mapping[str, Any]) -> tuple[Settings | None, list[str]]:
    """Settings of `stack`, or None and a line for each problem."""
    own = {key.removeprefix(_PREFIX): value for key, value in given.items() if key.startswith(_PREFIX)}
    own |= {key.name: given[key.name] for key in CONFIG.keys if key.name in given}
    problems = Problems(stack)
    values = CONFIG.values(own, _PREFIX, problems)
    values["hyperparameters"] = training.with_metric(values)
    rules.check(values, problems)
    document = rules.with_task(values["dataset"], values["hyperparameters"])
    dataset = rules.dataset(document, values["hyperparameters"], problems)
    if problems.lines:
        return None, problems.lines
    settings: Settings = build(
        CONFIG,
        values,
        stack=stack,
        dataset=dataset,
        accounts=rules.ordered(stack, values),
        dataset_document=document or {},
    )
    return _complete(settings, values), []


def complete_deployment(deployment: Deployment, given: Mapping[str, Any], production: bool) -> Deployment:
    """How traffic moves, with the defaults that other values decide. `given`: its values by their keys."""
    percentage, minutes = steps(given["percentage"], given["minutes"])
    return replace(
        deployment,
        percentage=percentage,
        minutes=minutes,
        on_inconclusive=given["onInconclusive"] or ACCEPT,
        on_silence=given["onSilence"] or RETURN,
        bake_minutes=bake(given["kind"], given["bakeMinutes"]),
        blind=given["blind"] or (REFUSE if production else WARN),
    )


def _complete(settings: Settings, values: Mapping[str, Any]) -> Settings:
    """The defaults that other values decide."""
    minimum, maximum = rules.limits(values["autoscaling"], settings.instance_count)
    variants = zip(settings.variants, values["variants"], strict=True)
    shadow, ci, retrain = settings.shadow, settings.ci, settings.retrain
    probe = settings.probe
    production = settings.stack == settings.environments[-1]
    if probe.enabled is None:
        probe = replace(probe, enabled=production)
    mails = (settings.approval.mails or None) if settings.alarms.mails is None else settings.alarms.mails
    return replace(
        settings,
        training=replace(settings.training, max_wait_minutes=training.wait_minutes(values["training"])),
        probe=probe,
        alarms=replace(settings.alarms, mails=mails),
        deployment=complete_deployment(settings.deployment, values["deployment"], production),
        autoscaling=replace(settings.autoscaling, minimum=minimum, maximum=maximum),
        variants=tuple(
            replace(variant, name=rules.named(given, number)) for number, (variant, given) in enumerate(variants, 1)
        ),
        shadow=replace(shadow, name=shadow.name or "shadow") if shadow else None,
        retrain=replace(retrain, environments=retrain.environments or (settings.environments[-1],)),
        ci=replace(ci, host=ci.host or HOSTS[ci.provider]) if ci else None,
    )
