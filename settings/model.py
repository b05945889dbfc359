"""The config as a whole, described once: type, range, default and purpose of a key stand at its field.

A key is called like its field, in camel case, and lies in the namespace `glidepath`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any

from contracts.dataset import Dataset
from contracts.names import DELIVERY, ENVIRONMENTS, Names
from settings.declaring import DatasetDocument
from settings.exemptions import Policies
from settings.hyperparameters import Hyperparameters
from settings.keys import Document, Key, Section
from settings.kinds import Flag, ListOf, TableOf, Text, Whole
from settings.sections import (
    MANIFEST,
    Acceptance,
    Api,
    Approval,
    Autoscaling,
    Build,
    Capture,
    Ci,
    Compute,
    Endpoint,
    Features,
    Notebook,
    RollbackRequest,
    Source,
    State,
    TrainingCompute,
    Tuning,
    Variant,
)
from settings.shifting import Deployment
from settings.watching import Alarms, Monitor, Probe, Retrain

RETENTION_DAYS = (1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288)
"""What CloudWatch Logs accepts."""
_ACCOUNT = Text("an account id of 12 digits, in quotes", r"\d{12}")
_STACK = Text("a stack name of 2 to 12 of a-z and 0-9, a letter first", r"[a-z][a-z0-9]{1,11}")
_HYPERPARAMETERS = {
    "objective": "reg:squarederror",
    "num_round": "100",
    "early_stopping_rounds": "10",
    "eval_metric": "rmse",
    "max_depth": "9",
    "eta": "0.2",
    "gamma": "4",
    "min_child_weight": "300",
    "subsample": "0.8",
}


@dataclass(frozen=True)
class Settings:
    """Everything one stack is configured with."""

    stack: str
    name: Annotated[
        str,
        Key(Text("3 to 20 of a-z, 0-9 and -", r"[a-z][a-z0-9-]{1,18}[a-z0-9]"), "what every name begins with"),
    ]
    region: Annotated[
        str,
        Key(Text("an AWS region like eu-west-1", r"[a-z]{2}(-[a-z]+)+-\d"), "where it all is", name="aws:region"),
    ]
    accounts: Annotated[
        Mapping[str, str],
        Key(TableOf(_ACCOUNT, "stacks and their account ids", _STACK), "account of `delivery` and each environment"),
    ]
    environments: Annotated[
        tuple[str, ...],
        Key(
            ListOf(_STACK, "stack names", 1),
            "the environments in the order in which a release travels; the last is production",
            ENVIRONMENTS,
        ),
    ]
    source: Annotated[Source, Key(Section(Source), "where the code comes from", {})]
    approval: Annotated[Approval, Key(Section(Approval), "who is asked before production", {})]
    build: Annotated[Build, Key(Section(Build), "CodeBuild's machines", {})]
    test: Annotated[Acceptance, Key(Section(Acceptance), "your own tests of an environment", {})]
    features: Annotated[Features, Key(Section(Features), "machines of the Glue job", {})]
    training: Annotated[
        TrainingCompute,
        Key(
            Section(TrainingCompute, {"instanceType": "ml.m5.xlarge", "minutes": 60}),
            "machines of the training job",
            {},
        ),
    ]
    evaluation: Annotated[
        Compute, Key(Section(Compute), "machines of the evaluation, which makes the baseline too", {})
    ]
    hyperparameters: Annotated[
        Mapping[str, str],
        Key(Hyperparameters(), "XGBoost's, with the names and ranges of its container", _HYPERPARAMETERS),
    ]
    tuning: Annotated[
        Tuning | None,
        Key(
            Section(Tuning),
            "trainings in place of one, of which the best goes on ([training](training.md#tuning))",
            None,
        ),
    ]
    dataset_document: Annotated[
        Mapping[str, Any],
        Key(
            Document(DatasetDocument),
            "the dataset's schema: what the raw file must hold, and what the model learns",
            None,
            only=DELIVERY,
            name="dataset",
        ),
    ]
    dataset: Dataset | None
    endpoint: Annotated[Endpoint, Key(Section(Endpoint), "machines of the endpoint", {})]
    deployment: Annotated[Deployment, Key(Section(Deployment), "how traffic moves", {})]
    alarms: Annotated[Alarms, Key(Section(Alarms), "from when on a release is unhealthy", {})]
    monitor: Annotated[Monitor, Key(Section(Monitor), "what is asked and answered, hour by hour", {})]
    probe: Annotated[Probe, Key(Section(Probe), "a request of our own every few minutes", {})]
    retrain: Annotated[Retrain, Key(Section(Retrain), "what starts a run by itself", {})]
    capture: Annotated[Capture, Key(Section(Capture), "what is kept of the requests", {})]
    autoscaling: Annotated[Autoscaling, Key(Section(Autoscaling), "instances by load", {})]
    api: Annotated[Api, Key(Section(Api), "what callers may ask", {})]
    variants: Annotated[
        tuple[Variant, ...],
        Key(
            ListOf(Section(Variant), "objects"),
            "up to nine other models on the endpoint, beside the release's own (`live`, with weight 1.0)",
            (),
        ),
    ]
    shadow: Annotated[
        Variant | None,
        Key(
            Section(Variant),
            "a model that gets copies of the requests and answers nobody ([variants](variants.md))",
            None,
        ),
    ]
    shift_minutes: Annotated[int, Key(Whole(1, 2880), "when a traffic shift is given up", 120, "minutes")]
    notebook_document: Annotated[Notebook, Key(Section(Notebook), "an optional notebook", {}, name="notebook")]
    log_days: Annotated[int, Key(Whole(1, 3653, RETENTION_DAYS), "how long logs are kept", 90, "days")]
    state: Annotated[State, Key(Section(State), "Pulumi's state, for the pipeline's builds", {})]
    ci: Annotated[Ci | None, Key(Section(Ci), "the repository whose CI may look and deliver", None)]
    policies: Annotated[Policies, Key(Section(Policies), "what the policy pack accepts", {})]
    release: Annotated[
        str,
        Key(MANIFEST, "the release to deploy, for one update; without it, what serves stays. Never committed", ""),
    ]
    manifest_sha256: Annotated[
        str,
        Key(Text("a SHA-256 of 64 lower case hex digits", r"[0-9a-f]{64}"), "the manifest hash that was approved", ""),
    ]
    unsigned: Annotated[
        tuple[str, ...],
        Key(
            ListOf(Text("a SHA-256 of 64 lower case hex digits", r"[0-9a-f]{64}"), "SHA-256s"),
            "manifests from before they were signed that may be deployed all the same",
            (),
        ),
    ]
    retire: Annotated[bool, Key(Flag(), "for one update: take away what serves, before `pulumi destroy`", False)]
    returning: Annotated[RollbackRequest, Key(Section(RollbackRequest), "a rollback, for one update", {})]

    @cached_property
    def names(self) -> Names:
        """The project's deterministic names."""
        return Names(self.name, self.region, self.accounts)

    @property
    def account(self) -> str:
        """Account of this stack."""
        return self.accounts[self.stack]

    @property
    def instance_type(self) -> str:
        """Machines of the endpoint."""
        return self.endpoint.instance_type

    @property
    def instance_count(self) -> int:
        """How many machines a first endpoint begins with."""
        return self.endpoint.instance_count

    @property
    def notebook(self) -> bool:
        """Whether there is a notebook."""
        return self.notebook_document.enabled

    @property
    def notebook_instance_type(self) -> str:
        """The notebook's machine."""
        return self.notebook_document.instance_type

    @property
    def notebook_repository(self) -> str:
        """What the notebook clones: what is named, else where the source is. Empty for a source in S3."""
        return self.notebook_document.repository or _clonable(self.source, self.region)


_HOSTS = {"GitHub": "github.com", "GitLab": "gitlab.com", "Bitbucket": "bitbucket.org"}


def _clonable(source: Source, region: str) -> str:
    """The address from which git clones a source."""
    if source.kind == "codecommit":
        return f"https://git-codecommit.{region}.amazonaws.com/v1/repos/{source.repository}"
    if source.kind == "connection":
        return f"https://{_HOSTS[source.provider]}/{source.repository}"
    return ""
