"""A bucket, a queue, a function, and an alarm that tells a topic (and through it the queue) when the function fails."""

import json

import pulumi
import pulumi_aws as aws


def main() -> None:
    """Declare all of it and export the names a caller needs."""
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    bucket = aws.s3.Bucket("data", force_destroy=True)
    queue = aws.sqs.Queue("failures")
    topic = aws.sns.Topic("failures")
    aws.sqs.QueuePolicy("failures", queue_url=queue.url, policy=pulumi.Output.json_dumps(_may_send(queue, topic)))
    aws.sns.TopicSubscription("failures", topic=topic.arn, protocol="sqs", endpoint=queue.arn)
    role = aws.iam.Role("worker", assume_role_policy=json.dumps({"Version": "2012-10-17", "Statement": [trust]}))
    code = "def handler(event, context):\n    return 1 / event['divisor']\n"
    function = aws.lambda_.Function(
        "worker",
        role=role.arn,
        runtime="python3.12",
        handler="index.handler",
        code=pulumi.AssetArchive({"index.py": pulumi.StringAsset(code)}),
    )
    aws.cloudwatch.MetricAlarm(
        "errors",
        namespace="AWS/Lambda",
        metric_name="Errors",
        dimensions={"FunctionName": function.name},
        statistic="Sum",
        period=60,
        evaluation_periods=1,
        threshold=1,
        comparison_operator="GreaterThanOrEqualToThreshold",
        treat_missing_data="notBreaching",
        alarm_actions=[topic.arn],
    )
    pulumi.export("bucket", bucket.bucket)
    pulumi.export("queue", queue.url)
    pulumi.export("function", function.name)


def _may_send(queue: aws.sqs.Queue, topic: aws.sns.Topic) -> dict[str, object]:
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "sns.amazonaws.com"},
                "Action": "sqs:SendMessage",
                "Resource": queue.arn,
                "Condition": {"ArnEquals": {"aws:SourceArn": topic.arn}},
            }
        ],
    }


main()
