"""Entry point: `python -m cli`, or this file by its path, from any folder."""

import sys
from pathlib import Path

_ROOT = str(Path(__file__).resolve().parent.parent)
if _ROOT not in sys.path:
    # Not by PYTHONPATH: the commands that `exec` runs would inherit it.
    sys.path.insert(0, _ROOT)

from cli.main import main  # noqa: E402

sys.exit(main(sys.argv[1:]))
