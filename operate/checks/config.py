"""The config of every stack: each for itself, as the program reads it, and all of them together."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pulumi
import yaml

from contracts.names import DELIVERY
from operate.checks.finding import Finding, Result
from operate.source_files import more
from settings import Settings, deployment_minutes, parse


@dataclass(frozen=True)
class Configs:
    """What was read: stack → config as Pulumi hands it over, and its settings. Only stacks without faults are in."""

    given: Mapping[str, Mapping[str, str]]
    settings: Mapping[str, Settings]


def check(root: Path) -> tuple[Result, Configs]:
    """Reads `Pulumi.<stack>.yaml` of the delivery stack and of every environment that it names."""
    findings: list[Finding] = []
    given: dict[str, Mapping[str, str]] = {}
    settings: dict[str, Settings] = {}
    stacks = [DELIVERY]
    for stack in stacks:
        file = f"Pulumi.{stack}.yaml"
        try:
            config = read(root / file)
            found = parse(stack, config)
        except (OSError, ValueError) as error:
            findings.append(Finding(file, _reason(error)))
        except pulumi.RunError as error:
            findings += [Finding(file, line) for line in _problems(str(error))]
        else:
            given[stack], settings[stack] = config, found
            if stack == DELIVERY:
                stacks += found.names.environments
    findings += _together(settings)
    return Result("config", ", ".join(stacks), tuple(findings), _told(root, given)), Configs(given, settings)


def _told(root: Path, stacks: Iterable[str]) -> tuple[str, ...]:
    """What plans and deployments will refuse, where a pipeline does them: said before a model is trained for it."""
    build = {"PULUMI_BACKEND_URL": "the build's own"}
    told = dict.fromkeys(text for stack in stacks for text in more(root, stack, build))
    return tuple(f"{text}: the pipeline's plans and deployments refuse that" for text in told)


def read(path: Path) -> dict[str, str]:
    """The config of one stack, as Pulumi hands it over: full key → text. A day that YAML reads as such stays a day.

    Raises OSError or ValueError where the file is missing or is not a stack's config.
    """
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise ValueError(f"is not valid YAML: {' '.join(str(error).split())}") from None
    except ValueError as error:
        # PyYAML reads what looks like a day, and names neither the key nor the value of one that does not exist.
        raise ValueError(f"has a day that the calendar lacks ({error}): days are like 2027-03-31") from None
    config = document.get("config") if isinstance(document, dict) else None
    if not isinstance(config, dict):
        raise ValueError("has no config")
    return {
        str(key): value if isinstance(value, str) else json.dumps(value, default=str) for key, value in config.items()
    }


def _reason(error: Exception) -> str:
    if isinstance(error, FileNotFoundError):
        return "is missing; every environment of glidepath:environments needs its config file"
    return str(error)


def _problems(text: str) -> list[str]:
    """The program lists problems below a headline, one a line."""
    lines = [line.removeprefix("  - ") for line in text.splitlines() if line.startswith("  - ")]
    return lines or [" ".join(text.split())]


def _together(settings: Mapping[str, Settings]) -> list[Finding]:
    """Stacks name each other's resources: what names are made of must be the same everywhere."""
    first = settings.get(DELIVERY)
    if first is None:
        return []
    found = []
    for stack, own in settings.items():
        file = f"Pulumi.{stack}.yaml"
        for key, value, wanted in (
            ("glidepath:name", own.name, first.name),
            ("glidepath:accounts", dict(own.accounts), dict(first.accounts)),
            ("aws:region", own.region, first.region),
        ):
            if value != wanted:
                found.append(Finding(file, f"{key} is {value!r}, but {wanted!r} in Pulumi.{DELIVERY}.yaml"))
        found += _outlived(file, own, first)
    return found


def _outlived(file: str, own: Settings, first: Settings) -> list[Finding]:
    """The pipeline's build waits for the environment's shift, and must not end before it."""
    deployment = own.deployment
    needed = deployment_minutes(
        own.shift_minutes, own.capture.wait_seconds, deployment.replay.seconds, deployment.bake_minutes
    )
    given = first.build.deploy_minutes
    if own.stack == DELIVERY or given >= needed:
        return []
    key = "glidepath:build.deployMinutes"
    fix = f"raise {key} there, or lower glidepath:shiftMinutes here"
    reason = f"a deployment takes up to {needed} minutes, but {key} is {given} in Pulumi.{DELIVERY}.yaml: {fix}"
    return [Finding(file, reason)]
