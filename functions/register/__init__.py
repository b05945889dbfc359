"""Registration of a model that passed the gate."""
