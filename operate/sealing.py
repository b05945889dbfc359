"""Has a preview say what its secrets are, and keeps hashes of them alone."""

import json
from pathlib import Path

from contracts.errors import UserError
from preview.seal import Sealed, sealed

_FILE = "engine-plan.json"


def arguments(folder: Path) -> list[str]:
    """What the engine's preview is asked besides. `folder` is the caller's own, and temporary.

    `--show-secrets` concerns that file alone: the engine's JSON and its event log hide secrets all the same.
    """
    return ["--save-plan", str(folder / _FILE), "--show-secrets"]


def read(folder: Path, stack: str, release: str) -> Sealed:
    """Hashes of the plan's secrets; the same ones for the same stack and release. Raises UserError without a plan.

    The file with the secrets is removed.
    """
    file = folder / _FILE
    try:
        plan = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(f"the engine's plan of {stack} cannot be read: {error}", "nothing was changed") from error
    finally:
        file.unlink(missing_ok=True)
    return sealed(plan, f"{stack} {release}")
