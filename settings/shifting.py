"""The objects of the config that say how traffic moves to a release, and what follows. A table, like sections."""

from dataclasses import dataclass
from typing import Annotated

from contracts.judging import ASK_SECONDS
from settings.keys import Key, Section
from settings.kinds import Choice, ListOf, Text, Whole


@dataclass(frozen=True)
class Replay:
    """Callers' requests of the serving release, asked of a new one before traffic ([verdict](verdict.md#replay))."""

    requests: Annotated[int, Key(Whole(0, 5000), "how many of the newest captured requests are replayed; 0: none", 500)]
    seconds: Annotated[int, Key(Whole(10, 600), "how long that may take; then what came is judged", 180, "seconds")]
    megabytes: Annotated[int, Key(Whole(1, 512), "how much of the capture is read for them", 32, "MB")]
    accept: Annotated[
        tuple[str, ...],
        Key(
            ListOf(Text("a feature's name", r"[A-Za-z_][A-Za-z0-9_]{0,63}"), "feature names"),
            "new features for want of which captured requests need not be replayed; any other one stops the release",
            (),
        ),
    ]


CANARY, LINEAR, ALL_AT_ONCE = "canary", "linear", "all-at-once"
REFUSE, WARN = "refuse", "warn"
PERCENT, MINUTES, BAKE_MINUTES = 10, 5, 10
"""Steps of a shift, and what follows it, where config gives none."""
ACCEPT, ASK, RETURN = "accept", "ask", "return"
ASK_MINUTES = ASK_SECONDS // 60
"""How long a person may take to answer. A hook's function runs for 15 minutes, and CodeDeploy waits for its report for
an hour: https://docs.aws.amazon.com/codedeploy/latest/userguide/reference-appspec-file-structure-hooks.html"""


@dataclass(frozen=True)
class Deployment:
    """How traffic moves to a new release."""

    kind: Annotated[
        str,
        Key(
            Choice((CANARY, LINEAR, ALL_AT_ONCE)),
            "canary: `percentage` first, the rest after `minutes`; linear: `percentage` more every `minutes`",
            CANARY,
        ),
    ]
    percentage: Annotated[
        int,
        Key(
            Whole(1, 99), "size of a step; not with all-at-once", None, "percent of the requests", instead=f"{PERCENT}"
        ),
    ]
    minutes: Annotated[
        int, Key(Whole(1, 2880), "time between two steps; not with all-at-once", None, "minutes", instead=f"{MINUTES}")
    ]
    extend: Annotated[
        int,
        Key(
            Whole(0, 2880),
            "canary: by how much the step before all traffic is longer. A linear shift's steps are all equally long in"
            " CodeDeploy: give it more `minutes`",
            0,
            "minutes",
        ),
    ]
    on_inconclusive: Annotated[
        str,
        Key(
            Choice((ACCEPT, ASK, RETURN)),
            "what follows where the [judge](verdict.md#the-judge-of-a-shift) could tell neither worse nor not worse:"
            " the new version stays, a person is asked, or the former one comes back; not with all-at-once",
            None,
            instead=ACCEPT,
        ),
    ]
    on_silence: Annotated[
        str,
        Key(
            Choice((ACCEPT, RETURN)),
            f"`onInconclusive: ask`: what follows where nobody answers within {ASK_MINUTES} minutes",
            None,
            instead=RETURN,
        ),
    ]
    verdict_seconds: Annotated[
        int,
        Key(
            Whole(300, 880),
            "how long the hook after traffic waits for the judge's verdict, which comes some four minutes after the"
            " shift; without one, `onInconclusive` (with `ask`: `onSilence`) says what follows",
            480,
            "seconds",
        ),
    ]
    bake_minutes: Annotated[
        int,
        Key(
            Whole(0, 2880),
            "how long the former endpoint is kept and the new version judged once it has all traffic",
            None,
            "minutes",
            instead=f"{BAKE_MINUTES}, or 0 with all-at-once",
        ),
    ]
    replay: Annotated[Replay, Key(Section(Replay), "callers' requests are tried before traffic moves", {})]
    blind: Annotated[
        str,
        Key(
            Choice((REFUSE, WARN, ACCEPT)),
            "what follows where a shift can see nothing with as many requests as there are"
            " ([verdict](verdict.md#what-a-shift-can-see)): no release (a warning, until the first request in seven"
            " days is a day ago), a warning, or neither",
            None,
            instead=f"{REFUSE} in production, {WARN} elsewhere",
        ),
    ]

    @property
    def interval(self) -> int:
        """Minutes between two steps, as CodeDeploy is told: it knows one for all of them, and a canary has one step."""
        return self.minutes + self.extend

    @property
    def judged(self) -> bool:
        """Whether there is anything to compare: steps in which both versions answer."""
        return self.kind != ALL_AT_ONCE
