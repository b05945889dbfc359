"""What watches a release is told: the component, and each of the two ways of it."""

from collections.abc import Mapping, Sequence
from typing import TypedDict

import pulumi

from components.health import Health
from contracts.names import Names


class MonitorArgs(TypedDict):
    """Arguments of the monitor."""

    names: Names
    """The project's names."""
    env: str
    """Which environment."""
    by: str
    """Who looks: `own` or `sagemaker`."""
    release_id: str
    """Id of the release."""
    endpoint: pulumi.Input[str]
    """Endpoint of the release."""
    variant: str
    """Whose captured requests are looked at."""
    features: Sequence[str]
    """What is watched."""
    classes: int
    """How many probabilities are answered to a row; 0 where it is one number."""
    statistics: str
    """Baseline statistics of the release."""
    constraints: str
    """Baseline constraints of the release."""
    statistics_sha256: str
    """What the statistics must have; empty for an older release, as the next."""
    constraints_sha256: str
    """What the constraints must have."""
    image: str
    """Image that the analyzer runs in, or the closed service's."""
    roles: Mapping[str, pulumi.Input[str]]
    """The environment's roles."""
    key_arn: pulumi.Input[str]
    """Key of volumes and reports."""
    topic_arn: pulumi.Input[str]
    """Where alarms go."""
    capture_bucket: pulumi.Input[str]
    """Where reports go."""
    schedule: str
    """When it runs."""
    instance_type: str
    """Machine."""
    instance_count: int
    """How many."""
    volume_gb: int
    """Disk of each."""
    minutes: int
    """When a run is given up."""
    least_records: int
    """Fewer records are not judged."""
    drift: float
    """Distance from the baseline that raises the alarm."""
    log_days: int
    """How long logs are kept."""
    health: Health
    """The release's health, for the dashboard."""
    after: pulumi.Resource
    """What must have succeeded before the watching moves to this release: the record that it serves."""
