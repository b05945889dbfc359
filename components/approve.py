"""Approve: a mail with the evidence, and a person's answer."""

from collections.abc import Sequence
from typing import TypedDict

import pulumi
from pulumi_aws.sns.topic import Topic
from pulumi_aws.sns.topic_subscription import TopicSubscription

from components.stage import Stage, title
from contracts.names import Names


class ApproveArgs(TypedDict):
    """Arguments of the approval."""

    names: Names
    """The project's names."""
    key_arn: pulumi.Input[str]
    """Key of the topic."""
    mails: Sequence[str]
    """Who is asked."""
    minutes: int
    """When the question expires."""
    planned_for: str
    """Environment whose plan is approved."""


class Approve(pulumi.ComponentResource):
    """The stage and its topic."""

    stage: Stage
    """Declaration for the pipeline."""

    def __init__(self, name: str, args: ApproveArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("glidepath:approve:Approve", name, None, opts)
        own = pulumi.ResourceOptions(parent=self)
        topic = Topic(name, name=f"{args['names'].name}-approval", kms_master_key_id=args["key_arn"], opts=own)
        for index, mail in enumerate(args["mails"]):
            TopicSubscription(f"{name}-{index}", topic=topic.arn, protocol="email", endpoint=mail, opts=own)
        planned = f"Plan{title(args['planned_for'])}"
        configuration: dict[str, pulumi.Input[str]] = {
            "NotificationArn": topic.arn,
            # At most 1000 characters once the variables are in: operate/evidence.py keeps the evidence within its part.
            "CustomData": f"#{{{planned}.EVIDENCE}} Approved are (sha256) source #{{{planned}.SOURCE_SHA256}},"
            f" manifest #{{{planned}.MANIFEST_SHA256}}, plan #{{{planned}.PLAN_SHA256}}.",
        }
        self.stage = Stage("Approve", "Approval", "Manual", configuration, takes_source=False, minutes=args["minutes"])
        self.register_outputs({})
