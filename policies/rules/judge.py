"""From rules to what is registered: a few policies, each with its rules' options, levels and exemptions.

The engine hands the resource to every registered policy again, so rules share one policy per family. A policy has one
level: the families' are mandatory, and what a rule only advises is handed to the policy `advice`, which comes last.
"""

import datetime
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

from .exemptions import SCHEMA, Exemption, read, term
from .model import PRODUCTION, UNKNOWN, Context, Finding, Resource, Rule, is_production
from .sources import documents_of

Report = Callable[[str, str], None]
"""Takes a message, and the URN it is about (empty for the resource at hand)."""
MARK = "[exemption] "
"""What a finding about an exemption begins with."""
UNUSED = "exempts nothing: no finding is named by it"
"""What is wrong with an exemption of something that is not there, or not wrong."""
_LEVELS = ("mandatory", "advisory", "disabled")


_TERM = {
    "reason": {"type": "string", "description": "Why a mandatory rule is lowered in production."},
    "until": {"type": "string", "description": "Last day of that, YYYY-MM-DD, within a year."},
}


def schema(rules: Sequence[Rule]) -> dict[str, dict[str, Any]]:
    """JSON schema of a policy's config: per rule its level and options, exemptions, and all of it per stack."""
    level = {"type": "string", "enum": list(_LEVELS)}
    each = {
        rule.name: {
            "type": "object",
            "additionalProperties": False,
            "properties": {"level": level, **_TERM, **{name: dict(option) for name, option in rule.options.items()}},
        }
        for rule in rules
    }
    own = {
        "rules": {"type": "object", "additionalProperties": False, "properties": each},
        "exemptions": SCHEMA,
    }
    stacks = {"type": "object", "additionalProperties": {"type": "object", "properties": own}}
    production = {"type": "array", "items": {"type": "string"}, "default": list(PRODUCTION)}
    return {**own, "stacks": stacks, "production": production}


class Family:
    """One registered policy's rules under one config."""

    def __init__(self, rules: Sequence[Rule], config: Mapping[str, Any], stack: str, today: datetime.date) -> None:
        special = (config.get("stacks") or {}).get(stack) or {}
        production = is_production(stack, config.get("production") or PRODUCTION)
        entries = [*(config.get("exemptions") or ()), *(special.get("exemptions") or ())]
        self.exemptions = read(entries, {rule.name for rule in rules}, today)
        self.rules: list[tuple[Rule, Context]] = []
        self.faults: list[str] = []
        for rule in rules:
            given = {
                **((config.get("rules") or {}).get(rule.name) or {}),
                **((special.get("rules") or {}).get(rule.name) or {}),
            }
            level = given.pop("level", rule.level)
            reason, until = (str(given.pop(name, "")).strip() for name in ("reason", "until"))
            if production and rule.level == "mandatory" and level != rule.level:
                fault = term(reason, until, today)
                if fault:
                    self.faults.append(f"{rule.name} is {level} in production, and that {fault}")
            if level != "disabled":
                options = {**rule.defaults(), **given}
                self.rules.append((replace(rule, level=level), Context(options, stack, production)))


class Judge:
    """Runs rules, keeps advice for its policy, and knows which exemptions were of use."""

    def __init__(self, rules: Sequence[Rule], today: datetime.date) -> None:
        self._rules = rules
        self._today = today
        self._families: dict[tuple[str, str], tuple[Mapping[str, Any], Family]] = {}
        self._advice: dict[str, list[str]] = defaultdict(list)
        self._used: dict[Exemption, set[str]] = defaultdict(set)
        self._places: dict[Exemption, set[str]] = defaultdict(set)
        self._unknown: list[Resource] = []

    def resource(self, family: str, config: Mapping[str, Any], resource: Resource, report: Report) -> None:
        """Judge one resource by the rules of a family."""
        found = self._family(family, config, _stack(resource.urn))
        for rule, context in found.rules:
            if rule.check is not None:
                findings = rule.check(resource, context)
                self._report(found, rule, resource, findings, report)
        if found.exemptions and any(placed.document is UNKNOWN for placed in documents_of(resource)):
            self._unknown.append(resource)

    def advice(self, urn: str, report: Report) -> None:
        """Hand over what the families only advise about a resource."""
        for message in self._advice.pop(urn, ()):
            report(message, "")

    def stack(self, config: Mapping[str, Any], resources: Sequence[Resource], report: Report) -> None:
        """Judge a stack as a whole, and the exemptions after it."""
        stack = _stack(next((each.urn for each in resources), ""))
        found = self._family("stack", config, stack)
        for rule, context in found.rules:
            if rule.stack_check is not None:
                self._report(found, rule, None, rule.stack_check(resources, context), report)
        for _, family in self._families.values():
            faults = [f"{each} {self._fault(each)}" for each in family.exemptions if self._fault(each)]
            for fault in (*faults, *family.faults):
                report(f"{MARK}{fault}\n  Fix: take it out of the policy config, or fix it", "")
        self._used.clear()
        self._places.clear()
        self._unknown.clear()

    def _fault(self, exemption: Exemption) -> str:
        used = self._used.get(exemption, set())
        places = self._places.get(exemption, set()) if exemption.where else set()
        if exemption.fault:
            return exemption.fault
        if len(used) > 1:
            return f"names {len(used)} resources: give the URN of one"
        if len(places) > 1:
            return f"names {len(places)} places, like {min(places)!r}: give one in full"
        if used:
            return ""
        if any(exemption.matches(exemption.rule, each, Finding("", exemption.where)) for each in self._unknown):
            return ""
        return UNUSED

    def _family(self, name: str, config: Mapping[str, Any], stack: str) -> Family:
        kept = self._families.get((name, stack))
        if kept is None or kept[0] != config:
            rules = [
                rule for rule in self._rules if (rule.stack_check is not None if name == "stack" else _of(rule, name))
            ]
            kept = (config, Family(rules, config, stack, self._today))
            self._families[name, stack] = kept
        return kept[1]

    def _report(
        self, family: Family, rule: Rule, resource: Resource | None, findings: Iterable[Finding], report: Report
    ) -> None:
        for finding in findings:
            named = [each for each in family.exemptions if each.matches(rule.name, resource, finding)]
            valid = [each for each in named if not each.fault]
            for each in named:
                self._used[each].add(finding.urn or (resource.urn if resource else ""))
                self._places[each].add(finding.where)
            if valid:
                continue
            note = "".join(f"\n  An exemption for it {each.fault}." for each in named)
            message = rule.message(finding) + note
            if rule.level == "advisory":
                self._advice[finding.urn or (resource.urn if resource else "")].append(message)
            else:
                report(message, finding.urn)


def _of(rule: Rule, family: str) -> bool:
    return rule.family == family and rule.check is not None


@lru_cache(maxsize=64)
def _stack_of(head: str) -> str:
    return head.rpartition(":")[2]


def _stack(urn: str) -> str:
    return _stack_of(urn.partition("::")[0]) if urn else ""
