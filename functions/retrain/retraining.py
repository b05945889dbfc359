"""From an event to a run, or to the reason why there is none."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from contracts.retraining import start_key, trained_key
from contracts.s3 import S3Location
from functions.retrain import window as windows
from functions.retrain.asked import Asked
from functions.retrain.brakes import Brake, Limits, Situation, Window, brake
from functions.retrain.ledger import Book, Decision, Ledger, LostRace, Run
from functions.retrain.window import Part, WindowError

_TURNS = 20
_GOING = ("InProgress", "Stopping")


@dataclass(frozen=True)
class Places:
    """Names of what is worked with. `days` is 0 where the newest object alone is taken."""

    pipeline: str
    data: str
    artifacts: str
    folder: str
    days: int


class Retraining:
    """Decides, and starts. `s3` and `codepipeline` are boto3 clients."""

    def __init__(self, s3: Any, codepipeline: Any, places: Places, limits: Limits) -> None:
        self._s3 = s3
        self._pipeline = codepipeline
        self._places = places
        self._limits = limits
        self._book = Book(s3, places.artifacts)

    def ask(self, asked: Asked, now: datetime) -> Decision:
        """What comes of one event. Decided anew for as long as others decide at the same time."""
        for _ in range(_TURNS):
            try:
                return self._decide(asked, now)
            except LostRace:
                continue
        raise TimeoutError(f"others wrote the ledger {_TURNS} times while event {asked.event} was decided on")

    def _decide(self, asked: Asked, now: datetime) -> Decision:
        ledger, etag = self._book.read()
        if ledger.unanswered:
            # Whoever began it was cut off, or is about to start it: the token makes both the same run.
            ledger, etag = self._start(ledger, etag, ledger.unanswered)
        parts, held = self._look(asked, ledger, now)
        if held:
            decision = Decision(now, asked.event, asked.reason, asked.why, held.name, held.reason)
            self._book.write(ledger.decided(decision), etag)
            return decision
        run = self._run(asked, parts, now)
        ledger = ledger.began(run)
        etag = self._book.write(ledger, etag)
        ledger, etag = self._start(ledger, etag, run)
        return next(decision for decision in reversed(ledger.decisions) if decision.event == asked.event)

    def _look(self, asked: Asked, ledger: Ledger, now: datetime) -> tuple[list[Part], Brake | None]:
        """The window's parts, joined where a run may begin; and the brake that holds."""
        try:
            parts = self._parts(now)
        except WindowError as error:
            return [], self._brake(asked, ledger, now, None, str(error))
        held = self._brake(asked, ledger, now, self._window(ledger, parts))
        if held or len(parts) == 1:
            return parts, held
        try:
            windows.join(self._s3, parts, windows.place_of(parts)[0])
        except WindowError as error:
            return parts, Brake("no-data", str(error))
        return parts, None

    def _brake(
        self, asked: Asked, ledger: Ledger, now: datetime, window: Window | None, no_window: str = ""
    ) -> Brake | None:
        return brake(self._limits, Situation(now, asked, ledger.runs, self._going(), window, no_window))

    def _parts(self, now: datetime) -> list[Part]:
        places = self._places
        if places.days:
            return windows.recent(self._s3, places.data, places.folder, places.days, now)
        return windows.newest(self._s3, places.data, places.folder)

    def _window(self, ledger: Ledger, parts: list[Part]) -> Window:
        key, version = windows.place_of(parts)
        version = version or windows.version_of(self._s3, self._places.data, key)
        name, wanted = self._uri(key), {part.identity for part in parts}
        # A part of a window that was trained on brings no new rows either.
        before = [(run.uri, run.version) for run in ledger.runs if wanted <= set(run.parts)]
        found = [(name, version), *before] if version else before
        trained = any(self._trained(uri, of) for uri, of in dict.fromkeys(found))
        return Window(name, tuple(part.identity for part in parts), trained)

    def _trained(self, uri: str, version: str) -> bool:
        key = trained_key(uri, version)
        return bool(self._s3.list_objects_v2(Bucket=self._places.artifacts, Prefix=key, MaxKeys=1).get("KeyCount"))

    def _going(self) -> str:
        found = self._pipeline.list_pipeline_executions(pipelineName=self._places.pipeline, maxResults=100)
        going = (run for run in found["pipelineExecutionSummaries"] if run["status"] in _GOING)
        return next((str(run["pipelineExecutionId"]) for run in going), "")

    def _run(self, asked: Asked, parts: list[Part], now: datetime) -> Run:
        key, version = windows.place_of(parts)
        version = version or windows.version_of(self._s3, self._places.data, key)
        uri = self._uri(key)
        token = hashlib.sha256(f"{asked.event}/{uri}@{version}".encode()).hexdigest()
        identities = tuple(part.identity for part in parts)
        return Run(now, asked.event, asked.reason, asked.why, key, version, uri, identities, token)

    def _start(self, ledger: Ledger, etag: str, run: Run) -> tuple[Ledger, str]:
        """Start a run that was decided on, vouch for it, and write down which it is."""
        values = {"REASON": run.reason, "DATA_KEY": json.dumps(run.key)[1:-1], "DATA_VERSION": run.version}
        execution = self._pipeline.start_pipeline_execution(
            name=self._places.pipeline,
            clientRequestToken=run.token,
            variables=[{"name": name, "value": value} for name, value in values.items()],
        )["pipelineExecutionId"]
        proof = {"reason": run.reason, "key": run.key, "version": run.version}
        self._s3.put_object(Bucket=self._places.artifacts, Key=start_key(execution), Body=json.dumps(proof).encode())
        words = f"run {execution} on {run.uri}, version {run.version}"
        decision = Decision(run.at, run.event, run.reason, run.why, "", words, execution)
        ledger = ledger.answered(run.token, execution).decided(decision)
        return ledger, self._book.write(ledger, etag)

    def _uri(self, key: str) -> str:
        return str(S3Location(self._places.data, key))
