"""Progress of something slow: one moving line on a terminal, a line now and then elsewhere."""

import sys
import time
from typing import TextIO

_QUIET_SECONDS = 15.0


class Progress:
    """Writes to stderr, so that a command's own output stays clean."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = sys.stderr if stream is None else stream
        self._started = time.monotonic()
        self._last = 0.0
        self._moving = False

    def say(self, text: str) -> None:
        """A line that stays; also starts the clock of the step that follows."""
        self.end()
        self._started = self._last = time.monotonic()
        print(text, file=self._stream, flush=True)

    def step(self, text: str, share: float | None) -> None:
        """How far the present step has come, from 0 to 1; None means unknown."""
        now = time.monotonic()
        terminal = self._stream.isatty()
        if now - self._last < (0.1 if terminal else _QUIET_SECONDS):
            return
        self._last = now
        shown = "" if share is None else f"{min(share, 1.0):4.0%}"
        line = f"  {shown}  {int(now - self._started)} s  {text}"
        if not terminal:
            print(line, file=self._stream, flush=True)
            return
        self._moving = True
        print(f"\r\x1b[2K{line[:100]}", end="", file=self._stream, flush=True)

    def end(self) -> None:
        """Take the moving line away."""
        if self._moving:
            print("\r\x1b[2K", end="", file=self._stream, flush=True)
        self._moving = False
