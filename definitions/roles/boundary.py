"""The permissions boundary of an environment's roles."""

from collections.abc import Iterable

from contracts.names import LIVE
from definitions.images import model_monitor, repository_arn, xgboost
from definitions.roles.statements import Document, Statement, allow, document, unscoped
from definitions.roles.subject import Environment


def _bounds(at: Environment) -> dict[str, list[str]]:
    """Service → what of it the roles of the environment can ever reach."""
    names, account, own = at.names, at.names.accounts[at.env], at.by == "own"
    store = names.artifacts_bucket
    return {
        # API keys, REST APIs, usage plans, tags, the account's settings: as few characters as a managed policy leaves.
        "apigateway": [f"arn:{names.partition}:apigateway:{names.region}::/*a*"],
        "application-autoscaling": [at.arn("application-autoscaling", "scalable-target/*")],
        "cloudwatch": [
            at.arn("cloudwatch", f"alarm:*{at.prefix}-*"),
            f"arn:{names.partition}:cloudwatch::{account}:dashboard/{at.prefix}",
        ],
        "codedeploy": [
            at.arn("codedeploy", f"*:{at.prefix}*"),
            at.arn("codedeploy", "deploymentconfig:CodeDeployDefault.*"),
        ],
        "ecr": [repository_arn(image) for image in _images(at)],
        "events": [
            names.retrain_bus_arn,
            *([at.arn("events", f"rule/{at.prefix}-*")] if own or at.probe else []),
            *(_bus(at) if own else []),
        ],
        "execute-api": [at.arn("execute-api", f"*/{LIVE}/POST/predict")],
        "kms": [at.key_arn, names.arn("kms", "key/*")],
        "lambda": [at.arn("lambda", f"function:{at.prefix}-*")],
        "logs": [at.arn("logs", "log-group:*")],
        # The capture bucket with its objects, in one pattern: its name ends with account and region.
        "s3": [names.bucket_arn(store), names.bucket_arn(store, "runs/*"), f"{names.bucket_arn(at.capture)}*"],
        **({"scheduler": [at.arn("scheduler", f"schedule/default/{at.prefix}-*")]} if own else {}),
        **({"states": [names.judge_arn(at.env)]} if at.judge else {}),
        "sagemaker": [at.arn("sagemaker", f"*/{at.prefix}-*")],
        "ssm": [
            at.arn("ssm", f"parameter{names.pointer_path(at.env)}"),
            at.arn("ssm", f"parameter{names.pointer_path(at.env)}/*"),
        ],
    }


def _bus(at: Environment) -> list[str]:
    return [at.arn("events", "event-bus/default")]


def _images(at: Environment) -> list[str]:
    """What the environment runs: the model's image, and Model Monitor's where that looks at the data."""
    region = at.names.region
    return [xgboost(region), *([model_monitor(region)] if at.by != "own" else [])]


def boundary(at: Environment, everything: Iterable[Statement]) -> Document:
    """The most that any role of the environment can ever do: `everything` is what they are granted.

    Actions are named one by one and bound to the environment's own resources, so that a wider inline policy gains
    nothing; what concerns IAM itself stands as the deployer has it.
    """
    bounds = _bounds(at)
    scoped: dict[str, set[str]] = {service: set() for service in bounds}
    free: set[str] = set()
    iam: list[Statement] = []
    passed: set[str] = set()
    for statement in everything:
        if statement["Action"] == ["iam:PassRole"]:
            passed.add(statement["Condition"]["StringEquals"]["iam:PassedToService"])
            continue
        if statement["Action"][0].startswith("iam:"):
            iam.append(statement)
            continue
        for action in statement["Action"]:
            (free if statement["Resource"] == ["*"] else scoped[action.partition(":")[0]]).add(action)
    # In one statement: every resource names its service, so no action gains another service's, and each further
    # statement costs characters that the document has not.
    own = allow(
        "",
        sorted(action for actions in scoped.values() for action in actions - free),
        [resource for service, actions in scoped.items() if actions for resource in bounds[service]],
    )
    roles = f"arn:{at.names.partition}:iam::{at.names.accounts[at.env]}:role/{at.prefix}-*"
    passing = allow("", ["iam:PassRole"], [roles], {"StringEquals": {"iam:PassedToService": sorted(passed)}})
    found = document(own, unscoped("", sorted(free)), *([passing] if passed else []), *iam)
    for statement in found["Statement"]:
        del statement["Sid"]  # a managed policy holds 6,144 characters, and this one needs them
    return found
