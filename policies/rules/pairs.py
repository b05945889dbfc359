"""Two permissions that escalate together, however exactly each names its resource."""

from collections.abc import Iterator
from dataclasses import dataclass

from .actions import Action, regex
from .boundaries import is_boundary
from .breadth import Denials, allowed
from .conditions import binds_resource
from .documents import Statement
from .model import Context, Finding, Resource, Rule, text
from .references import NIST, WELL_ARCHITECTED
from .sources import Placed
from .statements import FAMILY, granting, where


@dataclass(frozen=True)
class _Pair:
    """`first` and `second` on one resource (or on any, where their types differ) come to `effect`."""

    first: frozenset[str]
    second: frozenset[str]
    effect: str
    anywhere: bool = False


def _pair(first: str, second: str, effect: str, anywhere: bool = False) -> _Pair:
    return _Pair(frozenset(first.lower().split()), frozenset(second.lower().split()), effect, anywhere)


_WRITE_ROLE, _WRITE_USER = "iam:AttachRolePolicy iam:PutRolePolicy", "iam:AttachUserPolicy iam:PutUserPolicy"
_AS_ROLE = "what it runs as the role behind it"
# Named after https://docs.aws.amazon.com/IAM/latest/UserGuide/best-practices.html and the escalation paths that
# https://pathfinding.cloud and Rhino Security Labs list.
_PAIRS = (
    _pair("iam:UpdateAssumeRolePolicy", "sts:AssumeRole", "it lets itself into the role"),
    _pair("iam:CreateRole", _WRITE_ROLE, "it makes a role of any permissions"),
    _pair("iam:CreateUser", _WRITE_USER, "it makes a user of any permissions"),
    _pair(_WRITE_ROLE, "sts:AssumeRole iam:PassRole", "it gives a role any permissions and acts as it"),
    _pair(_WRITE_USER, "iam:CreateAccessKey iam:CreateLoginProfile", "it gives a user any permissions and acts as it"),
    _pair("lambda:UpdateFunctionCode", "lambda:InvokeFunction lambda:InvokeAsync", f"it chooses {_AS_ROLE}"),
    _pair("codebuild:UpdateProject", "codebuild:StartBuild codebuild:StartBuildBatch", f"it chooses {_AS_ROLE}"),
    _pair("glue:UpdateJob", "glue:StartJobRun", f"it chooses {_AS_ROLE}"),
    _pair("states:UpdateStateMachine", "states:StartExecution states:StartSyncExecution", f"it chooses {_AS_ROLE}"),
    _pair("sagemaker:UpdatePipeline", "sagemaker:StartPipelineExecution", f"it chooses {_AS_ROLE}"),
    _pair(
        "sagemaker:UpdateNotebookInstance",
        "sagemaker:StartNotebookInstance sagemaker:CreatePresignedNotebookInstanceUrl",
        f"it chooses {_AS_ROLE}",
    ),
    _pair(
        "sagemaker:UpdateNotebookInstanceLifecycleConfig",
        "sagemaker:StartNotebookInstance",
        f"it chooses {_AS_ROLE}",
        anywhere=True,
    ),
    _pair("cloudformation:CreateChangeSet", "cloudformation:ExecuteChangeSet", f"it chooses {_AS_ROLE}"),
    _pair("datapipeline:PutPipelineDefinition", "datapipeline:ActivatePipeline", f"it chooses {_AS_ROLE}"),
    _pair("ec2:ModifyInstanceAttribute", "ec2:StartInstances", f"it chooses {_AS_ROLE}"),
    _pair(
        "ssm:UpdateDocument", "ssm:SendCommand ssm:StartAutomationExecution", f"it chooses {_AS_ROLE}", anywhere=True
    ),
)
_ALL = frozenset(name for pair in _PAIRS for name in pair.first | pair.second)
_Granted = tuple[Action, Statement, Placed]


def pairs(resource: Resource, context: Context) -> Iterator[Finding]:
    """Pairs of one identity's permissions that make it more than it is."""
    granted = [] if is_boundary(resource) else list(_granted(resource))
    for pair in _PAIRS:
        found = next(
            (
                (one, other)
                for one in granted
                if str(one[0]).lower() in pair.first
                for other in granted
                if str(other[0]).lower() in pair.second and (pair.anywhere or _meet(one[1], other[1]))
            ),
            None,
        )
        if found:
            (first, statement, placed), (second, _, _) = found
            yield Finding(f"allows `{first}` and `{second}` together: {pair.effect}", where(placed, statement))


def _granted(resource: Resource) -> Iterator[_Granted]:
    for placed, statement, denials in granting(resource):
        yield from ((action, statement, placed) for action in _unbound(statement, denials))


def _unbound(statement: Statement, denials: Denials) -> Iterator[Action]:
    """Those of the statement's actions that neither a boundary, a policy's ARN nor a Deny bounds."""
    for action in allowed(statement, denials):
        if str(action).lower() in _ALL and not binds_resource(statement, action) and not denials.bind(action):
            yield action


def _meet(one: Statement, other: Statement) -> bool:
    """Whether two statements have a resource in common."""
    return any(
        regex(mine).fullmatch(theirs) or regex(theirs).fullmatch(mine)
        for mine in filter(None, map(text, one.resources or ()))
        for theirs in filter(None, map(text, other.resources or ()))
    )


RULES = (
    Rule(
        "escalation-pair",
        FAMILY,
        "mandatory",
        "critical",
        "No two permissions make a third",
        "each of the two names its resource, and together they give the identity what nobody granted it",
        "leave one to another identity, or bind what is made with `iam:PermissionsBoundary` or `iam:PolicyARN`",
        (NIST["AC-6"], WELL_ARCHITECTED["SEC03-BP05"]),
        pairs,
    ),
)
