"""What was seen of an alias, and the shift in it."""

from botocore.exceptions import ClientError, EndpointConnectionError

from operate.shift import AliasWatch, Weight, shift_in, weights_of
from tests.processes import until


def test_weights_name_the_newest_version() -> None:
    assert weights_of({"FunctionVersion": "3"}, 1.0) == Weight(1.0, "3", 1.0)
    routing = {"AdditionalVersionWeights": {"10": 0.1}}
    assert weights_of({"FunctionVersion": "9", "RoutingConfig": routing}, 1.0) == Weight(1.0, "10", 0.1)


def test_a_shift_is_what_changed_from_the_version_seen_first() -> None:
    seen = [Weight(0, "1", 1.0), Weight(5, "2", 0.1), Weight(6, "2", 0.5), Weight(7, "2", 1.0)]
    shift = shift_in(seen)
    assert shift
    assert (shift.source, shift.target) == ("1", "2")
    assert shift.steps() == [
        {"second": 0, "weight": 0.1},
        {"second": 1, "weight": 0.5},
        {"second": 2, "weight": 1.0},
    ]


def test_no_shift_where_the_alias_was_new_or_stayed() -> None:
    assert shift_in([]) is None
    assert shift_in([Weight(5, "1", 1.0)]) is None


class Flaky:
    """A Lambda client that is out of reach twice before it answers."""

    class exceptions:  # noqa: N801  as botocore has it
        class ResourceNotFoundException(Exception):
            pass

    def __init__(self) -> None:
        self.asked = 0

    def get_alias(self, **_: str) -> dict[str, str]:
        self.asked += 1
        if self.asked == 1:
            raise EndpointConnectionError(endpoint_url="http://127.0.0.1:1")
        if self.asked == 2:
            raise ClientError({"Error": {}, "ResponseMetadata": {"HTTPStatusCode": 503}}, "GetAlias")
        return {"FunctionVersion": "7"}


def test_a_watch_goes_on_where_there_was_no_answer() -> None:
    with AliasWatch(Flaky(), "f", "live", interval=0.001) as watch:
        until(lambda: bool(watch.seen))
    assert [weight.version for weight in watch.seen] == ["7"]
