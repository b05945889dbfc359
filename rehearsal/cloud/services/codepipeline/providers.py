"""The action types the rehearsal knows, and what AWS wants of each."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Provider:
    """An action type: its configuration keys, and how many artifacts go in and out (least, most)."""

    category: str
    name: str
    required: frozenset[str]
    optional: frozenset[str]
    inputs: tuple[int, int]
    outputs: tuple[int, int]


def _provider(
    category: str, name: str, required: str, optional: str, inputs: tuple[int, int], outputs: tuple[int, int]
) -> Provider:
    return Provider(category, name, frozenset(required.split()), frozenset(optional.split()), inputs, outputs)


_BUILD = "PrimarySource BatchEnabled BuildspecOverride CombineArtifacts EnvironmentVariables"
_KNOWN = (
    _provider(
        "Source", "S3", "S3Bucket S3ObjectKey", "PollForSourceChanges AllowOverrideForS3ObjectKey", (0, 0), (1, 1)
    ),
    _provider(
        "Source", "CodeCommit", "RepositoryName BranchName", "PollForSourceChanges OutputArtifactFormat", (0, 0), (1, 1)
    ),
    _provider(
        "Source",
        "CodeStarSourceConnection",
        "ConnectionArn FullRepositoryId BranchName",
        "OutputArtifactFormat DetectChanges",
        (0, 0),
        (1, 1),
    ),
    _provider("Build", "CodeBuild", "ProjectName", _BUILD, (1, 5), (0, 5)),
    _provider("Test", "CodeBuild", "ProjectName", _BUILD, (1, 5), (0, 5)),
    _provider("Invoke", "StepFunctions", "StateMachineArn", "ExecutionNamePrefix Input InputType", (0, 1), (0, 1)),
    _provider("Invoke", "Lambda", "FunctionName", "UserParameters", (0, 5), (0, 5)),
    _provider("Approval", "Manual", "", "NotificationArn CustomData ExternalEntityLink", (0, 0), (0, 0)),
)
PROVIDERS = {(provider.category, provider.name): provider for provider in _KNOWN}

# Real action types of AWS that nothing here executes: they must not pass for typing errors.
NOT_REHEARSED = frozenset(
    {
        ("Source", "ECR"),
        ("Build", "ECRBuildAndPublish"),
        ("Build", "Jenkins"),
        ("Deploy", "AppConfig"),
        ("Deploy", "CloudFormation"),
        ("Deploy", "CloudFormationStackSet"),
        ("Deploy", "CloudFormationStackInstances"),
        ("Deploy", "CodeDeploy"),
        ("Deploy", "CodeDeployToECS"),
        ("Deploy", "EC2"),
        ("Deploy", "ECS"),
        ("Deploy", "EKS"),
        ("Deploy", "ElasticBeanstalk"),
        ("Deploy", "Lambda"),
        ("Deploy", "S3"),
        ("Deploy", "ServiceCatalog"),
        ("Test", "DeviceFarm"),
        ("Invoke", "InspectorScan"),
        ("Invoke", "CodePipeline"),
        ("Compute", "Commands"),
    }
)

# What a provider's action gives to its namespace; CodeBuild gives what the buildspec exports.
OUTPUT_VARIABLES = {
    "S3": frozenset({"BucketName", "ETag", "ObjectKey", "VersionId"}),
    "CodeCommit": frozenset(
        {"AuthorDate", "BranchName", "CommitId", "CommitMessage", "CommitterDate", "RepositoryName"}
    ),
    "CodeStarSourceConnection": frozenset(
        {"AuthorDate", "AuthorDisplayName", "AuthorEmail", "AuthorId", "BranchName", "CommitId", "CommitMessage"}
        | {"ConnectionArn", "FullRepositoryName", "ProviderType"}
    ),
    "StepFunctions": frozenset({"StateMachineArn", "ExecutionArn"}),
    "Manual": frozenset[str](),
}
