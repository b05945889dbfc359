"""Objects that are written once: the same again is no problem, anything else is refused."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from contracts.errors import UserError
from operate.plans import write_once

URI = "s3://artifacts/code/c1/evaluate.py"


class Store:
    """S3 with one object, or none."""

    def __init__(self, body: bytes | None = None, code: str = "PreconditionFailed") -> None:
        self.body, self.code = body, code

    def put_object(self, **asked: Any) -> None:
        assert asked["IfNoneMatch"] == "*"
        if self.body is not None:
            raise ClientError({"Error": {"Code": self.code}}, "PutObject")
        self.body = asked["Body"]

    def get_object(self, **_: str) -> dict[str, Any]:
        body = self.body

        class Body:
            def read(self) -> bytes | None:
                return body

        return {"Body": Body()}


def test_it_is_written_where_nothing_is() -> None:
    store = Store()
    write_once(store, URI, b"new", "text/plain")
    assert store.body == b"new"


@pytest.mark.parametrize("code", ["PreconditionFailed", "ConditionalRequestConflict"])
def test_the_same_again_is_fine(code: str) -> None:
    store = Store(b"same", code)
    write_once(store, URI, b"same", "text/plain")
    assert store.body == b"same"


def test_something_else_stays_and_stops_the_build() -> None:
    store = Store(b"somebody else's")
    with pytest.raises(UserError, match=r"code/c1/evaluate\.py holds something else already") as caught:
        write_once(store, URI, b"ours", "text/plain")
    assert "never overwritten" in str(caught.value.fix)
    assert store.body == b"somebody else's"


def test_a_refusal_is_reported() -> None:
    with pytest.raises(UserError, match=r"cannot be written: .*AccessDenied"):
        write_once(Store(b"x", "AccessDenied"), URI, b"x", "text/plain")
