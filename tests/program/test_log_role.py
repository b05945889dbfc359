"""The role that API Gateway writes an account's logs with: one for all who share the account."""

import pulumi
import pytest

from tests.program.harness import Store, run

ANOTHERS = "arn:aws:iam::222222222222:role/another-team"


def test_another_teams_log_role_is_not_replaced_unasked() -> None:
    with pytest.raises(pulumi.RunError, match=f"{ANOTHERS}, which is not this project's") as caught:
        run("dev", Store(log_role=ANOTHERS))
    assert "Set glidepath:api.logRole to account" in str(caught.value)


@pytest.mark.parametrize("found", ["", "arn:aws:iam::222222222222:role/glidepath-dev-api-logs"])
def test_the_log_role_is_set_where_none_or_our_own_stands(found: str) -> None:
    assert len(run("dev", Store(log_role=found)).of("aws:apigateway/account:Account")) == 1


@pytest.mark.parametrize(("setting", "count"), [("account", 0), ("replace", 1)])
def test_the_config_says_whose_log_role_the_account_has(setting: str, count: int) -> None:
    made = run("dev", Store(log_role=ANOTHERS), api={"logRole": setting})
    assert len(made.of("aws:apigateway/account:Account")) == count


def test_one_account_for_all_has_one_api_log_role() -> None:
    accounts = {"delivery": "1" * 12, "dev": "1" * 12, "prod": "1" * 12}
    assert len(run("dev", accounts=accounts).of("aws:apigateway/account:Account")) == 1
    assert not run("prod", accounts=accounts).of("aws:apigateway/account:Account")
