"""The model registry: a package group that can be destroyed although the workflow has registered models in it."""

from typing import Any, TypedDict

import pulumi
from pulumi import dynamic
from pulumi_aws.sagemaker.model_package_group import ModelPackageGroup


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


class Packages(dynamic.Resource, module="glidepath", name="Packages"):
    """The packages of a group, so that they go with it."""

    def __init__(self, name: str, group: pulumi.Input[str], opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(PackagesProvider(), name, {"group": group}, opts)


class RegistryArgs(TypedDict):
    """Arguments of the registry."""

    group: str
    """Name of the package group."""


class Registry(pulumi.ComponentResource):
    """Package group of the models that passed the gate."""

    group: pulumi.Output[str]
    """Name of the package group."""

    def __init__(self, name: str, args: RegistryArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("glidepath:train:Registry", name, None, opts)
        group = ModelPackageGroup(
            name,
            model_package_group_name=args["group"],
            model_package_group_description=f"Releases of {args['group']}",
            opts=pulumi.ResourceOptions(parent=self),
        )
        Packages(name, group.model_package_group_name, pulumi.ResourceOptions(parent=self))
        self.group = group.model_package_group_name
        self.register_outputs({"group": self.group})
