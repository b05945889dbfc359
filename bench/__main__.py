"""`python -m bench [PART …]`: measure these, or all (PARTS)."""

import importlib
import sys

import rehearsal.errors
from contracts.errors import UserError

PARTS = ("handler", "gateway", "preview", "policies", "monitor", "gate", "replay", "verdict", "road", "tests", "tour")


def main(names: list[str]) -> int:
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


try:
    sys.exit(main(sys.argv[1:]))
except KeyboardInterrupt:
    sys.exit(130)
