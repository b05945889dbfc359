"""Step Functions: moto interprets the states; integrations, credentials, time and events are ours."""

from rehearsal.cloud.services.stepfunctions import engine, executions, machines, rules

__all__ = ["engine", "executions", "machines", "rules"]
