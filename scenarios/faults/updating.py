"""Each call of a release's update fails once, then the same command again: it must converge, and nobody may notice.

pulumi-aws keeps what was wanted of an update that failed (pulumi/pulumi-aws#6062): whatever the second command takes
for done without having been done shows here.
"""

from collections.abc import Callable
from dataclasses import replace

from contracts.errors import UserError
from operate.messages import cause
from scenarios.faults import agreement
from scenarios.faults.calls import CALLS, CLOSED, Made, commit_of, committed
from scenarios.faults.fault import Expected, Fault
from scenarios.faults.outcome import NONE, Outcome
from scenarios.faults.world import TRICKLE, World

# No SDK and no provider makes such a call again by itself.
ERROR = {"code": "AccessDeniedException", "message": "a permission was missing for a moment", "status": 403}


def fails_once(world: World, call: Made, by: str = "own") -> Outcome:
    """The release that does not serve now is deployed; this call of it fails, and the same command comes again."""
    production = world.project.production
    release = world.other()
    commit = replace(commit_of(world, release), by=by)
    with committed(world, commit), world.traffic(TRICKLE) as traffic:
        with world.seam(call.service, call.operation, call.match, ERROR, times=1):
            first = world.deploy(production, release)
            struck = world.gateway("GET", "/_rehearsal/faults")[0]["struck"]
        world.settle()
        again = world.deploy(production, release)
        world.settle()
        wrong = agreement.disagreements(world, release, commit)
    if not struck:
        raise UserError(f"the update of {release.id} did not make this call")
    if again.returncode:
        return world.stopped(cause(again.stdout), traffic)
    if wrong:
        raise UserError("; ".join(wrong))
    return world.outcome(NONE, cause(first.stdout) if first.returncode else "", traffic)


def _closed_fails_once(world: World) -> Outcome:
    """The same where Model Monitor monitors: whose roles are the foundation's, so that an administrator brings them."""
    production = world.project.production
    with world.configured(production, "monitor", by="sagemaker"):
        world.stacks.up(production)
    try:
        return fails_once(world, CLOSED, by="sagemaker")
    finally:
        world.stacks.up(production)


def _fault(call: Made, inject: Callable[[World], Outcome] | None = None) -> Fault:
    thing = f" ({' '.join(filter(None, (call.part, call.what)))})" if call.part or call.what else ""
    return Fault(
        f"once-{call.name}",
        f"{call.operation}{thing} of {call.service} fails once; then the same command again",
        inject or (lambda world: fails_once(world, call)),
        Expected(NONE, rf"{call.operation}\b.*missing for a moment|missing for a moment.*{call.operation}\b", "new"),
        alternates=True,
    )


FAULTS = (*map(_fault, CALLS), _fault(CLOSED, _closed_fails_once))
