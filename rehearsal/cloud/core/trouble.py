"""What goes wrong on a thread of its own, told where the gateway writes."""

import contextlib
import sys


def tell(text: str) -> None:
    """Write a text to the standard error. Whoever reads there may have gone: that ends no thread."""
    with contextlib.suppress(OSError, ValueError):
        print(text, file=sys.stderr, flush=True)
