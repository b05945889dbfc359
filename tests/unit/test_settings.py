"""Config: what is accepted, and what the errors say."""

import json
from typing import Any

import pulumi
import pytest

from settings import parse
from tests.program.harness import config


def _problems(stack: str = "prod", **changes: Any) -> list[str]:
    with pytest.raises(pulumi.RunError) as caught:
        parse(stack, config(stack, **changes))
    return str(caught.value).splitlines()[1:]


@pytest.mark.parametrize("stack", ["delivery", "dev", "prod"])
def test_committed_config_is_usable(stack: str) -> None:
    settings = parse(stack, config(stack))
    assert settings.names.environments == ["dev", "prod"]
    assert settings.account == {"delivery": "1" * 12, "dev": "2" * 12, "prod": "3" * 12}[stack]


def test_committed_production_is_careful() -> None:
    settings = parse("prod", config("prod"))
    assert (settings.deployment.kind, settings.deployment.percentage, settings.deployment.minutes) == ("linear", 10, 1)
    assert settings.instance_count == settings.autoscaling.minimum == 2
    assert settings.capture.percentage == 100


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        (
            "deployment",
            {"kind": "canary", "percentage": 0},
            "glidepath:deployment.percentage: 0 is not a whole number from 1 to 99",
        ),
        ("deployment", {"kind": "blue"}, "glidepath:deployment.kind: 'blue' is not one of canary, linear, all-at-once"),
        ("deployment", {"minutes": 1.5}, "glidepath:deployment.minutes: 1.5 is not a whole number from 1 to 2880"),
        (
            "deployment",
            {"percentag": 5},
            "glidepath:deployment.percentag: unknown key; did you mean glidepath:deployment.percentage?",
        ),
        ("deployment", "canary", "glidepath:deployment: 'canary' is not an object"),
        ("nmae", "x", "glidepath:nmae: unknown key; did you mean glidepath:name?"),
        ("name", "Taxi!", "glidepath:name: 'Taxi!' is not 3 to 20 of a-z, 0-9 and -"),
        ("name", None, "glidepath:name: is missing; set it to 3 to 20 of a-z, 0-9 and -"),
        (
            "accounts",
            {"delivery": "1", "prod": "3" * 12},
            (
                'glidepath:accounts: \'{"delivery": "1", "prod":'
                ' "333333333333"}\' is not an object of stack: account id of 12 digits, in quotes'
            ),
        ),
        ("capture", {"percentage": True}, "glidepath:capture.percentage: True is not a whole number from 1 to 100"),
        (
            "endpoint",
            {"instanceType": "m5.large"},
            "glidepath:endpoint.instanceType: 'm5.large' is not a SageMaker instance type like ml.m5.large",
        ),
        (
            "release",
            "manifest.json",
            "glidepath:release: 'manifest.json' is not the address of a release manifest, s3://bucket/…/manifest.json",
        ),
        (
            "returning",
            {"urgent": True},
            "glidepath:returning.urgent: True needs a reason, which is recorded with the deployment",
        ),
        ("returning", {"reason": "a\nb"}, "glidepath:returning.reason: 'a\\nb' is not one line of at most 150"),
        ("retire", "yes", "glidepath:retire: 'yes' is not true or false"),
        ("alarms", {"drift": 2}, "glidepath:alarms.drift: 2 is not a number from 0 to 1"),
        ("logDays", "91", "glidepath:logDays: 91 is not kept by CloudWatch Logs"),
    ],
)
def test_a_bad_value_is_named_with_range_and_fix(key: str, value: Any, message: str) -> None:
    problems = _problems(**{key: value})
    assert any(line.startswith(f"  - {message}") for line in problems), problems


def test_all_problems_are_reported_together() -> None:
    assert len(_problems(name="X", capture={"percentage": 0}, deployment={"kind": "x", "typo": 1})) == 4


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"target": "tota"}, "dataset.target"),
        ({"features": []}, "dataset.features"),
        ({"metric": {"name": "auc", "threshold": 1}}, "dataset.metric.name"),
        ({"columns": {"total": "money"}}, "dataset.columns.total"),
    ],
)
def test_a_bad_dataset_is_named(change: dict[str, Any], message: str) -> None:
    dataset = json.loads(config("delivery")["glidepath:dataset"]) | change
    assert any(f"glidepath:{message}" in line for line in _problems("delivery", dataset=dataset))


def test_delivery_needs_mails_and_a_repository() -> None:
    problems = _problems("delivery", approval={}, source={"kind": "connection"})
    assert any("glidepath:approval.mails: is missing" in line for line in problems)
    assert any("glidepath:source.repository" in line for line in problems)


def test_autoscaling_must_admit_the_instances() -> None:
    assert any("autoscaling.min" in line for line in _problems(endpoint={"instanceCount": 20}))
    assert any("autoscaling.max" in line for line in _problems(autoscaling={"min": 4, "max": 2}))


def test_a_stack_without_account_is_named() -> None:
    with pytest.raises(pulumi.RunError, match="does not name stack staging"):
        parse("staging", config("prod"))


def test_the_order_of_environments_is_their_own_key() -> None:
    accounts = {"delivery": "1" * 12, "dev": "2" * 12, "prod": "3" * 12, "staging": "4" * 12}
    settings = parse("staging", config("prod", accounts=accounts, environments=["dev", "staging", "prod"]))
    assert settings.names.environments == ["dev", "staging", "prod"]
    assert any("'staging' is no stack" in line for line in _problems(accounts=accounts))


def test_a_name_may_not_be_taken_twice() -> None:
    variant = {"name": "live", "manifest": "s3://bucket/manifest.json"}
    assert any("glidepath:variants" in line for line in _problems(variants=[variant]))


ADDRESS = "s3://artifacts/runs/1/release/manifest.json"


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (
            {"variants": [{"name": "a", "manifest": ADDRESS}], "shadow": {"manifest": ADDRESS}},
            (
                "glidepath:shadow: 'shadow' cannot stand beside glidepath:variants: SageMaker shadows an endpoint of"
                " one variant only; take out the one or the other"
            ),
        ),
        (
            {"variants": [{"manifest": ADDRESS} for _ in range(10)]},
            "glidepath:variants: 10 are too many: with the release's own, an endpoint has 10 at most; take some out",
        ),
        (
            {"variants": [{"name": "live", "manifest": ADDRESS}]},
            "glidepath:variants: ['live', 'live'] name a variant twice (live is the release's own); rename one",
        ),
        (
            {"variants": [{"name": "a-", "manifest": ADDRESS}]},
            "glidepath:variants[0].name: 'a-' is not letters, digits and - between them, 63 at most",
        ),
        (
            {"variants": [{"manifest": ADDRESS, "weight": 1.5}]},
            "glidepath:variants[0].weight: 1.5 is not a number from 0 to 1",
        ),
        (
            {"shadow": {"name": "live", "manifest": ADDRESS}},
            "glidepath:shadow.name: 'live' is the release's own variant; rename the shadow",
        ),
        ({"shadow": {"weight": 0.5}}, "glidepath:shadow.manifest: is missing"),
    ],
)
def test_what_cannot_stand_beside_a_release(config: dict[str, Any], message: str) -> None:
    assert any(problem.strip().removeprefix("- ").startswith(message) for problem in _problems(**config))


def test_variants_and_a_shadow_have_names_and_weights_of_their_own() -> None:
    variants = [{"manifest": ADDRESS}, {"name": "b", "manifest": ADDRESS, "weight": 1}]
    settings = parse("prod", config("prod", variants=variants))
    assert [(v.name, v.weight) for v in settings.variants] == [("variant-1", 0.1), ("b", 1.0)]
    shadow = parse("prod", config("prod", shadow={"manifest": ADDRESS, "weight": 1})).shadow
    assert shadow is not None
    assert (shadow.name, shadow.weight) == ("shadow", 1.0)
