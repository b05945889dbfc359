"""A resource is converted once for all policies, and no resource is taken for another."""

from types import ModuleType, SimpleNamespace

from policies.rules.shared import last, share


def test_the_last_is_remembered_by_identity_and_options() -> None:
    made: list[object] = []

    def make(given: object, *options: bool) -> list[object]:
        made.append((given, options))
        return [given]

    remembered = last(make)
    one: dict[str, int] = {}
    equal: dict[str, int] = {}
    assert remembered(one) is remembered(one)
    assert remembered(equal) is not remembered(one)
    assert remembered(one, True) == [one]
    assert len(made) == 4


def test_the_sdk_converts_once_however_often_it_is_asked_to() -> None:
    sdk = ModuleType("sdk")
    vars(sdk).update(
        json_format=SimpleNamespace(), deserialize_properties=lambda given: [given], unknown_checking_proxy=list
    )
    sdk.json_format = ModuleType("json_format")  # type: ignore[attr-defined]
    vars(sdk.json_format).update(MessageToDict=lambda message: {"of": message})
    share(sdk)
    message, first = object(), sdk.deserialize_properties
    share(sdk)
    assert sdk.deserialize_properties is first
    assert sdk.json_format.MessageToDict(message) is sdk.json_format.MessageToDict(message)


def test_an_sdk_with_other_names_is_left_as_it_is() -> None:
    sdk = ModuleType("sdk")
    share(sdk)
    assert not hasattr(sdk, "json_format")
