"""Warm starts: a process that has imported what Python programs under the engine import, and forks for each of them.

The engine starts five Python processes for one preview (program, policy pack, two providers, language host), a tour
does so some twenty times, and imports are half of what they cost. docs/adr/0010 has the figures.
"""

from pathlib import Path

SERVER = Path(__file__).resolve().parent / "server.py"
START = Path(__file__).resolve().parent / "start.py"
SOCKET = "warm.sock"
"""Name of the server's socket, in the rehearsal's folder."""
LONGEST = 100
"""Characters that the path of a socket may have: a little less than what the systems allow."""
