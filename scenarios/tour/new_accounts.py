"""What a person does first in new accounts: looks with doctor, and requests the quotas that it names."""

import shlex
import time
from dataclasses import dataclass
from typing import Any

from contracts.errors import UserError
from operate.clients import Clients
from operate.doctor import PROBLEM, Finding, examine
from operate.project import Project
from rehearsal.environment import NEW, Rehearsal
from scenarios.tour.display import Display

_PATIENCE_SECONDS = 120.0
_LOOK_SECONDS = 0.2


@dataclass(frozen=True)
class Request:
    """One of doctor's commands, taken apart."""

    profile: str
    service: str
    code: str
    value: float


def settle_in(rehearsal: Rehearsal, project: Project, clients: Clients, display: Display) -> list[Request]:
    """In new accounts has every quota raised that doctor names, and waits. Raises UserError where it takes too long."""
    if rehearsal.accounts != NEW:
        return []
    found = [each for each in examine(project.root, clients, project.names, "./glidepath bootstrap") if _small(each)]
    requests = [read(each.fix) for each in found]
    display.say(f"doctor: new accounts have too little of {len(requests)} quotas; they are requested")
    stacks = {project.names.stack(stack): stack for stack in project.names.stacks}
    asked = [(clients.of(stacks[request.profile], "service-quotas"), request) for request in requests]
    for client, request in asked:
        client.request_service_quota_increase(
            ServiceCode=request.service, QuotaCode=request.code, DesiredValue=request.value
        )
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while any(_value(client, request) < request.value for client, request in asked):
        if time.monotonic() > deadline:
            raise UserError("the rehearsed cloud has not granted the quotas that were requested")
        time.sleep(_LOOK_SECONDS)
    return requests


def _small(finding: Finding) -> bool:
    return finding.check == "quotas" and finding.status == PROBLEM


def read(command: str) -> Request:
    """`aws service-quotas request-service-quota-increase …`, as doctor prints it."""
    words = shlex.split(command)[3:]
    given = dict(zip(words[::2], words[1::2], strict=True))
    return Request(given["--profile"], given["--service-code"], given["--quota-code"], float(given["--desired-value"]))


def _value(client: Any, request: Request) -> float:
    found = client.get_service_quota(ServiceCode=request.service, QuotaCode=request.code)
    return float(found["Quota"]["Value"])
