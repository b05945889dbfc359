"""EventBridge: buses, rules, and targets that are really called."""

from rehearsal.cloud.services.events import operations

__all__ = ["operations"]
