"""The gateway refuses what policies do not allow, in AWS's words, and records who was allowed and refused what."""

import json
from dataclasses import dataclass
from typing import Any

import pytest
from botocore.exceptions import ClientError

from rehearsal.cloud.core.cloud import Cloud
from rehearsal.cloud.wire.types import Credentials
from tests.rehearsal.cloud.iam_cases import allow, deny, policy

REGION = "eu-west-1"
KEY = "runs/1/model"


@dataclass
class World:
    """An account with a role `worker` that its administrator may assume."""

    cloud: Cloud
    account: str

    def __post_init__(self) -> None:
        self.iam = self.admin("iam")
        trust = policy({"Effect": "Allow", "Principal": {"AWS": self.account}, "Action": "sts:AssumeRole"})
        self.role = self.iam.create_role(RoleName="worker", AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
        self.session = f"arn:aws:sts::{self.account}:assumed-role/worker/job"
        self.bucket = f"data-{self.account}"

    def admin(self, service: str) -> Any:
        return self.cloud.client(service, self.account, REGION)

    def let(self, *statements: dict[str, Any], name: str = "own") -> None:
        text = json.dumps(policy(*statements))
        self.iam.put_role_policy(RoleName="worker", PolicyName=name, PolicyDocument=text)

    def worker(self, service: str, **session: Any) -> Any:
        sts = self.admin("sts")
        keys = sts.assume_role(RoleArn=self.role, RoleSessionName="job", **session)["Credentials"]
        credentials = Credentials(keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"])
        return self.cloud.client(service, self.account, REGION, credentials)

    def make_bucket(self, **put: Any) -> None:
        s3 = self.admin("s3")
        s3.create_bucket(Bucket=self.bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
        s3.put_object(Bucket=self.bucket, Key=KEY, Body=b"x", **put)

    @property
    def objects(self) -> str:
        return f"arn:aws:s3:::{self.bucket}/*"


@pytest.fixture
def world(cloud: Cloud, account: str) -> World:
    return World(cloud, account)


def refusal(call: Any, **arguments: Any) -> tuple[str, str]:
    """Code and message of the refusal of a call."""
    with pytest.raises(ClientError) as error:
        call(**arguments)
    return error.value.response["Error"]["Code"], error.value.response["Error"]["Message"]


# --- words -----------------------------------------------------------------------------------------------------------


def test_a_role_without_policies_may_do_nothing_in_each_protocols_own_code(world: World) -> None:
    world.make_bucket()
    start = f"User: {world.session} is not authorized to perform:"
    group = f"arn:aws:logs:{REGION}:{world.account}:log-group:g:log-stream:"
    cases = [
        (world.worker("s3").get_object, {"Bucket": world.bucket, "Key": KEY}, "AccessDenied", "s3:GetObject",
         f'"arn:aws:s3:::{world.bucket}/{KEY}"'),
        (world.worker("iam").get_role, {"RoleName": "worker"}, "AccessDenied", "iam:GetRole", world.role),
        (world.worker("logs").create_log_group, {"logGroupName": "g"}, "AccessDeniedException", "logs:CreateLogGroup",
         group),
        (world.worker("ssm").get_parameter, {"Name": "/a/b"}, "AccessDeniedException", "ssm:GetParameter",
         f"arn:aws:ssm:{REGION}:{world.account}:parameter/a/b"),
        (world.worker("lambda").get_function, {"FunctionName": "f"}, "AccessDeniedException", "lambda:GetFunction",
         f"arn:aws:lambda:{REGION}:{world.account}:function:f"),
        (world.worker("sagemaker").describe_model, {"ModelName": "m"}, "AccessDeniedException",
         "sagemaker:DescribeModel", f"arn:aws:sagemaker:{REGION}:{world.account}:model/m"),
        (world.worker("apigateway").get_rest_apis, {}, "AccessDeniedException", "apigateway:GET",
         f"arn:aws:apigateway:{REGION}::/restapis"),
    ]  # fmt: skip
    for call, arguments, code, action, resource in cases:
        sentence = (
            f"{start} {action} on resource: {resource} because no identity-based policy allows the {action} action"
        )
        assert refusal(call, **arguments) == (code, sentence)


def test_an_explicit_deny_is_called_so(world: World) -> None:
    world.make_bucket()
    world.let(allow("s3:*", "*"), deny("s3:GetObject", world.objects))
    assert refusal(world.worker("s3").get_object, Bucket=world.bucket, Key=KEY)[1].endswith(
        "with an explicit deny in an identity-based policy"
    )


def test_a_boundary_that_is_silent_is_named(world: World) -> None:
    world.make_bucket()
    world.let(allow("s3:GetObject", world.objects))
    limit = world.iam.create_policy(PolicyName="limit", PolicyDocument=json.dumps(policy(allow("sqs:*", "*"))))
    world.iam.put_role_permissions_boundary(RoleName="worker", PermissionsBoundary=limit["Policy"]["Arn"])
    assert refusal(world.worker("s3").get_object, Bucket=world.bucket, Key=KEY)[1].endswith(
        "because no permissions boundary allows the s3:GetObject action"
    )


def test_a_session_policy_limits(world: World) -> None:
    world.make_bucket()
    world.let(allow("s3:*", [f"arn:aws:s3:::{world.bucket}", world.objects]))
    s3 = world.worker("s3", Policy=json.dumps(policy(allow("s3:ListBucket", "*"))))
    assert s3.list_objects_v2(Bucket=world.bucket)["KeyCount"] == 1
    assert refusal(s3.get_object, Bucket=world.bucket, Key=KEY)[1].endswith(
        "because no session policy allows the s3:GetObject action"
    )


def test_the_administrator_obeys_a_buckets_deny(world: World) -> None:
    world.make_bucket()
    locked = policy(deny("s3:GetObject", world.objects, Principal="*"))
    world.admin("s3").put_bucket_policy(Bucket=world.bucket, Policy=json.dumps(locked))
    code, text = refusal(world.admin("s3").get_object, Bucket=world.bucket, Key=KEY)
    assert (code, text.rpartition(" with ")[2]) == ("AccessDenied", "an explicit deny in a resource-based policy")


# --- S3 and keys -----------------------------------------------------------------------------------------------------


def test_versions_and_missing_objects(world: World) -> None:
    world.make_bucket()
    world.let(allow("s3:GetObject", world.objects))
    s3 = world.worker("s3")
    assert s3.get_object(Bucket=world.bucket, Key=KEY)["Body"].read() == b"x"
    assert "s3:GetObjectVersion" in refusal(s3.get_object, Bucket=world.bucket, Key=KEY, VersionId="null")[1]
    # Who may not list is not told whether an object exists.
    assert "s3:ListBucket" in refusal(s3.get_object, Bucket=world.bucket, Key="none")[1]
    world.let(allow("s3:ListBucket", f"arn:aws:s3:::{world.bucket}"), name="list")
    assert refusal(s3.get_object, Bucket=world.bucket, Key="none")[0] == "NoSuchKey"


def test_a_prefix_condition_binds(world: World) -> None:
    world.make_bucket()
    condition = {"StringLike": {"s3:prefix": "runs/*"}}
    world.let(allow("s3:ListBucket", f"arn:aws:s3:::{world.bucket}", Condition=condition))
    s3 = world.worker("s3")
    assert s3.list_objects_v2(Bucket=world.bucket, Prefix="runs/1")["KeyCount"] == 1
    assert refusal(s3.list_objects_v2, Bucket=world.bucket)[0] == "AccessDenied"


def test_composite_alarms_are_allowed_on_everything_or_not_at_all(world: World) -> None:
    """As the references of these operations say; a metric alarm can be allowed by its name."""
    alarm = {"AlarmName": "own-any", "AlarmRule": "FALSE"}
    actions = ["cloudwatch:PutCompositeAlarm", "cloudwatch:DescribeAlarms"]
    world.let(allow(actions, f"arn:aws:cloudwatch:{REGION}:{world.account}:alarm:own-*"))
    watch = world.worker("cloudwatch")
    assert refusal(watch.put_composite_alarm, **alarm)[0] == "AccessDenied"
    watch.describe_alarms(AlarmNames=["own-any"])
    assert refusal(watch.describe_alarms, AlarmNames=["own-any"], AlarmTypes=["CompositeAlarm"])[0] == "AccessDenied"
    world.let(allow(actions, "*"))
    tags = [{"Key": "project", "Value": "own"}]
    assert "cloudwatch:TagResource" in refusal(watch.put_composite_alarm, **alarm, Tags=tags)[1]
    mine = f"arn:aws:cloudwatch:{REGION}:{world.account}:alarm:own-*"
    world.let(allow(actions, "*"), allow("cloudwatch:TagResource", mine))
    watch.put_composite_alarm(**alarm, Tags=tags)
    (found,) = watch.describe_alarms(AlarmNames=["own-any"], AlarmTypes=["CompositeAlarm"])["CompositeAlarms"]
    assert found["AlarmName"] == "own-any"


def test_deleting_many_asks_for_each(world: World) -> None:
    world.make_bucket()
    world.let(allow("s3:DeleteObject", f"arn:aws:s3:::{world.bucket}/runs/*"))
    both = {"Objects": [{"Key": KEY}, {"Key": "other"}]}
    code, text = refusal(world.worker("s3").delete_objects, Bucket=world.bucket, Delete=both)
    assert (code, f"{world.bucket}/other" in text) == ("AccessDenied", True)


def test_a_copy_asks_for_source_and_target(world: World) -> None:
    world.make_bucket()
    world.let(allow("s3:PutObject", world.objects))
    copy = {"Bucket": world.bucket, "Key": "copy", "CopySource": {"Bucket": world.bucket, "Key": KEY}}
    assert "s3:GetObject" in refusal(world.worker("s3").copy_object, **copy)[1]
    world.let(allow(["s3:GetObject", "s3:PutObject"], world.objects))
    world.worker("s3").copy_object(**copy)


def test_a_copy_takes_tags_along_and_asks_for_that_too(world: World) -> None:
    world.make_bucket()
    world.let(allow(["s3:GetObject", "s3:PutObject"], world.objects))
    copy = {"Bucket": world.bucket, "Key": "copy", "CopySource": {"Bucket": world.bucket, "Key": KEY}}
    tags = {"TagSet": [{"Key": "GuardDutyMalwareScanStatus", "Value": "NO_THREATS_FOUND"}]}
    world.admin("s3").put_object_tagging(Bucket=world.bucket, Key=KEY, Tagging=tags)
    assert "s3:GetObjectTagging" in refusal(world.worker("s3").copy_object, **copy)[1]
    world.worker("s3").copy_object(**copy, TaggingDirective="REPLACE")
    world.let(allow(["s3:GetObject", "s3:PutObject", "s3:GetObjectTagging", "s3:PutObjectTagging"], world.objects))
    world.worker("s3").copy_object(**copy)


def test_an_encrypted_object_asks_for_its_key_through_s3(world: World) -> None:
    key = world.admin("kms").create_key()["KeyMetadata"]["Arn"]
    world.make_bucket(ServerSideEncryption="aws:kms", SSEKMSKeyId=key)
    read = allow("s3:GetObject", world.objects)
    world.let(read)
    s3 = world.worker("s3")
    assert refusal(s3.get_object, Bucket=world.bucket, Key=KEY) == (
        "AccessDenied",
        (
            f"User: {world.session} is not authorized to perform: kms:Decrypt on resource: {key} "
            "because no identity-based policy allows the kms:Decrypt action"
        ),
    )
    for host, allowed in ((f"sns.{REGION}.amazonaws.com", False), (f"s3.{REGION}.amazonaws.com", True)):
        world.let(read, allow("kms:Decrypt", key, Condition={"StringEquals": {"kms:ViaService": host}}))
        if allowed:
            assert s3.get_object(Bucket=world.bucket, Key=KEY)["Body"].read() == b"x"
        else:
            assert refusal(s3.get_object, Bucket=world.bucket, Key=KEY)[0] == "AccessDenied"
    # A direct call does not come through S3.
    blob = world.admin("kms").encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"]
    assert refusal(world.worker("kms").decrypt, CiphertextBlob=blob, KeyId=key)[0] == "AccessDeniedException"


def test_the_encryption_context_is_the_object(world: World) -> None:
    key = world.admin("kms").create_key()["KeyMetadata"]["Arn"]
    world.make_bucket()
    arn = f"arn:aws:s3:::{world.bucket}/mine"
    context = {"StringEquals": {"kms:EncryptionContext:aws:s3:arn": arn}}
    world.let(allow("s3:PutObject", world.objects), allow("kms:GenerateDataKey", key, Condition=context))
    put = {"Bucket": world.bucket, "Body": b"y", "ServerSideEncryption": "aws:kms", "SSEKMSKeyId": key}
    world.worker("s3").put_object(Key="mine", **put)
    assert refusal(world.worker("s3").put_object, Key="yours", **put)[0] == "AccessDenied"


def test_a_key_without_the_account_shuts_even_administrators_out(world: World) -> None:
    kms = world.admin("kms")
    own = policy(allow("kms:*", "*", Principal={"AWS": world.role}))
    key = kms.create_key(Policy=json.dumps(own), BypassPolicyLockoutSafetyCheck=True)["KeyMetadata"]["Arn"]
    assert refusal(kms.describe_key, KeyId=key)[1].endswith(
        "because no resource-based policy allows the kms:DescribeKey action"
    )
    assert world.worker("kms").describe_key(KeyId=key)["KeyMetadata"]["Arn"] == key


def test_a_grant_opens_a_key(world: World) -> None:
    kms = world.admin("kms")
    key = kms.create_key()["KeyMetadata"]["Arn"]
    assert refusal(world.worker("kms").encrypt, KeyId=key, Plaintext=b"x")[0] == "AccessDeniedException"
    kms.create_grant(KeyId=key, GranteePrincipal=world.role, Operations=["Encrypt"])
    assert world.worker("kms").encrypt(KeyId=key, Plaintext=b"x")["KeyId"] == key
    assert refusal(world.worker("kms").generate_data_key, KeyId=key, KeySpec="AES_256")[0] == "AccessDeniedException"


def test_an_encrypted_topic_asks_for_its_key(world: World) -> None:
    key = world.admin("kms").create_key()["KeyMetadata"]["Arn"]
    topic = world.admin("sns").create_topic(Name="t", Attributes={"KmsMasterKeyId": key})["TopicArn"]
    world.let(allow("sns:Publish", topic))
    sns = world.worker("sns")
    assert "kms:GenerateDataKey" in refusal(sns.publish, TopicArn=topic, Message="m")[1]
    world.let(allow("sns:Publish", topic), allow(["kms:GenerateDataKey", "kms:Decrypt"], key))
    sns.publish(TopicArn=topic, Message="m")


# --- passing roles, tags, accounts -----------------------------------------------------------------------------------


def test_passing_a_role_is_asked_for_with_its_service(world: World) -> None:
    machine = {
        "name": "m",
        "definition": '{"StartAt": "A", "States": {"A": {"Type": "Succeed"}}}',
        "roleArn": world.role,
    }
    trust = policy(
        {
            "Effect": "Allow",
            "Principal": {"AWS": world.account, "Service": "states.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
    )
    world.iam.update_assume_role_policy(RoleName="worker", PolicyDocument=json.dumps(trust))
    states = world.worker("stepfunctions")
    create = allow("states:CreateStateMachine", f"arn:aws:states:{REGION}:{world.account}:stateMachine:m")
    world.let(create)
    assert f"iam:PassRole on resource: {world.role}" in refusal(states.create_state_machine, **machine)[1]
    for service in ("lambda.amazonaws.com", "states.amazonaws.com"):
        world.let(
            create, allow("iam:PassRole", world.role, Condition={"StringEquals": {"iam:PassedToService": service}})
        )
        if service.startswith("states"):
            states.create_state_machine(**machine)
        else:
            assert "iam:PassRole" in refusal(states.create_state_machine, **machine)[1]


def test_tags_at_creation_are_asked_for(world: World) -> None:
    arn = f"arn:aws:ssm:{REGION}:{world.account}:parameter/p"
    put = {"Name": "/p", "Value": "1", "Type": "String", "Tags": [{"Key": "team", "Value": "red"}]}
    world.let(allow("ssm:PutParameter", arn))
    assert "ssm:AddTagsToResource" in refusal(world.worker("ssm").put_parameter, **put)[1]
    tagged = {"StringEquals": {"aws:RequestTag/team": "red"}, "ForAllValues:StringEquals": {"aws:TagKeys": ["team"]}}
    world.let(allow(["ssm:PutParameter", "ssm:AddTagsToResource"], arn, Condition=tagged))
    world.worker("ssm").put_parameter(**put)
    other = {**put, "Tags": [{"Key": "team", "Value": "blue"}], "Overwrite": False, "Name": "/p"}
    assert refusal(world.worker("ssm").put_parameter, **other)[0] == "AccessDeniedException"


def test_a_bucket_of_another_account_needs_both_sides(world: World, cloud: Cloud, other_account: str) -> None:
    theirs = World(cloud, other_account)
    theirs.make_bucket()
    world.let(allow("s3:GetObject", theirs.objects))
    get = {"Bucket": theirs.bucket, "Key": KEY}
    assert "no resource-based policy" in refusal(world.worker("s3").get_object, **get)[1]
    shared = policy(allow("s3:GetObject", theirs.objects, Principal={"AWS": world.account}))
    theirs.admin("s3").put_bucket_policy(Bucket=theirs.bucket, Policy=json.dumps(shared))
    assert world.worker("s3").get_object(**get)["Body"].read() == b"x"
    world.let(allow("s3:PutObject", "*"))
    assert "no identity-based policy" in refusal(world.worker("s3").get_object, **get)[1]


def test_assuming_a_role_needs_both_sides_where_the_account_is_trusted(world: World) -> None:
    trust = policy({"Effect": "Allow", "Principal": {"AWS": world.account}, "Action": "sts:AssumeRole"})
    target = world.iam.create_role(RoleName="target", AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    ask = {"RoleArn": target, "RoleSessionName": "next"}
    sentence = f"User: {world.session} is not authorized to perform: sts:AssumeRole on resource: {target}"
    assert refusal(world.worker("sts").assume_role, **ask) == ("AccessDenied", sentence)
    world.let(allow("sts:AssumeRole", target))
    assert world.worker("sts").assume_role(**ask)["AssumedRoleUser"]["Arn"].endswith("assumed-role/target/next")


def test_a_users_own_policies(world: World) -> None:
    world.make_bucket()
    world.iam.create_user(UserName="ann")
    key = world.iam.create_access_key(UserName="ann")["AccessKey"]
    credentials = Credentials(key["AccessKeyId"], key["SecretAccessKey"])
    s3 = world.cloud.client("s3", world.account, REGION, credentials)
    assert refusal(s3.get_object, Bucket=world.bucket, Key=KEY)[0] == "AccessDenied"
    own = policy(
        allow(
            "s3:GetObject", f"arn:aws:s3:::{world.bucket}/runs/*", Condition={"StringEquals": {"aws:username": "ann"}}
        )
    )
    world.iam.put_user_policy(UserName="ann", PolicyName="own", PolicyDocument=json.dumps(own))
    assert s3.get_object(Bucket=world.bucket, Key=KEY)["Body"].read() == b"x"


# --- the ledger ------------------------------------------------------------------------------------------------------


def test_the_ledger_knows_statements_and_refusals(world: World) -> None:
    world.make_bucket()
    world.let(allow("s3:GetObject", world.objects, Sid="Read"))
    s3 = world.worker("s3")
    s3.get_object(Bucket=world.bucket, Key=KEY)
    refusal(s3.delete_object, Bucket=world.bucket, Key=KEY)
    entry = world.cloud.ledger.snapshot()[world.role]
    assert entry["calls"] == {"s3:GetObject": 1}
    assert entry["grants"] == {"own/Read s3:GetObject": 1}
    assert entry["denied"] == {"s3:DeleteObject": 1}
    assert "s3:DeleteObject on resource" in entry["refusals"][0]


def test_who_i_am_needs_no_permission(world: World) -> None:
    assert world.worker("sts").get_caller_identity()["Arn"] == world.session


def test_a_key_that_is_switched_off_opens_nothing(world: World) -> None:
    kms = world.admin("kms")
    key = kms.create_key()["KeyMetadata"]["Arn"]
    world.make_bucket(ServerSideEncryption="aws:kms", SSEKMSKeyId=key)
    s3 = world.admin("s3")
    kms.disable_key(KeyId=key.rpartition("/")[2])
    assert refusal(s3.get_object, Bucket=world.bucket, Key=KEY) == ("KMS.DisabledException", f"{key} is disabled.")
    assert refusal(
        s3.put_object, Bucket=world.bucket, Key="b", Body=b"x", ServerSideEncryption="aws:kms", SSEKMSKeyId=key
    ) == ("KMS.DisabledException", f"{key} is disabled.")
    kms.enable_key(KeyId=key.rpartition("/")[2])
    assert s3.get_object(Bucket=world.bucket, Key=KEY)["Body"].read() == b"x"


def test_what_is_encoded_in_a_policy_stays_encoded_when_it_is_read(world: World) -> None:
    document = policy(allow("s3:GetObject", "arn:aws:s3:::b/arn%3Aaws+c"))
    text = json.dumps(document)
    made = world.iam.create_policy(PolicyName="encoded", PolicyDocument=text)["Policy"]["Arn"]
    world.iam.create_policy_version(PolicyArn=made, PolicyDocument=text.replace("+", "-"), SetAsDefault=False)
    world.let(*document["Statement"], name="encoded")
    for version, expected in (("v1", text), ("v2", text.replace("+", "-"))):
        read = world.iam.get_policy_version(PolicyArn=made, VersionId=version)["PolicyVersion"]["Document"]
        assert read == json.loads(expected)
    assert world.iam.get_role_policy(RoleName="worker", PolicyName="encoded")["PolicyDocument"] == document
