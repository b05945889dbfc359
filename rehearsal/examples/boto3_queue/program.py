"""Count the words of an object: S3, SQS, and a Lambda function whose role may read that one object."""

import io
import json
import uuid
import zipfile
from typing import Any

import boto3

CODE = """
import boto3

def handler(event, context):
    s3 = boto3.client("s3")
    text = s3.get_object(Bucket=event["bucket"], Key=event["key"])["Body"].read().decode()
    return {"words": len(text.split())}
"""
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"},
    ],
}


def main() -> None:
    """Print one line of JSON: the words counted, and how the function failed on the object it may not read."""
    name = f"words-{uuid.uuid4().hex[:8]}"
    s3, sqs, lambda_ = boto3.client("s3"), boto3.client("sqs"), boto3.client("lambda")
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": s3.meta.region_name})
    s3.put_object(Bucket=name, Key="open.txt", Body=b"one two three")
    s3.put_object(Bucket=name, Key="closed.txt", Body=b"not for the function")
    queue = sqs.create_queue(QueueName=name)["QueueUrl"]
    for key in ("open.txt", "closed.txt"):
        sqs.send_message(QueueUrl=queue, MessageBody=json.dumps({"bucket": name, "key": key}))
    lambda_.create_function(
        FunctionName=name, Runtime="python3.12", Handler="index.handler", Role=_role(name), Code={"ZipFile": _archive()}
    )
    lambda_.get_waiter("function_active_v2").wait(FunctionName=name)
    answers: dict[str, Any] = {}
    while len(answers) < 2:
        for message in sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=1).get("Messages", []):
            answer = lambda_.invoke(FunctionName=name, Payload=message["Body"])
            answers[json.loads(message["Body"])["key"]] = json.load(answer["Payload"])
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
    print(json.dumps({"words": answers["open.txt"]["words"], "closed": answers["closed.txt"].get("errorMessage")}))


def _role(name: str) -> Any:
    iam = boto3.client("iam")
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]
    rights = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{name}/open.txt"}
    document = {"Version": "2012-10-17", "Statement": [rights]}
    iam.put_role_policy(RoleName=name, PolicyName="read", PolicyDocument=json.dumps(document))
    return role["Arn"]


def _archive() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("index.py", CODE)
    return buffer.getvalue()


if __name__ == "__main__":
    main()
