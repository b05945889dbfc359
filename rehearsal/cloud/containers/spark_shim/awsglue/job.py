"""`awsglue.job`: bookmarks are not kept."""

from typing import Any


class Job:
    """`init` and `commit` mark the job's beginning and end."""

    def __init__(self, context: Any) -> None:
        pass

    def init(self, name: str, args: dict[str, str] | None = None) -> None:
        """Nothing to do without bookmarks."""

    def commit(self) -> None:
        """Nothing to do without bookmarks."""
