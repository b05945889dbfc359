"""The Pulumi engine the rehearsal runs on: found, installed or built, with all it needs to run Python programs."""

from rehearsal.engine.ensure import ensure_engine
from rehearsal.engine.model import BUILD_VERSION, MINIMUM, Engine, EngineError

__all__ = ["BUILD_VERSION", "MINIMUM", "Engine", "EngineError", "ensure_engine"]
