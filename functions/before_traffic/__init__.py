"""Hook before any traffic: the new version must answer golden records as the evaluated model did."""
