from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from operate.doctor import state
from operate.doctor.finding import FINE, NOTE, PROBLEM, UNCHECKED
from settings import State
from tests.operate.doctor.fakes import Client, clients, refused

BUCKET = State("s3://penguins-state?region=us-east-1&awssdk=v2", "", "PULUMI_CONFIG_PASSPHRASE")
KEY = "awskms:///alias/penguins-state?region=us-east-1"
PROVIDERS = {"delivery": KEY, "test": KEY}
COMMAND = "./glidepath bootstrap --aws"


def answers(versioning: Any = None, key: Any = "Enabled", secret: Any = None) -> Any:
    described = key if isinstance(key, Exception) else {"KeyMetadata": {"KeyState": key}}
    return clients(
        s3=Client(get_bucket_versioning={"Status": "Enabled"} if versioning is None else versioning),
        kms=Client(describe_key=described),
        secretsmanager=Client(describe_secret={} if secret is None else secret),
    )


def findings(own: State, providers: dict[str, str], **given: Any) -> list[Any]:
    return state.check(own, providers, state.look(own, providers, answers(**given)), COMMAND)


def statuses(*given: Any, **more: Any) -> list[str]:
    return [found.status for found in findings(*given, **more)]


def test_a_versioned_bucket_and_a_key_are_fine() -> None:
    assert statuses(BUCKET, PROVIDERS) == [FINE, FINE]


@pytest.mark.parametrize("code", ["NoSuchBucket", "404"])
def test_a_bucket_that_does_not_exist_is_a_problem_with_the_command_that_makes_it(code: str) -> None:
    found = findings(BUCKET, PROVIDERS, versioning=refused(code))[0]
    assert (found.status, found.what, found.fix) == (PROBLEM, "bucket penguins-state does not exist", COMMAND)


def test_a_bucket_without_versions_is_a_problem() -> None:
    assert statuses(BUCKET, PROVIDERS, versioning={}) == [PROBLEM, FINE]


def test_what_may_not_be_read_is_not_checked() -> None:
    denied = refused("AccessDenied")
    assert statuses(BUCKET, PROVIDERS, versioning=denied, key=denied) == [UNCHECKED, UNCHECKED]
    own = replace(BUCKET, secret_name="penguins/pulumi")
    assert statuses(own, {"delivery": "passphrase"}, secret=denied) == [FINE, UNCHECKED]


@pytest.mark.parametrize("key", ["PendingDeletion", "Disabled"])
def test_a_key_that_opens_nothing_is_a_problem(key: str) -> None:
    found = findings(BUCKET, PROVIDERS, key=key)[1]
    assert (found.status, found.what) == (PROBLEM, f"key alias/penguins-state is {key}")


def test_a_key_or_a_secret_that_is_not_there_is_a_problem() -> None:
    assert statuses(BUCKET, PROVIDERS, key=refused("NotFoundException")) == [FINE, PROBLEM]
    own = replace(BUCKET, secret_name="penguins/pulumi")
    found = findings(own, {"delivery": ""}, secret=refused("ResourceNotFoundException"))[1]
    assert found.fix.startswith("aws secretsmanager create-secret --name penguins/pulumi")
    assert statuses(own, {"delivery": ""}, secret={"DeletedDate": 1}) == [FINE, PROBLEM]
    assert statuses(own, {"delivery": ""}) == [FINE, FINE]


def test_with_pulumi_cloud_previews_should_have_a_token_that_only_reads() -> None:
    own = State("https://api.pulumi.com", "penguins/pulumi", "PULUMI_ACCESS_TOKEN")
    found = findings(own, {"delivery": ""})[-1]
    assert (found.status, found.what) == (NOTE, "previews have secret penguins/pulumi as deployments do")
    both = replace(own, preview_secret_name="penguins/looks")
    assert statuses(both, {"delivery": ""}) == [NOTE, FINE, FINE]
    missing = findings(both, {"delivery": ""}, secret=refused("ResourceNotFoundException"))[-1]
    assert (missing.status, missing.what) == (PROBLEM, "secret penguins/looks does not exist")
    assert NOTE not in statuses(replace(BUCKET, secret_name="penguins/passphrase"), {"delivery": ""})


def test_a_state_that_nothing_opens_is_a_problem() -> None:
    found = findings(BUCKET, {"delivery": KEY, "test": ""})[-1]
    assert (found.status, found.what) == (PROBLEM, "nothing says what opens the secrets of test")


def test_other_places_of_the_state(tmp_path: Path) -> None:
    assert statuses(replace(BUCKET, backend=""), PROVIDERS)[0] == PROBLEM
    assert statuses(replace(BUCKET, backend=f"file://{tmp_path}"), PROVIDERS)[0] == NOTE
    assert statuses(replace(BUCKET, backend=f"file://{tmp_path}/gone"), PROVIDERS)[0] == PROBLEM
    assert statuses(replace(BUCKET, backend="https://api.pulumi.com"), PROVIDERS)[0] == NOTE


@pytest.mark.parametrize(
    ("provider", "key"),
    [
        (KEY, "alias/penguins-state"),
        ("awskms://alias/a", "alias/a"),
        ("awskms:///arn:aws:kms:us-east-1:011111111111:key/1?awssdk=v2", "arn:aws:kms:us-east-1:011111111111:key/1"),
    ],
)
def test_the_key_of_a_secrets_provider(provider: str, key: str) -> None:
    assert state.key_of(provider) == key
