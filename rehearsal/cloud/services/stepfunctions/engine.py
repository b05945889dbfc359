"""The interpreter, when it is needed: importing moto's takes more than a second, and a gateway is up in less.

It is imported by the first call that concerns state machines, or in the background once the first requests are through.
"""

import importlib
import sys
import threading
from typing import Any

from rehearsal.cloud.core.api import Cloud, on_start

PRINCIPAL = "states.amazonaws.com"
_INTERPRETER = "rehearsal.cloud.services.stepfunctions.interpreter"
_MODELS = "moto.stepfunctions.parser.models"
_PARSER = "moto.stepfunctions.parser.asl.parse.asl_parser"
_DELAY_SECONDS = 1.0

_lock = threading.Lock()


def load(cloud: Cloud) -> None:
    """Make the interpreter ready to work for this cloud."""
    with _lock:
        importlib.import_module(_INTERPRETER).install(cloud)


def backend(cloud: Cloud, account: str, region: str) -> Any:
    """Where moto keeps machines and executions once it executes them: not in its usual backend."""
    load(cloud)
    return importlib.import_module(_MODELS).stepfunctions_parser_backends[account][region]


def backends(cloud: Cloud) -> list[tuple[str, str, Any]]:
    """Every `(account, region, backend)`; none as long as nobody asked for a state machine."""
    if _MODELS not in sys.modules:
        return []
    load(cloud)
    return list(importlib.import_module(_MODELS).stepfunctions_parser_backends.iter_backends())


def parse(cloud: Cloud, definition: str) -> None:
    """Read a definition as the interpreter will. Raises what the interpreter raises."""
    load(cloud)
    importlib.import_module(_PARSER).AmazonStateLanguageParser.parse(definition)


@on_start
def prepare(cloud: Cloud) -> None:
    cloud.background(_prepare, cloud, name="state machines")


def _prepare(cloud: Cloud) -> None:
    if cloud.clock.pause(_DELAY_SECONDS):
        load(cloud)
