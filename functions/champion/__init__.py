"""Finds the champion: the model that a new one is compared with, as the evaluation job can load it."""
