"""The gate: a model goes on only if it is good enough, and not clearly worse than the one now approved."""
