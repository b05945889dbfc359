"""A request as the gateway and moto both read it: parsed once, however many look at it."""

import functools
from typing import Any

import moto.core.request
from werkzeug.sansio.utils import get_current_url

RAW_HEADER = "rehearsal.raw_header"
"""Where the server leaves the head of a request as it came, in the WSGI environment."""


class Request(moto.core.request.Request):
    """moto's request, with the addresses it was sent to worked out once."""

    # What makes moto leave the Date header to the server.
    from_wsgi_server = True

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._raw_path = super().raw_path
        self._raw_url: str | None = None

    @property
    def raw_path(self) -> str:
        """The path before it was decoded."""
        return self._raw_path

    @property
    def raw_url(self) -> str:
        """The whole address before it was decoded."""
        if self._raw_url is None:
            start = _root(self.scheme, self.host, self.root_path).rstrip("/")
            query = self.query_string.decode()
            self._raw_url = f"{start}{self._raw_path}" + (f"?{query}" if query else "")
        return self._raw_url

    def written_names(self) -> dict[str, str]:
        """The names of the headers as the client wrote them, by their lower case."""
        raw: bytes = self.environ.get(RAW_HEADER, b"")
        names = (line.partition(b":")[0].decode("latin-1").strip() for line in raw.split(b"\n") if b":" in line)
        return {name.lower(): name for name in names}


_root = functools.lru_cache(256)(get_current_url)
