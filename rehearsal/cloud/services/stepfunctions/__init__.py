"""Step Functions: moto interprets the states; integrations, credentials, time and events are ours."""

from rehearsal.cloud.services.stepfunctions import executions, interpreter, machines

__all__ = ["executions", "interpreter", "machines"]
