"""`python -m tests.preview.soundness --pairs 10000 --seed 1`: is "gains nothing" ever wrong?"""

import argparse
import json
import sys
from dataclasses import asdict

from tests.preview.sound.trial import Counts, run, summary


def main() -> int:
    """Print the counts, and the first findings; 1 where there is any."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--show", type=int, default=3)
    parser.add_argument("--free", type=int, default=25, help="every so many pairs with texts of any kind")
    given = parser.parse_args()
    counts = run(given.pairs, given.seed, free=given.free)
    print(summary(counts))
    _show(counts, given.show)
    failed = counts.unsound or counts.apart or len(counts.nothing) > counts.pairs / 100
    return 1 if failed else 0


def _show(counts: Counts, first: int) -> None:
    for title, found in (("unsound", counts.unsound), ("apart", counts.apart), ("for nothing", counts.nothing)):
        for old, new, text in found[:first]:
            print(f"--- {title}: {text}")
            for word, side in (("old", old), ("new", new)):
                print(word, json.dumps({name: each for name, each in asdict(side).items() if each}))


if __name__ == "__main__":
    sys.exit(main())
