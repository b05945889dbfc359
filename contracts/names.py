"""Names and ARNs that another stack or account must know. Everything else is named by Pulumi."""

from collections.abc import Mapping
from dataclasses import dataclass

DELIVERY = "delivery"
"""Stack (and key in `accounts`) of the tooling account."""
ENVIRONMENTS = ("dev", "prod")
"""The environments of a project whose config names none, in the order in which a release travels."""
LIVE = "live"
"""What callers are served by: the alias of the predict function, the stage of the API, the release's own variant."""
PREDICT = "predict"
"""Purpose of the function that answers callers."""
PROBE = "probe"
"""What asks production outside of shifts."""
JUDGE = "judge"
"""Purpose of the function that judges a shift, and of the state machine that has it look."""
OWNER = "glidepath:stack"
"""Key of the tag that says whose something is (`Names.owned`), where AWS gives it an id and no name."""


@dataclass(frozen=True)
class Names:
    """Deterministic names of one project: `name` in one region, over the accounts of its stacks."""

    name: str
    region: str
    accounts: Mapping[str, str]
    partition: str = "aws"

    @property
    def delivery_account(self) -> str:
        """Account of the pipeline."""
        return self.accounts[DELIVERY]

    @property
    def environments(self) -> list[str]:
        """Environments in the order in which a release travels; the last one is production."""
        return [stack for stack in self.accounts if stack != DELIVERY]

    @property
    def production(self) -> str:
        """The environment where a release's travel ends."""
        return self.environments[-1]

    @property
    def stacks(self) -> list[str]:
        """Every stack, the tooling account's first."""
        return [DELIVERY, *self.environments]

    def arn(self, service: str, resource: str, stack: str = DELIVERY) -> str:
        """ARN of a regional resource in the account of `stack`."""
        return f"arn:{self.partition}:{service}:{self.region}:{self.accounts[stack]}:{resource}"

    def stack(self, stack: str) -> str:
        """Prefix of what belongs to one stack: `{name}-{stack}`."""
        return f"{self.name}-{stack}"

    def owned(self, stack: str) -> dict[str, str]:
        """The tag of what AWS names itself, by which a stack's roles reach their own alone."""
        return {OWNER: self.stack(stack)}

    def role(self, stack: str, purpose: str) -> str:
        """Role name."""
        return f"{self.name}-{stack}-{purpose}"

    def role_arn(self, stack: str, purpose: str) -> str:
        """Role ARN."""
        return f"arn:{self.partition}:iam::{self.accounts[stack]}:role/{self.role(stack, purpose)}"

    def boundary(self, stack: str, part: str = "") -> str:
        """Name of the permissions boundary of a stack's roles, or of some of them (`Record.part`)."""
        return f"{self.stack(stack)}-{part}-boundary" if part else f"{self.stack(stack)}-boundary"

    def boundary_arn(self, stack: str, part: str = "") -> str:
        """ARN of the permissions boundary of a stack's roles, or of some of them."""
        return f"arn:{self.partition}:iam::{self.accounts[stack]}:policy/{self.boundary(stack, part)}"

    def policy_arn(self, stack: str, purpose: str) -> str:
        """ARN of the managed policy that a role has beside its own: it is called like the role."""
        return f"arn:{self.partition}:iam::{self.accounts[stack]}:policy/{self.role(stack, purpose)}"

    def root(self, stack: str) -> str:
        """ARN that stands for the whole account of a stack."""
        return f"arn:{self.partition}:iam::{self.accounts[stack]}:root"

    @property
    def data_bucket(self) -> str:
        """Bucket of raw data and zipped sources."""
        return f"{self.name}-data-{self.delivery_account}-{self.region}"

    @property
    def artifacts_bucket(self) -> str:
        """Bucket of everything the pipeline makes."""
        return f"{self.name}-artifacts-{self.delivery_account}-{self.region}"

    @property
    def manifest_of_run(self) -> str:
        """Address of a run's release manifest, in CodePipeline's variables."""
        return f"s3://{self.artifacts_bucket}/runs/#{{codepipeline.PipelineExecutionId}}/release/manifest.json"

    def plan_of_run(self, env: str) -> str:
        """Address of a run's plan for an environment, in CodePipeline's variables."""
        return f"s3://{self.artifacts_bucket}/runs/#{{codepipeline.PipelineExecutionId}}/plan/{env}.json"

    def capture_bucket(self, env: str) -> str:
        """Bucket of an environment's captured requests and monitoring reports."""
        return f"{self.name}-{env}-capture-{self.accounts[env]}-{self.region}"

    def bucket_arn(self, bucket: str, key: str = "") -> str:
        """ARN of a bucket, or of keys in it (`key` may end in `*`)."""
        return f"arn:{self.partition}:s3:::{bucket}" + (f"/{key}" if key else "")

    def key_alias(self, stack: str) -> str:
        """Alias of a stack's KMS key."""
        return f"alias/{self.name}-{stack}"

    @property
    def signing_alias(self) -> str:
        """Alias of the key that release manifests are signed with."""
        return f"{self.key_alias(DELIVERY)}-signing"

    @property
    def signing_key(self) -> str:
        """ARN of that alias, by which every account names the key."""
        return self.arn("kms", self.signing_alias)

    @property
    def split_alias(self) -> str:
        """Alias of the key that decides which rows a model is tested on."""
        return f"{self.key_alias(DELIVERY)}-split"

    @property
    def split_key(self) -> str:
        """ARN of that alias."""
        return self.arn("kms", self.split_alias)

    def pointer_path(self, env: str) -> str:
        """Path in the parameter store that holds what an environment remembers."""
        return f"/{self.name}/{env}"

    def pointer(self, env: str) -> str:
        """Parameter that records the release an environment serves."""
        return f"{self.pointer_path(env)}/release"

    def log_group_arn(self, group: str, stack: str) -> str:
        """ARN of a log group's streams."""
        return self.arn("logs", f"log-group:{group}:*", stack)

    def function(self, stack: str, purpose: str) -> str:
        """Function name: `{name}-{env}-{purpose}` in environments, `{name}-{purpose}` in delivery."""
        return f"{self.name}-{purpose}" if stack == DELIVERY else f"{self.name}-{stack}-{purpose}"

    def predict(self, stack: str) -> str:
        """Name of the function that answers an environment's callers."""
        return self.function(stack, PREDICT)

    def function_arn(self, stack: str, purpose: str) -> str:
        """Function ARN, unqualified."""
        return self.arn("lambda", f"function:{self.function(stack, purpose)}", stack)

    def invoke_arn(self, stack: str, alias: str) -> str:
        """What API Gateway calls to reach an alias of an environment's predict function.

        https://docs.aws.amazon.com/apigateway/latest/developerguide/integration-request-basic-setup.html
        """
        function = f"{self.function_arn(stack, PREDICT)}:{alias}"
        return f"arn:{self.partition}:apigateway:{self.region}:lambda:path/2015-03-31/functions/{function}/invocations"

    def project(self, purpose: str) -> str:
        """CodeBuild project name."""
        return f"{self.name}-{purpose}"

    @property
    def retrain_bus(self) -> str:
        """Event bus of the tooling account that the environments put drift on."""
        return f"{self.name}-retrain"

    @property
    def retrain_bus_arn(self) -> str:
        """Its ARN."""
        return self.arn("events", f"event-bus/{self.retrain_bus}")

    @property
    def state_machine_arn(self) -> str:
        """ARN of the training workflow."""
        return self.arn("states", f"stateMachine:{self.name}-train")

    def judge_arn(self, env: str) -> str:
        """ARN of the state machine that has an environment's shifts judged."""
        return self.arn("states", f"stateMachine:{self.stack(env)}-{JUDGE}", env)

    @property
    def approval_arn(self) -> str:
        """ARN of the topic where people are asked for approval, and told of data that starts no run."""
        return self.arn("sns", f"{self.name}-approval")

    @property
    def pipeline_arn(self) -> str:
        """ARN of the pipeline."""
        return self.arn("codepipeline", self.name)
