"""The request that the gateway shares with moto says the same as moto's own."""

import moto.core.request
import pytest
from werkzeug.test import EnvironBuilder

from rehearsal.cloud.wire.request import Request


@pytest.mark.parametrize(
    ("path", "raw"),
    [
        ("/", "/"),
        ("/", ""),
        ("/bucket/a b/ü", "/bucket/a%20b/%C3%BC"),
        ("//key", "//key"),
        ("/a", "http://other:80/a?x=1"),
        ("/bucket/a/b", "/bucket/a%2Fb?versionId=1"),
    ],
)
def test_addresses_are_motos(path: str, raw: str) -> None:
    environ = EnvironBuilder(path=path, base_url="http://127.0.0.1:4599", query_string="x=%2F&y").get_environ()
    environ["RAW_URI"] = raw
    ours, theirs = Request(dict(environ)), moto.core.request.Request(dict(environ))
    assert (ours.raw_path, ours.raw_url) == (theirs.raw_path, theirs.raw_url)
    assert ours.raw_url == theirs.raw_url
