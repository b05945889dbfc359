"""`pyspark.sql`."""

from pyspark.sql.frame import DataFrame
from pyspark.sql.session import SparkSession

__all__ = ["DataFrame", "SparkSession"]
