"""The objects of the config that say what watches a release: alarms, monitor, retraining. A table, like sections."""

from dataclasses import dataclass
from typing import Annotated

from contracts.retraining import COLLECTED, UPLOADED
from settings.keys import INLINE, Key, Section
from settings.kinds import Choice, Flag, ListOf, Number, Text, Whole
from settings.sections import MAIL, MILLION, Compute

# Hourly and daily runs, as SageMaker's monitor knows them, but at any minute: cron(15 * ? * * *) and
# cron(15 h ? * * *), or a step of hours.
_HOUR = r"([01]?[0-9]|2[0-3])"
_SCHEDULE = Text(
    "an hourly or daily cron like cron(15 * ? * * *), with an hour from 0 to 23",
    rf"cron\([0-5]?[0-9] (\*|{_HOUR}|{_HOUR}/(0?[1-9]|1[0-9]|2[0-4])) \? \* \* \*\)",
)


@dataclass(frozen=True)
class Analysis(Compute):
    """Machines of Model Monitor: it lets a job have less than other jobs.

    Refused by pulumi-aws (internal/service/sagemaker/data_quality_job_definition.go).
    """

    volume_gb: Annotated[int, Key(Whole(1, 512), "disk of each", 20, "GB")]
    minutes: Annotated[int, Key(Whole(1, 60), "when a job is given up", 30, "minutes")]


@dataclass(frozen=True)
class Limits:
    """Thresholds of the alarms: from when on a release is unhealthy. docs/health.md has the reasons."""

    model_errors: Annotated[
        int, Key(Whole(1, MILLION), "failures of the new version's model, from which on `share` counts", 3, "a period")
    ]
    function_errors: Annotated[
        int, Key(Whole(1, MILLION), "crashes and timeouts of the function, from which on `share` counts", 3, "a period")
    ]
    endpoint_errors: Annotated[
        int,
        Key(Whole(1, MILLION), "5XX answers of the release's endpoint, from which on `share` counts", 3, "a period"),
    ]
    slow_requests: Annotated[
        int, Key(Whole(1, MILLION), "requests slower than `latencyMs`, from which on `share` counts", 3, "a period")
    ]
    share: Annotated[
        float,
        Key(Number(0.01, 100.0), "share of the requests that these must be as well", 30.0, "percent of the requests"),
    ]
    times: Annotated[
        float,
        Key(Number(0.0, 100.0), "and how many times the former version's share; 0: whatever that is", 2.0),
    ]
    latency_ms: Annotated[int, Key(Whole(1, 60_000), "a request that waits longer for its model is slow", 1000, "ms")]
    model_latency_ms: Annotated[int, Key(Whole(1, 60_000), "how long the container computes", 1000, "ms, p99")]
    api_errors: Annotated[int, Key(Whole(1, MILLION), "5XX answers of the API", 5, "a period")]
    api_latency_ms: Annotated[int, Key(Whole(1, 60_000), "how long a caller waits", 3000, "ms, p99")]
    prediction_shift: Annotated[
        float, Key(Number(0.01, 10.0), "how far predictions may differ from the evaluation's", 0.25, "stability index")
    ]
    prediction_rows: Annotated[
        int, Key(Whole(20, MILLION), "requests below which the distribution of their predictions says nothing", 100)
    ]
    prediction_minutes: Annotated[int, Key(Whole(1, 1440), "how long predictions are collected", 10, "minutes")]
    silent_invocations: Annotated[
        int, Key(Whole(1, MILLION), "requests below which missing metrics say nothing", 10, "a period")
    ]
    period_minutes: Annotated[int, Key(Whole(1, 60), "an alarm's period", 1, "minutes")]
    periods: Annotated[int, Key(Whole(1, 100), "periods in a row that must be over the threshold", 1)]


@dataclass(frozen=True)
class Alarms:
    """From when on a release is unhealthy, and how far its data may drift ([health](health.md) has the reasons)."""

    limits: Annotated[Limits, INLINE]
    drift: Annotated[float, Key(Number(0.0, 1.0), "distance of a feature from its baseline", 0.2)]
    mails: Annotated[
        tuple[str, ...] | None,
        Key(
            ListOf(MAIL, "mail addresses"),
            "who hears of the environment's alarms; production is warned where it does not say, and `[]` is nobody",
            None,
            instead="`glidepath:approval.mails` of the same stack",
        ),
    ]


@dataclass(frozen=True)
class Monitor:
    """The hourly look at what is asked and answered, and its machines."""

    enabled: Annotated[bool, Key(Flag(), "whether it runs", True)]
    by: Annotated[
        str,
        Key(
            Choice(("own", "sagemaker")),
            "own: the analyzer of this project; sagemaker: Model Monitor, in accounts that had it before it was closed",
            "own",
        ),
    ]
    schedule: Annotated[
        str,
        Key(
            _SCHEDULE,
            "when it runs (UTC); each run looks at the whole hour before. Model Monitor begins on the hour and leaves"
            " the minute out",
            "cron(15 * ? * * *)",
        ),
    ]
    least_records: Annotated[int, Key(Whole(1, MILLION), "fewer records in the hour are not judged", 30)]
    compute: Annotated[Analysis, INLINE]


@dataclass(frozen=True)
class Probe:
    """A request of our own every few minutes, outside of shifts; an alarm where it is not answered as it should be."""

    enabled: Annotated[
        bool | None,
        Key(Flag(), "whether it asks", None, instead="true in production, false in the environments before it"),
    ]
    minutes: Annotated[int, Key(Whole(1, 60), "how often; two failures in a row are an alarm", 5, "minutes")]


@dataclass(frozen=True)
class NewData:
    """The rows that a retraining learns from."""

    take: Annotated[
        str,
        Key(Choice(("newest", "joined")), "the newest object, or those of the last `days` joined into one", "newest"),
    ]
    days: Annotated[int, Key(Whole(1, 365), "take joined: how far back objects count", 7, "days")]
    folder: Annotated[
        str,
        Key(
            Choice((COLLECTED, UPLOADED)),
            f"where they lie in the data bucket; an upload below `datasets/` starts a run by itself, one below"
            f" `{COLLECTED}` waits",
            COLLECTED,
        ),
    ]


@dataclass(frozen=True)
class Retrain:
    """When drift, or a schedule, starts a run, and on which data ([health](health.md))."""

    enabled: Annotated[bool, Key(Flag(), "whether anything may start by itself", True)]
    environments: Annotated[
        tuple[str, ...],
        Key(
            ListOf(Text("a stack name", r"[a-z][a-z0-9]{1,11}"), "stack names"),
            "environments whose drift counts; where none is named, production alone",
            (),
        ),
    ]
    cooldown_minutes: Annotated[
        int, Key(Whole(0, 525_600), "from the start of one retraining to that of the next", 1440, "minutes")
    ]
    runs: Annotated[int, Key(Whole(1, 100), "how many may begin in `periodDays`", 4)]
    period_days: Annotated[int, Key(Whole(1, 366), "for how long a retraining counts against `runs`", 30, "days")]
    schedule: Annotated[
        str,
        Key(
            Text("a cron of six fields like cron(0 6 ? * MON *)", r"cron\([^()\s]+( [^()\s]+){5}\)"),
            "when one is asked for without any drift (UTC)",
            "",
        ),
    ]
    data: Annotated[NewData, Key(Section(NewData), "the rows that it learns from", {})]
