"""What states of the training workflow are made of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from contracts.names import Names

State = dict[str, Any]

CATCH = [{"ErrorEquals": ["States.ALL"], "ResultPath": "$.error", "Next": "Caught"}]
"""What fails goes where its error becomes a sentence."""

SQL = "States.Format('{}/features.sql', $.code)"
"""Address of the commit's features.sql, as an intrinsic of the workflow."""


@dataclass(frozen=True)
class Machines:
    """Machines of one kind of job; `seconds` is when it is given up. `spot_seconds`, of Spot machines alone: when it is
    given up with the wait for them."""

    instance_type: str
    instance_count: int
    volume_gb: int
    seconds: int
    spot_seconds: int | None = None


@dataclass(frozen=True)
class Tuning:
    """What a tuning job does in place of the training job.

    `ranges`: hyperparameter → least and most, as AWS reads them. `metric`: the container's name of what it looks for;
    `direction`: Maximize or Minimize.
    """

    trials: int
    parallel: int
    strategy: str
    ranges: Mapping[str, tuple[str, str]]
    metric: str
    direction: str


@dataclass(frozen=True)
class Training:
    """What the workflow is made of. `dataset` is the address of the dataset's schema."""

    names: Names
    key_arn: str
    xgboost_image: str
    hyperparameters: Mapping[str, str]
    dataset: str
    evaluation_arguments: Sequence[str]
    features_seconds: int
    training: Machines
    evaluation: Machines
    tuning: Tuning | None = None


def path(training: Training, tail: str) -> str:
    """Address in the run's folder, as an intrinsic of the workflow."""
    return f"States.Format('s3://{training.names.artifacts_bucket}/runs/{{}}/{tail}', $.run)"


def then(following: str | None) -> State:
    """Which state follows; None: the workflow is done."""
    return {"Next": following} if following else {"End": True}
