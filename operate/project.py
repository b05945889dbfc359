"""What is known of the program before it runs: its names, accounts and environments, from a stack's config file."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from contracts.errors import UserError
from contracts.names import DELIVERY, ENVIRONMENTS, Names

_ENVIRONMENTS = "glidepath:environments"
_DIGITS = 12
"""How many an account id has."""


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

    Raises UserError where the file or a key that is needed is missing, or cannot be read as what it stands for.
    """
    path = root / "Pulumi.delivery.yaml"
    config = config_of(path)
    try:
        name, region, given = str(config["glidepath:name"]), str(config["aws:region"]), config["glidepath:accounts"]
    except KeyError as error:
        raise UserError(
            f"{path} lacks {error}", "see Pulumi.delivery.yaml in the documentation for every key"
        ) from None
    accounts, stacks = _accounts(path, given), [DELIVERY, *_environments(path, config.get(_ENVIRONMENTS))]
    missing = [stack for stack in stacks if stack not in accounts]
    if missing:
        raise UserError(
            f"glidepath:accounts in {path} lacks {', '.join(missing)}", "give each stack its 12-digit account id"
        )
    return Project(root, Names(name, region, {stack: accounts[stack] for stack in stacks}), config)


def default_tags(root: Path, stack: str) -> dict[str, str]:
    """The tags that a stack's config gives to all that it makes. Raises UserError where the file cannot be read."""
    given = config_of(root / f"Pulumi.{stack}.yaml").get("aws:defaultTags")
    tags = given.get("tags") if isinstance(given, dict) else None
    return {str(name): str(value) for name, value in tags.items()} if isinstance(tags, dict) else {}


def config_of(path: Path) -> dict[str, Any]:
    """The config in a stack's file, as YAML has it. Raises UserError where the file cannot be read so."""
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"{path} does not exist", "run from a checkout of Glidepath") from None
    except yaml.YAMLError as error:
        raise UserError(f"{path} is not valid YAML: {error}", "fix the file") from None
    config = document.get("config") if isinstance(document, dict) else document
    if config is None:
        return {}
    if not isinstance(config, dict):
        raise UserError(f"{path} holds {config!r} where its config should be", "write `config:` and the keys under it")
    return config


def _environments(path: Path, given: Any) -> list[str]:
    """The environments in the order in which a release travels; the usual ones where the config names none."""
    if given is None:
        return list(ENVIRONMENTS)
    where = f"{_ENVIRONMENTS} in {path} is {given!r}"
    if not isinstance(given, list):
        raise UserError(f"{where}, which is not a list", "write the stacks as a list, like [staging, prod]")
    if not given:
        raise UserError(f"{where}: a release has nowhere to go", "name at least one stack, like [prod]")
    odd = [stack for stack in given if not isinstance(stack, str)]
    if odd:
        raise UserError(f"{where}, and {odd[0]!r} in it is not a text", "name each stack by a text, like staging")
    order = [DELIVERY, *given]
    twice = [stack for stack in dict.fromkeys(order) if order.count(stack) > 1]
    if DELIVERY in twice:
        raise UserError(f"{where}, and {DELIVERY} is no environment: it holds the pipeline", "take it out")
    if twice:
        raise UserError(f"{where}, which names {', '.join(twice)} more than once", "name each stack once")
    return given


def _accounts(path: Path, given: Any) -> dict[str, str]:
    if not isinstance(given, dict):
        raise UserError(
            f"glidepath:accounts in {path} is {given!r}, which is not an object",
            'give each stack its account, like {delivery: "111111111111", prod: "333333333333"}',
        )
    return {str(stack): _account(f"glidepath:accounts.{stack} in {path}", account) for stack, account in given.items()}


def _account(where: str, given: Any) -> str:
    """An account id. One without quotes is a number, which is as good as a text while it still has its 12 digits."""
    if isinstance(given, str):
        return given
    if not isinstance(given, int) or isinstance(given, bool):
        raise UserError(f"{where} is {given!r}, which is not an account id", 'put it in quotes, like "011111111111"')
    if len(str(given)) != _DIGITS:
        raise UserError(
            f"{where} is the number {given}, not {_DIGITS} digits: YAML reads digits without quotes as a number, and"
            " those that begin with 0 as an octal one",
            'put it in quotes, like "011111111111"',
        )
    return str(given)


def environment(project: Project, stack: str) -> str:
    """The name of an environment that exists. Raises UserError with those that do."""
    return _one_of("environment", project.names.environments, stack)


def known_stack(project: Project, stack: str) -> str:
    """The name of a stack that exists: delivery, or an environment. Raises UserError with those that do."""
    return _one_of("stack", [DELIVERY, *project.names.environments], stack)


def _one_of(what: str, known: Sequence[str], name: str) -> str:
    if name not in known:
        raise UserError(f"there is no {what} {name!r}", f"choose one of: {', '.join(known)}")
    return name
