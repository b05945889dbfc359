"""What others allow, and a denial or a boundary kept away: lifting either is a gain, though nothing new is granted."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from policies.rules.documents import Document, Statement
from preview.iam.grants import actions_of
from preview.iam.holders import PolicyHolder
from preview.iam.sides import Shared, differences

_DECIDE = ("key", "role")
"""Without an Allow of their own policy nobody is let in: https://docs.aws.amazon.com/kms/latest/developerguide/key-policies.html"""
_ANYTHING = Document(
    (Statement(0, "", "Allow", ("*",), None, ("*",), None, (("*", "*"),), None, ()),),
)


def of_resource(was: PolicyHolder, new: PolicyHolder) -> list[Shared]:
    """What a resource's policy denies no more to those whom their own policies allow it."""
    before, after = _denials(was.own), _denials(new.own)
    if was.kind in _DECIDE or before == after:
        return []
    return _gained(differences((before, None), (after, None), principals=True, extra=[_ANYTHING]))


def of_identity(was: PolicyHolder, new: PolicyHolder, others: Iterable[PolicyHolder]) -> list[Shared]:
    """What a role's own documents keep it from no more, where somebody else's may allow it: a policy of another stack,
    a group's or user's, or the policy of a resource that names the role. The last needs no policy of the role's own.
    """
    sides = [([*one.identity], [one.boundary] if one.boundary else None) for one in (was, new)]
    denials = [_denials([*one.identity, *([one.boundary] if one.boundary else [])]) for one in (was, new)]
    if denials[0] == denials[1] and was.boundary == new.boundary:
        return []
    extra, alone = _extra(new, others)
    if not extra:
        return []
    about = [*denials[0], *denials[1], *(side[0] for _, side in sides if side)]
    found = differences(sides[0], sides[1], principals=False, about=about, extra=extra)
    if alone:
        found += differences((denials[0], None), (denials[1], None), principals=False, extra=alone)
    return _gained(found)


def _gained(found: Iterable[Shared]) -> list[Shared]:
    return [each for each in found if each[0].gained]


def _denials(documents: Sequence[Document]) -> list[Document]:
    kept = [replace(each, statements=tuple(s for s in each.statements if not s.allows)) for each in documents]
    return [each for each in kept if actions_of([each])]


def _extra(holder: PolicyHolder, others: Iterable[PolicyHolder]) -> tuple[list[Document], list[Document]]:
    """What others may allow, and what of it no boundary limits: a session or a user that is named itself."""
    if holder.managed or holder.kind != "role":
        return [_ANYTHING], []
    found = [each for other in others if not other.principal or other.kind == "role" for each in other.own]
    named = [Document(tuple(_naming(each, holder.name, False)), variables=each.variables) for each in found]
    alone = [Document(tuple(_naming(each, holder.name, True)), variables=each.variables) for each in found]
    return [each for each in named if each.statements], [each for each in alone if each.statements]


def _naming(document: Document, name: str, alone: bool) -> Iterator[Statement]:
    for statement in document.statements:
        if not statement.allows:
            continue
        texts = [str(text) for _, text in statement.principals or ()]
        session = any(f":assumed-role/{name}/" in text for text in texts)
        wide = statement.not_principals is not None or any(
            text == "*" or text.endswith((f":role/{name}", f"/{name}")) for text in texts
        )
        if session or (wide and not alone):
            yield replace(statement, principals=None, not_principals=None)
