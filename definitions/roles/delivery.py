"""Every role of the delivery stack, and what the pipeline and its builds may do: one role per principal."""

from collections.abc import Callable, Sequence
from functools import partial

from contracts.names import DELIVERY, Names
from definitions.roles import workflow
from definitions.roles.delivery_account import Delivery, state
from definitions.roles.record import Record, by_purpose
from definitions.roles.statements import Statement, allow, trust_service, write_logs


def roles(names: Names) -> dict[str, Record[Delivery]]:
    """Every role of the delivery stack, by its purpose."""
    trust = trust_service("codepipeline.amazonaws.com", names.delivery_account, names.pipeline_arn)
    moves = Record("pipeline", names.role(DELIVERY, "pipeline"), f"Pipeline {names.name}", trust, pipeline)
    return by_purpose([moves, *projects(names), *workflow.roles(names)])


def projects(names: Names) -> list[Record[Delivery]]:
    """Roles of the CodeBuild projects."""
    before = names.environments[:-1]
    return [
        _project(names, "build", build),
        *(_project(names, f"deploy-{env}", partial(deploy, env=env)) for env in names.environments),
        *(_project(names, f"test-{env}", partial(system_test, env=env)) for env in before),
        *(_project(names, f"plan-{env}", partial(plan, env=env)) for env in planned(names)),
    ]


def _project(names: Names, purpose: str, statements: Callable[[Delivery], list[Statement]]) -> Record[Delivery]:
    project = names.project(purpose)
    trust = trust_service(
        "codebuild.amazonaws.com", names.delivery_account, names.arn("codebuild", f"project/{project}")
    )
    return Record(purpose, names.role(DELIVERY, purpose), f"CodeBuild project {project}", trust, statements)


def planned(names: Names) -> list[str]:
    """Environments whose updates are planned and approved: production alone."""
    return names.environments[-1:]


def pipeline(at: Delivery) -> list[Statement]:
    """Moves artifacts between stages and starts each stage's work."""
    names = at.names
    execution = names.arn("states", f"execution:{names.name}-train:*")
    return [
        allow(
            "Artifacts", ["s3:GetObject", "s3:GetObjectVersion", "s3:PutObject"], [at.artifacts(f"{at.names.name}/*")]
        ),
        allow("ArtifactStore", ["s3:GetBucketLocation", "s3:GetBucketVersioning"], [at.artifacts()]),
        # The approval topic is encrypted with the same key, and whoever publishes must be able to use it.
        at.use_key("sns"),
        allow(
            "Builds",
            ["codebuild:BatchGetBuilds", "codebuild:StartBuild", "codebuild:StopBuild"],
            [names.arn("codebuild", f"project/{names.project(role.purpose)}") for role in projects(names)],
        ),
        allow("Train", ["states:DescribeStateMachine", "states:StartExecution"], [names.state_machine_arn]),
        allow("WatchTraining", ["states:DescribeExecution", "states:StopExecution"], [execution]),
        allow("AskForApproval", ["sns:Publish"], [names.approval_arn]),
        *_source(at),
    ]


def _source(at: Delivery) -> list[Statement]:
    if at.source_kind == "connection":
        # An older connection keeps the service's former name, and actions and keys follow it:
        # https://docs.aws.amazon.com/dtconsole/latest/userguide/rename.html
        service = "codestar-connections" if ":codestar-connections:" in at.connection_arn else "codeconnections"
        condition = {"StringEquals": {f"{service}:FullRepositoryId": at.repository}}
        return [allow("Source", [f"{service}:UseConnection"], [at.connection_arn], condition)]
    if at.source_kind == "codecommit":
        actions = [
            "CancelUploadArchive",
            "GetBranch",
            "GetCommit",
            "GetRepository",
            "GetUploadArchiveStatus",
            "UploadArchive",
        ]
        return [
            allow("Source", [f"codecommit:{action}" for action in actions], [at.names.arn("codecommit", at.repository)])
        ]
    return [
        allow(
            "Source",
            ["s3:GetObject", "s3:GetObjectTagging", "s3:GetObjectVersion", "s3:GetObjectVersionTagging"],
            [at.data("source/*")],
        ),
        allow("SourceBucket", ["s3:GetBucketLocation", "s3:GetBucketVersioning", "s3:ListBucket"], [at.data()]),
    ]


def _codebuild(at: Delivery, purpose: str, write: bool = False) -> list[Statement]:
    """What every build needs: its input, its log. No stage hands an artifact on, so no build writes one; `write` is for
    those that write something else."""
    group = at.names.log_group_arn(f"/aws/codebuild/{at.names.project(purpose)}", DELIVERY)
    return [
        allow("Artifacts", ["s3:GetObject", "s3:GetObjectVersion"], [at.artifacts(f"{at.names.name}/*")]),
        at.use_key(write=write),
        write_logs(group),
    ]


def _look(at: Delivery, envs: Sequence[str]) -> list[Statement]:
    """Preview environments: read the state, and be their preview roles. Nothing here writes."""
    roles = [at.names.role_arn(env, "preview") for env in envs]
    return [allow("Preview", ["sts:AssumeRole"], roles), *state(at, envs, write=False)]


def build(at: Delivery) -> list[Statement]:
    """Tests, packages code, and previews the environments."""
    return [
        *_codebuild(at, "build", write=True),
        *_look(at, at.names.environments),
        # What lies there is read and compared: it is never overwritten.
        allow("PackageCode", ["s3:GetObject", "s3:PutObject"], [at.artifacts("code/*")]),
        allow("KeepPreviews", ["s3:PutObject"], [at.artifacts("previews/*")]),
    ]


def deploy(at: Delivery, env: str) -> list[Statement]:
    """Runs `pulumi up` of one environment as that environment's deployer."""
    project = at.names.arn("codebuild", f"project/{at.names.project(f'deploy-{env}')}")
    return [
        *_codebuild(at, f"deploy-{env}"),
        allow("Deploy", ["sts:AssumeRole"], [at.names.role_arn(env, "deployer")]),
        *state(at, [env]),
        # Whether the build has ended that left a lock (operate/owners.py).
        allow("WhoseLock", ["codebuild:BatchGetBuilds"], [project]),
        _read_tools(at),
        *([allow("ReadPlan", ["s3:GetObject"], [_plan(at, env)])] if env in planned(at.names) else []),
    ]


def plan(at: Delivery, env: str) -> list[Statement]:
    """Previews a release in one environment and writes the plan down."""
    return [
        *_codebuild(at, f"plan-{env}", write=True),
        *_look(at, [env]),
        _read_tools(at),
        allow("ReadManifest", ["s3:GetObject"], [at.artifacts("runs/*/release/manifest.json")]),
        # What the workflow ran is compared with the source: Build, which packaged it, runs what nobody has approved.
        allow("ReadCode", ["s3:GetObject"], [at.artifacts("code/*")]),
        allow("WritePlan", ["s3:PutObject"], [_plan(at, env)]),
    ]


def _read_tools(at: Delivery) -> Statement:
    """What plans and deploys; an administrator's update of the delivery stack alone writes it."""
    return allow("ReadTools", ["s3:GetObject"], [at.artifacts("tools/*")])


def _plan(at: Delivery, env: str) -> str:
    return at.artifacts(f"runs/*/plan/{env}.json")


def system_test(at: Delivery, env: str) -> list[Statement]:
    """Runs the system test as the environment's tester."""
    return [
        *_codebuild(at, f"test-{env}"),
        allow("Test", ["sts:AssumeRole"], [at.names.role_arn(env, "tester")]),
    ]
