"""Stand-in for the built-in XGBoost training container.

Run as `python -m rehearsal.cloud.containers.xgboost_train <root>`, where `<root>` plays `/opt/ml`. Input, output and
exit code are the container's: `input/config/*.json`, `input/data/<channel>/…` (CSV, label first, no header),
`model/xgboost-model`, `output/failure`; logs and metrics on standard output.
"""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import xgboost

from rehearsal.cloud.containers.hyperparameters import MAXIMISED, HyperparameterError, parse

_CONTENT_TYPES = ("text/csv", "csv")


class DataError(Exception):
    """A channel that cannot be read as training data."""


def main(root: Path) -> int:
    """Train; returns the exit code."""
    try:
        train(root)
    except (HyperparameterError, DataError, xgboost.core.XGBoostError) as error:
        print(f"[ERROR] {error}", flush=True)
        (root / "output" / "failure").write_text(str(error))
        return 1
    return 0


def train(root: Path) -> None:
    """Read the channels, train with the given hyperparameters, save the model."""
    config = root / "input" / "config"
    values = parse(json.loads((config / "hyperparameters.json").read_text()))
    channels: dict[str, dict[str, Any]] = json.loads((config / "inputdataconfig.json").read_text())
    if "train" not in channels:
        raise DataError("Missing required channel: train")
    unknown = sorted(set(channels) - {"train", "validation"})
    if unknown:
        raise DataError(f"Extraneous channels found: {', '.join(unknown)}")
    weighted = bool(values.pop("csv_weights", 0))
    matrices = {name: _matrix(root, name, channel, weighted) for name, channel in channels.items()}
    booster = _fit(values, matrices)
    booster.save_model(root / "model" / "xgboost-model.ubj")
    (root / "model" / "xgboost-model.ubj").rename(root / "model" / "xgboost-model")


def _matrix(root: Path, name: str, channel: dict[str, Any], weighted: bool) -> xgboost.DMatrix:
    content_type = str(channel.get("ContentType", "text/libsvm")).split(";")[0].strip()
    if content_type not in _CONTENT_TYPES:
        raise DataError(
            f"not implemented by the rehearsal: content type {content_type} of channel {name}; it reads text/csv"
        )
    data = _read_csv(root / "input" / "data" / name, name)
    first = 2 if weighted else 1
    if data.shape[1] <= first:
        raise DataError(f"channel {name} has {data.shape[1]} column(s): no feature beside the label")
    label = data[:, 0]
    if not np.isfinite(label).all():
        raise DataError(f"channel {name}: the label (first column) has missing or infinite values")
    print(f"[INFO] {name} matrix has {data.shape[0]} rows and {data.shape[1] - first} columns", flush=True)
    return xgboost.DMatrix(data[:, first:], label=label, weight=data[:, 1] if weighted else None)


def _read_csv(folder: Path, name: str) -> np.ndarray:
    import duckdb

    # The container takes every file of the channel, `_SUCCESS` as well, and finds the delimiter in the first line of
    # whichever `os.listdir` gives first: where one is empty, it fails now and then. Here it always does.
    # github.com/aws/sagemaker-xgboost-container, data_utils.py: _make_symlinks_from_a_folder, _get_csv_delimiter.
    files = sorted(str(path) for path in folder.rglob("*") if path.is_file())
    empty = [path for path in files if not Path(path).stat().st_size]
    if empty:
        shown = Path(empty[0]).relative_to(folder)
        raise DataError(f"Could not determine delimiter on line (channel {name}: {shown} is empty)")
    reader = "SELECT * FROM read_csv(?, header = false, all_varchar = true, delim = ',')"
    with duckdb.connect(config={"autoinstall_known_extensions": "false"}) as connection:
        try:
            texts = connection.execute(reader, [files])
            casts = ", ".join(f'CAST("{column[0]}" AS DOUBLE)' for column in texts.description or [])
            columns = connection.execute(f"SELECT {casts} FROM ({reader})", [files]).fetchnumpy()
        except duckdb.Error as error:
            raise DataError(
                "Loading csv data failed with Exception, please ensure data is in csv format:"
                f" channel {name}: {str(error).splitlines()[0]}"
            ) from None
    found = np.column_stack([np.ma.filled(column.astype(float), np.nan) for column in columns.values()])
    # The parser passes over an empty cell, so that a last column that is empty in all rows is none:
    # github.com/dmlc/dmlc-core, src/data/csv_parser.h, ParseBlock.
    while found.shape[1] > 1 and np.isnan(found[:, -1]).all():
        found = found[:, :-1]
    return found


def _fit(values: dict[str, Any], matrices: dict[str, xgboost.DMatrix]) -> xgboost.Booster:
    rounds = values.pop("num_round")
    patience = values.pop("early_stopping_rounds", None)
    values.pop("save_model_on_termination", None)
    callbacks: list[xgboost.callback.TrainingCallback] = [_Log()]
    if patience:
        if "validation" not in matrices:
            raise DataError("early_stopping_rounds needs a validation channel")
        metrics = values.get("eval_metric")
        metric = metrics[-1] if metrics else None
        callbacks.append(
            xgboost.callback.EarlyStopping(
                patience, data_name="validation", metric_name=metric, save_best=True,
                maximize=metric.split("@")[0] in MAXIMISED if metric else None,
            )
        )  # fmt: skip
    evaluated = [(matrices[name], name) for name in ("train", "validation") if name in matrices]
    return xgboost.train(
        {"verbosity": 1, **values}, matrices["train"], rounds, evals=evaluated, callbacks=callbacks, verbose_eval=False
    )


class _Log(xgboost.callback.TrainingCallback):
    """One line a round, as the container writes it; the platform reads the metrics from these lines."""

    def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:
        scores = (
            f"{data}-{metric}:{history[-1]:.5f}" for data, metrics in evals_log.items()
            for metric, history in metrics.items()
        )  # fmt: skip
        print(f"[{epoch}]\t" + "\t".join(scores), flush=True)
        return False


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
