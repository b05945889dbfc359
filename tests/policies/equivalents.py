"""Mutants that mean the same as the code: module → mutant as the runner names it → why no test can tell."""

EQUIVALENTS: dict[str, dict[str, str]] = {}
