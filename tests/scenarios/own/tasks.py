"""The flats' project learns classes instead of rents: another commit and another config, and nothing else.

`python -m tests.scenarios.own.tasks TASK` in the project's folder, beside its rehearsal that was kept up: delivery is
brought to the new config, the commit travels to production, and the run's entry is printed as JSON.
"""

import json
import sys
from pathlib import Path
from typing import Any

import yaml

from operate.clients import Clients
from operate.project import read_project
from rehearsal.environment import Rehearsal
from scenarios import workplace
from scenarios.stacks import Stacks
from scenarios.tour.conduct import with_environment
from scenarios.tour.dataset import read_table
from scenarios.tour.display import Display
from scenarios.tour.source import source_zip
from scenarios.tour.tour import Tour
from tests.scenarios.own.project import DATASET, HYPERPARAMETERS

FAIR, DEAR = 1000, 1500
"""Rents in EUR from which on a flat is called so."""
CLASSES = {"binary": ["affordable", "dear"], "multiclass": ["cheap", "fair", "dear"]}
PLACES = {
    "binary": f"CASE WHEN rent_eur >= {DEAR} THEN 1 ELSE 0 END",
    "multiclass": f"CASE WHEN rent_eur >= {DEAR} THEN 2 WHEN rent_eur >= {FAIR} THEN 1 ELSE 0 END",
}
METRICS = {"binary": {"name": "auc", "threshold": 0.9}, "multiclass": {"name": "f1_macro", "threshold": 0.7}}
OBJECTIVES: dict[str, dict[str, Any]] = {
    "binary": {"objective": "binary:logistic", "eval_metric": "auc"},
    "multiclass": {"objective": "multi:softprob", "num_class": 3, "eval_metric": "mlogloss"},
}


def commit(root: Path, task: str) -> None:
    """Write the task's config and features.sql."""
    stack, sql = root / "Pulumi.delivery.yaml", root / "functions" / "jobs" / "features" / "features.sql"
    document = yaml.safe_load(stack.read_text(encoding="utf-8"))
    dataset = {**DATASET, "metric": METRICS[task], "task": task, "classes": CLASSES[task]}
    document["config"]["glidepath:dataset"] = dataset
    document["config"]["glidepath:hyperparameters"] = {**HYPERPARAMETERS, "min_child_weight": 1, **OBJECTIVES[task]}
    stack.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    head, select, tail = sql.read_text(encoding="utf-8").partition("\nSELECT\n")
    _, rest = tail.split("\n", 1)
    sql.write_text(f"{head}{select}    {PLACES[task]} AS rent_eur,\n{rest}", encoding="utf-8")


def release(task: str) -> None:
    """From the commit to production."""
    rehearsal = Rehearsal.here()
    commit(rehearsal.root, task)
    with_environment(rehearsal)
    project = read_project(rehearsal.root)
    workplace.lay_out(rehearsal)
    stacks = Stacks(rehearsal.root, rehearsal.folder, rehearsal.environ())
    table = read_table(rehearsal.root / "flats.csv")
    tour = Tour(project, Clients(project), stacks, Display(), table, assume_yes=True)
    tour.up("delivery")
    source = source_zip(rehearsal.root, workplace.stack_files(rehearsal.root, rehearsal.project))
    s3 = tour.clients.of("delivery", "s3")
    entry = tour.travel(
        f"Task {task}",
        lambda: s3.put_object(Bucket=project.names.data_bucket, Key="source/source.zip", Body=source),
    )
    print(json.dumps(entry))


if __name__ == "__main__":
    release(sys.argv[1])
