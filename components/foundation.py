"""What an administrator makes once in an environment's account, and no release can change."""

import json
from collections.abc import Sequence
from typing import NotRequired, TypedDict

import pulumi
from pulumi_aws.apigateway.account import Account
from pulumi_aws.iam.policy import Policy
from pulumi_aws.sns.topic import Topic
from pulumi_aws.sns.topic_policy import TopicPolicy
from pulumi_aws.sns.topic_subscription import TopicSubscription

from components.bucket import Bucket
from components.judging import Judging
from components.key import Key
from components.role import Role, role_args
from contracts.names import Names
from definitions.roles import environment as environment_roles
from definitions.roles.subject import Environment
from definitions.storage import environment_key, topic_policy


class FoundationArgs(TypedDict):
    """Arguments of a foundation."""

    names: Names
    """The project's names."""
    env: str
    """Which environment."""
    capture_days: int
    """How long captured requests are kept."""
    mails: Sequence[str]
    """Who hears of alarms."""
    monitor: NotRequired[str]
    """Who looks at the environment's data: `own` or `sagemaker`."""
    log_role: NotRequired[str]
    """Whose role API Gateway writes the account's logs with: `own`, `account` or `replace` (glidepath:api.logRole)."""
    probe: NotRequired[bool]
    """Whether a probe asks the environment."""
    judge: NotRequired[bool]
    """Whether its shifts are judged."""
    log_days: int
    """How long logs are kept."""
    ci: NotRequired[bool]
    """Whether the repository's CI may preview the environment, and look for drift."""


class Foundation(pulumi.ComponentResource):
    """Key, capture bucket, alarm topic, boundary and all roles of an environment."""

    key_arn: pulumi.Output[str]
    """Key of the environment."""
    capture_bucket: pulumi.Output[str]
    """Bucket of captured requests and reports."""
    topic_arn: pulumi.Output[str]
    """Where alarms go."""
    roles: dict[str, pulumi.Output[str]]
    """Purpose → ARN."""

    def __init__(self, name: str, args: FoundationArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("glidepath:foundation:Foundation", name, None, opts)
        own = pulumi.ResourceOptions(parent=self)
        names, env = args["names"], args["env"]
        key = Key(name, {"alias": names.key_alias(env), "policy": environment_key(names, env)}, own)
        capture = Bucket(
            f"{name}-capture",
            {
                "bucket_name": names.capture_bucket(env),
                "key_arn": key.arn,
                "expiry": [
                    ("capture/", args["capture_days"]),
                    ("monitor/", args["capture_days"]),
                    ("judge/", args["capture_days"]),
                ],
            },
            own,
        )
        self.topic_arn = self._topic(name, args, key.arn)
        self.key_arn, self.capture_bucket = key.arn, capture.name
        self.roles = self._roles(name, args, key.arn)
        if args.get("judge", False):
            self._judging(name, args)
        if _owns_api_account(names, env) and args.get("log_role", "own") != "account":
            self._api_account(name, args)
        self.register_outputs({"capture_bucket": capture.name})

    def _api_account(self, name: str, args: FoundationArgs) -> None:
        """API Gateway writes the logs of all APIs of an account and region with one role, whosever APIs they are.

        Another team's is never replaced unasked. The setting outlives the stack: to take it away would take away what
        somebody else may have set there since.
        """
        role = self.roles["api-logs"]
        if args.get("log_role", "own") == "own":
            found = Account.get(f"{name}-found", _API_ACCOUNT, opts=pulumi.ResourceOptions(parent=self))
            ours = [args["names"].role_arn(env, "api-logs") for env in args["names"].environments]
            both = pulumi.Output.all(role, found.cloudwatch_role_arn)
            role = both.apply(lambda given: _unless_taken(given[0], given[1], ours))
        Account(name, cloudwatch_role_arn=role, opts=pulumi.ResourceOptions(parent=self, retain_on_delete=True))

    def _judging(self, name: str, args: FoundationArgs) -> None:
        names, env = args["names"], args["env"]
        Judging(
            f"{name}-judging",
            {
                "names": names,
                "env": env,
                "role_arn": self.roles["judging"],
                "key_arn": self.key_arn,
                "log_days": args["log_days"],
            },
            pulumi.ResourceOptions(parent=self),
        )

    def _topic(self, name: str, args: FoundationArgs, key_arn: pulumi.Output[str]) -> pulumi.Output[str]:
        own = pulumi.ResourceOptions(parent=self)
        names, env = args["names"], args["env"]
        topic = Topic(f"{name}-alarms", name=f"{names.stack(env)}-alarms", kms_master_key_id=key_arn, opts=own)
        policy = topic.arn.apply(lambda arn: json.dumps(topic_policy(arn, names, env)))
        TopicPolicy(f"{name}-alarms", arn=topic.arn, policy=policy, opts=own)
        for index, mail in enumerate(args["mails"]):
            TopicSubscription(f"{name}-alarms-{index}", topic=topic.arn, protocol="email", endpoint=mail, opts=own)
        return topic.arn

    def _roles(self, name: str, args: FoundationArgs, key_arn: pulumi.Output[str]) -> dict[str, pulumi.Output[str]]:
        own = pulumi.ResourceOptions(parent=self)
        names, env, ci, by = args["names"], args["env"], args.get("ci", False), args.get("monitor", "own")
        probe, judge = args.get("probe", False), args.get("judge", False)
        at = key_arn.apply(lambda arn: Environment(names, env, arn, by, probe, judge))
        records = environment_roles.roles(names, env, ci, by, probe, judge)
        parts = dict.fromkeys(record.part for record in records.values() if record.bounded)
        boundaries = {part: _boundary(name, names, env, at, part, own) for part in parts}
        roles: dict[str, pulumi.Output[str]] = {}
        for purpose, record in records.items():
            given = role_args(record, at)
            if record.bounded:
                given["boundary"] = boundaries[record.part].arn
            roles[purpose] = Role(f"{name}-{purpose}", given, own).arn
        return roles


def _boundary(
    name: str, names: Names, env: str, at: pulumi.Output[Environment], part: str, opts: pulumi.ResourceOptions
) -> Policy:
    """The most that the environment's roles, or those of one part, can do."""
    return Policy(
        f"{name}-{part}-boundary" if part else f"{name}-boundary",
        name=names.boundary(env, part),
        description=f"The most that a role of {names.stack(env)} can do{f' ({part})' if part else ''}",
        policy=at.apply(lambda it: json.dumps(environment_roles.boundary(it, part))),
        opts=opts,
    )


_API_ACCOUNT = "api-gateway-account"
"""The one id that there is: https://www.pulumi.com/registry/packages/aws/api-docs/apigateway/account/#import."""


def _unless_taken(own: str, found: str | None, ours: Sequence[str]) -> str:
    """Our role, where none stands or one of ours. Raises RunError where it is another's."""
    if not found or found in ours:
        return own
    raise pulumi.RunError(
        f"API Gateway's role for logs in this account is {found}, which is not this project's; nothing has replaced it."
        " Set glidepath:api.logRole to account to keep that role, or to replace to have this project's instead."
    )


def _owns_api_account(names: Names, env: str) -> bool:
    """API Gateway has one log role per account and region: of environments that share an account, the first sets it."""
    return env == next(other for other in names.environments if names.accounts[other] == names.accounts[env])
