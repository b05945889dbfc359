"""Step Functions: moto interprets the states; integrations, credentials, time and events are ours."""

from rehearsal.cloud.services.stepfunctions import engine, executions, machines

__all__ = ["engine", "executions", "machines"]
