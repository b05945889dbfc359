"""What an operator does with the project's stacks: every command's work, without its words."""

import os
from pathlib import Path

HERE = Path(__file__).resolve().parent.parent
"""Where this code lies, with the policy pack that belongs to it."""
ROOT = Path(os.environ.get("GLIDEPATH_SOURCE") or HERE).absolute()
"""The checkout that commands work on: their own, unless GLIDEPATH_SOURCE names another.

The pipeline's builds name one: what plans and deploys a source is not part of it (components/tools.py).
"""
