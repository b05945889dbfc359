"""The fault matrix: what breaks on the road, injected where it really breaks, and what must come of it."""
