"""One component per stage of the road."""
