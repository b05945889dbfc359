"""F2, F5, F6: what a build, a deployment or a job would exchange, with the project's own documents at the stand-in.

Who signs release manifests, and who only verifies, is part of it.
"""

import base64
import json
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from botocore.exceptions import ClientError
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256 as SHA256_HASH
from cryptography.hazmat.primitives.serialization import load_der_public_key

from contracts.names import DELIVERY, Names
from contracts.signature import ALGORITHM, KEY_SPEC, SignatureError, check, sign, statement
from definitions.roles import delivery as delivery_roles
from definitions.roles import environment as environment_roles
from definitions.roles.delivery_account import Delivery
from definitions.roles.subject import Environment
from definitions.storage import bucket_policy, delivery_key, environment_key, guard_artifacts, signing_key, split_key
from rehearsal.cloud.core.api import Credentials
from rehearsal.cloud.process.running import RunningCloud

NAMES = Names("trusted", "eu-west-1", {"delivery": "310000000001", "dev": "310000000002", "prod": "310000000003"})
BUCKET = NAMES.artifacts_bucket
SOURCE = f"{NAMES.name}/source/k7zvFW3.zip"
CODE = "code/c1/evaluate.py"
MANIFEST = "runs/r1/release/manifest.json"
RELEASE = [
    MANIFEST,
    *(f"runs/r1/release/{name}" for name in ("manifest.sig", "model.tar.gz", "golden.json", "constraints.json")),
]
HERE = f"s3://{BUCKET}/{MANIFEST}"
SHA256 = "ab" * 32
BUILDS = [role.purpose for role in delivery_roles.projects(NAMES)]


class Project:
    """The artifacts bucket, both accounts' keys and all roles, as the program makes them."""

    def __init__(self, running: RunningCloud) -> None:
        self._cloud = running.cloud
        self.key = self._key(DELIVERY, delivery_key(NAMES))
        self.prod_key = self._key("prod", environment_key(NAMES, "prod"))
        pair = {"KeySpec": KEY_SPEC, "KeyUsage": "SIGN_VERIFY"}
        self.signing = self._key(DELIVERY, signing_key(NAMES), **pair)
        self.admin("kms").create_alias(AliasName=NAMES.signing_alias, TargetKeyId=self.signing)
        mac = {"KeySpec": "HMAC_256", "KeyUsage": "GENERATE_VERIFY_MAC"}
        self.split = self._key(DELIVERY, split_key(NAMES), **mac)
        self.admin("kms").create_alias(AliasName=NAMES.split_alias, TargetKeyId=self.split)
        delivery = Delivery(NAMES, self.key, self.signing, self.split, backend="s3://trusted-state")
        self._roles(DELIVERY, delivery_roles.roles(NAMES), delivery)
        at = Environment(NAMES, "prod", self.prod_key)
        self._roles("prod", environment_roles.roles(NAMES, "prod"), at)
        s3 = self.admin("s3")
        s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": NAMES.region})
        s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
        policy = bucket_policy(f"arn:aws:s3:::{BUCKET}", self.key, *guard_artifacts(NAMES))
        s3.put_bucket_policy(Bucket=BUCKET, Policy=json.dumps(policy))
        self.role("pipeline", "s3").put_object(Bucket=BUCKET, Key=SOURCE, Body=b"reviewed")
        self.role("build", "s3").put_object(Bucket=BUCKET, Key=CODE, Body=b"reviewed", IfNoneMatch="*")
        for key in RELEASE:
            self.role("manifest", "s3").put_object(Bucket=BUCKET, Key=key, Body=b"reviewed", IfNoneMatch="*")

    def _key(self, stack: str, policy: dict[str, Any], **more: str) -> str:
        made = self.admin("kms", stack).create_key(Policy=json.dumps(policy), **more)
        return str(made["KeyMetadata"]["Arn"])

    def _roles(self, stack: str, records: dict[str, Any], at: Any) -> None:
        iam = self.admin("iam", stack)
        root = {"Effect": "Allow", "Principal": {"AWS": NAMES.root(stack)}, "Action": "sts:AssumeRole"}
        trust = json.dumps({"Version": "2012-10-17", "Statement": [root]})
        for purpose, record in records.items():
            name = NAMES.role(stack, purpose)
            iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)
            document = {"Version": "2012-10-17", "Statement": record.inline(at)}
            iam.put_role_policy(RoleName=name, PolicyName=name, PolicyDocument=json.dumps(document))
            if record.attached:
                document = {"Version": "2012-10-17", "Statement": record.attached(at)}
                made = iam.create_policy(PolicyName=name, PolicyDocument=json.dumps(document))["Policy"]["Arn"]
                iam.attach_role_policy(RoleName=name, PolicyArn=made)

    def admin(self, service: str, stack: str = DELIVERY) -> Any:
        return self._cloud.client(service, NAMES.accounts[stack], NAMES.region)

    def role(self, purpose: str, service: str, stack: str = DELIVERY) -> Any:
        arn = NAMES.role_arn(stack, purpose)
        keys = self.admin("sts", stack).assume_role(RoleArn=arn, RoleSessionName="attack")["Credentials"]
        given = Credentials(keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"])
        return self._cloud.client(service, NAMES.accounts[stack], NAMES.region, given)

    def stored(self, key: str) -> bytes:
        body: bytes = self.admin("s3").get_object(Bucket=BUCKET, Key=key)["Body"].read()
        return body


@pytest.fixture(scope="module")
def project(running_cloud: RunningCloud) -> Project:
    return Project(running_cloud)


def refused(attempt: Callable[[], Any]) -> None:
    with pytest.raises(ClientError) as caught:
        attempt()
    assert caught.value.response["Error"]["Code"] in ("AccessDenied", "AccessDeniedException")


@pytest.mark.parametrize("purpose", BUILDS)
def test_no_build_exchanges_the_source(project: Project, purpose: str) -> None:
    s3 = project.role(purpose, "s3")
    refused(lambda: s3.put_object(Bucket=BUCKET, Key=SOURCE, Body=b"exchanged"))
    refused(lambda: s3.put_object(Bucket=BUCKET, Key=f"{NAMES.name}/source/other.zip", Body=b"x", IfNoneMatch="*"))
    refused(lambda: s3.delete_object(Bucket=BUCKET, Key=SOURCE))
    refused(lambda: s3.create_multipart_upload(Bucket=BUCKET, Key=SOURCE))
    assert project.stored(SOURCE) == b"reviewed"


def test_nor_does_a_role_that_may_write_everywhere(project: Project) -> None:
    """The bucket's policy holds where a role's own would not."""
    iam, name = project.admin("iam"), NAMES.role(DELIVERY, "build")
    wide = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [wide]})
    iam.put_role_policy(RoleName=name, PolicyName="wide", PolicyDocument=document)
    try:
        s3 = project.role("build", "s3")
        refused(lambda: s3.put_object(Bucket=BUCKET, Key=SOURCE, Body=b"exchanged"))
        refused(lambda: s3.delete_object(Bucket=BUCKET, Key=CODE))
        refused(lambda: s3.put_object(Bucket=BUCKET, Key=MANIFEST, Body=b"exchanged"))
        refused(lambda: s3.put_object(Bucket=BUCKET, Key="tools/0a.zip", Body=b"made up", IfNoneMatch="*"))
    finally:
        iam.delete_role_policy(RoleName=name, PolicyName="wide")


@pytest.mark.parametrize(("purpose", "key"), [("build", CODE), *(("manifest", key) for key in RELEASE)])
def test_what_is_written_once_is_not_written_again(project: Project, purpose: str, key: str) -> None:
    s3 = project.role(purpose, "s3")
    refused(lambda: s3.put_object(Bucket=BUCKET, Key=key, Body=b"exchanged"))
    refused(lambda: s3.copy_object(Bucket=BUCKET, Key=key, CopySource={"Bucket": BUCKET, "Key": key}))
    with pytest.raises(ClientError, match="PreconditionFailed"):
        s3.put_object(Bucket=BUCKET, Key=key, Body=b"exchanged", IfNoneMatch="*")
    refused(lambda: s3.delete_object(Bucket=BUCKET, Key=key))
    assert project.stored(key) == b"reviewed"


@pytest.mark.parametrize("stack", ["prod", DELIVERY])
def test_no_role_grants_the_key_to_itself_or_to_a_stranger(project: Project, stack: str) -> None:
    """With rights on everything as well: a grant is a way around policies."""
    purpose, key = ("deployer", project.prod_key) if stack == "prod" else ("training", project.key)
    iam, name = project.admin("iam", stack), NAMES.role(stack, purpose)
    wide = {"Effect": "Allow", "Action": "kms:CreateGrant", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [wide]})
    kms = project.role(purpose, "kms", stack)

    def grant(to: str) -> Any:
        return kms.create_grant(KeyId=key, GranteePrincipal=to, Operations=["Decrypt"])

    for to in (NAMES.role_arn(stack, purpose), "arn:aws:iam::999999999999:root"):
        refused(partial(grant, to))
    iam.put_role_policy(RoleName=name, PolicyName="wide", PolicyDocument=document)
    try:
        for to in (NAMES.role_arn(stack, purpose), "arn:aws:iam::999999999999:root"):
            refused(partial(grant, to))
    finally:
        iam.delete_role_policy(RoleName=name, PolicyName="wide")
    grants = project.admin("kms", stack).list_grants(KeyId=key)["Grants"]
    assert grants == []


@pytest.mark.parametrize("purpose", sorted(set(delivery_roles.roles(NAMES)) - {"manifest"}))
def test_nobody_but_the_workflow_writes_into_a_release(project: Project, purpose: str) -> None:
    """Not where nothing is yet either, and not with rights on everything."""
    iam, name = project.admin("iam"), NAMES.role(DELIVERY, purpose)
    s3, kms = project.role(purpose, "s3"), project.role(purpose, "kms")

    def write() -> Any:
        return s3.put_object(Bucket=BUCKET, Key="runs/r2/release/golden.json", Body=b"mine", IfNoneMatch="*")

    def signs() -> Any:
        return sign(kms, NAMES.signing_key, HERE, SHA256)

    refused(write)
    refused(signs)
    wide = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [wide]})
    iam.put_role_policy(RoleName=name, PolicyName="wide", PolicyDocument=document)
    try:
        refused(write)
        refused(signs)
    finally:
        iam.delete_role_policy(RoleName=name, PolicyName="wide")


@pytest.mark.parametrize("purpose", ["deployer", "preview"])
def test_who_deploys_verifies_the_workflows_signature_and_cannot_make_one(project: Project, purpose: str) -> None:
    signature = sign(project.role("manifest", "kms"), NAMES.signing_key, HERE, SHA256)
    kms = project.role(purpose, "kms", "prod")
    check(kms, NAMES.signing_key, HERE, SHA256, signature)
    for here, sha256 in ((HERE.replace("r1", "r2"), SHA256), (HERE, "cd" * 32)):
        with pytest.raises(SignatureError, match="is not the signature of"):
            check(kms, NAMES.signing_key, here, sha256, signature)
    refused(lambda: sign(kms, NAMES.signing_key, HERE, SHA256))


@pytest.mark.parametrize("purpose", [*BUILDS, "pipeline", "training", "processing", "manifest", "gate", "train"])
def test_only_the_features_job_learns_how_rows_are_split(project: Project, purpose: str) -> None:
    """The key's policy holds where a role's own would not."""
    iam, name = project.admin("iam"), NAMES.role(DELIVERY, purpose)
    asked = {"KeyId": NAMES.split_key, "Message": b"glidepath split", "MacAlgorithm": "HMAC_SHA_256"}
    assert len(project.role("features", "kms").generate_mac(**asked)["Mac"]) == 32
    wide = {"Effect": "Allow", "Action": "kms:*", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [wide]})
    iam.put_role_policy(RoleName=name, PolicyName="wide", PolicyDocument=document)
    try:
        refused(lambda: project.role(purpose, "kms").generate_mac(**asked))
    finally:
        iam.delete_role_policy(RoleName=name, PolicyName="wide")


def test_a_signature_of_another_key_is_none(project: Project) -> None:
    """Whoever holds rights on an environment's account makes keys there, and signs with them."""
    own = project.admin("kms", "prod").create_key(KeySpec=KEY_SPEC, KeyUsage="SIGN_VERIFY")["KeyMetadata"]["Arn"]
    signature = sign(project.admin("kms", "prod"), own, HERE, SHA256)
    with pytest.raises(SignatureError, match="is not the signature of"):
        check(project.role("deployer", "kms", "prod"), NAMES.signing_key, HERE, SHA256, signature)
    refused(lambda: sign(project.admin("kms", "prod"), NAMES.signing_key, HERE, SHA256))


def test_the_workflow_signs_with_that_key_alone_and_no_grant_hands_it_on(project: Project) -> None:
    kms = project.role("manifest", "kms")
    other = project.admin("kms").create_key(KeySpec=KEY_SPEC, KeyUsage="SIGN_VERIFY")["KeyMetadata"]["Arn"]
    refused(lambda: sign(kms, other, HERE, SHA256))
    build = NAMES.role_arn(DELIVERY, "build")
    refused(lambda: kms.create_grant(KeyId=project.signing, GranteePrincipal=build, Operations=["Sign"]))


def test_the_public_key_alone_checks_a_signature(project: Project) -> None:
    """As docs/releases.md says with openssl: nobody needs AWS for it."""
    made = sign(project.role("manifest", "kms"), NAMES.signing_key, HERE, SHA256)
    public = load_der_public_key(project.admin("kms").get_public_key(KeyId=NAMES.signing_key)["PublicKey"])
    assert isinstance(public, ec.EllipticCurvePublicKey)
    assert ALGORITHM == "ECDSA_SHA_256"
    public.verify(base64.b64decode(made), statement(HERE, SHA256), ec.ECDSA(SHA256_HASH()))
