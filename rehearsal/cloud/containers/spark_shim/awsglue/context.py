"""`awsglue.context`."""

from typing import Any

from pyspark.sql import SparkSession


class GlueContext:
    """Only the way to the Spark session."""

    def __init__(self, context: Any = None) -> None:
        self.spark_session = SparkSession.builder.getOrCreate()

    def __getattr__(self, name: str) -> Any:
        raise NotImplementedError(f"not implemented by the rehearsal: GlueContext.{name}")
