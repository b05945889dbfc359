"""A client's journal: what is written down, and that nothing gets past the change after which it is stopped."""

import json
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from rehearsal.cloud.core.cloud import Cloud
from tests.keys import SECRET_KEY


def ask(cloud: Cloud, method: str, body: Any = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{cloud.url}/_rehearsal/journal", data=data, method=method)
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def client(cloud: Cloud, account: str, app: str = "mine", service: str = "ssm") -> Any:
    return boto3.client(
        service,
        endpoint_url=cloud.url,
        region_name="eu-west-1",
        aws_access_key_id=f"AKIA{account}",
        aws_secret_access_key=SECRET_KEY,
        config=Config(retries={"total_max_attempts": 1}, user_agent_appid=app),
    )


def put(ssm: Any, name: str) -> None:
    ssm.put_parameter(Name=name, Value="x", Type="String", Overwrite=True)


@pytest.fixture(autouse=True)
def no_journal_stays(cloud: Cloud) -> Iterator[None]:
    yield
    ask(cloud, "DELETE")


def test_changes_of_one_client_are_written_down_in_their_order(cloud: Cloud, account: str) -> None:
    mine, other = client(cloud, account), client(cloud, account, "other")
    put(mine, "before")
    ask(cloud, "PUT", {"agent": "app/mine"})
    put(mine, "/a")
    mine.get_parameter(Name="/a")
    put(other, "/b")
    with pytest.raises(ClientError):
        mine.delete_parameter(Name="/none")
    mine.delete_parameter(Name="/a")
    found = ask(cloud, "DELETE")
    assert found == {
        "calls": [
            {"service": "ssm", "operation": "PutParameter", "subject": "/a"},
            {"service": "ssm", "operation": "DeleteParameter", "subject": "/a"},
        ],
        "held": False,
    }
    put(mine, "/c")
    assert ask(cloud, "GET") == {"calls": [], "held": False}


def test_what_a_client_writes_for_itself_is_left_out_and_does_not_count(cloud: Cloud, account: str) -> None:
    s3, mine = client(cloud, account, service="s3"), client(cloud, account)
    for bucket in (f"state-{account}", f"data-{account}"):
        s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    ask(cloud, "PUT", {"agent": "app/mine", "apart": [f"state-{account}"], "hold": 3})
    for bucket in (f"state-{account}", f"data-{account}"):
        s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    put(mine, "/a")
    found = ask(cloud, "GET")
    assert [(call["operation"], call["subject"]) for call in found["calls"]] == [
        ("PutObject", f"data-{account}"), ("PutParameter", "/a"),
    ]  # fmt: skip
    assert not found["held"]


def test_after_its_last_change_nothing_of_a_client_is_let_in(cloud: Cloud, account: str) -> None:
    ask(cloud, "PUT", {"agent": "app/mine", "hold": 2})
    mine, other = client(cloud, account), client(cloud, account, "other")
    put(mine, "/first")
    ended: list[str] = []

    def work(name: str) -> None:
        try:
            put(client(cloud, account), name)
            ended.append(name)
        except ClientError as error:
            ended.append(error.response["Error"]["Code"])

    second = threading.Thread(target=work, args=("/second",))
    second.start()
    while not ask(cloud, "GET")["held"]:
        pass
    third = threading.Thread(target=work, args=("/third",))
    third.start()
    # Another client sees what has been done, and nothing of what has not.
    assert [each["Name"] for each in other.describe_parameters()["Parameters"]] == ["/first", "/second"]
    third.join(0.3)
    assert not ended
    assert [call["subject"] for call in ask(cloud, "DELETE")["calls"]] == ["/first", "/second"]
    second.join()
    third.join()
    assert sorted(ended) == ["/second", "RequestExpired"]
    assert len(other.describe_parameters()["Parameters"]) == 2


@pytest.mark.parametrize(
    "wrong",
    [
        None,
        {},
        {"agent": ""},
        {"agent": "("},
        {"agent": "a", "hold": 0},
        {"agent": "a", "hold": True},
        {"x": 1},
        {"agent": "a", "apart": "b"},
        {"agent": "a", "apart": [1]},
    ],
)
def test_what_is_no_journal_is_refused(wrong: Any, cloud: Cloud) -> None:
    with pytest.raises(urllib.error.HTTPError) as caught:
        ask(cloud, "PUT", wrong)
    assert caught.value.code == 400
    assert "the body must be" in json.load(caught.value)["error"]
