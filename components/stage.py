"""What the pipeline is made of: each stage's own declaration, in CodePipeline's terms."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

import pulumi

if TYPE_CHECKING:
    from pulumi_aws.codepipeline import PipelineStageActionArgsDict as PipelineAction
    from pulumi_aws.codepipeline import PipelineStageArgsDict as PipelineStage


@dataclass(frozen=True)
class Stage:
    """One stage with one action. `configuration` is the action's, in CodePipeline's words."""

    name: str
    category: str
    provider: str
    configuration: Mapping[str, pulumi.Input[str]]
    version: str = "1"
    takes_source: bool = True
    gives_source: bool = False
    minutes: int | None = None
    beside: "tuple[Stage, ...]" = ()
    """Further actions of this stage, which run at the same time."""

    def declaration(self) -> "PipelineStage":
        """As pulumi-aws's pipeline takes it."""
        return {"name": self.name, "actions": [self._action(), *(other._action() for other in self.beside)]}

    def _action(self) -> "PipelineAction":
        """The action is named as its stage, and so is its namespace."""
        action: PipelineAction = {
            "name": self.name,
            "category": self.category,
            "owner": "AWS",
            "provider": self.provider,
            "version": self.version,
            "configuration": dict(self.configuration),
        }
        if self.category != "Approval":
            action["namespace"] = self.name
        if self.takes_source:
            action["input_artifacts"] = ["source"]
        if self.gives_source:
            action["output_artifacts"] = ["source"]
        if self.minutes:
            action["timeout_in_minutes"] = self.minutes
        return action


class HasStage(Protocol):
    """A component that is a stage of the pipeline."""

    @property
    def stage(self) -> Stage:
        """Its declaration."""
        ...


@dataclass(frozen=True)
class Together:
    """One stage of the actions of several: named after the first, which the others run beside."""

    first: HasStage
    others: tuple[HasStage, ...]

    @property
    def stage(self) -> Stage:
        """The stage with all its actions."""
        return replace(self.first.stage, beside=tuple(other.stage for other in self.others))


def variables(values: Mapping[str, str]) -> str:
    """A CodeBuild action's variables; values may name pipeline variables (`#{DeployDev.API_URL}`)."""
    return json.dumps([{"name": name, "value": value, "type": "PLAINTEXT"} for name, value in values.items()])


def title(env: str) -> str:
    """`dev` → `Dev`, as stage names have it."""
    return env[:1].upper() + env[1:]
