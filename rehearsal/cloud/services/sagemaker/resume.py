"""What SageMaker was doing when the cloud was restarted: jobs have failed, endpoints and schedules go on."""

from rehearsal.cloud.core.api import Cloud, on_restore
from rehearsal.cloud.services.sagemaker import endpoints, executions, processing, state, trainer, training, tuning
from rehearsal.cloud.wire.types import INTERRUPTED

_REASON = f"InternalServerError: {INTERRUPTED}"


@on_restore
def resume(cloud: Cloud) -> None:
    """Jobs ran in processes that ended; an endpoint is made from what is kept, and a schedule needs its thread."""
    for account, region, _ in cloud.stores(state.SERVICE):
        _end_jobs(cloud, account, region)
        for endpoint in list(state.table(cloud, account, region, endpoints.KIND).values()):
            endpoints.resume(cloud, account, region, endpoint)
        for schedule in state.table(cloud, account, region, executions.SCHEDULE).values():
            for execution in schedule["_executions"]:
                if execution["MonitoringExecutionStatus"] == "InProgress":
                    execution |= {"MonitoringExecutionStatus": "Failed", "FailureReason": _REASON}
            if schedule["MonitoringScheduleStatus"] == "Scheduled":
                executions.watch(cloud, account, region, schedule)


def _end_jobs(cloud: Cloud, account: str, region: str) -> None:
    for kind, prefix, announce in (
        (training.KIND, "Training", trainer.announce),
        (processing.KIND, "Processing", processing.announce),
        (tuning.KIND, "HyperParameterTuning", tuning.announce),
    ):
        for job in state.table(cloud, account, region, kind).values():
            status = f"{prefix}JobStatus"
            if job[status] not in ("InProgress", "Stopping"):
                continue
            now = cloud.clock.now()
            job |= {f"{prefix}EndTime": now, "LastModifiedTime": now}
            job[status] = "Stopped" if job[status] == "Stopping" else "Failed"
            if job[status] == "Failed":
                job["FailureReason"] = _REASON
            if kind == training.KIND:
                job["SecondaryStatus"] = job[status]
            announce(cloud, account, region, job)
