"""Asking the endpoint. Whatever goes wrong from here on is the model's failure, and counts against the release."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from botocore.exceptions import BotoCoreError, ClientError, ConnectTimeoutError, ReadTimeoutError

from functions.predict.request import Request

# The service's own words (github.com/aws/amazon-sagemaker-examples/issues/559): a code of its own there is not.
_GONE = re.compile(r"Endpoint \S+ of account \S+ not found")
_SLOW = ("ModelNotReadyException", "ThrottlingException", "ServiceUnavailable", "ServiceUnavailableException")


class Answer(NamedTuple):
    """One finite number per row: the value, of two classes the probability of the second, of several the place of the
    most probable. `probabilities` are those of each class, where the classes have names; else empty."""

    predictions: list[float]
    probabilities: list[list[float]]


class ModelError(Exception):
    """The model gave no usable answer. `message` is for the caller, `detail` for the log.

    `variant` is the one that answered, where that is known: SageMaker does not say whose failure it reports.
    """

    variant = ""

    def __init__(self, status: int, code: str, message: str, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.message = message
        self.detail = detail


class EndpointGoneError(ModelError):
    """There is no such endpoint (any more)."""


def predict(
    client: Any, endpoint: str, request: Request, inference_id: str, wanted: str = "", classes: Sequence[str] = ()
) -> tuple[Answer, str]:
    """What the model says of each row, and the variant that said it: the one `wanted`, or else one by weight.

    `client` is a sagemaker-runtime client. Raises ModelError (502 or 504).
    """
    target = {"TargetVariant": wanted} if wanted else {}
    try:
        answer = client.invoke_endpoint(
            EndpointName=endpoint,
            ContentType="text/csv",
            Accept="text/csv",
            InferenceId=inference_id,
            Body=request.csv.encode(),
            **target,
        )
        body: bytes = answer["Body"].read()
    except (ReadTimeoutError, ConnectTimeoutError) as error:
        raise ModelError(504, "model_timeout", "The model did not answer in time.", str(error)) from error
    except ClientError as error:
        raise _failure(error) from error
    except BotoCoreError as error:
        raise ModelError(502, "model_unreachable", "The model could not be reached.", str(error)) from error
    variant: str = answer.get("InvokedProductionVariant", "")
    try:
        return parse_answer(body, request.rows, classes), variant
    except ModelError as failure:
        failure.variant = variant
        raise


def parse_answer(body: bytes, rows: int, classes: Sequence[str]) -> Answer:
    """A CSV answer: of three or more classes a probability for each of them, a row after the other."""
    if len(classes) < 3:
        found = parse_predictions(body, rows)
        return Answer(found, [[1 - value, value] for value in found] if classes else [])
    numbers, width = parse_predictions(body, rows * len(classes)), len(classes)
    probabilities = [numbers[start : start + width] for start in range(0, len(numbers), width)]
    return Answer([row.index(max(row)) for row in probabilities], probabilities)


def labels(answer: Answer, classes: Sequence[str]) -> list[str]:
    """The class of each row. Of two, 0.5 is the first one's, as in the container:

    github.com/aws/sagemaker-xgboost-container, serve_utils.py, _get_predicted_label.
    """
    if len(classes) == 2:
        return [classes[value > 0.5] for value in answer.predictions]
    return [classes[int(place)] for place in answer.predictions]


def parse_predictions(body: bytes, rows: int) -> list[float]:
    """The numbers of a CSV answer, separated by commas or line ends: the container's versions differ in that."""
    try:
        predictions = [float(cell) for cell in body.decode().strip().replace("\n", ",").split(",")]
    except ValueError:
        raise _unusable(f"not numbers: {body[:200]!r}") from None
    if len(predictions) != rows:
        raise _unusable(f"{len(predictions)} predictions for {rows} rows")
    if not all(map(math.isfinite, predictions)):
        raise _unusable(f"a prediction that is not finite: {body[:200]!r}")
    return predictions


def _failure(error: ClientError) -> ModelError:
    code = error.response.get("Error", {}).get("Code", "Unknown")
    if code in _SLOW:
        return ModelError(504, "model_overloaded", "The model is too busy to answer. Try again.", str(error))
    gone = code == "ValidationError" and _GONE.search(str(error))
    return (EndpointGoneError if gone else ModelError)(502, "model_error", "The model failed to answer.", str(error))


def _unusable(detail: str) -> ModelError:
    return ModelError(502, "model_invalid_output", "The model's answer is not usable.", detail)
