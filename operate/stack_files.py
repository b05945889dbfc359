"""The stacks' config files: where the engine may write to them, and which secrets provider they name.

An engine that is given a stack's config writes to the file: what `--config` sets, the salt or key of secrets. A command
works on a copy, so that the checkout's files stay as they are. Where `GLIDEPATH_PROJECT` names a folder with stack
files, the state in use is not that of the checkout's files, and neither is its secrets provider: theirs is taken.
"""

import os
from collections.abc import Mapping
from pathlib import Path

import yaml

from contracts.errors import UserError

SECRETS = ("secretsprovider", "encryptedkey", "encryptionsalt")
"""Keys of a stack's file by which the engine encrypts and decrypts."""
VARIABLE = "GLIDEPATH_PROJECT"


def file_of(stack: str) -> str:
    """The name of a stack's config file."""
    return f"Pulumi.{stack}.yaml"


def copy(stack: str, root: Path, folder: Path, environ: Mapping[str, str] = os.environ) -> Path:
    """A copy of the stack's config in `folder`, for an engine to write to. Raises UserError where there is none."""
    name = file_of(stack)
    try:
        text = (root / name).read_text(encoding="utf-8")
    except FileNotFoundError:
        raise UserError(f"there is no {name}", "name a stack that has a config file") from None
    project = environ.get(VARIABLE)
    if project:
        text = with_secrets_of(text, _text(Path(project) / name))
    made = folder / name
    made.write_text(text, encoding="utf-8")
    return made


def with_secrets_of(text: str, other: str) -> str:
    """A stack's config with the secrets settings of another's instead of its own; comments are kept.

    The settings stand at the top level, each on a line of its own, as the engine writes them.
    """
    lines = [line for line in text.splitlines() if line.partition(":")[0] not in SECRETS]
    theirs = yaml.safe_load(other) or {}
    lines += [f"{key}: {theirs[key]}" for key in SECRETS if key in theirs]
    return "\n".join(lines) + "\n"


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.is_file() else ""
