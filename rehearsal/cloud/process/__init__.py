"""The gateway as a process: put together, started, stopped, kept."""
