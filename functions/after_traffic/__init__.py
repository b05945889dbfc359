"""Hook after the shift: the golden requests of this deployment must be in the endpoint's capture."""
