"""What is worked out once answers as moto does, and follows what may change."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from moto.core.serialize import AttributePickerContext, XFormedAttributePicker
from moto.core.utils import get_service_model, method_names_from_class
from moto.iam.responses import IamResponse
from moto.moto_api._internal import mock_random
from moto.sns.responses import SNSResponse

from rehearsal.cloud.core import store_speed


class Role:
    """Named like the shape's prefix, so that a member is found without it."""

    def __init__(self, **values: Any) -> None:
        self.__dict__.update(values)


class Aliased(Role):
    """Its own words for the members."""

    class Meta:
        """Where moto looks for them."""

        serialization_aliases = {"RoleName": "called"}  # noqa: RUF012  as moto's models have it


OBJECTS: tuple[Any, ...] = (
    {"RoleName": "a", "arn": "b"},
    {"role_name": "a", "Arn": None},
    {},
    Role(name="a", arn="b", create_date="c"),
    Role(role_name="a"),
    Aliased(called="a", role_name="b"),
    None,
    ["a"],
)


def _contexts(found: Any) -> Iterator[AttributePickerContext]:
    model = get_service_model("iam").operation_model("GetRole")
    shape: Any = model.output_shape.members["Role"]
    for key, member in shape.members.items():
        member.parent = shape
        yield AttributePickerContext(found, key, member, model, model.service_model, "GetRole.GetRoleResponse.Role")


@pytest.mark.parametrize("found", OBJECTS)
def test_attributes_are_found_as_moto_finds_them(found: Any) -> None:
    theirs, ours = XFormedAttributePicker(), store_speed.Picker()
    for _ in range(2):  # the second time by the names that were kept
        for context in _contexts(found):
            assert ours(context) == theirs(context)


def test_names_are_kept_for_each_class_apart() -> None:
    ours = store_speed.Picker()
    name = next(iter(_contexts(Role(role_name="plain"))))
    assert name.key == "Path", "the members of the shape changed"
    by_key = {context.key: context for context in _contexts(Role(role_name="plain"))}
    other = {context.key: context for context in _contexts(Aliased(called="own", role_name="plain"))}
    assert (ours(by_key["RoleName"]), ours(other["RoleName"])) == ("plain", "own")


def test_values_are_transformed_as_moto_does() -> None:
    for context in _contexts({"RoleName": "a", "Arn": "b"}):
        transformers: dict[str, Callable[[Any], Any]] = {"Role.RoleName": str.upper}
        theirs = XFormedAttributePicker(response_transformers=transformers)
        assert store_speed.Picker(response_transformers=transformers)(context) == theirs(context)


@pytest.mark.parametrize("responses", [IamResponse, SNSResponse])
def test_methods_are_motos(responses: Any) -> None:
    assert store_speed.methods_of(responses) == set(method_names_from_class(responses))


def test_random_names_have_motos_letters() -> None:
    text = store_speed.random_string(mock_random, 2000)
    assert len(text) == 2000
    assert text.isalnum()
    assert store_speed.random_string(mock_random, 2000, include_digits=False).isalpha()
    assert store_speed.random_string(mock_random, 50, lower_case=True).islower()
    assert store_speed.random_string(mock_random) != store_speed.random_string(mock_random)
