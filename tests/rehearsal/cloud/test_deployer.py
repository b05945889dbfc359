"""The deployer's calls of API Gateway and Application Auto Scaling at the gateway, under its own documents.

Those that pulumi-aws and a shift make, in one account with production: its own pass, production's are refused.
"""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from contracts.names import OWNER, Names
from definitions.roles import environment as environment_roles
from definitions.roles.statements import document
from definitions.roles.subject import Environment
from rehearsal.cloud.core.cloud import Cloud
from rehearsal.cloud.wire.types import Credentials
from tests.rehearsal.cloud.sagemaker_world import World as Endpoints
from tests.rehearsal.cloud.test_iam_resource_tags import ANSWERS, DIMENSION

DEFAULT = {"project": "ml", "stack": "dev"}


class Both:
    """The deployers of two environments in one account."""

    def __init__(self, cloud: Cloud, account: str, region: str) -> None:
        self.cloud, self.account, self.region = cloud, account, region
        self.names = Names("ml", region, dict.fromkeys(("delivery", "dev", "prod"), account))
        self.keys = {env: self._role(env) for env in self.names.environments}

    def _role(self, env: str) -> Credentials:
        iam, at = self.admin("iam"), Environment(self.names, env, self.names.arn("kms", "key/k", env))
        trust = {"Effect": "Allow", "Principal": {"AWS": self.account}, "Action": "sts:AssumeRole"}
        record = environment_roles.roles(self.names, env)["deployer"]
        assert record.attached is not None
        bound, more = (
            iam.create_policy(PolicyName=name, PolicyDocument=json.dumps(text))["Policy"]["Arn"]
            for name, text in (
                (self.names.boundary(env), environment_roles.boundary(at)),
                (record.name, document(*record.attached(at))),
            )
        )
        arn = iam.create_role(
            RoleName=record.name, AssumeRolePolicyDocument=json.dumps(document(trust)), PermissionsBoundary=bound
        )["Role"]["Arn"]
        iam.attach_role_policy(RoleName=record.name, PolicyArn=more)
        own = json.dumps(document(*record.inline(at)), separators=(",", ":"))
        iam.put_role_policy(RoleName=record.name, PolicyName="own", PolicyDocument=own)
        keys = self.admin("sts").assume_role(RoleArn=arn, RoleSessionName="deploy")["Credentials"]
        return Credentials(keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"])

    def admin(self, service: str) -> Any:
        return self.cloud.client(service, self.account, self.region)

    def deployer(self, env: str, service: str) -> Any:
        return self.cloud.client(service, self.account, self.region, self.keys[env])

    def tags(self, env: str) -> dict[str, str]:
        return {**DEFAULT, **self.names.owned(env)}


@pytest.fixture
def both(cloud: Cloud, account: str, region: str) -> Both:
    return Both(cloud, account, region)


def _refused(call: Any, **arguments: Any) -> None:
    with pytest.raises(ClientError) as error:
        call(**arguments)
    assert error.value.response["Error"]["Code"] == "AccessDeniedException"


def test_an_api_from_its_making_to_its_end(both: Both) -> None:
    dev, prod = both.deployer("dev", "apigateway"), both.deployer("prod", "apigateway")
    for tags in ({}, DEFAULT, both.tags("prod")):
        _refused(dev.create_rest_api, name="ml-dev", tags=tags)
    api = dev.create_rest_api(name="ml-dev", tags=both.tags("dev"))["id"]
    of = {"restApiId": api}
    dev.put_rest_api(**of, mode="overwrite", body=ANSWERS)
    dev.update_rest_api(**of, patchOperations=[{"op": "replace", "path": "/name", "value": "ml-dev"}])
    assert dev.get_rest_api(**of)["tags"] == both.tags("dev")
    assert dev.get_resources(**of)["items"]
    first, second = (dev.create_deployment(**of)["id"] for _ in range(2))
    dev.create_stage(**of, stageName="live", deploymentId=first, tags=DEFAULT)
    moved = [{"op": "replace", "path": "/deploymentId", "value": second}]
    dev.update_stage(**of, stageName="live", patchOperations=moved)
    assert dev.get_stage(**of, stageName="live")["tags"] == DEFAULT
    claimed = {key.title(): value for key, value in both.names.owned("dev").items()}
    for tags in (both.names.owned("dev"), claimed):
        _refused(dev.create_stage, **of, stageName="other", deploymentId=first, tags=tags)
    dev.get_deployment(**of, deploymentId=first)
    dev.delete_deployment(**of, deploymentId=first)
    dev.get_account()
    arn = f"arn:aws:apigateway:{both.region}::/restapis/{api}"
    _refused(dev.tag_resource, resourceArn=arn, tags=both.tags("dev"))
    for call in (prod.get_rest_api, prod.delete_rest_api, prod.create_deployment, prod.get_stages):
        _refused(call, **of)
    _refused(prod.put_rest_api, **of, mode="overwrite", body=ANSWERS)
    _refused(prod.update_stage, **of, stageName="live", patchOperations=moved)
    _refused(prod.tag_resource, resourceArn=arn, tags=both.tags("prod"))
    _refused(prod.tag_resource, resourceArn=f"{arn}/stages/live", tags={"cost": "1"})
    _refused(prod.untag_resource, resourceArn=arn, tagKeys=[OWNER])
    dev.delete_stage(**of, stageName="live")
    dev.delete_rest_api(**of)


def test_a_key_from_its_making_to_its_end(both: Both) -> None:
    dev, prod = both.deployer("dev", "apigateway"), both.deployer("prod", "apigateway")
    plan = dev.create_usage_plan(name="p", tags=both.tags("dev"))["id"]
    key = dev.create_api_key(name="k", tags=both.tags("dev"))["id"]
    pair = {"usagePlanId": plan, "keyId": key}
    dev.create_usage_plan_key(**pair, keyType="API_KEY")
    assert dev.get_usage_plan(usagePlanId=plan)["tags"] == both.tags("dev")
    assert dev.get_usage_plan_key(**pair)["id"] == key
    assert dev.get_api_key(apiKey=key, includeValue=True)["value"]
    _refused(prod.get_api_key, apiKey=key, includeValue=True)
    _refused(prod.get_api_keys, includeValues=True)
    _refused(dev.get_api_keys, includeValues=True)
    _refused(prod.get_usage_plan_key, **pair)
    dev.update_usage_plan(usagePlanId=plan, patchOperations=[{"op": "replace", "path": "/name", "value": "q"}])
    dev.delete_usage_plan_key(**pair)
    dev.delete_api_key(apiKey=key)
    dev.delete_usage_plan(usagePlanId=plan)


def test_a_target_from_its_making_to_its_end(both: Both, model_archive: bytes) -> None:
    made = Endpoints(both.cloud, both.account, both.region)
    made.endpoint("ml-dev-1", made.put("model.tar.gz", model_archive))
    dev, prod = (both.deployer(env, "application-autoscaling") for env in ("dev", "prod"))
    kind = {"ServiceNamespace": "sagemaker", "ScalableDimension": DIMENSION}
    where = {**kind, "ResourceId": "endpoint/ml-dev-1/variant/main"}
    size = {"MinCapacity": 1, "MaxCapacity": 2}
    _refused(dev.register_scalable_target, **where, **size)
    _refused(dev.register_scalable_target, **where, **size, Tags=both.tags("prod"))
    arn = dev.register_scalable_target(**where, **size, Tags=both.tags("dev"))["ScalableTargetARN"]
    assert dev.describe_scalable_targets(**kind, ResourceIds=[where["ResourceId"]])["ScalableTargets"]
    assert dev.list_tags_for_resource(ResourceARN=arn)["Tags"] == both.tags("dev")
    metric = {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"}
    follow = {"TargetValue": 100.0, "PredefinedMetricSpecification": metric}
    policy: dict[str, Any] = {"PolicyName": "p", "PolicyType": "TargetTrackingScaling"}
    policy |= {"TargetTrackingScalingPolicyConfiguration": follow}
    dev.put_scaling_policy(**where, **policy)
    suspended = {"SuspendedState": {"DynamicScalingInSuspended": True}}
    dev.register_scalable_target(**where, **suspended)
    dev.tag_resource(ResourceARN=arn, Tags={"cost": "1"})
    dev.untag_resource(ResourceARN=arn, TagKeys=["cost"])
    _refused(prod.register_scalable_target, **where, **suspended)
    _refused(prod.register_scalable_target, **where, **size, Tags=both.tags("prod"))
    _refused(prod.put_scaling_policy, **where, **policy)
    _refused(prod.tag_resource, ResourceARN=arn, Tags=both.tags("prod"))
    _refused(prod.untag_resource, ResourceARN=arn, TagKeys=[OWNER])
    _refused(prod.deregister_scalable_target, **where)
    dev.delete_scaling_policy(**where, PolicyName="p")
    dev.deregister_scalable_target(**where)
    for gone in (dev.deregister_scalable_target, prod.deregister_scalable_target):
        with pytest.raises(ClientError, match="ObjectNotFoundException"):
            gone(**where)
