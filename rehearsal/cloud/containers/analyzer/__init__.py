"""Stand-in for the model monitor's analyzer: statistics, constraints, violations and metrics of tabular data."""
