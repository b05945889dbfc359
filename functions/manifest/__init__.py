"""Last step of the workflow: the release manifest, written once."""
