"""Texts of policies that may hold wildcards and policy variables, and how they match."""

import functools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

Context = Mapping[str, tuple[str, ...]]
"""Condition keys in lower case, each with its values."""

_TOKEN = re.compile(r"\$\{(?P<special>[*?$])\}|\$\{(?P<key>[^},]+?)(?:,\s+'(?P<default>[^']*)')?\s*\}|(?P<wild>[*?])")
_WILD = re.compile(r"[*?]")
_ARN_HEAD = 5
"""Components of an ARN before the last, which may hold colons itself."""


@dataclass(frozen=True)
class Variable:
    """`${key, 'default'}`; `key` in lower case, `name` as it is written."""

    key: str
    name: str
    default: str | None = None


class _Star:
    pass


class _Any:
    pass


STAR, ANY = _Star(), _Any()
Token = str | Variable | _Star | _Any


@dataclass(frozen=True)
class Template:
    """One value of a policy, e.g. `arn:aws:s3:::home/${aws:username}/*`."""

    text: str
    tokens: tuple[Token, ...]

    @functools.cached_property
    def variables(self) -> tuple[Variable, ...]:
        return tuple(token for token in self.tokens if isinstance(token, Variable))

    def render(self, context: Context) -> "Template | None":
        """With the values of its variables, which count literally. None where one has neither value nor default."""
        if not self.variables:
            return self
        values = [_value(token, context) if isinstance(token, Variable) else token for token in self.tokens]
        if any(value is None for value in values):
            return None
        return Template(self.text, tuple(value for value in values if value is not None))

    def equals(self, actual: str, context: Context, *, fold: bool = False) -> bool:
        """Equal as text: wildcards have no meaning here."""
        found = self.render(context)
        if found is None:
            return False
        text = found.literal
        return text.casefold() == actual.casefold() if fold else text == actual

    @functools.cached_property
    def literal(self) -> str:
        """The text where wildcards are plain characters."""
        return "".join("*" if t is STAR else "?" if t is ANY else str(t) for t in self.tokens)

    def like(self, actual: str, context: Context) -> bool:
        """StringLike: `*` is any text, `?` one character."""
        return self._matches(actual, context, "like")

    def covers(self, arn: str, context: Context) -> bool:
        """A Resource element: wildcards stay within a component, except for a `*` that ends one."""
        return self._matches(arn, context, "resource")

    def arn_like(self, arn: str, context: Context) -> bool:
        """ArnLike and ArnEquals: component by component."""
        if arn.count(":") < _ARN_HEAD:
            return False
        return self._matches(arn, context, "arn")

    def _matches(self, actual: str, context: Context, mode: str) -> bool:
        found = self.render(context)
        return found is not None and found._regex(mode).fullmatch(actual) is not None

    def _regex(self, mode: str) -> re.Pattern[str]:
        cache: dict[str, re.Pattern[str]] = self.__dict__.setdefault("_compiled", {})
        pattern = cache.get(mode)
        if pattern is None:
            pattern = cache[mode] = re.compile("".join(_regex_parts(self.tokens, mode)), re.DOTALL)
        return pattern


def _value(variable: Variable, context: Context) -> str | None:
    values = context.get(variable.key)
    # A key with several values cannot stand for one text.
    if values is None or len(values) != 1:
        return variable.default
    return values[0]


def _regex_parts(tokens: tuple[Token, ...], mode: str) -> Iterator[str]:
    colons = _ARN_HEAD if mode == "like" else 0
    for index, token in enumerate(tokens):
        within = colons < _ARN_HEAD
        if token is STAR:
            ends = _ends_component(tokens, index)
            yield "[^:]*" if within and (mode == "arn" or not ends) else ".*"
        elif token is ANY:
            yield "[^:]" if within else "."
        else:
            yield re.escape(str(token))
            colons += str(token).count(":")


def _ends_component(tokens: tuple[Token, ...], index: int) -> bool:
    following = tokens[index + 1] if index + 1 < len(tokens) else ""
    return following == "" or (isinstance(following, str) and following.startswith(":"))


@functools.lru_cache(maxsize=16384)
def template(text: str, *, variables: bool = True) -> Template:
    """Read a text. Without `variables` (documents of version 2008-10-17), `${…}` is plain text."""
    return Template(text, tuple(_tokens(text, variables)))


def _tokens(text: str, variables: bool) -> Iterator[Token]:
    position = 0
    literal = ""
    for match in (_TOKEN if variables else _WILD).finditer(text):
        literal += text[position : match.start()]
        position = match.end()
        groups = match.groupdict()
        if groups.get("special"):
            literal += groups["special"]
            continue
        if literal:
            yield literal
            literal = ""
        if groups.get("key"):
            name = groups["key"].strip()
            yield Variable(name.lower(), name, groups["default"])
        else:
            yield STAR if match[0] == "*" else ANY
    literal += text[position:]
    if literal:
        yield literal
