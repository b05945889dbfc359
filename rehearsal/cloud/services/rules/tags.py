"""Tags, which services restrict alike: https://docs.aws.amazon.com/tag-editor/latest/userguide/tagging.html"""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from rehearsal.cloud.core.api import AwsError

MOST = 50
_ALLOWED = re.compile(r"[\w\s+=.:/@-]*")

Refusal = Callable[[str], AwsError]


def pairs(tags: Any) -> list[tuple[str, str]]:
    """Keys and values, whichever shape the service gives them."""
    if isinstance(tags, Mapping):
        return [(str(key), str(value)) for key, value in tags.items()]
    found = []
    for item in tags or ():
        named = {str(name).lower(): value for name, value in item.items()}
        key, value = named.get("key", named.get("tagkey")), named.get("value", named.get("tagvalue"))
        found.append((str(key), "" if value is None else str(value)))
    return found


def check(tags: Any, refusal: Refusal, *, fold: bool = False, most: int = MOST) -> None:
    """Raise what `refusal` makes of a sentence. With `fold` keys that differ in case are the same."""
    listed = pairs(tags)
    keys = [key.lower() if fold else key for key, _ in listed]
    if len(set(keys)) < len(keys):
        raise refusal("Duplicate tag keys found. Please note that Tag keys are case insensitive."
                      if fold else "Duplicate tag keys")  # fmt: skip
    if len(listed) > most:
        raise refusal("Too many tags")
    for key, value in listed:
        if key.lower().startswith("aws:"):
            raise refusal("Tags beginning with aws: are reserved")
        if len(key) > 128 or not key or not _ALLOWED.fullmatch(key):
            raise refusal(f"The tag key {key!r} is invalid")
        if len(value) > 256 or not _ALLOWED.fullmatch(value):
            raise refusal(f"The tag value {value!r} is invalid")


def check_keys(keys: Iterable[str], refusal: Refusal) -> None:
    for key in keys:
        if key.lower().startswith("aws:"):
            raise refusal("Tags beginning with aws: are reserved")
