"""What the judge of a shift counts and says: names of metrics and of the record that it keeps."""

from __future__ import annotations

JUDGED, FAILED, SLOW = "Judged", "JudgedFailed", "JudgedSlow"
"""Metrics of high resolution, by version (dimensions `Service` and `Version`): requests that the model was asked, those
of them that it did not answer, and those that it answered later than the limit. Not among them: what callers did wrong,
the probe's requests, and the first request of each sandbox, of which a new version has more for no fault of its own."""
EVIDENCE = "Evidence"
"""Metric of high resolution, by version: evidence that it is worse than the one before, as a share of what suffices; 1
and more stops a shift. The largest of all that is counted."""
RECORDS = "judge"
"""First part of the keys of the judge's records in the capture bucket: `judge/<deployment>.json`."""
