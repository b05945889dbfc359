"""CloudWatch: metrics, and alarms that are evaluated on the scaled clock."""

from rehearsal.cloud.services.cloudwatch import alarms, evaluation, operations, rules

__all__ = ["alarms", "evaluation", "operations", "rules"]
