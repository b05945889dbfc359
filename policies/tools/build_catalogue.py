"""Write `RULES.md` from the rules' metadata.

python -m policies.tools.build_catalogue
"""

import json
from collections.abc import Iterator
from pathlib import Path

from policies.rules.actions import dated
from policies.rules.catalogue import FAMILIES, RULES
from policies.rules.controls import controls
from policies.rules.model import Rule

OUT = Path(__file__).resolve().parents[1] / "RULES.md"
_HEAD = """# Rules

Written by `python -m policies.tools.build_catalogue` from the rules' metadata: change it there.

A family is one registered policy; what its rules only advise is reported by the policy `advice`, what only the whole
stack shows by `stack`. Actions, their access levels and resource types come from {dated}.

```json
{{"least-privilege": {{
    "enforcementLevel": "mandatory",
    "production": ["prod", "prod-*"],
    "rules": {{"permissions-boundary": {{"level": "mandatory"}}}},
    "stacks": {{"dev": {{"rules": {{"wildcard-type": {{"level": "disabled"}}}}}}}},
    "exemptions": [{{"rule": "wildcard-resource", "resource": "legacy-role", "where": "statement 'Old'",
                    "reason": "moves to its own bucket in March", "until": "2027-03-31"}}]}},
 "remediation": {{"enforcementLevel": "remediate", "retentionInDays": 90, "tags": {{"owner": "ml"}}}}}}
```

Give it with `--policy-pack-config`. An exemption without reason, past its day or later than in a year,
for more than one resource, or naming no finding is itself a violation. A mandatory rule that is lowered in production
needs `reason` and `until` beside its `level`.
"""


def catalogue() -> str:
    """The whole page."""
    return _HEAD.format(dated=dated()) + "".join(_family(name, title) for name, title in FAMILIES.items())


def _family(name: str, title: str) -> str:
    rules = [rule for rule in RULES if rule.family == name]
    rows = "".join(
        f"| [{rule.name}](#{rule.name}) | {rule.level} | {rule.severity} | {rule.title} |\n" for rule in rules
    )
    table = f"| rule | level | severity | what it asks for |\n|---|---|---|---|\n{rows}"
    return f"\n## {name}\n{title}.\n\n{table}" + "".join("\n" + "\n".join(_rule(rule)) + "\n" for rule in rules)


def _rule(rule: Rule) -> Iterator[str]:
    yield f"### {rule.name}"
    yield f"{rule.title}.\n"
    yield f"- **Why**: {rule.why}."
    yield f"- **Fix**: {rule.fix}."
    yield f"- **Seen in**: {'the whole stack (policy `stack`)' if rule.stack_check else 'each resource'}"
    if rule.options:
        options = ", ".join(
            f"`{name}` (default `{json.dumps(entry['default'])}`)" for name, entry in rule.options.items()
        )
        yield f"- **Options**: {options}"
    if controls(rule.name):
        yield f"- **AWS Foundational Security Best Practices**: {', '.join(controls(rule.name))}"
    if rule.references:
        yield f"- **Frameworks**: {', '.join(rule.references)}"


if __name__ == "__main__":
    OUT.write_text(catalogue())
    print(f"wrote {OUT}")
