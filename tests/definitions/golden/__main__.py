"""Writes roles.json anew: `python -m tests.definitions.golden`, after a change of what a role is meant to be."""

from tests.definitions.test_golden import GOLDEN, text

GOLDEN.write_text(text(), encoding="utf-8")
