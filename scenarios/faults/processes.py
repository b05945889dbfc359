"""All processes that one has started: the engine's plugins lead groups and sessions of their own, and outlive it."""

import contextlib
import os
import signal
from pathlib import Path


def family(pid: int) -> list[int]:
    """The process and all that descend from it, parents first. Only itself where /proc is missing."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError, IndexError, ValueError):
            # pid (command) state parent …; the command may hold anything.
            fields = (entry / "stat").read_text(errors="replace").rpartition(")")[2].split()
            children.setdefault(int(fields[1]), []).append(int(entry.name))
    found = [pid]
    for parent in found:
        found += children.get(parent, [])
    return found


def of_build(build: str) -> list[int]:
    """The processes of a build, by the variable that all of them inherit."""
    wanted, found = f"CODEBUILD_BUILD_ID={build}".encode(), []
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if wanted in (entry / "environ").read_bytes().split(b"\0"):
                found.append(int(entry.name))
    return found


def kill_family(pid: int) -> None:
    """SIGKILL for all of it, at once: none is left to notice that another has gone."""
    for member in family(pid):
        with contextlib.suppress(ProcessLookupError):
            os.kill(member, signal.SIGKILL)
