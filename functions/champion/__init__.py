"""Finds the champion: the model that production serves, as the evaluation job can load it."""
