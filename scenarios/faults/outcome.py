"""What was observed of a fault."""

from dataclasses import dataclass

NONE = "-"
"""The stage of an outcome where nothing was stopped."""
DEPLOY = "Deploy{Production}"
"""The stage that deploys to production, whatever that is called."""


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


def named(text: str, production: str) -> str:
    """The text with the name of production where it stands for it."""
    title = production[:1].upper() + production[1:]
    return text.replace("{production}", production).replace("{Production}", title)
