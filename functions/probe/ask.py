"""One question to production, and whether the answer is what the release was approved for."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from contracts.monitoring import PROBES
from functions.shared.api import Caller, CallError
from functions.shared.golden import Golden, check_answer


class ProbeError(Exception):
    """Production does not answer as it should; the message says how."""


class Probe:
    """Asks with golden records of `release`, which served when this function was last changed."""

    def __init__(self, api: Caller, golden: Golden, release: str, key: str = "") -> None:
        self._api, self._golden, self._release, self._key = api, golden, release, key

    def run(self, alias: Mapping[str, Any], request_id: str) -> str:
        """What was found, in a sentence. Raises ProbeError. `request_id` is a UUID, and chooses the record."""
        if (alias.get("RoutingConfig") or {}).get("AdditionalVersionWeights"):
            return "Traffic is being shifted: the shift's alarms look, and are to judge its callers alone."
        record = self._golden.records[int(request_id.replace("-", "")[:8], 16) % len(self._golden.records)]
        headers = {"content-type": "application/json", "x-glidepath-inference-id": f"{PROBES}{request_id}"}
        body = json.dumps({"instances": [record.features]}).encode()
        try:
            answer = self._api.post(body, {**headers, **({"x-api-key": self._key} if self._key else {})})
        except CallError as error:
            raise ProbeError(str(error)) from error
        if answer.status != 200:
            raise ProbeError(f"production answers {answer.status}: {answer.body[:300]}")
        found = answer.json()
        answered = found.get("release")
        if answered != self._release:
            # A test's variants have records of their own, and so has a release that took over a moment ago.
            return f"Release {answered} answered, whose golden records these are not."
        problem = check_answer(self._golden, record, found, self._release)
        if problem:
            raise ProbeError(f"production answers a golden record otherwise than the evaluated model: {problem}")
        return f"Release {answered} answered a golden record as evaluated, in {answer.milliseconds:.0f} ms."
