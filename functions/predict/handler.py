"""Entry point of the predict function: `functions.predict.handler.handle`.

| environment variable | meaning |
|---|---|
| `ENDPOINT_NAME`    | endpoint of this release |
| `RELEASE_ID`       | id of this release, in every answer |
| `FEATURES`         | JSON list of the names of the model's columns, in its order |
| `INPUTS`           | only where a feature may be null, or is a category: which, and how (`contracts/features.py`) |
| `METRIC_NAMESPACE` | namespace of the metrics (`Glidepath`) |
| `SERVICE`          | dimension `Service` of the metrics (`{name}-{env}`) |
| `VARIANTS`         | only in an A/B test: JSON object of variant and release; answers then name both |
| `FORMER`           | only after a change of schema: the release that served before (`contracts/former.py`) |
| `CLASSES`          | JSON list of the classes' names; only where the model tells classes apart that have names |
| `PREDICTION_EDGES` | JSON list of the edges between the bins of the predictions; empty: none are counted |
| `LATENCY_MS`       | from how many milliseconds on an answer is slow |

Event: an API Gateway REST proxy request. Answer: a proxy response. With `CLASSES`, its body has `labels` (the class of
each row) and `probabilities` (of each row, in the order of `CLASSES`) beside `predictions`, which are the probability
of the second of two classes, and of several the place of the most probable one.

Metrics: `Requests` (1 per request), `ModelErrors` and `CallerErrors` (0 or 1 per request), `Latency` of the endpoint's
call in milliseconds, `Predictions`, the predicted values themselves (their SampleCount is the number of rows), and
`Bin0`, `Bin1`, …: which share of the request's predictions lies in each bin of the release's baseline. `Judged` (1),
`JudgedFailed` and `JudgedSlow` (0 or 1) are what the judge of a shift compares, by the second and by version alone, as
the bins are. Of the probe's requests (by their inference id) only the first three are reported, of those that the hook
before traffic replays none. In an A/B test the first five are there by variant as well, and the bins count the
release's own variant alone: the baseline is its own.

The first request that a sandbox asks a model is neither judged nor counted in a bin. It makes the connection, so it is
slow for no fault of the release, and a new version has more sandboxes that are new. Bins are of what is judged: they
are compared with it. The alarm on their distribution loses one request of each sandbox, whatever was asked.

While traffic moves between releases of different schemas, callers of the former one reach this version too. A request
that suits only the former schema is handed on to the former endpoint, and all that is said of it (metrics, log, answer)
is said of the former release and its version; this version reports `HandedOn` (1). Once that endpoint is gone, such a
request gets a 400 that names the difference.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from typing import Any

from botocore.config import Config
from botocore.session import get_session

from contracts.monitoring import PROBES
from functions.predict.metrics import Meter
from functions.predict.model import EndpointGoneError, ModelError, labels, predict
from functions.predict.request import INFERENCE_HEADER, CallerError, Request, read_inference_id, read_variant
from functions.predict.served import Served, difference, former, own, read
from functions.shared.log import log
from functions.shared.variants import VARIANT_HEADER

# Two attempts must fit into the 29 seconds that API Gateway waits.
_CLIENT_CONFIG = Config(connect_timeout=2, read_timeout=10, retries={"mode": "standard", "total_max_attempts": 2})


class Service:
    """What one release's function knows: the releases that it asks, and where its metrics go."""

    def __init__(self, client: Any, environment: Mapping[str, str]) -> None:
        self._client = client
        self._own = own(environment)
        self._former = former(environment, self._own.schema.columns)
        self._former_gone = False
        self._namespace = environment["METRIC_NAMESPACE"]
        self._service = environment["SERVICE"]
        self._latency_ms = float(environment["LATENCY_MS"])
        self._asked = False
        self._meters: dict[tuple[str, str, str], Meter] = {}

    def handle(self, event: Mapping[str, Any], version: str) -> dict[str, Any]:
        """Answer one request; `version` is the function version that runs, a dimension of the metrics."""
        inference_id = ""
        try:
            inference_id = read_inference_id(event)
            served, request = read(event, self._own, self._former)
        except CallerError as error:
            return self._refused(self._own, version, error, inference_id)
        if served is self._former:
            return self._hand_on(event, version, served, request, inference_id)
        return self._ask(event, version, served, request, inference_id)

    def _ask(
        self, event: Mapping[str, Any], version: str, served: Served, request: Request | CallerError, inference_id: str
    ) -> dict[str, Any]:
        """Have a release answer; `version` is the one that its metrics are of."""
        try:
            if isinstance(request, CallerError):
                raise request
            wanted = read_variant(event, served.variants) if served.variants else ""
            judged, self._asked = self._asked, True
            started = time.perf_counter()
            found, variant = predict(self._client, served.endpoint, request, inference_id, wanted, served.classes)
            latency = (time.perf_counter() - started) * 1000
        except CallerError as error:
            return self._refused(served, version, error, inference_id)
        except EndpointGoneError as failure:
            if served is self._former:
                raise
            return self._failed(served, version, failure, inference_id, judged)
        except ModelError as failure:
            return self._failed(served, version, failure, inference_id, judged)
        meter = self._meter(served, version, variant)
        if inference_id.startswith(PROBES):
            meter.probed(inference_id)
        else:
            meter.answered(inference_id, latency, found.predictions, judged)
        answer = {
            "predictions": found.predictions,
            **({"labels": labels(found, served.classes)} if served.classes else {}),
            **({"probabilities": found.probabilities} if served.classes else {}),
            "release": served.variants.get(variant, served.release),
            "inference_id": inference_id,
        }
        if served.variants:
            answer["variant"] = variant
        return _respond(served, 200, answer, inference_id, variant)

    def _hand_on(
        self, event: Mapping[str, Any], version: str, served: Served, request: Request | CallerError, inference_id: str
    ) -> dict[str, Any]:
        """Have the former release answer, as long as it has an endpoint."""
        if not self._former_gone:
            try:
                answer = self._ask(event, served.version, served, request, inference_id)
            except EndpointGoneError as failure:
                # An endpoint's name is not given twice: it need not be asked again.
                self._former_gone = True
                log("INFO", failure.detail, release=served.release, inference_id=inference_id)
            else:
                self._meter(self._own, version).handed_on(inference_id)
                return answer
        _, unsuited = read(event, self._own, None)
        if isinstance(unsuited, CallerError):
            unsuited.message += f" {difference(self._own, served)}"
        return self._ask(event, version, self._own, unsuited, inference_id)

    def _refused(self, served: Served, version: str, error: CallerError, inference_id: str) -> dict[str, Any]:
        self._meter(served, version).caller_error(inference_id)
        return _error(served, error.status, error.code, error.message, inference_id)

    def _failed(
        self, served: Served, version: str, failure: ModelError, inference_id: str, judged: bool
    ) -> dict[str, Any]:
        release = served.variants.get(failure.variant, served.release)
        log("ERROR", failure.detail, code=failure.code, release=release, inference_id=inference_id)
        judged = judged and not inference_id.startswith(PROBES)
        self._meter(served, version, failure.variant).model_error(inference_id, judged)
        return _error(served, failure.status, failure.code, failure.message, inference_id, failure.variant)

    def _meter(self, served: Served, version: str, variant: str = "") -> Meter:
        """Made once: a sandbox runs one version, and an endpoint has few variants."""
        key = (served.release, version, variant if variant in served.variants else "")
        return self._meters.get(key) or self._new_meter(key, served)

    def _new_meter(self, key: tuple[str, str, str], served: Served) -> Meter:
        _, version, variant = key
        release = served.variants.get(variant, served.release)
        edges = served.edges if release == served.release else []
        self._meters[key] = Meter(self._namespace, self._service, release, version, edges, self._latency_ms, variant)
        return self._meters[key]


def _error(
    served: Served, status: int, code: str, message: str, inference_id: str, variant: str = ""
) -> dict[str, Any]:
    return _respond(served, status, {"error": {"code": code, "message": message}}, inference_id, variant)


def _respond(
    served: Served, status: int, body: Mapping[str, Any], inference_id: str, variant: str = ""
) -> dict[str, Any]:
    headers = {"content-type": "application/json", "x-glidepath-release": served.release}
    if variant in served.variants:
        headers |= {"x-glidepath-release": served.variants[variant], VARIANT_HEADER: variant}
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
