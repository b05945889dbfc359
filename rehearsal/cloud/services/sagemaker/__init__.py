"""SageMaker: training, processing, models, endpoints with capture, monitoring, registry, notebooks.

moto keeps none of it: it drops members (shadow variants, capture options), accepts missing roles and artifacts, and
lacks UpdateEndpoint and the monitoring schedules. Records here are the request's own members plus what AWS adds.
"""

from rehearsal.cloud.services.sagemaker import (
    endpoints,
    models,
    monitoring,
    notebooks,
    processing,
    registry,
    resume,
    runtime,
    tags,
    training,
    tuning,
)

__all__ = [
    "endpoints",
    "models",
    "monitoring",
    "notebooks",
    "processing",
    "registry",
    "resume",
    "runtime",
    "tags",
    "training",
    "tuning",
]
