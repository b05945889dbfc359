"""What AWS's limits say of the settings: refused with the limit, the value and the fix in the sentence."""

from typing import Any

import pytest

from settings import deployment_minutes
from settings.limits import FEATURE_NAMES, WITHOUT_PIPELINE
from settings.load import review
from tests.settings.configs import DATASET, config


def refusal(stack: str = "live1", region: str = "us-east-1", **changes: Any) -> str:
    """The one line that a config is refused with."""
    settings, lines = review(stack, config(stack, **changes) | {"aws:region": region})
    assert (settings, len(lines)) == (None, 1), lines
    return lines[0]


@pytest.mark.parametrize(
    ("region", "reason"),
    [
        ("cn-north-1", "is in the partition aws-cn"),
        ("us-gov-west-1", "is in the partition aws-us-gov"),
        ("us-isob-east-1", "is in the partition aws-iso"),
        ("mx-central-1", "is no region where AWS publishes sagemaker-xgboost 3.2-0; take one of af-south-1, "),
        ("eu-west-9", "is no region where AWS publishes sagemaker-xgboost"),
        *((region, "has neither CodePipeline nor CodeBuild; take another region") for region in WITHOUT_PIPELINE),
    ],
)
def test_regions_that_the_program_cannot_serve_are_refused_by_name(region: str, reason: str) -> None:
    for stack in ("delivery", "live1"):
        assert refusal(stack, region).startswith(f"aws:region: {region!r} {reason}")


def test_what_one_region_lacks_is_refused_with_the_choice_that_needs_it() -> None:
    source = {"kind": "connection", "repository": "owner/name"}
    line = "glidepath:source.kind: 'connection' is not there in ap-southeast-4: CodePipeline has no connections"
    assert refusal("delivery", "ap-southeast-4", source=source).startswith(line)
    line = "glidepath:monitor.by: 'sagemaker' is not there in ap-south-2: AWS publishes no sagemaker-model-monitor"
    assert refusal(region="ap-south-2", monitor={"by": "sagemaker"}).startswith(line)
    assert review("live1", config("live1") | {"aws:region": "ap-south-2"})[1] == []


@pytest.mark.parametrize("name", ["code", "dataset", "glue", "previews", "retrain", "runs", "tools", "trained"])
def test_a_project_has_not_the_name_of_a_folder_whose_content_is_kept(name: str) -> None:
    """The pipeline's folder expires, and nobody but the pipeline writes to it."""
    assert refusal(name=name).startswith(f"glidepath:name: {name!r} is a folder of the artifacts bucket already")
    assert review("live1", config("live1", name=f"{name}-1"))[1] == []


@pytest.mark.parametrize(("name", "other"), [("ml-live1", "ml"), ("ml-delivery-x", "ml"), ("a-b-live1", "a-b")])
def test_no_project_is_called_like_another_one_with_its_stack(name: str, other: str) -> None:
    stack = "delivery" if "delivery" in name else "live1"
    assert refusal(name=name) == (
        f"glidepath:name: {name!r} names stack {stack}: roles of a project called {other} would reach this one in the"
        f" same account; take a name without -{stack}"
    )
    assert review("live1", config("live1", name="ml-live12"))[1] == []


def test_an_alarm_looks_back_no_longer_than_cloudwatch_does() -> None:
    mails: dict[str, Any] = {"mails": []}
    found = refusal(alarms={"periodMinutes": 30, "periods": 49, **mails})
    assert found.startswith("glidepath:alarms.periods: 49 of 30 minutes are 1470 minutes")
    assert found.endswith("looks back 1440 minutes at most; take 48 or fewer")
    for fine in ({"periodMinutes": 30, "periods": 48}, {"periodMinutes": 60, "periods": 100}):
        assert review("live1", config("live1", alarms={**fine, **mails}))[1] == []


def test_a_build_outlives_the_shift_that_it_waits_for() -> None:
    assert refusal(shiftMinutes=127, capture={"waitSeconds": 370}) == (
        "glidepath:build.deployMinutes: 180 is shorter than the deployment that it waits for (182 minutes: shiftMinutes"
        " 127, bakeMinutes 10, the hooks, 35 for the rest); raise it, here and in Pulumi.delivery.yaml"
    )
    assert deployment_minutes(127, 370, 180, 10) == 182
    assert review("live1", config("live1", shiftMinutes=126, build={"deployMinutes": 184}))[1] == []
    for deployment in ({"replay": {"seconds": 600}}, {"bakeMinutes": 13}):
        assert refusal(shiftMinutes=120, deployment=deployment).endswith("Pulumi.delivery.yaml")
    assert review("live1", config("live1", shiftMinutes=132, deployment={"kind": "all-at-once"}))[1] == []
    assert refusal(shiftMinutes=2103) == (
        "glidepath:shiftMinutes: 2103 needs a build of 2161 minutes (shiftMinutes 2103, bakeMinutes 10), and CodeBuild"
        " ends one after 2160: lower it by 1"
    )
    too_long = refusal(deployment={"bakeMinutes": 2880})
    assert too_long.startswith("glidepath:deployment.bakeMinutes: 2880 needs a build of 3048 minutes")
    assert too_long.endswith("lower it by 888")


def test_a_shift_that_would_always_be_given_up_is_refused() -> None:
    assert refusal(deployment={"kind": "linear", "percentage": 10, "minutes": 11}) == (
        "glidepath:shiftMinutes: 120 is shorter than the shift itself (linear: 99 minutes, and 30 for its hooks), which"
        " would be given up; raise it to 129, or take fewer or shorter steps"
    )
    asking = {"onInconclusive": "ask"}
    for deployment, needed in (
        ({"kind": "canary", "minutes": 91}, 121),
        ({"kind": "canary", "minutes": 60, "extend": 31}, 121),
        ({"kind": "canary", "minutes": 51, **asking}, 121),
    ):
        assert f"raise it to {needed}, or" in refusal(deployment=deployment)
    assert "all-at-once: 0 minutes, and 30 for its hooks" in refusal(
        shiftMinutes=29, deployment={"kind": "all-at-once"}
    )
    for fine in (
        {"kind": "linear", "percentage": 10, "minutes": 10},
        {"kind": "canary", "minutes": 60, "extend": 30},
        {"kind": "canary", "minutes": 50, **asking},
        {"kind": "all-at-once"},
    ):
        assert review("live1", config("live1", deployment=fine))[1] == []


def test_a_shift_that_no_build_outlives_is_refused() -> None:
    deployment = {"kind": "canary", "minutes": 2000, "extend": 100}
    assert refusal(deployment=deployment) == (
        "glidepath:deployment.minutes: 2000 (canary: 2100 minutes, and 30 for its hooks) needs a build of 2188 minutes,"
        " bakeMinutes and the rest among them, and CodeBuild ends one after 2160: take fewer or shorter steps, by 28 in"
        " all"
    )
    given = {"shiftMinutes": 2102, "build": {"deployMinutes": 2160}}
    fits = {"kind": "canary", "minutes": 2000, "extend": 72}
    assert review("live1", config("live1", deployment=fits, **given))[1] == []


def test_names_that_make_a_bucket_too_long_are_refused() -> None:
    accounts = {"delivery": "1" * 12, "test": "2" * 12, "production12": "3" * 12}
    names: dict[str, Any] = {"accounts": accounts, "environments": ["test", "production12"], "retrain": None}
    for stack in ("delivery", "test"):
        given = config(stack, name="demand-forecast", **names) | {"aws:region": "ap-northeast-1"}
        assert review(stack, given)[1] == [
            (
                "glidepath:name: 'demand-forecast' makes"
                " demand-forecast-production12-capture-333333333333-ap-northeast-1 of 64 characters, and S3 takes 63:"
                " shorten it, or the environment's name production12, by 1"
            )
        ]
        assert review(stack, {**given, "aws:region": "eu-central-1"})[1] == []


def test_who_hears_of_alarms_is_told_from_nobody_by_intention() -> None:
    for given, heard in ((None, None), ({"mails": []}, ()), ({"mails": ["a@example.com"]}, ("a@example.com",))):
        settings, lines = review("live1", config("live1", alarms=given))
        assert settings is not None, lines
        assert settings.alarms.mails == heard
    settings, lines = review("live1", config("live1", alarms=None, approval={"mails": ["b@example.com"]}))
    assert settings is not None, lines
    assert settings.alarms.mails == ("b@example.com",)


def test_a_dataset_that_no_job_or_function_can_hold_is_refused() -> None:
    wide = {**DATASET, "slices": [], "features": [f"feature_{number}" for number in range(120)]}
    names, arguments = review("delivery", config("delivery", dataset=wide))[1]
    assert names.startswith("glidepath:dataset.features: are 120 names of ")
    assert names.endswith(f"has room for {FEATURE_NAMES} of Lambda's 4096; take fewer, or shorter names")
    assert arguments.startswith("glidepath:dataset: the evaluation needs 129 arguments, SageMaker takes 100")
