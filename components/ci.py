"""The repository's CI in the tooling account: its identity provider, and a role for each thing it comes for."""

from typing import NotRequired, TypedDict

import pulumi
from pulumi_aws.iam.open_id_connect_provider import OpenIdConnectProvider

from components.role import Role, role_args
from contracts.names import Names
from definitions.roles import ci as ci_roles
from definitions.roles.ci import AUDIENCE, Repository
from definitions.roles.delivery_account import Delivery


class ContinuousIntegrationArgs(TypedDict):
    """Arguments of the CI's access."""

    names: Names
    """The project's names."""
    delivery: pulumi.Input[Delivery]
    """The delivery stack as roles see it."""
    repository: Repository
    """Whose CI it is."""
    provider_arn: NotRequired[str]
    """Identity provider that the account has already: it can hold one of a kind. Made where this is not given."""


class ContinuousIntegration(pulumi.ComponentResource):
    """Roles that are taken with an identity token; no key is made."""

    roles: dict[str, pulumi.Output[str]]
    """Purpose → ARN."""

    def __init__(self, name: str, args: ContinuousIntegrationArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("glidepath:ci:ContinuousIntegration", name, None, opts)
        own = pulumi.ResourceOptions(parent=self)
        names, repository = args["names"], args["repository"]
        given = args.get("provider_arn")
        provider = given or ci_roles.provider_arn(names, repository)
        after: list[pulumi.Resource] = []
        if not given:
            url = f"https://{repository.host}"
            after = [OpenIdConnectProvider(name, url=url, client_id_lists=[AUDIENCE], opts=own)]
        self.roles = {
            purpose: Role(
                f"{name}-{purpose}",
                role_args(record, args["delivery"]),
                pulumi.ResourceOptions(parent=self, depends_on=after),
            ).arn
            for purpose, record in ci_roles.roles(names, provider, repository).items()
        }
        self.register_outputs({})
