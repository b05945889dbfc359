"""What the files of a source may tell the engine: which program to run, and nothing else.

The engine reads them before any of the program runs. They can name a language host, a provider or an analyzer in the
source (`plugins`, `packages`), which then run the program, hold the deployer's keys, and judge in the policy pack's
place. Where the commands are the source's own there is nothing to keep apart.

https://www.pulumi.com/docs/iac/concepts/projects/project-file/
"""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from contracts.errors import UserError
from operate import HERE
from operate.stack_files import SECRETS, file_of

_PROJECT = "Pulumi.yaml"
# Of several the engine takes the first of .json, .yaml and .yml (sdk/go/common/encoding, `Exts`).
_OTHERS = ("Pulumi.json", "Pulumi.yml")
_TOLD = frozenset({
    "name", "runtime", "main", "config", "description", "author", "website", "license", "template",
    "requiredPulumiVersion",
})  # fmt: skip
_OF_STACK = frozenset({"config", *SECRETS})


def refuse_more(root: Path, stack: str, environ: Mapping[str, str] = os.environ) -> None:
    """Raises UserError where a source that is not these commands' own tells the engine more than what to run."""
    if root.resolve() == HERE:
        return
    found = next(more(root, stack, environ), "")
    if found:
        raise UserError(found, "nothing was changed; take it out of the source, and commit again")


def more(root: Path, stack: str, environ: Mapping[str, str]) -> Iterator[str]:
    """What a source tells the engine beyond what to run, a sentence each."""
    for name in _OTHERS:
        if os.path.lexists(root / name):
            yield f"{name} stands beside {_PROJECT}, and the engine would read it instead"
    project, config = _read(root / _PROJECT), _read(root / file_of(stack))
    # The build's own address of the state goes before the file's.
    told = _TOLD | ({"backend"} if environ.get("PULUMI_BACKEND_URL") else set())
    for key in project.keys() - told:
        yield f"{_PROJECT} has {key!r}, by which the engine could run or ask something else than what is pinned"
    for key in config.keys() - _OF_STACK:
        yield f"{file_of(stack)} has {key!r}, by which the engine could take what is not in the source"
    if not isinstance(project.get("config") or {}, Mapping):
        yield f"{_PROJECT} has config: {project['config']!r}, a folder of other files for the stacks"
    runtime = project.get("runtime")
    language = runtime.get("name") if isinstance(runtime, Mapping) else runtime
    if language != "python":
        yield f"{_PROJECT} has the runtime {language!r}, and the program is Python"
    main = Path(str(project.get("main") or "."))
    if main.is_absolute() or ".." in main.parts or not (root / main).resolve().is_relative_to(root.resolve()):
        yield f"{_PROJECT} has main: {main}, which is not in the source"


def _read(path: Path) -> dict[Any, Any]:
    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"there is no {path.name}", "run from a checkout of Glidepath") from None
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise UserError(f"{path} cannot be read: {error}", "fix the file") from None
    if not isinstance(found, dict):
        raise UserError(f"{path} holds {found!r} where an object should be", "fix the file")
    return found
