"""EventBridge Scheduler: schedules."""

from __future__ import annotations

from rehearsal.provider.differ import Semantics
from rehearsal.provider.naming import AutoName
from rehearsal.provider.resource import Context, ResourceType, Values


class Schedule(ResourceType):
    token = "aws:scheduler/schedule:Schedule"
    service = "scheduler"
    name = AutoName("name", 64)
    replaces = frozenset({"name", "namePrefix", "groupName"})
    defaults = {"scheduleExpressionTimezone": "UTC", "state": "ENABLED"}
    renames = {"target.sagemakerPipelineParameters.pipelineParameters": "PipelineParameterList"}
    write_only = frozenset({"namePrefix"})
    semantics = Semantics(documents=frozenset({"target.input"}))
    create_op, describe_op, update_op, delete_op = "CreateSchedule", "GetSchedule", "UpdateSchedule", "DeleteSchedule"

    def identify(self, ctx: Context, answer: Values) -> str:
        return f"{ctx.inputs.get('groupName') or 'default'}/{ctx.inputs['name']}"

    def target(self, ctx: Context) -> Values:
        group, _, name = ctx.id.partition("/")
        return {"GroupName": group, "Name": name}


TYPES = (Schedule,)
