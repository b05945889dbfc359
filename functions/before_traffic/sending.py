"""Captured requests on their way to the new version, and what comes of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from contracts.monitoring import REPLAY_IDS
from functions.before_traffic.ask import AskError, ask
from functions.before_traffic.captured import Request
from functions.before_traffic.compare import Exchange


@dataclass(frozen=True)
class Sender:
    """Asks a version for a release's answers. `client` is a boto3 Lambda client, `now` a clock in seconds.

    `places` are where the release's features stand in a captured row, `variant` is named in requests where given.
    """

    client: Any
    function_name: str
    version: str
    release: str
    places: dict[str, int]
    variant: str | None
    deployment: str
    now: Callable[[], float]

    def send(self, requests: Sequence[Request], stopped: Callable[[], bool]) -> list[Exchange]:
        """What came of each until `stopped`, one after the other: an endpoint that nobody uses yet is not to be loaded.

        What got no answer is asked once more, after all others: what passes is no fault of the model's.
        """
        found: list[Exchange] = []
        for index, request in enumerate(requests):
            if stopped():
                break
            found.append(self._exchange(request, f"{self.deployment}-{index}"))
        for index, exchange in enumerate(found):
            if exchange.new is None and not stopped():
                found[index] = self._exchange(requests[index], f"{self.deployment}-{index}-again")
        return found

    def _exchange(self, request: Request, scope: str) -> Exchange:
        features = {name: request.row[place] for name, place in self.places.items()}
        started = self.now()
        new, problem = None, ""
        try:
            new = self._answer(features, f"{REPLAY_IDS}{scope}")
        except AskError as error:
            problem = str(error)
        except (BotoCoreError, ClientError) as error:
            problem = f"{type(error).__name__}: {error}"
        return Exchange(request.answer, new, problem, (self.now() - started) * 1000)

    def _answer(self, features: dict[str, float | None], inference_id: str) -> float:
        document = ask(self.client, self.function_name, self.version, features, inference_id, self.variant)
        if document.get("release") != self.release:
            raise AskError(f"release {document.get('release')!r} answered, not {self.release!r}")
        predictions = document.get("predictions")
        if not isinstance(predictions, list) or len(predictions) != 1:
            raise AskError(f"expected one prediction, got {predictions!r}"[:300])
        (answer,) = predictions
        if isinstance(answer, bool) or not isinstance(answer, int | float) or not math.isfinite(answer):
            raise AskError(f"the prediction is not a finite number: {answer!r}"[:300])
        return float(answer)
