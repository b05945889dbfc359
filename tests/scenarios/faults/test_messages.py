"""The one sentence in what commands print."""

import pytest

from scenarios.faults.messages import cause

ENGINE = """\
 ~  pulumi-python:dynamic/glidepath:TrafficShift shift **updating failed** error: release r does not
Diagnostics:
  pulumi:pulumi:Stack (glidepath-prod):
    shift: started deployment d-1
    error: update failed

  pulumi-python:dynamic/glidepath:TrafficShift (shift):
    error: release r does not serve: alarm a went off. Now version 1 takes all traffic

Resources:
    1 errored

glidepath: pulumi up of prod failed
  the cause stands above; the release that served still serves
"""

LISTED = """\
Diagnostics:
  aws:sagemaker:Endpoint (glidepath-prod):
    error: 1 error occurred:
        * creating SageMaker Endpoint (x): waiting for state: The primary container did not pass the ping health check.
"""

LISTED_SENTENCE = (
    "1 error occurred: * creating SageMaker Endpoint (x): waiting for state: The primary container did not pass the"
    " ping health check."
)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (ENGINE, "release r does not serve: alarm a went off. Now version 1 takes all traffic"),
        (LISTED, LISTED_SENTENCE),
        ("one\nglidepath: stack prod is locked\n  wait for its end", "stack prod is locked"),
        ("something\nthe last line\n", "the last line"),
        ("", "nothing was said"),
    ],
)
def test_the_cause_is_found(text: str, sentence: str) -> None:
    assert cause(text) == sentence
