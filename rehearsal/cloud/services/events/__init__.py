"""EventBridge: buses, rules, and targets that are really called."""

from rehearsal.cloud.services.events import bus_records, operations, rules

__all__ = ["bus_records", "operations", "rules"]
