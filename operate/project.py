"""What is known of the program before it runs: names, accounts, region, from the stacks' config files."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from rehearsal.errors import UserError

ENVIRONMENTS = ("dev", "prod")


@dataclass(frozen=True)
class Project:
    """Names and places that the stacks agree on."""

    root: Path
    name: str
    region: str
    accounts: dict[str, str]
    config: dict[str, Any]

    @property
    def data_bucket(self) -> str:
        """Holds source and datasets."""
        return f"{self.name}-data-{self.accounts['delivery']}-{self.region}"

    @property
    def artifacts_bucket(self) -> str:
        """Holds runs and releases."""
        return f"{self.name}-artifacts-{self.accounts['delivery']}-{self.region}"

    def capture_bucket(self, stack: str) -> str:
        """Holds the captured requests and answers of an environment."""
        return f"{self.name}-{stack}-capture-{self.accounts[stack]}-{self.region}"

    def predict(self, stack: str) -> str:
        """The name of an environment's predict function."""
        return f"{self.name}-{stack}-predict"

    def profile(self, stack: str) -> str:
        """The AWS profile under which a stack is brought up."""
        return f"{self.name}-{stack}"


def read_project(root: Path) -> Project:
    """Reads `Pulumi.delivery.yaml`; the program itself validates every value later.

    Raises UserError where the file or a key that is needed is missing.
    """
    path = root / "Pulumi.delivery.yaml"
    try:
        config = (yaml.safe_load(path.read_text(encoding="utf-8")) or {}).get("config") or {}
        accounts = {str(key): str(value) for key, value in config["glidepath:accounts"].items()}
        name, region = str(config["glidepath:name"]), str(config["aws:region"])
    except FileNotFoundError:
        raise UserError(f"{path} does not exist", "run from a checkout of Glidepath") from None
    except yaml.YAMLError as error:
        raise UserError(f"{path} is no valid YAML: {error}", "mend the file") from None
    except (KeyError, AttributeError) as error:
        raise UserError(
            f"{path} lacks {error}", "see Pulumi.delivery.yaml in the documentation for every key"
        ) from None
    missing = [stack for stack in ("delivery", *ENVIRONMENTS) if stack not in accounts]
    if missing:
        raise UserError(
            f"glidepath:accounts in {path} lacks {', '.join(missing)}", "give each stack its 12-digit account id"
        )
    return Project(root, name, region, accounts, config)


def environment(project: Project, stack: str) -> str:
    """The name of an environment that exists. Raises UserError with those that do."""
    known = [name for name in project.accounts if name != "delivery"]
    if stack not in known:
        raise UserError(f"there is no environment {stack!r}", f"choose one of: {', '.join(known)}")
    return stack
