"""The project's config, every key described once, in model.py and sections.py.

From the description come the check (load.py), docs/configuration.md, and the JSON schema from which editors complete
stack files (`make document` writes both).
"""

from settings.load import load, parse
from settings.model import RETENTION_DAYS, Settings
from settings.sections import (
    HOSTS,
    NAMESPACE,
    TEST_COMMAND,
    Alarms,
    Api,
    Approval,
    Autoscaling,
    Build,
    Capture,
    Ci,
    Compute,
    Deployment,
    Features,
    Limits,
    Monitor,
    NewData,
    Retrain,
    RollbackRequest,
    Source,
    State,
    Variant,
)

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
    "Features",
    "Limits",
    "Monitor",
    "NewData",
    "Retrain",
    "RollbackRequest",
    "Settings",
    "Source",
    "State",
    "Variant",
    "load",
    "parse",
]
