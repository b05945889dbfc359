"""The real program, every stack in every shape. What real AWS makes of it, these tests do not prove."""

import json
import re
from typing import Any

import pulumi
import pytest

from components.packaging import closure
from contracts.analyzer import files
from tests.program.harness import ROOT, Run, Store, address, manifest, one, run, run_shape, variables


def test_every_bucket_is_private_versioned_encrypted_and_tls_only(ran: Run) -> None:
    names = {resource.name for resource in ran.of("aws:s3/bucket:Bucket")}
    assert names
    for kind in (
        "bucketVersioning:BucketVersioning",
        "bucketOwnershipControls:BucketOwnershipControls",
        "bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
        "bucketLifecycleConfiguration:BucketLifecycleConfiguration",
    ):
        assert {resource.name for resource in ran.of(f"aws:s3/{kind}")} == names
    for block in ran.of("aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"):
        flags = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")
        assert all(block.inputs[flag] is True for flag in flags)
    for policy in ran.of("aws:s3/bucketPolicy:BucketPolicy"):
        sids = {statement["Sid"] for statement in json.loads(policy.inputs["policy"])["Statement"]}
        assert {"TlsOnly", "KmsOnly", "OwnKeyOnly"} <= sids


def test_every_environment_role_has_the_boundary(ran: Run) -> None:
    if not ran.of("aws:iam/policy:Policy"):
        pytest.skip("delivery has no boundary")
    assert all(role.inputs.get("permissionsBoundary") for role in ran.of("aws:iam/role:Role"))


def test_every_function_has_a_kept_encrypted_log_and_a_narrow_package(ran: Run, request: pytest.FixtureRequest) -> None:
    logs = {log.inputs["name"]: log.inputs for log in ran.of("aws:cloudwatch/logGroup:LogGroup")}
    functions = ran.of("aws:lambda/function:Function")
    # A foundation alone has none, a release the one that predicts, two hooks and the monitor; in production, which
    # shifts by steps, the judge as well, and the probe.
    shape = request.node.callspec.params["ran"]
    assert len(functions) == {"delivery": 8, "dev": 0, "prod": 0, "dev first": 4}.get(shape, 6)
    for function in functions:
        log = logs[f"/aws/lambda/{function.inputs['name']}"]
        assert log["retentionInDays"] == 90
        assert log["kmsKeyId"]
        assets = function.inputs["code"].assets
        package = function.inputs["handler"].split(".")[1]
        assert f"functions/{package}/handler.py" in assets
        assert all(name.endswith(".py") for name in assets)
        carried = files(ROOT) if package == "monitor" else []
        assert set(assets) == {*closure(ROOT, package), *carried}


def test_what_aws_names_itself_says_whose_it_is() -> None:
    """The deployer is bound by this tag. A stage has it from its API, and none of its own to say otherwise."""
    ran = run("prod", _stored(1), release=address(1), api={"key": True})
    for kind in ("apigateway/restApi:RestApi", "apigateway/usagePlan:UsagePlan", "apigateway/apiKey:ApiKey",
                 "appautoscaling/target:Target"):  # fmt: skip
        found = ran.of(f"aws:{kind}")
        assert found
        assert [each.inputs["tags"] for each in found] == [{"glidepath:stack": "glidepath-prod"}] * len(found)
    assert [stage.inputs.get("tags") for stage in ran.of("aws:apigateway/stage:Stage")] == [None]


def test_foundation_alone_serves_nothing() -> None:
    for stack in ("dev", "prod"):
        ran = run(stack)
        assert not ran.of("aws:sagemaker/endpoint:Endpoint")
        assert set(ran.outputs) == {"captureBucket", "topicArn"}


def test_a_recorded_release_is_kept_when_none_is_named() -> None:
    store = Store()
    store.put(1)
    store.point("prod", 1)
    ran = run("prod", store)
    assert ran.outputs["release"] == manifest(1)["id"]
    assert address(1) in str(one(ran.of("aws:ssm/parameter:Parameter"))["value"])


def test_retiring_is_explicit() -> None:
    store = Store()
    store.put(1)
    store.point("prod", 1)
    assert not run("prod", store, retire=True).of("aws:sagemaker/endpoint:Endpoint")
    with pytest.raises(pulumi.RunError, match="retire"):
        run("prod", store, retire=True, release=address(1))


def test_the_endpoint_captures_everything_encrypted() -> None:
    configuration = one(run_shape("prod first").of("aws:sagemaker/endpointConfiguration:EndpointConfiguration"))
    capture = configuration["dataCaptureConfig"]
    assert capture["enableCapture"] is True
    assert capture["initialSamplingPercentage"] == 100
    assert {option["captureMode"] for option in capture["captureOptions"]} == {"Input", "Output"}
    assert capture["kmsKeyId"]
    assert configuration["kmsKeyArn"]
    (variant,) = configuration["productionVariants"]
    assert variant["initialInstanceCount"] == 2


def test_production_shifts_in_steps_under_alarms() -> None:
    ran = run_shape("prod next")
    group = one(ran.of("aws:codedeploy/deploymentGroup:DeploymentGroup"))
    assert set(group["alarmConfiguration"]["alarms"]) == {
        f"glidepath-prod-{purpose}"
        for purpose in (
            "evidence", "model-errors", "latency", "function-errors", "silence", "endpoint-errors", "prediction-shift",
        )
    }  # fmt: skip
    assert group["autoRollbackConfiguration"]["enabled"] is True
    routing = one(ran.of("aws:codedeploy/deploymentConfig:DeploymentConfig"))["trafficRoutingConfig"]
    assert routing == {"type": "TimeBasedLinear", "timeBasedLinear": {"percentage": 10, "interval": 1}}
    shift = one(ran.of("pulumi-python:dynamic/glidepath:TrafficShift"))
    assert (shift["alias"], shift["version"]) == ("live", "7")
    alarms = [alarm.inputs for alarm in ran.of("aws:cloudwatch/metricAlarm:MetricAlarm")]
    assert all(alarm["alarmActions"] for alarm in alarms)
    assert all(alarm["treatMissingData"] == "notBreaching" for alarm in alarms)
    metrics = [query["metric"] for alarm in alarms for query in alarm.get("metricQueries", ()) if "metric" in query]
    watched = [each["dimensions"] for each in [*alarms, *metrics] if "dimensions" in each]
    assert {each[name] for each in watched for name in ("Version", "ExecutedVersion") if name in each} == {"7"}
    composite = one(ran.of("aws:cloudwatch/compositeAlarm:CompositeAlarm"))
    assert all(
        f'ALARM("{alarm["name"]}")' in composite["alarmRule"]
        for alarm in alarms
        if "-drift-" not in alarm["name"] and "-monitor-" not in alarm["name"] and not alarm["name"].endswith("-probe")
    )
    assert "drift" not in composite["alarmRule"]
    assert "monitor" not in composite["alarmRule"]
    board = json.loads(one(ran.of("aws:cloudwatch/dashboard:Dashboard"))["dashboardBody"])
    assert "Prediction shift (stability index)" in [widget["properties"]["title"] for widget in board["widgets"]]


def test_a_manifest_without_distribution_can_still_be_deployed() -> None:
    store = Store()
    store.put(1, distribution=None)
    ran = run("prod", store, release=address(1))
    names = [alarm.inputs["name"] for alarm in ran.of("aws:cloudwatch/metricAlarm:MetricAlarm")]
    assert "glidepath-prod-model-errors" in names
    assert "glidepath-prod-prediction-shift" not in names
    predict = next(f.inputs for f in ran.of("aws:lambda/function:Function") if f.inputs["name"].endswith("-predict"))
    assert predict["environment"]["variables"]["PREDICTION_EDGES"] == "[]"


SPECIES = ["Adelie", "Chinstrap", "Gentoo"]


def test_a_release_of_classes_is_served_and_watched_by_their_names() -> None:
    assert "CLASSES" not in variables(run("prod", _stored(1), release=address(1)), "predict")
    ran = run("prod", _stored(1, task="multiclass", classes=SPECIES), release=address(1))
    assert json.loads(variables(ran, "predict")["CLASSES"]) == SPECIES
    assert variables(ran, "monitor")["CLASSES"] == "3"
    ran = run("prod", _stored(1, task="binary", classes=SPECIES[:2]), release=address(1))
    assert json.loads(variables(ran, "predict")["CLASSES"]) == SPECIES[:2]
    assert "CLASSES" not in variables(ran, "monitor")


def test_several_classes_are_not_watched_by_sagemakers_own_monitor() -> None:
    with pytest.raises(
        pulumi.RunError, match=r"^glidepath:monitor\.by: 'sagemaker' cannot watch release .* set it to own"
    ):
        run("prod", _stored(1, task="multiclass", classes=SPECIES), release=address(1), monitor={"by": "sagemaker"})


def test_watching_and_the_pointer_follow_only_after_the_shift() -> None:
    kinds = [resource.type.rpartition(":")[2] for resource in run_shape("prod next").resources]
    order = ["TrafficShift", "Parameter", "Schedule"]
    assert [kind for kind in kinds if kind in order] == order
    assert kinds.index("Dashboard") > kinds.index("Parameter")


def test_a_release_is_recorded_before_it_is_watched() -> None:
    """A monitor that cannot be made, or a service that is closed, must not un-record the release that serves."""
    store = Store()
    store.put(1)
    for by, watcher in (("own", "aws:scheduler/schedule:Schedule"), ("sagemaker", "aws:sagemaker/dataQ")):
        kinds = [resource.type for resource in run("prod", store, release=address(1), monitor={"by": by}).resources]
        first = next(index for index, kind in enumerate(kinds) if kind.startswith(watcher))
        assert kinds.index("aws:ssm/parameter:Parameter") < first


def test_a_policy_that_was_put_once_is_the_one_that_is_put_again() -> None:
    """AWS takes no second policy for a target's metric: after a kill the same one must be put."""
    store = Store()
    store.put(1)
    made = run("prod", store, release=address(1)).resources
    (policy,) = [each for each in made if each.type == "aws:appautoscaling/policy:Policy"]
    assert policy.inputs["name"] == "glidepath-prod"


def _stored(*numbers: int, **changes: Any) -> Store:
    store = Store()
    for number in numbers:
        store.put(number)
    if changes:
        store.put(numbers[-1], **changes)
    return store


def test_an_ab_test_shares_the_requests_of_one_endpoint_and_scales_every_variant() -> None:
    variants = [{"name": "challenger", "manifest": address(2), "weight": 0.2}]
    ran = run("prod", _stored(1, 2), release=address(1), variants=variants)
    configuration = one(ran.of("aws:sagemaker/endpointConfiguration:EndpointConfiguration"))
    weights = {v["variantName"]: v["initialVariantWeight"] for v in configuration["productionVariants"]}
    assert weights == {"live": 1.0, "challenger": 0.2}
    assert "shadowProductionVariants" not in configuration
    assert len(ran.of("aws:sagemaker/model:Model")) == 2
    targets = [target.inputs["resourceId"] for target in ran.of("aws:appautoscaling/target:Target")]
    assert [target.rpartition("/")[2] for target in targets] == ["live", "challenger"]
    assert len(ran.of("aws:appautoscaling/policy:Policy")) == 2
    first, second = manifest(1)["id"], manifest(2)["id"]
    assert json.loads(variables(ran, "predict")["VARIANTS"]) == {"live": first, "challenger": second}
    for hook in ("before-traffic", "after-traffic"):
        environment = variables(ran, hook)
        assert (environment["VARIANT"], environment["RELEASE_ID"]) == ("live", first)
        assert json.loads(environment["OTHER_VARIANTS"]) == [
            {"variant": "challenger", "release": second, "golden": manifest(2)["golden"], "sha256": "01" * 32}
        ]


def test_the_hook_before_traffic_is_told_what_to_replay() -> None:
    wanted = {"kind": "canary", "replay": {"requests": 90, "seconds": 60, "megabytes": 2, "accept": ["rain"]}}

    def told(**more: Any) -> dict[str, Any]:
        ran = run("prod", _stored(1, 2), release=address(1), deployment=wanted, **more)
        environment = variables(ran, "before-traffic")
        assert environment["MANIFEST_URI"] == address(1)
        assert re.fullmatch(r"[0-9a-f]{64}", environment["MANIFEST_SHA256"])
        assert "REPLAY" not in variables(ran, "after-traffic")
        found: dict[str, Any] = json.loads(environment["REPLAY"])
        return found

    limits = {"requests": 90, "seconds": 60, "megabytes": 2, "latencyMs": 400, "accept": ["rain"]}
    assert told(alarms={"latencyMs": 400}) == limits
    # A return is known by its deployment: what is told stays, or the next update would change the hook.
    assert told(alarms={"latencyMs": 400}, returning={"reason": "too slow", "urgent": True}) == limits


def test_a_shadow_answers_nobody() -> None:
    ran = run("prod", _stored(1, 3), release=address(1), shadow={"manifest": address(3), "weight": 0.5})
    configuration = one(ran.of("aws:sagemaker/endpointConfiguration:EndpointConfiguration"))
    assert [v["variantName"] for v in configuration["productionVariants"]] == ["live"]
    (shadow,) = configuration["shadowProductionVariants"]
    assert (shadow["variantName"], shadow["initialVariantWeight"]) == ("shadow", 0.5)
    assert len(ran.of("aws:appautoscaling/target:Target")) == 1
    assert "VARIANTS" not in variables(ran, "predict")
    assert "OTHER_VARIANTS" not in variables(ran, "before-traffic")
    # The shadow captures the same inference ids with answers of its own.
    assert variables(ran, "after-traffic")["VARIANT"] == "live"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"id": manifest(1)["id"]}, "which is the release itself: take it out of the stack's config"),
        ({"features": ["distance", "passengers"]}, "which wants the features distance, passengers and release"),
        ({"target": "tip"}, "which predicts tip and release 20261121-1a2b3c4d predicts total"),
        (
            {"task": "binary", "classes": ["no", "yes"]},
            "which answers a binary (no, yes) and release 20261121-1a2b3c4d answers a regression: one function must",
        ),
    ],
)
@pytest.mark.parametrize("key", ["variants", "shadow"])
def test_a_model_that_cannot_stand_beside_the_release_is_refused(
    key: str, changes: dict[str, Any], message: str
) -> None:
    other: Any = {"name": "other", "manifest": address(2)}
    config = {key: [other] if key == "variants" else other}
    with pytest.raises(pulumi.RunError) as caught:
        run("prod", _stored(1, 2, **changes), release=address(1), **config)
    assert str(caught.value).startswith(f"glidepath:{key}: other is release ")
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("sha256", "changes", "message"),
    [
        ("cd" * 32, {}, "the model artifact changed"),
        ("", {}, "carries no SHA-256 checksum"),
        ("ab" * 32, {"manifestSha256": "00" * 32}, "was approved: the manifest was changed"),
    ],
)
def test_a_changed_release_is_refused(sha256: str, changes: dict[str, str], message: str) -> None:
    store = Store()
    store.put(1)
    store.checksums[manifest(1)["model"]["artifact"]] = sha256
    with pytest.raises(pulumi.RunError, match=message):
        run("prod", store, release=address(1), **changes)


@pytest.mark.parametrize("text", ["", "{", "[]", json.dumps(manifest() | {"schema": 2})])
def test_a_corrupt_manifest_is_refused(text: str) -> None:
    store = Store(objects={address(1): text})
    with pytest.raises(pulumi.RunError, match="is no release manifest"):
        run("prod", store, release=address(1))


def test_a_manifest_that_does_not_call_itself_text_is_refused() -> None:
    store = Store(untyped={address(1)})
    store.put(1)
    with pytest.raises(pulumi.RunError, match="as binary/octet-stream, which cannot be read as text"):
        run("prod", store, release=address(1))


def test_a_missing_manifest_is_named() -> None:
    with pytest.raises(pulumi.RunError, match="cannot be read"):
        run("prod", release=address(1))


def test_bad_config_registers_nothing() -> None:
    with pytest.raises(pulumi.RunError, match=r"deployment\.percentage"):
        run("prod", deployment={"percentage": 0})


def test_the_pipeline_is_the_road() -> None:
    pipeline = one(run("delivery").of("aws:codepipeline/pipeline:Pipeline"))
    road = ["Source", "Build", "Train", "DeployDev", "TestDev", "Approve", "DeployProd"]
    assert [stage["name"] for stage in pipeline["stages"]] == road
    assert (pipeline["pipelineType"], pipeline["executionMode"]) == ("V2", "QUEUED")
    production = pipeline["stages"][-1]["actions"][0]["configuration"]["EnvironmentVariables"]
    for approved in ("SOURCE_SHA256", "MANIFEST_SHA256", "PLAN_SHA256"):
        assert f"#{{PlanProd.{approved}}}" in production


def test_production_is_planned_before_anybody_is_asked() -> None:
    stages = {s["name"]: s["actions"] for s in one(run("delivery").of("aws:codepipeline/pipeline:Pipeline"))["stages"]}
    assert [action["name"] for action in stages["TestDev"]] == ["TestDev", "PlanProd"]
    assert "runOrder" not in stages["TestDev"][1]
    assert "#{DeployDev.MANIFEST_SHA256}" in stages["TestDev"][1]["configuration"]["EnvironmentVariables"]
    (approve,) = stages["Approve"]
    assert approve["configuration"]["CustomData"] == (
        "#{PlanProd.EVIDENCE} Approved are (sha256) source #{PlanProd.SOURCE_SHA256},"
        " manifest #{PlanProd.MANIFEST_SHA256}, plan #{PlanProd.PLAN_SHA256}."
    )


def test_a_single_environment_is_planned_and_approved_too() -> None:
    ran = run("delivery", environments=["prod"], accounts={"delivery": "1" * 12, "prod": "3" * 12})
    stages = one(ran.of("aws:codepipeline/pipeline:Pipeline"))["stages"]
    assert [stage["name"] for stage in stages] == ["Source", "Build", "Train", "PlanProd", "Approve", "DeployProd"]
    planned, _, deployed = (stage["actions"][0]["configuration"] for stage in stages[3:])
    assert "TESTED_SHA256" not in planned["EnvironmentVariables"]
    assert "#{PlanProd.SOURCE_SHA256}" in deployed["EnvironmentVariables"]


@pytest.mark.parametrize(
    ("source", "provider"),
    [
        ({"kind": "connection", "repository": "owner/name"}, "CodeStarSourceConnection"),
        ({"kind": "codecommit", "repository": "name"}, "CodeCommit"),
        ({"kind": "s3"}, "S3"),
    ],
)
def test_every_kind_of_source(source: dict[str, str], provider: str) -> None:
    ran = run("delivery", source=source)
    action = one(ran.of("aws:codepipeline/pipeline:Pipeline"))["stages"][0]["actions"][0]
    assert action["provider"] == provider
    assert len(ran.of("aws:codeconnections/connection:Connection")) == (1 if provider.startswith("CodeStar") else 0)
    assert action["configuration"].get("PollForSourceChanges", "false") == "false"
    patterns = [json.loads(rule.inputs["eventPattern"]) for rule in ran.of("aws:cloudwatch/eventRule:EventRule")]
    commits = [
        pattern["detail"]["referenceName"] for pattern in patterns if pattern.get("source") == ["aws.codecommit"]
    ]
    assert commits == ([["main"]] if provider == "CodeCommit" else [])


def test_the_notebook_is_off_unless_asked_for() -> None:
    kind = "aws:sagemaker/notebookInstance:NotebookInstance"
    assert not run("delivery").of(kind)
    assert one(run("delivery", notebook={"enabled": True}).of(kind))["rootAccess"] == "Disabled"


@pytest.mark.parametrize(
    ("source", "notebook", "cloned"),
    [
        ({"kind": "s3"}, {}, None),
        ({"kind": "s3"}, {"repository": "https://git.example.com/fares"}, "https://git.example.com/fares"),
        ({"kind": "connection", "repository": "owner/name"}, {}, "https://github.com/owner/name"),
        (
            {"kind": "connection", "repository": "group/sub/name", "provider": "GitLab"},
            {},
            "https://gitlab.com/group/sub/name",
        ),
        ({"kind": "connection", "repository": "owner/name"}, {"repository": "private-one"}, "private-one"),
        (
            {"kind": "codecommit", "repository": "name"},
            {},
            "https://git-codecommit.eu-west-1.amazonaws.com/v1/repos/name",
        ),
    ],
)
def test_the_notebook_clones_the_source_unless_another_is_named(
    source: dict[str, str], notebook: dict[str, Any], cloned: str | None
) -> None:
    made = run("delivery", source=source, notebook={"enabled": True, **notebook})
    instance = one(made.of("aws:sagemaker/notebookInstance:NotebookInstance"))
    assert instance.get("defaultCodeRepository") == cloned


@pytest.mark.parametrize(("minutes", "days"), [(10080, 30), (86400, 67)])
def test_what_an_approval_would_deploy_is_still_there_when_it_is_given(minutes: int, days: int) -> None:
    ran = run("delivery", approval={"mails": ["a@example.com"], "minutes": minutes})
    found = ran.of("aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration")
    rules = [rule for each in found for rule in each.inputs["rules"]]
    assert [rule["expiration"] for rule in rules if rule["id"] == "expire-glidepath"] == [{"days": days}]
