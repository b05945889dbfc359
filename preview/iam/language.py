"""Wildcard patterns as sets of texts: which combinations of patterns some text can match.

Two policies mean the same where they let the same texts through, however they are spelled. The texts that a handful
of patterns can tell apart fall into finitely many *regions*: within one, every text matches the same patterns. With
the regions at hand, union, difference and inclusion of what policies allow are operations on small sets.
"""

from dataclasses import dataclass
from functools import lru_cache

_MOST_WORK = 100_000
"""States times patterns: about a second."""
_ARN_HEAD = 5
"""Parts of an ARN before its last one: there a wildcard stays within its part, unless it ends it."""
SEPARATOR = "\x00"
"""Stands between principal and resource in the texts of resource policies."""

# A token is a literal character, or one of these: any run, any run without colon, any character, any but a colon.
_RUN, _RUN_IN_PART, _ONE, _ONE_IN_PART, _RUN_BEFORE_SEPARATOR = range(5)
Token = str | int


class TooManyError(Exception):
    """The patterns are so entangled that telling their texts apart would take too long."""


@dataclass(frozen=True)
class Pattern:
    """One pattern. `dimension`: `resource`, `principal` for whom a resource policy speaks of, or, in conditions, `text`
    (StringLike) and `arn` (ArnLike).
    """

    text: str
    dimension: str = "resource"


@lru_cache(maxsize=1024)
def regions(patterns: tuple[Pattern, ...], pairs: bool = False) -> frozenset[int]:
    """Every combination of patterns that some text matches, each as a bit mask over `patterns`.

    `pairs`: texts are principal, SEPARATOR, resource. Raises TooManyError.
    """
    machines = [_tokens(pattern, pairs) for pattern in patterns]
    always = sum(1 << n for n, machine in enumerate(machines) if machine == (_RUN,))
    rest = [n for n, machine in enumerate(machines) if machine != (_RUN,)]
    found = {always}
    for group in _groups({n: machines[n] for n in rest}):
        for region in _explored([machines[n] for n in group]):
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
        if not isinstance(token, str):
            break
        found += token
    return found


def _compatible(one: tuple[str, str], other: tuple[str, str]) -> bool:
    return all(a.startswith(b) or b.startswith(a) for a, b in zip(one, other, strict=True))


def _explored(machines: list[tuple[Token, ...]]) -> set[int]:
    """The regions of patterns that may share texts: all states that they can be in together."""
    start = tuple(_closure(machine, 1) for machine in machines)
    seen, queue, found = {start}, [start], set[int]()
    while queue:
        state = queue.pop()
        ends = zip(machines, state, strict=True)
        found.add(sum(1 << n for n, (machine, at) in enumerate(ends) if _accepts(machine, at)))
        for letter in _letters(machines, state):
            following = tuple(_after(machine, at, letter) for machine, at in zip(machines, state, strict=True))
            if following not in seen:
                seen.add(following)
                queue.append(following)
        if len(seen) * len(machines) > _MOST_WORK:
            raise TooManyError
    return found


def _tokens(pattern: Pattern, pairs: bool) -> tuple[Token, ...]:
    readers = {"resource": _arn, "principal": _principal, "text": _plain, "arn": _parts}
    own = tuple(readers[pattern.dimension](pattern.text))
    if not pairs:
        return own
    return (*own, SEPARATOR, _RUN) if pattern.dimension == "principal" else (_RUN_BEFORE_SEPARATOR, SEPARATOR, *own)


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


def _principal(text: str) -> list[Token]:
    return [_RUN_BEFORE_SEPARATOR] if text == "*" else list(text)


def _arn(text: str) -> list[Token]:
    """As IAM reads a Resource element. A policy variable stands for itself."""
    found: list[Token] = []
    colons = position = 0
    while position < len(text):
        letter = text[position]
        end = text.find("}", position) + 1 if text.startswith("${", position) else 0
        if end:
            inner = text[position + 2 : end - 1]
            found += [inner] if inner in ("*", "?", "$") else list(text[position:end])
            position = end
            continue
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
def _after(machine: tuple[Token, ...], states: int, letter: str) -> int:
    following = 0
    place = 0
    remaining = states
    while remaining:
        if remaining & 1 and place < len(machine):
            following |= _moves(machine[place], place, letter)
        remaining >>= 1
        place += 1
    return _closure(machine, following)


def _moves(token: Token, place: int, letter: str) -> int:
    if isinstance(token, str):
        return 1 << (place + 1) if token == letter else 0
    if token == _RUN:
        return 1 << place
    if token == _RUN_IN_PART:
        return 1 << place if letter != ":" else 0
    if token == _RUN_BEFORE_SEPARATOR:
        return 1 << place if letter != SEPARATOR else 0
    if token == _ONE_IN_PART and letter == ":":
        return 0
    return 1 << (place + 1)
