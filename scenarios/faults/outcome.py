"""What was observed of a fault."""

from dataclasses import dataclass

NONE = "-"
"""The stage of an outcome where nothing was stopped."""
DEPLOY = "Deploy{Production}"
"""The stage that deploys to production, whatever that is called."""
FIRST_DEPLOY = "Deploy{First}"
"""The stage that deploys to the environment where a release comes first."""


@dataclass(frozen=True)
class Outcome:
    """What was observed.

    stage: which stage stopped it (Source … Approve, or production's deploy stage), or `-` where all went on.
    error: the one sentence a person reads; empty where there was none.
    serving: the release that serves production in the end.
    requests, failed: live requests while the fault was there, and how many of them got no prediction.
    """

    stage: str
    error: str
    serving: str
    requests: int
    failed: int


def named(text: str, production: str, first: str = "") -> str:
    """The text with the names of production and of the first environment (production where there is none before it)."""
    first = first or production
    text = text.replace("{production}", production).replace("{Production}", _title(production))
    return text.replace("{First}", _title(first))


def _title(env: str) -> str:
    return env[:1].upper() + env[1:]
