"""The analyzer as an archive that Python runs: what its jobs get instead of a checkout."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

from contracts.analyzer import files

_MAIN = "import sys\n\nfrom functions.jobs.monitor.main import main\n\nmain(sys.argv[1:])\n"
# Of the first day that the format knows: the same files are the same archive to the byte.
_STAMP = (1980, 1, 1, 0, 0, 0)


def archive(root: Path) -> bytes:
    """The archive's bytes; `python3 analyzer.zip …` runs `functions/jobs/monitor/main.py`."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as packed:
        for name in files(root):
            packed.writestr(zipfile.ZipInfo(name, _STAMP), (root / name).read_bytes(), zipfile.ZIP_DEFLATED)
        packed.writestr(zipfile.ZipInfo("__main__.py", _STAMP), _MAIN, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()
