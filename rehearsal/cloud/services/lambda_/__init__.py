"""AWS Lambda: functions whose code really runs, in processes of their own."""

from rehearsal.cloud.services.lambda_ import (
    aliases,
    asynchronous,
    concurrency,
    functions,
    invoke,
    permissions,
    rules,
    tags,
    telemetry,
)

__all__ = ["aliases", "asynchronous", "concurrency", "functions", "invoke", "permissions", "rules", "tags", "telemetry"]
