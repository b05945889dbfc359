"""Manual approval: a notification, a token, an expiry."""

import json
import uuid
from datetime import timedelta

from botocore.exceptions import ClientError

from rehearsal.cloud.services.codepipeline.actions.base import ActionError, Context, describe_error

DEFAULT_TIMEOUT_MINUTES = 7 * 24 * 60
_POLL_SECONDS = 0.5


def manual(context: Context) -> None:
    """Waits for PutApprovalResult. A rejection or the expiry fails the action."""
    run, clock = context.run, context.cloud.clock
    minutes = run.declaration.get("timeoutInMinutes", DEFAULT_TIMEOUT_MINUTES)
    expires = run.started + timedelta(seconds=clock.scaled(60 * minutes))
    if run.token is None:
        run.token = str(uuid.uuid4())
        _notify(context, run.token, minutes)
    while run.decision is None:
        left = (expires - clock.now()).total_seconds()
        if left <= 0:
            # from here on an answer is refused
            with context.pipeline.changed:
                run.token = None if run.decision is None else run.token
            if run.decision is None:
                raise ActionError("ApprovalExpired", f"The approval expired: nobody answered within {minutes} minutes")
            break
        context.pause(min(left, _POLL_SECONDS))
    run.summary = run.decision["summary"] or None
    if run.decision["status"] == "Rejected":
        why = f": {run.decision['summary']}" if run.decision["summary"] else ""
        raise ActionError("ApprovalRejected", f"The approval was rejected by {run.decision['by']}{why}")


def _notify(context: Context, token: str, minutes: int) -> None:
    """Sends the message that AWS sends, where the action names a topic."""
    configuration, pipeline, run = context.configuration, context.pipeline, context.run
    topic = configuration.get("NotificationArn")
    if not topic:
        return
    console = f"https://console.aws.amazon.com/codepipeline/home?region={pipeline.region}#/view/{pipeline.name}"
    # the mail names AWS's own calendar time, not the shortened wait of the scaled clock
    expires = context.cloud.clock.now() + timedelta(minutes=minutes)
    message = {
        "region": pipeline.region,
        "consoleLink": console,
        "approval": {
            "pipelineName": pipeline.name,
            "stageName": run.stage,
            "actionName": run.name,
            "token": token,
            "expires": expires.strftime("%Y-%m-%dT%H:%MZ"),
            "externalEntityLink": configuration.get("ExternalEntityLink"),
            "approvalReviewLink": f"{console}/{run.stage}/{run.name}/approve/{token}",
            "customData": configuration.get("CustomData"),
        },
    }
    subject = f"APPROVAL NEEDED: AWS CodePipeline {pipeline.name} for action {run.name}"
    try:
        context.client("sns").publish(TopicArn=topic, Subject=subject[:100], Message=json.dumps(message))
    except ClientError as error:
        raise ActionError(
            "PermissionError", f"The approval could not be announced to {topic}: {describe_error(error)}"
        ) from error
