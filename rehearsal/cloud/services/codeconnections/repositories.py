"""Git repositories on this machine that stand for those behind a connection."""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

from werkzeug.wrappers import Request, Response

from rehearsal.cloud.core.api import Cloud, route


class RepositoryError(ValueError):
    """No such repository, branch or commit."""


@dataclass(frozen=True)
class Commit:
    """A commit and its files as a zip; `date` is ISO 8601."""

    id: str
    author: str
    email: str
    date: str
    message: str
    archive: bytes


@route("/_rehearsal/repositories", methods=["POST"])
def register(cloud: Cloud, request: Request) -> Response:
    """Body `{"repository": "owner/name", "path": "/folder"}`: that folder now is the repository."""
    try:
        body = json.loads(request.get_data())
        repository, path = str(body["repository"]), Path(str(body["path"]))
    except (json.JSONDecodeError, KeyError, TypeError):
        return Response('expected {"repository": "owner/name", "path": "/folder"}\n', status=400, mimetype="text/plain")
    try:
        _git(path, "rev-parse", "--git-dir")
    except RepositoryError as error:
        return Response(f"{path} is not a git repository: {error}\n", status=400, mimetype="text/plain")
    cloud.store("codeconnections", "*", "*").setdefault("repositories", {})[repository] = path
    return Response(status=204)


def read(cloud: Cloud, repository: str, branch: str, commit: str | None) -> Commit:
    """The commit, by default the branch's newest. Raises `RepositoryError`."""
    path = cloud.store("codeconnections", "*", "*").setdefault("repositories", {}).get(repository)
    if path is None:
        raise RepositoryError(
            f"[Connection] No repository {repository} is known here: "
            "register its folder with POST /_rehearsal/repositories"
        )
    wanted = commit or f"refs/heads/{branch}"
    # everything after --end-of-options is a revision, whatever it looks like
    found = _git(path, "rev-parse", "--verify", "--end-of-options", f"{wanted}^{{commit}}").decode().strip()
    fields = _git(path, "show", "-s", "--format=%an%x00%ae%x00%aI%x00%B", found).decode().split("\0")
    archive = _git(path, "archive", "--format=zip", found)
    return Commit(found, fields[0], fields[1], fields[2], fields[3].strip(), archive)


def _git(path: Path, *arguments: str) -> bytes:
    try:
        done = subprocess.run(["git", "-C", str(path), *arguments], capture_output=True, check=True)
    except FileNotFoundError as error:
        raise RepositoryError("git is not installed") from error
    except subprocess.CalledProcessError as error:
        raise RepositoryError(error.stderr.decode().strip()) from error
    return done.stdout
