"""Glidepath's own story, played on the rehearsal: the tour and the fault matrix."""
