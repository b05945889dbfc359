"""Drift, or a schedule, starts a retraining on a new window of data: at most as often as its brakes allow."""
