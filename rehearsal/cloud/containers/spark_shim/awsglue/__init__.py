"""A stand-in for Glue's Python library: what the rehearsal's jobs use of it."""
