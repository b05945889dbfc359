"""Wildcard patterns as sets of texts: which combinations of patterns some text can match.

Two policies mean the same where they let the same texts through, however they are spelled. The texts that a handful
of patterns can tell apart fall into finitely many *regions*: within one, every text matches the same patterns. With
the regions at hand, union, difference and inclusion of what policies allow are operations on small sets.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache

_MOST_WORK = 100_000
"""States times patterns: about a second."""
_ARN_HEAD = 5
"""Parts of an ARN before its last one: there a wildcard stays within its part, unless it ends it."""
SEPARATOR = "\x00"
"""Stands between principal and resource in the texts of resource policies."""
VARIABLE = re.compile(r"\$\{(?:(?P<special>[*?$])|(?P<key>[^},]+?)(?P<default>,\s+'[^']*')?\s*)\}")
"""`${*}` is a plain star; `${aws:username}` and `${aws:username, 'nobody'}` are policy variables."""

# A token is a literal character, or one of these: any run, any run without colon, any character, any but a colon.
_RUN, _RUN_IN_PART, _ONE, _ONE_IN_PART, _RUN_BEFORE_SEPARATOR = range(5)
Token = str | int


class TooManyError(Exception):
    """The patterns are so entangled that telling their texts apart would take too long."""


@dataclass(frozen=True)
class Pattern:
    """One pattern. `dimension`: `resource`; `principal`, `denied` and `spared` for whom a resource's policy lets in,
    denies and leaves out; or, in conditions, `text` (StringLike) and `arn` (ArnLike).

    A policy variable stands for a text that nobody knows: to a pattern it is a letter of its own, which only itself and
    a wildcard match. To an `open` pattern its own variables are wildcards, and a `loose` one takes those of others as
    well for whatever fits: it matches all that it may ever match.
    """

    text: str
    dimension: str = "resource"
    open: bool = False
    loose: bool = False


@lru_cache(maxsize=1024)
def regions(patterns: tuple[Pattern, ...], pairs: bool = False) -> frozenset[int]:
    """Every combination of patterns that some text matches, each as a bit mask over `patterns`.

    `pairs`: texts are principal, SEPARATOR, resource. Raises TooManyError.
    """
    machines = [_tokens(pattern, pairs) for pattern in patterns]
    loose = [pattern.loose for pattern in patterns]
    always = sum(1 << n for n, machine in enumerate(machines) if machine == (_RUN,))
    rest = [n for n, machine in enumerate(machines) if machine != (_RUN,)]
    found = {always}
    for group in _groups({n: machines[n] for n in rest}):
        for region in _explored([machines[n] for n in group], [loose[n] for n in group]):
            found.add(always | sum(1 << n for bit, n in enumerate(group) if region >> bit & 1))
    return frozenset(found)


def _groups(machines: dict[int, tuple[Token, ...]]) -> list[list[int]]:
    """Patterns that may share texts, together: texts of one group match no pattern of another."""
    groups: list[list[int]] = []
    ends = {n: (_literal(machine), _literal(machine[::-1])) for n, machine in machines.items()}
    for n in machines:
        near = [group for group in groups if any(_compatible(ends[n], ends[other]) for other in group)]
        groups = [group for group in groups if group not in near]
        groups.append(sorted([n, *(other for group in near for other in group)]))
    return groups


def _literal(machine: tuple[Token, ...]) -> str:
    """The text that every match begins with."""
    found = ""
    for token in machine:
        if not isinstance(token, str) or _is_variable(token):
            break
        found += token
    return found


def _compatible(one: tuple[str, str], other: tuple[str, str]) -> bool:
    return all(a.startswith(b) or b.startswith(a) for a, b in zip(one, other, strict=True))


def _explored(machines: list[tuple[Token, ...]], loose: list[bool]) -> set[int]:
    """The regions of patterns that may share texts: all states that they can be in together."""
    start = tuple(_closure(machine, 1) for machine in machines)
    seen, queue, found = {start}, [start], set[int]()
    while queue:
        state = queue.pop()
        ends = zip(machines, state, strict=True)
        found.add(sum(1 << n for n, (machine, at) in enumerate(ends) if _accepts(machine, at)))
        for letter in _letters(machines, state):
            following = tuple(
                _after(machine, at, letter, wide) for machine, at, wide in zip(machines, state, loose, strict=True)
            )
            if following not in seen:
                seen.add(following)
                queue.append(following)
        if len(seen) * len(machines) > _MOST_WORK:
            raise TooManyError
    return found


def _tokens(pattern: Pattern, pairs: bool) -> tuple[Token, ...]:
    wide = pattern.open or pattern.loose
    read = _READERS[pattern.dimension](pattern.text)
    own = tuple(_RUN if wide and _is_variable(token) else token for token in read)
    if not pairs:
        return own
    if pattern.dimension == "resource":
        return (_RUN_BEFORE_SEPARATOR, SEPARATOR, *own)
    return (*own, SEPARATOR, _RUN)


def _is_variable(token: Token) -> bool:
    return isinstance(token, str) and len(token) > 1


def has_variable(text: str) -> bool:
    """Whether a Resource element holds a policy variable."""
    return any(match["key"] for match in VARIABLE.finditer(text))


def includes(wide: Pattern, narrow: Pattern) -> bool:
    """Whether every text of the narrow pattern is one of the wide pattern."""
    if wide == narrow:
        return True
    try:
        return all(region & 1 for region in regions((wide, narrow)) if region & 2)
    except TooManyError:
        return False


def _plain(text: str) -> list[Token]:
    return [_RUN if letter == "*" else _ONE if letter == "?" else letter for letter in text]


def _parts(text: str) -> list[Token]:
    """As ArnLike reads it: part by part, and only the last one may hold colons."""
    found: list[Token] = []
    colons = 0
    for letter in text:
        last = colons >= _ARN_HEAD
        found.append({"*": _RUN if last else _RUN_IN_PART, "?": _ONE if last else _ONE_IN_PART}.get(letter, letter))
        colons += letter == ":"
    return found


# How somebody is let in, before his name: `11` by his own name, `01` by his role's or as everybody, `00` by that of his
# account. The first needs nothing else, the second his boundary, the third his own policies:
# https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html (resource-based policies)
_PERSON = re.compile(r"AWS\|arn:[^:]*:(?:iam|sts)::(?P<account>[^:]*):(?P<kind>[^/]*)/?(?P<name>.*)", re.DOTALL)


def _let(text: str) -> list[Token]:
    """Whom an Allow lets in, and how."""
    if text == "*" or text.startswith("Service|"):
        return ["0", _ONE, *_named(text)]
    kind = found["kind"] if (found := _PERSON.fullmatch(text)) else ""
    hows: dict[str, list[Token]] = {"root": ["0", "0"], "role": ["0", _ONE]}
    return [*hows.get(kind, [_ONE, _ONE]), *_named(text)]


def _any_way(text: str) -> list[Token]:
    """Whom a Deny speaks of: it holds however somebody would be let in."""
    return [_ONE, _ONE, *_named(text)]


def _spared(text: str) -> list[Token]:
    """Whom a NotPrincipal leaves out: exactly who is named, and not the account's people with the account."""
    found = _PERSON.fullmatch(text)
    if found and found["kind"] == "root":
        return [_ONE, _ONE, *f"AWS|{found['account']}|root"]
    return [_ONE, _ONE, *_named(text)]


def _named(text: str) -> list[Token]:
    """All who go by a name: everybody of an account by that of the account, every session by that of its role."""
    if text == "*":
        return [_RUN_BEFORE_SEPARATOR]
    found = _PERSON.fullmatch(text)
    if found is None:
        return list(text)
    start = f"AWS|{found['account']}|"
    if found["kind"] == "root":
        return [*start, _RUN_BEFORE_SEPARATOR]
    if found["kind"] == "role":
        return [*start, *f"role/{found['name'].rpartition('/')[2]}|", _RUN_BEFORE_SEPARATOR]
    if found["kind"] == "assumed-role":
        role, _, session = found["name"].partition("/")
        return [*start, *f"role/{role}|{session}"]
    return [*start, *f"{found['kind']}/{found['name']}"]


def _arn(text: str) -> list[Token]:
    """As IAM reads a Resource element."""
    found: list[Token] = []
    colons = position = 0
    while position < len(text):
        if match := VARIABLE.match(text, position):
            found.append(match["special"] or f"{match['key'].lower()}{match['default'] or ''}".ljust(2))
            position = match.end()
            continue
        letter = text[position]
        position += 1
        within = colons < _ARN_HEAD
        if letter == "*":
            ends = position == len(text) or text[position] == ":"
            found.append(_RUN_IN_PART if within and not ends else _RUN)
        elif letter == "?":
            found.append(_ONE_IN_PART if within else _ONE)
        else:
            found.append(letter)
            colons += letter == ":"
    return found


_READERS: Mapping[str, Callable[[str], list[Token]]] = {
    "resource": _arn,
    "principal": _let,
    "denied": _any_way,
    "spared": _spared,
    "text": _plain,
    "arn": _parts,
}


def _closure(machine: tuple[Token, ...], states: int) -> int:
    """A run may be empty: a position before one is also behind it."""
    for place, token in enumerate(machine):
        if states >> place & 1 and token in (_RUN, _RUN_IN_PART, _RUN_BEFORE_SEPARATOR) and not isinstance(token, str):
            states |= 1 << (place + 1)
    return states


def _accepts(machine: tuple[Token, ...], states: int) -> bool:
    return bool(states >> len(machine) & 1)


def _letters(machines: list[tuple[Token, ...]], state: tuple[int, ...]) -> set[str]:
    """The letters that lead to different places from here; every other letter does what U+FFFF does."""
    letters = {"\uffff"}
    for machine, at in zip(machines, state, strict=True):
        for place, token in enumerate(machine):
            if not at >> place & 1:
                continue
            if isinstance(token, str):
                letters.add(token)
            elif token in (_RUN_IN_PART, _ONE_IN_PART):
                letters.add(":")
            elif token == _RUN_BEFORE_SEPARATOR:
                letters.add(SEPARATOR)
    return letters


@lru_cache(maxsize=200_000)
def _after(machine: tuple[Token, ...], states: int, letter: str, loose: bool) -> int:
    following = 0
    place = 0
    remaining = states
    while remaining:
        if remaining & 1 and loose and len(letter) > 1:
            following |= _jumps(machine, place)
        elif remaining & 1 and place < len(machine):
            following |= _moves(machine[place], place, letter)
        remaining >>= 1
        place += 1
    return _closure(machine, following)


def _jumps(machine: tuple[Token, ...], place: int) -> int:
    """Where a text that nobody knows may lead: anywhere behind, but not beyond the principal."""
    end = place
    while end < len(machine) and machine[end] != SEPARATOR:
        end += 1
    return sum(1 << each for each in range(place, end + 1))


def _moves(token: Token, place: int, letter: str) -> int:
    if isinstance(token, str):
        return 1 << (place + 1) if token == letter else 0
    if token == _RUN:
        return 1 << place
    if token == _RUN_BEFORE_SEPARATOR:
        return 1 << place if letter != SEPARATOR else 0
    # A variable's value may be empty, longer than one character, or hold a colon.
    if len(letter) > 1 or (token in (_RUN_IN_PART, _ONE_IN_PART) and letter == ":"):
        return 0
    return 1 << (place if token == _RUN_IN_PART else place + 1)
