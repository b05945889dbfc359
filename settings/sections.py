"""The objects of the config, each key at its field: one table without any logic. What moves traffic to a release and
what watches it are apart (shifting.py, watching.py).

Type, range, default, unit and purpose of a key stand there once. A key is called like its field, in camel case.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from contracts.names import DELIVERY
from contracts.tuning import TUNABLE
from settings.keys import Key
from settings.kinds import Choice, Flag, ListOf, Number, TableOf, Text, Whole

NAMESPACE = "glidepath"
TEST_COMMAND = "python -m cli check"
"""What a commit must pass before it is packaged: config, features.sql, the policy pack, and the project's own tests."""
HOSTS = {"github": "token.actions.githubusercontent.com", "gitlab": "gitlab.com"}
"""CI → issuer of its identity tokens, where it is not hosted by its user."""

MILLION = 1_000_000
INSTANCE = Text("a SageMaker instance type like ml.m5.large", r"ml\.[a-z0-9-]+\.[a-z0-9]+")
_BRANCH = Text("a branch name", r"[\w./-]{1,255}")
MAIL = Text("a mail address", r"[^@\s]+@[^@\s]+\.[^@\s]+")
MANIFEST = Text("the address of a release manifest, s3://bucket/…/manifest.json", r"s3://[a-z0-9.-]{3,63}/.+")


@dataclass(frozen=True)
class Source:
    """Where the code comes from."""

    kind: Annotated[
        str,
        Key(
            Choice(("s3", "codecommit", "connection")),
            "a zip in the data bucket, a CodeCommit repository, or one reached by a CodeConnections connection",
            "s3",
        ),
    ]
    key: Annotated[
        str,
        Key(
            Text("a key like source/source.zip", r"source/.+\.zip"),
            "kind s3: where the zip lies in the data bucket",
            "source/source.zip",
        ),
    ]
    repository: Annotated[
        str,
        Key(
            Text("a repository, owner/name for connections", r"[\w.-]+(/[\w./-]+)?"),
            "the repository, for the other kinds",
            "",
        ),
    ]
    branch: Annotated[str, Key(_BRANCH, "the branch that is delivered", "main")]
    connection_arn: Annotated[
        str,
        Key(
            Text("an ARN", r"arn:aws[\w-]*:code(star-)?connections:.+"),
            "kind connection: one that exists; without it, one is made",
            "",
        ),
    ]
    provider: Annotated[
        str, Key(Choice(("GitHub", "GitLab", "Bitbucket")), "kind connection: where the repository is", "GitHub")
    ]


@dataclass(frozen=True)
class Approval:
    """Who is asked before production, and how long the question stands."""

    mails: Annotated[
        tuple[str, ...],
        Key(ListOf(MAIL, "mail addresses"), "who is asked and hears of alarms", (), only=DELIVERY),
    ]
    minutes: Annotated[int, Key(Whole(5, 86400), "how long the question stands", 10080, "minutes")]


@dataclass(frozen=True)
class Compute:
    """Machines of one kind of work."""

    instance_type: Annotated[str, Key(INSTANCE, "the machines", "ml.m5.large")]
    instance_count: Annotated[int, Key(Whole(1, 20), "how many of them", 1)]
    volume_gb: Annotated[int, Key(Whole(1, 16384), "disk of each", 20, "GB")]
    minutes: Annotated[int, Key(Whole(1, 40320), "when a job is given up", 30, "minutes")]


@dataclass(frozen=True)
class TrainingCompute(Compute):
    """Machines of the training job, bought at Spot's price or not ([training](training.md))."""

    spot: Annotated[bool, Key(Flag(), "whether Spot machines train, which AWS may take back", False)]
    max_wait_minutes: Annotated[
        int,
        Key(
            Whole(1, 80640),
            "with `spot`: when a job is given up, the wait for machines included",
            None,
            "minutes",
            instead="twice `minutes`",
        ),
    ]


_RANGE = ListOf(Number(strict=True), "two numbers, the least and the most", 2)


@dataclass(frozen=True)
class Tuning:
    """Several trainings in place of one, of which the best goes on ([training](training.md#tuning))."""

    trials: Annotated[int, Key(Whole(2, 750), "how many trainings")]
    parallel: Annotated[int, Key(Whole(1, 10), "how many of them at once", 2)]
    strategy: Annotated[
        str, Key(Choice(("bayesian", "random")), "whether a trial is chosen by what those before it gave", "bayesian")
    ]
    ranges: Annotated[
        Mapping[str, tuple[float, ...]],
        Key(
            TableOf(_RANGE, "ranges", Choice(TUNABLE), 1),
            "hyperparameter → the least and the most that are tried, in place of its value in `hyperparameters`",
        ),
    ]


@dataclass(frozen=True)
class Features:
    """Machines of the Glue job that computes the features."""

    worker_type: Annotated[str, Key(Choice(("G.1X", "G.2X", "G.4X", "G.8X")), "the workers", "G.1X")]
    workers: Annotated[int, Key(Whole(2, 299), "how many of them", 2)]
    minutes: Annotated[int, Key(Whole(1, 2880), "when a job is given up", 60, "minutes")]


_SIZES = ("BUILD_GENERAL1_SMALL", "BUILD_GENERAL1_MEDIUM", "BUILD_GENERAL1_LARGE")


@dataclass(frozen=True)
class Build:
    """CodeBuild's machines, and what a commit must pass."""

    compute_type: Annotated[str, Key(Choice(_SIZES), "the machines", _SIZES[0])]
    image: Annotated[str, Key(Text(), "the image that builds run in", "aws/codebuild/amazonlinux-x86_64-standard:5.0")]
    minutes: Annotated[int, Key(Whole(5, 2160), "when a build is given up", 60, "minutes")]
    deploy_minutes: Annotated[
        int,
        Key(
            Whole(5, 2160),
            "when a deployment's build is given up; it must outlive `shiftMinutes` and what comes before and after",
            180,
            "minutes",
        ),
    ]
    test_command: Annotated[str, Key(Text(), "what must succeed before anything is packaged", TEST_COMMAND)]


@dataclass(frozen=True)
class Acceptance:
    """Your own tests of an environment before production, after ours, through its real API."""

    command: Annotated[
        str,
        Key(
            Text("a command line", r"[^\x00-\x1f\x7f]*\S[^\x00-\x1f\x7f]*"),
            "what must succeed in every environment before production; it finds `API_URL`, `ENVIRONMENT`,"
            " `AWS_REGION`, `RELEASE` and credentials that may call the API",
            "",
        ),
    ]


@dataclass(frozen=True)
class Endpoint:
    """Machines of the release's endpoint, and of each variant on it."""

    instance_type: Annotated[str, Key(INSTANCE, "the machines", "ml.m5.large")]
    instance_count: Annotated[int, Key(Whole(1, 100), "how many of them a first endpoint begins with", 1)]


@dataclass(frozen=True)
class Capture:
    """What is kept of the requests."""

    percentage: Annotated[int, Key(Whole(1, 100), "share that is captured", 100, "percent of the requests")]
    days: Annotated[int, Key(Whole(1, 3650), "how long it is kept", 365, "days")]
    # A function runs for 15 minutes at most, and must have time left to report.
    wait_seconds: Annotated[
        int,
        Key(
            Whole(5, 880),
            "how long the hook after a shift waits for captured requests",
            600,
            "seconds",
        ),
    ]


_INSTANCES = f"{NAMESPACE}:endpoint.instanceCount"


@dataclass(frozen=True)
class Autoscaling:
    """Instances by load. Off where `max` equals `min`."""

    minimum: Annotated[int, Key(Whole(1, 100), "fewest instances", None, instead=_INSTANCES, name="min")]
    maximum: Annotated[int, Key(Whole(1, 1000), "most instances", None, instead=_INSTANCES, name="max")]
    target: Annotated[int, Key(Whole(1, MILLION), "load that is aimed at", 750, "requests per instance and minute")]
    scale_in_seconds: Annotated[int, Key(Whole(0, 86400), "pause after instances were taken away", 60, "seconds")]
    scale_out_seconds: Annotated[int, Key(Whole(0, 86400), "pause after instances were added", 60, "seconds")]


@dataclass(frozen=True)
class Api:
    """What callers may ask."""

    rate: Annotated[int, Key(Whole(1, 10_000), "steady rate", 100, "requests per second")]
    burst: Annotated[int, Key(Whole(1, 5_000), "requests above it at once", 200)]
    key: Annotated[bool, Key(Flag(), "whether callers also need an API key", False)]
    quota_per_day: Annotated[int, Key(Whole(1, 2**31 - 1), "what a key is good for", 100_000, "requests a day")]
    log_role: Annotated[
        str,
        Key(
            Choice(("own", "account", "replace")),
            "the role that API Gateway writes logs with, one for all APIs of an account and region. own: Glidepath's,"
            " refused where another stands; account: the one that stands there is kept; replace: Glidepath's instead"
            " of whichever stands there",
            "own",
        ),
    ]


@dataclass(frozen=True)
class Variant:
    """Another model on the endpoint, beside the release's own (`live`, with weight 1.0)."""

    name: Annotated[
        str,
        Key(
            Text("letters, digits and - between them, 63 at most", r"[A-Za-z0-9](-*[A-Za-z0-9]){0,62}"),
            "what it is called",
            None,
            instead="variant-1, variant-2, …, or shadow",
        ),
    ]
    manifest: Annotated[str, Key(MANIFEST, "the release that it is a model of")]
    weight: Annotated[
        float, Key(Number(0.0, 1.0), "its weight; a shadow's is the share of the requests that it gets copies of", 0.1)
    ]


@dataclass(frozen=True)
class Notebook:
    """A SageMaker notebook in the tooling account: it reads, and uploads data ([notebook](notebook.md))."""

    enabled: Annotated[bool, Key(Flag(), "whether there is one", False)]
    instance_type: Annotated[str, Key(INSTANCE, "its machine", "ml.t3.medium")]
    repository: Annotated[
        str,
        Key(
            Text(
                "an https address without a user, or the name of a Git repository in SageMaker",
                r"https://[^\s@]+|[A-Za-z0-9](-*[A-Za-z0-9]){0,62}",
            ),
            "what it clones when it starts",
            None,
            instead="the repository of `glidepath:source`; a source in S3 has none",
        ),
    ]
    secret_name: Annotated[
        str,
        Key(
            Text("the name of a secret", r"[\w/+=.@-]+"),
            "the secret that SageMaker's Git repository needs for a private one; the notebook's role may read it",
            "",
        ),
    ]


@dataclass(frozen=True)
class RollbackRequest:
    """A rollback to a former release, as `./glidepath rollback` sets it for one update. Never committed."""

    reason: Annotated[
        str, Key(Text("one line of at most 150 characters", r"[^\n]{1,150}"), "why; recorded with the deployment", "")
    ]
    urgent: Annotated[bool, Key(Flag(), "whether all traffic moves at once", False)]


@dataclass(frozen=True)
class State:
    """Pulumi's state as the pipeline's builds find it."""

    backend: Annotated[
        str,
        Key(
            Text("an address like s3://bucket", r"(s3|file|https|azblob|gs)://.*"),
            "where it is; the delivery stack needs it: the line that `./glidepath bootstrap` prints, or"
            " https://api.pulumi.com",
            "",
        ),
    ]
    secret_name: Annotated[
        str, Key(Text("the name of a secret", r"[\w/+=.@-]+"), "the secret that holds what unlocks it", "")
    ]
    secret_variable: Annotated[
        str,
        Key(
            Text("a variable", r"[A-Z][A-Z0-9_]*"),
            "the variable that the secret is handed over in",
            "PULUMI_CONFIG_PASSPHRASE",
        ),
    ]
    preview_secret_name: Annotated[
        str,
        Key(
            Text("the name of a secret", r"[\w/+=.@-]+"),
            "the secret for those who only look: the pipeline's build and plan, CI's previews and its search for drift."
            " With Pulumi Cloud, one with a token that may read the stacks and no more; without it, they get"
            " `secretName`",
            "",
        ),
    ] = ""


@dataclass(frozen=True)
class Ci:
    """The repository whose CI may look at the stacks and hand over code ([CI](ci.md))."""

    provider: Annotated[str, Key(Choice(tuple(HOSTS)), "whose CI it is")]
    repository: Annotated[str, Key(Text("a repository, owner/name", r"[\w.-]+(/[\w.-]+)+"), "the repository")]
    branch: Annotated[str, Key(_BRANCH, "the branch that may hand over code", "main")]
    host: Annotated[
        str,
        Key(
            Text("a host name like gitlab.example.com", r"[a-z0-9.-]+"),
            "the issuer of its identity tokens",
            None,
            instead=", ".join(HOSTS.values()),
        ),
    ]
    provider_arn: Annotated[
        str,
        Key(
            Text("an ARN", r"arn:aws[\w-]*:iam::\d{12}:oidc-provider/.+"),
            "the account's identity provider, where it has one; without it, one is made",
            "",
        ),
    ]
    protected_refs: Annotated[
        bool,
        Key(
            Flag(),
            "GitLab: whether its tokens' subject ends with `ref_protected`; then a branch counts as the delivered one"
            " only where it is protected ([CI](ci.md#forks))",
            False,
        ),
    ] = False
