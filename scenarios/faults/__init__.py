"""The fault matrix: what breaks on the way to production, injected where it really breaks, and the expected outcome."""
