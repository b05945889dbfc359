"""Entry point of the predict function: `functions.predict.handler.handle`.

| environment variable | meaning |
|---|---|
| `ENDPOINT_NAME`    | endpoint of this release |
| `RELEASE_ID`       | id of this release, in every answer |
| `FEATURES`         | JSON list of feature names, in the model's order |
| `METRIC_NAMESPACE` | namespace of the metrics (`Glidepath`) |
| `SERVICE`          | dimension `Service` of the metrics (`{name}-{env}`) |
| `VARIANTS`         | only in an A/B test: JSON object of variant and release; answers then name both |
| `PREDICTION_EDGES` | JSON list of the edges between the bins of the predictions; empty: none are counted |

Event: an API Gateway REST proxy request. Answer: a proxy response.

Metrics: `Requests` (1 per request), `ModelErrors` and `CallerErrors` (0 or 1 per request), `Latency` of the endpoint's
call in milliseconds, `Predictions`, the predicted values themselves (their SampleCount is the number of rows), and
`Bin0`, `Bin1`, …: how many predictions lie in each bin of the release's baseline. In an A/B test all but the last
are there by variant as well, and the bins count the release's own variant alone: the baseline is its own.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from typing import Any

from botocore.config import Config
from botocore.session import get_session

from functions.predict.metrics import Meter
from functions.predict.model import ModelError, predict
from functions.predict.request import INFERENCE_HEADER, CallerError, read_inference_id, read_request, read_variant
from functions.shared.log import log
from functions.shared.variants import VARIANT_HEADER

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
        self._edges: list[float] = json.loads(environment.get("PREDICTION_EDGES") or "[]")
        self._variants: dict[str, str] = json.loads(environment.get("VARIANTS") or "{}")
        self._meters: dict[tuple[str, str], Meter] = {}

    def handle(self, event: Mapping[str, Any], version: str) -> dict[str, Any]:
        """Answer one request; `version` is the function version that runs, a dimension of the metrics."""
        inference_id = ""
        try:
            inference_id = read_inference_id(event)
            request = read_request(event, self._features)
            wanted = read_variant(event, self._variants) if self._variants else ""
            started = time.perf_counter()
            predictions, variant = predict(self._client, self._endpoint, request, inference_id, wanted)
            latency = (time.perf_counter() - started) * 1000
        except CallerError as error:
            self._meter(version).caller_error(inference_id)
            return self._error(error.status, error.code, error.message, inference_id)
        except ModelError as failure:
            release = self._variants.get(failure.variant, self._release)
            log("ERROR", failure.detail, code=failure.code, release=release, inference_id=inference_id)
            self._meter(version, failure.variant).model_error(inference_id)
            return self._error(failure.status, failure.code, failure.message, inference_id, failure.variant)
        self._meter(version, variant).answered(inference_id, latency, predictions)
        release = self._variants.get(variant, self._release)
        answer = {"predictions": predictions, "release": release, "inference_id": inference_id}
        if self._variants:
            answer["variant"] = variant
        return self._respond(200, answer, inference_id, variant)

    def _meter(self, version: str, variant: str = "") -> Meter:
        """Made once: a sandbox runs one version, and an endpoint has few variants."""
        key = (version, variant if variant in self._variants else "")
        return self._meters.get(key) or self._new_meter(*key)

    def _new_meter(self, version: str, variant: str) -> Meter:
        release = self._variants.get(variant, self._release)
        edges = self._edges if release == self._release else []
        self._meters[version, variant] = Meter(self._namespace, self._service, release, version, edges, variant)
        return self._meters[version, variant]

    def _error(self, status: int, code: str, message: str, inference_id: str, variant: str = "") -> dict[str, Any]:
        return self._respond(status, {"error": {"code": code, "message": message}}, inference_id, variant)

    def _respond(self, status: int, body: Mapping[str, Any], inference_id: str, variant: str = "") -> dict[str, Any]:
        headers = {"content-type": "application/json", "x-glidepath-release": self._release}
        if variant in self._variants:
            headers |= {"x-glidepath-release": self._variants[variant], VARIANT_HEADER: variant}
        if inference_id:
            headers[INFERENCE_HEADER] = inference_id
        return {"statusCode": status, "headers": headers, "body": json.dumps(body), "isBase64Encoded": False}


def client() -> Any:
    """The client as it serves. botocore alone starts faster than boto3 does."""
    return get_session().create_client("sagemaker-runtime", config=_CLIENT_CONFIG)


# Made while Lambda initialises, when the processor is not throttled.
_SERVICE = Service(client(), os.environ)


def handle(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Lambda's entry point."""
    return _SERVICE.handle(event, context.function_version)
