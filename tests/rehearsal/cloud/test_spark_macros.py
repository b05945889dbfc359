"""Spark's functions stand twice, since neither side may import the other: in the rehearsal's Spark, and where the
program reads files on this machine."""

import importlib.util
from pathlib import Path

from operate.local_spark import FUNCTIONS
from rehearsal.cloud import containers

LINES = Path(containers.__file__).parent / "spark_shim" / "pyspark" / "sql" / "lines.py"


def bodies(macros: tuple[str, ...]) -> dict[str, str]:
    """Name → parameters and body, whatever the spaces."""
    told = [" ".join(macro.split()).partition("(") for macro in macros]
    return {name: rest for name, _, rest in told}


def test_both_have_the_same_functions() -> None:
    spec = importlib.util.spec_from_file_location("lines", LINES)
    assert spec is not None
    assert spec.loader is not None
    lines = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(lines)
    theirs, ours = bodies(lines.MACROS), bodies(FUNCTIONS)
    # The rehearsal refuses what the program never asks for.
    assert "not implemented by the rehearsal" in theirs.pop("split")
    assert ours.pop("split") == "s, d) AS string_split(s, d)"
    assert ours == theirs
    assert len(ours) > 8
