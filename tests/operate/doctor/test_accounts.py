from botocore.exceptions import ProfileNotFound

from operate.doctor import accounts
from operate.doctor.finding import FINE, NOTE, PROBLEM
from tests.operate.doctor.fakes import Client, refused

ACCOUNT = "022222222222"
WHO = {"Account": ACCOUNT, "Arn": f"arn:aws:iam::{ACCOUNT}:user/ann"}


def test_a_profile_of_the_stacks_account_is_fine() -> None:
    who = accounts.look(lambda: Client(get_caller_identity=WHO))
    assert accounts.check("test", ACCOUNT, "penguins-test", who).status == FINE


def test_a_profile_of_another_account_is_a_problem_that_names_both() -> None:
    found = accounts.check("test", "033333333333", "penguins-test", WHO)
    assert (found.status, found.what) == (PROBLEM, f"profile penguins-test is of account {ACCOUNT}")
    assert "names 033333333333 for test" in found.why


def test_credentials_that_are_missing_or_refused_are_a_problem_with_the_command() -> None:
    def missing() -> object:
        raise ProfileNotFound(profile="penguins-test")

    for ask in (missing, lambda: Client(get_caller_identity=refused("ExpiredToken"))):
        found = accounts.check("test", ACCOUNT, "penguins-test", accounts.look(ask))
        assert found.status == PROBLEM
        assert "aws sso login --profile penguins-test" in found.fix


def test_the_stacks_file_and_the_commands_name_one_profile_and_account() -> None:
    good = {"aws:profile": "penguins-test", "aws:allowedAccountIds": f'["{ACCOUNT}"]'}
    assert accounts.agree("test", ACCOUNT, "penguins-test", good) == []
    assert accounts.agree("test", ACCOUNT, "penguins-test", {}) == []
    other = {"aws:profile": "mine", "aws:allowedAccountIds": '["033333333333"]'}
    assert [found.status for found in accounts.agree("test", ACCOUNT, "penguins-test", other)] == [NOTE, PROBLEM]
