"""The end of the road, after all other tests of this folder: stack by stack, and what is left then."""

import json
import urllib.request

import pytest

from operate.bootstrap import place
from tests.scenarios.road.conftest import Road

STACKS = ("delivery", "dev", "prod")
pytestmark = [pytest.mark.e2e, pytest.mark.timeout(2400)]


@pytest.mark.parametrize("stack", tuple(reversed(STACKS)))
def test_destroy_ends_a_stack(road: Road, stack: str) -> None:
    done = road.pulumi("destroy", "--stack", stack, "--yes", "--skip-preview")
    assert done.returncode == 0, done.stdout + done.stderr


def test_nothing_is_left_but_what_is_kept_on_purpose(road: Road) -> None:
    """Data and its keys outlive their stacks; the state's are bootstrap's; log groups of jobs are AWS's own."""
    state = place(road.project)
    names = road.project.names
    key = road.clients.of("delivery", "kms").describe_key(KeyId=state.alias)["KeyMetadata"]["KeyId"]
    kept = {names.data_bucket, names.artifacts_bucket, state.bucket, state.alias, key}
    kept |= {names.capture_bucket(stack) for stack in ("dev", "prod")}
    keys = [(stack, names.key_alias(stack)) for stack in STACKS]
    keys += [("delivery", alias) for alias in (names.signing_alias, names.split_alias)]
    for stack, alias in keys:
        found = road.clients.of(stack, "kms").describe_key(KeyId=alias)["KeyMetadata"]
        assert found["KeyState"] == "Enabled"
        kept |= {alias, found["KeyId"]}
    kept |= {":log-group:/aws/sagemaker/", ":log-group:/aws-glue/jobs/"}
    for account in sorted(set(names.accounts.values())):
        url = f"{road.rehearsal.endpoint}/_rehearsal/inventory?account={account}"
        request = urllib.request.Request(url, headers=road.rehearsal.headers())
        with urllib.request.urlopen(request, timeout=60) as response:
            services = json.load(response)[account]
        left = [item for items in services.values() for item in items]
        assert [item for item in left if not any(name in item for name in kept)] == [], account
