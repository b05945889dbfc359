"""The policy pack. Rules and what is registered of them live in `rules/`: this file blocks once it is run."""

from pulumi_policy import PolicyPack
from rules.engine import policies  # type: ignore[import-not-found]  # this folder is on the path when it runs

PolicyPack("glidepath", policies=policies())
