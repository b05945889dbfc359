"""What only the whole stack shows; exemptions; unknown documents; remediation."""

import datetime
from typing import Any

import pytest
from pulumi_policy import proxy

from policies.rules.catalogue import RULES
from policies.rules.engine import plain
from policies.rules.judge import Judge
from policies.rules.model import UNKNOWN, Resource, is_production
from policies.rules.remediate import remediate
from tests.policies.corpus.identity import allow
from tests.policies.corpus.props import ALARM, ALIAS, CONFIGURATION, ENDPOINT, GROUP, LOG, SHIFT, TARGET, configuration
from tests.policies.harness import TODAY, as_text, document, judge, judge_stack, policy, resource, rules_of

DEFINITION = "aws:sagemaker/dataQualityJobDefinition:DataQualityJobDefinition"
SCHEDULE = "aws:sagemaker/monitoringSchedule:MonitoringSchedule"
SCALING = "aws:appautoscaling/policy:Policy"


def _watched(stack: str = "prod") -> dict[str, Resource]:
    endpoint = resource(ENDPOINT, {"name": "live-1"}, "endpoint", stack)
    job = {"dataQualityJobInput": {"endpointInput": {"endpointName": "live-1"}}, "name": "job"}
    made = [
        endpoint,
        resource(DEFINITION, job, "definition", stack),
        resource(SCHEDULE, {"monitoringScheduleConfig": {"monitoringJobDefinitionName": "job"}}, "schedule", stack),
        resource(ALARM, {"dimensions": {"EndpointName": "live-1"}}, "alarm", stack),
        resource(TARGET, {"resourceId": "endpoint/live-1/variant/live"}, "target", stack),
        resource(SCALING, {"resourceId": "endpoint/live-1/variant/live"}, "scaling", stack),
    ]
    return {each.name: each for each in made}


def _found(resources: Any) -> list[str]:
    return [message.split("\n")[0] for message, _ in judge_stack(list(resources))]


def test_a_watched_endpoint_passes() -> None:
    assert _found(_watched().values()) == []


@pytest.mark.parametrize(
    ("missing", "message"),
    [
        (
            "definition",
            "[endpoint-monitored] endpoint endpoint has no monitoring job definition, no monitoring schedule",
        ),
        ("schedule", "[endpoint-monitored] endpoint endpoint has no monitoring schedule"),
        ("alarm", "[endpoint-monitored] endpoint endpoint has no alarm"),
        ("target", "[endpoint-scaled] endpoint endpoint does not scale: no scalable target"),
        ("scaling", "[endpoint-scaled] endpoint endpoint does not scale: no scaling policy"),
    ],
)
def test_what_is_missing_is_named(missing: str, message: str) -> None:
    stack = _watched()
    del stack[missing]
    assert _found(stack.values()) == [message]


def _watched_by_ourselves(**variables: str) -> list[Resource]:
    stack = _watched()
    function = {"name": "watch", "environment": {"variables": {"ENDPOINT_NAME": "live-1", **variables}}}
    target = {"arn": "arn:aws:lambda:eu-west-1:123456789012:function:watch"}
    return [
        *(stack[name] for name in ("endpoint", "alarm", "target", "scaling")),
        resource("aws:lambda/function:Function", function, "function"),
        resource("aws:scheduler/schedule:Schedule", {"target": target}, "beat"),
    ]


def test_an_endpoint_may_be_watched_by_a_function_of_the_projects_own() -> None:
    own = _watched_by_ourselves(CONSTRAINTS_URI="s3://runs/1/baseline/constraints.json")
    assert _found(own) == []
    (message,) = _found(own[:-1])
    assert message == "[endpoint-monitored] endpoint endpoint has no monitoring schedule"


def test_a_schedule_that_only_keeps_a_function_warm_watches_nothing() -> None:
    (message,) = _found(_watched_by_ourselves())
    assert message == "[endpoint-monitored] endpoint endpoint has no monitoring job definition, no monitoring schedule"


def test_names_that_are_unknown_are_followed_by_dependencies() -> None:
    stack = _watched()
    urn = stack["endpoint"].urn
    for name, one in stack.items():
        one.props = {"name": UNKNOWN, "monitoringScheduleConfig": {"monitoringJobDefinitionName": UNKNOWN}}
        one.depends = frozenset() if name == "endpoint" else frozenset({urn})
    assert _found(stack.values()) == []


def test_development_need_not_scale() -> None:
    stack = _watched("dev")
    assert _found([stack[name] for name in ("endpoint", "definition", "schedule", "alarm")]) == []


def test_an_alias_needs_a_deployment_group() -> None:
    alias = resource(ALIAS, {"functionVersion": "1"}, "live")
    config = {"stack": {"rules": {"alias-shifted": {"level": "mandatory"}}}}
    ((message, urn),) = judge_stack([alias], config)
    assert (message.split("\n")[0], urn) == (
        "[alias-shifted] alias live is moved by no CodeDeploy deployment group",
        alias.urn,
    )
    assert judge_stack([alias, resource(GROUP, SHIFT)], config) == []


def test_the_capture_bucket_is_closed() -> None:
    bucket = resource("aws:s3/bucket:Bucket", {"bucket": "orders-capture"}, "bucket")
    stack = [resource(CONFIGURATION, configuration()), bucket]
    block = resource("aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock", {"bucket": "orders-capture"})
    assert _found(stack) == ["[capture-private-bucket] the capture bucket orders-capture has no public access block"]
    assert _found([*stack, block]) == []
    block.props = {"bucket": UNKNOWN}
    assert _found([*stack, block]) == []


BROAD = policy(as_text(document(allow("s3:PutObject", Sid="Old"))))
EXEMPTION = {"rule": "wildcard-resource", "resource": "it", "where": "'Old'", "reason": "moves", "until": "2026-12-31"}


def _with(**changes: str) -> dict[str, Any]:
    return {"least-privilege": {"exemptions": [{**EXEMPTION, **changes}]}}


def test_an_exemption_takes_one_finding_away() -> None:
    assert judge(BROAD)[0]
    assert judge(BROAD, _with())[0] == []
    assert judge_stack([BROAD], _with()) == []


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"until": "2026-11-20"}, "expired on 2026-11-20"),
        ({"until": "soon"}, "has no end date: until is 'soon', give it as YYYY-MM-DD"),
        ({"reason": " "}, "has no reason"),
        ({"resource": ""}, "names no resource"),
        ({"resource": "*"}, "names more than one resource"),
        ({"resource": "i?"}, "names more than one resource"),
        ({"until": "9999-12-31"}, "ends later than in a year: until is 9999-12-31, 2027-11-22 at most"),
        ({"until": "2027-11-23"}, "ends later than in a year"),
    ],
)
def test_an_exemption_that_does_not_hold(changes: dict[str, str], fault: str) -> None:
    assert "wildcard-resource" in rules_of(judge(BROAD, _with(**changes))[0])
    ((message, _),) = judge_stack([BROAD], _with(**changes))
    assert message.startswith("[exemption] wildcard-resource of")
    assert fault in message


def test_an_expired_exemption_is_reported_with_its_finding() -> None:
    (message,) = judge(BROAD, _with(until="2026-11-20"))[0]
    assert message.endswith("An exemption for it expired on 2026-11-20.")


def test_an_exemption_holds_on_its_last_day() -> None:
    assert judge(BROAD, _with(until=TODAY.isoformat()))[0] == []
    assert judge(BROAD, _with(until=TODAY.isoformat()), TODAY + datetime.timedelta(days=1))[0]


def test_an_exemption_of_two_resources_of_one_name() -> None:
    other = policy(as_text(document(allow("s3:PutObject", Sid="Old"))), "aws:iam/userPolicy:UserPolicy")
    ((message, _),) = judge_stack([BROAD, other], _with())
    assert "names 2 resources: give the URN of one" in message
    assert "exempts nothing" not in str(judge_stack([BROAD, other], _with(resource=BROAD.urn)))


def test_an_exemption_of_one_statement_is_of_no_later_one() -> None:
    """What was approved for statement 1 does not cover what becomes statement 10."""
    fine = [allow("s3:GetObject", f"arn:aws:s3:::a/{number}") for number in range(10)]
    fine[1] = broad = allow("s3:PutObject")
    both = policy(as_text(document([*fine, broad])))
    assert [message for message in judge(both, _with(where="statement 1"))[0] if "statement 10 of" in message]
    only = policy(as_text(document([fine[0], fine[0], *fine[2:], broad])))
    assert "exempts nothing" in str(judge_stack([only], _with(where="statement 1")))


@pytest.mark.parametrize("where", ["statement", "policy", "of"])
def test_an_exemption_of_several_places_is_none(where: str) -> None:
    both = policy(as_text(document([allow("s3:PutObject", Sid="Old"), allow("s3:DeleteObject", Sid="New")])))
    ((message, _),) = judge_stack([both], _with(where=where))
    assert "names 2 places, like \"statement 'New' of policy\": give one in full" in message
    assert judge_stack([both], _with(where="")) == []


@pytest.mark.parametrize(
    ("given", "fault"),
    [
        ({}, "has no reason"),
        ({"reason": "x"}, "has no end date"),
        ({"reason": "x", "until": "2030-01-01"}, "ends later than in a year"),
        ({"reason": "x", "until": "2026-11-20"}, "expired on 2026-11-20"),
    ],
)
def test_a_rule_lowered_in_production_has_a_reason_and_an_end(given: dict[str, str], fault: str) -> None:
    rules = {"wildcard-resource": {"level": "disabled", **given}, "permissions-boundary": {"level": "disabled"}}
    ((message, _),) = judge_stack([BROAD], {"least-privilege": {"rules": rules}})
    assert message.startswith(f"[exemption] wildcard-resource is disabled in production, and that {fault}")
    dev = policy(as_text(document(allow("s3:PutObject"))), stack="dev")
    assert judge_stack([dev], {"least-privilege": {"rules": rules}}) == []


def test_a_rule_lowered_in_production_for_a_while() -> None:
    rules = {"wildcard-resource": {"level": "advisory", "reason": "x", "until": TODAY.isoformat()}}
    assert judge_stack([BROAD], {"least-privilege": {"rules": rules}}) == []
    assert judge(BROAD, {"least-privilege": {"rules": rules}})[0] == []


BOUNDS = policy(as_text(document(allow("s3:PutObject", "arn:aws:s3:::a*"))), name="app-boundary")


def test_a_boundary_is_not_attached() -> None:
    kind = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
    bounded, after = {"permissionsBoundary": "arn:aws:iam::1:policy/app-boundary"}, frozenset({BOUNDS.urn})
    role = resource("aws:iam/role:Role", bounded, name="r", depends=after)
    target = resource("aws:lb/targetGroupAttachment:TargetGroupAttachment", {}, name="t", depends=after)
    assert judge_stack([BOUNDS, role, target]) == []
    attached = resource(kind, {"policyArn": UNKNOWN}, name="a", depends=frozenset({BOUNDS.urn}))
    ((message, urn),) = judge_stack([BOUNDS, attached])
    assert message.startswith("[boundary-attached] a attaches app-boundary, which is judged as a boundary\n")
    assert urn == attached.urn
    elsewhere = resource("aws:iam/role:Role", {"managedPolicyArns": ["arn:aws:iam::1:policy/x-Boundary"]}, name="b")
    ((message, urn),) = judge_stack([elsewhere])
    assert message.startswith("[boundary-attached] managedPolicyArns: b attaches `arn:aws:iam::1:policy/x-Boundary`")
    assert urn == elsewhere.urn
    other = resource("aws:s3/bucket:Bucket", {"policyArn": "boundary"}, name="c", depends=frozenset({BOUNDS.urn}))
    assert judge_stack([BOUNDS, other, resource(kind, {"policyArn": "x"}, name="d")]) == []


@pytest.mark.parametrize(
    ("kind", "props", "name", "expected"),
    [
        ("aws:iam/policy:Policy", {}, "app-boundary", set()),
        ("aws:iam/policy:Policy", {"name": "app-Boundary"}, "x", set()),
        ("aws-native:iam:ManagedPolicy", {"managedPolicyName": "boundary"}, "x", set()),
        ("aws:iam/policy:Policy", {"name": "app"}, "x", {"wildcard-type"}),
        ("aws:iam/userPolicy:UserPolicy", {}, "app-boundary", {"wildcard-type"}),
    ],
)
def test_a_boundary_may_reach_all_of_a_type(kind: str, props: dict[str, Any], name: str, expected: set[str]) -> None:
    prop = "policyDocument" if "native" in kind else "policy"
    found = document(allow("dynamodb:PutItem", "arn:aws:dynamodb:eu-west-1:1:table/*"))
    assert rules_of(judge(resource(kind, {prop: found, **props}, name=name))[0]) == expected


def test_a_boundary_has_no_pairs() -> None:
    found = document(allow(["glue:UpdateJob", "glue:StartJobRun"], "arn:aws:glue:eu-west-1:1:job/a"))
    assert judge(resource("aws:iam/policy:Policy", {"policy": found}, name="b-boundary"))[0] == []
    assert judge(resource("aws:iam/policy:Policy", {"policy": found}, name="b"))[0] != []


@pytest.mark.parametrize("changes", [{"resource": "other"}, {"where": "'New'"}, {"rule": "wildcard-action"}])
def test_an_exemption_that_names_no_finding(changes: dict[str, str]) -> None:
    ((message, _),) = judge_stack([BROAD], _with(**changes))
    assert "exempts nothing: no finding is named by it" in message


def test_an_exemption_of_an_unknown_rule() -> None:
    ((message, _),) = judge_stack([BROAD], _with(rule="nosuch"))
    assert "names no rule of this policy: 'nosuch'" in message


def test_an_exemption_waits_for_an_unknown_document() -> None:
    assert judge_stack([policy(UNKNOWN)], _with()) == []


def test_an_unknown_document_is_reported() -> None:
    violations, advice = judge(policy(UNKNOWN))
    assert violations == []
    assert "unknown-document" in rules_of(advice)


def test_unknown_parts_are_left_to_the_update() -> None:
    statements = [allow(UNKNOWN), allow("s3:GetObject", [UNKNOWN]), allow(["s3:*", UNKNOWN], "arn:aws:s3:::a")]
    violations, _ = judge(policy(document(statements)))
    assert [message.split("\n")[0] for message in violations] == [
        "[wildcard-action] statement 2 of policy: allows `s3:*`, every action there is"
    ]


def test_levels_and_options_by_stack() -> None:
    rules = {"rules": {"capture-percentage": {"minimum": 20}, "capture-modes": {"level": "advisory"}}}
    poor: dict[str, Any] = {"initialSamplingPercentage": 20, "captureOptions": []}
    dev = resource(CONFIGURATION, configuration(**poor), stack="dev")
    prod = resource(CONFIGURATION, configuration(**poor), stack="prod")
    config = {"data-capture": {"stacks": {"dev": rules}}}
    assert rules_of(judge(prod, config)[0]) == {"capture-percentage", "capture-modes"}
    violations, advice = judge(dev, config)
    assert violations == []
    assert "capture-modes" in rules_of(advice)
    assert judge(dev, {"data-capture": {"rules": {"capture-modes": {"level": "disabled"}, **rules["rules"]}}})[1]


def test_what_counts_as_production_is_config() -> None:
    one = resource(CONFIGURATION, configuration(count=1), stack="blue")
    assert judge(one)[0] == []
    assert rules_of(judge(one, {"release-safety": {"production": ["blue"]}})[0]) == {"production-instances"}


def test_default_tags_count_and_required_tags_are_named() -> None:
    config = {"operations": {"rules": {"tags": {"required": ["owner", "project"], "level": "mandatory"}}}}
    one = resource(LOG, {"retentionInDays": 1, "tags": {"owner": "a"}}, default_tags={"project": "b"})
    assert judge(one, config)[0] == []
    one.default_tags = {}
    assert judge(one, config)[0][0].startswith("[tags] tags: has no tag project")
    one.default_tags = UNKNOWN
    assert judge(one, config)[0] == []


def test_remediation_adds_what_is_missing() -> None:
    log = resource(LOG, {"tags": {"a": "b"}})
    assert remediate(log, {"tags": {"owner": "ml"}}) == {"retentionInDays": 90, "tags": {"a": "b", "owner": "ml"}}
    assert remediate(resource(LOG, {"retentionInDays": 7}), {"retentionInDays": 30}) == {}
    assert remediate(resource(LOG, {"retentionInDays": UNKNOWN, "tags": UNKNOWN}), {"tags": {"owner": "ml"}}) == {}
    assert remediate(resource("aws:ec2/eip:Eip", {}), {"tags": {"owner": "ml"}}) == {}


def test_the_engine_s_proxies_become_plain() -> None:
    given = {"a": [{"b": proxy.UNKNOWN_STRING_VALUE}, 1.0], "c": proxy.UNKNOWN_OBJECT_VALUE, "d": {"e": None}}
    assert plain(proxy.unknown_checking_proxy(given)) == {"a": [{"b": UNKNOWN}, 1.0], "c": UNKNOWN, "d": {"e": None}}


@pytest.mark.parametrize(
    ("stack", "expected"),
    [
        ("prod", True), ("prod-eu", True), ("eu-production", True), ("live", True), ("prod2", True),
        ("nonprod", False), ("non-prod", False), ("preprod", False), ("pre-prod-eu", False), ("product-dev", False),
        ("preprod-live", True), ("shop-products", False), ("products-prod", True), ("dev", False),
    ],
)  # fmt: skip
def test_production_by_name(stack: str, expected: bool) -> None:
    assert is_production(stack) is expected
    assert is_production("preprod", ["preprod"])


TELLS = {"name": "a", "alarmActions": ["x"], "metricName": "ModelErrors", "threshold": 1}


@pytest.mark.parametrize(
    ("alarm", "told"),
    [
        (TELLS, False),
        ({**TELLS, "metricName": "CPUUtilization"}, True),
        ({**TELLS, "comparisonOperator": "GreaterThanThreshold", "threshold": 1e9}, True),
        ({**TELLS, "actionsEnabled": False}, True),
        ({**TELLS, "metricQueries": [{"metric": {"metricName": "MemoryUtilization"}}], "metricName": None}, True),
        ({**TELLS, "metricQueries": [{"metric": {"metricName": "Errors"}}], "metricName": "CPUUtilization"}, False),
    ],
)
def test_a_deployment_s_alarms_tell(alarm: dict[str, Any], told: bool) -> None:
    group = resource(GROUP, SHIFT | {"alarmConfiguration": {"enabled": True, "alarms": ["a"]}}, "group")
    found = [text for text, _ in judge_stack([group, resource(ALARM, alarm, "alarm")])]
    assert any(text.startswith("[alarms-tell] group: none of its alarms") for text in found) is told
    assert judge_stack([group]) == []


def test_an_alarm_that_only_mentions_an_endpoint_watches_nothing() -> None:
    resources = list(_watched().values())
    alarm = next(each for each in resources if each.type == ALARM)
    assert _found(resources) == []
    alarm.props = {"alarmDescription": "live-1", "alarmActions": ["a"], "metricName": "Errors"}
    alarm.depends = frozenset()
    assert any("no alarm" in text for text in _found(resources))


def test_a_configuration_of_somebody_else_s() -> None:
    def advised(*resources: Resource) -> list[str]:
        judge = Judge(RULES, TODAY)
        judge.stack({}, list(resources), lambda text, _: None)
        told: list[str] = []
        judge.advice("urn:pulumi:prod::program::aws:sagemaker/endpoint:Endpoint::e", lambda text, _: told.append(text))
        return [text.split("\n")[0] for text in told if "endpoint-configuration" in text]

    endpoint = resource(ENDPOINT, {"name": "e", "endpointConfigName": "by-hand"}, "e")
    own = resource(CONFIGURATION, {"name": "own"}, "c")
    message = "[endpoint-configuration] endpoint e runs `by-hand`, which this program does not hold"
    assert advised(endpoint) == [message]
    assert advised(endpoint, own) == [message]
    assert advised(endpoint, resource(CONFIGURATION, {"name": "by-hand"}, "c")) == []
    assert advised(resource(ENDPOINT, {"endpointConfigName": UNKNOWN}, "e")) == []
    endpoint.depends = frozenset({own.urn})
    assert advised(endpoint, own) == []
