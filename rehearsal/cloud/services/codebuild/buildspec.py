"""Reads a buildspec (version 0.2) and refuses what CodeBuild would refuse."""

from dataclasses import dataclass, field
from typing import Any

import yaml

PHASES = ("install", "pre_build", "build", "post_build")
SHELLS = ("bash", "/bin/sh")
# what the standard images offer; the rehearsal has the one Python it runs on
PYTHONS = ("3.9", "3.10", "3.11", "3.12", "3.13", "3.14", "3.x", "latest")
_TOP = {"version", "run-as", "env", "proxy", "batch", "phases", "reports", "artifacts", "cache"}
_NOT_REHEARSED = {"run-as", "proxy", "batch", "reports"}
_ENV = {"shell", "variables", "parameter-store", "secrets-manager", "exported-variables", "git-credential-helper"}
_PHASE = {"commands", "finally", "on-failure", "runtime-versions", "run-as"}
_ARTIFACTS = {
    "files",
    "name",
    "discard-paths",
    "base-directory",
    "exclude-paths",
    "enable-symlinks",
    "s3-prefix",
    "secondary-artifacts",
}


class BuildspecError(ValueError):
    """The buildspec is not one CodeBuild accepts (`YAML_FILE_ERROR`)."""


@dataclass(frozen=True)
class Phase:
    """One phase: its commands, what always runs after them, and what a failure does."""

    commands: tuple[str, ...] = ()
    always: tuple[str, ...] = ()
    on_failure: str | None = None


@dataclass(frozen=True)
class ArtifactSpec:
    """Which files of a build make an artifact."""

    files: tuple[str, ...]
    base_directory: str = "."
    name: str | None = None
    discard_paths: bool = False
    exclude_paths: tuple[str, ...] = ()


@dataclass(frozen=True)
class Buildspec:
    """A checked buildspec."""

    phases: dict[str, Phase]
    shell: str = "/bin/sh"
    variables: dict[str, str] = field(default_factory=dict)
    parameter_store: dict[str, str] = field(default_factory=dict)
    secrets_manager: dict[str, str] = field(default_factory=dict)
    exported: tuple[str, ...] = ()
    python: str | None = None
    artifacts: ArtifactSpec | None = None
    secondary_artifacts: dict[str, ArtifactSpec] = field(default_factory=dict)


def parse_buildspec(text: str) -> Buildspec:
    """The buildspec in `text` (YAML or JSON). Raises `BuildspecError` with the key at fault."""
    try:
        document = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise BuildspecError(f"invalid YAML: {' '.join(str(error).split())}") from error
    top = _mapping(document, "buildspec")
    if str(top.get("version")) != "0.2":
        raise BuildspecError(f"Unknown buildspec version {top.get('version')!r}: the version must be 0.2")
    _known(top, _TOP, "buildspec")
    for key in sorted(_NOT_REHEARSED & set(top)):
        raise BuildspecError(f"{key} is not implemented by the rehearsal")
    _check_cache(top.get("cache"))
    env = _mapping(top.get("env"), "env")
    _known(env, _ENV, "env")
    shell = env.get("shell", "/bin/sh")
    if shell not in SHELLS:
        raise BuildspecError(f"env.shell {shell!r} is not one of {', '.join(SHELLS)}")
    phases, python = _phases(top.get("phases"))
    primary, secondary = _artifacts(top.get("artifacts"))
    return Buildspec(
        phases=phases,
        shell=shell,
        variables=_texts(env.get("variables"), "env.variables"),
        parameter_store=_texts(env.get("parameter-store"), "env.parameter-store"),
        secrets_manager=_texts(env.get("secrets-manager"), "env.secrets-manager"),
        exported=_strings(env.get("exported-variables"), "env.exported-variables"),
        python=python,
        artifacts=primary,
        secondary_artifacts=secondary,
    )


def _phases(value: Any) -> tuple[dict[str, Phase], str | None]:
    declared = _mapping(value, "phases")
    if not declared:
        raise BuildspecError("phases: at least one phase is required")
    _known(declared, set(PHASES), "phases")
    phases: dict[str, Phase] = {}
    python = None
    for name, body in declared.items():
        where = f"phases.{name}"
        body = _mapping(body, where)
        _known(body, _PHASE, where)
        if "run-as" in body:
            raise BuildspecError(f"{where}.run-as is not implemented by the rehearsal")
        if "runtime-versions" in body:
            python = _runtime(name, body["runtime-versions"])
        if "commands" not in body and "runtime-versions" not in body:
            raise BuildspecError(f"{where}: commands is required")
        phases[name] = Phase(
            commands=_strings(body.get("commands"), f"{where}.commands"),
            always=_strings(body.get("finally"), f"{where}.finally"),
            on_failure=_on_failure(body.get("on-failure"), where),
        )
    return phases, python


def _runtime(phase: str, value: Any) -> str | None:
    if phase != "install":
        raise BuildspecError(f"phases.{phase}.runtime-versions: runtime-versions belongs to the install phase")
    runtimes = _texts(value, "phases.install.runtime-versions")
    others = sorted(set(runtimes) - {"python"})
    if others:
        raise BuildspecError(f"runtime {others[0]!r} is not implemented by the rehearsal, which has python alone")
    python = runtimes.get("python")
    if python is not None and python not in PYTHONS:
        raise BuildspecError(
            f"Unknown runtime version named {python!r} of python. "
            f"This build image has the following versions: {', '.join(PYTHONS)}"
        )
    return python


def _on_failure(value: Any, where: str) -> str | None:
    if value is None:
        return None
    if value in ("ABORT", "CONTINUE"):
        return str(value)
    if str(value).startswith("RETRY"):
        raise BuildspecError(f"{where}.on-failure {value} is not implemented by the rehearsal")
    raise BuildspecError(f"{where}.on-failure {value!r} is not one of ABORT, CONTINUE")


def _artifacts(value: Any) -> tuple[ArtifactSpec | None, dict[str, ArtifactSpec]]:
    if value is None:
        return None, {}
    body = _mapping(value, "artifacts")
    _known(body, _ARTIFACTS, "artifacts")
    secondary = {
        name: _artifact(part, f"artifacts.secondary-artifacts.{name}")
        for name, part in _mapping(body.get("secondary-artifacts"), "artifacts.secondary-artifacts").items()
    }
    if "files" not in body and secondary:
        return None, secondary
    return _artifact(body, "artifacts"), secondary


def _artifact(value: Any, where: str) -> ArtifactSpec:
    body = _mapping(value, where)
    _known(body, _ARTIFACTS, where)
    for key in ("enable-symlinks", "s3-prefix"):
        if key in body:
            raise BuildspecError(f"{where}.{key} is not implemented by the rehearsal")
    files = _strings(body.get("files"), f"{where}.files")
    if not files:
        raise BuildspecError(f"{where}.files: at least one file pattern is required")
    name = body.get("name")
    discard = body.get("discard-paths", "no")
    return ArtifactSpec(
        files=files,
        base_directory=str(body.get("base-directory", ".")),
        name=None if name is None else str(name),
        discard_paths=discard in (True, "yes", "true"),
        exclude_paths=_strings(body.get("exclude-paths"), f"{where}.exclude-paths"),
    )


def _check_cache(value: Any) -> None:
    cache = _mapping(value, "cache")
    _known(cache, {"key", "fallback-keys", "action", "paths"}, "cache")
    _strings(cache.get("paths"), "cache.paths")


def _mapping(value: Any, where: str) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise BuildspecError(f"{where}: expected a mapping, found {type(value).__name__}")
    return value


def _texts(value: Any, where: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for key, item in _mapping(value, where).items():
        if isinstance(item, (dict, list)) or item is None:
            raise BuildspecError(f"{where}.{key}: expected a string")
        found[str(key)] = str(item).lower() if isinstance(item, bool) else str(item)
    return found


def _strings(value: Any, where: str) -> tuple[str, ...]:
    if value is None:
        return ()
    if not isinstance(value, list):
        raise BuildspecError(f"{where}: expected a list, found {type(value).__name__}")
    for item in value:
        if not isinstance(item, (str, int, float)):
            # `- echo: x` is a mapping in YAML: the commonest mistake in buildspecs
            raise BuildspecError(f"{where}: expected commands or names as strings, found {item!r}")
    return tuple(str(item) for item in value)


def _known(body: dict[str, Any], allowed: set[str], where: str) -> None:
    unknown = sorted(str(key) for key in body if key not in allowed)
    if unknown:
        raise BuildspecError(f"{where}: unknown key {unknown[0]!r}; known are {', '.join(sorted(allowed))}")
