"""F8: what is compared with is what production serves, and who says what became of a model, at the stand-in.

Roles of the workflow have the program's own rights; production's role has its own trust and boundary as well.
"""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from botocore.exceptions import ClientError

from contracts.names import DELIVERY, Names
from contracts.packages import RUN_KEY
from definitions.roles import delivery as delivery_roles
from definitions.roles import environment as environment_roles
from definitions.roles.delivery_account import Delivery
from definitions.roles.subject import Environment
from functions.outcome.handler import keep
from functions.shared.serving import ServingError, recorded
from rehearsal.cloud.core.api import Credentials
from rehearsal.cloud.process.running import RunningCloud
from tests.functions.test_outcome import RUN, event, refusal

NAMES = Names("chosen", "eu-west-1", {"delivery": "320000000001", "dev": "320000000002", "prod": "320000000003"})
RECORD = "what production serves"
TOLD = {"PACKAGE_GROUP": NAMES.name, "DEPLOYMENT": "DeployProd"}


class Project:
    """The registry, production's record, and the roles that have to do with them."""

    def __init__(self, running: RunningCloud) -> None:
        self._cloud = running.cloud
        at = Delivery(NAMES, *(NAMES.arn("kms", f"key/{number}") for number in range(3)))
        for purpose in ("champion", "gate", "register", "outcome"):
            root = {"Effect": "Allow", "Principal": {"AWS": NAMES.root(DELIVERY)}, "Action": "sts:AssumeRole"}
            self._role(DELIVERY, delivery_roles.roles(NAMES)[purpose], at, {"Statement": [root]})
        here = Environment(NAMES, "prod", NAMES.arn("kms", "key/1", "prod"))
        limit = json.dumps(environment_roles.boundary(here))
        self.admin("iam", "prod").create_policy(PolicyName=NAMES.boundary("prod"), PolicyDocument=limit)
        made = environment_roles.roles(NAMES, "prod")["champion"]
        self._role("prod", made, here, made.trust, PermissionsBoundary=NAMES.boundary_arn("prod"))
        self.sagemaker = self.admin("sagemaker")
        self.sagemaker.create_model_package_group(ModelPackageGroupName=NAMES.name)

    def _role(self, stack: str, record: Any, at: Any, trust: Mapping[str, Any], **more: str) -> None:
        iam = self.admin("iam", stack)
        trusted = json.dumps({"Version": "2012-10-17", **trust})
        iam.create_role(RoleName=record.name, AssumeRolePolicyDocument=trusted, **more)
        document = json.dumps({"Version": "2012-10-17", "Statement": record.inline(at)})
        iam.put_role_policy(RoleName=record.name, PolicyName=record.name, PolicyDocument=document)

    def admin(self, service: str, stack: str = DELIVERY) -> Any:
        """An administrator's client."""
        return self._cloud.client(service, NAMES.accounts[stack], NAMES.region)

    def role(self, purpose: str, service: str) -> Any:
        """The client of a role of the delivery stack."""
        arn = NAMES.role_arn(DELIVERY, purpose)
        keys = self.admin("sts").assume_role(RoleArn=arn, RoleSessionName="tries")["Credentials"]
        return self._with(keys, service, DELIVERY)

    def _with(self, keys: Mapping[str, str], service: str, stack: str) -> Any:
        given = Credentials(keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"])
        return self._cloud.client(service, NAMES.accounts[stack], NAMES.region, given)

    def recorded(self, purpose: str, parameter: str = NAMES.pointer("prod")) -> str | None:
        """What the function would read as one of the roles."""
        role = NAMES.role_arn("prod", "champion")
        return recorded(
            self.role(purpose, "sts"), lambda keys: self._with(keys, "ssm", "prod"), role, parameter, "run-1"
        )

    def registered(self, run: str) -> str:
        """A package of a run, as it is registered."""
        specification = {"Containers": [{"Image": "i"}], "SupportedContentTypes": ["text/csv"]}
        made = self.sagemaker.create_model_package(
            ModelPackageGroupName=NAMES.name,
            InferenceSpecification={**specification, "SupportedResponseMIMETypes": ["text/csv"]},
            CustomerMetadataProperties={RUN_KEY: run},
        )
        return str(made["ModelPackageArn"])

    def standing(self, package: str) -> tuple[str, str]:
        """Status of a package, and why."""
        found = self.sagemaker.describe_model_package(ModelPackageName=package)
        return found["ModelApprovalStatus"], found.get("ApprovalDescription", "")


@pytest.fixture(scope="module")
def project(running_cloud: RunningCloud) -> Project:
    return Project(running_cloud)


def test_productions_record_is_read_for_champion_and_outcome_alone(project: Project) -> None:
    assert project.recorded("champion") is None
    ssm = project.admin("ssm", "prod")
    for name in (NAMES.pointer("prod"), f"{NAMES.pointer_path('prod')}/other"):
        ssm.put_parameter(Name=name, Value=RECORD, Type="String")
    assert project.recorded("champion") == RECORD
    assert project.recorded("outcome") == RECORD
    for purpose in ("gate", "register"):
        with pytest.raises(ServingError, match=r"an administrator .* pulumi up --stack prod; then retry this stage"):
            project.recorded(purpose)
    with pytest.raises(ServingError):
        project.recorded("champion", f"{NAMES.pointer_path('prod')}/other")


def test_the_outcome_is_written_by_one_role_and_that_role_writes_nothing_else(project: Project) -> None:
    package, other = project.registered(RUN), project.registered("another")
    sagemaker = project.role("outcome", "sagemaker")
    keep(sagemaker, refusal("not yet", "2026-11-21T10:00:00Z"), TOLD, lambda _: False)
    assert project.standing(package) == ("Rejected", "Not approved: not yet")
    keep(sagemaker, event(time="2026-11-21T11:00:00Z"), TOLD, lambda _: False)
    assert project.standing(package)[0] == "Approved"
    assert project.standing(other) == ("PendingManualApproval", "")
    rejected = {"ModelPackageArn": package, "ModelApprovalStatus": "Rejected"}
    for purpose in ("champion", "gate", "register"):
        with pytest.raises(ClientError, match="AccessDenied"):
            project.role(purpose, "sagemaker").update_model_package(**rejected)
    with pytest.raises(ClientError, match="AccessDenied"):
        sagemaker.delete_model_package(ModelPackageName=package)
