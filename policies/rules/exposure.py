"""Encryption and exposure: nothing public, nothing readable without a key, no secrets in plain text."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from .model import UNKNOWN, Context, Finding, Resource, Rule, items, known, section, text
from .references import CIS, NIST, WELL_ARCHITECTED

FAMILY = "exposure"
_SWITCHES = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")
_PUBLIC_ACLS = ("public-read", "public-read-write", "authenticated-read", "website")
_ANYWHERE = ("0.0.0.0/0", "::/0")
# NVMe disks are encrypted by the machine: SageMaker refuses a key for them.
_NVME = re.compile(r"ml\.(\w+d[a-z]*|g[4-9]\w*|p[4-9]\w*|trn\w*|inf\w*|im4gn|i3\w*)\.")


def public_bucket(resource: Resource, context: Context) -> Iterator[Finding]:
    """No public bucket."""
    props = resource.props
    if resource.kind in ("aws:s3/bucket:Bucket", "aws:s3/bucketAcl:BucketAcl") and props.get("acl") in _PUBLIC_ACLS:
        yield Finding(f"is open to the public by its ACL {props['acl']}", "acl")
    yield from _public_grants(resource)
    blocks = (
        "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
        "aws:s3/accountPublicAccessBlock:AccountPublicAccessBlock",
    )
    if resource.type in blocks:
        off = [each for each in _SWITCHES if not props.get(each)]
        if off:
            yield Finding(f"leaves open {', '.join(off)}", off[0])


def _public_grants(resource: Resource) -> Iterator[Finding]:
    """Grants to everybody, or to every customer of AWS."""
    if resource.kind == "aws:s3/bucket:Bucket":
        place, uris = "grants", [section(each, "uri") for each in items(resource.props.get("grants"))]
    elif resource.kind == "aws:s3/bucketAcl:BucketAcl":
        place, policy = "accessControlPolicy.grants", resource.props.get("accessControlPolicy")
        uris = [section(section(each, "grantee"), "uri") for each in items(section(policy, "grants"))]
    else:
        return
    public = [uri.rpartition("/")[2] for uri in uris if text(uri).endswith(("/AllUsers", "/AuthenticatedUsers"))]
    if public:
        yield Finding(f"is open to the public by a grant to {', '.join(public)}", place)


def public_network(resource: Resource, context: Context) -> Iterator[Finding]:
    """Nothing but the web's own ports is open to everybody."""
    allowed = set(context.options["ports"])
    for place, rule in _ingress(resource):
        if not known(rule) or not _open(rule):
            continue
        low, high = section(rule, "fromPort"), section(rule, "toPort")
        protocol = str(section(rule, "protocol") or section(rule, "ipProtocol") or "")
        if UNKNOWN in (low, high):
            continue
        if protocol in ("-1", "all") or not (low == high and low in allowed):
            ports = "all ports" if protocol in ("-1", "all") or low is None else f"ports {low:g} to {high:g}"
            yield Finding(f"opens {ports} to everybody", place)
    if (
        resource.kind in ("aws:rds/instance:Instance", "aws:redshift/cluster:Cluster")
        and resource.props.get("publiclyAccessible") is True
    ):
        yield Finding("is reachable from the internet", "publiclyAccessible")


def _ingress(resource: Resource) -> Iterator[tuple[str, Any]]:
    if resource.type == "aws:ec2/securityGroup:SecurityGroup":
        yield from ((f"ingress[{number}]", each) for number, each in enumerate(items(resource.props.get("ingress"))))
    if resource.type == "aws:ec2/securityGroupRule:SecurityGroupRule" and resource.props.get("type") == "ingress":
        yield "cidrBlocks", resource.props
    if resource.type == "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule":
        yield "cidrIpv4", resource.props


def _open(rule: Any) -> bool:
    names = ("cidrBlocks", "ipv6CidrBlocks", "cidrIpv4", "cidrIpv6")
    return any(each in _ANYWHERE for name in names for each in items(section(rule, name)))


def public_function(resource: Resource, context: Context) -> Iterator[Finding]:
    """Functions and APIs know who calls."""
    props = resource.props
    if resource.type == "aws:lambda/functionUrl:FunctionUrl" and props.get("authorizationType") == "NONE":
        yield Finding("answers everybody: authorizationType is NONE", "authorizationType")
    if resource.type == "aws:apigateway/method:Method":
        open_ = props.get("authorization") == "NONE" and not props.get("apiKeyRequired")
        if open_ and props.get("httpMethod") != "OPTIONS":
            yield Finding("answers everybody: authorization is NONE", "authorization")
    if (
        resource.type == "aws:apigateway/restApi:RestApi"
        and isinstance(props.get("body"), str)
        and not props.get("policy")
    ):
        yield from (Finding(f"answers everybody: {each} has no security", "body") for each in _unsecured(props["body"]))
    if resource.type == "aws:apigatewayv2/route:Route" and props.get("authorizationType", "NONE") == "NONE":
        keyed = props.get("apiKeyRequired") or text(props.get("routeKey")).startswith(("OPTIONS", "$"))
        if not keyed:
            yield Finding("answers everybody: authorizationType is NONE", "authorizationType")


_METHODS = ("get", "put", "post", "delete", "patch", "head", "x-amazon-apigateway-any-method")


def _unsecured(body: str) -> Iterator[str]:
    """Operations of an OpenAPI document (in JSON) that nobody needs to sign."""
    try:
        document = json.loads(body)
    except ValueError:
        return  # YAML, or a slip that API Gateway will name
    paths = document.get("paths") if isinstance(document, dict) else None
    if not isinstance(paths, dict) or document.get("security") or document.get("x-amazon-apigateway-policy"):
        return
    for path, operations in paths.items():
        for method, operation in operations.items() if isinstance(operations, dict) else ():
            secured = isinstance(operation, dict) and (
                operation.get("security") or operation.get("x-amazon-apigateway-auth")
            )
            if method.lower() in _METHODS and not secured:
                yield f"{method.upper()} {path}"


def _always(props: Mapping[str, Any]) -> bool:
    return True


def _queue_open(props: Mapping[str, Any]) -> bool:
    return props.get("sqsManagedSseEnabled") is False


def _variants_take_keys(props: Mapping[str, Any]) -> bool:
    types = [section(each, "instanceType") for each in items(props.get("productionVariants"))]
    return any(isinstance(each, str) and not _NVME.match(each) for each in types)


# type → (property that must be set, when, what it is)
_KEYS: dict[str, tuple[str, Callable[[Mapping[str, Any]], bool], str]] = {
    "aws:sqs/queue:Queue": ("kmsMasterKeyId", _queue_open, "messages"),
    "aws:kinesis/stream:Stream": ("kmsKeyId", _always, "records"),
    "aws:efs/fileSystem:FileSystem": ("encrypted", _always, "files"),
    "aws:ebs/volume:Volume": ("encrypted", _always, "the disk"),
    "aws:rds/instance:Instance": ("storageEncrypted", lambda props: not props.get("replicateSourceDb"), "the database"),
    "aws:rds/cluster:Cluster": ("storageEncrypted", _always, "the database"),
    "aws:redshift/cluster:Cluster": ("encrypted", _always, "the database"),
    "aws:sagemaker/notebookInstance:NotebookInstance": ("kmsKeyId", _always, "the notebook's disk"),
}


def encryption(resource: Resource, context: Context) -> Iterator[Finding]:
    """What is stored is encrypted."""
    found = _KEYS.get(resource.kind)
    if found and found[1](resource.props) and not resource.props.get(found[0]):
        yield Finding(f"does not encrypt {found[2]}", found[0])
    if (
        resource.kind == "aws:dynamodb/table:Table"
        and section(resource.props.get("serverSideEncryption"), "enabled") is False
    ):
        yield Finding("encrypts with a key that only AWS rules", "serverSideEncryption.enabled")


_ADVISED = {
    "aws:sns/topic:Topic": "kmsMasterKeyId",
    "aws:sagemaker/endpointConfiguration:EndpointConfiguration": "kmsKeyArn",
    "aws:cloudwatch/logGroup:LogGroup": "kmsKeyId",
    "aws:secretsmanager/secret:Secret": "kmsKeyId",
    "aws:codebuild/project:Project": "encryptionKey",
}


def own_key(resource: Resource, context: Context) -> Iterator[Finding]:
    """A key of one's own says who may read, and leaves a trail."""
    name = _ADVISED.get(resource.kind)
    if name and not resource.props.get(name) and (name != "kmsKeyArn" or _variants_take_keys(resource.props)):
        yield Finding("is not encrypted with a key of one's own", name)
    if resource.kind == "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration":
        for rule in items(resource.props.get("rules")):
            algorithm = section(section(rule, "applyServerSideEncryptionByDefault"), "sseAlgorithm")
            if algorithm == "AES256":
                yield Finding("is not encrypted with a key of one's own", "rules")


def key_rotation(resource: Resource, context: Context) -> Iterator[Finding]:
    """Keys rotate."""
    if resource.kind != "aws:kms/key:Key" or resource.props.get("enableKeyRotation"):
        return
    symmetric = resource.props.get("customerMasterKeySpec") in (None, "SYMMETRIC_DEFAULT")
    if (
        symmetric
        and resource.props.get("keyUsage") in (None, "ENCRYPT_DECRYPT")
        and not resource.props.get("customKeyStoreId")
    ):
        yield Finding("never rotates", "enableKeyRotation")


def notebook(resource: Resource, context: Context) -> Iterator[Finding]:
    """Notebooks are no back door."""
    if resource.type != "aws:sagemaker/notebookInstance:NotebookInstance":
        return
    if resource.props.get("rootAccess") in (None, "Enabled"):
        yield Finding("gives root to whoever opens it", "rootAccess")
    if resource.props.get("directInternetAccess") in (None, "Enabled") and resource.props.get("subnetId"):
        yield Finding("has a way to the internet beside its network", "directInternetAccess")


_SECRET_NAME = re.compile(
    r"(^|[_./-])(password|passwd|pwd|passphrase|secret|secret_?key|secret_?access_?key|token|api_?key|access_?key"
    r"|private_?key|credentials?|client_?secret|auth_?token|db_?pass)$",
    re.IGNORECASE,
)
_SECRET_VALUE = re.compile(
    r"\b(AKIA|ASIA)[0-9A-Z]{16}\b|-----BEGIN [A-Z ]*PRIVATE KEY-----|\bgh[pousr]_[A-Za-z0-9]{36}"
    r"|\bxox[abprs]-[0-9A-Za-z-]{10,}|\b[sr]k_(live|test)_[0-9A-Za-z]{16,}|\bhooks\.slack\.com/services/\w+/\w+/\w{16,}|\b[a-z][a-z0-9+]*://[^/\s:@]+:[^/\s:@]{3,}@"
)
_REFERENCE = re.compile(
    r"^(arn:|/|s3://|https?://[^@]*$|\{\{resolve:|\$\{|alias/|true$|false$|\d{1,4}$)", re.IGNORECASE
)


def plain_secret(resource: Resource, context: Context) -> Iterator[Finding]:
    """No secret in plain text."""
    for place, name, value in _variables(resource):
        if not isinstance(value, str) or not value:
            continue
        named = _SECRET_NAME.search(re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name)) and not _REFERENCE.match(value)
        if named or _SECRET_VALUE.search(value):
            yield Finding(f"holds a secret in plain text: {name}", place)


def _variables(resource: Resource) -> Iterator[tuple[str, str, Any]]:
    """Everything a resource hands on as a variable: place, name, value."""
    found = _HOLDERS.get(resource.kind)
    if found:
        yield from found(resource)


def _function(resource: Resource) -> Iterator[tuple[str, str, Any]]:
    yield from _entries("environment.variables", section(resource.props.get("environment"), "variables"))


def _model(resource: Resource) -> Iterator[tuple[str, str, Any]]:
    for each in [resource.props.get("primaryContainer"), *items(resource.props.get("containers"))]:
        yield from _entries("environment", section(each, "environment"))


def _project(resource: Resource) -> Iterator[tuple[str, str, Any]]:
    for each in items(section(resource.props.get("environment"), "environmentVariables")):
        if section(each, "type") in (None, "PLAINTEXT"):
            yield "environment.environmentVariables", text(section(each, "name")), section(each, "value")


def _parameter(resource: Resource) -> Iterator[tuple[str, str, Any]]:
    if resource.props.get("type") in ("String", "StringList"):
        yield "value", text(resource.props.get("name")) or resource.name, resource.props.get("value")


def _job(resource: Resource) -> Iterator[tuple[str, str, Any]]:
    yield from _entries("defaultArguments", resource.props.get("defaultArguments"))


def _task(resource: Resource) -> Iterator[tuple[str, str, Any]]:
    try:
        containers = json.loads(text(resource.props.get("containerDefinitions")) or "[]")
    except ValueError:
        return
    for each in items(containers):
        for variable in items(section(each, "environment")):
            yield "containerDefinitions", text(section(variable, "name")), section(variable, "value")


_HOLDERS: dict[str, Callable[[Resource], Iterator[tuple[str, str, Any]]]] = {
    "aws:lambda/function:Function": _function,
    "aws:sagemaker/model:Model": _model,
    "aws:codebuild/project:Project": _project,
    "aws:ssm/parameter:Parameter": _parameter,
    "aws:glue/job:Job": _job,
    "aws:ecs/taskDefinition:TaskDefinition": _task,
}


def _entries(place: str, variables: Any) -> Iterator[tuple[str, str, Any]]:
    if isinstance(variables, Mapping):
        yield from ((place, name, value) for name, value in variables.items())


_CRYPTO = (NIST["SC-28"], NIST["SC-13"], WELL_ARCHITECTED["SEC08-BP02"])
_CLOSED = (NIST["AC-3"], NIST["SC-7"])
RULES = (
    Rule(
        "public-bucket",
        FAMILY,
        "mandatory",
        "critical",
        "Buckets are private",
        "anybody can read (or write) what the bucket holds",
        "leave the ACL private, and turn all four switches of the public access block on",
        (CIS["2.1.4"], *_CLOSED),
        public_bucket,
    ),
    Rule(
        "public-network",
        FAMILY,
        "mandatory",
        "high",
        "Networks are closed",
        "anybody can try the port, and every hole of what listens there",
        "name the networks that need it",
        (CIS["5.2"], CIS["2.3.3"], *_CLOSED),
        public_network,
        options={"ports": {"type": "array", "items": {"type": "number"}, "default": [80, 443]}},
    ),
    Rule(
        "public-api",
        FAMILY,
        "mandatory",
        "high",
        "APIs know who calls",
        "anybody can ask the model, copy it by its answers, and run up the bill",
        "use AWS_IAM (SigV4), an authorizer, or at least an API key with a usage plan",
        (NIST["AC-3"], WELL_ARCHITECTED["SEC03-BP02"]),
        public_function,
    ),
    Rule(
        "encryption-at-rest",
        FAMILY,
        "mandatory",
        "high",
        "What is stored is encrypted",
        "who gets at the storage, or at a copy of it, reads it",
        "set the property to a KMS key (or to true)",
        (CIS["2.2.1"], CIS["2.3.1"], *_CRYPTO),
        encryption,
    ),
    Rule(
        "customer-key",
        FAMILY,
        "advisory",
        "low",
        "A key of one's own encrypts",
        "AWS's own key opens to whoever may read the resource; there is no second lock and no trail",
        "name a KMS key",
        _CRYPTO,
        own_key,
    ),
    Rule(
        "key-rotation",
        FAMILY,
        "advisory",
        "medium",
        "Keys rotate",
        "one leaked key opens everything that was ever written",
        "set enableKeyRotation",
        (CIS["3.6"], NIST["SC-12"]),
        key_rotation,
    ),
    Rule(
        "notebook-closed",
        FAMILY,
        "mandatory",
        "medium",
        "Notebooks give neither root nor a way around the network",
        "who opens the notebook can install anything, and send data anywhere",
        "set rootAccess to Disabled, and in a network directInternetAccess to Disabled",
        (NIST["AC-6"], NIST["SC-7"]),
        notebook,
    ),
    Rule(
        "plain-secret",
        FAMILY,
        "mandatory",
        "critical",
        "No secret stands in plain text",
        "whoever may describe the resource, or reads the state or a log, has the secret",
        "keep it in Secrets Manager (or as a SecureString) and give the resource its ARN",
        (NIST["IA-5"], WELL_ARCHITECTED["SEC02-BP03"]),
        plain_secret,
    ),
)
