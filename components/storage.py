"""The delivery stack's keys and buckets."""

import math
from typing import TypedDict

import pulumi

from components.bucket import Bucket
from components.key import Key, SigningKey, SplitKey
from contracts.names import DELIVERY, Names
from definitions.storage import delivery_key, guard_artifacts, read_runs, signing_key, split_key


class StorageArgs(TypedDict):
    """Arguments of the storage."""

    names: Names
    """The project's names."""
    approval_minutes: int
    """How long an approval may take: what it would deploy is kept for a week longer."""


class Storage(pulumi.ComponentResource):
    """Raw data and sources come in by one bucket; the other holds the pipeline's outputs."""

    key_arn: pulumi.Output[str]
    """Key of both buckets."""
    signing_arn: pulumi.Output[str]
    """Key that release manifests are signed with."""
    split_arn: pulumi.Output[str]
    """Key that decides which rows a model is tested on."""
    data: pulumi.Output[str]
    """Data bucket."""
    artifacts: pulumi.Output[str]
    """Artifacts bucket."""

    def __init__(self, name: str, args: StorageArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("glidepath:storage:Storage", name, None, opts)
        own = pulumi.ResourceOptions(parent=self)
        names = args["names"]
        key = Key(name, {"alias": names.key_alias(DELIVERY), "policy": delivery_key(names)}, own)
        signing = SigningKey(f"{name}-signing", {"alias": names.signing_alias, "policy": signing_key(names)}, own)
        split = SplitKey(f"{name}-split", {"alias": names.split_alias, "policy": split_key(names)}, own)
        data = Bucket(f"{name}-data", {"bucket_name": names.data_bucket, "key_arn": key.arn, "events": True}, own)
        artifacts = Bucket(
            f"{name}-artifacts",
            {
                "bucket_name": names.artifacts_bucket,
                "key_arn": key.arn,
                "statements": [*guard_artifacts(names), *read_runs(names)],
                "expiry": [(f"{names.name}/", max(30, math.ceil(args["approval_minutes"] / 1440) + 7))],
            },
            own,
        )
        self.signing_arn, self.split_arn = signing.arn, split.arn
        self.key_arn, self.data, self.artifacts = key.arn, data.name, artifacts.name
        self.register_outputs({"data": self.data, "artifacts": self.artifacts})
