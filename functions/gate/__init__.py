"""The gate: a model goes on only if it is good enough, and not worse than the one that serves."""
