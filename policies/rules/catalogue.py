"""All rules."""

from . import (
    alarms,
    apis,
    boundaries,
    capture,
    detours,
    escalation,
    exposure,
    grants,
    hardening,
    least_privilege,
    network,
    operations,
    pairs,
    release,
    secrets,
    trust,
)
from .model import Rule

RULES: tuple[Rule, ...] = (
    *least_privilege.RULES,
    *boundaries.RULES,
    *escalation.RULES,
    *pairs.RULES,
    *detours.RULES,
    *grants.RULES,
    *trust.RULES,
    *capture.RULES,
    *release.RULES,
    *exposure.RULES,
    *network.RULES,
    *apis.RULES,
    *secrets.RULES,
    *operations.RULES,
    *alarms.RULES,
    *hardening.RULES,
)
FAMILIES: dict[str, str] = {
    "least-privilege": "Nobody may do more than needed, and nobody unknown comes in",
    "data-capture": "What every endpoint is asked and answers is kept, safely, and watched",
    "release-safety": "Traffic moves step by step, under alarms, with a way back",
    "exposure": "Nothing is public, nothing readable without a key",
    "operations": "Logs end, alarms notify, owners are named, machines are wanted",
}
