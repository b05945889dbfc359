"""What moto works out anew for each request though it never changes, worked out once.

Every change here replaces a function by one with the same answers: `tests/rehearsal/cloud/core/test_store_speed.py`
holds them against moto's own. What is kept depends on classes, service models and the text of names, never on state.
"""

import copy
import functools
from collections.abc import Callable, Mapping
from typing import Any

import moto.backends
import moto.core.responses
import moto.core.serialize
from moto.core.constants import MISSING
from moto.core.serialize import AttributePickerContext, ResponseSerializer, XFormedAttributePicker
from moto.core.utils import camelcase_to_underscores, get_value, method_names_from_class
from moto.iam.models import IAMBackend
from moto.moto_api._internal.moto_random import MotoRandom

from rehearsal.cloud.core import store_xml

_NAMES = 16384


def apply() -> None:
    """Put the quick ways into moto. Once or more often in a process."""
    _keep_module_list()
    _share_managed_policies()
    setattr(moto.core.responses, "method_names_from_class", methods_of)  # noqa: B010  no type to mypy
    setattr(moto.core.responses, "camelcase_to_underscores", _underscored)  # noqa: B010
    setattr(moto.core.responses, "XFormedAttributePicker", Picker)  # noqa: B010
    setattr(ResponseSerializer, "get_value", _pick)  # noqa: B010
    setattr(MotoRandom, "get_random_string", random_string)  # noqa: B010
    setattr(moto.core.serialize, "xmltodict", store_xml)  # noqa: B010


def _keep_module_list() -> None:
    # moto lists its packages for each backend that is looked up.
    names = tuple(moto.backends.list_of_moto_modules())
    moto.backends.list_of_moto_modules = lambda: names


def _share_managed_policies() -> None:
    # moto reads AWS's 1,500 managed policies anew for every account and partition (0.4 s each).
    original = IAMBackend._init_aws_policies
    if getattr(original, "shared", False):
        return
    prototypes: list[Any] = []

    def copies(self: IAMBackend) -> list[Any]:
        if self.partition != "aws":
            return []
        if not prototypes:
            prototypes.extend(original(self))
        own = [copy.copy(policy) for policy in prototypes]
        for policy in own:
            policy.account_id = self.account_id
        return own

    copies.shared = True  # type: ignore[attr-defined]
    IAMBackend._init_aws_policies = copies  # type: ignore[method-assign]


@functools.cache
def methods_of(responses: Any) -> frozenset[str]:
    """The names of a class's methods, which moto looks an operation up in."""
    return frozenset(method_names_from_class(responses))


_underscored = functools.lru_cache(_NAMES)(camelcase_to_underscores)


def random_string(self: MotoRandom, length: int = 20, include_digits: bool = True, lower_case: bool = False) -> str:
    """moto's request ids and names, drawn at once: one by one they took as long as to read a role."""
    text = "".join(self.choices(_POOLS[include_digits], k=length))
    return text.lower() if lower_case else text


_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
_POOLS = {True: _LETTERS + "0123456789", False: _LETTERS}


class Picker(XFormedAttributePicker):
    """moto's search for an attribute under all the names it may have: the names are found once.

    They depend on the object's class, the member's name, its shape and the structure that the shape is part of.
    """

    def __init__(self, response_transformers: Mapping[str, Callable[[Any], Any]] | None = None) -> None:
        super().__init__(response_transformers=dict(response_transformers or {}))

    def __call__(self, context: AttributePickerContext) -> Any:
        return self.pick(context, context.key_path.split("."))

    def pick(self, context: AttributePickerContext, path: list[str]) -> Any:
        """The value; `path` leads to the object."""
        value = _find(context.obj, self._names(context))
        if not self.response_transformers:
            return value
        key_path = ".".join((*path, context.key))
        for ending, transform in self.response_transformers.items():
            if key_path.endswith(ending):
                return transform(value)
        return value

    def _names(self, context: AttributePickerContext) -> tuple[str, ...]:
        key = (type(context.obj), context.key, context.shape, getattr(context.shape, "parent", None))
        names = _names.get(key)
        if names is None:
            names = _names[key] = tuple(dict.fromkeys(self.get_possible_keys(context)))
        return names


_names: dict[tuple[Any, ...], tuple[str, ...]] = {}


def _find(obj: Any, names: tuple[str, ...]) -> Any:
    for name in names:
        value = get_value(obj, name, MISSING)
        if value is not MISSING:
            return value
    return None


def _pick(self: ResponseSerializer, value: Any, key: str, shape: Any) -> Any:
    picker = self._value_picker
    if type(picker) is Picker:
        return picker.pick(AttributePickerContext(value, key, shape), self.path)
    operation = self.operation_model
    return picker(AttributePickerContext(value, key, shape, operation, operation.service_model, ".".join(self.path)))
