"""Faults that only the judge of a shift can answer: too little to tell, a judge that dies, a release that turns bad.

At the matrix's rate a minute of AWS's has some 25 requests: too few to rule a loss of three points out, so that every
good release is inconclusive here, and each policy can be seen.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from contracts.errors import UserError
from contracts.judging import record_key
from contracts.names import JUDGE
from operate.history import History
from operate.messages import cause
from operate.verdicts import find
from scenarios.faults.bounds import LOOK_SECONDS, MACHINE_SECONDS
from scenarios.faults.fault import Expected, Fault
from scenarios.faults.outcome import DEPLOY, NONE, Outcome
from scenarios.faults.world import RATE, World
from scenarios.gateway import held_minute

BAKE_MINUTES = 10
"""Long enough for the judge to see what begins with it: it looks at windows that are three minutes old."""
_PATIENCE_SECONDS = 300.0
"""For what should be there within seconds; a busy machine is several times slower."""
_FAILS = {"code": "ModelError", "message": "Received server error (500) from primary.", "status": 424}
SEEN_MINUTES = 8.0
"""From the first failure at full traffic to the alias that is back: three minutes of age, whole minutes, a look and a
deployment."""


def _policy(world: World, **values: object) -> Outcome:
    """A good release, whichever does not serve, with something else to follow where nobody can tell."""
    with world.configured(world.project.production, "deployment", **values), world.traffic() as traffic:
        done = world.deploy(world.project.production, world.other())
        world.settle()
    said = _sentence(world)
    return world.outcome(NONE, said, traffic) if done.returncode == 0 else world.stopped(cause(done.stdout), traffic)


def _sentence(world: World) -> str:
    """The judge's, of the newest deployment that it has looked at."""
    stack = world.project.production
    known = [each.id for each in History(world.clients, world.project, stack).attempts()]
    record = find(world.clients.of(stack, "s3"), world.project.names, stack, known)
    return record.verdict.sentence if record and record.verdict else "the judge has not spoken"


def _accepted(world: World) -> Outcome:
    return _policy(world, onInconclusive="accept", bakeMinutes=0)


def _returned(world: World) -> Outcome:
    return _policy(world, onInconclusive="return", bakeMinutes=0)


def _unanswered(world: World) -> Outcome:
    return _policy(world, onInconclusive="ask", onSilence="return", bakeMinutes=0)


def _answered(world: World) -> Outcome:
    """A person is asked, and has the release stay."""
    stack = world.project.production
    asked = world.configured(stack, "deployment", onInconclusive="ask", onSilence="return", bakeMinutes=0)
    with asked, world.traffic() as traffic:
        process = world.start_deploy(stack, world.other())
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while process.poll() is None and time.monotonic() < deadline:
            said = world.finish(world.start("verdict", stack, "--accept"))
            if said.returncode == 0:
                break
        done = world.finish(process)
        world.settle()
    return (
        world.outcome(NONE, _sentence(world), traffic)
        if done.returncode == 0
        else world.stopped(cause(done.stdout), traffic)
    )


def _dies(world: World) -> Outcome:
    """Nobody can call the judge any more, from before the shift on."""
    stack = world.project.production
    error = {"code": "ServiceException", "message": "Lambda cannot do that now.", "status": 500}
    judge = {"FunctionName": world.project.names.function(stack, JUDGE)}
    with world.seam("lambda", "Invoke", match=judge, error=error):
        return _policy(world, onInconclusive="return", bakeMinutes=0)


@contextmanager
def _bad_at_full_traffic(world: World) -> Iterator[None]:
    """The endpoint of the version that has all traffic fails for callers."""
    names, stack = world.project.names, world.project.production
    functions = world.clients.of(stack, "lambda")
    alias = functions.get_alias(FunctionName=names.predict(stack), Name="live")
    found = functions.get_function_configuration(FunctionName=names.predict(stack), Qualifier=alias["FunctionVersion"])
    endpoint = found["Environment"]["Variables"]["ENDPOINT_NAME"]
    match = {"EndpointName": f"^{endpoint}$", "InferenceId": "^(?!golden-|replay-|test-)"}
    with world.seam("sagemaker-runtime", "InvokeEndpoint", match=match, error=_FAILS):
        yield


def _until_baking(world: World, deployment: str) -> None:
    """Waits until the judge looks at a deployment's release at full traffic. Raises UserError where it never does."""
    stack = world.project.production
    s3, names = world.clients.of(stack, "s3"), world.project.names
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < deadline:
        record = find(s3, names, stack, [deployment])
        if record and record.bake:
            return
        time.sleep(0.1)
    raise UserError(f"deployment {deployment} was never baked ({record_key(deployment)})")


def _turns_bad(world: World) -> Outcome:
    stack = world.project.production
    with world.configured(stack, "deployment", bakeMinutes=BAKE_MINUTES), world.traffic() as traffic:
        process = world.start_deploy(stack, world.new)
        _until_baking(world, world.until_shifting(process))
        with _bad_at_full_traffic(world):
            done = world.finish(process)
            world.settle()
    return world.outcome(NONE, "", traffic) if done.returncode == 0 else world.stopped(cause(done.stdout), traffic)


def _build_dies(world: World) -> Outcome:
    """SIGKILL for the engine in the bake of a release that turns bad: nobody but the judge is left."""
    stack = world.project.production
    with world.configured(stack, "deployment", bakeMinutes=BAKE_MINUTES), world.traffic() as traffic:
        process = world.start_deploy(stack, world.new)
        deployment = world.until_shifting(process)
        _until_baking(world, deployment)
        with held_minute(world.rehearsal):
            world.kill(process)
        with _bad_at_full_traffic(world):
            said = _until_taken_back(world, deployment)
            world.settle()
    return world.stopped(said, traffic)


def _until_taken_back(world: World, deployment: str) -> str:
    """The judge's sentence, once the old release has all traffic. Raises UserError where that does not happen."""
    stack = world.project.production
    s3, names = world.clients.of(stack, "s3"), world.project.names
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < deadline:
        record = find(s3, names, stack, [deployment])
        if record and record.over and world.serving(stack) == world.old.id:
            return record.over
        time.sleep(0.1)
    raise UserError(f"deployment {deployment} was not taken back")


def taken_back(world: World) -> float:
    """Most live requests that may fail at full traffic before the judge has taken it away."""
    minutes = SEEN_MINUTES + LOOK_SECONDS / 60 + MACHINE_SECONDS / world.rehearsal.seconds_per_minute
    return minutes * world.rehearsal.seconds_per_minute * RATE


_FAILED_AFTER = r"does not serve: hook AfterAllowTraffic failed"
FAULTS = (
    Fault(
        "inconclusive-accepted",
        "Too few requests to tell two good releases apart, which config accepts",
        _accepted,
        Expected(NONE, r"^Inconclusive: ", serving="new"),
        alternates=True,
    ),
    Fault(
        "inconclusive-returned",
        "The same, and config has traffic go back",
        _returned,
        Expected(DEPLOY, _FAILED_AFTER + r": Inconclusive: .*onInconclusive is return"),
    ),
    Fault(
        "inconclusive-unanswered",
        "The same, and a person is asked who says nothing",
        _unanswered,
        Expected(DEPLOY, _FAILED_AFTER + r": nobody has answered for 40 minutes: traffic goes back"),
    ),
    Fault(
        "inconclusive-answered",
        "The same, and the person has the release stay",
        _answered,
        Expected(NONE, r"^Inconclusive: ", serving="new"),
        alternates=True,
    ),
    Fault(
        "judge-dies",
        "Nobody can call the judge any more",
        _dies,
        # The hook waits for minutes of real time, in which CodeDeploy's hour is over in a rehearsal.
        Expected(DEPLOY, _FAILED_AFTER + r": (.*did not report|Inconclusive: the judge has not spoken)"),
    ),
    Fault(
        "bad-in-the-bake",
        "The new release turns bad once it has all traffic",
        _turns_bad,
        Expected(DEPLOY, r"was taken back: Failed: \d+ of \d+ requests at full traffic failed", bound=taken_back),
    ),
    Fault(
        "bake-without-its-build",
        "The same, and the build that waited for the bake was killed",
        _build_dies,
        Expected(DEPLOY, r"Failed: \d+ of \d+ requests at full traffic failed", bound=taken_back),
    ),
)
