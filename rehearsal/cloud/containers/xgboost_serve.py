"""Stand-in for the built-in XGBoost serving container: load `xgboost-model`, answer `/invocations`."""

import csv
import io
import json
import tarfile
import threading
from typing import Any

MAX_PAYLOAD = 6 * 1024 * 1024


class ModelLoadError(Exception):
    """The artifact holds no model that XGBoost can load."""


class ContainerError(Exception):
    """What the container answers instead of a prediction: an HTTP status and a body."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


class XGBoostModel:
    """One loaded model; safe to call from several threads."""

    def __init__(self, booster: Any) -> None:
        self._booster = booster
        self._features: int = booster.num_features()
        self._lock = threading.Lock()

    @classmethod
    def from_archive(cls, archive: bytes) -> "XGBoostModel":
        """Load the model of a `model.tar.gz`. Raises ModelLoadError."""
        import xgboost

        booster = xgboost.Booster({"nthread": 1})
        try:
            booster.load_model(bytearray(_model_file(archive)))
        except xgboost.core.XGBoostError as error:
            raise ModelLoadError(f"Unable to load model: {str(error).splitlines()[0]}") from None
        return cls(booster)

    def invoke(self, body: bytes, content_type: str, accept: str) -> tuple[bytes, str]:
        """Answer body and content type. Raises ContainerError as the container answers it."""
        answer_type = _accepted(accept)
        scores = self.predict(_rows(body, content_type))
        if answer_type == "application/json":
            text = json.dumps({"predictions": [{"score": score} for score in scores]})
        else:
            text = "\n".join(_csv_line(score) for score in scores)
        return text.encode(), answer_type

    def predict(self, rows: list[list[float]]) -> list[Any]:
        """Scores of the rows: numbers, or lists of numbers where the objective gives several."""
        # The container makes a DMatrix while it reads, and only then looks at the number of features.
        matrix = _matrix(rows)
        for row in rows:
            if len(row) != self._features:
                raise ContainerError(
                    400,
                    f"Unable to evaluate payload provided: Feature size of csv inference data {len(row)} is not"
                    f" consistent with feature size of trained model {self._features}.",
                )
        # XGBoost's prediction is thread safe for trees only; dart and linear boosters are not.
        with self._lock:
            scores: list[Any] = self._booster.predict(matrix, validate_features=False).tolist()
        return scores


def _matrix(rows: list[list[float]]) -> Any:
    """As github.com/aws/sagemaker-xgboost-container makes it (encoder.py): whatever XGBoost says to it is a 415."""
    import numpy
    import xgboost

    try:
        return xgboost.DMatrix(numpy.array(rows, dtype=numpy.float64), nthread=1)
    except (ValueError, xgboost.core.XGBoostError) as error:
        raise _unreadable(error, str(error).splitlines()[0]) from None


def _unreadable(error: Exception, said: str) -> ContainerError:
    # algorithm_mode/serve.py: UNSUPPORTED_MEDIA_TYPE for everything that goes wrong while the payload is read.
    return ContainerError(
        415, f"Loading csv data failed with Exception, please ensure data is in csv format:\n {type(error)}\n {said}"
    )


def _model_file(archive: bytes) -> bytes:
    try:
        with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as tar:
            files = [member for member in tar.getmembers() if member.isfile()]
            named = [member for member in files if member.name.rsplit("/", 1)[-1] == "xgboost-model"]
            chosen = (named or files)[:1]
            handle = tar.extractfile(chosen[0]) if chosen else None
            if handle is None:
                raise ModelLoadError("Unable to load model: model.tar.gz holds no file")
            return handle.read()
    except (tarfile.TarError, OSError, EOFError) as error:
        raise ModelLoadError(f"Unable to extract model.tar.gz: {error}") from None


def _accepted(accept: str) -> str:
    wanted = [part.split(";")[0].strip().lower() for part in accept.split(",") if part.strip()] or ["text/csv"]
    for kind in wanted:
        if kind in ("text/csv", "application/json"):
            return kind
        if kind in ("*/*", "text/*"):
            return "text/csv"
    raise ContainerError(406, f"Accept type {accept} is not supported. Please use text/csv or application/json.")


def _rows(body: bytes, content_type: str) -> list[list[float]]:
    kind = content_type.split(";")[0].strip().lower()
    if kind != "text/csv":
        raise ContainerError(
            415, f"Content type {content_type or '(none)'} is not supported by the rehearsal: text/csv"
        )
    try:
        text = body.decode("utf-8").strip()
        # encoder.py, csv_to_dmatrix: the separator is guessed by the first line, and only an empty cell is NaN.
        delimiter = csv.Sniffer().sniff(text.split("\n")[0][:512]).delimiter if text else ","
        delimiter = "," if delimiter.isalnum() else delimiter
        rows = [[float(cell or "nan") for cell in line.split(delimiter)] for line in text.split("\n")] if text else []
    except (UnicodeDecodeError, ValueError, csv.Error) as error:
        raise _unreadable(error, str(error)) from None
    if not rows:
        raise ContainerError(400, "Unable to evaluate payload provided: the payload is empty")
    return rows


def _csv_line(score: Any) -> str:
    return ",".join(map(str, score)) if isinstance(score, list) else str(score)
