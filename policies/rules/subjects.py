"""Who a token of an identity provider is for: whether a subject names its owner and what of theirs it is.

Anybody may register with GitHub, GitLab and the like, and call a repository what he pleases: a subject is judged up to
its first wildcard, and there the owner and the repository (project, workspace) must stand already.
"""

import re

_WORD = r"[^*?/:]+"
_PATH = rf"{_WORD}/{_WORD}"
# A pattern may leave the end of a repository's name open: it is still one of its owner.
_OF_REPOSITORY = rf"(repo|repository|job_workflow_ref|workflow_ref):{_PATH}.*|repository(_owner)?_id:\d+(:.*)?"
_OF_PROJECT = rf"project_path:{_WORD}(/{_WORD})+.*|(project|namespace)_id:\d+(:.*)?"
_OF_WORKSPACE = (
    rf"organization:{_WORD}:(project:{_WORD}:.*|project:[*]:workspace:{_WORD}(:.*)?|workspace:{_WORD}(:.*)?"
    rf"|pipeline:{_WORD}:.*)"
)
_SHAPES: tuple[tuple[str, str], ...] = (
    # docs.github.com/actions/reference/security/oidc: `repo:OWNER/REPO:…`; GitHub Enterprise Server has its own host
    (r"token\.actions\.githubusercontent\.com.*|.*/_services/token", _OF_REPOSITORY),
    # docs.gitlab.com/ci/secrets/id_token_authentication: `project_path:GROUP/PROJECT:ref_type:TYPE:ref:REF`
    (r".*gitlab.*", _OF_PROJECT),
    # developer.hashicorp.com/terraform/cloud-docs/dynamic-provider-credentials: organization, project, workspace, phase
    (r"app\.terraform\.io.*|.*\.scalr\.io.*|agent\.buildkite\.com.*", _OF_WORKSPACE),
    # the issuer names the workspace; `{REPOSITORY}[:{ENVIRONMENT}]:{STEP}`
    (r"api\.bitbucket\.org/.*", r"\{?[0-9a-f-]{8,}.*"),
    # the issuer names the organisation; `org/ORG/project/PROJECT/user/USER`
    (r"oidc\.circleci\.com/.*", rf"org/{_WORD}/project/{_WORD}.*"),
    # the issuer is the cluster; `system:serviceaccount:NAMESPACE:NAME`
    (r"oidc\.eks\..*|.*container\.googleapis\.com.*", rf"system:serviceaccount:{_WORD}:.*"),
    (r"oidc\.vercel\.com.*", rf"owner:{_WORD}:project:{_WORD}.*"),
    (r".*\.spacelift\.io.*", rf"space:{_WORD}(:.*)?"),
)
_OPEN_ID = re.compile(r"\w+_id:\d*[*?]")
"""`repository_id:12*` is somebody else's 123 as well."""
_OTHER = re.compile(r"([a-z_]+[:/])?[^*?:/]{2,}.*")
_CLIENTS = frozenset({"accounts.google.com", "cognito-identity.amazonaws.com"})
"""Providers whose `aud` is one application of somebody's own: AWS has them take no subject at all."""
_KEYS = frozenset({"sub", "app_id", "job_workflow_ref", "repository", "repository_id", "oaud"})


def counts(key: str, provider: str) -> bool:
    """Whether a condition key says for whom a provider's token is."""
    name = key.rpartition(":")[2]
    return name in _KEYS or (name == "aud" and _host(provider) in _CLIENTS)


def names_somebody(value: str, key: str, provider: str, pattern: bool) -> bool:
    """Whether a subject is of one owner, and of one repository, project or workspace of theirs."""
    name = key.rpartition(":")[2]
    literal = re.split(r"[*?]", value)[0] if pattern else value
    if name in ("repository", "job_workflow_ref"):
        return re.fullmatch(rf"{_PATH}.*", literal) is not None
    shape = next((shape for host, shape in _SHAPES if re.fullmatch(host, _host(provider))), None)
    if pattern and _OPEN_ID.match(value):
        return False
    if name != "sub" or shape is None:
        return bool(value) if not pattern else _OTHER.fullmatch(literal) is not None
    # A project may stay open where the workspace is named: only this shape reads its one wildcard.
    return re.fullmatch(shape, value if pattern and "project:*:" in value else literal) is not None


def _host(provider: str) -> str:
    return provider.rpartition("oidc-provider/")[2]
