"""Errors, default tags, drift, partial failure and secrets, over the wire."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import grpc
import pytest

from rehearsal.provider.values import UNKNOWN, Secret, reveal
from tests.rehearsal.provider.harness import CheckFailed, Engine, partial_state, unknowns

ROLE, QUEUE, TOPIC = "aws:iam/role:Role", "aws:sqs/queue:Queue", "aws:sns/topic:Topic"
PARAMETER, BUCKET = "aws:ssm/parameter:Parameter", "aws:s3/bucket:Bucket"
TRUST = json.dumps({"Version": "2012-10-17", "Statement": []})


@pytest.mark.parametrize(
    ("token", "inputs", "path", "reason"),
    [
        (ROLE, {}, "assumeRolePolicy", "missing"),
        (QUEUE, {"visibilityTimeout": 3}, "visibilityTimeout", "unknown property"),
        (QUEUE, {"delaySeconds": "soon"}, "delaySeconds", "expected int"),
        (QUEUE, {"tags": {"a": ["b"]}}, "tags.a", "expected str"),
        (BUCKET, {"acl": "private"}, "acl", "does not support"),
    ],
)
def test_bad_input_names_property_and_reason(
    engine: Engine, token: str, inputs: dict[str, Any], path: str, reason: str
) -> None:
    with pytest.raises(CheckFailed) as caught:
        engine.check(token, "it", inputs)
    assert caught.value.failures[0][0] == path
    assert reason in caught.value.failures[0][1]


def test_an_unsupported_type_is_an_error(engine: Engine) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        engine.check("aws:ec2/instance:Instance", "it", {})
    assert "does not implement the resource type aws:ec2/instance:Instance" in caught.value.details()


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"region": "eu-west-1", "ignoreTags": {"keys": ["a"]}}, "does not support"),
        ({"region": "eu-west-1", "nonsense": "x"}, "unknown property"),
        ({"region": "eu-west-1", "allowedAccountIds": '["999999999999"]'}, "AWS account ID not allowed"),
        ({"region": "eu-west-1", "profile": "nobody"}, "nobody"),
    ],
)
def test_bad_configuration_is_refused(aws: str, config: dict[str, Any], words: str) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        Engine(config)
    assert words in caught.value.details()


def test_default_tags_reach_inputs_outputs_and_aws(aws: str, unique: str, boto: Callable[[str], Any]) -> None:
    engine = Engine({"region": "eu-west-1", "defaultTags": '{"tags": {"team": "a", "env": "x"}}'})
    made = engine.create(QUEUE, unique, {"tags": {"env": "y"}})
    assert made.inputs["tags"] == made.outputs["tagsAll"] == {"team": "a", "env": "y"}
    assert boto("sqs").list_queue_tags(QueueUrl=made.id)["Tags"] == {"team": "a", "env": "y"}
    engine.close()


def test_automatic_names_stay_and_chosen_ones_go_first(engine: Engine, unique: str) -> None:
    made = engine.create(QUEUE, unique, {})
    assert made.get("name").startswith(f"{unique}-")
    assert engine.check(QUEUE, unique, {}, made.inputs)["name"] == made.get("name")
    assert not engine.diff(made, {"fifoQueue": True}).delete_first
    chosen = engine.create(TOPIC, unique, {"name": f"{unique}.fifo", "fifoTopic": True})
    assert engine.diff(chosen, {"name": unique}).delete_first
    named = engine.create(QUEUE, unique, {"name": unique})
    assert engine.diff(named, {"name": f"{unique}-other"}).delete_first


def test_an_unknown_input_stays_unknown_in_a_preview(engine: Engine, unique: str) -> None:
    planned = engine.preview(PARAMETER, unique, {"type": "String", "value": UNKNOWN})
    assert {"value", "version", "arn"} <= unknowns(planned)


def test_secrets_stay_secret(engine: Engine, unique: str) -> None:
    made = engine.create(PARAMETER, unique, {"type": "SecureString", "value": Secret("hush")})
    assert made.outputs["value"] == Secret("hush")
    assert engine.read(made).outputs["value"] == Secret("hush")


def test_drift_is_found_and_put_right(engine: Engine, unique: str, boto: Callable[[str], Any]) -> None:
    made = engine.create(QUEUE, unique, {"visibilityTimeoutSeconds": 60})
    sqs = boto("sqs")
    sqs.set_queue_attributes(QueueUrl=made.id, Attributes={"VisibilityTimeout": "99", "DelaySeconds": "5"})
    seen = engine.read(made)
    found = engine.diff(seen, {"visibilityTimeoutSeconds": 60})
    assert set(found.changed) == {"visibilityTimeoutSeconds", "delaySeconds"}
    fixed = engine.update(seen, {"visibilityTimeoutSeconds": 60})
    assert fixed.get("visibilityTimeoutSeconds") == 60
    assert fixed.get("delaySeconds") == 0


def test_what_was_made_is_kept_when_a_later_step_fails(engine: Engine, unique: str, boto: Callable[[str], Any]) -> None:
    inputs = {"recoveryWindowInDays": 0, "policy": '{"Version": "2012-10-17", "Statement": "nonsense"'}
    with pytest.raises(grpc.RpcError) as caught:
        engine.create("aws:apigateway/restApi:RestApi", unique, {"body": "{not json"})
    state = partial_state(caught.value)
    assert state is not None, inputs
    assert state.id in [api["id"] for api in boto("apigateway").get_rest_apis()["items"]]
    assert "PutRestApi" in state.reasons[0]


def test_policies_that_mean_the_same_do_not_differ(engine: Engine, unique: str) -> None:
    def trust(action: Any) -> str:
        who = {"Service": "lambda.amazonaws.com"}
        return json.dumps(
            {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": who, "Action": action}]}
        )

    made = engine.create(ROLE, unique, {"assumeRolePolicy": trust("sts:AssumeRole")})
    assert engine.diff(made, {"assumeRolePolicy": trust(["sts:AssumeRole"])}).changed == []
    assert engine.diff(made, {"assumeRolePolicy": trust("sts:TagSession")}).changed == ["assumeRolePolicy"]


def test_invokes_answer_what_the_program_asks(engine: Engine, unique: str, boto: Callable[[str], Any]) -> None:
    assert engine.invoke("aws:index/getCallerIdentity:getCallerIdentity", {})["accountId"] == "123456789012"
    engine.create(PARAMETER, unique, {"name": f"/{unique}/release", "type": "String", "value": "v"})
    found = engine.invoke("aws:ssm/getParametersByPath:getParametersByPath", {"path": f"/{unique}"})
    assert found["names"] == [f"/{unique}/release"]
    assert reveal(found["values"]) == ["v"]
    with pytest.raises(grpc.RpcError) as caught:
        engine.invoke("aws:ec2/getVpc:getVpc", {})
    assert "does not implement the function" in caught.value.details()
