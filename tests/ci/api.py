"""A stand-in for the part of GitHub's and GitLab's REST APIs that holds comments: it keeps what it is sent."""

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

GITHUB = re.compile(r"/repos/owner/name/issues/(?:7/comments|comments/(?P<id>\d+))$")
GITLAB = re.compile(r"/projects/42/merge_requests/7/notes(?:/(?P<id>\d+))?$")


@dataclass
class Api:
    """Comments by id, and every request that came. `token` is what must be shown."""

    token: str = "right"
    notes: dict[int, str] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    url: str = ""


@contextmanager
def serving() -> Iterator[Api]:
    """The API on a free port, until the block ends."""
    api = Api()

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            parts = urlsplit(self.path)
            match = GITHUB.match(parts.path) or GITLAB.match(parts.path)
            api.asked.append(f"{self.command} {parts.path}")
            shown = self.headers.get("Authorization", "").removeprefix("Bearer ") or self.headers.get("PRIVATE-TOKEN")
            if shown != api.token:
                return self._send(403, {"message": "Resource not accessible"})
            if match is None:
                return self._send(404, {"message": "Not Found"})
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if self.command == "GET":
                query = parse_qs(parts.query)
                page, size = int(query["page"][0]), int(query["per_page"][0])
                listed = [{"id": number, "body": text} for number, text in sorted(api.notes.items())]
                return self._send(200, listed[(page - 1) * size : page * size])
            number = int(match["id"]) if match["id"] else max(api.notes, default=100) + 1
            api.notes[number] = json.loads(body)["body"]
            return self._send(201, {"id": number})

        def _send(self, status: int, content: Any) -> None:
            data = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing on the terminal."""

        do_GET = do_POST = do_PATCH = do_PUT = _answer  # noqa: N815 - http.server's names

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    api.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield api
    finally:
        server.shutdown()
        server.server_close()
