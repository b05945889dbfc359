"""Mutants that mean the same as the code: module → mutant as the runner names it → why no test can tell."""

EQUIVALENTS: dict[str, dict[str, str]] = {
    "model": {
        "number: `1`": "how often a path is cut: only what stands before the first cut is looked at",
    },
    "judge": {
        "number: `0` of `kept[0]`": "the family is made anew each time, from the same config: slower, and the same",
    },
}
