"""One conversion of a resource for all policies.

The SDK takes a resource's properties apart anew for each registered policy (`Analyze` in
https://github.com/pulumi/pulumi-policy/blob/v1.21.0/sdk/python/lib/pulumi_policy/policy.py), six times here. No rule
writes into what it is given, so that each may be handed what the first was given. Where the SDK has other names
nothing is changed.
"""

from collections.abc import Callable
from types import ModuleType, SimpleNamespace
from typing import Any


def last(make: Callable[..., Any]) -> Callable[..., Any]:
    """The function, which remembers what it made of the last thing it was given, told by identity."""
    kept: tuple[object, tuple[Any, ...], Any] | None = None

    def remembered(given: object, *options: Any) -> Any:
        nonlocal kept
        before = kept  # read once: calls may come on several threads
        if before is None or before[0] is not given or before[1] != options:
            # It holds what it was given, so that nothing else can be at that address.
            kept = before = (given, options, make(given, *options))
        return before[2]

    return remembered


def share(sdk: ModuleType) -> None:
    """Have the SDK's module of policies convert each resource once."""
    steps = ("deserialize_properties", "unknown_checking_proxy")
    known = all(hasattr(sdk, name) for name in (*steps, "json_format"))
    if not known or isinstance(sdk.json_format, SimpleNamespace):  # the latter: it was done before
        return
    messages = SimpleNamespace(**vars(sdk.json_format))
    messages.MessageToDict = last(sdk.json_format.MessageToDict)
    sdk.json_format = messages  # type: ignore[attr-defined]
    for name in steps:
        setattr(sdk, name, last(getattr(sdk, name)))
