"""What releases have left behind: endpoints, configurations and models that no state holds and nobody serves.

An endpoint that does not come into service has no id in the provider (terraform-provider-aws,
internal/service/sagemaker/endpoint.go: SetId comes after the wait), and an engine that is killed at a creation has not
written it down: no update and no destroy ever deletes such a thing, and an endpoint costs money as long as it is there.

The order makes it safe: AWS is asked first, then who serves, and the state last. What an update makes meanwhile is not
on the list, and what it had made before stands in its state by then.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from contracts.appspec import ACTIVE, target_version
from contracts.names import LIVE, PREDICT
from operate.clients import Clients
from operate.exported import creations, read_state
from operate.project import Project, default_tags

ENDPOINT, CONFIG, MODEL = "endpoint", "endpoint-config", "model"
KINDS = (ENDPOINT, CONFIG, MODEL)
"""In the order in which they can be deleted: each is used by those before it."""
_TYPES = {
    "aws:sagemaker/endpoint:Endpoint": ENDPOINT,
    "aws:sagemaker/endpointConfiguration:EndpointConfiguration": CONFIG,
    "aws:sagemaker/model:Model": MODEL,
}
# A name that the engine made up: pulumi-terraform-bridge, pkg/tfbridge/names.go, seven hexadecimal digits.
_MADE_UP = re.compile(r"-[0-9a-f]{7}")
_WORKED_AT = frozenset({"Creating", "Updating", "SystemUpdating", "RollingBack"})


@dataclass(frozen=True, order=True)
class Thing:
    """An endpoint, a configuration or a model, by kind and name."""

    kind: str
    name: str


@dataclass(frozen=True)
class Leftover:
    """A thing that nobody owns. `status` is an endpoint's; `creating` where a creation in the state names it."""

    thing: Thing
    created: datetime
    status: str = ""
    creating: bool = False

    @property
    def at_work(self) -> bool:
        """Whether SageMaker is still at work at it, and would refuse to delete it."""
        return self.status in _WORKED_AT

    def as_dict(self) -> dict[str, Any]:
        """As JSON has it."""
        return {
            "kind": self.thing.kind,
            "name": self.thing.name,
            "status": self.status or None,
            "created": self.created.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "creating": self.creating,
        }


@dataclass(frozen=True)
class Held:
    """What a state says: the things that it holds, and those whose creation has begun and not ended."""

    things: frozenset[Thing] = frozenset()
    creating: frozenset[Thing] = frozenset()


def held(export: str) -> Held:
    """What an exported state holds, with what is to be deleted yet."""
    state = read_state(export)
    begun = creations(state)
    resources = [*state.resources, *(each for kind, each in state.operations if kind != "creating")]
    return Held(
        frozenset(Thing(_TYPES[each["type"]], each["id"]) for each in resources if _ours(each) and each.get("id")),
        # The name is made up before the creation begins, and stands in the inputs.
        frozenset(Thing(_TYPES[each["type"]], each["inputs"]["name"]) for each in begun if _named(each)),
    )


def _ours(resource: Mapping[str, Any]) -> bool:
    return resource.get("type") in _TYPES


def _named(resource: Mapping[str, Any]) -> bool:
    return _ours(resource) and isinstance((resource.get("inputs") or {}).get("name"), str)


class Leftovers:
    """Looks for what one environment has left behind."""

    def __init__(self, clients: Clients, project: Project, stack: str) -> None:
        self._project, self._stack = project, stack
        self._sagemaker = clients.of(stack, "sagemaker")
        self._lambda = clients.of(stack, "lambda")
        self._codedeploy = clients.of(stack, "codedeploy")

    def candidates(self) -> list[Leftover]:
        """All of this stack's things that nobody serves, in the order in which they can be deleted."""
        listed = list(self._listed())
        served = self._used(self._served(each.thing for each in listed))
        return [each for each in listed if each.thing not in served and self._tagged(each.thing)]

    def left(self, candidates: Iterable[Leftover], state: Held) -> list[Leftover]:
        """Those of them that the state does not hold, nor anything that it holds uses."""
        kept = self._used({*state.things})
        return [
            Leftover(each.thing, each.created, each.status, each.thing in state.creating)
            for each in candidates
            if each.thing not in kept
        ]

    def _listed(self) -> Iterator[Leftover]:
        pattern = self._names()
        for kind, operation, items, name in (
            (ENDPOINT, "list_endpoints", "Endpoints", "EndpointName"),
            (CONFIG, "list_endpoint_configs", "EndpointConfigs", "EndpointConfigName"),
            (MODEL, "list_models", "Models", "ModelName"),
        ):
            pages = self._sagemaker.get_paginator(operation).paginate(NameContains=self._prefix())
            for each in (each for page in pages for each in page[items]):
                if pattern(each[name]):
                    yield Leftover(Thing(kind, each[name]), each["CreationTime"], each.get("EndpointStatus", ""))

    def _prefix(self) -> str:
        return self._project.names.stack(self._stack)

    def _names(self) -> Any:
        """Whether a name is one of this stack's: `prod` has none of `prod-eu`, where both share an account."""
        prefix = self._prefix()
        others = [self._project.names.stack(stack) for stack in self._project.names.stacks if stack != self._stack]
        longer = tuple(f"{other}-" for other in others if other.startswith(f"{prefix}-"))
        own = re.compile(rf"{re.escape(prefix)}(-.+)?{_MADE_UP.pattern}")

        def match(name: str) -> bool:
            return own.fullmatch(name) is not None and not name.startswith(longer)

        return match

    def _tagged(self, thing: Thing) -> bool:
        """Whether it has the tags that the config gives to all that is the stack's."""
        wanted = default_tags(self._project.root, self._stack)
        if not wanted:
            return True
        names = self._project.names
        pages = self._sagemaker.get_paginator("list_tags").paginate(
            ResourceArn=names.arn("sagemaker", f"{thing.kind}/{thing.name}", self._stack)
        )
        found = {tag["Key"]: tag["Value"] for page in pages for tag in page["Tags"]}
        return found.items() >= wanted.items()

    # --- who owns ----------------------------------------------------------------------------------------------------

    def _served(self, things: Iterable[Thing]) -> set[Thing]:
        """Endpoints that a version names which answers, which a deployment goes to, or which is published next."""
        named = "\n".join(value for version in self._versions() for value in self._variables(version))
        return {thing for thing in things if thing.kind == ENDPOINT and thing.name in named}

    def _versions(self) -> set[str]:
        function = self._project.names.predict(self._stack)
        try:
            alias = self._lambda.get_alias(FunctionName=function, Name=LIVE)
        except self._lambda.exceptions.ResourceNotFoundException:
            return set()
        weights = (alias.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {}
        return {"$LATEST", alias["FunctionVersion"], *weights, *self._targets()}

    def _targets(self) -> Iterator[str]:
        """Versions that deployments under way go to."""
        group = {"applicationName": self._prefix(), "deploymentGroupName": PREDICT}
        try:
            found = self._codedeploy.list_deployments(**group, includeOnlyStatuses=list(ACTIVE))["deployments"]
        except (
            self._codedeploy.exceptions.ApplicationDoesNotExistException,
            self._codedeploy.exceptions.DeploymentGroupDoesNotExistException,
        ):
            return
        for deployment in found:
            info = self._codedeploy.get_deployment(deploymentId=deployment)["deploymentInfo"]
            version = target_version(info.get("revision") or {})
            if version:
                yield version

    def _variables(self, version: str) -> list[str]:
        found = self._lambda.get_function_configuration(
            FunctionName=self._project.names.predict(self._stack), Qualifier=version
        )
        return list(((found.get("Environment") or {}).get("Variables") or {}).values())

    def _used(self, things: set[Thing]) -> set[Thing]:
        """Those things, and all that they use."""
        configs = {thing for thing in things if thing.kind == CONFIG} | {
            Thing(CONFIG, found["EndpointConfigName"])
            for thing in things
            if thing.kind == ENDPOINT and (found := described(self._sagemaker, "endpoint", EndpointName=thing.name))
        }
        models = {
            Thing(MODEL, variant["ModelName"])
            for thing in configs
            if (found := described(self._sagemaker, "endpoint_config", EndpointConfigName=thing.name))
            for variant in [*found.get("ProductionVariants", []), *found.get("ShadowProductionVariants", [])]
        }
        return things | configs | models


def described(sagemaker: Any, what: str, **name: str) -> dict[str, Any]:
    """What SageMaker says of an `endpoint` or an `endpoint_config`; empty where there is none of that name."""
    try:
        return dict(getattr(sagemaker, f"describe_{what}")(**name))
    except ClientError as error:
        if error.response["Error"]["Code"] == "ValidationException":  # SageMaker's word for what does not exist
            return {}
        raise
