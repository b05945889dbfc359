"""From a request on the wire to a handler, and back."""
