"""What a version knows of the release before: written, read, and small."""

import string

from hypothesis import given
from hypothesis import strategies as st

from contracts.former import ROOM, Former, fits, parse_former, render_former

_NAMES = st.lists(st.text(string.ascii_letters + "_", min_size=1, max_size=20), min_size=1, max_size=30, unique=True)


@given(_NAMES, _NAMES, st.dictionaries(st.text("ab", min_size=1), st.text("12", min_size=1)))
def test_what_is_written_is_read(new: list[str], old: list[str], variants: dict[str, str]) -> None:
    former = Former("20261120-1a2b3c4d", "3", "shop-prod-1a2b3c4", tuple(old), variants)
    assert parse_former(render_former(former, new), new) == former


def test_a_version_may_know_of_none() -> None:
    assert parse_former(None, ["a"]) is None
    assert parse_former("", ["a"]) is None


def test_shared_features_take_no_room_for_their_names() -> None:
    names = [f"a_feature_with_a_rather_long_name_{number}" for number in range(80)]
    former = Former("20261120-1a2b3c4d", "3", "shop-prod-1a2b3c4", (*names[:79], "gone"), {})
    text = render_former(former, names)
    assert len(text) < 400
    assert parse_former(text, names) == former


def test_lambda_measures_all_variables_as_one_text() -> None:
    """As the service words it: `String measured: {...}` is the variables' JSON, in UTF-8."""
    room = ROOM - len('{"A":""}')
    assert fits({"A": "x" * room})
    assert not fits({"A": "x" * (room + 1)})
    assert not fits({"A": "é" * (room // 2 + 1)})
    # A name that is known only once the endpoint is made counts as the longest.
    assert fits({"A": object()})
    assert not fits({"A": "x" * (room - 60), "B": object()})
