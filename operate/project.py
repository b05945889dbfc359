"""What is known of the program before it runs: its names, accounts and environments, from a stack's config file."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from contracts.errors import UserError
from contracts.names import DELIVERY, ENVIRONMENTS, Names


@dataclass(frozen=True)
class Project:
    """The names that the stacks agree on, and the config of the delivery stack."""

    root: Path
    names: Names
    config: Mapping[str, Any]

    @property
    def production(self) -> str:
        """The environment where a release's travel ends."""
        return self.names.production


def read_project(root: Path) -> Project:
    """Reads `Pulumi.delivery.yaml`; the program itself validates every value later.

    Raises UserError where the file or a key that is needed is missing.
    """
    path = root / "Pulumi.delivery.yaml"
    try:
        config = (yaml.safe_load(path.read_text(encoding="utf-8")) or {}).get("config") or {}
        accounts = {str(key): str(value) for key, value in config["glidepath:accounts"].items()}
        environments = [str(stack) for stack in config.get("glidepath:environments") or ENVIRONMENTS]
        name, region = str(config["glidepath:name"]), str(config["aws:region"])
    except FileNotFoundError:
        raise UserError(f"{path} does not exist", "run from a checkout of Glidepath") from None
    except yaml.YAMLError as error:
        raise UserError(f"{path} is not valid YAML: {error}", "fix the file") from None
    except (KeyError, AttributeError) as error:
        raise UserError(
            f"{path} lacks {error}", "see Pulumi.delivery.yaml in the documentation for every key"
        ) from None
    stacks = [DELIVERY, *environments]
    missing = [stack for stack in stacks if stack not in accounts]
    if missing:
        raise UserError(
            f"glidepath:accounts in {path} lacks {', '.join(missing)}", "give each stack its 12-digit account id"
        )
    return Project(root, Names(name, region, {stack: accounts[stack] for stack in stacks}), config)


def environment(project: Project, stack: str) -> str:
    """The name of an environment that exists. Raises UserError with those that do."""
    known = project.names.environments
    if stack not in known:
        raise UserError(f"there is no environment {stack!r}", f"choose one of: {', '.join(known)}")
    return stack
