"""What an operator does with the project's stacks: every command's work, without its words."""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
"""The checkout that this code is part of."""
