"""Exemptions of a stack's config (`glidepath:policies`) on their way to the policy pack, whoever runs it.

They belong to the source that is deployed, and are part of its diff; the pack that is told of them is the tools' own
(docs/adr/0016), and need not know the same rules.
"""

import difflib
import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from contracts.errors import UserError
from contracts.names import DELIVERY
from operate.project import config_of
from operate.stack_files import file_of
from policies.rules.catalogue import RULES
from policies.rules.judge import MARK, UNUSED
from preview.plan import Document
from settings.exemptions import Exemption, Policies
from settings.keys import Section, build
from settings.kinds import Problems

KEY = "glidepath:policies"
PackConfig = dict[str, dict[str, Any]]
"""Registered policy → its config, as the engine takes it by `--policy-pack-config`."""
_FILE = "policies.json"
_POLICIES = Section(Policies)


def of(stack: str, root: Path) -> tuple[Exemption, ...]:
    """The exemptions of a stack's file. Raises UserError with all that is wrong with them, each on its line.

    The program reads them as well, but runs only once the engine has the pack's config.
    """
    given = config_of(root / file_of(stack)).get(KEY)
    if given is None:
        return ()
    problems = Problems(stack)
    values = _POLICIES.read(given, KEY, problems)
    if problems.lines:
        lines = "\n".join(f"  - {line}" for line in problems.lines)
        raise UserError(f"the config of stack {stack} is not usable:\n{lines}", "docs/configuration.md has every key")
    found: Policies = build(_POLICIES, values)
    unknown = faults(found.exemptions)
    if unknown:
        raise UserError(f"{file_of(stack)}: {unknown[0]}")
    return found.exemptions


def faults(exemptions: Sequence[Exemption]) -> list[str]:
    """A line for each that names no rule of the pack at hand."""
    homes = _homes()
    return [
        f"{KEY}.exemptions[{number}].rule: {each.rule!r} is no rule of the policy pack; {_remedy(each.rule, homes)}"
        for number, each in enumerate(exemptions)
        if each.rule not in homes
    ]


def pack_config(exemptions: Sequence[Exemption]) -> PackConfig:
    """What the pack is told, each exemption at the policy that its rule belongs to. The rules exist (`faults`)."""
    homes = _homes()
    found: dict[str, list[dict[str, str]]] = defaultdict(list)
    for each in exemptions:
        found[homes[each.rule]].append({name: value for name, value in asdict(each).items() if value})
    return {policy: {"exemptions": entries} for policy, entries in found.items()}


def arguments(pack: Path | None, exemptions: Sequence[Exemption], folder: Path) -> list[str]:
    """The engine's arguments for a pack and what it is told, which is written to a file in `folder`.

    The engine takes one config for each pack, by their order
    (https://www.pulumi.com/docs/iac/cli/commands/pulumi_preview/).
    """
    if pack is None:
        return []
    named = ["--policy-pack", str(pack)]
    if not exemptions:
        return named
    file = folder / _FILE
    file.write_text(json.dumps(pack_config(exemptions)), encoding="utf-8")
    return [*named, "--policy-pack-config", str(file)]


def without_release(found: Document) -> Document:
    """An environment's document in which, as long as no release is there, unused exemptions are advice.

    They may be for what only comes with a release: refused here, none could ever be the first.
    """
    if found["stack"] == DELIVERY or "release" in found["outputs"]["new"]:
        return found
    return {**found, "findings": [_advised(each) for each in found["findings"]]}


def _advised(finding: Mapping[str, str]) -> Mapping[str, str]:
    first = finding["message"].partition("\n")[0]
    unused = first.startswith(MARK) and first.endswith(UNUSED)
    return {**finding, "level": "advisory"} if unused else finding


def _homes() -> dict[str, str]:
    """Rule → the registered policy that has it (policies/rules/engine.py)."""
    return {rule.name: rule.family if rule.check is not None else "stack" for rule in RULES}


def _remedy(rule: str, known: Mapping[str, str]) -> str:
    near = difflib.get_close_matches(rule, known, n=1)
    fix = f"did you mean {near[0]}?" if near else "policies/RULES.md lists them."
    return f"{fix} The pipeline knows a new rule once an administrator has brought the delivery stack up"
