"""What lives in an account: asked of moto service by service, and of every module that registered a lister."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from moto.core.base_backend import BackendDict
from werkzeug.wrappers import Request, Response

from rehearsal.cloud.core import registry
from rehearsal.cloud.core.cloud import Cloud
from rehearsal.cloud.core.registry import route
from rehearsal.cloud.wire.protocol import json_response
from rehearsal.cloud.wire.types import AwsError


@dataclass(frozen=True)
class Listing:
    """One list operation of moto: where the items lie in its answer, and what to call them."""

    service: str
    operation: str
    items: str
    name: str | None
    """The member that names an item; None where the items are strings."""
    params: dict[str, Any] = field(default_factory=dict)


LISTINGS = (
    Listing("s3", "ListBuckets", "Buckets", "Name"),
    Listing("iam", "ListRoles", "Roles", "Arn"),
    Listing("iam", "ListPolicies", "Policies", "Arn", {"Scope": "Local"}),
    Listing("iam", "ListUsers", "Users", "Arn"),
    Listing("iam", "ListOpenIDConnectProviders", "OpenIDConnectProviderList", "Arn"),
    Listing("iam", "ListGroups", "Groups", "Arn"),
    Listing("iam", "ListInstanceProfiles", "InstanceProfiles", "Arn"),
    Listing("kms", "ListAliases", "Aliases", "AliasName"),
    Listing("logs", "DescribeLogGroups", "logGroups", "arn"),
    Listing("sns", "ListTopics", "Topics", "TopicArn"),
    Listing("sns", "ListSubscriptions", "Subscriptions", "SubscriptionArn"),
    Listing("sqs", "ListQueues", "QueueUrls", None),
    Listing("ssm", "DescribeParameters", "Parameters", "Name"),
    Listing("secretsmanager", "ListSecrets", "SecretList", "ARN"),
    Listing("lambda", "ListFunctions", "Functions", "FunctionArn"),
    Listing("apigateway", "GetRestApis", "items", "id"),
    Listing("apigateway", "GetUsagePlans", "items", "id"),
    Listing("apigateway", "GetApiKeys", "items", "id"),
    Listing("stepfunctions", "ListStateMachines", "stateMachines", "stateMachineArn"),
    Listing("glue", "ListJobs", "JobNames", None),
    Listing("codepipeline", "ListPipelines", "pipelines", "name"),
    Listing("codebuild", "ListProjects", "projects", None),
    Listing("codedeploy", "ListApplications", "applications", None),
    Listing("codecommit", "ListRepositories", "repositories", "repositoryName"),
    Listing("cloudwatch", "ListDashboards", "DashboardEntries", "DashboardName"),
    Listing("sagemaker", "ListModels", "Models", "ModelArn"),
    Listing("sagemaker", "ListEndpointConfigs", "EndpointConfigs", "EndpointConfigArn"),
    Listing("sagemaker", "ListEndpoints", "Endpoints", "EndpointArn"),
    Listing("sagemaker", "ListModelPackageGroups", "ModelPackageGroupSummaryList", "ModelPackageGroupArn"),
    Listing("sagemaker", "ListNotebookInstances", "NotebookInstances", "NotebookInstanceArn"),
)
_BACKENDS = {"awslambda": "lambda", "states": "stepfunctions"}
_AWS_OWNED = ("alias/aws/", ":role/aws-service-role/", ":policy/aws-service-role/")


def live(cloud: Cloud, account: str) -> dict[str, list[str]]:
    """`{service: [ARN or name, …]}` of everything that a person made and nobody deleted."""
    found: dict[str, set[str]] = {}
    for service, region in _used(account):
        for listing in LISTINGS:
            if listing.service == service:
                found.setdefault(service, set()).update(_list(cloud, listing, account, region))
        if service == "kms":
            found["kms"].update(_keys(cloud, account, region))
        if service == "applicationautoscaling":
            targets = cloud.backend("application-autoscaling", account, region).targets
            names = {f"{kind}/{name}" for kind, resources in targets.items() for name in resources}
            found.setdefault("application-autoscaling", set()).update(names)
    for service, listers in registry.inventories.items():
        for lister in listers:
            found.setdefault(service, set()).update(lister(cloud, account))
    return {service: sorted(names) for service, names in sorted(found.items()) if names}


def _used(account: str) -> Iterator[tuple[str, str]]:
    """The services and regions that moto has state of, so that a listing does not create any."""
    instances: list[Any] = BackendDict.__dict__["_instances"]
    for backends in list(instances):
        if account not in backends:
            continue
        name = backends.service_name
        for region in list(backends[account].keys()):
            yield _BACKENDS.get(name, name), region


def _list(cloud: Cloud, listing: Listing, account: str, region: str) -> list[str]:
    region = "us-east-1" if region == "aws" else region
    names: list[str] = []
    params = dict(listing.params)
    while True:
        try:
            answer = cloud.store_call(listing.service, listing.operation, account, region, params)
        except AwsError as error:
            if error.status == 501:
                return names
            raise
        items = answer.get(listing.items) or []
        names += [str(item if listing.name is None else item[listing.name]) for item in items]
        token = answer.get("NextToken") or answer.get("nextToken") or answer.get("Marker")
        if not token:
            return [name for name in names if not any(mark in name for mark in _AWS_OWNED)]
        params["Marker" if answer.get("Marker") else "NextToken" if answer.get("NextToken") else "nextToken"] = token


def _keys(cloud: Cloud, account: str, region: str) -> list[str]:
    found = []
    for key in cloud.store_call("kms", "ListKeys", account, region).get("Keys", []):
        details = cloud.store_call("kms", "DescribeKey", account, region, {"KeyId": key["KeyId"]})["KeyMetadata"]
        # A key is deleted by scheduling it; nobody can do more.
        if details["KeyManager"] == "CUSTOMER" and details["KeyState"] != "PendingDeletion":
            found.append(details["Arn"])
    return found


@route("/_rehearsal/inventory", methods=["GET"])
def show(cloud: Cloud, request: Request) -> Response:
    """`?account=` names one account; without it all accounts seen."""
    account = request.args.get("account")
    accounts = [account] if account else cloud.accounts.seen()
    return json_response({name: live(cloud, name) for name in accounts})
