"""Edges that no case of the corpus stands on, as data: exact limits, odd ARNs, unknown parts, other spellings."""

import datetime
import json
from typing import Any

import pytest

from policies.rules import hardening, secrets
from policies.rules.actions import Action, touching, wide
from policies.rules.apis import _secured
from policies.rules.breadth import breadth, everything
from policies.rules.capture import compares
from policies.rules.conditions import bound_by, names_account
from policies.rules.documents import Document, parse
from policies.rules.exemptions import read, term
from policies.rules.judge import Judge, schema
from policies.rules.model import UNKNOWN, Finding, Resource, section
from policies.rules.network import _everybody
from policies.rules.sources import documents_of
from policies.rules.subjects import names_somebody
from policies.rules.trust import service_of
from tests.policies.corpus.entrance import ACCOUNT, GUARDED, LAMBDA, ROLE, admit, trust
from tests.policies.corpus.identity import BUCKET, PASSED, allow, when
from tests.policies.corpus.props import (
    ALARM,
    ALIAS,
    CONFIGURATION,
    ENDPOINT,
    FUNCTION,
    GROUP,
    IGNORED,
    KEY,
    SHIFT,
    TARGET,
    configuration,
    variables,
    without,
)
from tests.policies.harness import BY_NAME, TODAY, document, judge, judge_stack, made, policy, resource, rules

_FULL = "arn:aws:logs:eu-west-1:111111111111:log-group:"


@pytest.mark.parametrize(
    ("resource_", "expected"),
    [
        ("arn:aws:logs:eu-west-1:111111111111:*:*", True),
        (f"{_FULL}*", False),
        ("arn:aws:logs:eu-west-1:111111111111:*:a", False),
        (f"{_FULL}a:*", False),
        ("arn:aws:s3", False),
        ("arn:aws:s3:eu-west-1:*", False),
        ("arn:aws:s3:*:*", False),  # as it comes from a document it has six fields
        ("arn:aws:s3:*:*:*", True),
        ("?*", True),
        ("arn*", False),
        ("arn:aws:sqs:eu-west-1*", False),
        ("*:aws", False),
        ("arn:aws:s3:::a*", False),
        ("b:*", False),
    ],
)
def test_everything(resource_: str, expected: bool) -> None:
    assert everything(resource_) is expected


def test_breadth_of_an_account() -> None:
    (action,) = [each for each in _actions("lambda") if each.name == "InvokeFunction"]
    assert breadth("arn:aws:lambda:*:111111111111:function:*", action) == "type"
    assert breadth("arn:aws:lambda:eu-west-1:*:function:*", action) == "all"


def _actions(service: str) -> Any:
    from policies.rules.actions import of_service

    return of_service(service)


@pytest.mark.parametrize(
    ("arn", "expected"),
    [
        ("arn:aws:s3:::a:b", True),
        ("arn:aws:s3:::*", False),
        ("arn:aws:logs:eu-west-1:111111111111:log-group:a:*", True),
        ("arn:aws:sns:eu-west-1::t", False),
        ("111111111111", False),
        ("arn:aws:s3", False),
    ],
)
def test_names_account(arn: str, expected: bool) -> None:
    assert names_account(arn) is expected


def _statement(**more: Any) -> Any:
    found = parse(document(allow("iam:PassRole", ROLE, **more)))
    return found.statements[0]  # type: ignore[union-attr]


def test_bound_by_what_is_not_known() -> None:
    assert bound_by(_statement(**when("StringLike", "a:b", UNKNOWN)), "a:b", lambda _: False)
    assert not bound_by(_statement(**when("StringEquals", "a:b", "c")), "a:b", lambda _: False)
    assert not bound_by(_statement(**when("StringLike", "a:b", "c*")), "a:b")
    assert bound_by(_statement(**when("StringEquals", "a:b", "c*")), "a:b")


@pytest.mark.parametrize(
    ("key", "value", "fine"),
    [
        ("aws:SourceIp", ["10.0.0.0/8", "0.0.0.0/0"], False),
        ("aws:SourceIp", "3.0.0.0/8", True),
        ("aws:SourceIp", "2.0.0.0/7", False),
        ("aws:SourceIp", "3.4.5.6/8", True),
        ("aws:SourceIp", "2600::/32", True),
        ("aws:SourceIp", "2600::/31", False),
        ("aws:SourceIp", "somewhere", False),
        ("aws:SourceIp", [], False),
        ("aws:SourceIp", UNKNOWN, True),
        ("aws:VpcSourceIp", "172.16.0.0/12", True),
        ("aws:OtherIp", "10.0.0.0/8", False),
    ],
)
def test_networks_that_close_a_bucket(key: str, value: Any, fine: bool) -> None:
    statement = admit("*", "s3:GetObject", **when("IpAddress", key, value))
    assert (rules(policy(document(statement), "aws:s3/bucketPolicy:BucketPolicy")) == set()) is fine


def test_a_network_that_may_be_missing_closes_nothing() -> None:
    statement = admit("*", "s3:GetObject", **when("IpAddressIfExists", "aws:SourceIp", "10.0.0.0/8"))
    assert rules(policy(document(statement), "aws:s3/bucketPolicy:BucketPolicy")) == {"open-principal"}


@pytest.mark.parametrize(
    ("operator", "key", "value", "fine"),
    [
        ("StringLike", "aws:userid", "AROAEXAMPLE:*", True),
        ("StringLike", "aws:userid", "AROAEXAMPLEID012*", True),  # 16 characters of an id are one's own
        ("StringLike", "aws:userid", "AROAEXAMPLEID01*", False),
        ("StringLike", "aws:userid", "*:me", False),
        ("StringLike", "aws:PrincipalArn", f"arn:aws:iam::{ACCOUNT}:role/a:b*", True),
        ("Null", "aws:PrincipalArn", "false", False),
    ],
)
def test_callers_that_close_a_trust(operator: str, key: str, value: str, fine: bool) -> None:
    found = policy(document(trust("*", **when(operator, key, value))), "aws:iam/role:Role", "assumeRolePolicy")
    assert (rules(found) == set()) is fine


@pytest.mark.parametrize(
    ("value", "fine"),
    [
        ("arn:aws:logs:eu-west-1:111111111111:*", False),
        ("arn:aws:logs:eu-west-1:111111111111:log-group:*", True),
        ("arn:aws:logs:eu-west-1:*:log-group:a", False),
        ("arn:aws:logs:*:111111111111:*:*", False),
    ],
)
def test_encryption_contexts(value: str, fine: bool) -> None:
    condition = when("ArnLike", "kms:EncryptionContext:aws:logs:arn", value)
    found = policy(document(admit(LAMBDA, "kms:Decrypt", "*", **condition)), "aws:kms/keyPolicy:KeyPolicy")
    assert (rules(found) == set()) is fine


def test_pass_role_by_an_arn_with_colons() -> None:
    assert rules(policy(document(allow("iam:PassRole", "arn:aws:iam::1:role/a:b", **PASSED)))) == set()
    assert rules(policy(document(allow("iam:PassRole", "arn:aws:iam::1:role:role/b", **PASSED)))) == {"pass-role"}


def test_the_key_s_own_account_by_its_number() -> None:
    kind = "aws:kms/keyPolicy:KeyPolicy"
    assert rules(policy(document(admit({"AWS": ACCOUNT}, "kms:*", "*")), kind)) == set()
    assert rules(policy(document(admit({"AWS": "11111111111x"}, "kms:*", "*")), kind)) == {"wildcard-action"}
    assert rules(policy(document(admit({"AWS": "111"}, "kms:*", "*")), kind)) == {"wildcard-action"}


def test_only_broad_resources_are_named() -> None:
    ((message,), _) = judge(policy(document(allow("s3:PutObject", [f"{BUCKET}/*", f"{BUCKET}", UNKNOWN, "*"]))))
    assert "on `arn:aws:s3:::orders/*`, `*`, though" in message


def test_four_are_listed_and_the_rest_counted() -> None:
    four = ["s3:PutObject", "sqs:SendMessage", "sns:Publish", "dynamodb:PutItem"]
    ((message,), _) = judge(policy(document(allow(four))))
    assert "`dynamodb:PutItem` on" in message
    ((message,), _) = judge(policy(document(allow([*four, "dynamodb:Scan"]))))
    assert "`dynamodb:PutItem` and 1 more on" in message


@pytest.mark.parametrize(("kind", "most"), [("aws:iam/policy:Policy", 6144), ("aws:iam/rolePolicy:RolePolicy", 10240)])
def test_the_longest_document(kind: str, most: int) -> None:
    text = '{"Statement":[],"Id":"%s"}'
    text = text % ("x" * (most - len(text) + 2))
    assert rules(policy(text, kind)) == set()
    assert rules(policy(text.replace("x", "xx", 1), kind)) == {"document-size"}
    assert rules(policy({"Statement": [], "Id": "x" * 50_000}, kind)) == set()


def test_a_malformed_sibling_does_not_hide_a_violation() -> None:
    inline: list[dict[str, Any]] = [
        {"name": "a", "policy": "}{"},
        {"name": "b", "policy": document(allow("s3:*", BUCKET))},
    ]
    assert rules(resource("aws:iam/role:Role", {"inlinePolicies": inline})) == {"malformed-document", "wildcard-action"}
    inline[0]["policy"] = document({"Effect": "Deny", "Action": "*", "Resource": "*"})
    assert rules(resource("aws:iam/role:Role", {"inlinePolicies": inline})) == set()
    props: dict[str, Any] = {
        "assumeRolePolicy": document({"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*"})
    }
    props["inlinePolicies"] = inline[1:]
    assert rules(resource("aws:iam/role:Role", props)) == {"wildcard-action"}


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([None], "has a statement (0) that is no object: null"),
        ([{"Effect": "No", "Action": "a", "Sid": "S"}], "has the Effect 'No' in statement 'S': IAM takes"),
        ([{"Effect": "No", "Action": "a", "Sid": ""}], "has the Effect 'No' in statement 0: IAM takes"),
        ([{"Effect": "No", "Action": "a", "Sid": UNKNOWN}], "has the Effect 'No' in statement 0: IAM takes"),
        ([{"Efect": 1, "Acton": 2}], "has an element that IAM does not know in statement 0: 'Efect'"),
        (["x" * 38], "that is no object: '" + "x" * 38 + "'"),
        (["x" * 39], "that is no object: '" + "x" * 36 + "..."),
    ],
)
def test_what_is_wrong_is_said(value: Any, message: str) -> None:
    found = parse({"Statement": value})
    assert message in found.error  # type: ignore[union-attr]
    assert found.size == 0  # type: ignore[union-attr]


def test_objects_have_no_length() -> None:
    """AWS counts the text that it is sent, which for an object is not written yet."""
    found = parse({"Statement": []})
    assert found.size == 0  # type: ignore[union-attr]


def test_principals_that_are_text() -> None:
    found = parse(document([trust("*"), trust("222222222222")]))
    assert [each.principals for each in found.statements] == [  # type: ignore[union-attr]
        (("*", "*"),),
        (("AWS", "222222222222"),),
    ]


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ('{"Version": "2012-10-17"}', True),
        ('{"Statement": "2012-10-17"}', True),
        ('{"version": "2012"}', False),
        ('{"id": "2012-10-17"}', False),
        ({"Statement": []}, True),
        ({"rules": []}, False),
    ],
)
def test_what_looks_like_a_document(value: Any, found: bool) -> None:
    assert bool(documents_of(resource("aws:ecr/lifecyclePolicy:Thing", {"policy": value}))) is found


def test_anybody_in_other_words() -> None:
    def admits(principal: Any) -> set[str]:
        return rules(policy(document(admit(principal, "s3:GetObject")), "aws:s3/bucketPolicy:BucketPolicy"))

    assert admits({"AWS": "arn:aws:iam::*:role/a"}) == {"open-principal"}
    assert admits({"AWS": "arn:aws:iam::111111111111:role/*"}) == set()
    assert admits({"AWS": UNKNOWN}) == set()
    assert admits({"AWS": "arn:aws:iam:::role/a"}) == set()
    assert admits({"AWS": "a:b:c:d:*"}) == set()
    assert admits({"Service": "*.amazonaws.com"}) == {"open-principal", "confused-deputy"}
    assert service_of("logs.EU-west-1.amazonaws.com.cn") == "logs"


def test_a_network_does_not_close_a_whole_account() -> None:
    statement = trust({"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, **when("StringEquals", "aws:SourceVpce", "vpce-1"))
    found = policy(document(statement), "aws:iam/role:Role", "assumeRolePolicy")
    assert rules(found) == {"account-trust"}


def test_actions_that_are_all_of_a_small_service() -> None:
    small = [each for each in _services() if 0 < len(_actions(each)) <= 3]
    service = small[0]
    common = _actions(service)[0].name[0]
    assert "wildcard-action" not in rules(policy(document(allow(f"{service}:{common}*", BUCKET))))


def _services() -> Any:
    from policies.rules.actions import services

    return services()


def test_exemptions_by_urn_and_by_name() -> None:
    entry = {"rule": "a", "resource": "urn:pulumi:s::p::t::mine", "reason": "b", "until": "2027-01-01"}
    (by_urn,) = read([entry], {"a"}, TODAY)
    (by_name,) = read([{**entry, "resource": "mine"}], {"a"}, TODAY)
    one = Resource("t", "mine", {}, "urn:pulumi:s::p::t::mine")
    bare = Resource("t", "mine", {})
    other = Finding("what", urn="urn:pulumi:s::p::t::other")
    for each in (by_urn, by_name):
        assert each.matches("a", one, Finding("what"))
        assert not each.matches("a", one, other)
        assert not each.matches("a", None, other)
    assert by_name.matches("a", bare, Finding("what"))
    assert by_name.matches("a", None, Finding("what", urn=one.urn))


def test_the_config_s_schema_is_closed() -> None:
    found = schema([BY_NAME["log-retention"]])
    assert found["rules"]["additionalProperties"] is False
    assert found["rules"]["properties"]["log-retention"]["additionalProperties"] is False


def test_a_changed_config_is_taken_up() -> None:
    found = Judge([BY_NAME["log-retention"]], TODAY)
    told: list[str] = []
    log = resource("aws:cloudwatch/logGroup:LogGroup", {})
    off = {"rules": {"log-retention": {"level": "disabled"}}}
    for config in ({}, off, {}):
        found.resource("operations", config, log, lambda text, _: told.append(text))
    assert len(told) == 2


def test_sections_of_blocks() -> None:
    assert section([{"a": 1}, {"a": 2}], "a") == 1
    assert section([], "a") is None


@pytest.mark.parametrize("ignored", [("functionVersion[0].x", "routingConfig"), ("functionVersion.a[1]", "*")])
def test_paths_that_are_ignored(ignored: tuple[str, ...]) -> None:
    assert rules(made(ALIAS, {"functionVersion": "1", "ignore_changes": ignored})) == set()


def test_an_option_that_is_no_name_of_the_property() -> None:
    assert rules(made(ALIAS, {"functionVersion": "1", "ignore_changes": ("description",)})) == {"alias-managed"}
    assert rules(made(ALIAS, {"functionVersion": UNKNOWN, "ignore_changes": IGNORED})) == set()


_STYLE = {"deploymentType": "BLUE_GREEN", "deploymentOption": "WITH_TRAFFIC_CONTROL"}
_EVENTS = ["DEPLOYMENT_FAILURE", "DEPLOYMENT_STOP_ON_ALARM"]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"autoRollbackConfiguration": {"enabled": False, "events": _EVENTS}}, {"rollback"}),
        ({"autoRollbackConfiguration": {}}, {"rollback"}),
        ({"autoRollbackConfiguration": {"enabled": True, "events": UNKNOWN}}, set()),
        ({"autoRollbackConfiguration": {"enabled": True, "events": ["DEPLOYMENT_FAILURE", UNKNOWN]}}, set()),
        ({"deploymentStyle": {"deploymentOption": "WITH_TRAFFIC_CONTROL"}}, {"deployment-style"}),
        ({"deploymentStyle": {**_STYLE, "deploymentType": UNKNOWN}}, set()),
        ({"deploymentStyle": {**_STYLE, "deploymentOption": UNKNOWN}}, set()),
        ({"deploymentStyle": UNKNOWN}, set()),
        ({"deploymentStyle": None}, {"deployment-style"}),
        ({"ec2TagFilters": [{}], "deploymentStyle": None}, set()),
        ({"deploymentConfigName": "mine"}, set()),
    ],
)
def test_groups(changes: dict[str, Any], expected: set[str]) -> None:
    assert rules(made(GROUP, {**SHIFT, **changes})) == expected


def test_a_group_that_says_nothing_of_its_style() -> None:
    bare = without(SHIFT, "deploymentStyle")
    assert rules(made(GROUP, bare)) == {"deployment-style"}
    assert rules(made(GROUP, {**bare, "deploymentConfigName": "mine"})) == set()
    assert rules(made(GROUP, {**bare, "ec2TagFilters": [{}]})) == set()


def _variants(*variants: Any) -> dict[str, Any]:
    return {**configuration(), "productionVariants": list(variants)}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (_variants({"serverlessConfig": {"memorySizeInMb": 1024}}), {"capture-possible"}),
        (_variants(UNKNOWN), set()),
        (_variants({"instanceType": "ml.m5.large", "initialInstanceCount": UNKNOWN}), set()),
        (_variants({"instanceType": "ml.m5.large", "managedInstanceScaling": {"minInstanceCount": 2}}), set()),
        (_variants({"instanceType": "ml.m5.large"}), {"production-instances"}),
        (configuration(enableCapture=UNKNOWN), set()),
        ({**configuration(), "dataCaptureConfig": {"enableCapture": False}}, {"capture-enabled"}),
        (configuration(captureOptions=[{"captureMode": UNKNOWN}]), set()),
        (configuration(captureOptions=UNKNOWN), set()),
        (configuration(count=20), set()),
        (configuration(count=21), {"machines"}),
    ],
)
def test_configurations(given: dict[str, Any], expected: set[str]) -> None:
    assert rules(made(CONFIGURATION, given)) == expected


def test_one_instance_is_said_in_the_singular() -> None:
    ((message,), _) = judge(made(CONFIGURATION, _variants({"instanceType": "ml.m5.large"})))
    assert "productionVariants[0].initialInstanceCount: runs 1 instance, 2 are wanted" in message


def test_an_unknown_capture_is_left_to_the_update() -> None:
    assert rules(made(CONFIGURATION, {**configuration(), "dataCaptureConfig": UNKNOWN})) == set()


@pytest.mark.parametrize(("days", "expected"), [(7, set()), (6, {"protected-state"}), (UNKNOWN, set()), (None, set())])
def test_keys_wait(days: Any, expected: set[str]) -> None:
    assert rules(made("aws:kms/key:Key", {"enableKeyRotation": True, "deletionWindowInDays": days})) == expected
    assert rules(made("aws:kms/alias:Alias", {"deletionWindowInDays": 1})) == set()


_GROUPS, _RULE = "aws:ec2/securityGroup:SecurityGroup", "aws:ec2/securityGroupRule:SecurityGroupRule"
_INGRESS = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"


@pytest.mark.parametrize(
    ("kind", "given", "message"),
    [
        (
            _RULE,
            {"type": "ingress", "fromPort": 22, "toPort": 23, "cidrBlocks": ["::/0"]},
            "cidrBlocks: opens ports 22 to 23",
        ),
        (_RULE, {"type": "egress", "fromPort": 22, "toPort": 22, "cidrBlocks": ["0.0.0.0/0"]}, ""),
        (
            _RULE,
            {"type": "ingress", "fromPort": 0, "toPort": 0, "protocol": "-1", "cidrBlocks": ["0.0.0.0/0"]},
            "opens all ports",
        ),
        (_INGRESS, {"ipProtocol": "-1", "cidrIpv4": "0.0.0.0/0"}, "cidrIpv4: opens all ports"),
        (_INGRESS, {"ipProtocol": "tcp", "cidrIpv4": "0.0.0.0/0"}, "cidrIpv4: opens all ports"),
        (_INGRESS, {"ipProtocol": "tcp", "fromPort": 443, "toPort": 443, "cidrIpv4": "0.0.0.0/0"}, ""),
        ("aws:vpc/securityGroupEgressRule:X", {"ipProtocol": "-1", "cidrIpv4": "0.0.0.0/0"}, ""),
        (_GROUPS, {"ingress": [{"fromPort": UNKNOWN, "toPort": 22, "cidrBlocks": ["0.0.0.0/0"]}]}, ""),
        (
            "aws:redshift/cluster:Cluster",
            {"publiclyAccessible": True, "encrypted": True},
            "publiclyAccessible: is reachable",
        ),
        ("aws:redshift/cluster:Cluster", {"publiclyAccessible": UNKNOWN, "encrypted": True}, ""),
        ("aws:redshift/cluster:Cluster", {"publiclyAccessible": False, "encrypted": True}, ""),
        ("other:mq/broker:Broker", {"publiclyAccessible": True}, ""),
    ],
)
def test_networks(kind: str, given: dict[str, Any], message: str) -> None:
    violations, _ = judge(made(kind, given))
    assert len(violations) == bool(message)
    assert all(message in each for each in violations)


@pytest.mark.parametrize(
    ("kind", "given", "expected"),
    [
        ("aws:apigateway/method:Method", {"authorization": "AWS_IAM", "httpMethod": "GET"}, set()),
        (
            "aws:apigateway/method:Method",
            {"authorization": "NONE", "apiKeyRequired": True, "httpMethod": "GET"},
            {"keyed-api"},
        ),
        ("aws:apigatewayv2/route:Route", {"routeKey": "GET /a", "authorizationType": "AWS_IAM"}, set()),
        ("aws:apigatewayv2/route:Route", {"routeKey": "GET /a"}, {"public-api"}),
        ("aws:apigatewayv2/route:Route", {"routeKey": "GET /a", "apiKeyRequired": True}, set()),
        ("aws:apigatewayv2/route:Route", {"routeKey": "$connect"}, {"public-api"}),
        ("aws:apigatewayv2/route:Route", {"routeKey": "$disconnect"}, set()),
        ("aws:apigatewayv2/route:Route", {"routeKey": "send"}, set()),
        ("aws:apigatewayv2/route:Route", {"routeKey": "OPTIONS /a"}, set()),
        ("aws:apigateway/restApi:RestApi", {"body": '{"paths": {"/a": {"get": {}}}, "security": [{"a": []}]}'}, set()),
        ("aws:apigateway/restApi:RestApi", {"body": '{"paths": [1]}'}, set()),
        (
            "aws:apigateway/restApi:RestApi",
            {"body": '{"paths": {"/a": {"get": {}}}, "x-amazon-apigateway-policy": {"Statement": []}}'},
            set(),
        ),
        (
            "aws:dynamodb/table:Table",
            {"serverSideEncryption": {"enabled": True}, "deletionProtectionEnabled": True},
            set(),
        ),
        (
            "aws:dynamodb/table:Table",
            {"serverSideEncryption": {"enabled": False}, "deletionProtectionEnabled": True},
            {"encryption-at-rest"},
        ),
        (
            "aws:dax/cluster:Cluster",
            {"serverSideEncryption": {"enabled": True}, "clusterEndpointEncryptionType": "TLS"},
            set(),
        ),
        (FUNCTION, variables(PASSWORD="", TOKEN=UNKNOWN), set()),
        ("aws:ecs/taskDefinition:TaskDefinition", {}, set()),
        (
            "aws:ecs/taskDefinition:TaskDefinition",
            {"containerDefinitions": '[{"environment": [{"name": "DB_PASSWORD", "value": "hunter2!"}]}]'},
            {"plain-secret"},
        ),
        ("aws:ecs/taskDefinition:TaskDefinition", {"containerDefinitions": "}"}, set()),
        (
            "aws:s3/bucketServerSideEncryptionConfigurationV2:BucketServerSideEncryptionConfigurationV2",
            {"rules": [{"applyServerSideEncryptionByDefault": {"sseAlgorithm": "AES256"}}]},
            {"customer-key"},
        ),
        (
            "aws:s3/bucketServerSideEncryptionConfigurationV2:BucketServerSideEncryptionConfigurationV2",
            {"rules": [{"applyServerSideEncryptionByDefault": {"sseAlgorithm": "aws:kms"}}]},
            set(),
        ),
        ("aws:other/x:X", {"rules": [{"applyServerSideEncryptionByDefault": {"sseAlgorithm": "AES256"}}]}, set()),
        ("aws:sfn/stateMachine:StateMachine", {}, {"tracing", "access-logs"}),
        (
            "aws:sfn/stateMachine:StateMachine",
            {"tracingConfiguration": {"enabled": True}, "loggingConfiguration": {"level": "ALL"}},
            set(),
        ),
        (
            "aws:sfn/stateMachine:StateMachine",
            {"tracingConfiguration": {"enabled": True}, "loggingConfiguration": {"level": "OFF"}},
            {"access-logs"},
        ),
        (
            "aws:sfn/stateMachine:StateMachine",
            {"tracingConfiguration": UNKNOWN, "loggingConfiguration": {"level": UNKNOWN}},
            set(),
        ),
        (
            "aws:sagemaker/dataQualityJobDefinition:DataQualityJobDefinition",
            {"jobResources": {"clusterConfig": {"instanceType": "ml.p3.2xlarge", "instanceCount": 1}}},
            {"machines"},
        ),
        ("aws:glue/xJobDefinition:XJobDefinition", {"jobResources": {"clusterConfig": {"instanceCount": 99}}}, set()),
        (TARGET, {"serviceNamespace": "ecs", "maxCapacity": 99}, set()),
        ("aws:ecs/target:T", {"serviceNamespace": "sagemaker", "maxCapacity": 99}, set()),
    ],
)
def test_properties(kind: str, given: dict[str, Any], expected: set[str]) -> None:
    assert rules(made(kind, given)) == expected


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"directInternetAccess": "Enabled", "subnetId": "s"}, {"notebook-closed", "isolated"}),
        ({"subnetId": "s"}, {"notebook-closed"}),
        ({"directInternetAccess": "Enabled"}, {"isolated"}),
        ({"directInternetAccess": "Disabled", "subnetId": "s"}, set()),
    ],
)
def test_notebooks(given: dict[str, Any], expected: set[str]) -> None:
    whole = {"kmsKeyId": KEY, "rootAccess": "Disabled", "instanceType": "ml.t3.medium", **given}
    assert rules(made("aws:sagemaker/notebookInstance:NotebookInstance", whole)) == expected


def test_machines_that_are_allowed_by_name() -> None:
    config = {"operations": {"rules": {"machines": {"allowed": ["ml\\.p3\\..*", "ml\\.m5\\..*"]}}}}
    assert rules(made(CONFIGURATION, configuration(machine="ml.p3.2xlarge")), config) == set()
    assert rules(made(CONFIGURATION, configuration(machine="ml.c5.large")), config) == {"machines"}


def test_sizes_without_a_number() -> None:
    assert rules(made("aws:ec2/instance:Instance", {"instanceType": "m5.metal"})) == {"machines"}
    assert rules(made("aws:ec2/instance:Instance", {"instanceType": "unheard-of"})) == set()
    config = {"operations": {"rules": {"machines": {"xlarge": 0.5}}}}
    assert rules(made(CONFIGURATION, configuration(machine="ml.m5.large")), config) == set()
    assert rules(made(CONFIGURATION, configuration(machine="ml.m5.xlarge")), config) == {"machines"}
    config["operations"]["rules"]["machines"]["xlarge"] = 0
    assert rules(made("aws:ec2/instance:Instance", {"instanceType": "unheard-of"}), config) == set()


DEFINITION = "aws:sagemaker/dataQualityJobDefinition:DataQualityJobDefinition"
SCHEDULE = "aws:sagemaker/monitoringSchedule:MonitoringSchedule"


def _watch(schedule: dict[str, Any], depends: frozenset[str] = frozenset()) -> list[str]:
    endpoint = resource(ENDPOINT, {"name": "live"}, "endpoint", "dev")
    job = resource(DEFINITION, {"name": "job", "dataQualityJobInput": {"x": [{"endpointName": "live"}]}}, "job", "dev")
    runs = resource(SCHEDULE, {"monitoringScheduleConfig": schedule}, "schedule", "dev", depends=depends)
    alarm = resource(ALARM, {"dimensions": {"EndpointName": "live"}}, "alarm", "dev")
    other = resource(ALARM, {"dimensions": {"EndpointName": "alive"}}, "other", "dev")
    return [text.split("\n")[0] for text, _ in judge_stack([endpoint, job, runs, alarm, other])]


def test_schedules_run_their_definitions() -> None:
    missing = ["[endpoint-monitored] endpoint endpoint has no monitoring schedule"]
    job = frozenset({f"urn:pulumi:dev::program::{DEFINITION}::job"})
    assert _watch({"monitoringJobDefinitionName": "job"}) == []
    assert _watch({"monitoringJobDefinitionName": "other"}) == missing
    assert _watch({"monitoringJobDefinitionName": "other"}, job) == []
    assert _watch({"monitoringJobDefinitionName": UNKNOWN}) == []
    assert _watch({}) == missing


def test_scaling_policies_that_come_from_the_target() -> None:
    endpoint = resource(ENDPOINT, {"name": "live"}, "endpoint")
    target = resource(TARGET, {"resourceId": "endpoint/live/variant/a"}, "target")
    scaling = resource("aws:appautoscaling/policy:Policy", {"resourceId": UNKNOWN}, "scaling")
    off = {"level": "disabled", "reason": "not what this is about", "until": TODAY.isoformat()}
    config = {"stack": {"rules": {"endpoint-monitored": off}}}
    assert len(judge_stack([endpoint, target, scaling], config)) == 1
    scaling.depends = frozenset({target.urn})
    assert judge_stack([endpoint, target, scaling], config) == []


def test_the_capture_bucket_by_what_it_is_made_from() -> None:
    bucket = resource("aws:s3/bucket:Bucket", {}, "auto")
    captures = resource(CONFIGURATION, configuration(destinationS3Uri=UNKNOWN), "c", depends=frozenset({bucket.urn}))
    block = resource("aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock", {"bucket": UNKNOWN}, "block")

    def found(*resources: Resource) -> list[str]:
        return [text.split("\n")[0] for text, _ in judge_stack(list(resources))]

    missing = ["[capture-private-bucket] the capture bucket auto has no public access block"]
    assert found(bucket, captures) == missing
    block.depends = frozenset({"urn:another"})
    assert found(bucket, captures, block) == missing
    block.depends = frozenset({bucket.urn})
    assert found(bucket, captures, block) == []
    block.depends, block.props = frozenset(), {"bucket": ""}
    assert found(bucket, captures, block) == missing
    captures.depends = frozenset()
    assert found(bucket, captures) == []


def test_services_guarded_where_they_should_be() -> None:
    assert rules(policy(document(trust(LAMBDA, **GUARDED)), "aws:iam/role:Role", "assumeRolePolicy")) == set()


@pytest.mark.parametrize(
    ("pattern", "expected"),
    # Three actions that share a letter prove nothing; of four it is a service that hides behind it.
    [("execute-api:*i*", False), ("ssmmessages:*a*", True)],
)
def test_a_letter_of_every_name_is_no_restriction(pattern: str, expected: bool) -> None:
    assert wide(pattern) is expected


def test_what_touches_and_can_be_scoped_is_both() -> None:
    assert "s3:GetObject" in names_of(touching("s3"))
    assert "a4b:GetContact" not in names_of(touching("a4b"))  # can be scoped, and touches nothing
    assert "a2c:StartDeploymentJob" not in names_of(touching("a2c"))  # touches, and cannot be scoped


def names_of(actions: tuple[Action, ...]) -> set[str]:
    return {f"{action.service}:{action.name}" for action in actions}


OPEN = {"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "s3:*", "Resource": "*"}]}


def within(value: Any, *steps: str) -> Any:
    """A value so many steps down: an object, a list or a JSON text around it for each, from the outside in."""
    for step in reversed(steps):
        value = {"a": value} if step == "object" else [value] if step == "list" else json.dumps(value)
    return value


@pytest.mark.parametrize(
    "steps",
    [
        ("object",) * 11,
        ("list",) * 11,
        ("list", "object") * 5 + ("text",),
        ("text", "object", "text", "list") * 2 + ("text", "object", "object"),
    ],
    ids=["objects", "lists", "a text", "texts in texts"],
)
def test_a_document_is_found_twelve_steps_down_and_no_further(steps: tuple[str, ...]) -> None:
    def found(*more: str) -> int:
        return len(documents_of(resource("aws:apigateway/restApi:RestApi", {"body": within(OPEN, *more, *steps)})))

    assert len(steps) == 11
    assert found() == 1
    assert found("object") == 0


def test_a_member_that_stands_twice_is_named() -> None:
    found = parse('{"Version": "2012-10-17", "Statement": [], "Statement": []}')
    assert isinstance(found, Document)
    assert found.error == "has a member twice: 'Statement'"


@pytest.mark.parametrize(("version", "variables"), [("2012-10-17", True), (UNKNOWN, True), ("2008-10-17", False)])
def test_variables_are_of_the_newer_language_alone(version: Any, variables: bool) -> None:
    found = parse({"Version": version, "Statement": []})
    assert isinstance(found, Document)
    assert found.variables is variables


def test_of_many_services_in_a_template_four_are_named() -> None:
    body = "".join(f"{name}: {{Type: 'AWS::{name}::X'}}\n" for name in ("SQS", "IAM", "KMS", "Lambda", "EC2"))
    violations, _ = judge(resource("aws:cloudformation/stack:Stack", {"templateBody": body}))
    assert "makes resources of EC2, IAM, KMS, Lambda by a CloudFormation stack" in "".join(violations)


GITHUB, OTHERS = "token.actions.githubusercontent.com", "login.example.com"


@pytest.mark.parametrize(
    ("value", "host", "pattern", "expected"),
    [
        ("repository_id:12:*", GITHUB, True, True),
        ("repository_id:12", GITHUB, True, True),
        ("repository_id:12*", GITHUB, True, False),  # 123 is somebody else's
        ("repository_owner_id:?2:x", GITHUB, True, False),
        ("project_id:7*:ref", "gitlab.com", True, False),
        ("space:x*", "me.app.spacelift.io", True, True),  # the issuer is one's own
        ("alice", OTHERS, False, True),
        ("user:alice*", OTHERS, True, True),
        ("*", OTHERS, True, False),
    ],
)
def test_whom_a_subject_names(value: str, host: str, pattern: bool, expected: bool) -> None:
    provider = f"arn:aws:iam::111111111111:oidc-provider/{host}"
    assert names_somebody(value, f"{host}:sub", provider, pattern) is expected


def test_a_utilization_of_several_cores_passes_100_unless_it_is_normalized() -> None:
    share = {"comparisonOperator": "GreaterThanThreshold", "threshold": 150, "evaluationPeriods": 1}
    kind = "aws:cloudwatch/metricAlarm:MetricAlarm"
    for name, fires in (("CPUUtilization", True), ("CPUUtilizationNormalized", False), ("NormalizedLoad", True)):
        found = judge(resource(kind, {**share, "metricName": name, "namespace": "/aws/sagemaker/Endpoints"}))
        assert ("cannot fire" not in str(found)) is fires, name


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"variables": {"A": "s3://b/constraints.json"}}, True),
        ({"variables": UNKNOWN}, True),
        ({"variables": None}, False),
        (None, False),
    ],
)
def test_what_a_function_compares_with(environment: Any, expected: bool) -> None:
    assert compares(resource("aws:lambda/function:Function", {"environment": environment})) is expected


def test_a_first_step_of_all_is_no_large_step_but_all_at_once() -> None:
    routing = {"type": "TimeBasedLinear", "timeBasedLinear": {"interval": 1, "percentage": 100}}
    props = {"computePlatform": "Lambda", "trafficRoutingConfig": routing}
    violations, _ = judge(resource("aws:codedeploy/deploymentConfig:DeploymentConfig", props))
    assert "moves all traffic at once: its first step is 100 %" in "".join(violations)


def test_what_is_below_and_what_lies_in_lists() -> None:
    assert [hardening._below(7)(value) for value in (6, 7, None, "x")] == [True, False, True, True]
    assert hardening._below(1)(None)
    assert hardening._at({"ab": [{"c": 1}, {"c": 2}]}, "ab[].c") == [1, 2]


def test_the_first_switch_that_is_off_is_the_place() -> None:
    switches = {"blockPublicAcls": True, "blockPublicPolicy": False, "ignorePublicAcls": False}
    block = {**switches, "restrictPublicBuckets": True}
    for kind, props, place in (
        ("aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock", block, "blockPublicPolicy: "),
        ("aws-native:s3:Bucket", {"publicAccessBlockConfiguration": block}, "Configuration.blockPublicPolicy: "),
    ):
        violations, _ = judge(resource(kind, props))
        assert f"{place}leaves open blockPublicPolicy, ignorePublicAcls" in "".join(violations)


@pytest.mark.parametrize(
    ("network", "expected"), [("0.0.0.0/0", True), ("1.2.3.4/0", True), ("10.1.2.3/8", False), ("x", False)]
)
def test_whom_a_network_lets_in(network: str, expected: bool) -> None:
    assert _everybody(network) is expected


def test_a_body_is_judged_of_an_api_without_a_policy_alone() -> None:
    body: dict[str, Any] = {"paths": {"/x": {"get": {}}}}
    for kind, props, found in (
        ("aws:apigateway/restApi:RestApi", {"body": body}, True),
        ("aws:apigateway/restApi:RestApi", {"body": body, "policy": "{}"}, False),
        ("aws:s3/bucketObject:BucketObject", {"body": body}, False),
    ):
        assert ("has no security" in str(judge(resource(kind, props)))) is found


@pytest.mark.parametrize(
    ("operation", "expected"), [("x", False), ({"security": UNKNOWN}, True), ({"security": []}, False), ({}, False)]
)
def test_what_secures_an_operation(operation: Any, expected: bool) -> None:
    assert _secured(operation, {}, {}) is expected


def test_texts_in_which_secrets_are_looked_for() -> None:
    *lines, whole = secrets._text("A=b", "userData", "userData", True)
    assert (lines, whole) == ([("userData", "A", "b", True)], ("userData", "userData", "A=b", False))
    assert secrets._decoded("QT1i") == "A=b"
    assert secrets._decoded("QT1i QT1i") == "QT1i QT1i"
    assert [found[0] for found in secrets._text('{"k": "v"}', "n", "n", True)] == ["n"]
    assert [found[0] for found in secrets._text('{"k": "v"}', "n", "m", True)] == ["m.n"]


def test_an_exemption_may_end_in_a_year_to_the_day() -> None:
    last = TODAY + datetime.timedelta(366)  # a leap year may lie between
    assert term("r", last.isoformat(), TODAY) == ""
    assert term("r", (last + datetime.timedelta(1)).isoformat(), TODAY).startswith("ends later than in a year")
