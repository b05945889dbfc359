"""Policies and lifecycle of buckets, keys and topics."""

from collections.abc import Sequence
from typing import Any

from contracts.names import DELIVERY, Names
from definitions.roles.statements import Document, Statement, document


def tls_only(bucket_arn: str) -> Statement:
    """Refuse every request that is not encrypted in transit."""
    return {
        "Sid": "TlsOnly",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [bucket_arn, f"{bucket_arn}/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }


def encrypted_only(bucket_arn: str, key_arn: str) -> list[Statement]:
    """Refuse objects under another key than the bucket's. A request that names none gets the bucket's by default."""
    return [
        {
            "Sid": "KmsOnly",
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:PutObject",
            "Resource": f"{bucket_arn}/*",
            "Condition": {
                "StringNotEquals": {"s3:x-amz-server-side-encryption": "aws:kms"},
                "Null": {"s3:x-amz-server-side-encryption": "false"},
            },
        },
        {
            "Sid": "OwnKeyOnly",
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:PutObject",
            "Resource": f"{bucket_arn}/*",
            "Condition": {
                "StringNotEquals": {"s3:x-amz-server-side-encryption-aws-kms-key-id": key_arn},
                "Null": {"s3:x-amz-server-side-encryption-aws-kms-key-id": "false"},
            },
        },
    ]


def bucket_policy(bucket_arn: str, key_arn: str, *more: Statement) -> Document:
    """TLS and the bucket's own key, for everybody; and what else is given."""
    return document(tls_only(bucket_arn), *encrypted_only(bucket_arn, key_arn), *more)


def guard_artifacts(names: Names) -> list[Statement]:
    """What later stages run and read stays what it was when it was written.

    The pipeline's artifacts, the sources that every stage after the approval runs, are written by the pipeline alone.
    Packaged code and releases are written once: a write must ask for nothing to be there, and so must a copy
    (https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes-enforce.html). No role of the project
    takes either away, and one alone writes releases. What plans and deploys is no role's to write.
    """
    store = names.artifacts_bucket
    sources, code = names.bucket_arn(store, f"{names.name}/*"), names.bucket_arn(store, "code/*")
    releases = names.bucket_arn(store, "runs/*/release/*")
    ours = names.role_arn(DELIVERY, "*")
    return [
        {
            "Sid": "PipelineWritesSources",
            "Effect": "Deny",
            "Principal": "*",
            "Action": ["s3:DeleteObject", "s3:DeleteObjectVersion", "s3:PutObject"],
            "Resource": sources,
            "Condition": {"ArnNotEquals": {"aws:PrincipalArn": names.role_arn(DELIVERY, "pipeline")}},
        },
        {
            "Sid": "WrittenOnce",
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:PutObject",
            "Resource": [code, releases],
            "Condition": {"Null": {"s3:if-none-match": "true"}, "Bool": {"s3:ObjectCreationOperation": "true"}},
        },
        {
            "Sid": "NeverTakenAway",
            "Effect": "Deny",
            "Principal": "*",
            "Action": ["s3:DeleteObject", "s3:DeleteObjectVersion"],
            "Resource": [code, releases],
            "Condition": {"ArnLike": {"aws:PrincipalArn": ours}},
        },
        {
            "Sid": "AdministratorsPinTools",
            "Effect": "Deny",
            "Principal": "*",
            "Action": ["s3:DeleteObject", "s3:DeleteObjectVersion", "s3:PutObject"],
            "Resource": names.bucket_arn(store, "tools/*"),
            "Condition": {"ArnLike": {"aws:PrincipalArn": [names.role_arn(stack, "*") for stack in names.stacks]}},
        },
        {
            "Sid": "WorkflowWritesReleases",
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:PutObject",
            "Resource": releases,
            "Condition": {
                "ArnLike": {"aws:PrincipalArn": ours},
                "ArnNotEquals": {"aws:PrincipalArn": names.role_arn(DELIVERY, "manifest")},
            },
        },
    ]


def read_runs(names: Names) -> list[Statement]:
    """Leave for the environments' accounts to read releases. Those from before a release held golden records and
    baseline have them elsewhere in the run.

    The accounts stand as principals: each decides by its own roles' policies who may read.
    """
    accounts = _other_accounts(names)
    if not accounts:
        return []
    return [
        {
            "Sid": "EnvironmentsReadRuns",
            "Effect": "Allow",
            "Principal": {"AWS": accounts},
            "Action": ["s3:GetObject", "s3:GetObjectAttributes", "s3:GetObjectTagging", "s3:GetObjectVersion"],
            "Resource": [
                names.bucket_arn(names.artifacts_bucket, f"runs/*/{part}")
                for part in ("release/*", "evaluation/golden.json", "baseline/*")
            ],
        },
        {
            "Sid": "EnvironmentsListRuns",
            "Effect": "Allow",
            "Principal": {"AWS": accounts},
            "Action": "s3:ListBucket",
            "Resource": names.bucket_arn(names.artifacts_bucket),
            "Condition": {"StringLike": {"s3:prefix": "runs/*"}},
        },
    ]


def _other_accounts(names: Names) -> list[str]:
    """Roots of the environments' accounts, apart from delivery's own: there, identity policies are enough."""
    own = names.root(DELIVERY)
    return sorted({names.root(env) for env in names.environments} - {own})


def _owner(names: Names, stack: str) -> Statement:
    """Without this statement a key is ruled by nobody; who may use it, the account's identity policies say."""
    return {
        "Sid": "AccountDecides",
        "Effect": "Allow",
        "Principal": {"AWS": names.root(stack)},
        "Action": "kms:*",
        "Resource": "*",
    }


def _grants(names: Names, stack: str) -> Statement:
    """No role of the stack grants the key to anybody but AWS's services, whatever policies it has.

    A grant is a way around policies: who may make one for itself decrypts what no policy lets it. In a grant that a
    service makes for its resource the condition is true.
    https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html#conditions-kms-grant-is-for-aws-resource
    """
    return {
        "Sid": "GrantsForServicesOnly",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "kms:CreateGrant",
        "Resource": "*",
        "Condition": {
            "ArnLike": {"aws:PrincipalArn": names.role_arn(stack, "*")},
            "BoolIfExists": {"kms:GrantIsForAWSResource": "false"},
        },
    }


def _logs(names: Names, stack: str) -> Statement:
    """CloudWatch Logs encrypts the log groups of this account and region."""
    return {
        "Sid": "LogGroups",
        "Effect": "Allow",
        "Principal": {"Service": f"logs.{names.region}.amazonaws.com"},
        "Action": [
            "kms:Decrypt",
            "kms:DescribeKey",
            "kms:Encrypt",
            "kms:GenerateDataKey",
            "kms:GenerateDataKeyWithoutPlaintext",
            "kms:ReEncryptFrom",
            "kms:ReEncryptTo",
        ],
        "Resource": "*",
        "Condition": {"ArnLike": {"kms:EncryptionContext:aws:logs:arn": names.arn("logs", "log-group:*", stack)}},
    }


def _publishers(names: Names, stack: str) -> Statement:
    """Alarms publish into the stack's encrypted topic."""
    return {
        "Sid": "AlarmsPublish",
        "Effect": "Allow",
        "Principal": {"Service": "cloudwatch.amazonaws.com"},
        "Action": ["kms:Decrypt", "kms:GenerateDataKey"],
        "Resource": "*",
        "Condition": {"StringEquals": {"aws:SourceAccount": names.accounts[stack]}},
    }


def delivery_key(names: Names) -> Document:
    """Key of the delivery account; the environments may decrypt with it what S3 hands them."""
    accounts = _other_accounts(names)
    shared: list[Statement] = [
        {
            "Sid": "EnvironmentsDecrypt",
            "Effect": "Allow",
            "Principal": {"AWS": accounts},
            "Action": "kms:Decrypt",
            "Resource": "*",
            "Condition": {"StringEquals": {"kms:ViaService": f"s3.{names.region}.amazonaws.com"}},
        }
    ]
    own = (_owner(names, DELIVERY), _grants(names, DELIVERY), _logs(names, DELIVERY))
    return document(*own, *(shared if accounts else []))


def signing_key(names: Names) -> Document:
    """Key that release manifests are signed with: of the project's roles the manifest function's alone signs.

    Whoever deploys asks KMS whether a signature is this key's.
    https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-modifying-external-accounts.html
    """
    accounts = _other_accounts(names)
    verify: Statement = {
        "Sid": "EnvironmentsVerify",
        "Effect": "Allow",
        "Principal": {"AWS": accounts},
        "Action": "kms:Verify",
        "Resource": "*",
    }
    alone = _alone(names, "WorkflowSigns", "kms:Sign", "manifest")
    return document(_owner(names, DELIVERY), _grants(names, DELIVERY), alone, *([verify] if accounts else []))


def split_key(names: Names) -> Document:
    """Key of the split: of the project's roles the features job's alone learns what it computes."""
    alone = _alone(names, "FeaturesSplit", "kms:GenerateMac", "features")
    return document(_owner(names, DELIVERY), _grants(names, DELIVERY), alone)


def _alone(names: Names, sid: str, action: str, purpose: str) -> Statement:
    """Of the project's roles only one of delivery's may do this with a key, whatever policies the others have."""
    return {
        "Sid": sid,
        "Effect": "Deny",
        "Principal": "*",
        "Action": action,
        "Resource": "*",
        "Condition": {
            "ArnLike": {"aws:PrincipalArn": [names.role_arn(stack, "*") for stack in names.stacks]},
            "ArnNotEquals": {"aws:PrincipalArn": names.role_arn(DELIVERY, purpose)},
        },
    }


def environment_key(names: Names, env: str) -> Document:
    """Key of one environment."""
    return document(_owner(names, env), _grants(names, env), _logs(names, env), _publishers(names, env))


def topic_policy(topic_arn: str, names: Names, env: str) -> Document:
    """Only this account's alarms publish."""
    return document(
        {
            "Sid": "AlarmsPublish",
            "Effect": "Allow",
            "Principal": {"Service": "cloudwatch.amazonaws.com"},
            "Action": "sns:Publish",
            "Resource": topic_arn,
            "Condition": {
                "StringEquals": {"aws:SourceAccount": names.accounts[env]},
                "ArnLike": {"aws:SourceArn": names.arn("cloudwatch", f"alarm:{names.stack(env)}-*", env)},
            },
        }
    )


_WEEK = 7


def expire(days_by_prefix: Sequence[tuple[str, int]]) -> list[dict[str, Any]]:
    """Lifecycle rules: what lies below a prefix is gone a week after its days, broken uploads after a week.

    In a versioned bucket `expiration` only puts a delete marker on top: the object goes with its old versions, and the
    marker once nothing is below it. Days and markers cannot stand in one rule.
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/intro-lifecycle-rules.html
    """
    rules: list[dict[str, Any]] = []
    for prefix, days in days_by_prefix:
        name = prefix.rstrip("/").replace("/", "-")
        common = {"status": "Enabled", "filter": {"prefix": prefix}}
        old = {"noncurrent_days": _WEEK}
        rules += [
            {"id": f"expire-{name}", **common, "expiration": {"days": days}, "noncurrent_version_expiration": old},
            {"id": f"markers-{name}", **common, "expiration": {"expired_object_delete_marker": True}},
        ]
    leftovers: dict[str, Any] = {
        "id": "leftovers",
        "status": "Enabled",
        "filter": {"prefix": ""},
        "abort_incomplete_multipart_upload": {"days_after_initiation": _WEEK},
    }
    return [*rules, leftovers]
