"""Exit codes and the error that is printed as one line.

| code | meaning |
|---|---|
| 0 | done |
| 1 | it failed, and the message says why |
| 2 | the command line is wrong; nothing was touched |
| 126, 127 | `exec`: the command cannot be run, is not found |
| 130 | interrupted (Ctrl-C) |

`exec` otherwise ends with the code of the command it ran.
"""

from rehearsal.errors import UserError

FAILED = 1
USAGE = 2
NOT_EXECUTABLE = 126
NOT_FOUND = 127
INTERRUPTED = 130

__all__ = ["FAILED", "INTERRUPTED", "NOT_EXECUTABLE", "NOT_FOUND", "USAGE", "UserError"]
