"""The engine is killed after each change that a release's update makes; the same command once more must converge.

Killed means SIGKILL for the command, its engine and all its providers, at the moment where the change was made and its
answer has not arrived: the worst one there is, since nobody has written down what there is now.
"""

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from contracts.errors import UserError
from operate.messages import cause
from rehearsal.cloud.process import lifecycle
from scenarios.faults import agreement
from scenarios.faults.calls import commit_of, committed, journal
from scenarios.faults.matrix import FAILURES
from scenarios.faults.world import TRICKLE, World
from scenarios.tour.display import Display

REPORT = "kills.json"
_HELD_SECONDS = 900.0
_LOOK_SECONDS = 0.1


@dataclass(frozen=True)
class Kill:
    """One kill and what came of it: after which change, what is wrong after one more run, what had to be swept."""

    number: int
    service: str = ""
    operation: str = ""
    subject: str = ""
    swept: tuple[str, ...] = ()
    requests: int = 0
    failed: int = 0
    problems: tuple[str, ...] = ()
    seconds: float = field(default=0.0, compare=False)

    @property
    def converged(self) -> bool:
        """Whether one more run was enough, and nobody noticed."""
        return not self.problems

    @property
    def call(self) -> str:
        """The change, for a person."""
        return f"{self.service} {self.operation} {self.subject}".strip() or "-"

    def as_dict(self) -> dict[str, Any]:
        """The entry in `kills.json`."""
        return {**asdict(self), "seconds": round(self.seconds, 1), "converged": self.converged}


def changes(world: World) -> list[dict[str, str]]:
    """The changes of one release's update that nothing disturbs, in their order. Raises UserError where it fails.

    Where a release that failed has left its endpoint behind, the next one uses it, and has less to do: the one after
    that is watched.
    """
    found = _changes(world)
    return found if any(call["operation"] == "CreateEndpoint" for call in found) else _changes(world)


def _changes(world: World) -> list[dict[str, str]]:
    release = world.other()
    with committed(world, commit_of(world, release)), journal(world) as written:
        done = world.deploy(world.project.production, release)
        found: list[dict[str, str]] = written()["calls"]
    if done.returncode:
        raise UserError(f"release {release.id} could not be deployed: {cause(done.stdout)}")
    return found


def play(world: World, numbers: Sequence[int]) -> Iterator[Kill]:
    """One kill after the other, each in the update to whichever release does not serve."""
    for number in numbers:
        started = time.monotonic()
        try:
            world.calm()
            found = _kill(world, number)
        except FAILURES as error:
            found = Kill(number, problems=(str(error),))
        gone = lifecycle.died(world.rehearsal)
        if gone:
            raise UserError(f"kill {number}: {gone}", "The kills cannot go on: start them again.")
        yield replace(found, seconds=time.monotonic() - started)


def _kill(world: World, number: int) -> Kill:
    production = world.project.production
    release = world.other()
    commit = commit_of(world, release)
    with committed(world, commit), world.traffic(TRICKLE) as traffic:
        call = _killed_after(world, number, release.uri)
        again = world.finish(world.start("deploy", "--stack", production, "--release", release.uri))
        world.settle()
        if again.returncode:
            problems, swept = [f"one more run failed: {cause(again.stdout)}"], []
        else:
            swept = _sweep(world)
            problems = agreement.disagreements(world, release, commit, killed=True)
    requests, failed = traffic.counts()
    if failed:
        problems.append(f"{failed} live requests failed")
    if not requests:
        problems.append("no live request was made, so nothing is known of callers")
    what = call["service"], call["operation"], call["subject"]
    return Kill(number, *what, swept=tuple(swept), requests=requests, failed=failed, problems=tuple(problems))


def _killed_after(world: World, number: int, manifest: str) -> dict[str, str]:
    """The change after which a deployment was killed. Raises UserError where it does not get there."""
    with journal(world, hold=number) as written:
        process = world.start("deploy", "--stack", world.project.production, "--release", manifest)
        deadline = time.monotonic() + _HELD_SECONDS
        while not (found := written())["held"]:
            if process.poll() is not None:
                said = world.finish(process)
                raise UserError(f"the update ended ({said.returncode}) after {len(found['calls'])} changes")
            if time.monotonic() > deadline:
                world.kill(process)
                raise UserError(f"the update did not come to its change {number} within {_HELD_SECONDS:.0f} s")
            time.sleep(_LOOK_SECONDS)
        world.kill(process)
        call: dict[str, str] = found["calls"][number - 1]
        return call


def _sweep(world: World) -> list[str]:
    """What `./glidepath sweep` removes, by its names. Raises UserError where it cannot."""
    done = world.finish(world.start("sweep", world.project.production, "--yes", "--json"))
    if done.returncode:
        raise UserError(f"sweep failed: {cause(done.stdout)}")
    removed = json.loads(done.stdout)["removed"]
    return [f"{each['kind']} {each['name']}" for each in removed]


def announce(display: Display, kill: Kill, place: str) -> None:
    """One line while the kills go on."""
    end = "converges" if kill.converged else "; ".join(kill.problems)
    swept = f", {len(kill.swept)} swept" if kill.swept else ""
    line = f"{place}: killed after change {kill.number}, {kill.call}: {end} ({kill.seconds:.0f} s{swept})"
    display.say(line, "green" if kill.converged else "red")


def write(path: Path, kills: Sequence[Kill]) -> None:
    """`kills.json`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps([kill.as_dict() for kill in kills], indent=2) + "\n", encoding="utf-8")
