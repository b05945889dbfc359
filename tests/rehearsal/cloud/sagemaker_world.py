"""A small account with a role, a bucket and data, for the tests of jobs and endpoints."""

import io
import json
import random
import tarfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from rehearsal.cloud.core.cloud import Cloud

XGBOOST = "141502667606.dkr.ecr.eu-west-1.amazonaws.com/sagemaker-xgboost:1.7-1"
ANALYZER = "468650794304.dkr.ecr.eu-west-1.amazonaws.com/sagemaker-model-monitor-analyzer"
HYPERPARAMETERS = {
    "objective": "reg:squarederror", "num_round": "20", "max_depth": "4", "eta": "0.3", "early_stopping_rounds": "10",
    "eval_metric": "rmse",
}  # fmt: skip
CLUSTER = {"ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 10}}


def rows(count: int, seed: int = 1, shift: float = 0.0) -> list[list[float]]:
    """Label first: total = 3 + 2 * distance + minutes / 2, with a little noise."""
    source = random.Random(seed)
    made = []
    for _ in range(count):
        minutes, distance = source.uniform(1, 60), source.uniform(0.5, 20) + shift
        total = 3 + 2 * distance + minutes / 2 + source.gauss(0, 0.3)
        made.append([round(total, 3), round(minutes, 3), float(source.randint(1, 4)), round(distance, 3)])
    return made


def csv(lines: list[list[float]]) -> bytes:
    return "\n".join(",".join(map(str, line)) for line in lines).encode()


class World:
    """One account."""

    def __init__(self, cloud: Cloud, account: str, region: str) -> None:
        self.cloud, self.account, self.region = cloud, account, region
        self.bucket = f"sagemaker-{account}"
        self.s3, self.sagemaker = self.client("s3"), self.client("sagemaker")
        self.runtime = self.client("sagemaker-runtime")
        self.s3.create_bucket(Bucket=self.bucket, CreateBucketConfiguration={"LocationConstraint": region})
        self.role = self.make_role("job", "sagemaker.amazonaws.com")
        self.put("data/train/part-0.csv", csv(rows(400)))
        self.put("data/validation/part-0.csv", csv(rows(100, seed=2)))

    def client(self, service: str) -> Any:
        return self.cloud.client(service, self.account, self.region)

    def make_role(self, name: str, *services: str) -> str:
        trust = {
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Principal": {"Service": list(services)}, "Action": "sts:AssumeRole"}],
        }
        role = self.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))
        arn: str = role["Role"]["Arn"]
        everything = {
            "Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}],
        }  # fmt: skip
        self.client("iam").put_role_policy(RoleName=name, PolicyName="all", PolicyDocument=json.dumps(everything))
        return arn

    def key(self) -> str:
        """A key of the account."""
        return str(self.client("kms").create_key()["KeyMetadata"]["Arn"])

    def make_role_without(self, name: str, action: str, folder: str = "") -> str:
        """A role of SageMaker that may do all but one thing, in S3 in one folder alone."""
        arn = self.make_role(name, "sagemaker.amazonaws.com")
        statement: dict[str, Any] = {"Effect": "Deny", "Action": action, "Resource": "*"}
        if folder and action == "s3:ListBucket":
            statement["Condition"] = {"StringLike": {"s3:prefix": f"{folder}*"}}
        elif folder:
            statement["Resource"] = f"arn:aws:s3:::{self.bucket}/{folder}/*"
        document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        self.client("iam").put_role_policy(RoleName=name, PolicyName="not", PolicyDocument=document)
        return arn

    def put(self, key: str, body: bytes | str) -> str:
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=body)
        return f"s3://{self.bucket}/{key}"

    def get(self, uri: str) -> bytes:
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        body: bytes = self.s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        return body

    def logged(self, name: str) -> list[str]:
        """What a training job's containers have said so far."""
        group, logs = "/aws/sagemaker/TrainingJobs", self.client("logs")
        if not logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"]:
            return []
        streams = logs.describe_log_streams(logGroupName=group, logStreamNamePrefix=f"{name}/")["logStreams"]
        return [
            event["message"]
            for stream in streams
            for event in logs.get_log_events(logGroupName=group, logStreamName=stream["logStreamName"])["events"]
        ]

    def made(self, job: dict[str, Any]) -> bytes:
        """What a training job's archive holds."""
        with tarfile.open(fileobj=io.BytesIO(self.get(job["ModelArtifacts"]["S3ModelArtifacts"]))) as tar:
            held = tar.extractfile("xgboost-model")
            assert held is not None
            return held.read()

    def uri(self, key: str) -> str:
        return f"s3://{self.bucket}/{key}"

    def training(self, name: str, **changes: Any) -> dict[str, Any]:
        request: dict[str, Any] = {
            "TrainingJobName": name,
            "RoleArn": self.role,
            "AlgorithmSpecification": {"TrainingImage": XGBOOST, "TrainingInputMode": "File"},
            "HyperParameters": HYPERPARAMETERS,
            "InputDataConfig": [self.channel("train"), self.channel("validation")],
            "OutputDataConfig": {"S3OutputPath": self.uri("training")},
            "ResourceConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 10},
            "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
        }
        return {**request, **changes}

    def channel(self, name: str, prefix: str = "data") -> dict[str, Any]:
        return {
            "ChannelName": name, "ContentType": "text/csv",
            "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": self.uri(f"{prefix}/{name}")}},
        }  # fmt: skip

    def train(self, name: str, **changes: Any) -> dict[str, Any]:
        self.sagemaker.create_training_job(**self.training(name, **changes))
        return self.settle(lambda: self.sagemaker.describe_training_job(TrainingJobName=name), "TrainingJobStatus")

    def process(self, name: str, **request: Any) -> dict[str, Any]:
        request = {"RoleArn": self.role, "ProcessingResources": CLUSTER, **request}
        self.sagemaker.create_processing_job(ProcessingJobName=name, **request)
        return self.settle(
            lambda: self.sagemaker.describe_processing_job(ProcessingJobName=name), "ProcessingJobStatus"
        )

    def settle(self, ask: Callable[[], dict[str, Any]], key: str) -> dict[str, Any]:
        """Wait until a status is final."""
        found: dict[str, Any] = wait(
            ask, lambda answer: answer[key] not in ("InProgress", "Stopping", "Creating", "Updating", "RUNNING")
        )
        return found

    def endpoint(self, name: str, artifact: str, **config: Any) -> dict[str, Any]:
        """Model, configuration and endpoint of one name; waits for it."""
        self.model(name, artifact)
        self.config(name, **config)
        self.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
        return self.endpoint_status(name)

    def endpoint_status(self, name: str) -> dict[str, Any]:
        return self.settle(lambda: self.sagemaker.describe_endpoint(EndpointName=name), "EndpointStatus")

    def model(self, name: str, artifact: str) -> None:
        self.sagemaker.create_model(
            ModelName=name, ExecutionRoleArn=self.role, PrimaryContainer={"Image": XGBOOST, "ModelDataUrl": artifact}
        )

    def config(self, name: str, **more: Any) -> None:
        request = {"ProductionVariants": [variant("main", name)], **more}
        self.sagemaker.create_endpoint_config(EndpointConfigName=name, **request)

    def capture(self) -> dict[str, Any]:
        return {
            "EnableCapture": True, "InitialSamplingPercentage": 100, "DestinationS3Uri": self.uri("capture"),
            "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
            "CaptureContentTypeHeader": {"CsvContentTypes": ["text/csv"]},
        }  # fmt: skip

    def keys(self, prefix: str) -> list[str]:
        answer = self.s3.list_objects_v2(Bucket=self.bucket, Prefix=prefix)
        return [item["Key"] for item in answer.get("Contents", [])]

    def predict(self, endpoint: str, lines: list[list[float]], **more: Any) -> dict[str, Any]:
        answer: dict[str, Any] = self.runtime.invoke_endpoint(
            EndpointName=endpoint, Body=csv(lines), ContentType="text/csv", **more
        )
        return answer


def variant(name: str, model: str, **more: Any) -> dict[str, Any]:
    return {
        "VariantName": name, "ModelName": model, "InitialInstanceCount": 1, "InstanceType": "ml.m5.large", **more,
    }  # fmt: skip


def wait(ask: Callable[[], Any], done: Callable[[Any], bool], seconds: float = 180) -> Any:
    """Ask until the answer is as wanted."""
    deadline = time.monotonic() + seconds
    while True:
        answer = ask()
        if done(answer):
            return answer
        assert time.monotonic() < deadline, f"still {answer}"
        time.sleep(0.05)


@contextmanager
def refused(client: Any, code: str, *words: str) -> Iterator[None]:
    """The block must fail with this error code and these words."""
    try:
        yield
    except client.exceptions.ClientError as error:
        found = error.response["Error"]
    else:
        raise AssertionError(f"expected {code}")
    assert found["Code"] == code, found
    for word in words:
        assert word in found["Message"], found
