"""Lambda, Step Functions and SNS: what internal/service/{lambda,sfn,sns}/*.go refuse before they call AWS."""

from __future__ import annotations

from rehearsal.provider.rules.vocabulary import (
    Rules,
    Values,
    account_id,
    arn,
    at_least,
    between,
    both,
    conflict,
    enum,
    iam_policy,
    items,
    json_text,
    length,
    one_of,
    pattern,
)  # fmt: skip

# lambda/validate.go: validFunctionName.
FUNCTION = both(
    pattern(
        r"(arn:[\w-]+:lambda:)?([a-z]{2}-(?:[a-z]+-){1,2}\d{1}:)?(\d{12}:)?(function:)?([0-9A-Za-z_-]+)"
        r"(:(\$LATEST|[0-9A-Za-z_-]+))?",
        "must be valid function name or function ARN",
    ),
    length(1, 140),
)
TOPIC_NAME = r"[0-9A-Za-z_-]{1,256}"
FIFO_NAME = r"[0-9A-Za-z_-]{1,251}\.fifo"
FIFO_ONLY = ("archivePolicy", "contentBasedDeduplication", "fifoThroughputScope")


def _topic_name(given: Values) -> list[tuple[str, str]]:
    """topic.go, resourceTopicCustomizeDiff: the name, and what only a FIFO topic may have."""
    fifo = given.get("fifoTopic") is True
    wanted = FIFO_NAME if fifo else TOPIC_NAME
    failures: list[tuple[str, str]] = []
    if isinstance(given.get("name"), str):
        why = pattern(wanted, "of a FIFO topic" if fifo else "of a topic")("name", given["name"], _no_enums)
        failures = [("name", f"{why}: expected {wanted}")] if why else []
    if not fifo:
        failures += [(name, f"{name} can only be set for FIFO topics") for name in FIFO_ONLY if given.get(name)]
    return failures


def _no_enums(service: str, shape: str) -> list[str]:
    return []


def _short_name(given: Values) -> list[tuple[str, str]]:
    """function.go, create: a function's own name has at most 64 characters."""
    name = given.get("name")
    if not isinstance(name, str) or name.startswith("arn:") or len(name) <= 64:
        return []
    return [("name", f"expected length of the Lambda function name to be less than or equal to 64, got {name}")]


RULES = {
    "aws:lambda/alias:Alias": Rules(
        "lambda/alias.go",
        {"name": pattern(r"(?![0-9]+$)[0-9A-Za-z_-]+", "an alias: not a number, alphanumerics, hyphens, underscores")},
    ),
    "aws:lambda/function:Function": Rules(
        "lambda/function.go",
        {
            "architectures": items(0, 1, one_of("x86_64", "arm64")),
            "codeSigningConfigArn": arn,
            "description": length(0, 256),
            "ephemeralStorage.size": between(512, 10240),
            "handler": length(0, 128),
            "kmsKeyArn": arn,
            "layers": items(0, 5, arn),
            "memorySize": between(128, 10240),
            "name": FUNCTION,
            "packageType": one_of("Zip", "Image"),
            "reservedConcurrentExecutions": at_least(-1),
            "role": arn,
            "runtime": enum("lambda", "Runtime"),
            "timeout": between(1, 900),
            "deadLetterConfig.targetArn": arn,
            "tracingConfig.mode": one_of("Active", "PassThrough"),
            "loggingConfig.logFormat": one_of("JSON", "Text"),
            "loggingConfig.applicationLogLevel": one_of("TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"),
            "loggingConfig.systemLogLevel": one_of("DEBUG", "INFO", "WARN"),
        },
        (_short_name,),
    ),
    "aws:lambda/permission:Permission": Rules(
        "lambda/permission.go",
        {
            "action": pattern(
                r"lambda:[*]|lambda:[A-Za-z]+|[*]", "must be a valid action (usually starts with lambda:)"
            ),
            "function": FUNCTION,
            "functionUrlAuthType": one_of("NONE", "AWS_IAM"),
            "sourceAccount": account_id,
            "sourceArn": arn,
            "statementId": both(
                pattern(r"[0-9A-Za-z_-]+", "must contain alphanumeric, underscores or dashes only"), length(1, 100)
            ),
        },
        (conflict("statementId", "statementIdPrefix"),),
    ),
    "aws:sfn/stateMachine:StateMachine": Rules(
        "sfn/state_machine.go",
        {
            "definition": length(0, 1024 * 1024),
            "loggingConfiguration.level": one_of("ALL", "ERROR", "FATAL", "OFF"),
            "name": both(length(1, 80), pattern(r"[0-9A-Za-z_-]+", "alphanumerics, underscores, hyphens")),
            "namePrefix": both(length(1, 54), pattern(r"[0-9A-Za-z_-]+", "alphanumerics, underscores, hyphens")),
            "roleArn": arn,
            "type": one_of("STANDARD", "EXPRESS"),
        },
        (conflict("name", "namePrefix"),),
    ),
    "aws:sns/topic:Topic": Rules(
        "sns/topic.go",
        {
            "policy": iam_policy,
            "deliveryPolicy": json_text,
            "signatureVersion": between(1, 2),
            "tracingConfig": one_of("Active", "PassThrough"),
            "fifoThroughputScope": one_of("Topic", "MessageGroup"),
        },
        (_topic_name, conflict("name", "namePrefix")),
    ),
    "aws:sns/topicPolicy:TopicPolicy": Rules("sns/topic_policy.go", {"arn": arn, "policy": iam_policy}),
    "aws:sns/topicSubscription:TopicSubscription": Rules(
        "sns/topic_subscription.go",
        {
            "deliveryPolicy": json_text,
            "filterPolicy": json_text,
            "filterPolicyScope": one_of("MessageAttributes", "MessageBody"),
            "protocol": one_of(
                "application", "email", "email-json", "firehose", "http", "https", "lambda", "sms", "sqs"
            ),
            "redrivePolicy": json_text,
            "subscriptionRoleArn": arn,
            "topic": arn,
        },
    ),
}
