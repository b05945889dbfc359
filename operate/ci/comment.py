"""One comment per stack on a pull (or merge) request, updated in place."""

from collections.abc import Iterator
from typing import Any

from contracts.errors import UserError
from operate.ci.host import Host
from operate.ci.http import ask

LONGEST = 65_000
"""GitHub takes 65,536 characters; GitLab more."""
_PAGE = 100


def marked(text: str, marker: str) -> str:
    """The comment with an invisible first line by which it is found again. Raises UserError for one too long."""
    body = f"<!-- glidepath:{marker} -->\n{text}"
    if len(body) > LONGEST:
        raise UserError(f"the comment has {len(body)} characters, {LONGEST} is the most that is taken")
    return body


def put(host: Host, marker: str, text: str) -> str:
    """Writes or rewrites the comment; says which. Raises UserError where the API refuses."""
    if not host.request:
        raise UserError("this run is for no pull or merge request", "comment only in runs that are")
    body = marked(text, marker)
    listing, headers, fix = _place(host)
    found = next((note for note in _notes(listing, headers, fix) if _is(note, body)), None)
    if found is None:
        ask("POST", listing, headers, {"body": body}, fix)
        return "written"
    if found["body"] == body:
        return "up to date"
    if host.kind == "github":
        ask("PATCH", f"{host.api}/repos/{host.project}/issues/comments/{found['id']}", headers, {"body": body}, fix)
    else:
        ask("PUT", f"{listing}/{found['id']}", headers, {"body": body}, fix)
    return "updated"


def _is(note: dict[str, Any], body: str) -> bool:
    return str(note.get("body") or "").partition("\n")[0].strip() == body.partition("\n")[0]


def _notes(listing: str, headers: dict[str, str], fix: str) -> Iterator[dict[str, Any]]:
    page = 1
    while True:
        found: list[dict[str, Any]] = ask("GET", f"{listing}?per_page={_PAGE}&page={page}", headers, fix=fix)
        yield from found
        if len(found) < _PAGE:
            return
        page += 1


def _place(host: Host) -> tuple[str, dict[str, str], str]:
    """Address of the comments, headers, and what to do where they are refused."""
    if host.kind == "github":
        token = host.environ.get("GITHUB_TOKEN", "")
        if not token:
            raise UserError("GITHUB_TOKEN is not set", "give the step `env: {GITHUB_TOKEN: ${{ github.token }}}`")
        fix = "the job needs `permissions: {pull-requests: write}`"
        headers = {"Authorization": f"Bearer {token}", "X-GitHub-Api-Version": "2022-11-28", "User-Agent": "glidepath"}
        return f"{host.api}/repos/{host.project}/issues/{host.request}/comments", headers, fix
    token = host.environ.get("GITLAB_TOKEN", "")
    if not token:
        raise UserError(
            "GITLAB_TOKEN is not set, and GitLab's own job token may not write notes",
            "make a project access token (Reporter, scope api) and set it as masked variable GITLAB_TOKEN",
        )
    fix = "GITLAB_TOKEN must be a project access token with scope api"
    return f"{host.api}/projects/{host.project}/merge_requests/{host.request}/notes", {"PRIVATE-TOKEN": token}, fix
