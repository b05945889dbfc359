"""S3, CodeDeploy and CloudWatch in memory, for one deployment of the judge."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from contracts.judging import Shift
from functions.judge.clients import Clients
from tests.functions import samples

BUCKET = "capture"
MANIFEST = "s3://artifacts/runs/r/release/manifest.json"
ENVIRONMENT = {
    "FUNCTION_NAME": "fares-prod-predict",
    "ALIAS": "live",
    "SERVICE": "fares-prod",
    "METRIC_NAMESPACE": "Glidepath",
    "CAPTURE_BUCKET": BUCKET,
    "KEY_ARN": "key",
    "APPLICATION": "fares-prod",
    "GROUP": "predict",
    "BAKE_MINUTES": "0",
    "ON_SILENCE": "return",
}


def shift(**changes: Any) -> Shift:
    """A deployment of the sample release over the champion that its evaluation asked."""
    given: dict[str, Any] = {
        "deployment": "d-1", "release": "20261121-1a2b3c4d", "former": "20261101-0a0b0c0d", "old": "7", "new": "8",
        "edges": (8.0, 12.0, 16.0, 20.0), "manifest": MANIFEST, "sha256": "", "judged": True, "every": 10,
        "endpoint": "e-7",
    }  # fmt: skip
    return Shift(**{**given, **changes})


@dataclass
class Aws:
    """Every client; `metrics` is what GetMetricData answers: (metric, version) → start of a period → sum."""

    status: str = "InProgress"
    objects: dict[str, bytes] = field(default_factory=dict)
    metrics: dict[tuple[str, str], dict[float, float]] = field(default_factory=dict)
    asked: list[dict[str, Any]] = field(default_factory=list)
    published: list[dict[str, Any]] = field(default_factory=list)
    made: list[dict[str, Any]] = field(default_factory=list)
    reported: list[dict[str, Any]] = field(default_factory=list)
    answered: bool = False
    fails: set[str] = field(default_factory=set)
    gone: set[str] = field(default_factory=set)
    code: str = "Complete"

    def __post_init__(self) -> None:
        self.objects.setdefault(MANIFEST.removeprefix("s3://"), json.dumps(samples.manifest()).encode())

    def clients(self, **environment: str) -> Clients:
        """As the handler makes them."""
        return Clients(self, self, self, self, {**ENVIRONMENT, **environment})

    def describe_endpoint(self, **request: str) -> dict[str, str]:
        if request["EndpointName"] in self.gone:
            error = {"Code": "ValidationException", "Message": "Could not find endpoint"}
            raise ClientError({"Error": error}, "DescribeEndpoint")
        return {"EndpointStatus": "InService"}

    def list_objects_v2(self, **request: Any) -> dict[str, Any]:
        start = f"{request['Bucket']}/{request['Prefix']}"
        keys = [key.partition("/")[2] for key in sorted(self.objects) if key.startswith(start)]
        return {"Contents": [{"Key": key} for key in keys[: request["MaxKeys"]]]} if keys else {}

    def get_object(self, **request: Any) -> dict[str, Any]:
        return {"Body": io.BytesIO(self.objects[f"{request['Bucket']}/{request['Key']}"])}

    def put_object(self, **request: Any) -> None:
        self._fail("put_object")
        assert (request["ServerSideEncryption"], request["SSEKMSKeyId"]) == ("aws:kms", "key")
        self.objects[f"{request['Bucket']}/{request['Key']}"] = request["Body"]

    def get_deployment(self, **_request: Any) -> dict[str, Any]:
        return {"deploymentInfo": {"status": self.status}}

    def create_deployment(self, **request: Any) -> None:
        self._fail("create_deployment")
        self.made.append(request)

    def put_lifecycle_event_hook_execution_status(self, **request: Any) -> None:
        if self.answered:
            error = {"Code": "LifecycleEventAlreadyCompletedException", "Message": "it is over"}
            raise ClientError({"Error": error}, "PutLifecycleEventHookExecutionStatus")
        self.reported.append(request)

    def put_metric_data(self, **request: Any) -> None:
        assert request["Namespace"] == "Glidepath"
        self.published.append({each["MetricName"]: each for each in request["MetricData"]})

    def get_metric_data(self, **request: Any) -> dict[str, Any]:
        """A page for each query but the last."""
        self.asked.append(request)
        assert request["StartTime"] < request["EndTime"], "CloudWatch refuses it"
        number = int(request.get("NextToken") or 0)
        query = request["MetricDataQueries"][number]
        metric = query["MetricStat"]["Metric"]
        dimensions = {each["Name"]: each["Value"] for each in metric["Dimensions"]}
        version = dimensions.get("Version") or dimensions.get("ExecutedVersion") or ""
        sums = self.metrics.get((metric["MetricName"], version), {})
        moments = [datetime.fromtimestamp(at, UTC) for at in sums]
        page: dict[str, Any] = {
            "MetricDataResults": [
                {"Id": query["Id"], "Timestamps": moments, "Values": list(sums.values()), "StatusCode": self.code}
            ]
        }
        last = number + 1 == len(request["MetricDataQueries"])
        return page if last else page | {"NextToken": str(number + 1)}

    def _fail(self, what: str) -> None:
        if what in self.fails:
            raise ClientError({"Error": {"Code": "ServiceUnavailable", "Message": "later"}}, what)
