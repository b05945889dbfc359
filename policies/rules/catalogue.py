"""All rules."""

from . import capture, least_privilege, trust
from .model import Rule

RULES: tuple[Rule, ...] = (*least_privilege.RULES, *trust.RULES, *capture.RULES)
FAMILIES: dict[str, str] = {
    "least-privilege": "Nobody may do more than needed, and nobody unknown comes in",
    "data-capture": "What every endpoint is asked and answers is kept, safely, and watched",
}
