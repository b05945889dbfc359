"""From all that a command prints to the one sentence that a person reads."""

import itertools
import re

_DIAGNOSTICS = "Diagnostics:\n"
_OURS = "glidepath: "
# Of an engine's error only the first line is the cause; what a provider adds below is where it stood.
_ERROR = re.compile(r"^\s*error: (?P<text>.+)$")
# What the engine adds to the real cause, what stands above it in ours, and what it broke off because of the cause.
_HOLLOW = re.compile(
    r"^(update failed|preview failed|resource .* registered twice|the cause stands above.*|.*\bcontext canceled)$"
)
# A program's own exception is told with all of its traceback, which ends with what was raised.
_UNHANDLED = "Program failed with an unhandled exception:"

# A line of CodeBuild itself in a build's log.
_NOTE = re.compile(r"\[Container\] \S+ \S+ (?P<text>.*)")
COMMAND_FAILED = re.compile(r"Error while executing command: (?P<command>.+)\. Reason: (?P<reason>.+)", re.DOTALL)
_COMMAND_LENGTH = 60


def cause(text: str) -> str:
    """The first error of the engine's diagnostics, else our own error line, else the last line of all.

    A sentence that goes on over several lines (a provider's list) is taken as one.
    """
    _, found, diagnostics = text.rpartition(_DIAGNOSTICS)
    errors = _errors(diagnostics.splitlines()) if found else []
    if errors:
        return errors[0]
    lines = [line.strip() for line in text.strip().splitlines() if line.strip()]
    own = [line.removeprefix(_OURS) for line in lines if line.startswith(_OURS)]
    return own[0] if own else lines[-1] if lines else "nothing was said"


def build_cause(log: str) -> str:
    """The cause in what that command printed at which a build failed; CodeBuild's own lines are no part of it."""
    printed: list[str] = []
    for line in log.splitlines():
        note = _NOTE.match(line)
        if note is None:
            printed.append(line)
        elif note["text"].startswith("Running command"):
            printed = []
        elif note["text"].startswith("Command did not exit successfully"):
            break
    return cause("\n".join(printed))


def shortened(message: str) -> str:
    """CodeBuild's message about a command that failed, with the beginning of the command; other messages unchanged."""
    failed = COMMAND_FAILED.fullmatch(message)
    if failed is None or len(failed["command"]) <= _COMMAND_LENGTH:
        return message
    return f"Error while executing command: {failed['command'][:_COMMAND_LENGTH]}…. Reason: {failed['reason']}"


def _errors(lines: list[str]) -> list[str]:
    found = []
    for number, line in enumerate(lines):
        match = _ERROR.match(line)
        if match and match["text"] == _UNHANDLED:
            found.append(_raised(lines[number + 1 :]) or match["text"])
        elif match and not _HOLLOW.match(match["text"]):
            found.append(_whole(match["text"], lines[number + 1 :], _indent(line)))
    return found


def _raised(following: list[str]) -> str:
    """The last line of a traceback, which ends with an empty line; empty where there is none."""
    told = itertools.takewhile(str.strip, following)
    return next((line.strip() for line in reversed(list(told))), "")


def _whole(first: str, following: list[str], indent: int) -> str:
    """The sentence with its further lines: those that stand deeper, or begin with a star."""
    parts = [first]
    for line in following:
        if not line.strip() or not (_indent(line) > indent or line.strip().startswith("*")):
            break
        parts.append(line.strip())
    return " ".join(parts)


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())
