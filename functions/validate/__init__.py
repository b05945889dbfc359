"""First step of the workflow: the data must be what the schema says, before anything expensive starts."""
