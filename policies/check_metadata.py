"""Check that rules and catalogue agree, and that every rule says what a reader needs.

python -m policies.check_metadata
"""

import sys

from policies.rules.catalogue import FAMILIES, RULES
from policies.tools.build_catalogue import OUT, catalogue


def faults() -> list[str]:
    """What is wrong, as sentences."""
    names = [rule.name for rule in RULES]
    found = [f"rule {name} is there twice" for name in sorted({name for name in names if names.count(name) > 1})]
    for rule in RULES:
        if rule.family not in FAMILIES:
            found.append(f"rule {rule.name} is of no family: {rule.family}")
        if not (rule.title and rule.why and rule.fix):
            found.append(f"rule {rule.name} lacks title, why or fix")
        if (rule.check is None) == (rule.stack_check is None):
            found.append(f"rule {rule.name} needs a check of resources or of stacks, one of them")
        found += [
            f"option {name} of {rule.name} has no default" for name, o in rule.options.items() if "default" not in o
        ]
    if not OUT.is_file() or OUT.read_text() != catalogue():
        found.append(f"{OUT.name} is not what the rules say: run python -m policies.tools.build_catalogue")
    return found


if __name__ == "__main__":
    wrong = faults()
    print("\n".join(wrong) if wrong else f"{len(RULES)} rules, catalogue up to date")
    sys.exit(1 if wrong else 0)
