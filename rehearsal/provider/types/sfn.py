"""Step Functions: state machines."""

from __future__ import annotations

from rehearsal.provider.differ import Semantics
from rehearsal.provider.errors import ProviderError
from rehearsal.provider.naming import AutoName
from rehearsal.provider.resource import Context, ResourceType, Tagging, Values

REVISION = frozenset({"definition", "roleArn", "loggingConfiguration", "tracingConfiguration", "publish"})


class StateMachine(ResourceType):
    token = "aws:sfn/stateMachine:StateMachine"
    service = "stepfunctions"
    name = AutoName("name", 80)
    replaces = frozenset({"name", "namePrefix", "type"})
    defaults = {"publish": False, "type": "STANDARD"}
    renames = {"arn": "stateMachineArn"}
    write_only = frozenset({"namePrefix", "publish"})
    semantics = Semantics(documents=frozenset({"definition"}))
    volatile = {"revisionId": REVISION, "stateMachineVersionArn": REVISION}
    tagging = Tagging("ListTagsForResource", "TagResource", "UntagResource", "resourceArn", tags="tags", keys="tagKeys")
    create_op, describe_op, delete_op = "CreateStateMachine", "DescribeStateMachine", "DeleteStateMachine"
    key = "stateMachineArn"

    def plan(self, ctx: Context) -> None:
        """A known definition that changes is validated by AWS, at plan time (state_machine.go, CustomizeDiff)."""
        definition = ctx.inputs.get("definition")
        if "definition" not in ctx.changed or not isinstance(definition, str):
            return
        request = {"definition": definition, "type": ctx.inputs.get("type")}
        answer = ctx.call("ValidateStateMachineDefinition", request)
        if answer.get("result") == "FAIL":
            found = "; ".join(f"{item['code']}: {item['message']}" for item in answer.get("diagnostics") or [])
            raise ProviderError(f"validating Step Functions State Machine definition: {found}")

    def identify(self, ctx: Context, answer: Values) -> str:
        ctx.outputs["stateMachineVersionArn"] = answer.get("stateMachineVersionArn")
        return str(answer["stateMachineArn"])

    def shape_inputs(self, ctx: Context) -> Values:
        logging = ctx.inputs.get("loggingConfiguration")
        if not logging:
            return dict(ctx.inputs)
        rest = {key: value for key, value in logging.items() if key != "logDestination"}
        if logging.get("logDestination"):
            rest["destinations"] = [{"cloudWatchLogsLogGroup": {"logGroupArn": logging["logDestination"]}}]
        return {**ctx.inputs, "loggingConfiguration": rest}

    def shape_answer(self, ctx: Context, answer: Values) -> Values:
        if answer.get("status") == "DELETING":
            return {}
        logging = dict(answer.get("loggingConfiguration") or {})
        destinations = logging.pop("destinations", None) or []
        if destinations:
            logging["logDestination"] = destinations[0]["cloudWatchLogsLogGroup"]["logGroupArn"]
        return {**answer, "loggingConfiguration": logging or None}

    def read(self, ctx: Context) -> Values | None:
        return super().read(ctx) or None

    def update(self, ctx: Context) -> None:
        if not ctx.changed - {"tags"}:
            return
        request = self.request(ctx, "UpdateStateMachine", strict=False)
        answer = ctx.call("UpdateStateMachine", {**request, "stateMachineArn": ctx.id})
        ctx.outputs["stateMachineVersionArn"] = answer.get("stateMachineVersionArn")

    def delete(self, ctx: Context) -> None:
        super().delete(ctx)
        ctx.wait(f"{ctx.id} to be deleted", lambda: ctx.find(self.describe_op, self.target(ctx)) is None)


TYPES = (StateMachine,)
