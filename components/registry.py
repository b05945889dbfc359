"""The model registry: a package group that can be destroyed although the workflow has registered models in it.

States made before `providers/` existed name the provider by this module: `PackagesProvider` must stay importable here.
"""

from typing import TypedDict

import pulumi
from pulumi import dynamic
from pulumi_aws.sagemaker.model_package_group import ModelPackageGroup

from providers.model_packages import PackagesProvider


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
