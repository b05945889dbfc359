"""Building blocks of IAM documents. Shapes are IAM's own: statements are dicts, documents hold a list of them."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

Statement = dict[str, Any]
Document = dict[str, Any]


def document(*statements: Statement) -> Document:
    """A policy document."""
    return {"Version": "2012-10-17", "Statement": list(statements)}


def allow(
    sid: str,
    actions: Sequence[str],
    resources: Sequence[str],
    conditions: Mapping[str, Mapping[str, Any]] | None = None,
) -> Statement:
    """An identity statement."""
    statement: Statement = {
        "Sid": sid,
        "Effect": "Allow",
        "Action": sorted(actions),
        "Resource": list(resources),
    }
    return statement | ({"Condition": dict(conditions)} if conditions else {})


def unscoped(sid: str, actions: Sequence[str], conditions: Mapping[str, Mapping[str, Any]] | None = None) -> Statement:
    """A statement for actions that AWS gives no resource type: `*` is the only resource they accept."""
    return allow(sid, actions, ["*"], conditions)


def pass_role(role_arns: Sequence[str], service: str, sid: str = "PassRole") -> Statement:
    """Permission to hand the named roles to one service, and to no other."""
    return allow(sid, ["iam:PassRole"], role_arns, {"StringEquals": {"iam:PassedToService": service}})


def trust_service(service: str, account: str, source_arn: str | None = None) -> Document:
    """Trust in one service that acts for one account (and one resource), against the confused deputy."""
    conditions: dict[str, Any] = {"StringEquals": {"aws:SourceAccount": account}}
    if source_arn:
        conditions["ArnLike"] = {"aws:SourceArn": source_arn}
    return document(
        {
            "Effect": "Allow",
            "Principal": {"Service": service},
            "Action": "sts:AssumeRole",
            "Condition": conditions,
        }
    )


def trust_service_alone(service: str) -> Document:
    """Trust in a service of which nobody says that it names the account it acts for: a condition might lock it out."""
    return document({"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"})


def trust_role(account_root: str, role_arn: str) -> Document:
    """Trust in one role of an account.

    The account stands as principal and the role as condition, so that either role may be made first: IAM refuses
    a principal that does not exist yet.
    """
    return document(
        {
            "Effect": "Allow",
            "Principal": {"AWS": account_root},
            "Action": "sts:AssumeRole",
            "Condition": {"ArnEquals": {"aws:PrincipalArn": role_arn}},
        }
    )


def trust_roles(account_root: str, role_arns: Sequence[str]) -> Document:
    """Trust in several roles of one account, which do the same work; see `trust_role`."""
    return document(
        {
            "Effect": "Allow",
            "Principal": {"AWS": account_root},
            "Action": "sts:AssumeRole",
            "Condition": {"ArnEquals": {"aws:PrincipalArn": list(role_arns)}},
        }
    )


def write_logs(group_arn: str, sid: str = "WriteLogs") -> Statement:
    """Permission to write into one log group, which the program has made."""
    return allow(sid, ["logs:CreateLogStream", "logs:PutLogEvents"], [group_arn])


def use_key(key_arn: str, service_hosts: Sequence[str], sid: str = "UseKey", write: bool = True) -> Statement:
    """Permission to use one key through the named services (`s3.eu-west-1.amazonaws.com`) alone."""
    actions = ["kms:Decrypt", "kms:GenerateDataKey"] if write else ["kms:Decrypt"]
    return allow(sid, actions, [key_arn], {"StringEquals": {"kms:ViaService": list(service_hosts)}})


def grant_to_services(key_arn: str, sid: str) -> Statement:
    """Permission to let AWS's services, and nobody else, use one key for what they make: volumes, endpoints."""
    return allow(sid, ["kms:CreateGrant"], [key_arn], {"Bool": {"kms:GrantIsForAWSResource": "true"}})


def trace(sid: str = "Trace") -> Statement:
    """Permission to send a function's traces."""
    return unscoped(sid, ["xray:PutTelemetryRecords", "xray:PutTraceSegments"])


def deliver_logs() -> Statement:
    """Permission for a state machine to have its log delivered: Step Functions makes the delivery when it is created.

    https://docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html
    """
    deliveries = ("CreateLogDelivery", "DeleteLogDelivery", "GetLogDelivery", "ListLogDeliveries", "UpdateLogDelivery")
    actions = (*deliveries, "DescribeLogGroups", "DescribeResourcePolicies", "PutResourcePolicy")
    return unscoped("DeliverLogs", [f"logs:{action}" for action in actions])


def trace_executions() -> Statement:
    """Permission for a state machine to ask which executions are sampled, and to send their traces."""
    asks = ("GetSamplingRules", "GetSamplingTargets")
    return unscoped("Trace", [f"xray:{each}" for each in (*asks, "PutTelemetryRecords", "PutTraceSegments")])


def pull_image(repository_arns: Iterable[str]) -> list[Statement]:
    """Permission to pull images from the repositories given."""
    return [
        allow(
            "PullImage",
            ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
            sorted(repository_arns),
        ),
        unscoped("EnterRegistry", ["ecr:GetAuthorizationToken"]),
    ]


def sagemaker_logs(group_arn: str) -> list[Statement]:
    """Permission for what SageMaker runs to log and measure. It makes the group itself, and names its streams."""
    streams = [f"{group_arn}:*"]
    return [
        allow("MakeLogGroup", ["logs:CreateLogGroup"], streams),
        allow("WriteLogs", ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"], streams),
        unscoped(
            "WriteMetrics",
            ["cloudwatch:PutMetricData"],
            {"StringLike": {"cloudwatch:namespace": ["/aws/sagemaker/*", "aws/sagemaker/*"]}},
        ),
    ]
