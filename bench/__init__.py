"""What the project costs, as ratios within one run: absolute times say more about a machine than about the code."""
