"""EventBridge Scheduler: schedules, kept by moto, fire by AWS's calendar and call their targets under their roles."""

from rehearsal.cloud.services.scheduler import running, schedules, targets

__all__ = ["running", "schedules", "targets"]
