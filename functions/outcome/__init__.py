"""Writes into the model registry what became of a run's model."""
