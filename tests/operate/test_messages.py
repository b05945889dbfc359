"""The one sentence in what commands print."""

import pytest

from operate.messages import build_cause, cause, shortened

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

BROKEN_OFF = """\
Diagnostics:
  aws:apigateway:Deployment (serve):
    error: failed to run remediation: context canceled

  aws:codedeploy:DeploymentGroup (shift):
    error: 1 error occurred:
    \t* shift: UpdateDeploymentGroup: AccessDeniedException: denied
"""

RAISED = """\
Diagnostics:
  pulumi:pulumi:Stack (glidepath-dev):
    error: Program failed with an unhandled exception:
    Traceback (most recent call last):
      File "/src/__main__.py", line 86, in <module>
        boto3.client('s3').put_object(Bucket='state')
    botocore.errorfactory.AccessDenied: An error occurred (AccessDenied): you may not

Resources:
    1 errored
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
        (BROKEN_OFF, "1 error occurred: * shift: UpdateDeploymentGroup: AccessDeniedException: denied"),
        (LISTED, LISTED_SENTENCE),
        (RAISED, "botocore.errorfactory.AccessDenied: An error occurred (AccessDenied): you may not"),
        (RAISED.partition("    Traceback")[0], "Program failed with an unhandled exception:"),
        ("one\nglidepath: stack prod is locked\n  wait for its end", "stack prod is locked"),
        ("something\nthe last line\n", "the last line"),
        ("", "nothing was said"),
    ],
)
def test_the_cause_is_found(text: str, sentence: str) -> None:
    assert cause(text) == sentence


BUILD = """\
[Container] 2026/11/28 18:00:00 Entering phase BUILD
[Container] 2026/11/28 18:00:00 Running command printf hello
glidepath: of another command
[Container] 2026/11/28 18:00:01 Running command python -m cli deploy --stack prod
{printed}
[Container] 2026/11/28 18:00:09 Command did not exit successfully python -m cli deploy --stack prod exit status 1
[Container] 2026/11/28 18:00:09 Phase complete: BUILD State: FAILED
[Container] 2026/11/28 18:00:09 Phase context status code: COMMAND_EXECUTION_ERROR Message: Error while executing
"""


@pytest.mark.parametrize(
    ("printed", "sentence"),
    [
        (ENGINE, "release r does not serve: alarm a went off. Now version 1 takes all traffic"),
        (BROKEN_OFF, "1 error occurred: * shift: UpdateDeploymentGroup: AccessDeniedException: denied"),
        ("glidepath: stack prod is locked\n  wait for its end", "stack prod is locked"),
        ("1 failed, 3 passed in 2.1 s", "1 failed, 3 passed in 2.1 s"),
        ("", "nothing was said"),
    ],
)
def test_the_cause_of_a_failed_build_is_what_its_failed_command_printed(printed: str, sentence: str) -> None:
    assert build_cause(BUILD.format(printed=printed)) == sentence


def test_a_long_command_is_shortened_in_a_builds_message() -> None:
    message = f"Error while executing command: python -m cli deploy {'--more ' * 40}--last. Reason: exit status 1"
    short = shortened(message)
    assert short.startswith("Error while executing command: python -m cli deploy --more")
    assert short.endswith("…. Reason: exit status 1")
    assert len(short) < 130
    assert shortened(short) == short
    assert shortened("Build timed out") == "Build timed out"
