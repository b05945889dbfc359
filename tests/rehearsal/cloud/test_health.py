"""A release's alarms, put into CloudWatch and fed with what a version reports: they go off, and they stay quiet."""

import contextlib
import io
import json
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from definitions.health import Watched, alarms
from functions.predict.metrics import Meter
from rehearsal.cloud.core.cloud import Cloud
from rehearsal.cloud.core.ports import LogLines, Place, Sample
from rehearsal.provider.types.cloudwatch import to_dimensions
from settings import Limits
from tests.rehearsal.cloud.test_events import until

REGION = "eu-west-1"
EDGES, SHARES = [10.0, 20.0, 30.0, 40.0], [0.2] * 5
LIMITS = Limits(3, 3, 3, 3, 30, 2, 1000, 1000, 5, 3000, 0.25, 100, 10, 10, 1, 1)
WATCHED = Watched("shop", "shop-predict", "live", "7", "shop-1", ["live"], "shop", "live")
EXECUTED = {"FunctionName": "shop-predict", "Resource": "shop-predict:live", "ExecutedVersion": "7"}


class Version:
    """Version 7 of the predict function, as CloudWatch sees it: Lambda's count of it, and what it logs itself."""

    def __init__(self, cloud: Cloud, account: str) -> None:
        self.cloud, self.account = cloud, account
        self.meter = Meter("Glidepath", "shop", "r-1", "7", EDGES, 1000)

    def asked(self, predictions: list[float] | None) -> None:
        """Twenty requests; without predictions, its metrics are taken out of it.

        All at one moment, and Lambda's count last: a minute lasts a fifth of a second, and where a busy machine pauses
        in between, a minute with requests must not lack what the version logs of them.
        """
        moment = round(time.time(), 3)
        if predictions is not None:
            self._log(predictions, moment)
        for _ in range(20):
            sample = Sample("AWS/Lambda", "Invocations", EXECUTED, 1, "Count", timestamp=moment)
            self.cloud.put_metric(Place(self.account, REGION), sample)

    def failing(self, failures: int) -> None:
        """Twenty requests of which so many are not answered."""
        self._log([5.0], round(time.time(), 3), failures)

    def _log(self, predictions: list[float], moment: float, failures: int = 0) -> None:
        said = io.StringIO()
        with contextlib.redirect_stdout(said):
            for number in range(20):
                if number < failures:
                    self.meter.model_error("id")
                else:
                    self.meter.answered("id", 5.0, predictions)
        for line in said.getvalue().splitlines():
            document = json.loads(line)
            document["_aws"]["Timestamp"] = round(moment * 1000)
            lines = LogLines("/aws/lambda/shop-predict", "s", [json.dumps(document)])
            self.cloud.log(Place(self.account, REGION), lines)


@contextlib.contextmanager
def steadily(action: Callable[[], None]) -> Iterator[None]:
    """Does it again and again, several times in each of the clock's minutes."""
    stop = threading.Event()

    def run() -> None:
        while not stop.wait(0.05):
            action()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def put(cloud: Cloud, account: str, purpose: str) -> Callable[[], str]:
    """The alarm as the program describes it, by its name in the API; gives its state."""
    given: dict[str, Any] = dict(alarms(WATCHED, LIMITS, EDGES, SHARES, judged=True)[purpose].arguments)
    if "metric_queries" in given:
        given["metrics"] = [to_query(query) for query in given.pop("metric_queries")]
    else:
        given["dimensions"] = dimensions_of(given["dimensions"])
    client = cloud.client("cloudwatch", account, REGION)
    client.put_metric_alarm(AlarmName=purpose, **{_pascal(key): value for key, value in given.items()})

    def state() -> str:
        return str(client.describe_alarms(AlarmNames=[purpose])["MetricAlarms"][0]["StateValue"])

    return state


def to_query(query: dict[str, Any]) -> dict[str, Any]:
    """A query of an alarm's arguments, as CloudWatch's API takes it."""
    found = {"Id": query["id"], "ReturnData": query["return_data"]}
    if "expression" in query:
        return {**found, "Expression": query["expression"]}
    metric = query["metric"]
    dimensions = dimensions_of(metric["dimensions"])
    which = {"Namespace": metric["namespace"], "MetricName": metric["metric_name"], "Dimensions": dimensions}
    return {**found, "MetricStat": {"Metric": which, "Period": metric["period"], "Stat": metric["stat"]}}


def dimensions_of(given: dict[str, str]) -> list[dict[str, str]]:
    """Dimensions of an alarm's arguments, as CloudWatch's API takes them."""
    return [{_pascal(key): value for key, value in pair.items()} for pair in to_dimensions(given) or []]


def _pascal(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))


def stays(state: Callable[[], str], wanted: str, seconds: float = 2.0) -> bool:
    """Whether it is so, at every look."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if state() != wanted:
            return False
        time.sleep(0.05)
    return True


@pytest.fixture
def version(cloud: Cloud, account: str) -> Version:
    return Version(cloud, account)


def test_a_version_without_its_metrics_is_noticed(cloud: Cloud, account: str, version: Version) -> None:
    """The mutation check of the handler's metrics, where it matters: taken out, an alarm stops the release."""
    silence = put(cloud, account, "silence")
    with steadily(lambda: version.asked([5.0])):
        assert until(lambda: silence() == "OK")
        assert stays(silence, "OK")
    with steadily(lambda: version.asked(None)):
        assert until(lambda: silence() == "ALARM")
    assert until(lambda: silence() == "OK"), "nobody asks any more, which is no silence"


def test_a_model_that_fails_a_large_share_is_noticed(cloud: Cloud, account: str, version: Version) -> None:
    """A smaller share is not: that is for the judge to weigh."""
    failing = put(cloud, account, "model-errors")
    with steadily(lambda: version.failing(4)):
        assert until(lambda: failing() == "OK")
        assert stays(failing, "OK")
    with steadily(lambda: version.failing(8)):
        assert until(lambda: failing() == "ALARM")


def test_the_judges_evidence_is_noticed(cloud: Cloud, account: str) -> None:
    state = put(cloud, account, "evidence")
    client = cloud.client("cloudwatch", account, REGION)
    own = dimensions_of({"Service": "shop", "Version": "7"})

    def publish(value: float) -> None:
        datum = {"MetricName": "Evidence", "Dimensions": own, "Value": value, "StorageResolution": 1}
        client.put_metric_data(Namespace="Glidepath", MetricData=[datum])

    with steadily(lambda: publish(0.99)):
        assert until(lambda: state() == "OK")
        assert stays(state, "OK")
    with steadily(lambda: publish(1.0)):
        assert until(lambda: state() == "ALARM")
    assert until(lambda: state() == "OK"), "nobody judges any more"


def test_a_shift_of_the_predictions_is_noticed(cloud: Cloud, account: str, version: Version) -> None:
    shift = put(cloud, account, "prediction-shift")
    with steadily(lambda: version.asked([5.0, 15.0, 25.0, 35.0, 45.0])):
        assert until(lambda: shift() == "OK")
        assert stays(shift, "OK")
    with steadily(lambda: version.asked([25.0])):
        assert until(lambda: shift() == "ALARM")
