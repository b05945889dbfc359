"""`python -m bench [PART …]`: measure these, or all (PARTS)."""

import ast
import importlib
import sys
from pathlib import Path

import rehearsal.errors
from contracts.errors import UserError

PARTS = (
    "handler",
    "gateway",
    "data",
    "preview",
    "policies",
    "monitor",
    "gate",
    "replay",
    "verdict",
    "road",
    "tests",
    "tour",
)


def main(names: list[str]) -> int:
    if any(name in ("-h", "--help") for name in names):
        print(_help())
        return 0
    unknown = [name for name in names if name not in PARTS]
    if unknown:
        print(f"bench: no part named {unknown[0]!r}; there are {', '.join(PARTS)}", file=sys.stderr)
        return 2
    for name in names or PARTS:
        try:
            for result in importlib.import_module(f"bench.{name}").measure():
                print(result, flush=True)
        except (UserError, rehearsal.errors.UserError) as error:
            print(f"bench: {error}", file=sys.stderr)
            return error.code
    return 0


def _help() -> str:
    """Each part with the first line of its docstring, without importing any."""
    sources = {name: Path(__file__).with_name(f"{name}.py").read_text(encoding="utf-8") for name in PARTS}
    lines = {name: (ast.get_docstring(ast.parse(text)) or "").partition("\n")[0] for name, text in sources.items()}
    told = [f"  {name:<9} {line}" for name, line in lines.items()]
    return "\n".join(["Usage: python -m bench [PART …]; without one, all:", "", *told])


try:
    sys.exit(main(sys.argv[1:]))
except KeyboardInterrupt:
    sys.exit(130)
