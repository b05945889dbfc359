"""Exemptions from policies that are in force, and which of them a change brings."""

from collections.abc import Sequence
from dataclasses import asdict

from policies.rules.judge import MARK
from preview.model import Exempted
from preview.plan import Plan
from preview.quote import code


def exempted(plan: Plan, base: Plan | None) -> list[Exempted]:
    """The plan's exemptions that the pack has no fault to find with, in the order of rules and resources.

    New is what the base does not have word for word: a longer term, too, is for a reviewer to read.
    """
    faulty = _faulty(plan)
    holding = [each for each in dict.fromkeys(plan.exemptions) if str(each) not in faulty]
    return [
        Exempted(**asdict(each), new=None if base is None else each not in base.exemptions)
        for each in sorted(holding, key=str)
    ]


def sentence(found: Exempted) -> str:
    """One of them in words. What its author wrote stands as code: none of it can speak in our voice."""
    where = f" ({code(found.where)})" if found.where else ""
    return f"{code(found.rule)} of {code(found.resource)}{where} until {found.until}: {code(found.reason)}"


def count(found: Sequence[Exempted]) -> str:
    """How many, in words."""
    some = "1 exemption" if len(found) == 1 else f"{len(found)} exemptions"
    new = sum(each.new is True for each in found)
    return f"{some} from policies in force{f' ({new} new)' if new else ''}"


def _faulty(plan: Plan) -> set[str]:
    """Names of the exemptions that the pack finds fault with: a finding is about the longest name it begins with."""
    names = sorted(map(str, plan.exemptions), key=len)
    told = [finding.message.removeprefix(MARK) for finding in plan.findings if finding.message.startswith(MARK)]
    return {named[-1] for text in told if (named := [name for name in names if text.startswith(f"{name} ")])}
