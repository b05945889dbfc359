"""The Spark context: only its existence."""

from typing import Any


class SparkContext:
    """There is one engine in this process, and no cluster."""

    @classmethod
    def getOrCreate(cls, conf: Any = None) -> "SparkContext":
        return cls()

    def setLogLevel(self, level: str) -> None:
        """DuckDB logs nothing."""

    def __getattr__(self, name: str) -> Any:
        raise NotImplementedError(f"not implemented by the rehearsal: SparkContext.{name}")
