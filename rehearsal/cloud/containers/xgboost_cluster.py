"""The training containers of several instances, each with an `/opt/ml` of its own: `<root>/algo-1`, `<root>/algo-2`, …

Run as `python -m rehearsal.cloud.containers.xgboost_cluster <root>`. On AWS the first host runs the tracker by which
they find each other, here this process does. A host without data is left out, and what one alone has is trained alone:
https://github.com/aws/sagemaker-xgboost-container/blob/8450838/src/sagemaker_xgboost_container/algorithm_mode/train.py
(sagemaker_train) and distributed.py (rabit_run).
"""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path

from xgboost.tracker import RabitTracker

from rehearsal.cloud.containers.xgboost_train import CLUSTER


def main(root: Path) -> int:
    """Train on every host that has data; returns the exit code of the first that failed."""
    hosts = sorted(root.glob("algo-*"), key=lambda host: int(host.name.rpartition("-")[2]))
    having = [host for host in hosts if _has_data(host)]
    for host in hosts:
        if host not in having:
            print(
                f"[WARNING] Host {host.name} does not have training data. Will broadcast to cluster and this host"
                f" {host.name} will not be used in distributed training. Please divide the training data across"
                " instances properly.",
                flush=True,
            )
    if not having:
        return _fail(hosts[0], "No hosts received training data.")
    if len(having) == 1:
        return _wait([_start(having[0], {})])
    tracker = RabitTracker(n_workers=len(having), host_ip="127.0.0.1", sortby="task")
    tracker.start()
    joining: dict[str, str | int] = tracker.worker_args()
    return _wait([_start(host, {**joining, "dmlc_task_id": str(task)}) for task, host in enumerate(having)])


def _has_data(host: Path) -> bool:
    channels = json.loads((host / "input" / "config" / "inputdataconfig.json").read_text())
    folders = [host / "input" / "data" / name for name in channels]
    return all(any(path.stat().st_size for path in folder.rglob("*") if path.is_file()) for folder in folders)


def _fail(host: Path, reason: str) -> int:
    print(f"[ERROR] {reason}", flush=True)
    (host / "output" / "failure").write_text(reason)
    return 1


def _start(host: Path, joining: Mapping[str, str | int]) -> "subprocess.Popen[bytes]":
    argv = [sys.executable, "-m", "rehearsal.cloud.containers.xgboost_train", str(host)]
    return subprocess.Popen(argv, env={**os.environ, CLUSTER: json.dumps(joining)})


def _wait(processes: "list[subprocess.Popen[bytes]]") -> int:
    """A host that fails ends the job: the others would wait for it."""
    codes: list[int] = []

    def watch(process: "subprocess.Popen[bytes]") -> None:
        code = process.wait()
        if code:
            codes.append(code)
            for other in processes:
                other.kill()

    threads = [threading.Thread(target=watch, args=(process,)) for process in processes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return codes[0] if codes else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
