"""An optional notebook instance: notebooks/mlops.ipynb in the tooling account."""

from typing import TypedDict

import pulumi
from pulumi_aws.sagemaker.notebook_instance import NotebookInstance

from components.role import Role, role_args
from contracts.names import Names
from definitions.roles.delivery import roles
from definitions.roles.delivery_account import Delivery


class NotebookArgs(TypedDict):
    """Arguments of the notebook."""

    names: Names
    """The project's names."""
    delivery: pulumi.Input[Delivery]
    """The delivery stack as roles see it."""
    key_arn: pulumi.Input[str]
    """Key of its volume."""
    instance_type: str
    """Machine."""
    repository: str
    """What it clones when it starts; empty where there is nothing to clone."""


class Notebook(pulumi.ComponentResource):
    """A notebook instance with the project in it. Its role can read and upload data, and approve nothing."""

    def __init__(self, name: str, args: NotebookArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("glidepath:notebook:Notebook", name, None, opts)
        own = pulumi.ResourceOptions(parent=self)
        names = args["names"]
        role = Role(name, role_args(roles(names)["notebook"], args["delivery"]), own)
        NotebookInstance(
            name,
            name=names.name,
            role_arn=role.arn,
            instance_type=args["instance_type"],
            kms_key_id=args["key_arn"],
            root_access="Disabled",
            default_code_repository=args["repository"] or None,
            opts=own,
        )
        self.register_outputs({})
