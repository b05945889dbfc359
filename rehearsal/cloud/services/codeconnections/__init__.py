"""CodeConnections, under both of its names, and the repositories that stand behind the connections."""

from rehearsal.cloud.services.codeconnections import connections, repositories

__all__ = ["connections", "repositories"]
