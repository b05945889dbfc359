"""CloudWatch: metrics, and alarms that are evaluated on the scaled clock."""

from rehearsal.cloud.services.cloudwatch import alarms, operations

__all__ = ["alarms", "operations"]
