"""Scripts that make what the pack ships: the table of AWS actions and the catalogue of rules."""
