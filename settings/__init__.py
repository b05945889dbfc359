"""The project's config, every key described once, in model.py, sections.py, shifting.py and watching.py.

From the description come the check (load.py), docs/configuration.md, and the JSON schema from which editors complete
stack files (`make document` writes both).
"""

from settings.exemptions import Exemption, Policies
from settings.limits import deployment_minutes
from settings.load import load, parse
from settings.model import RETENTION_DAYS, Settings
from settings.sections import (
    HOSTS,
    NAMESPACE,
    TEST_COMMAND,
    Api,
    Approval,
    Autoscaling,
    Build,
    Capture,
    Ci,
    Compute,
    Features,
    RollbackRequest,
    Source,
    State,
    TrainingCompute,
    Tuning,
    Variant,
)
from settings.shifting import Deployment
from settings.watching import Alarms, Limits, Monitor, NewData, Retrain

__all__ = [
    "HOSTS",
    "NAMESPACE",
    "RETENTION_DAYS",
    "TEST_COMMAND",
    "Alarms",
    "Api",
    "Approval",
    "Autoscaling",
    "Build",
    "Capture",
    "Ci",
    "Compute",
    "Deployment",
    "Exemption",
    "Features",
    "Limits",
    "Monitor",
    "NewData",
    "Policies",
    "Retrain",
    "RollbackRequest",
    "Settings",
    "Source",
    "State",
    "TrainingCompute",
    "Tuning",
    "Variant",
    "deployment_minutes",
    "load",
    "parse",
]
