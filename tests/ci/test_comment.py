"""Comments on pull and merge requests, against a stand-in of the APIs that keeps what it is sent."""

from collections.abc import Iterator

import pytest

from contracts.errors import UserError
from operate.ci import comment
from operate.ci.host import Host
from tests.ci.api import Api, serving


@pytest.fixture
def api() -> Iterator[Api]:
    with serving() as found:
        yield found


def host(api: Api, kind: str, token: str = "right", request: int = 7) -> Host:
    environ = {"GITHUB_TOKEN": token, "GITLAB_TOKEN": token}
    if kind == "github":
        return Host("github", api.url, "owner/name", request, "github-1", environ)
    return Host("gitlab", api.url, "42", request, "gitlab-1", environ)


@pytest.mark.parametrize("kind", ["github", "gitlab"])
def test_a_comment_is_written_once_and_then_updated_in_place(api: Api, kind: str) -> None:
    api.notes = {1: "looks good to me", 2: "<!-- glidepath:preview-dev -->\nanother stack's"}
    assert comment.put(host(api, kind), "preview-prod", "first") == "written"
    assert comment.put(host(api, kind), "preview-prod", "second") == "updated"
    assert comment.put(host(api, kind), "preview-prod", "second") == "up to date"
    assert api.notes == {
        1: "looks good to me",
        2: "<!-- glidepath:preview-dev -->\nanother stack's",
        3: "<!-- glidepath:preview-prod -->\nsecond",
    }


@pytest.mark.parametrize("kind", ["github", "gitlab"])
def test_a_comment_is_found_among_many(api: Api, kind: str) -> None:
    api.notes = dict.fromkeys(range(1, 251), "talk") | {240: "<!-- glidepath:preview-prod -->\nold"}
    assert comment.put(host(api, kind), "preview-prod", "new") == "updated"
    assert api.notes[240].endswith("\nnew")
    assert len(api.notes) == 250


def test_somebody_who_quotes_the_marker_is_not_overwritten(api: Api) -> None:
    api.notes = {1: "why does it start with\n<!-- glidepath:preview-prod -->"}
    assert comment.put(host(api, "github"), "preview-prod", "text") == "written"
    assert len(api.notes) == 2


@pytest.mark.parametrize(
    ("kind", "fix"),
    [
        ("github", "the job needs `permissions: {pull-requests: write}`"),
        ("gitlab", "GITLAB_TOKEN must be a project access token with scope api"),
    ],
)
def test_a_refusal_says_what_is_missing(api: Api, kind: str, fix: str) -> None:
    with pytest.raises(UserError) as caught:
        comment.put(host(api, kind, token="wrong"), "preview-prod", "text")
    assert "was answered with 403" in caught.value.message
    assert caught.value.fix == fix


@pytest.mark.parametrize("kind", ["github", "gitlab"])
def test_without_a_token_nothing_is_asked(api: Api, kind: str) -> None:
    with pytest.raises(UserError, match="is not set"):
        comment.put(host(api, kind, token=""), "preview-prod", "text")
    assert api.asked == []


def test_a_run_for_no_request_does_not_comment(api: Api) -> None:
    with pytest.raises(UserError, match="for no pull or merge request"):
        comment.put(host(api, "github", request=0), "preview-prod", "text")


def test_a_comment_that_nobody_would_take_is_refused_before_it_is_sent(api: Api) -> None:
    with pytest.raises(UserError, match="65000 is the most"):
        comment.put(host(api, "github"), "preview-prod", "x" * 65_000)
    assert api.asked == []
