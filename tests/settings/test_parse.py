"""Config: what is accepted, and what the errors say."""

from typing import Any

import pulumi
import pytest

from settings import parse
from tests.settings.configs import DATASET, config


def _problems(stack: str = "live1", **changes: Any) -> list[str]:
    with pytest.raises(pulumi.RunError) as caught:
        parse(stack, config(stack, **changes))
    return str(caught.value).splitlines()[1:]


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
            {"delivery": "1", "live1": "3" * 12},
            "glidepath:accounts.delivery: '1' is not an account id of 12 digits, in quotes",
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
        ("monitor", {"minutes": 61}, "glidepath:monitor.minutes: 61 is not a whole number from 1 to 60"),
        ("monitor", {"volumeGb": 513}, "glidepath:monitor.volumeGb: 513 is not a whole number from 1 to 512"),
        (
            "api",
            {"quotaPerDay": 2147483648},
            "glidepath:api.quotaPerDay: 2147483648 is not a whole number from 1 to 2147483647",
        ),
        ("retire", "yes", "glidepath:retire: 'yes' is not true or false"),
        ("alarms", {"drift": 2}, "glidepath:alarms.drift: 2 is not a number from 0 to 1"),
        ("retrain", {"schedule": "hourly"}, "glidepath:retrain.schedule: 'hourly' is not a cron of six fields"),
        ("retrain", {"data": {"folder": "source/"}}, "glidepath:retrain.data.folder: 'source/' is not one of"),
        ("retrain", {"environments": ["nowhere"]}, "glidepath:retrain.environments: 'nowhere' is not one of glidepath"),
        ("logDays", "91", "glidepath:logDays: '91' is not one of 1, 3, 5, 7, 14,"),
        (
            "capture",
            {"percentage": None},
            "glidepath:capture.percentage: is null; set it to a whole number from 1 to 100",
        ),
        # YAML reads 011111111111 without quotes as an octal number.
        (
            "accounts",
            {"delivery": 1227133513, "test": "2" * 12, "live1": "3" * 12},
            "glidepath:accounts.delivery: 1227133513 is not an account id of 12 digits, in quotes",
        ),
        (
            "hyperparameters",
            {"num_round": 10, "eta": [0.1, 0.2]},
            "glidepath:hyperparameters.eta: [0.1, 0.2] is not a number from 0 to 1",
        ),
        (
            "monitor",
            {"schedule": "cron(0 25 ? * * *)"},
            "glidepath:monitor.schedule: 'cron(0 25 ? * * *)' is not an hourly or daily cron like cron(15 * ? * *",
        ),
        (
            "environments",
            ["test", "live1", "test"],
            "glidepath:environments: ['test', 'live1', 'test'] must name each environment once",
        ),
        ("accounts", {"delivery": "0" * 12, "X": "1" * 12}, "glidepath:accounts.X: 'X' is not a stack name of 2 to 12"),
        ("api\n- x", 1, "glidepath:api?- x: unknown key; did you mean glidepath:api?"),
        ("environments", [], "glidepath:environments: [] must hold at least 1; add a stack name"),
        ("variants", [{"manifes": 1}], "glidepath:variants[0].manifes: unknown key; did you mean"),
        ("endpoint", {"instanceType": "ml.t2.medium", "instanceCount": 3}, "glidepath:endpoint.instanceType: 'ml.t2.m"),
        (
            "policies",
            {"exemptions": [{"rule": "A", "resource": "b", "reason": "c", "until": "2027-03-31"}]},
            "glidepath:policies.exemptions[0].rule: 'A' is not a rule's name, like wildcard-type",
        ),
        (
            "policies",
            {"exemptions": [{"rule": "a", "resource": "b", "reason": "c", "until": "2027-02-29"}]},
            "glidepath:policies.exemptions[0].until: '2027-02-29' is not a day like 2027-03-31",
        ),
        (
            "policies",
            {"exemptions": [{"rule": "a", "resource": "b", "until": "2027-02-28"}]},
            "glidepath:policies.exemptions[0].reason: is missing; set it to one line of at most 200 characters",
        ),
        ("deployment", '{"kind": "canary"', "glidepath:deployment: is not valid JSON (line 1, column 18"),
        ("api", '{"rate": 1, "rate": 2}', "glidepath:api: has the member 'rate' more than once"),
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
        ({"target": "mas"}, "dataset.target"),
        ({"features": []}, "dataset.features"),
        ({"metric": {"name": "auc", "threshold": 1}}, "dataset.metric.name"),
        ({"columns": {"mass": "money"}}, "dataset.columns.mass"),
    ],
)
def test_a_bad_dataset_is_named(change: dict[str, Any], message: str) -> None:
    assert any(f"glidepath:{message}" in line for line in _problems("delivery", dataset=DATASET | change))


def test_every_fault_of_a_dataset_is_named() -> None:
    slices = [{"feature": "wing", "edges": [1]}, {"feature": "is_gentoo"}, {"feature": "bill_length", "quantiles": 11}]
    change = {"target": "weight", "slices": slices, "metric": {"name": "mae", "threshold": "600"}}
    assert _problems("delivery", dataset=DATASET | change) == [
        "  - glidepath:dataset.slices[2].quantiles: 11 is not a whole number from 2 to 10",
        "  - glidepath:dataset.metric.threshold: '600' is not a number",
    ]
    change = {"target": "weight", "slices": slices[:2]}
    assert [line.split(": ")[0] for line in _problems("delivery", dataset=DATASET | change)] == [
        "  - glidepath:dataset.slices[1]",
        "  - glidepath:dataset.target",
        "  - glidepath:dataset.slices[0].feature",
    ]


def test_delivery_needs_mails_and_a_repository() -> None:
    problems = _problems("delivery", approval={}, source={"kind": "connection"})
    assert any("glidepath:approval.mails: is missing" in line for line in problems)
    assert any("glidepath:source.repository" in line for line in problems)


def test_autoscaling_must_admit_the_instances() -> None:
    assert any("autoscaling.min" in line for line in _problems(endpoint={"instanceCount": 20}))
    assert any("autoscaling.max" in line for line in _problems(autoscaling={"min": 4, "max": 2}))


def test_a_stack_without_account_is_named() -> None:
    with pytest.raises(pulumi.RunError, match="does not name stack staging"):
        parse("staging", config("live1"))


def test_the_order_of_environments_is_their_own_key() -> None:
    accounts = {"delivery": "0" * 12, "staging": "4" * 12, "prod": "3" * 12, "dev": "2" * 12}
    settings = parse("delivery", config("delivery", accounts=accounts, environments=["dev", "staging", "prod"]))
    assert settings.names.environments == ["dev", "staging", "prod"]
    assert any(
        "'staging' is not a stack of" in line for line in _problems("delivery", accounts=accounts, environments=None)
    )


def test_defaults_are_filled_in_where_nothing_is_given() -> None:
    given = config("live1", environments=None, accounts={"delivery": "0" * 12, "dev": "1" * 12, "prod": "2" * 12})
    needed = ("aws:region", "glidepath:name", "glidepath:accounts", "glidepath:alarms")
    settings = parse("prod", {key: given[key] for key in needed})
    assert settings.names.environments == ["dev", "prod"]
    assert (settings.deployment.kind, settings.deployment.percentage, settings.log_days) == ("canary", 10, 90)
    assert settings.autoscaling.minimum == settings.autoscaling.maximum == settings.instance_count == 1
    assert (settings.training.instance_type, settings.training.minutes) == ("ml.m5.xlarge", 60)
    assert (settings.monitor.by, settings.monitor.schedule) == ("own", "cron(15 * ? * * *)")
    assert (settings.evaluation.instance_type, settings.monitor.compute.minutes) == ("ml.m5.large", 30)
    assert settings.hyperparameters["num_round"] == "100"
    assert (settings.dataset, settings.dataset_document, settings.ci, settings.shadow) == (None, {}, None, None)


def test_a_shift_all_at_once_has_no_steps() -> None:
    for name, value in (("percentage", 10), ("minutes", 10), ("extend", 10), ("onInconclusive", "accept")):
        given = {"kind": "all-at-once", name: value}
        reason = f"{value!r} needs steps, and all-at-once has none: remove it, or choose canary or linear"
        assert [line.strip() for line in _problems(deployment=given)] == [f"- glidepath:deployment.{name}: {reason}"]
    found = parse("live1", config("live1", deployment={"kind": "all-at-once"})).deployment
    assert (found.kind, found.replay.requests) == ("all-at-once", 500)
    assert (found.judged, found.bake_minutes) == (False, 0)


def test_what_follows_a_shift_has_defaults_of_its_own() -> None:
    found = parse("live1", config("live1", deployment={"minutes": 20, "extend": 30})).deployment
    assert (found.on_inconclusive, found.on_silence, found.bake_minutes, found.extend) == ("accept", "return", 10, 30)
    assert (found.judged, found.minutes, found.interval) == (True, 20, 50)
    given = {"onInconclusive": "ask", "onSilence": "accept", "bakeMinutes": 0}
    found = parse("live1", config("live1", deployment=given)).deployment
    assert (found.on_inconclusive, found.on_silence, found.bake_minutes) == ("ask", "accept", 0)
    given = {"kind": "all-at-once", "bakeMinutes": 7}
    assert parse("live1", config("live1", deployment=given)).deployment.bake_minutes == 7


def test_nobody_is_silent_who_was_not_asked() -> None:
    for given in ({"onSilence": "return"}, {"onSilence": "accept", "onInconclusive": "return"}):
        reason = "follows where nobody answers, and nobody is asked: take it out, or set onInconclusive to ask"
        line = f"- glidepath:deployment.onSilence: {given['onSilence']!r} {reason}"
        assert [line.strip() for line in _problems(deployment=given)] == [line]


def test_the_last_step_of_a_linear_shift_is_as_long_as_the_others() -> None:
    (line,) = _problems(deployment={"kind": "linear", "extend": 5})
    assert line.strip() == (
        "- glidepath:deployment.extend: 5 applies to a canary only: CodeDeploy's linear steps are all equally long;"
        " remove it and raise minutes"
    )


def test_production_alone_is_asked_by_a_probe_unless_config_says_so() -> None:
    found = {stack: parse(stack, config(stack)).probe for stack in ("delivery", "test", "live1")}
    assert {stack: probe.enabled for stack, probe in found.items()} == {
        "delivery": False, "test": False, "live1": True,
    }  # fmt: skip
    assert found["live1"].minutes == 5
    assert parse("test", config("test", probe={"enabled": True})).probe.enabled
    assert not parse("live1", config("live1", probe={"enabled": False})).probe.enabled
    (line,) = _problems(probe={"minutes": 0})
    assert line == "  - glidepath:probe.minutes: 0 is not a whole number from 1 to 60"


def test_a_command_is_one_line() -> None:
    assert parse("delivery", config("delivery")).test.command == ""
    own = parse("delivery", config("delivery", test={"command": "pytest tests/mine && ./smoke"}))
    assert own.test.command == "pytest tests/mine && ./smoke"
    for bad in ("", "  ", "a\nb"):
        (line,) = _problems("delivery", test={"command": bad})
        assert line == f"  - glidepath:test.command: {bad!r} is not a command line"


def test_what_other_values_decide_is_filled_in() -> None:
    ci = {"provider": "gitlab", "repository": "group/name"}
    settings = parse("delivery", config("delivery", ci=ci, autoscaling={"max": 4}, shadow={}))
    assert settings.ci is not None
    assert (settings.ci.host, settings.ci.branch) == ("gitlab.com", "main")
    assert (settings.autoscaling.minimum, settings.autoscaling.maximum) == (1, 4)
    assert settings.dataset is not None
    assert [part.quantiles for part in settings.dataset.slices] == [0, 3]
    assert settings.dataset_document == DATASET


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


@pytest.mark.parametrize("key", ["variants", "shadow"])
def test_a_variant_has_room_in_the_names_of_its_model(key: str) -> None:
    """glidepath-live1-<40 letters>-1a2b3c4 has 63 characters, and a model's name no more."""
    name = str(config("live1")["glidepath:name"])
    room = 63 - len(f"{name}-live1--1a2b3c4")

    def given(letters: int) -> Any:
        variant = {"name": "v" * letters, "manifest": "s3://bucket/manifest.json"}
        return [variant] if key == "variants" else variant

    parse("live1", config("live1", **{key: given(room)}))
    path = "variants[0]" if key == "variants" else "shadow"
    told = f"glidepath:{path}.name: '{'v' * (room + 1)}' has more than {room} characters"
    assert told in _problems(**{key: given(room + 1)})[0]


def test_variants_and_a_shadow_have_names_and_weights_of_their_own() -> None:
    variants = [{"manifest": ADDRESS}, {"name": "b", "manifest": ADDRESS, "weight": 1}]
    settings = parse("live1", config("live1", variants=variants))
    assert [(v.name, v.weight) for v in settings.variants] == [("variant-1", 0.1), ("b", 1.0)]
    shadow = parse("live1", config("live1", shadow={"manifest": ADDRESS, "weight": 1})).shadow
    assert shadow is not None
    assert (shadow.name, shadow.weight) == ("shadow", 1.0)


def test_a_secret_for_previews_comes_with_one_for_deployments() -> None:
    state = {"backend": "https://api.pulumi.com", "previewSecretName": "looks"}
    (line,) = _problems("delivery", state=state)
    assert line == (
        "  - glidepath:state.previewSecretName: 'looks' unlocks the state for previews alone; name what unlocks it for"
        " deployments in state.secretName"
    )
    assert parse("delivery", config("delivery", state=state | {"secretName": "x"})).state.preview_secret_name == "looks"


def test_only_gitlab_says_whether_a_branch_is_protected() -> None:
    ci = {"provider": "github", "repository": "owner/name", "protectedRefs": True}
    (line,) = _problems("delivery", ci=ci)
    assert line.startswith(
        "  - glidepath:ci.protectedRefs: True is of GitLab's tokens alone, and the provider is github"
    )
    assert parse("delivery", config("delivery", ci=ci | {"provider": "gitlab"})).ci is not None


@pytest.mark.parametrize("state", [None, {}, {"secretName": "x"}])
def test_the_pipelines_builds_must_know_where_the_state_is(
    state: dict[str, str] | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PULUMI_BACKEND_URL", "s3://of-the-administrators-shell")
    (line,) = _problems("delivery", state=state)
    assert line == (
        "  - glidepath:state.backend: '' is empty, and the pipeline's builds would not find Pulumi's state; set it to"
        " the address that `./glidepath bootstrap` prints, or to https://api.pulumi.com"
    )
    assert parse("live1", config("live1", state=state)).state.backend == ""
    assert parse("delivery", config("delivery", state={"backend": "https://api.pulumi.com"})).state.backend
