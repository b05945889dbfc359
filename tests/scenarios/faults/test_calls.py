"""Rows are made from the list of calls: each has one, and a journal is read into that list's words."""

from contracts.names import Names
from scenarios.faults import updating
from scenarios.faults.calls import CALLS, CLOSED, keys
from scenarios.faults.fault import Fault

NAMES = Names("glidepath", "eu-west-1", {"delivery": "1" * 12, "live": "3" * 12})


def test_each_call_has_a_row_of_its_own_that_alternates() -> None:
    faults: tuple[Fault, ...] = updating.FAULTS
    assert [fault.name for fault in faults] == [f"once-{call.name}" for call in (*CALLS, CLOSED)]
    assert all(fault.alternates and fault.expected.serving == "new" for fault in faults)


def test_calls_that_are_alike_are_told_apart_by_their_parameters() -> None:
    alike = [call for call in CALLS if sum(other.key == call.key for other in CALLS) > 1]
    assert {call.operation for call in alike} == {"RegisterScalableTarget"}
    # The one without a match is made first: the seam fails one call, and then no more.
    assert [call.what for call in alike] == ["", "hold", "resume"]


def test_a_journal_is_read_into_the_lists_words() -> None:
    def call(service: str, operation: str, subject: str) -> dict[str, str]:
        return {"service": service, "operation": operation, "subject": subject}

    journal = [
        call("lambda", "UpdateFunctionConfiguration", "glidepath-live-before-traffic"),
        call("cloudwatch", "PutMetricAlarm", "glidepath-live-drift-distance"),
        call("cloudwatch", "PutMetricAlarm", "glidepath-live-latency"),
        call("cloudwatch", "PutMetricAlarm", "glidepath-live-silence"),
        call("sagemaker", "DeleteEndpoint", "glidepath-live-0123abc"),
    ]
    found = keys(journal, NAMES, "live")
    assert found == {
        ("lambda", "UpdateFunctionConfiguration", "before-traffic"),
        ("cloudwatch", "PutMetricAlarm", "drift"),
        ("cloudwatch", "PutMetricAlarm", "health"),
        ("sagemaker", "DeleteEndpoint", ""),
    }
    assert found <= {known.key for known in CALLS}
