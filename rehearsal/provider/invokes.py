"""Functions (data sources) of the provider."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from rehearsal.provider.errors import Failures, ProviderError, describe
from rehearsal.provider.session import Session
from rehearsal.provider.values import Secret

Values = dict[str, Any]
# internal/service/s3/object_data_source.go, isContentTypeAllowed: these exactly, and text/ with anything after it.
TEXT_TYPES = frozenset(
    f"application/{kind}" for kind in "atom+xml json ld+json x-csh x-httpd-php x-sh xhtml+xml xml".split()
)


def get_caller_identity(session: Session, args: Values) -> Values:
    answer = session.client("sts").get_caller_identity()
    return {"accountId": answer["Account"], "arn": answer["Arn"], "userId": answer["UserId"], "id": answer["Account"]}


def get_region(session: Session, args: Values) -> Values:
    region = args.get("region") or args.get("name") or session.region
    description = _region_names(session).get(region, region)
    endpoint = f"ec2.{region}.amazonaws.com"
    return {"id": region, "name": region, "region": region, "description": description, "endpoint": endpoint}


def _region_names(session: Session) -> dict[str, str]:
    from botocore.loaders import Loader

    regions: dict[str, str] = {}
    for partition in Loader().load_data("endpoints")["partitions"]:
        regions |= {name: str(item["description"]) for name, item in partition["regions"].items()}
    return regions


def get_partition(session: Session, args: Values) -> Values:
    suffix = "amazonaws.com.cn" if session.partition == "aws-cn" else "amazonaws.com"
    reverse = ".".join(reversed(suffix.split(".")))
    return {"id": session.partition, "partition": session.partition, "dnsSuffix": suffix, "reverseDnsPrefix": reverse}


def get_parameter(session: Session, args: Values) -> Values:
    decrypt = args.get("withDecryption", True)
    found = session.client("ssm", args.get("region")).get_parameter(Name=args["name"], WithDecryption=decrypt)[
        "Parameter"
    ]
    insecure = found["Value"] if found["Type"] != "SecureString" else None
    return {
        "id": found["Name"],
        "name": found["Name"],
        "type": found["Type"],
        "value": Secret(found["Value"]),
        "insecureValue": insecure,
        "version": found.get("Version"),
        "arn": found.get("ARN"),
        "withDecryption": decrypt,
        "region": args.get("region") or session.region,
    }


def get_parameters_by_path(session: Session, args: Values) -> Values:
    decrypt, recursive = args.get("withDecryption", True), args.get("recursive", False)
    pages = (
        session.client("ssm", args.get("region"))
        .get_paginator("get_parameters_by_path")
        .paginate(Path=args["path"], Recursive=recursive, WithDecryption=decrypt)
    )
    found = [item for page in pages for item in page["Parameters"]]
    return {
        "id": args["path"],
        "path": args["path"],
        "recursive": recursive,
        "withDecryption": decrypt,
        "arns": [item.get("ARN") for item in found],
        "names": [item["Name"] for item in found],
        "types": [item["Type"] for item in found],
        "values": Secret([item["Value"] for item in found]),
        "region": args.get("region") or session.region,
    }


def get_object(session: Session, args: Values) -> Values:
    """Metadata of an object; its body too when it is text, as with the real provider."""
    client = session.client("s3", args.get("region"))
    where = {"Bucket": args["bucket"], "Key": args["key"].lstrip("/")}
    where |= {"VersionId": args["versionId"]} if args.get("versionId") else {}
    mode = {"ChecksumMode": args["checksumMode"]} if args.get("checksumMode") else {}
    head = client.head_object(**where, **mode, **({"Range": args["range"]} if args.get("range") else {}))
    kind = head.get("ContentType") or ""
    readable = kind in TEXT_TYPES or (kind.startswith("text/") and kind != "text/")
    body = client.get_object(**where)["Body"].read().decode() if readable else None
    tags = client.get_object_tagging(**where).get("TagSet", [])
    modified = head["LastModified"]
    return {
        "id": f"{args['bucket']}/{where['Key']}",
        "arn": f"arn:{session.partition}:s3:::{args['bucket']}/{where['Key']}",
        "bucket": args["bucket"],
        "key": args["key"],
        "body": body,
        "bucketKeyEnabled": head.get("BucketKeyEnabled", False),
        "cacheControl": head.get("CacheControl", ""),
        "checksumMode": args.get("checksumMode"),
        "checksumCrc32": head.get("ChecksumCRC32", ""),
        "checksumCrc32c": head.get("ChecksumCRC32C", ""),
        "checksumCrc64nvme": head.get("ChecksumCRC64NVME", ""),
        "checksumSha1": head.get("ChecksumSHA1", ""),
        "checksumSha256": head.get("ChecksumSHA256", ""),
        "contentDisposition": head.get("ContentDisposition", ""),
        "contentEncoding": head.get("ContentEncoding", ""),
        "contentLanguage": head.get("ContentLanguage", ""),
        "contentLength": head["ContentLength"],
        "contentType": kind,
        "etag": head["ETag"].strip('"'),
        "expiration": head.get("Expiration", ""),
        "expires": "",
        "lastModified": modified.strftime("%a, %d %b %Y %H:%M:%S GMT"),
        "metadata": head.get("Metadata", {}),
        "objectLockLegalHoldStatus": head.get("ObjectLockLegalHoldStatus", ""),
        "objectLockMode": head.get("ObjectLockMode", ""),
        "objectLockRetainUntilDate": "",
        "range": args.get("range"),
        "region": args.get("region") or session.region,
        "serverSideEncryption": head.get("ServerSideEncryption", ""),
        "sseKmsKeyId": head.get("SSEKMSKeyId", ""),
        "storageClass": head.get("StorageClass", "STANDARD"),
        "tags": {tag["Key"]: tag["Value"] for tag in tags},
        "versionId": head.get("VersionId", ""),
        "websiteRedirectLocation": head.get("WebsiteRedirectLocation", ""),
    }


def get_function(session: Session, args: Values) -> Values:
    """A function as a version or an alias has it; the members that are read from its configuration.

    Calls and words are those of internal/service/lambda/function_data_source.go: the code's signing is asked for of the
    function itself, without the qualifier.
    """
    from botocore.exceptions import ClientError

    client, name, qualifier = session.client("lambda", args.get("region")), args["functionName"], args.get("qualifier")
    if not qualifier:
        raise ProviderError("the rehearsal looks up functions by a qualifier only")
    try:
        answer = client.get_function(FunctionName=name, Qualifier=qualifier)
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceNotFoundException":
            raise
        raise ProviderError(f"reading Lambda Function ({name}): couldn't find resource") from error
    found = answer["Configuration"]
    arn = found["FunctionArn"].removesuffix(f":{qualifier}")
    signing = client.get_function_code_signing_config(FunctionName=name).get("CodeSigningConfigArn", "")
    return {
        "id": name,
        "functionName": name,
        "qualifier": qualifier,
        "arn": arn,
        "qualifiedArn": found["FunctionArn"],
        "architectures": found["Architectures"],
        "codeSha256": found["CodeSha256"],
        "codeSigningConfigArn": signing,
        "description": found.get("Description", ""),
        "environment": {"variables": (found.get("Environment") or {}).get("Variables", {})},
        "handler": found.get("Handler", ""),
        "lastModified": found["LastModified"],
        "memorySize": found["MemorySize"],
        "reservedConcurrentExecutions": (answer.get("Concurrency") or {}).get("ReservedConcurrentExecutions", -1),
        "role": found["Role"],
        "runtime": found.get("Runtime", ""),
        "sourceCodeHash": found["CodeSha256"],
        "sourceCodeSize": found["CodeSize"],
        "tags": answer.get("Tags", {}),
        "timeout": found["Timeout"],
        "tracingConfig": {"mode": (found.get("TracingConfig") or {}).get("Mode", "PassThrough")},
        "version": found["Version"],
        "region": args.get("region") or session.region,
    }


def get_kms_alias(session: Session, args: Values) -> Values:
    region = args.get("region") or session.region
    pages = session.client("kms", region).get_paginator("list_aliases").paginate()
    found = next((item for page in pages for item in page["Aliases"] if item["AliasName"] == args["name"]), None)
    if not found or not found.get("TargetKeyId"):
        raise ProviderError(f"KMS alias {args['name']!r} was not found in {region}")
    key = found["TargetKeyId"]
    return {
        "id": found["AliasArn"],
        "arn": found["AliasArn"],
        "name": args["name"],
        "targetKeyId": key,
        "targetKeyArn": f"arn:{session.partition}:kms:{region}:{session.account}:key/{key}",
        "region": region,
    }


def get_policy_document(session: Session, args: Values) -> Values:
    """The JSON text of a policy given as statements."""
    sources = [json.loads(text) for text in args.get("sourcePolicyDocuments") or []]
    overrides = [json.loads(text) for text in args.get("overridePolicyDocuments") or []]
    statements = [s for source in sources for s in _listed(source.get("Statement", []))]
    statements += [_statement(item) for item in args.get("statements") or []]
    for override in overrides:
        fresh = _listed(override.get("Statement", []))
        named = {item.get("Sid") for item in fresh if item.get("Sid")}
        statements = [item for item in statements if item.get("Sid") not in named] + fresh
    document: Values = {"Version": args.get("version") or "2012-10-17", "Statement": statements}
    if args.get("policyId"):
        document["Id"] = args["policyId"]
    text = json.dumps(document, indent=2)
    return {
        **args,
        "id": str(abs(hash(text))),
        "json": text,
        "minifiedJson": json.dumps(document, separators=(",", ":")),
    }


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _one(values: list[Any]) -> Any:
    return values[0] if len(values) == 1 else sorted(values)


def _statement(item: Values) -> Values:
    statement: Values = {"Sid": item["sid"]} if item.get("sid") else {}
    statement["Effect"] = item.get("effect") or "Allow"
    for key, member in (
        ("actions", "Action"), ("notActions", "NotAction"), ("resources", "Resource"), ("notResources", "NotResource"),
    ):  # fmt: skip
        if item.get(key):
            statement[member] = _one(item[key])
    for key, member in (("principals", "Principal"), ("notPrincipals", "NotPrincipal")):
        if item.get(key):
            statement[member] = _principals(item[key])
    conditions: Values = {}
    for test in item.get("conditions") or []:
        conditions.setdefault(test["test"], {})[test["variable"]] = _one(test["values"])
    return {**statement, **({"Condition": conditions} if conditions else {})}


def _principals(items: list[Values]) -> Any:
    if len(items) == 1 and items[0]["type"] == "*" and items[0]["identifiers"] == ["*"]:
        return "*"
    found: dict[str, list[str]] = {}
    for item in items:
        found.setdefault(item["type"], []).extend(item["identifiers"])
    return {kind: _one(names) for kind, names in found.items()}


def get_prebuilt_ecr_image(session: Session, args: Values) -> Values:
    """The address of a SageMaker image, from the tables of the SageMaker SDK."""
    from rehearsal.provider.ecr import registry_account

    region = args.get("region") or session.region
    tag = args.get("imageTag") or "1"
    account = registry_account(args["repositoryName"], region)
    suffix = args.get("dnsSuffix") or "amazonaws.com"
    path = f"{account}.dkr.ecr.{region}.{suffix}/{args['repositoryName']}:{tag}"
    return {**args, "id": account, "registryId": account, "registryPath": path, "imageTag": tag, "region": region}


FUNCTIONS: dict[str, Callable[[Session, Values], Values]] = {
    "aws:index/getCallerIdentity:getCallerIdentity": get_caller_identity,
    "aws:index/getRegion:getRegion": get_region,
    "aws:index/getPartition:getPartition": get_partition,
    "aws:iam/getPolicyDocument:getPolicyDocument": get_policy_document,
    "aws:kms/getAlias:getAlias": get_kms_alias,
    "aws:lambda/getFunction:getFunction": get_function,
    "aws:s3/getObject:getObject": get_object,
    "aws:sagemaker/getPrebuiltEcrImage:getPrebuiltEcrImage": get_prebuilt_ecr_image,
    "aws:ssm/getParameter:getParameter": get_parameter,
    "aws:ssm/getParametersByPath:getParametersByPath": get_parameters_by_path,
}


def invoke(session: Session, token: str, args: Values) -> Values:
    """The result of a function; raises ProviderError for one the rehearsal lacks."""
    from botocore.exceptions import BotoCoreError, ClientError

    function = FUNCTIONS.get(token)
    if function is None:
        raise ProviderError(f"the rehearsal does not implement the function {token}")
    try:
        return function(session, args)
    except KeyError as error:
        raise Failures([(str(error.args[0]), "missing: this argument is required")]) from error
    except (ClientError, BotoCoreError) as error:
        raise ProviderError(f"{token.rsplit(':', 1)[-1]}: {describe(error)}") from error
