"""Tests of what runs inside AWS: logic with fakes, shapes with botocore's own models, storage with moto."""
