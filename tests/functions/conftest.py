"""Storage and registry for the functions' tests: moto, in this process only."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import botocore.loaders
import pytest
from botocore.config import Config
from moto import mock_aws

from contracts.s3 import parse_s3_uri
from tests.functions import samples


@pytest.fixture(scope="session")
def loader() -> Any:
    """One reader of the service models for all tests: each reads megabytes of JSON, and caches them."""
    return botocore.loaders.create_loader()


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch, loader: Any) -> Iterator[None]:
    """An empty AWS account behind boto3."""
    monkeypatch.setattr(botocore.loaders, "create_loader", lambda *_: loader)
    for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE", "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    with mock_aws():
        yield


@pytest.fixture(scope="session")
def s3_client() -> Any:
    """One S3 client for all tests: making one takes far longer than what a test asks of it."""
    # Made before `aws` clears the environment, so an endpoint that stands there must not count.
    plain = Config(ignore_configured_endpoint_urls=True)
    return boto3.Session("test", "test", region_name="eu-west-1").client("s3", config=plain)


@pytest.fixture
def s3(aws: None, s3_client: Any) -> Any:
    """S3 with the buckets `data-bucket` (versioned), `artifacts` (with the dataset's schema) and `capture`."""
    client = s3_client
    for bucket in ("data-bucket", "artifacts", "capture"):
        client.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    client.put_bucket_versioning(Bucket="data-bucket", VersioningConfiguration={"Status": "Enabled"})
    schema = parse_s3_uri(samples.DATASET_URI)
    client.put_object(Bucket=schema.bucket, Key=schema.key, Body=samples.DATASET_TEXT.encode())
    return client


@pytest.fixture
def spark() -> Any:
    """A real Spark on this machine, for tests that run where pyspark is installed."""
    from pyspark.sql import SparkSession  # only there where it is installed

    builder = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false")
    session = (
        builder.config("spark.sql.session.timeZone", "UTC").config("spark.sql.shuffle.partitions", "2").getOrCreate()
    )
    yield session
    session.stop()
