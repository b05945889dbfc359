"""`aws:ResourceTag/…` has the value that the resource carries, so a policy may bind by it."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from rehearsal.cloud.core.cloud import Cloud
from tests.rehearsal.cloud.iam_cases import allow
from tests.rehearsal.cloud.sagemaker_world import World as Endpoints
from tests.rehearsal.cloud.test_iam_enforcement import REGION, World, refusal

TEAM = {"StringEquals": {"aws:ResourceTag/team": "models"}}


@pytest.fixture
def world(cloud: Cloud, account: str) -> World:
    return World(cloud, account)


def _queue(world: World, name: str, tags: dict[str, str]) -> str:
    return str(world.admin("sqs").create_queue(QueueName=name, tags=tags)["QueueUrl"])


def test_a_queue_by_its_tag(world: World) -> None:
    world.let(allow("sqs:SendMessage", "*", Condition=TEAM))
    ours, theirs = _queue(world, "ours", {"Team": "models"}), _queue(world, "theirs", {"Team": "sales"})
    bare = _queue(world, "bare", {})
    worker = world.worker("sqs")
    worker.send_message(QueueUrl=ours, MessageBody="x")
    for url in (theirs, bare):
        code, message = refusal(worker.send_message, QueueUrl=url, MessageBody="x")
        assert "AccessDenied" in code
        assert "sqs:SendMessage" in message


def test_a_tag_that_is_changed_counts_at_once(world: World) -> None:
    world.let(allow("sqs:SendMessage", "*", Condition=TEAM))
    url = _queue(world, "moving", {"team": "sales"})
    refusal(world.worker("sqs").send_message, QueueUrl=url, MessageBody="x")
    world.admin("sqs").tag_queue(QueueUrl=url, Tags={"team": "models"})
    world.worker("sqs").send_message(QueueUrl=url, MessageBody="x")


@pytest.mark.parametrize("key", ["aws:ResourceTag/team", "AWS:resourcetag/TEAM", "kms:ResourceTag/team"])
def test_a_key_by_its_tag_in_every_spelling(world: World, key: str) -> None:
    world.let(allow("kms:DescribeKey", "*", Condition={"StringEquals": {key: "models"}}))
    kms = world.admin("kms")
    ours = kms.create_key(Tags=[{"TagKey": "team", "TagValue": "models"}])["KeyMetadata"]["KeyId"]
    theirs = kms.create_key()["KeyMetadata"]["KeyId"]
    worker = world.worker("kms")
    worker.describe_key(KeyId=ours)
    assert refusal(worker.describe_key, KeyId=theirs)[0] == "AccessDeniedException"


def test_another_service_s_key_says_nothing(world: World) -> None:
    world.let(allow("sqs:SendMessage", "*", Condition={"StringEquals": {"kms:ResourceTag/team": "models"}}))
    url = _queue(world, "other", {"team": "models"})
    refusal(world.worker("sqs").send_message, QueueUrl=url, MessageBody="x")


def test_a_role_by_its_tag(world: World) -> None:
    world.let(allow("iam:GetRole", "*", Condition={"StringEquals": {"iam:ResourceTag/team": "models"}}))
    worker = world.worker("iam")
    refusal(worker.get_role, RoleName="worker")
    world.iam.tag_role(RoleName="worker", Tags=[{"Key": "team", "Value": "models"}])
    assert worker.get_role(RoleName="worker")["Role"]["RoleName"] == "worker"


def test_a_log_group_by_its_tag(world: World) -> None:
    world.let(allow(["logs:CreateLogStream", "logs:PutLogEvents"], "*", Condition=TEAM))
    logs: Any = world.admin("logs")
    logs.create_log_group(logGroupName="/ours", tags={"team": "models"})
    logs.create_log_group(logGroupName="/theirs")
    worker = world.worker("logs")
    worker.create_log_stream(logGroupName="/ours", logStreamName="a")
    worker.put_log_events(
        logGroupName="/ours", logStreamName="a", logEvents=[{"timestamp": 1_790_000_000_000, "message": "x"}]
    )
    refusal(worker.create_log_stream, logGroupName="/theirs", logStreamName="a")


def test_buckets_have_no_such_key(world: World) -> None:
    world.make_bucket()
    world.admin("s3").put_bucket_tagging(Bucket=world.bucket, Tagging={"TagSet": [{"Key": "team", "Value": "models"}]})
    world.let(allow("s3:GetObject", world.objects, Condition=TEAM))
    assert refusal(world.worker("s3").get_object, Bucket=world.bucket, Key="runs/1/model")[0] == "AccessDenied"


# --- API Gateway -----------------------------------------------------------------------------------------------------

NEW = {"StringEquals": {"aws:RequestTag/team": "models"}}
ROOT = f"arn:aws:apigateway:{REGION}::"
TAGS = f"{ROOT}/tags/arn%3Aaws%3Aapigateway%3A{REGION}%3A%3A%2F"


HANDLER = (
    f"arn:aws:apigateway:{REGION}:lambda:path/2015-03-31/functions/arn:aws:lambda:{REGION}:1:function:f/invocations"
)
INTEGRATION = {"type": "aws_proxy", "httpMethod": "POST", "uri": HANDLER}
METHOD = {"responses": {}, "x-amazon-apigateway-integration": INTEGRATION}
ANSWERS = json.dumps({"openapi": "3.0.1", "info": {"title": "a"}, "paths": {"/": {"get": METHOD}}})


def _api(world: World, name: str, tags: dict[str, str]) -> str:
    """An API with one method."""
    admin = world.admin("apigateway")
    made = str(admin.create_rest_api(name=name, tags=tags)["id"])
    admin.put_rest_api(restApiId=made, mode="overwrite", body=ANSWERS)
    return made


def test_all_that_belongs_to_an_api_is_judged_by_the_apis_tags(world: World) -> None:
    world.let(allow("apigateway:*", f"{ROOT}/restapis/*", Condition=TEAM))
    gateway = world.worker("apigateway")
    ours = _api(world, "ours", {"team": "models"})
    deployment = gateway.create_deployment(restApiId=ours)["id"]
    gateway.create_stage(restApiId=ours, stageName="live", deploymentId=deployment)
    assert gateway.get_stage(restApiId=ours, stageName="live")["deploymentId"] == deployment
    assert gateway.get_resources(restApiId=ours)["items"]
    for theirs in (_api(world, "theirs", {"team": "sales"}), _api(world, "bare", {}), "gone"):
        for call in (gateway.get_rest_api, gateway.delete_rest_api, gateway.get_resources, gateway.create_deployment):
            assert refusal(call, restApiId=theirs)[0] == "AccessDeniedException"


def test_a_stages_own_tag_comes_first(world: World) -> None:
    world.let(allow("apigateway:GET", f"{ROOT}/restapis/*", Condition=TEAM))
    admin, api = world.admin("apigateway"), _api(world, "ours", {"team": "models"})
    deployment = admin.create_deployment(restApiId=api)["id"]
    admin.create_stage(restApiId=api, stageName="live", deploymentId=deployment, tags={"team": "sales"})
    refusal(world.worker("apigateway").get_stage, restApiId=api, stageName="live")


def test_keys_and_plans_are_judged_by_their_own_tags(world: World) -> None:
    world.let(allow("apigateway:*", [f"{ROOT}/apikeys/*", f"{ROOT}/usageplans/*"], Condition=TEAM))
    admin, gateway = world.admin("apigateway"), world.worker("apigateway")
    for tags, may in (({"team": "models"}, True), ({}, False)):
        key = admin.create_api_key(name="k", tags=tags)["id"]
        plan = admin.create_usage_plan(name="p", tags=tags)["id"]
        asked = [
            (gateway.get_api_key, {"apiKey": key, "includeValue": True}),
            (gateway.create_usage_plan_key, {"usagePlanId": plan, "keyId": key, "keyType": "API_KEY"}),
        ]
        for call, arguments in asked:
            if may:
                call(**arguments)
            else:
                assert refusal(call, **arguments)[0] == "AccessDeniedException"


def test_to_make_something_with_tags_takes_the_tags_of_what_has_no_id_yet(world: World) -> None:
    world.let(allow("apigateway:POST", [f"{ROOT}/restapis", f"{ROOT}/apikeys"], Condition=NEW))
    gateway = world.worker("apigateway")
    assert f"{TAGS}restapis%2F* " in refusal(gateway.create_rest_api, name="a", tags={"team": "models"})[1]
    assert f"{TAGS}apikeys%2F* " in refusal(gateway.create_api_key, name="a", tags={"team": "models"})[1]
    world.let(allow("apigateway:PUT", f"{TAGS}restapis%2F?"), name="tags")
    made = gateway.create_rest_api(name="a", tags={"team": "models"})["id"]
    for tags in ({"team": "sales"}, {}):
        assert "apigateway:POST" in refusal(gateway.create_rest_api, name="a", tags=tags)[1]
    # One character is the star alone, and no id.
    arn = f"{ROOT}/restapis/{made}"
    assert "apigateway:PUT" in refusal(gateway.tag_resource, resourceArn=arn, tags={"team": "models"})[1]


def test_to_tag_what_is_there_takes_a_patch_of_it(world: World) -> None:
    world.let(
        allow(["apigateway:PUT", "apigateway:DELETE"], f"{TAGS}*"),
        allow("apigateway:PATCH", f"{ROOT}/restapis/*", Condition=TEAM),
    )
    gateway, admin = world.worker("apigateway"), world.admin("apigateway")
    ours, theirs = _api(world, "ours", {"team": "models"}), _api(world, "theirs", {"team": "sales"})
    gateway.tag_resource(resourceArn=f"{ROOT}/restapis/{ours}", tags={"cost": "1"})
    code, message = refusal(gateway.tag_resource, resourceArn=f"{ROOT}/restapis/{theirs}", tags={"team": "models"})
    assert (code, "apigateway:PATCH" in message) == ("AccessDeniedException", True)
    gateway.untag_resource(resourceArn=f"{ROOT}/restapis/{ours}", tagKeys=["cost", "none"])
    assert admin.get_tags(resourceArn=f"{ROOT}/restapis/{ours}")["tags"] == {"team": "models"}
    admin.put_rest_api(restApiId=ours, mode="overwrite", body=ANSWERS)
    assert admin.get_rest_api(restApiId=ours)["tags"] == {"team": "models"}
    with pytest.raises(ClientError, match="Invalid Resource ARN"):
        admin.get_tags(resourceArn=f"{ROOT}/restapis/gone")


def test_tags_are_bound_by_their_keys(world: World) -> None:
    others = {"ForAllValues:StringNotEquals": {"aws:TagKeys": ["team"]}, "Null": {"aws:TagKeys": "false"}}
    world.let(
        allow(["apigateway:PUT", "apigateway:DELETE"], f"{TAGS}*", Condition=others),
        allow("apigateway:PATCH", f"{ROOT}/restapis/*"),
    )
    gateway, arn = world.worker("apigateway"), f"{ROOT}/restapis/{_api(world, 'ours', {'team': 'models'})}"
    gateway.tag_resource(resourceArn=arn, tags={"cost": "1"})
    gateway.untag_resource(resourceArn=arn, tagKeys=["cost"])
    refusal(gateway.tag_resource, resourceArn=arn, tags={"cost": "1", "team": "sales"})
    refusal(gateway.untag_resource, resourceArn=arn, tagKeys=["cost", "team"])


# --- Application Auto Scaling ----------------------------------------------------------------------------------------

DIMENSION = "sagemaker:variant:DesiredInstanceCount"


@pytest.fixture
def scaled(cloud: Cloud, account: str, region: str, model_archive: bytes) -> World:
    """An account with the endpoints `ours` and `theirs`."""
    made = Endpoints(cloud, account, region)
    for name in ("ours", "theirs"):
        made.endpoint(name, made.put("model.tar.gz", model_archive))
    return World(cloud, account)


def _where(endpoint: str) -> dict[str, Any]:
    variant = f"endpoint/{endpoint}/variant/main"
    return {"ServiceNamespace": "sagemaker", "ResourceId": variant, "ScalableDimension": DIMENSION}


def _register(client: Any, endpoint: str, **more: Any) -> str:
    made = client.register_scalable_target(**_where(endpoint), MinCapacity=1, MaxCapacity=2, **more)
    return str(made["ScalableTargetARN"])


def test_a_target_by_its_tags(scaled: World) -> None:
    targets = f"arn:aws:application-autoscaling:{REGION}:{scaled.account}:scalable-target/"
    scaled.let(
        allow(["application-autoscaling:RegisterScalableTarget", "application-autoscaling:TagResource"],
              f"{targets}?", Condition=NEW),
        allow("application-autoscaling:*", f"{targets}*", Condition=TEAM),
    )  # fmt: skip
    worker, admin = scaled.worker("application-autoscaling"), scaled.admin("application-autoscaling")
    for tags in ({"team": "sales"}, {}):
        code, message = refusal(_register, client=worker, endpoint="ours", **({"Tags": tags} if tags else {}))
        assert (code, f"{targets}* " in message) == ("AccessDeniedException", True)
    ours = _register(worker, "ours", Tags={"team": "models"})
    assert _register(worker, "ours", SuspendedState={"DynamicScalingInSuspended": True}) == ours
    theirs = _register(admin, "theirs", Tags={"team": "sales"})
    for call, arguments in (
        (worker.register_scalable_target, {**_where("theirs"), "Tags": {"team": "models"}}),
        (worker.deregister_scalable_target, _where("theirs")),
        (worker.tag_resource, {"ResourceARN": theirs, "Tags": {"team": "models"}}),
        (worker.untag_resource, {"ResourceARN": theirs, "TagKeys": ["team"]}),
    ):
        assert theirs in refusal(call, **arguments)[1]
    worker.tag_resource(ResourceARN=ours, Tags={"cost": "1"})
    worker.deregister_scalable_target(**_where("ours"))
    assert f"{targets}* " in refusal(worker.deregister_scalable_target, **_where("ours"))[1]


def test_a_target_that_is_there_is_not_tagged_by_registering_it_again(scaled: World) -> None:
    admin = scaled.admin("application-autoscaling")
    _register(admin, "ours", Tags={"team": "models"})
    with pytest.raises(ClientError, match="The scalable target that you tried to tag already exists"):
        _register(admin, "ours", Tags={"team": "models"})
