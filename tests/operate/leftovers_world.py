"""SageMaker, Lambda and CodeDeploy of one environment, as far as a sweep looks at them."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from botocore.exceptions import ClientError

from contracts.appspec import app_spec
from contracts.names import Names
from operate.project import Project

MADE = datetime(2026, 11, 21, 12, tzinfo=UTC)
TAGS = {"project": "glidepath", "stack": "prod"}


class AbsentError(Exception):
    """What does not exist."""


def error(code: str, operation: str = "Describe") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "no such thing"}}, operation)


def name(number: int, stack: str = "prod") -> str:
    """A name as the engine makes it up."""
    return f"glidepath-{stack}-{number:07x}"


@dataclass
class World:
    """Endpoint → configuration, configuration → models; who answers; what was deleted, in order."""

    endpoints: dict[str, str] = field(default_factory=dict)
    configs: dict[str, list[str]] = field(default_factory=dict)
    models: list[str] = field(default_factory=list)
    states: dict[str, str] = field(default_factory=dict)
    tags: dict[str, dict[str, str]] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    """Version → the endpoint in its environment."""
    alias: dict[str, Any] | None = field(default_factory=lambda: {"FunctionVersion": "1"})
    going_to: list[str] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)
    deleted: list[str] = field(default_factory=list)

    def release(self, number: int) -> str:
        """An endpoint with its configuration and its model, all of one number; the endpoint's name."""
        made = name(number)
        self.endpoints[made], self.configs[made] = made, [made]
        self.models.append(made)
        return made

    def of(self, stack: str, service: str) -> Any:
        return {"sagemaker": self, "lambda": self, "codedeploy": self}[service]

    @property
    def exceptions(self) -> Any:
        return SimpleNamespace(
            ResourceNotFoundException=AbsentError,
            ApplicationDoesNotExistException=AbsentError,
            DeploymentGroupDoesNotExistException=AbsentError,
        )

    def get_paginator(self, operation: str) -> Any:
        def paginate(NameContains: str = "", ResourceArn: str = "") -> Iterator[dict[str, Any]]:  # noqa: N803
            if operation == "list_tags":
                found = self.tags.get(ResourceArn.rpartition("/")[2], TAGS)
                yield {"Tags": [{"Key": key, "Value": value} for key, value in found.items()]}
                return
            items, key, known = {
                "list_endpoints": ("Endpoints", "EndpointName", [*self.endpoints]),
                "list_endpoint_configs": ("EndpointConfigs", "EndpointConfigName", [*self.configs]),
                "list_models": ("Models", "ModelName", [*self.models]),
            }[operation]
            for each in known:
                if NameContains in each:
                    status = {"EndpointStatus": self.states.get(each, "InService")} if items == "Endpoints" else {}
                    yield {items: [{key: each, "CreationTime": MADE, **status}]}

        return SimpleNamespace(paginate=paginate)

    def describe_endpoint(self, EndpointName: str) -> dict[str, Any]:  # noqa: N803
        if EndpointName not in self.endpoints:
            raise error("ValidationException")
        return {"EndpointConfigName": self.endpoints[EndpointName]}

    def describe_endpoint_config(self, EndpointConfigName: str) -> dict[str, Any]:  # noqa: N803
        if EndpointConfigName not in self.configs:
            raise error("ValidationException")
        return {"ProductionVariants": [{"ModelName": model} for model in self.configs[EndpointConfigName]]}

    def delete_endpoint(self, EndpointName: str) -> None:  # noqa: N803
        self._delete("endpoint", EndpointName)
        del self.endpoints[EndpointName]

    def delete_endpoint_config(self, EndpointConfigName: str) -> None:  # noqa: N803
        self._delete("config", EndpointConfigName)
        del self.configs[EndpointConfigName]

    def delete_model(self, ModelName: str) -> None:  # noqa: N803
        self._delete("model", ModelName)
        self.models.remove(ModelName)

    def _delete(self, kind: str, named: str) -> None:
        if named in self.refused:
            raise error(self.refused[named], "Delete")
        self.deleted.append(f"{kind} {named}")

    def get_alias(self, **_: str) -> dict[str, Any]:
        if self.alias is None:
            raise AbsentError
        return self.alias

    def get_function_configuration(self, Qualifier: str, **_: str) -> dict[str, Any]:  # noqa: N803
        return {"Environment": {"Variables": {"ENDPOINT_NAME": self.versions.get(Qualifier, ""), "OTHER": "x"}}}

    def list_deployments(self, **_: Any) -> dict[str, Any]:
        return {"deployments": self.going_to}

    def get_deployment(self, deploymentId: str) -> dict[str, Any]:  # noqa: N803
        content = app_spec("predict", "live", "1", deploymentId)
        return {"deploymentInfo": {"revision": {"appSpecContent": {"content": content}}}}


def project(root: Path, **stacks: str) -> Project:
    """A project whose stacks share an account, with the config of `prod` beside it."""
    (root / "Pulumi.prod.yaml").write_text(
        "config:\n  aws:defaultTags:\n    tags: {project: glidepath, stack: prod}\n", encoding="utf-8"
    )
    accounts = {"delivery": "1" * 12, "prod": "3" * 12, **stacks}
    return Project(root, Names("glidepath", "eu-west-1", accounts), {})
