"""What must be right before a first release can travel: `./glidepath doctor`. Reads, and changes nothing.

A check has two parts: `look` asks (with clients that are handed in), and the rest is a function of what was found.
"""

from operate.doctor.examine import examine
from operate.doctor.finding import FINE, NOTE, PROBLEM, UNCHECKED, Finding

__all__ = ["FINE", "NOTE", "PROBLEM", "UNCHECKED", "Finding", "examine"]
