"""The operator's command: `./glidepath`."""
