"""Documents as data: pure functions that return the dicts AWS reads (policies, state machine, buildspecs, …)."""
