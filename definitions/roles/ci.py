"""What the repository's CI may do in AWS: roles that are taken with its identity token, without any key.

Every role names the repository, and what may be done on any branch differs from what only the main branch may do.
"""

from dataclasses import dataclass

from contracts.names import Names
from definitions.roles.delivery import Delivery, state
from definitions.roles.statements import Document, Statement, allow, document

AUDIENCE = "sts.amazonaws.com"
PURPOSES = ("ci-preview", "ci-drift", "ci-deliver")
"""Previews pull requests; looks for drift at night; hands merged code to the pipeline."""


@dataclass(frozen=True)
class Repository:
    """Whose CI it is. `host` is the issuer of its tokens, `branch` the one that is delivered."""

    kind: str
    path: str
    branch: str
    host: str

    @property
    def branch_subject(self) -> str:
        """Subject of a run on the branch that is delivered."""
        if self.kind == "github":
            return f"repo:{self.path}:ref:refs/heads/{self.branch}"
        return f"project_path:{self.path}:ref_type:branch:ref:{self.branch}"

    @property
    def request_subject(self) -> str:
        """Subject of a run for a pull (or merge) request; GitLab names the branch it comes from, whichever that is."""
        if self.kind == "github":
            return f"repo:{self.path}:pull_request"
        return f"project_path:{self.path}:ref_type:branch:ref:*"


def provider_arn(names: Names, repository: Repository) -> str:
    """ARN of the identity provider; an account has one of a kind."""
    return f"arn:{names.partition}:iam::{names.delivery_account}:oidc-provider/{repository.host}"


def trust(provider: str, repository: Repository, purpose: str) -> Document:
    """Trust in runs of one repository, and for what is more than looking at a request, of one branch of it."""
    sub, aud = f"{repository.host}:sub", f"{repository.host}:aud"
    request = purpose == "ci-preview"
    subject = repository.request_subject if request else repository.branch_subject
    condition = {"StringEquals": {aud: AUDIENCE}}
    condition |= {"StringLike": {sub: subject}} if "*" in subject else {}
    if "*" not in subject:
        condition["StringEquals"] |= {sub: subject}
    return document(
        {
            "Effect": "Allow",
            "Principal": {"Federated": provider},
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": condition,
        }
    )


def statements(at: Delivery, purpose: str) -> list[Statement]:
    """What CI may do in the tooling account."""
    if purpose == "ci-deliver":
        return [allow("HandOver", ["s3:PutObject"], [at.data("source/*")]), at.use_key()]
    look = purpose.removeprefix("ci-")
    roles = [at.names.role_arn(env, look) for env in at.names.environments]
    return [allow("Look", ["sts:AssumeRole"], roles), *state(at, write=False)]
