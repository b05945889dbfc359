"""Empties a model package group, so that it can be destroyed although a workflow registered models."""

from typing import Any

from pulumi import dynamic


class PackagesProvider(dynamic.ResourceProvider):
    """Deletes the registered packages of a group when the group goes.

    AWS refuses to delete a group that holds packages, and the program has made none of them. Nothing is lost by it:
    each release's artifact, evaluation and manifest stay in the retained artifacts bucket.
    """

    serialize_as_secret_always = False
    _region: str | None = None
    _profile: str | None = None

    def configure(self, req: dynamic.ConfigureRequest) -> None:
        """Use the account and region of the stack's AWS provider."""
        self._region = req.config.get("aws:region")
        self._profile = req.config.get("aws:profile")

    def create(self, props: dict[str, Any]) -> dynamic.CreateResult:
        """Nothing to make: the workflow registers packages."""
        return dynamic.CreateResult(props["group"], {"group": props["group"]})

    def diff(self, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> dynamic.DiffResult:
        """Only another group is another resource."""
        replaces = ["group"] if olds.get("group") != news.get("group") else []
        return dynamic.DiffResult(changes=bool(replaces), replaces=replaces)

    def delete(self, _id: str, props: dict[str, Any]) -> None:
        """Deletes every package of the group."""
        import boto3

        client = boto3.Session(profile_name=self._profile, region_name=self._region).client("sagemaker")
        pages = client.get_paginator("list_model_packages").paginate(ModelPackageGroupName=props["group"])
        for package in [entry for page in pages for entry in page["ModelPackageSummaryList"]]:
            client.delete_model_package(ModelPackageName=package["ModelPackageArn"])
