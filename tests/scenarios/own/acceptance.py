"""A user's own acceptance tests, as `glidepath:test.command` runs them: a bigger flat costs more."""

import json
import os

import boto3

from functions.shared.api import ApiClient

FLAT = {"area": 60.0, "rooms": 2, "age": 30, "balcony": "yes", "district": "Harbour"}


def main() -> None:
    """Asks the API of the environment; anything but sensible rents, or classes of rents, ends the road."""
    api = ApiClient(os.environ["API_URL"], os.environ["AWS_REGION"], boto3.Session().get_credentials())
    instances = [FLAT, {**FLAT, "area": 140.0, "rooms": 5}, {**FLAT, "age": None}, {**FLAT, "district": "North"}]
    answer = api.post(json.dumps({"instances": instances}).encode(), {"content-type": "application/json"})
    assert answer.status == 200, answer.body
    labels = answer.json().get("labels")
    if labels:
        assert labels[1] == "dear" != labels[0], labels
        print(f"acceptance in {os.environ['ENVIRONMENT']}: {', '.join(labels)}")
        return
    small, big, unknown, remote = answer.json()["predictions"]
    assert 150 < small < big, (small, big)
    assert 150 < unknown < big
    assert remote < small, "a flat far away costs less"
    print(f"acceptance in {os.environ['ENVIRONMENT']}: rents {small:.0f} and {big:.0f}")


if __name__ == "__main__":
    main()
