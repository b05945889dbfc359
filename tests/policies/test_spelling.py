"""A document means the same in every spelling: so does its verdict. And none is ever a crash."""

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.policies.corpus import entrance, identity
from tests.policies.harness import document, judge, policy, rules

STATEMENTS = [each for _, found, _ in identity.CASES for each in (found if isinstance(found, list) else [found])]
TRUSTS = [each for _, found, _ in entrance.TRUST for each in (found if isinstance(found, list) else [found])]


def _cased(draw: st.DrawFn, text: str) -> str:
    return "".join(draw(st.sampled_from((letter.lower(), letter.upper()))) for letter in text)


def _listed(draw: st.DrawFn, value: Any) -> Any:
    """A string as a list of one, a list in another order."""
    if isinstance(value, str):
        return draw(st.sampled_from((value, [value], [value, value])))
    return draw(st.permutations(value)) if isinstance(value, list) else value


@st.composite
def _respelled(draw: st.DrawFn, statements: list[dict[str, Any]]) -> Any:
    found = []
    for statement in draw(st.permutations(statements)):
        other = dict(statement)
        for name in ("Action", "NotAction"):
            if name in other:
                actions = other[name] if isinstance(other[name], list) else [other[name]]
                actions = [_cased(draw, each) for each in actions]
                other[name] = _listed(draw, actions[0] if len(actions) == 1 else actions)
        if "Resource" in other:
            other["Resource"] = _listed(draw, other["Resource"])
        if isinstance(other.get("Principal"), dict):
            other["Principal"] = {kind: _listed(draw, value) for kind, value in other["Principal"].items()}
        if "Condition" in other:
            other["Condition"] = {
                operator: {
                    _cased(draw, key) if "/" not in key else key: _listed(draw, value) for key, value in block.items()
                }
                for operator, block in other["Condition"].items()
            }
        if draw(st.booleans()):
            other["Sid"] = draw(st.text("abcXYZ019", min_size=1, max_size=8))
        found.append({name: other[name] for name in draw(st.permutations(sorted(other)))})
    whole: dict[str, Any] = document(found[0] if len(found) == 1 and draw(st.booleans()) else found)
    if draw(st.booleans()):
        return whole
    return json.dumps(whole, indent=draw(st.sampled_from((None, 1, 4))))


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_identity_documents(data: st.DataObject) -> None:
    statements = data.draw(st.lists(st.sampled_from(STATEMENTS), min_size=1, max_size=3))
    assert rules(policy(data.draw(_respelled(statements)))) == rules(policy(document(statements)))


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_trust_documents(data: st.DataObject) -> None:
    statements = data.draw(st.lists(st.sampled_from(TRUSTS), min_size=1, max_size=2))
    kind, prop = "aws:iam/role:Role", "assumeRolePolicy"
    assert rules(policy(data.draw(_respelled(statements)), kind, prop)) == rules(
        policy(document(statements), kind, prop)
    )


SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=5)
    | st.sampled_from(["*", "Allow", "s3:*", "arn:aws:s3:::*"])
)
NAMES = st.sampled_from(
    ["Statement", "Effect", "Action", "Resource", "Principal", "Condition", "NotAction", "Sid", "AWS", "x"]
)
ANYTHING = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4), max_leaves=12
)


@settings(max_examples=200, deadline=None)
@given(ANYTHING)
def test_nothing_is_a_crash(value: Any) -> None:
    for kind, prop in (
        ("aws:iam/policy:Policy", "policy"),
        ("aws:iam/role:Role", "assumeRolePolicy"),
        ("aws:s3/bucketPolicy:BucketPolicy", "policy"),
    ):
        for given_ in (value, json.dumps(value), document(value)):
            judge(policy(given_, kind, prop))
