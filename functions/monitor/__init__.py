"""Starts the analysis of an hour when the schedule says so, and tells what came of it."""
