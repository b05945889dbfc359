import re
from pathlib import Path
from typing import Any

from operate.doctor import needs, quotas
from operate.doctor.finding import FINE, NOTE, PROBLEM, UNCHECKED, Finding
from tests.operate.doctor.fakes import Client, clients, refused, settings
from tests.operate.doctor.fakes import quotas as answer

ENDPOINT = "ml.m5.large for endpoint usage"
PROCESSING = "ml.m5.large for processing job usage"
ALL = "Number of instances across all processing jobs"
PLENTY = {
    ENDPOINT: 100.0,
    PROCESSING: 10.0,
    ALL: 10.0,
    "ml.m5.xlarge for training job usage": 10.0,
    "Number of instances across all training jobs": 10.0,
    "Concurrently running builds for Linux/Small environment": 60.0,
}


def needed(stack: str, **changes: Any) -> dict[str, int]:
    return {need.quota: need.amount for need in needs.of(settings(stack, **changes))}


def findings(stack: str, values: Any, concurrency: Any = 1000, sagemaker: Client | None = None) -> list[Finding]:
    listed = values if isinstance(values, Exception) else answer(values)
    limits = {"AccountLimit": {"ConcurrentExecutions": concurrency, "UnreservedConcurrentExecutions": concurrency}}
    ask = clients(
        service_quotas=Client(list_service_quotas=listed, list_aws_default_service_quotas=answer({})),
        sagemaker=sagemaker or Client(list_endpoints={"Endpoints": []}),
        **{"lambda": Client(get_account_settings=concurrency if isinstance(concurrency, Exception) else limits)},
    )
    totals = needs.totals(needs.of(settings(stack)))
    services = sorted({total.service for total in totals} - {needs.LAMBDA})
    return quotas.check(totals, quotas.look(ask, "us-east-1", f"penguins-{stack}", services, ("penguins-",)))


def by_quota(found: list[Finding], quota: str) -> Finding:
    return next(each for each in found if each.what.startswith(quota))


def test_an_endpoint_needs_twice_its_most_instances() -> None:
    assert needed("live1")[ENDPOINT] == 16
    assert needed("test")[ENDPOINT] == 2


def test_variants_are_scaled_too_and_a_shadow_is_not() -> None:
    manifest = "s3://penguins-artifacts/runs/1/release/manifest.json"
    assert needed("live1", variants=[{"manifest": manifest}])[ENDPOINT] == 32
    assert needed("live1", shadow={"manifest": manifest})[ENDPOINT] == 22


def test_jobs_builds_and_functions_are_counted() -> None:
    found = needed("delivery")
    assert found["ml.m5.xlarge for training job usage"] == 1
    assert found[PROCESSING] == found[ALL] == 1
    assert found["Concurrently running builds for Linux/Small environment"] == 3
    assert needed("test", api={"rate": 30}, alarms={"latencyMs": 500})[needs.CONCURRENCY] == 25
    assert needed("test")[PROCESSING] == 2
    assert PROCESSING not in needed("test", monitor={"enabled": False})


def test_stacks_in_one_account_add_up() -> None:
    both = [*needs.of(settings("test")), *needs.of(settings("live1"))]
    total = next(each for each in needs.totals(both) if each.quota == ENDPOINT)
    assert (total.amount, total.stacks) == (18, ("test", "live1"))


def test_an_account_with_plenty_is_fine() -> None:
    for stack in ("delivery", "test", "live1"):
        assert {found.status for found in findings(stack, PLENTY)} == {FINE}, stack


def test_too_little_is_a_problem_with_the_command_that_raises_it() -> None:
    found = by_quota(findings("live1", {**PLENTY, ENDPOINT: 4.0}), ENDPOINT)
    assert (found.status, found.where) == (PROBLEM, "live1")
    assert found.what == f"{ENDPOINT}: the account may have 4, a release needs 16"
    assert "twice the release's 8" in found.why
    assert found.fix == (
        "aws service-quotas request-service-quota-increase --service-code sagemaker --quota-code L-1 --desired-value 16"
        " --region us-east-1 --profile penguins-live1"
    )


def test_what_others_use_counts_and_what_is_ours_does_not() -> None:
    client = Client(
        list_endpoints={"Endpoints": [{"EndpointName": "theirs"}, {"EndpointName": "penguins-live1-1a2b"}]},
        describe_endpoint={
            "EndpointConfigName": "theirs",
            "ProductionVariants": [{"VariantName": "a", "CurrentInstanceCount": 3}],
        },
        describe_endpoint_config={"ProductionVariants": [{"VariantName": "a", "InstanceType": "ml.m5.large"}]},
    )
    found = by_quota(findings("live1", {**PLENTY, ENDPOINT: 18.0}, sagemaker=client), ENDPOINT)
    assert found.status == PROBLEM
    assert "beside 3 that other endpoints use" in found.what
    assert "--desired-value 19" in found.fix


def test_what_may_not_be_read_is_not_checked() -> None:
    found = findings("live1", refused(), refused(), Client(list_endpoints=refused()))
    assert {each.status for each in found} == {UNCHECKED}
    assert "AccessDenied" in found[0].why


def test_a_quota_that_is_unknown_is_not_checked() -> None:
    assert by_quota(findings("test", {}), ENDPOINT).status == UNCHECKED


def test_a_new_accounts_concurrency_is_a_problem_and_nothing_of_it_can_be_reserved() -> None:
    found = findings("live1", PLENTY, 10)
    assert by_quota(found, needs.CONCURRENCY).status == PROBLEM
    assert [each.what for each in found if each.status == NOTE] == [
        "of Lambda's concurrency 10 are unreserved: none can be reserved or provisioned"
    ]


def test_the_page_names_every_quota_that_is_asked_for() -> None:
    page = (Path(__file__).resolve().parents[3] / "docs/quotas.md").read_text(encoding="utf-8")
    for stack in ("delivery", "test", "live1"):
        for quota in needed(stack):
            general = re.sub(r"^ml\.[a-z0-9]+\.[a-z0-9]+ ", "", quota)
            assert general in page, quota
