"""Make the engine ready: `python -m rehearsal.engine`."""

import sys

from rehearsal.engine import EngineError, ensure_engine

try:
    engine = ensure_engine()
except EngineError as error:
    sys.exit(str(error))
except KeyboardInterrupt:
    sys.exit(130)
print(f"Pulumi {engine.version} is ready" + (" (built from its modules)" if engine.built else ""))
