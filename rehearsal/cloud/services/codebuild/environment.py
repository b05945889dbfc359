"""The environment of a build: what AWS sets, what project and buildspec declare, and what is secret in it."""

import json
import os
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

# The machine image has a shell, Python and Pulumi ready. Where its state lies and with which keys is the project's own.
_IMAGE = ("PATH", "LANG", "LC_ALL", "TZ", "VIRTUAL_ENV", "GOGC")
_PULUMI_OF_THE_PROJECT = (
    "PULUMI_BACKEND_URL",
    "PULUMI_ACCESS_TOKEN",
    "PULUMI_CONFIG_PASSPHRASE",
    "PULUMI_HOME",
    "PULUMI_STACK",
)


class VariableError(ValueError):
    """A variable whose value cannot be had. The message starts as CodeBuild's does."""


@dataclass(frozen=True)
class Variable:
    """An environment variable; `kind` is PLAINTEXT, PARAMETER_STORE or SECRETS_MANAGER."""

    name: str
    value: str
    kind: str = "PLAINTEXT"


def image_environment(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """What the machine image brings, taken from the gateway's own environment."""
    kept = {name: environ[name] for name in _IMAGE if name in environ}
    for name, value in environ.items():
        if name.startswith("PULUMI_") and not name.startswith(_PULUMI_OF_THE_PROJECT):
            kept[name] = value
    # the image's packages are all there is: pip must never reach for an index, nor write about itself
    kept |= {"PIP_NO_INDEX": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1", "AWS_EC2_METADATA_DISABLED": "true"}
    # A fourth of what pip does where everything is there already, and it would only warn. Of this option, a false value
    # is what turns the warning off: https://pip.pypa.io/en/stable/topics/configuration/
    kept |= {"PIP_NO_WARN_CONFLICTS": "0"}
    return kept


def commands(folder: Path, path: str) -> dict[str, str]:
    """PATH with what the image has and this machine may lack: AWS's command line. `folder` is made for it."""
    folder.mkdir()
    command = folder / "aws"
    script = Path(__file__).with_name("aws_command.py")
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -P "{script}" "{folder}" "$@"\n', encoding="utf-8")
    command.chmod(0o755)
    return {"PATH": os.pathsep.join(part for part in (str(folder), path) if part)}


def pulumi_home(home: Path, environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """A build's own home of Pulumi in `home`: the image's plugins, and no login that an administrator has made."""
    if "PULUMI_HOME" not in environ:
        return {}
    own = home / ".pulumi"
    own.mkdir()
    for name in ("plugins", "logs"):  # `logs` may be what keeps the engine from writing any
        (own / name).symlink_to(Path(environ["PULUMI_HOME"]) / name)
    return {"PULUMI_HOME": str(own)}


def merge_variables(project: list[dict[str, Any]], override: list[dict[str, Any]]) -> list[Variable]:
    """The project's variables with the build's overrides, by name."""
    merged = {item["name"]: Variable(item["name"], item["value"], item.get("type", "PLAINTEXT")) for item in project}
    for item in override:
        merged[item["name"]] = Variable(item["name"], item["value"], item.get("type", "PLAINTEXT"))
    return list(merged.values())


def resolve(variables: Iterable[Variable], ssm: Any, secrets: Any) -> tuple[dict[str, str], set[str]]:
    """Values by name, and the values to hide in the log. Raises `VariableError`."""
    values: dict[str, str] = {}
    hidden: set[str] = set()
    for variable in variables:
        values[variable.name] = _value(variable, ssm, secrets)
        if variable.kind != "PLAINTEXT" and values[variable.name].strip():
            hidden.add(values[variable.name])
    return values, hidden


def _value(variable: Variable, ssm: Any, secrets: Any) -> str:
    if variable.kind == "PLAINTEXT":
        return variable.value
    if variable.kind == "PARAMETER_STORE":
        return _parameter(variable.value, ssm)
    return _secret(variable.value, secrets)


def _parameter(name: str, ssm: Any) -> str:
    try:
        answer = ssm.get_parameters(Names=[name], WithDecryption=True)
    except ClientError as error:
        raise VariableError(f"Decrypted Variables Error Message: {_sentence(error)}") from error
    if not answer["Parameters"]:
        raise VariableError(f"Decrypted Variables Error Message: parameter does not exist: {name}")
    return str(answer["Parameters"][0]["Value"])


def _secret(reference: str, secrets: Any) -> str:
    secret, key, stage, version = split_secret(reference)
    wanted = {"SecretId": secret}
    if version:
        wanted["VersionId"] = version
    elif stage:
        wanted["VersionStage"] = stage
    try:
        text = str(secrets.get_secret_value(**wanted)["SecretString"])
    except ClientError as error:
        raise VariableError(f"Secrets Manager Error Message: {_sentence(error)}") from error
    except KeyError as error:
        raise VariableError(f"Secrets Manager Error Message: secret {secret} is binary, not a string") from error
    if not key:
        return text
    try:
        return str(json.loads(text)[key])
    except (json.JSONDecodeError, KeyError, TypeError) as error:
        raise VariableError(f"Secrets Manager Error Message: secret {secret} has no JSON key {key!r}") from error


def split_secret(reference: str) -> tuple[str, str, str, str]:
    """`secret-id[:json-key[:version-stage[:version-id]]]`, where the id may be an ARN with colons of its own."""
    parts = reference.split(":")
    taken = 7 if reference.startswith("arn:") else 1
    rest = [*parts[taken:], "", "", ""]
    return ":".join(parts[:taken]), rest[0], rest[1], rest[2]


def _sentence(error: ClientError) -> str:
    detail = error.response.get("Error", {})
    return f"{detail.get('Code', 'Unknown')}: {detail.get('Message', '')}"
