"""A stand-in for PySpark: the few calls that the rehearsal's Glue jobs use, over DuckDB. All else is refused."""

from pyspark.context import SparkContext

__all__ = ["SparkContext"]
