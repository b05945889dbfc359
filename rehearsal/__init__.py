"""The rehearsal: the road to production, played on a laptop without AWS."""
