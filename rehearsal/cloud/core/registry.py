"""What the service modules register when they are imported."""

from collections.abc import Callable
from typing import Any, TypeVar

from werkzeug.routing import Map, Rule

from rehearsal.cloud.core.call import Call
from rehearsal.cloud.core.cloud import Cloud
from rehearsal.cloud.core.ports import Place

F = TypeVar("F", bound=Callable[..., Any])
Handler = Callable[[Call], Any]
InventoryLister = Callable[[Cloud, str], list[str]]
TargetHandler = Callable[[Cloud, Place, dict[str, Any], Any], None]
Hook = Callable[[Cloud], None]

Check = Callable[[Call], None]

operations: dict[tuple[str, str], Handler] = {}
request_rules: dict[tuple[str, str], list[Check]] = {}
state_rules: dict[tuple[str, str], list[Check]] = {}
routes: dict[str, Callable[..., Any]] = {}
inventories: dict[str, list[InventoryLister]] = {}
targets: dict[str, TargetHandler] = {}
startup_hooks: list[Hook] = []
restore_hooks: list[Hook] = []
url_map = Map()


def operation(service: str, *names: str) -> Callable[[F], F]:
    """Register a handler for operations of a service (botocore's client name)."""

    def register(function: F) -> F:
        for name in names:
            operations[(service, name)] = function
        return function

    return register


def request_rule(service: str, *names: str) -> Callable[[F], F]:
    """Register what AWS refuses by a request alone, before it asks who makes it: `(call) -> None`, raises AwsError.

    For what the API reference says in prose: the constraints of the service's model are checked before.
    """
    return _rules(request_rules, service, names)


def state_rule(service: str, *names: str) -> Callable[[F], F]:
    """Register what AWS refuses of an allowed call because of what there is already: `(call) -> None`."""
    return _rules(state_rules, service, names)


def _rules(kept: dict[tuple[str, str], list[Check]], service: str, names: tuple[str, ...]) -> Callable[[F], F]:
    def register(function: F) -> F:
        for name in names:
            kept.setdefault((service, name), []).append(function)
        return function

    return register


def route(pattern: str, methods: list[str] | None = None) -> Callable[[F], F]:
    """Register a raw HTTP route: `(cloud, request, **variables) -> werkzeug Response`. It authenticates by itself."""

    def register(function: F) -> F:
        endpoint = f"{pattern} {','.join(methods or ['*'])}"
        routes[endpoint] = function
        url_map.add(Rule(pattern, endpoint=endpoint, methods=methods))
        return function

    return register


def inventory(service: str) -> Callable[[F], F]:
    """Register a lister of live resources: `(cloud, account) -> list of ARNs or names`."""

    def register(function: F) -> F:
        inventories.setdefault(service, []).append(function)
        return function

    return register


def target(kind: str) -> Callable[[F], F]:
    """Register a kind of EventBridge target, named by the service part of its ARN.

    `(cloud, the rule's place, target with its RuleArn, event or input)`.
    """

    def register(function: F) -> F:
        targets[kind] = function
        return function

    return register


def on_start(function: F) -> F:
    """Register something that runs once when the cloud comes up: `(cloud) -> None`."""
    startup_hooks.append(function)
    return function


def on_restore(function: F) -> F:
    """Register something that runs once after a snapshot was read, before anything is answered: `(cloud) -> None`.

    It resumes what was executing, or brings it to a final status with a reason.
    """
    restore_hooks.append(function)
    return function
