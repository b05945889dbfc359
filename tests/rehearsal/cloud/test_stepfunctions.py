"""State machines: jobs with .sync under the machine's role, failures with their cause, stop, and refusals."""

import json
from typing import Any

import pytest

from rehearsal.cloud.core.cloud import Cloud
from tests.rehearsal.cloud.sagemaker_world import World, refused, wait


@pytest.fixture
def world(cloud: Cloud, account: str, region: str) -> World:
    made = World(cloud, account, region)
    made.machine_role = made.make_role("machine", "states.amazonaws.com")  # type: ignore[attr-defined]
    return made


def machine(world: World, name: str, states: dict[str, Any], start: str = "Train") -> tuple[Any, str]:
    client = world.client("stepfunctions")
    answer = client.create_state_machine(
        name=name, roleArn=world.machine_role,  # type: ignore[attr-defined]
        definition=json.dumps({"StartAt": start, "States": states}),
    )  # fmt: skip
    return client, answer["stateMachineArn"]


def train(world: World, name: str, **changes: Any) -> dict[str, Any]:
    return {
        "Type": "Task", "Resource": "arn:aws:states:::sagemaker:createTrainingJob.sync", "End": True,
        "Parameters": world.training(name, **changes),
    }  # fmt: skip


def finish(client: Any, execution: str) -> dict[str, Any]:
    found: dict[str, Any] = wait(
        lambda: client.describe_execution(executionArn=execution), lambda answer: answer["status"] != "RUNNING"
    )
    return found


def test_a_training_job_is_waited_for(world: World) -> None:
    client, arn = machine(world, "good", {"Train": train(world, "sync-good")})
    found = finish(client, client.start_execution(stateMachineArn=arn)["executionArn"])
    assert found["status"] == "SUCCEEDED", found
    assert json.loads(found["output"])["ModelArtifacts"]["S3ModelArtifacts"].endswith("sync-good/output/model.tar.gz")
    used = str(world.cloud.ledger.snapshot()[world.machine_role])  # type: ignore[attr-defined]
    assert "sagemaker:CreateTrainingJob" in used
    assert "sagemaker:DescribeTrainingJob" in used


def test_a_failed_job_fails_the_task_with_its_description(world: World) -> None:
    bad = train(world, "sync-bad", HyperParameters={"num_round": "2", "max_dept": "3"})
    client, arn = machine(world, "bad", {"Train": bad})
    execution = client.start_execution(stateMachineArn=arn)["executionArn"]
    found = finish(client, execution)
    assert (found["status"], found["error"]) == ("FAILED", "States.TaskFailed")
    assert "Extraneous hyperparameter found: max_dept" in json.loads(found["cause"])["FailureReason"]
    types = [event["type"] for event in client.get_execution_history(executionArn=execution)["events"]]
    assert (types[0], types[-1]) == ("ExecutionStarted", "ExecutionFailed")
    assert "TaskSubmitted" in types


def test_a_job_that_fails_in_a_branch_fails_the_parallel_state_with_its_error(world: World) -> None:
    bad = train(world, "branch-bad", HyperParameters={"num_round": "2", "max_dept": "3"})
    both = {
        "Type": "Parallel", "End": True, "Branches": [
            {"StartAt": "Train", "States": {"Train": bad}},
            {"StartAt": "Rest", "States": {"Rest": {"Type": "Pass", "End": True}}},
        ],
    }  # fmt: skip
    client, arn = machine(world, "branch", {"Both": both}, start="Both")
    found = finish(client, client.start_execution(stateMachineArn=arn)["executionArn"])
    assert (found["status"], found["error"]) == ("FAILED", "States.TaskFailed")
    assert "Extraneous hyperparameter found: max_dept" in json.loads(found["cause"])["FailureReason"]


def test_a_caught_error_goes_on(world: World) -> None:
    task = train(world, "sync-catch", RoleArn=world.machine_role)  # type: ignore[attr-defined]
    task["Catch"] = [{"ErrorEquals": ["SageMaker.AmazonSageMakerException"], "Next": "Say", "ResultPath": "$.error"}]
    client, arn = machine(world, "catch", {"Train": task, "Say": {"Type": "Pass", "End": True}})
    found = finish(client, client.start_execution(stateMachineArn=arn)["executionArn"])
    assert found["status"] == "SUCCEEDED", found
    assert "Could not assume role" in json.loads(found["output"])["error"]["Cause"]


def test_stopping_the_execution_stops_the_job(world: World) -> None:
    slow = train(world, "sync-slow", HyperParameters={"num_round": "1000000", "max_depth": "10"})
    client, arn = machine(world, "slow", {"Train": slow})
    execution = client.start_execution(stateMachineArn=arn)["executionArn"]
    wait(lambda: world.sagemaker.list_training_jobs(NameContains="sync-slow")["TrainingJobSummaries"], bool)
    client.stop_execution(executionArn=execution, cause="enough")
    assert finish(client, execution)["status"] == "ABORTED"
    job = world.settle(lambda: world.sagemaker.describe_training_job(TrainingJobName="sync-slow"), "TrainingJobStatus")
    assert job["TrainingJobStatus"] == "Stopped"


def test_waiting_for_jobs_needs_the_managed_rules(world: World) -> None:
    from rehearsal.cloud.gateway.inventory import live

    machine(world, "waits", {"Train": train(world, "sync-never")})
    rule = world.client("events").describe_rule(Name="StepFunctionsGetEventsForSageMakerTrainingJobsRule")
    assert rule["ManagedBy"] == "states.amazonaws.com"
    assert json.loads(rule["EventPattern"])["detail-type"] == ["SageMaker Training Job State Change"]
    used = str(world.cloud.ledger.snapshot()[world.machine_role])  # type: ignore[attr-defined]
    assert {name for name in ("PutRule", "PutTargets", "DescribeRule") if f"events:{name}" in used} == {
        "PutRule", "PutTargets", "DescribeRule",
    }  # fmt: skip
    assert "events" not in live(world.cloud, world.account)


def test_broken_definitions_and_roles_are_refused(world: World) -> None:
    client = world.client("stepfunctions")
    with refused(client, "InvalidDefinition", "Nowhere"):
        machine(world, "b1", {"Train": {"Type": "Pass", "Next": "Nowhere"}})
    with refused(client, "InvalidDefinition"):
        machine(
            world, "b2", {"Train": {"Type": "Task", "Resource": "arn:aws:states:::sagemaker:bogus.sync", "End": True}}
        )
    world.machine_role = world.role  # type: ignore[attr-defined]
    with refused(client, "AccessDeniedException", "states.amazonaws.com"):
        machine(world, "b3", {"Train": {"Type": "Pass", "End": True}})


def test_a_role_that_two_machines_share_is_taken_for_the_one_that_runs(world: World) -> None:
    definition = {"Mail": {"Type": "Task", "Resource": "arn:aws:states:::aws-sdk:sns:listTopics", "End": True}}
    machine(world, "first", definition, "Mail")
    client, second = machine(world, "second", definition, "Mail")
    # The role is for the second machine alone, but was so only after the first was made with it.
    trusted = {
        "Effect": "Allow",
        "Principal": {"Service": "states.amazonaws.com"},
        "Action": "sts:AssumeRole",
        "Condition": {"ArnEquals": {"aws:SourceArn": second}},
    }
    document = json.dumps({"Version": "2012-10-17", "Statement": [trusted]})
    world.client("iam").update_assume_role_policy(RoleName="machine", PolicyDocument=document)
    found = finish(client, client.start_execution(stateMachineArn=second)["executionArn"])
    assert found["status"] == "SUCCEEDED", found
    first = second.replace("second", "first")
    found = finish(client, client.start_execution(stateMachineArn=first)["executionArn"])
    assert found["status"] == "FAILED", found
    assert "sts:AssumeRole" in found["cause"]
