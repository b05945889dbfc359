"""Deployments really move the alias: steps, hooks, alarms, stops and rollbacks."""

import json
import urllib.request
from contextlib import suppress
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from rehearsal.cloud.core.cloud import Cloud
from rehearsal.cloud.services.codedeploy import appspec, execution
from rehearsal.cloud.wire.types import AwsError
from tests.rehearsal.cloud.lambda_support import REGION, eventually, make_function, make_role

HOOK = """
import boto3, os
def handler(event, context):
    if os.environ["STATUS"] == "crash":
        raise RuntimeError("broken hook")
    boto3.client("codedeploy").put_lifecycle_event_hook_execution_status(
        deploymentId=event["DeploymentId"], status=os.environ["STATUS"],
        lifecycleEventHookExecutionId=event["LifecycleEventHookExecutionId"])
"""
STYLE = {"deploymentType": "BLUE_GREEN", "deploymentOption": "WITH_TRAFFIC_CONTROL"}
EVENTS = ["DEPLOYMENT_FAILURE", "DEPLOYMENT_STOP_ON_ALARM", "DEPLOYMENT_STOP_ON_REQUEST"]
LINEAR = {"type": "TimeBasedLinear", "timeBasedLinear": {"linearPercentage": 25, "linearInterval": 1}}
SLOW = {"type": "TimeBasedCanary", "timeBasedCanary": {"canaryPercentage": 10, "canaryInterval": 600}}


@dataclass
class Shop:
    """A function with versions 1 and 2, an alias at 1, and a deployment group."""

    cloud: Cloud
    account: str

    @property
    def lambda_(self) -> Any:
        return self.cloud.client("lambda", self.account, REGION)

    @property
    def deploy(self) -> Any:
        return self.cloud.client("codedeploy", self.account, REGION)

    def open(self, routing: dict[str, Any] = LINEAR, rollback: bool = True, **group: Any) -> "Shop":
        make_function(self.cloud, self.account, "fn", "def handler(e, c): return c.function_version", Publish=True)
        self.lambda_.update_function_configuration(FunctionName="fn", Timeout=9)
        self.lambda_.publish_version(FunctionName="fn")
        self.lambda_.create_alias(FunctionName="fn", Name="live", FunctionVersion="1")
        role = make_role(self.cloud, self.account, "shift", "codedeploy.amazonaws.com")
        self.deploy.create_application(applicationName="app", computePlatform="Lambda")
        self.deploy.create_deployment_config(
            deploymentConfigName="own", computePlatform="Lambda", trafficRoutingConfig=routing
        )
        back = {"enabled": rollback, "events": EVENTS if rollback else []}
        self.deploy.create_deployment_group(
            applicationName="app", deploymentGroupName="group", serviceRoleArn=role, deploymentConfigName="own",
            deploymentStyle=STYLE, autoRollbackConfiguration=back, **group,
        )  # fmt: skip
        return self

    def hook(self, name: str, status: str) -> str:
        make_function(self.cloud, self.account, name, HOOK, Environment={"Variables": {"STATUS": status}})
        return name

    def start(self, current: str = "1", target: str = "2", **hooks: str) -> str:
        revision = {"revisionType": "AppSpecContent", "appSpecContent": {"content": spec(current, target, **hooks)}}
        answer = self.deploy.create_deployment(applicationName="app", deploymentGroupName="group", revision=revision)
        return str(answer["deploymentId"])

    def finish(self, deployment: str, seconds: float = 30.0) -> dict[str, Any]:
        def ended() -> dict[str, Any] | None:
            info: dict[str, Any] = self.deploy.get_deployment(deploymentId=deployment)["deploymentInfo"]
            return info if info["status"] in ("Succeeded", "Failed", "Stopped") else None

        info = eventually(ended, seconds)
        assert info is not None
        return info

    def target(self, deployment: str) -> dict[str, Any]:
        (name,) = self.deploy.list_deployment_targets(deploymentId=deployment)["targetIds"]
        answer = self.deploy.get_deployment_target(deploymentId=deployment, targetId=name)
        found: dict[str, Any] = answer["deploymentTarget"]["lambdaTarget"]
        return found

    def alias(self) -> tuple[str, Any]:
        alias = self.lambda_.get_alias(FunctionName="fn", Name="live")
        return alias["FunctionVersion"], alias.get("RoutingConfig")


@pytest.fixture
def shop(cloud: Cloud, account: str) -> Shop:
    return Shop(cloud, account)


def spec(current: str = "1", target: str = "2", **hooks: str) -> str:
    properties = {"Name": "fn", "Alias": "live", "CurrentVersion": current, "TargetVersion": target}
    resource = {"fn": {"Type": "AWS::Lambda::Function", "Properties": properties}}
    return json.dumps(
        {"version": 0.0, "Resources": [resource], "Hooks": [{name: hook} for name, hook in hooks.items()]}
    )


def test_traffic_moves_step_by_step(shop: Shop) -> None:
    shop.open()
    before, after = shop.hook("before", "Succeeded"), shop.hook("after", "Succeeded")
    deployment = shop.start(BeforeAllowTraffic=before, AfterAllowTraffic=after)
    shop.deploy.get_waiter("deployment_successful").wait(deploymentId=deployment, WaiterConfig={"Delay": 1})
    assert shop.alias() == ("2", None)
    info = shop.finish(deployment)
    assert info["deploymentOverview"]["Succeeded"] == 1
    assert info["creator"] == "user"
    target = shop.target(deployment)
    events = {event["lifecycleEventName"]: event["status"] for event in target["lifecycleEvents"]}
    assert events == dict.fromkeys(("BeforeAllowTraffic", "AllowTraffic", "AfterAllowTraffic"), "Succeeded")
    assert target["lambdaFunctionInfo"]["targetVersionWeight"] == 1.0
    with urllib.request.urlopen(f"{shop.cloud.url}/_rehearsal/deployments/{deployment}") as response:
        report = json.loads(response.read())
    assert [step["weight"] for step in report["steps"]] == [0.25, 0.5, 0.75, 1.0]
    seconds = [step["second"] for step in report["steps"]]
    assert seconds == sorted(seconds)
    assert (report["from"], report["to"], report["status"]) == ("1", "2", "Succeeded")
    group = shop.deploy.get_deployment_group(applicationName="app", deploymentGroupName="group")
    assert group["deploymentGroupInfo"]["lastSuccessfulDeployment"]["deploymentId"] == deployment
    calls = shop.cloud.ledger.snapshot()[f"arn:aws:iam::{shop.account}:role/shift"]["calls"]
    assert {"lambda:UpdateAlias", "lambda:GetAlias", "lambda:InvokeFunction"} <= set(calls)


@pytest.mark.parametrize(
    ("event", "status"),
    [("BeforeAllowTraffic", "Failed"), ("AfterAllowTraffic", "Failed"), ("AfterAllowTraffic", "crash")],
)
def test_failing_hook_puts_the_alias_back(shop: Shop, event: str, status: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if status == "crash":
        # A hook that never reports is waited for: an hour on AWS, two seconds here.
        monkeypatch.setattr(execution, "_HOOK_SECONDS", 60.0)
        monkeypatch.setattr(execution, "_HOOK_FLOOR", 2.0)
    shop.open({"type": "AllAtOnce"})
    deployment = shop.start(**{event: shop.hook("hook", status)})
    info = shop.finish(deployment, 60)
    assert info["status"] == "Failed"
    assert info["errorInformation"]["code"] == "HOOK_EXECUTION_FAILURE"
    word = "did not report" if status == "crash" else "reported that it failed"
    assert f"The hook {event} (hook) {word}" in info["errorInformation"]["message"]
    rollback = shop.finish(info["rollbackInfo"]["rollbackDeploymentId"])
    assert rollback["creator"] == "codeDeployRollback"
    assert rollback["rollbackInfo"]["rollbackTriggeringDeploymentId"] == deployment
    assert shop.alias() == ("1", None)
    failed = [e for e in shop.target(deployment)["lifecycleEvents"] if e["status"] == "Failed"]
    assert [e["lifecycleEventName"] for e in failed] == [event]


def test_without_rollback_a_failure_leaves_the_alias_where_it_is(shop: Shop) -> None:
    shop.open({"type": "AllAtOnce"}, rollback=False)
    info = shop.finish(shop.start(AfterAllowTraffic=shop.hook("hook", "Failed")))
    assert info["status"] == "Failed"
    assert "rollbackInfo" not in info
    assert shop.alias() == ("2", None)


def make_alarm(shop: Shop, name: str) -> Any:
    client = shop.cloud.client("cloudwatch", shop.account, REGION)
    client.put_metric_alarm(
        AlarmName=name, Namespace="Test", MetricName="Errors", Statistic="Sum", Period=60, EvaluationPeriods=1,
        Threshold=1, ComparisonOperator="GreaterThanThreshold", TreatMissingData="ignore",
    )  # fmt: skip
    return client


def test_alarm_stops_and_rolls_back(shop: Shop) -> None:
    client = make_alarm(shop, "bad")
    shop.open(SLOW, alarmConfiguration={"enabled": True, "alarms": [{"name": "bad"}]})
    deployment = shop.start()
    eventually(lambda: shop.alias() == ("1", {"AdditionalVersionWeights": {"2": 0.1}}))
    client.set_alarm_state(AlarmName="bad", StateValue="ALARM", StateReason="test")
    info = shop.finish(deployment)
    assert (info["status"], info["errorInformation"]["code"]) == ("Stopped", "ALARM_ACTIVE")
    assert "<bad>" in info["errorInformation"]["message"]
    assert shop.finish(info["rollbackInfo"]["rollbackDeploymentId"])["status"] == "Succeeded"
    assert shop.alias() == ("1", None)


def test_missing_alarm_fails_unless_ignored(shop: Shop) -> None:
    alarms = {"enabled": True, "alarms": [{"name": "none"}]}
    shop.open({"type": "AllAtOnce"}, alarmConfiguration=alarms)
    info = shop.finish(shop.start())
    assert (info["status"], "no alarm none" in info["errorInformation"]["message"]) == ("Failed", True)
    shop.deploy.update_deployment_group(
        applicationName="app",
        currentDeploymentGroupName="group",
        alarmConfiguration={**alarms, "ignorePollAlarmFailure": True},
    )
    assert shop.finish(shop.start())["status"] == "Succeeded"


@pytest.mark.parametrize("rollback", [True, False])
def test_stop(shop: Shop, rollback: bool) -> None:
    shop.open(SLOW, rollback=False)
    deployment = shop.start()
    eventually(lambda: shop.alias()[1] is not None)
    with pytest.raises(ClientError, match="already has an active Deployment"):
        shop.start()
    shop.deploy.stop_deployment(deploymentId=deployment, autoRollbackEnabled=rollback)
    info = shop.finish(deployment)
    assert (info["status"], info["errorInformation"]["code"]) == ("Stopped", "MANUAL_STOP")
    if rollback:
        shop.finish(info["rollbackInfo"]["rollbackDeploymentId"])
        assert shop.alias() == ("1", None)
    else:
        assert shop.alias() == ("1", {"AdditionalVersionWeights": {"2": 0.1}})
    with pytest.raises(ClientError, match="already completed"):
        shop.deploy.stop_deployment(deploymentId=deployment)


@pytest.mark.parametrize(
    ("current", "target", "message"),
    [
        ("2", "1", "is not the version of alias live"),
        ("1", "9", "target version 9 of fn does not exist"),
        ("1", "1", "are the same"),
    ],
)
def test_wrong_versions_fail_before_anything_moves(shop: Shop, current: str, target: str, message: str) -> None:
    shop.open()
    info = shop.finish(shop.start(current, target))
    assert (info["status"], info["errorInformation"]["code"]) == ("Failed", "INVALID_LAMBDA_CONFIGURATION")
    assert message in info["errorInformation"]["message"]
    assert shop.alias() == ("1", None)


def test_hook_status_is_checked(shop: Shop) -> None:
    shop.open(SLOW)
    make_function(shop.cloud, shop.account, "mute", "def handler(e, c): pass")
    deployment = shop.start(BeforeAllowTraffic="mute")
    report = shop.deploy.put_lifecycle_event_hook_execution_status
    with pytest.raises(ClientError, match="InvalidLifecycleEventHookExecutionId"):
        report(deploymentId=deployment, lifecycleEventHookExecutionId="x", status="Succeeded")
    with pytest.raises(ClientError, match="could not be found"):
        report(deploymentId="d-NONE", lifecycleEventHookExecutionId="x", status="Succeeded")
    shop.deploy.stop_deployment(deploymentId=deployment)
    shop.finish(deployment)


def test_missing_hook_function(shop: Shop) -> None:
    shop.open()
    info = shop.finish(shop.start(BeforeAllowTraffic="nobody"))
    assert info["errorInformation"]["code"] == "INVALID_LAMBDA_FUNCTION"
    assert shop.alias() == ("1", None)


def test_groups_and_configurations_are_checked(shop: Shop) -> None:
    shop.open()
    deploy = shop.deploy
    role = make_role(shop.cloud, shop.account, "other", "lambda.amazonaws.com")
    base = {"applicationName": "app", "deploymentGroupName": "g2", "serviceRoleArn": role, "deploymentStyle": STYLE}
    with pytest.raises(ClientError, match="permissions required to assume the role"):
        deploy.create_deployment_group(**base)
    with pytest.raises(ClientError, match="BLUE_GREEN only"):
        deploy.create_deployment_group(**{**base, "deploymentStyle": {"deploymentType": "IN_PLACE"}})
    with pytest.raises(ClientError, match="is for Server"):
        deploy.create_deployment_group(**base, deploymentConfigName="CodeDeployDefault.OneAtATime")
    bad = {"type": "TimeBasedCanary", "timeBasedCanary": {"canaryPercentage": 100, "canaryInterval": 1}}
    with pytest.raises(ClientError, match="must be between 1 and 99"):
        deploy.create_deployment_config(deploymentConfigName="bad", computePlatform="Lambda", trafficRoutingConfig=bad)
    with pytest.raises(ClientError, match="in use"):
        deploy.delete_deployment_config(deploymentConfigName="own")
    built_in = deploy.get_deployment_config(deploymentConfigName="CodeDeployDefault.LambdaCanary10Percent5Minutes")
    assert built_in["deploymentConfigInfo"]["trafficRoutingConfig"]["timeBasedCanary"] == {
        "canaryPercentage": 10,
        "canaryInterval": 5,
    }
    deploy.delete_deployment_group(applicationName="app", deploymentGroupName="group")
    deploy.delete_deployment_config(deploymentConfigName="own")
    deploy.delete_application(applicationName="app")
    with pytest.raises(ClientError, match="ApplicationDoesNotExist"):
        deploy.get_application(applicationName="app")


def test_state_changes_are_announced(shop: Shop) -> None:
    events, sqs = (shop.cloud.client(name, shop.account, REGION) for name in ("events", "sqs"))
    sns = shop.cloud.client("sns", shop.account, REGION)
    url = sqs.create_queue(QueueName="news")["QueueUrl"]
    queue = f"arn:aws:sqs:{REGION}:{shop.account}:news"
    senders = {"Service": ["events.amazonaws.com", "sns.amazonaws.com"]}
    statement = {"Effect": "Allow", "Principal": senders, "Action": "sqs:SendMessage", "Resource": queue}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    topic = sns.create_topic(Name="shift")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue)
    events.put_rule(Name="r", EventPattern=json.dumps({"source": ["aws.codedeploy"]}))
    events.put_targets(Rule="r", Targets=[{"Id": "q", "Arn": queue}])
    trigger = {"triggerName": "t", "triggerTargetArn": topic, "triggerEvents": ["DeploymentSuccess"]}
    shop.open({"type": "AllAtOnce"}, triggerConfigurations=[trigger])
    shop.finish(shop.start())
    bodies: list[Any] = []

    def complete() -> bool:
        found = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
        bodies.extend(json.loads(message["Body"]) for message in found)
        return len(bodies) >= 3

    eventually(complete)
    states = {body["detail"]["state"] for body in bodies if "detail" in body}
    notices = [json.loads(body["Message"])["status"] for body in bodies if "Message" in body]
    assert states == {"START", "SUCCESS"}
    assert notices == ["Succeeded"]


PROBLEMS = [
    execution._End("Stopped", "MANUAL_STOP", "stopped", "DEPLOYMENT_STOP_ON_REQUEST"),
    AwsError("AccessDenied", "no"),
    ClientError({"Error": {"Code": "ServiceUnavailable"}}, "GetAlias"),
    RuntimeError("the cloud is shutting down"),
]


@pytest.mark.parametrize("problem", PROBLEMS, ids=lambda problem: type(problem).__name__)
@pytest.mark.parametrize("stopped", [True, False])
def test_what_fails_in_a_cloud_that_goes_down_has_not_failed(problem: Exception, stopped: bool) -> None:
    failed: list[Any] = []

    def work() -> None:
        raise problem

    cloud, run = SimpleNamespace(clock=SimpleNamespace(stopped=stopped)), SimpleNamespace(fail=failed.append)
    with suppress(RuntimeError):
        execution._to_the_end(cloud, run, work)  # type: ignore[arg-type]
    assert len(failed) == (0 if stopped else 1)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "not valid"),
        ("[]", "no mapping"),
        (json.dumps({"version": 1, "Resources": []}), "must be 0.0"),
        (json.dumps({"version": 0.0, "Resources": []}), "exactly one function"),
        (spec(current=""), "lack CurrentVersion"),
        (spec(Somewhere="x"), "no lifecycle event"),
    ],
)
def test_broken_appspec(text: str, message: str) -> None:
    with pytest.raises(AwsError, match=message):
        appspec.parse(text)


def test_appspec_in_yaml() -> None:
    text = """
version: 0.0
Resources:
  - fn:
      Type: AWS::Lambda::Function
      Properties: {Name: fn, Alias: live, CurrentVersion: "1", TargetVersion: 2}
Hooks:
  - BeforeAllowTraffic: before
"""
    parsed = appspec.parse(text)
    assert (parsed.current, parsed.target, parsed.hooks) == ("1", "2", {"BeforeAllowTraffic": "before"})
