"""One component per stage of the pipeline."""
