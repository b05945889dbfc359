"""Entry point of the predict function: `functions.predict.handler.handle`.

| environment variable | meaning |
|---|---|
| `ENDPOINT_NAME`    | endpoint of this release |
| `RELEASE_ID`       | id of this release, in every answer |
| `FEATURES`         | JSON list of feature names, in the model's order |
| `METRIC_NAMESPACE` | namespace of the metrics (`Glidepath`) |
| `SERVICE`          | dimension `Service` of the metrics (`{name}-{env}`) |

Event: an API Gateway REST proxy request. Answer: a proxy response.

Metrics: `ModelErrors` and `CallerErrors` (0 or 1 per request), `Latency` of the endpoint's call in milliseconds, and
`Predictions`, the predicted values themselves: their SampleCount is the number of rows, their average and percentiles
show a shift of the distribution.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from typing import Any

from botocore.config import Config
from botocore.session import get_session

from functions.predict.model import ModelError, predict
from functions.predict.request import INFERENCE_HEADER, CallerError, read_inference_id, read_request
from functions.shared.log import Number, emit, log

# A metric may carry at most 100 values in one line of the embedded metric format.
_VALUES_PER_LINE = 100
# Two attempts must fit into the 29 seconds that API Gateway waits.
_CLIENT_CONFIG = Config(connect_timeout=2, read_timeout=10, retries={"mode": "standard", "total_max_attempts": 2})


class Service:
    """What one release's function knows: endpoint, release, features, and where its metrics go."""

    def __init__(self, client: Any, environment: Mapping[str, str]) -> None:
        self._client = client
        self._endpoint = environment["ENDPOINT_NAME"]
        self._release = environment["RELEASE_ID"]
        self._features: list[str] = json.loads(environment["FEATURES"])
        self._namespace = environment["METRIC_NAMESPACE"]
        self._service = environment["SERVICE"]

    def handle(self, event: Mapping[str, Any], version: str) -> dict[str, Any]:
        """Answer one request; `version` is the function version that runs, a dimension of the metrics."""
        inference_id = ""
        try:
            inference_id = read_inference_id(event)
            request = read_request(event, self._features)
            started = time.perf_counter()
            predictions = predict(self._client, self._endpoint, request, inference_id)
            latency = (time.perf_counter() - started) * 1000
        except CallerError as error:
            self._count(version, inference_id, CallerErrors=(1, "Count"))
            return self._error(error.status, error.code, error.message, inference_id)
        except ModelError as failure:
            log("ERROR", failure.detail, code=failure.code, release=self._release, inference_id=inference_id)
            self._count(version, inference_id, ModelErrors=(1, "Count"))
            return self._error(failure.status, failure.code, failure.message, inference_id)
        self._record(version, inference_id, latency, predictions)
        answer = {"predictions": predictions, "release": self._release, "inference_id": inference_id}
        return self._respond(200, answer, inference_id)

    def _record(self, version: str, inference_id: str, latency: float, predictions: list[float]) -> None:
        first, rest = predictions[:_VALUES_PER_LINE], predictions[_VALUES_PER_LINE:]
        self._count(
            version,
            inference_id,
            ModelErrors=(0, "Count"),
            CallerErrors=(0, "Count"),
            Latency=(round(latency, 3), "Milliseconds"),
            Predictions=(first, "None"),
        )
        for start in range(0, len(rest), _VALUES_PER_LINE):
            self._count(version, inference_id, Predictions=(rest[start : start + _VALUES_PER_LINE], "None"))

    def _count(self, version: str, inference_id: str, **metrics: tuple[Number | list[float], str]) -> None:
        emit(
            self._namespace,
            {"Service": self._service, "Version": version},
            [["Service"], ["Service", "Version"]],
            metrics,
            release=self._release,
            inference_id=inference_id,
        )

    def _error(self, status: int, code: str, message: str, inference_id: str) -> dict[str, Any]:
        return self._respond(status, {"error": {"code": code, "message": message}}, inference_id)

    def _respond(self, status: int, body: Mapping[str, Any], inference_id: str) -> dict[str, Any]:
        headers = {"content-type": "application/json", "x-glidepath-release": self._release}
        if inference_id:
            headers[INFERENCE_HEADER] = inference_id
        return {"statusCode": status, "headers": headers, "body": json.dumps(body), "isBase64Encoded": False}


# Made while Lambda initialises, when the processor is not throttled. botocore alone starts faster than boto3 does.
_SERVICE = Service(get_session().create_client("sagemaker-runtime", config=_CLIENT_CONFIG), os.environ)


def handle(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Lambda's entry point."""
    return _SERVICE.handle(event, context.function_version)
