"""The world that faults are injected into: a cloud with three stacks, a release in production, and live traffic."""

import contextlib
import json
import random
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, cast

import yaml

from contracts.appspec import ACTIVE
from contracts.errors import UserError
from contracts.names import LIVE
from operate.caller import Answer, Caller
from operate.clients import Clients
from operate.messages import cause
from operate.project import Project, read_project
from operate.shift import AliasWatch
from rehearsal.cloud.process import lifecycle
from rehearsal.environment import Rehearsal
from scenarios import workplace
from scenarios.faults.candidates import Candidate, Candidates
from scenarios.faults.outcome import DEPLOY, NONE, Outcome, named
from scenarios.faults.processes import kill_family
from scenarios.faults.program import copy_program
from scenarios.gateway import announce, ask
from scenarios.stacks import Stacks
from scenarios.tour import conduct, evidence
from scenarios.tour.dataset import FIRST_SHARE
from scenarios.tour.display import Display
from scenarios.tour.tour import Tour
from scenarios.tour.traffic import Traffic

RATE = 25.0
"""Live requests per second while traffic is shifted."""
TRICKLE = 5.0
"""The same, otherwise."""
COMMAND = "glidepath-command"
"""What the User-Agent of a command's calls has in it."""
# Against what hangs: a busy machine is several times slower.
_DEPLOY_SECONDS = 1200.0
_SETTLE_SECONDS = 600.0


@dataclass
class World:
    """What faults work with.

    root: scratch copy of the checkout; `deploy` runs from it, and runs of the pipeline deliver it.
    old: the release that serves production before every fault.
    new: another good release, which has been deployed nowhere.
    """

    rehearsal: Rehearsal
    project: Project
    clients: Clients
    stacks: Stacks
    display: Display
    tour: Tour
    candidates: Candidates
    old: Candidate
    new: Candidate
    rows: list[evidence.Row]
    _children: "set[subprocess.Popen[str]]" = field(default_factory=set)
    _caller: Caller | None = None

    @property
    def root(self) -> Path:
        """The program's scratch copy."""
        return self.project.root

    # --- live traffic ------------------------------------------------------------------------------------------------

    @property
    def caller(self) -> Caller:
        """Asks production. The API stays the same for all releases."""
        if self._caller is None:
            url = self.stacks.outputs(self.project.production)["apiUrl"]
            self._caller = Caller(url, self.project.names.region, self.clients.credentials(self.project.production))
        return self._caller

    @contextmanager
    def traffic(self, rate: float = RATE) -> Iterator[Traffic]:
        """Live requests to production, each of a row that the model was not trained on, until the block ends."""
        caller, known = self.caller, self.rows

        def call(turn: int) -> Answer:
            return caller.predict([known[turn % len(known)]])

        announced = partial(announce, self.rehearsal)
        with Traffic(call, min(rate, TRICKLE), announce=announced, busy=rate) as traffic:
            functions = self.clients.of(self.project.production, "lambda")
            name = self.project.names.predict(self.project.production)
            with AliasWatch(functions, name, LIVE, changed=traffic.follow):
                yield traffic

    # --- deploying ---------------------------------------------------------------------------------------------------

    def deploy(self, stack: str, candidate: Candidate, *more: str) -> "subprocess.CompletedProcess[str]":
        """`./glidepath deploy` of a release, as the deploy stages of the pipeline run it, to its end."""
        return self.finish(self.start_deploy(stack, candidate, *more))

    def start_deploy(self, stack: str, candidate: Candidate, *more: str) -> "subprocess.Popen[str]":
        """The same, under way: `finish` waits for its end, `kill` ends it at once."""
        return self.start("deploy", "--stack", stack, "--release", candidate.uri, *more)

    def start(self, *arguments: str) -> "subprocess.Popen[str]":
        """`./glidepath …` from the scratch copy, as administrator, in a session of its own."""
        process = subprocess.Popen(
            [str(self.rehearsal.python), "-m", "cli", *arguments],
            cwd=self.root,
            # So that the cloud tells its calls from ours.
            env=self.rehearsal.environ() | {"AWS_SDK_UA_APP_ID": COMMAND},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self._children.add(process)
        return process

    def finish(self, process: "subprocess.Popen[str]") -> "subprocess.CompletedProcess[str]":
        """The end of what was started; all it said is in `stdout`. Raises UserError where it does not end."""
        command = [str(word) for word in cast("list[str]", process.args)]
        try:
            said, _ = process.communicate(timeout=_DEPLOY_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill(process)
            raise UserError(f"{' '.join(command[3:])} did not end within {_DEPLOY_SECONDS:.0f} s") from None
        self._children.discard(process)
        logs = self.rehearsal.folder / "logs"
        logs.mkdir(parents=True, exist_ok=True)
        number = len(list(logs.glob("command-*.log"))) + 1
        (logs / f"command-{number:03}.log").write_text(f"$ {' '.join(command)}\n{said}", encoding="utf-8")
        return subprocess.CompletedProcess(command, process.returncode, said, "")

    def kill(self, process: "subprocess.Popen[str]") -> None:
        """SIGKILL for it and for all it has started."""
        kill_family(process.pid)
        process.wait(10)
        if process.stdout:
            process.stdout.close()
        self._children.discard(process)

    def until_shifting(self, process: "subprocess.Popen[str]") -> str:
        """Waits until the alias sends a share of the calls to a new version; the id of the deployment that does so.

        Raises UserError where the deployment ends before, or does not get there.
        """
        functions, name = (
            self.clients.of(self.project.production, "lambda"),
            self.project.names.predict(self.project.production),
        )
        deadline = time.monotonic() + _DEPLOY_SECONDS
        while time.monotonic() < deadline and process.poll() is None:
            alias = functions.get_alias(FunctionName=name, Name=LIVE)
            if (alias.get("RoutingConfig") or {}).get("AdditionalVersionWeights"):
                return str(self.under_way()[0])
            time.sleep(0.05)
        raise UserError(f"no shift began: {cause(self.finish(process).stdout)}")

    # --- observing ---------------------------------------------------------------------------------------------------

    def serving(self, stack: str) -> str:
        """The release of the version that takes all calls; two ids while the alias sends calls to two versions."""
        functions, name = self.clients.of(stack, "lambda"), self.project.names.predict(stack)
        alias = functions.get_alias(FunctionName=name, Name=LIVE)
        weights = (alias.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {}
        versions = [alias["FunctionVersion"], *weights]
        found = [functions.get_function_configuration(FunctionName=name, Qualifier=v) for v in versions]
        return ", ".join(config["Environment"]["Variables"]["RELEASE_ID"] for config in found)

    def other(self) -> Candidate:
        """Whichever of the two good releases does not serve production now."""
        return self.new if self.serving(self.project.production) == self.old.id else self.old

    def recorded(self, stack: str) -> str:
        """The release that the environment records as its own."""
        return str(evidence.pointer(self.clients, self.project, stack)["id"])

    def answering(self, count: int = 12) -> str:
        """The releases that really answer production's URL, each once; what is wrong where one does not."""
        answers = [self.caller.predict([random.choice(self.rows)]) for _ in range(count)]  # noqa: S311
        return ", ".join(sorted({answer.release or f"error {answer.status}: {answer.error}" for answer in answers}))

    def disagreements(self) -> list[str]:
        """What is not as it must be after whatever happened: one release serves, is recorded, and answers."""
        self.settle()
        serving, recorded, answering = (
            self.serving(self.project.production),
            self.recorded(self.project.production),
            self.answering(),
        )
        if serving == recorded == answering:
            return []
        return [f"the alias serves {serving}, recorded is {recorded}, the URL answers with {answering}"]

    def outcome(self, stage: str, error: str, traffic: Traffic) -> Outcome:
        """The outcome as it stands; `traffic` has ended."""
        requests, failed = traffic.counts()
        return Outcome(stage, error, self.answering(), requests, failed)

    def stopped(self, error: str, traffic: Traffic) -> Outcome:
        """The outcome of a deployment to production that failed with this sentence; `traffic` has ended."""
        return self.outcome(named(DEPLOY, self.project.production), error, traffic)

    def attempt(self, candidate: Candidate, rate: float = RATE) -> Outcome:
        """Deploys a release to production under live traffic, and says what came of it."""
        with self.traffic(rate) as traffic:
            done = self.deploy(self.project.production, candidate)
            self.settle()
        if done.returncode == 0:
            return self.outcome(NONE, "", traffic)
        return self.stopped(cause(done.stdout), traffic)

    # --- injecting ---------------------------------------------------------------------------------------------------

    @contextmanager
    def seam(
        self,
        service: str,
        operation: str,
        match: Mapping[str, str] | None = None,
        error: Mapping[str, Any] | None = None,
        delay: float | None = None,
        times: int | None = None,
        principal: str | None = None,
    ) -> Iterator[str]:
        """The service answers this operation wrongly (or late) until the block ends; gives the seam's id.

        `match` maps parameters to expressions, `principal` is searched in the caller's ARN
        (rehearsal/cloud/core/injection.py).
        """
        wanted: dict[str, Any] = {"match": dict(match) if match else None, "error": dict(error) if error else None}
        wanted |= {"delay": delay, "times": times, "principal": principal}
        body = {"service": service, "operation": operation, **{k: v for k, v in wanted.items() if v is not None}}
        made = self.gateway("POST", "/_rehearsal/faults", body)["id"]
        try:
            yield made
        finally:
            with contextlib.suppress(OSError):
                self.gateway("DELETE", f"/_rehearsal/faults/{made}")

    @contextmanager
    def edited(self, path: str, change: Callable[[str], str]) -> Iterator[None]:
        """A file of the scratch copy is changed until the block ends, as a commit would change it."""
        file = self.root / path
        former = file.read_text(encoding="utf-8")
        file.write_text(change(former), encoding="utf-8")
        try:
            yield
        finally:
            file.write_text(former, encoding="utf-8")

    @contextmanager
    def configured(self, stack: str, key: str, **values: Any) -> Iterator[None]:
        """Members of one key of a stack's config are changed until the block ends."""

        def change(text: str) -> str:
            document = yaml.safe_load(text)
            document["config"].setdefault(f"glidepath:{key}", {}).update(values)
            return str(yaml.safe_dump(document, sort_keys=False))

        with self.edited(f"Pulumi.{stack}.yaml", change):
            yield

    def gateway(self, method: str, path: str, body: Any = None) -> Any:
        """A request to the gateway itself; its JSON answer, or None."""
        return ask(self.rehearsal, method, path, body)

    # --- between faults ----------------------------------------------------------------------------------------------

    def calm(self) -> None:
        """No seam, and no shift under way."""
        with contextlib.suppress(urllib.error.HTTPError):
            self.gateway("DELETE", "/_rehearsal/faults")
        self.settle()

    def restore(self) -> None:
        """No seam, no shift under way, production on `old`. Raises UserError where that cannot be reached.

        A failed deployment leaves its endpoint until the next good one: that is the product's way, and the next
        fault deploys upon it as the next release would. Where production must be put back, all leftovers must go.
        Those that never came into service are swept, as a person would.
        """
        self.calm()
        self._sweep()
        if self.serving(self.project.production) == self.recorded(self.project.production) == self.old.id:
            return
        done = self.deploy(self.project.production, self.old)
        if done.returncode:
            raise UserError(f"production could not be put back on {self.old.id}: {cause(done.stdout)}")
        left = self._endpoints() - {self.stacks.outputs(self.project.production)["endpoint"]}
        if left:
            raise UserError(f"endpoints are left over after a good release: {', '.join(sorted(left))}")

    def _sweep(self) -> None:
        """Has what never came into service removed: it is in no state, so that no deployment ever deletes it."""
        if not self._endpoints(StatusEquals="Failed"):
            return
        done = self.finish(self.start("sweep", self.project.production, "--yes"))
        if done.returncode:
            raise UserError(f"what failed endpoints have left could not be swept: {cause(done.stdout)}")

    def _endpoints(self, **which: str) -> set[str]:
        pages = self.clients.of(self.project.production, "sagemaker").get_paginator("list_endpoints").paginate(**which)
        return {endpoint["EndpointName"] for page in pages for endpoint in page["Endpoints"]}

    def settle(self) -> None:
        """Waits until no deployment of production is under way."""
        deadline = time.monotonic() + _SETTLE_SECONDS
        while self.under_way():
            if time.monotonic() > deadline:
                raise UserError(f"a deployment of production is still under way after {_SETTLE_SECONDS:.0f} s")
            time.sleep(0.1)

    def under_way(self) -> list[str]:
        """Production's deployments that have not ended."""
        codedeploy = self.clients.of(self.project.production, "codedeploy")
        names = {"applicationName": self.project.names.stack(self.project.production), "deploymentGroupName": "predict"}
        found: list[str] = codedeploy.list_deployments(**names, includeOnlyStatuses=list(ACTIVE))["deployments"]
        return found

    def close(self, keep: bool = False) -> None:
        """Ends what faults have started, and the cloud unless it is kept."""
        for child in list(self._children):
            self.kill(child)
        self.stacks.interrupt()
        if not keep:
            lifecycle.stop(self.rehearsal)


def place(here: Rehearsal) -> Rehearsal:
    """The matrix's own rehearsal: a folder inside the given one's, and the given port."""
    return replace(here, folder=here.folder / "faults")


def build(rehearsal: Rehearsal, display: Display, data: Path | None = None) -> World:
    """A world with two good releases of which the first serves dev and production, made by the real road.

    Raises UserError where that fails; the caller stops the cloud.
    """
    workplace.clear(rehearsal.folder / "program")
    root = copy_program(rehearsal.root, rehearsal.folder / "program")
    project = read_project(root)
    table = conduct.choose_table(rehearsal, project, data)
    conduct.prepare(rehearsal, project, display)
    conduct.with_environment(rehearsal)
    clients = Clients(project)
    stacks = Stacks(root, rehearsal.folder, rehearsal.environ())
    tour = Tour(project, clients, stacks, display, table, assume_yes=True)
    tour.foundations()
    first = tour.first_release()
    candidates = Candidates(clients, project)
    old = candidates.of_run(first["execution"])
    new = candidates.train(table.window((1 + FIRST_SHARE) / 2))
    display.say(f"release {new.id} is ready as well")
    _note(rehearsal).write_text(json.dumps({"old": old.uri, "new": new.uri}), encoding="utf-8")
    rows = live_rows(clients, old)
    return World(rehearsal, project, clients, stacks, display, tour, candidates, old, new, rows)


def resume(rehearsal: Rehearsal, display: Display, data: Path | None = None) -> World | None:
    """The world that an earlier matrix left up, with the program as the checkout has it now; None where none is."""
    if not (_note(rehearsal).is_file() and lifecycle.running(rehearsal)):
        return None
    made = json.loads(_note(rehearsal).read_text(encoding="utf-8"))
    project = read_project(copy_program(rehearsal.root, rehearsal.folder / "program"))
    conduct.with_environment(rehearsal)
    clients = Clients(project)
    stacks = Stacks(project.root, rehearsal.folder, rehearsal.environ())
    table = conduct.choose_table(rehearsal, project, data)
    tour = Tour(project, clients, stacks, display, table, assume_yes=True)
    candidates = Candidates(clients, project)
    old, new = candidates.read(made["old"]), candidates.read(made["new"])
    rows = live_rows(clients, old)
    display.say(f"the world that was kept at {rehearsal.endpoint} is used again")
    return World(rehearsal, project, clients, stacks, display, tour, candidates, old, new, rows)


def live_rows(clients: Clients, candidate: Candidate) -> list[evidence.Row]:
    """What callers ask: rows that were kept for the release's test, in no order that a file may have."""
    rows = evidence.feature_rows(clients, candidate.manifest)
    random.Random(0).shuffle(rows)  # noqa: S311
    return rows


def _note(rehearsal: Rehearsal) -> Path:
    return rehearsal.cloud / "world.json"
