"""Conditions: brought into one spelling, compared by what they ask for, and put in words."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import product

from preview.iam.language import Pattern, includes
from preview.quote import code

_EQUALS = frozenset(
    ("stringequals", "stringlike", "arnlike", "stringequalsignorecase", "bool", "numericequals", "ipaddress")
)
"""Operators that hold where one of the values matches."""
_NEGATED = frozenset(
    ("stringnotequals", "stringnotlike", "arnnotlike", "stringnotequalsignorecase", "numericnotequals", "notipaddress")
)
_TEXTS = ("stringequals", "stringlike", "arnlike")
_ARN_COLONS = 5
# Keys that have one value at most. Of any other, two values may be there at once.
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html
_SINGLE = frozenset(
    f"aws:{name}"
    for name in (
        "currenttime", "ec2instancesourcevpc", "epochtime", "multifactorauthage", "multifactorauthpresent",
        "principalaccount", "principalarn", "principalisawsservice", "principalorgid", "principalservicename",
        "principaltype", "referer", "requestedregion", "resourceaccount", "resourceorgid", "securetransport",
        "sourceaccount", "sourcearn", "sourceidentity", "sourceip", "sourceorgid", "sourcevpc", "sourcevpce",
        "tokenissuetime", "useragent", "userid", "username", "viaawsservice",
    )
) | {
    "cloudwatch:namespace", "iam:awsservicename", "iam:passedtoservice", "iam:permissionsboundary", "iam:policyarn",
    "kms:calleraccount", "kms:grantisforawsresource", "kms:viaservice", "s3:prefix", "sts:externalid",
}  # fmt: skip
_SINGLE_BEGIN = ("aws:principaltag/", "aws:requesttag/", "aws:resourcetag/", "kms:encryptioncontext:")
_SAME = {"arnequals": "arnlike", "arnnotequals": "arnnotlike"}
_MOST_ALTERNATIVES = 256


@dataclass(frozen=True, order=True)
class Clause:
    """One operator with one key. `operator` is in lower case, with `foranyvalue:` and `ifexists` where given."""

    operator: str
    key: str
    values: tuple[str, ...]
    quantifier: str = ""
    if_exists: bool = False


Clauses = frozenset[Clause]
"""All of them must hold."""


def clause(operator: str, key: str, values: Iterable[str]) -> Clause:
    """A condition in its normal spelling: `ArnEquals` is `ArnLike`, and without wildcards `StringLike` is equality."""
    quantifier, _, name = operator.lower().rpartition(":")
    if_exists = name.endswith("ifexists")
    name = name.removesuffix("ifexists")
    name = _SAME.get(name, name)
    listed = tuple(sorted(set(values)))
    if name in ("bool", "null"):
        listed = tuple(sorted({value.lower() for value in listed}))
    if name in ("stringlike", "stringnotlike") and not any(_wild(value) for value in listed):
        name = name.replace("like", "equals")
    return Clause(name, key.lower(), listed, quantifier, if_exists)


def alternatives(clauses: Sequence[Clause]) -> list[Clauses]:
    """A clause with several values that may match one by one is as many clauses: of these sets, one must hold.

    Sets that can never hold are left out.
    """
    if not clauses:
        return [frozenset()]
    split = [_split(each) for each in clauses]
    count = 1
    for options in split:
        count *= len(options)
    if count > _MOST_ALTERNATIVES:
        return [frozenset(clauses)]
    return [frozenset(choice) for choice in product(*split) if not _contradict(choice)]


def _contradict(choice: Sequence[Clause]) -> bool:
    return any(_excludes(one, other) for one in choice for other in choice if one != other)


def _split(given: Clause) -> list[Clause]:
    if given.operator not in _EQUALS or given.quantifier == "forallvalues" or len(given.values) < 2:
        return [given]
    return [clause(_spelled(given), given.key, [value]) for value in given.values]


def _spelled(given: Clause) -> str:
    prefix = f"{given.quantifier}:" if given.quantifier else ""
    return prefix + given.operator + ("ifexists" if given.if_exists else "")


def both(left: Clauses, right: Clauses) -> Clauses | None:
    """The conditions of two grants together, the weaker ones left out; None where they exclude each other."""
    joined = left | right
    for one in left:
        if any(_excludes(one, other) for other in right):
            return None
    kept = sorted(joined)
    for each in sorted(joined):
        rest = [other for other in kept if other != each]
        if any(_implies(other, each) for other in rest):
            kept = rest
    return frozenset(kept)


def join(one: Clause, other: Clause) -> Clause | None:
    """The clause that holds where either does; None where one clause cannot say that."""
    if one.operator not in _EQUALS or one.quantifier == "forallvalues":
        return None
    if (one.operator, one.key, one.quantifier, one.if_exists) != (
        other.operator,
        other.key,
        other.quantifier,
        other.if_exists,
    ):
        return None
    return replace(one, values=tuple(sorted({*one.values, *other.values})))


def implied(wanted: Clauses, given: Clauses) -> bool:
    """Whether all that is wanted holds wherever all that is given does."""
    return all(any(_implies(each, one) for each in given) for one in wanted)


def excluded(wanted: Clauses, given: Clauses) -> bool:
    """Whether the two can never hold together."""
    return any(_excludes(one, each) for one in wanted for each in given)


@lru_cache(maxsize=8192)
def _implies(strong: Clause, weak: Clause) -> bool:
    if strong == weak:
        return True
    if strong.key != weak.key or strong.quantifier != weak.quantifier:
        return False
    if strong.if_exists and not weak.if_exists:
        return False
    if strong.operator == weak.operator and strong.operator in _NEGATED:
        return set(strong.values) >= set(weak.values)
    if weak.operator == "null":
        return weak.values == ("false",) and _needs_key(strong)
    if strong.operator not in _EQUALS or weak.operator not in _EQUALS:
        return False
    return _comparable(strong, weak) and all(
        any(_within(a, strong, b, weak) for b in weak.values) for a in strong.values
    )


def _needs_key(given: Clause) -> bool:
    """Whether a clause fails where its key is not given."""
    if given.if_exists or given.quantifier == "forallvalues":
        return False
    return given.operator in _EQUALS or (given.operator in _NEGATED and given.quantifier == "foranyvalue")


@lru_cache(maxsize=8192)
def _excludes(one: Clause, other: Clause) -> bool:
    """Whether two clauses can never hold together. Sure of little: what is not is taken to be possible."""
    if one.key != other.key:
        return False
    for absent, wanted in ((one, other), (other, one)):
        if absent.operator == "null" and absent.values == ("true",):
            return _needs_key(wanted) or (wanted.operator == "null" and wanted.values == ("false",))
    if not _one_value(one) or not _one_value(other):
        return False
    if one.operator == "bool" == other.operator:
        return not set(one.values) & set(other.values)
    exact = [each for each in (one, other) if each.operator == "stringequals"]
    if not exact or one.operator not in _TEXTS or other.operator not in _TEXTS:
        return False
    plain, wide = exact[0], other if exact[0] is one else one
    if any("${" in value for value in (*plain.values, *wide.values)):
        return False
    if wide.operator != "stringequals" and any(_wild(value) for value in plain.values):
        return False
    return not any(_within(a, plain, b, wide) for a in plain.values for b in wide.values)


def _one_value(given: Clause) -> bool:
    """Whether a clause needs its key, which has one value."""
    single = given.key in _SINGLE or given.key.startswith(_SINGLE_BEGIN)
    return single and not given.if_exists and not given.quantifier


def _comparable(one: Clause, other: Clause) -> bool:
    return one.operator == other.operator or (one.operator in _TEXTS and other.operator in _TEXTS)


def _within(value: str, holder: Clause, pattern: str, of: Clause) -> bool:
    """Whether all that one value of a clause accepts, a value of another accepts as well.

    The same text says different things: to StringEquals a star is a star, and to ArnLike it ends with its part.
    """
    if value == pattern and holder.operator == of.operator:
        return True
    if of.operator not in _TEXTS or "${" in value + pattern:
        return False
    if of.operator == "stringequals":
        return holder.operator != "stringequals" and value == pattern and not _wild(value)
    if holder.operator == "stringequals" and _wild(value):
        return False
    kind = "arn" if of.operator == "arnlike" else "text"
    if kind == "arn" and (pattern.count(":") < _ARN_COLONS or value.count(":") < _ARN_COLONS):
        return False
    return includes(Pattern(pattern, kind), Pattern(value, "arn" if holder.operator == "arnlike" else "text"))


def _wild(value: str) -> bool:
    return "*" in value or "?" in value


# --- words -----------------------------------------------------------------------------------------------------------

_PLAIN = {
    "kms:viaservice": "through {}",
    "iam:passedtoservice": "to {}",
    "aws:sourceaccount": "for account {}",
    "aws:sourcearn": "on behalf of {}",
    "aws:principalarn": "as {}",
    "s3:prefix": "under the prefix {}",
    "kms:resourcealiases": "for keys with the alias {}",
    "cloudwatch:namespace": "in the namespace {}",
}
_RELATIONS = {
    "stringequals": "is",
    "stringlike": "is like",
    "stringequalsignorecase": "is (in any case)",
    "arnlike": "is like",
    "bool": "is",
    "numericequals": "is",
    "ipaddress": "is in",
    "stringnotequals": "is not",
    "stringnotlike": "is not like",
    "stringnotequalsignorecase": "is not (in any case)",
    "arnnotlike": "is not like",
    "numericnotequals": "is not",
    "notipaddress": "is not in",
    "numericlessthan": "is below",
    "numericlessthanequals": "is at most",
    "numericgreaterthan": "is above",
    "numericgreaterthanequals": "is at least",
    "datelessthan": "is before",
    "datelessthanequals": "is at or before",
    "dategreaterthan": "is after",
    "dategreaterthanequals": "is at or after",
    "dateequals": "is",
    "datenotequals": "is not",
    "binaryequals": "is",
}


def words(given: Clause) -> str:
    """A condition as the end of a sentence: `through s3.eu-west-1.amazonaws.com`, `when aws:… is …`."""
    values = " or ".join(map(code, given.values))
    if given.operator in ("stringequals", "stringlike", "arnlike") and given.key in _PLAIN and not given.if_exists:
        return _PLAIN[given.key].format(values)
    if given.operator == "null":
        return f"when {code(given.key)} is {'not given' if given.values == ('true',) else 'given'}"
    if given.key == "aws:securetransport" and given.operator == "bool":
        return "over an unencrypted connection" if given.values == ("false",) else "over an encrypted connection"
    relation = _RELATIONS.get(given.operator, given.operator)
    every = {"forallvalues": "every value of ", "foranyvalue": "a value of "}.get(given.quantifier, "")
    absent = " or it is not given" if given.if_exists else ""
    return f"when {every}{code(given.key)} {relation} {values}{absent}"


def several(clauses: Iterable[Clause]) -> tuple[str, ...]:
    """The words of all conditions, in a fixed order: the plain ones first."""
    return tuple(sorted((words(each) for each in clauses), key=lambda text: (text.startswith("when"), text)))
