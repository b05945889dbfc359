"""What the repository's CI may do in AWS: roles that are taken with its identity token, without any key.

Every role names the repository, and what may be done on any branch differs from what only the main branch may do.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from contracts.names import DELIVERY, Names
from definitions.roles.delivery_account import Delivery, state
from definitions.roles.record import Record, by_purpose
from definitions.roles.statements import Document, Statement, allow, document

AUDIENCE = "sts.amazonaws.com"


@dataclass(frozen=True)
class Repository:
    """Whose CI it is. `host` is the issuer of its tokens, `branch` the one that is delivered."""

    kind: str
    path: str
    branch: str
    host: str
    protected: bool = False
    """GitLab: whether subjects say that a branch is protected, and runs on the delivered one must be on such a one."""

    @property
    def branch_subject(self) -> str:
        """Subject of a run on the branch that is delivered."""
        if self.kind == "github":
            return f"repo:{self.path}:ref:refs/heads/{self.branch}"
        # A fork's request that a member starts here is a run of this project, on the branch that the fork has chosen:
        # https://docs.gitlab.com/ci/pipelines/merge_request_pipelines/#use-with-forked-projects. Only a protected ref
        # is surely ours: https://docs.gitlab.com/api/projects/#edit-a-project, `ci_id_token_sub_claim_components`.
        protected = ":ref_protected:true" if self.protected else ""
        return f"project_path:{self.path}:ref_type:branch:ref:{self.branch}{protected}"

    @property
    def request_subject(self) -> str:
        """Subject of a run for a pull (or merge) request; GitLab names the branch it comes from, whichever that is."""
        if self.kind == "github":
            return f"repo:{self.path}:pull_request"
        return f"project_path:{self.path}:ref_type:branch:ref:*"


def provider_arn(names: Names, repository: Repository) -> str:
    """ARN of the identity provider; an account has one of a kind."""
    return f"arn:{names.partition}:iam::{names.delivery_account}:oidc-provider/{repository.host}"


def roles(names: Names, provider: str, repository: Repository) -> dict[str, Record[Delivery]]:
    """Every role of CI, by its purpose."""

    def record(purpose: str, subject: str, statements: Callable[[Delivery], list[Statement]]) -> Record[Delivery]:
        description = f"CI of {repository.path}: {purpose.removeprefix('ci-')}"
        trust = _trust(provider, repository.host, subject)
        return Record(purpose, names.role(DELIVERY, purpose), description, trust, statements)

    return by_purpose(
        [
            record("ci-preview", repository.request_subject, partial(look, role="preview")),
            record("ci-drift", repository.branch_subject, partial(look, role="drift")),
            record("ci-deliver", repository.branch_subject, deliver),
        ]
    )


def _trust(provider: str, host: str, subject: str) -> Document:
    """Trust in runs of one repository that have the subject, which may hold wildcards."""
    condition = {"StringEquals": {f"{host}:aud": AUDIENCE}}
    if "*" in subject:
        condition["StringLike"] = {f"{host}:sub": subject}
    else:
        condition["StringEquals"][f"{host}:sub"] = subject
    return document(
        {
            "Effect": "Allow",
            "Principal": {"Federated": provider},
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": condition,
        }
    )


def look(at: Delivery, role: str) -> list[Statement]:
    """Previews pull requests, or looks for drift at night: as that role of every environment."""
    roles = [at.names.role_arn(env, role) for env in at.names.environments]
    return [allow("Look", ["sts:AssumeRole"], roles), *state(at, at.names.environments, write=False)]


def deliver(at: Delivery) -> list[Statement]:
    """Hands merged code to the pipeline."""
    return [allow("HandOver", ["s3:PutObject"], [at.data("source/*")]), at.use_key()]
