"""`#{namespace.name}` in action configuration."""

import re
from collections.abc import Mapping

REFERENCE = re.compile(r"#\{([A-Za-z0-9@_-]+)\.([A-Za-z0-9@_-]+)\}")


class UnresolvedVariableError(ValueError):
    """A reference to a variable that no action has given."""


def references(text: str) -> list[tuple[str, str]]:
    """The (namespace, name) pairs that `text` refers to."""
    return REFERENCE.findall(text)


def resolve(text: str, values: Mapping[str, Mapping[str, str]]) -> str:
    """`text` with every reference replaced. Raises `UnresolvedVariableError` for one that has no value."""
    missing = [f"{space}.{name}" for space, name in references(text) if name not in values.get(space, {})]
    if missing:
        raise UnresolvedVariableError(f"The following variables could not be resolved: {', '.join(missing)}")
    return REFERENCE.sub(lambda match: values[match.group(1)][match.group(2)], text)
