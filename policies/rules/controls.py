"""Which controls of AWS's Foundational Security Best Practices each rule answers to.

The numbers are those of docs.aws.amazon.com/securityhub/latest/userguide/securityhub-controls-reference.html; controls
of other standards of Security Hub are among them (tags, KMS.4, S3.17).
"""

from .hardening import SETTINGS

_OWN: dict[str, tuple[str, ...]] = {
    "wildcard-action": ("IAM.1", "IAM.21", "S3.6"),
    "wildcard-resource": ("IAM.1", "KMS.1", "KMS.2"),
    "wildcard-type": ("KMS.1", "KMS.2"),
    "managed-full-access": ("IAM.1",),
    "open-principal": ("KMS.5", "Lambda.1", "SNS.4", "SQS.3", "S3.6"),
    "lasting-credential": ("IAM.3", "IAM.22"),
    "public-bucket": ("S3.1", "S3.2", "S3.3", "S3.8", "S3.12", "S3.19", "S3.24"),
    "public-network": ("EC2.13", "EC2.14", "EC2.18", "EC2.19"),
    "public-resource": ("DMS.1", "EC2.1", "EC2.21", "EKS.1", "MQ.5", "RDS.1", "RDS.2", "Redshift.1"),
    "public-api": ("APIGateway.8", "Lambda.1"),
    "encryption-at-rest": ("EC2.3", "EFS.1", "Kinesis.1", "RDS.3", "RDS.27", "SQS.1"),
    "customer-key": ("S3.17", "SNS.1"),
    "key-rotation": ("KMS.4",),
    "notebook-closed": ("SageMaker.1", "SageMaker.3"),
    "plain-secret": ("CodeBuild.1", "CodeBuild.2"),
    "production-instances": ("SageMaker.4",),
    "protected-state": ("DynamoDB.6", "KMS.3", "RDS.7", "RDS.8"),
    "service-logs": ("RDS.36", "RDS.37", "RDS.40", "RDS.42"),
    "log-retention": ("CloudWatch.16",),
    "alarm-actions": ("CloudWatch.15", "CloudWatch.17"),
    "tracing": ("APIGateway.3", "Lambda.7"),
    "access-logs": ("APIGateway.1", "APIGateway.9", "StepFunctions.1"),
    "tags": ("DynamoDB.5", "ECR.4", "Lambda.6", "SNS.3", "SQS.2", "StepFunctions.2"),
}


def controls(rule: str) -> list[str]:
    """The controls of a rule, its table's included."""
    rows = (row.control for row in SETTINGS if row.rule == rule and "." in row.control)
    return sorted({*_OWN.get(rule, ()), *rows})


def named() -> set[str]:
    """Rules that controls are listed for."""
    return set(_OWN)
