"""The judge of the shift that is about to begin is started: without one, no traffic moves."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from contracts.features import render_inputs
from contracts.judging import Shift, render_shift
from contracts.release import Release
from functions.before_traffic.serving import Serving
from functions.shared.hook import Deployment


def start_judge(
    states: Any, environment: Mapping[str, str], deployment: Deployment, release: Release, serving: Serving | None
) -> str:
    """Start the state machine `JUDGE_ARN`, once for each deployment; the sentence that says so.

    Empty where nothing is to be judged: there is no judge, or all traffic moves at once and nothing is looked at
    afterwards, or the release has served before. `states` is a boto3 Step Functions client.
    """
    judge, bakes = environment.get("JUDGE_ARN"), int(environment.get("BAKE_MINUTES") or 0) > 0
    if not judge or deployment.returning or not (deployment.stepwise or bakes):
        return ""
    shift = Shift(
        deployment.id,
        release.id,
        serving.release if serving else "",
        deployment.current,
        deployment.version,
        serving.edges if serving else (),
        environment["MANIFEST_URI"],
        environment["MANIFEST_SHA256"],
        deployment.stepwise,
        int(environment["JUDGE_SECONDS"]),
        serving.endpoint if serving else "",
        _apart(release, serving),
        int(environment["BAKE_SECONDS"]),
    )
    # A hook that is called twice starts one judge: the same name with the same input is the same execution while it
    # runs, and an error afterwards.
    # https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html
    try:
        states.start_execution(stateMachineArn=judge, name=deployment.id, input=json.dumps(render_shift(shift)))
    except ClientError as error:
        if error.response["Error"]["Code"] != "ExecutionAlreadyExists":
            raise
    return f"The judge looks every {shift.every} s."


def _apart(release: Release, serving: Serving | None) -> str:
    """Why the two versions' requests are not the same callers': empty where they are."""
    if serving is None:
        return ""
    if set(serving.features) == set(release.features) and serving.inputs == render_inputs(release.inputs):
        return ""
    return (
        f"releases {serving.release} and {release.id} take different requests, so that each version answers callers of"
        " its own, who may differ in more than that"
    )
