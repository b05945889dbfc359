"""Which pool of processes runs which version of which function."""

import threading
from pathlib import Path

from rehearsal.cloud.core.api import Cloud, on_start
from rehearsal.cloud.services.lambda_ import package
from rehearsal.cloud.services.lambda_.pool import IDLE_SECONDS, Plan, Pool
from rehearsal.cloud.services.lambda_.state import Function, Snapshot

_REAP_EVERY = 5.0
_lock = threading.Lock()


def _pools(cloud: Cloud) -> dict[tuple[str, str], tuple[str, Pool]]:
    """By function ARN and version: the revision that the pool runs, and the pool."""
    return cloud.store("lambda-runtime", "", "").setdefault("pools", {})  # type: ignore[no-any-return]


def pool_for(cloud: Cloud, function: Function, version: str) -> Pool:
    """The pool of a version. A change of `$LATEST` ends the processes that ran what it was before."""
    snapshot = function.snapshot(version)
    revision = snapshot.config["RevisionId"]
    key = (function.arn, version)
    with _lock:
        known = _pools(cloud).get(key)
        if known and known[0] == revision:
            return known[1]
        pool = Pool(cloud, _plan(cloud, function, snapshot), function.name, version)
        _pools(cloud)[key] = (revision, pool)
    if known:
        known[1].close()
    return pool


def forget(cloud: Cloud, function: Function) -> None:
    """Ends all processes of a function that is gone."""
    with _lock:
        keys = [key for key in _pools(cloud) if key[0] == function.arn]
        gone = [_pools(cloud).pop(key)[1] for key in keys]
    for pool in gone:
        pool.close()


def _plan(cloud: Cloud, function: Function, snapshot: Snapshot) -> Plan:
    folder = package.unpack(cloud, snapshot.code)
    layers = tuple(_layer_folder(cloud, function, layer["Arn"]) for layer in snapshot.config.get("Layers", []))
    return Plan(
        handler=snapshot.config["Handler"],
        task_root=folder,
        layers=layers,
        environment=lambda: environment(cloud, function, snapshot, folder),
    )


def _layer_folder(cloud: Cloud, function: Function, arn: str) -> Path:
    layer = package.layer_version(cloud, function.account, function.region, arn)
    return package.unpack(cloud, layer.code_bytes)


def environment(cloud: Cloud, function: Function, snapshot: Snapshot, folder: Path) -> dict[str, str]:
    """The variables of a function's process: AWS's own, its role's credentials, and the function's. Nothing else."""
    config = snapshot.config
    credentials = cloud.assume_for_service(config["Role"], "lambda.amazonaws.com", function.name)
    return {
        **config.get("Environment", {}).get("Variables", {}),
        **credentials.environment(),
        "_HANDLER": config["Handler"],
        "AWS_REGION": function.region,
        "AWS_DEFAULT_REGION": function.region,
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{config['Runtime']}",
        "AWS_LAMBDA_FUNCTION_NAME": function.name,
        "AWS_LAMBDA_FUNCTION_VERSION": config["Version"],
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(config["MemorySize"]),
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": config["LoggingConfig"]["LogGroup"],
        "AWS_ENDPOINT_URL": cloud.url,
        "LAMBDA_TASK_ROOT": str(folder),
        "LANG": "en_US.UTF-8",
        "TZ": ":UTC",
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "NO_PROXY": "127.0.0.1,localhost",
    }


@on_start
def start_reaper(cloud: Cloud) -> None:
    """Idle environments end after a while, as on AWS."""

    def reap() -> None:
        while cloud.clock.pause(_REAP_EVERY):
            for _, pool in list(_pools(cloud).values()):
                pool.reap(IDLE_SECONDS)

    cloud.background(reap, name="lambda-reaper")
