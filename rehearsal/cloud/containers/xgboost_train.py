"""Stand-in for the built-in XGBoost training container.

Run as `python -m rehearsal.cloud.containers.xgboost_train <root>`, where `<root>` plays `/opt/ml`. Input, output and
exit code are the container's: `input/config/*.json`, `input/data/<channel>/…` (CSV, label first, no header),
`model/xgboost-model`, `checkpoints/…`, `output/failure`; logs and metrics on standard output.

What it does with checkpoints and early stopping is what the container of the image 3.2-0 does:
https://github.com/aws/sagemaker-xgboost-container/blob/8450838/src/sagemaker_xgboost_container/callback.py
"""

import contextlib
import json
import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import xgboost

from rehearsal.cloud.containers.hyperparameters import MAXIMISED, HyperparameterError, parse

CLUSTER = "REHEARSAL_XGBOOST_CLUSTER"
"""Variable with what a host needs to join the others, as JSON (xgboost_cluster.py); empty where it trains alone."""
_CONTENT_TYPES = ("text/csv", "csv")
_CHECKPOINT = "xgboost-checkpoint"
_OLD_CHECKPOINT = re.compile(rf"{_CHECKPOINT}\.([0-9]+)")


class DataError(Exception):
    """A channel that cannot be read as training data."""


def main(root: Path) -> int:
    """Train; returns the exit code."""
    joining = json.loads(os.environ.get(CLUSTER) or "{}")
    # The others fail as well once this host leaves them: what it says comes first.
    with xgboost.collective.CommunicatorContext(**joining) if joining else contextlib.nullcontext():
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
    booster = _fit(values, matrices, root)
    if _is_master():
        _save(booster, root)


def _is_master() -> bool:
    """Whether this host keeps what all of them have made."""
    return bool(xgboost.collective.get_rank() == 0)


def _save(booster: xgboost.Booster, root: Path) -> None:
    """The suffix says in which format; that of the real one has none, which means the same."""
    made = root / "model" / "xgboost-model.ubj"
    booster.save_model(made)
    made.rename(root / "model" / "xgboost-model")


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


def _fit(values: dict[str, Any], matrices: Mapping[str, xgboost.DMatrix], root: Path) -> xgboost.Booster:
    rounds = values.pop("num_round")
    patience = values.pop("early_stopping_rounds", None)
    intermediate = values.pop("save_model_on_termination", "false") == "true"
    checkpoints = _checkpoints(root / "input" / "config")
    start, done = _resumed(checkpoints)
    callbacks: list[xgboost.callback.TrainingCallback] = [_Log()]
    if checkpoints and _is_master():
        # The interval is the number of rounds that it resumes from, 0 at first: then it is the first round alone that
        # is written, as `xgboost-checkpoint_0.ubj`, which `_resumed` does not look for (since image 1.7-1).
        callbacks.append(xgboost.callback.TrainingCheckPoint(checkpoints, name=_CHECKPOINT, interval=done))
    if intermediate and _is_master():
        callbacks.append(_KeepModel(root))
    # Without eval_metric, the container has no metric to stop by, and goes on to the last round (train.py: train_job).
    metric = (values.get("eval_metric") or [None])[-1]
    if tuned := values.pop("_tuning_objective_metric", None):
        metric = tuned
        values["eval_metric"] = sorted({*(values.get("eval_metric") or ()), tuned})
    if patience and metric and "validation" in matrices:
        callbacks.append(
            xgboost.callback.EarlyStopping(
                patience,
                data_name="validation",
                metric_name=metric,
                save_best=_is_master(),
                maximize=metric in MAXIMISED,
            )
        )
    evaluated = [(matrices[name], name) for name in ("train", "validation") if name in matrices]
    return xgboost.train(
        {"verbosity": 1, **values}, matrices["train"], rounds - done, evals=evaluated, callbacks=callbacks,
        xgb_model=start, verbose_eval=False,
    )  # fmt: skip


def _checkpoints(config: Path) -> Path | None:
    """Where the platform wants checkpoints; None where it wants none."""
    told = config / "checkpointconfig.json"
    return Path(json.loads(told.read_text())["LocalPath"]) if told.is_file() else None


def _resumed(folder: Path | None) -> tuple[Path | None, int]:
    """The newest checkpoint that the container knows by its name, and how many rounds are in it."""
    names = list(folder.iterdir()) if folder and folder.is_dir() else []
    found = {int(match[1]): path for path in names if (match := _OLD_CHECKPOINT.fullmatch(path.name))}
    if not found:
        return None, 0
    newest = max(found)
    print(f"[INFO] Checkpoint loaded from {found[newest]}\n[INFO] Resuming from iteration {newest + 1}", flush=True)
    return found[newest], newest + 1


class _KeepModel(xgboost.callback.TrainingCallback):
    """The model as it stands after each round, for a job that is ended from outside."""

    def __init__(self, root: Path) -> None:
        super().__init__()
        self._root = root

    def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:
        _save(model, self._root)
        return False


class _Log(xgboost.callback.TrainingCallback):
    """One line a round, as the container writes it; the platform reads the metrics from these lines."""

    def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:
        if not _is_master():
            return False
        scores = (
            f"{data}-{metric}:{history[-1]:.5f}" for data, metrics in evals_log.items()
            for metric, history in metrics.items()
        )  # fmt: skip
        print(f"[{epoch}]\t" + "\t".join(scores), flush=True)
        return False


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
