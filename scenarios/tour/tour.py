"""The tour: foundations, a first release to production, a second one under live traffic, and a bad one."""

import re
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from contracts.errors import UserError
from contracts.names import LIVE
from operate.caller import Answer, Caller
from operate.clients import Clients
from operate.project import Project
from operate.runs import Run, follow, manifest_of, newest_run, run_ids
from operate.shift import AliasWatch, Shift, shift_in
from rehearsal.environment import Rehearsal
from scenarios.gateway import announce, confirm_mails
from scenarios.stacks import Stacks
from scenarios.tour import evidence, report
from scenarios.tour.dataset import DATA_KEY, FIRST_SHARE, Table
from scenarios.tour.display import Display, Scene
from scenarios.tour.source import source_zip
from scenarios.tour.traffic import Traffic
from scenarios.workplace import stack_files

# Requests per second: a trickle while the release is made, so that builds keep the machine; more during the shift.
TRICKLE, BUSY = 3.0, 35.0
# The client goes on for this long after a run, so that what comes after the shift is seen as well.
LINGER_SECONDS = 1.0
# What GuardDuty, where an account has it, tags each upload with.
SCANNED = "GuardDutyMalwareScanStatus=NO_THREATS_FOUND"


@dataclass
class Tour:
    """The parts that a tour works with; `assume_yes` gives every approval without a question."""

    project: Project
    clients: Clients
    stacks: Stacks
    display: Display
    table: Table
    assume_yes: bool = False
    runs: list[report.Report] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)

    def foundations(self) -> None:
        """Step 1: an administrator makes the place of the state, and brings each stack up."""
        self.stacks.bootstrap()
        self.up("delivery")
        with ThreadPoolExecutor(len(self.project.names.environments)) as pool:
            try:
                list(pool.map(self.up, self.project.names.environments))
            except KeyboardInterrupt:
                # Leaving the pool waits for its threads, and they for their engines.
                self.stacks.interrupt()
                raise
        confirm_mails(Rehearsal.here(self.stacks.environ))

    def first_release(self) -> report.Report:
        """Step 2a: data and code arrive; the pipeline takes the first release to production."""
        # Data before code: the run that the data starts ends at Source, for want of code; the commit's run is first.
        pipeline = self.clients.of("delivery", "codepipeline")
        known = run_ids(pipeline, self.project.names.name)
        self._upload_data(FIRST_SHARE)
        newest_run(pipeline, self.project.names.name, known)
        source = source_zip(self.project.root, stack_files(self.project.root, self.stacks.project))
        return self.travel("First release", lambda: self._upload("source/source.zip", source))

    def second_release(self) -> report.Report:
        """Step 2b: new data arrives; its release takes production over while a client keeps calling."""
        caller = self.caller()
        instances = evidence.golden_instances(
            self.clients, evidence.manifest_now(self.clients, self.project, self.project.production)
        )

        def call(turn: int) -> Answer:
            return caller.predict([instances[turn % len(instances)]])

        with Traffic(call, TRICKLE, announce=self.announce, busy=BUSY) as traffic:
            self.strays()
            entry = self.travel("New data", lambda: self._upload_data(1.0), traffic)
            time.sleep(LINGER_SECONDS)
        self.answers = traffic.answers
        return entry

    def announce(self, rate: float, threads: int) -> None:
        """Has AWS's time keep pace with live traffic."""
        announce(Rehearsal.here(self.stacks.environ), rate, threads)

    def up(self, stack: str) -> None:
        """Brings a stack to what the program says, and reports how long it took."""
        started = time.monotonic()
        self.stacks.up(stack)
        count = self.stacks.resources(stack)
        self.display.say(f"{stack}: {count} resources up in {time.monotonic() - started:.0f} s")

    def _upload(self, key: str, body: bytes) -> None:
        s3 = self.clients.of("delivery", "s3")
        s3.put_object(Bucket=self.project.names.data_bucket, Key=key, Body=body, Tagging=SCANNED)

    def _upload_data(self, share: float) -> None:
        text = self.table.window(share)
        rows = self.table.share(share)
        self._upload(DATA_KEY, text.encode())
        self.display.say(f"uploaded {DATA_KEY} with {rows} rows")

    def strays(self) -> None:
        """What people put beside data by mistake: it starts no run, and they are told."""
        self._upload("datasets/notes.txt", b"ask Robin about March")
        self._upload("datasets/incomplete/part-0.csv", self.table.window(FIRST_SHARE).encode())
        self.display.say("uploaded datasets/notes.txt and a folder that is not complete: they start nothing")

    def collect(self, key: str, text: str) -> None:
        """Rows come in that wait for a retraining: their upload starts nothing."""
        self._upload(key, text.encode())
        self.display.say(f"collected {key} with {len(text.splitlines()) - 1} rows")

    def travel(
        self, title: str, begin: Callable[[], None], traffic: Traffic | None = None, unless: str = ""
    ) -> report.Report:
        """What `begin` starts, followed to its end in production. Raises UserError where it does not get there.

        A run may end with an error that matches `unless`.
        """
        pipeline = self.clients.of("delivery", "codepipeline")
        self._settle(pipeline)
        known = run_ids(pipeline, self.project.names.name)
        with ExitStack() as stack:
            watch = stack.enter_context(
                AliasWatch(
                    self.clients.of(self.project.production, "lambda"),
                    self.project.names.predict(self.project.production),
                    LIVE,
                    changed=traffic.follow if traffic else None,
                )
            )
            begin()
            execution = newest_run(pipeline, self.project.names.name, known)
            run = self._follow(title, pipeline, execution, watch, traffic)
            self.display.rest()
        run.explain(self._keep_build_logs(run))
        shift = shift_in(watch.seen)
        entry = self._entry(run, shift, traffic)
        self.runs.append(entry)
        if run.status != "Succeeded":
            if unless and re.search(unless, run.error or ""):
                self.display.say(f"{title}: {run.error}", "green")
                return entry | {"error": run.error}
            raise UserError(
                f"{title}: the run ended {run.status}. {run.error or ''}",
                f"see the builds' logs in {self.stacks.scratch / 'logs'}",
            )
        self.display.say(f"{title}: release {entry['release']} serves production", "green")
        return entry

    def _settle(self, pipeline: Any) -> None:
        """Waits for runs that are still under way: those that had no code end at Source by themselves."""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            summaries = pipeline.list_pipeline_executions(pipelineName=self.project.names.name)[
                "pipelineExecutionSummaries"
            ]
            if all(item["status"] not in ("InProgress", "Stopping") for item in summaries):
                return
            time.sleep(0.2)

    def _follow(self, title: str, pipeline: Any, execution: str, watch: AliasWatch, traffic: Traffic | None) -> Run:
        run = Run(execution, "InProgress")
        for run in follow(pipeline, self.project.names.name, execution, self._approve):
            requests, failed = traffic.counts() if traffic else (0, 0)
            self.display.show(Scene(title, run, watch.now, requests, failed))
        return run

    def _keep_build_logs(self, run: Run) -> dict[str, str]:
        """The builds' logs by stage. They go with the cloud: a copy stays for whoever wants to know why one failed."""
        kept: dict[str, str] = {}
        logs, builds = self.clients.of("delivery", "logs"), self.clients.of("delivery", "codebuild")
        for stage, build in run.builds.items():
            place = builds.batch_get_builds(ids=[build])["builds"][0].get("logs", {})
            if not place.get("streamName"):
                continue
            names = {"logGroupName": place["groupName"], "logStreamName": place["streamName"]}
            try:
                text = "".join(event["message"].rstrip("\n") + "\n" for event in log_events(logs, names))
            except ClientError as error:
                # How the run ended is still to be said.
                self.display.say(f"{stage}: its build's log cannot be read: {error}")
                continue
            path = self.stacks.scratch / "logs" / f"run-{len(self.runs) + 1}-{stage}.log"
            path.write_text(text, encoding="utf-8")
            kept[stage] = text
        return kept

    def _approve(self, asked: dict[str, str]) -> bool:
        self.display.rest()
        if self.assume_yes:
            self.display.say("approval given by --yes")
            return True
        if not self.display.interactive:
            self.display.say("approval given by itself: no terminal to ask on")
            return True
        self.display.say(asked.get("text") or f"{asked['stage']} waits for your approval")
        return self.display.ask("Deploy this release to production?")

    def _entry(self, run: Run, shift: Shift | None, traffic: Traffic | None) -> report.Report:
        manifest = manifest_of(self.clients.of("delivery", "s3"), self.project.names.artifacts_bucket, run.id)
        answers = traffic.between(shift.start, shift.end) if shift and traffic else []
        entry = report.run_entry(run, manifest, report.shift_entry(shift, answers))
        return self.judged(entry)

    def judged(self, entry: report.Report) -> report.Report:
        """The entry of a run, with what the judge says of its shift."""
        if entry["shift"] and entry["release"]:
            stack = self.project.production
            entry["shift"]["verdict"] = evidence.verdict_of(self.clients, self.project, stack, entry["release"])
        return entry

    def caller(self) -> Caller:
        """Calls production as its administrator."""
        url = self.stacks.outputs(self.project.production)["apiUrl"]
        return Caller(url, self.project.names.region, self.clients.credentials(self.project.production))


def log_events(logs: Any, names: dict[str, str]) -> list[dict[str, Any]]:
    """All events of a log stream, oldest first. The last page hands its own token back."""
    events: list[dict[str, Any]] = []
    token: dict[str, str] = {}
    while True:
        page = logs.get_log_events(**names, startFromHead=True, **token)
        events += page["events"]
        if token.get("nextToken") == page["nextForwardToken"]:
            return events
        token = {"nextToken": page["nextForwardToken"]}
