"""A login without keys: the CI's identity token is exchanged for a role, by every tool that reads AWS profiles.

The stacks' config names one profile each, `{name}-{stack}`. Here those are made of roles that only read: the CI's own
role in the tooling account, taken by the token, and from there each environment's.
"""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import quote

from contracts.errors import UserError
from contracts.names import DELIVERY, Names
from operate.ci.host import AUDIENCE, Host
from operate.ci.http import ask

ROLES = ("preview", "drift", "deliver")
"""What a run may come for. Each has a role of its own: definitions/roles/ci.py."""
TOKEN_VARIABLE = "GLIDEPATH_ID_TOKEN"  # noqa: S105
"""Where GitLab puts the token (`id_tokens` of the job)."""


def token(host: Host) -> str:
    """The run's identity token for AWS. Raises UserError where the run may not have one."""
    if host.kind == "gitlab":
        _refuse_forks(host)
        found = host.environ.get(TOKEN_VARIABLE, "")
        if not found:
            raise UserError(
                f"{TOKEN_VARIABLE} is empty: this job has no identity token",
                f"give it one: id_tokens: {{{TOKEN_VARIABLE}: {{aud: {AUDIENCE}}}}}",
            )
        return found
    url, secret = host.environ.get("ACTIONS_ID_TOKEN_REQUEST_URL"), host.environ.get("ACTIONS_ID_TOKEN_REQUEST_TOKEN")
    if not url or not secret:
        raise UserError(
            "this job may not ask for an identity token",
            "give it `permissions: {id-token: write}`; runs for forks never get one",
        )
    joined = f"{url}{'&' if '?' in url else '?'}audience={quote(AUDIENCE, safe='')}"
    answer: dict[str, Any] = ask("GET", joined, {"Authorization": f"Bearer {secret}"})
    return str(answer["value"])


def _refuse_forks(host: Host) -> None:
    """A member can start a fork's request in this project, with this project's variables and tokens."""
    source = host.environ.get("CI_MERGE_REQUEST_SOURCE_PROJECT_ID", "")
    if source and source != host.project:
        raise UserError(
            f"this pipeline runs the code of a fork (project {source}) in project {host.project}",
            "push the change to a branch of the project once it is read, and do not let forks run here: docs/ci.md",
        )


def profiles(names: Names, stacks: Iterable[str], role: str, token_file: Path, session: str) -> str:
    """AWS_CONFIG_FILE with a profile for each stack, as its config names it."""
    own = [
        f"role_arn = {names.role_arn(DELIVERY, f'ci-{role}')}",
        f"web_identity_token_file = {token_file}",
        *_common(names, session),
    ]
    blocks = [[f"[profile {name}]", *own] for name in ("ci", names.stack(DELIVERY))]
    blocks += [
        [
            f"[profile {names.stack(stack)}]",
            f"role_arn = {names.role_arn(stack, role)}",
            "source_profile = ci",
            *_common(names, session),
        ]
        for stack in stacks
        if stack != DELIVERY and role != "deliver"
    ]
    return "\n\n".join("\n".join(block) for block in blocks) + "\n"


def _common(names: Names, session: str) -> list[str]:
    return [f"role_session_name = {session}", f"region = {names.region}"]


def write(folder: Path, names: Names, role: str, host: Host) -> str:
    """Writes the token into the folder, for this user alone; returns the profiles that name it."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    token_file = folder / "identity-token"
    token_file.unlink(missing_ok=True)
    with open(os.open(token_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(token(host))
    return profiles(names, names.accounts, role, token_file, host.run)
