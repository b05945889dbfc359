"""CodeBuild, CodeConnections, CodeDeploy and CodePipeline: what the provider refuses before it calls AWS.

Read in internal/service/{codebuild,codeconnections,deploy,codepipeline}/*.go.
"""

from __future__ import annotations

from rehearsal.provider.rules.vocabulary import (
    Rules,
    Values,
    arn,
    at_least,
    between,
    both,
    conflict,
    enum,
    items,
    length,
    one_of,
    pattern,
)  # fmt: skip

# codepipeline/codepipeline.go: providers it knows, by category (validPipelineActionProvider in later versions).
PROVIDERS = {
    "Approval": {"Manual"},
    "Build": {"CodeBuild", "CloudBees", "Jenkins", "TeamCity", "ECRBuildAndPublish"},
    "Compute": {"Commands"},
    "Deploy": {
        "AlexaSkillsKit", "AppConfig", "CloudFormation", "CloudFormationStackInstances", "CloudFormationStackSet",
        "CodeDeploy", "CodeDeployToECS", "EC2", "ECS", "EKS", "ElasticBeanstalk", "Lambda", "OpsWorks", "S3",
        "ServiceCatalog", "XebiaLabs",
    },
    "Invoke": {"CodePipeline", "InspectorScan", "Lambda", "Snyk", "StepFunctions"},
    "Source": {"CodeCommit", "CodeStarSourceConnection", "ECR", "GitHub", "S3"},
    "Test": {"BlazeMeter", "CodeBuild", "DeviceFarm", "GhostInspector", "Jenkins", "MicroFocus", "Nouvola", "Runscope"},
}  # fmt: skip


def _known_providers(given: Values) -> list[tuple[str, str]]:
    """codepipeline.go: the provider of an action must be one of its category; custom actions name their own."""
    failures = []
    stages = given.get("stages")
    for i, stage in enumerate(stages if isinstance(stages, list) else []):
        actions = stage.get("actions") if isinstance(stage, dict) else None
        for j, action in enumerate(actions if isinstance(actions, list) else []):
            category, provider = action.get("category"), action.get("provider")
            known = PROVIDERS.get(category) if isinstance(category, str) else None
            if known and isinstance(provider, str) and action.get("owner") != "Custom" and provider not in known:
                path = f"stages[{i}].actions[{j}].provider"
                failures.append((path, f"expected provider of category {category} to be one of {sorted(known)}"))
    return failures


def _one_traffic_routing(given: Values) -> list[tuple[str, str]]:
    """deployment_config.go: canary and linear exclude each other."""
    routing = given.get("trafficRoutingConfig")
    found = conflict("timeBasedCanary", "timeBasedLinear")(routing) if isinstance(routing, dict) else []
    return [(f"trafficRoutingConfig.{path}", why) for path, why in found]


PLATFORM = one_of("Server", "Lambda", "ECS")
STATUS = one_of("ENABLED", "DISABLED")

RULES = {
    "aws:codebuild/project:Project": Rules(
        "codebuild/project.go",
        {
            "artifacts.type": one_of("CODEPIPELINE", "S3", "NO_ARTIFACTS"),
            "buildTimeout": between(5, 2160),
            "cache.type": one_of("NO_CACHE", "S3", "LOCAL"),
            "concurrentBuildLimit": at_least(1),
            "description": length(0, 255),
            "encryptionKey": arn,
            "environment.computeType": enum("codebuild", "ComputeType"),
            "environment.imagePullCredentialsType": one_of("CODEBUILD", "SERVICE_ROLE"),
            "environment.type": enum("codebuild", "EnvironmentType"),
            "environment.environmentVariables.type": one_of("PLAINTEXT", "PARAMETER_STORE", "SECRETS_MANAGER"),
            "logsConfig.cloudwatchLogs.status": STATUS,
            "logsConfig.s3Logs.status": STATUS,
            "name": both(length(2, 255), pattern(r"[A-Za-z0-9][A-Za-z0-9\-_]+", "alphanumerics, hyphens, underscores")),
            "projectVisibility": one_of("PUBLIC_READ", "PRIVATE"),
            "queuedTimeout": between(5, 480),
            "resourceAccessRole": arn,
            "serviceRole": arn,
            "source.type": enum("codebuild", "SourceType"),
        },
    ),
    "aws:codeconnections/connection:Connection": Rules(
        "codeconnections/connection.go",
        {
            "hostArn": arn,
            "name": length(1, 32),
            "providerType": one_of(
                "Bitbucket", "GitHub", "GitHubEnterpriseServer", "GitLab", "GitLabSelfManaged", "AzureDevOps"
            ),
        },
        (conflict("hostArn", "providerType"),),
    ),
    "aws:codedeploy/application:Application": Rules(
        "deploy/app.go", {"computePlatform": PLATFORM, "name": length(1, 100)}
    ),
    "aws:codedeploy/deploymentConfig:DeploymentConfig": Rules(
        "deploy/deployment_config.go",
        {
            "computePlatform": PLATFORM,
            "deploymentConfigName": length(0, 100),
            "trafficRoutingConfig.type": one_of("TimeBasedCanary", "TimeBasedLinear", "AllAtOnce"),
        },
        (_one_traffic_routing,),
    ),
    "aws:codedeploy/deploymentGroup:DeploymentGroup": Rules(
        "deploy/deployment_group.go",
        {
            "alarmConfiguration.alarms": items(0, 10),
            "appName": length(0, 100),
            "autoRollbackConfiguration.events": items(
                0, 3, one_of("DEPLOYMENT_FAILURE", "DEPLOYMENT_STOP_ON_ALARM", "DEPLOYMENT_STOP_ON_REQUEST")
            ),
            "deploymentConfigName": length(0, 100),
            "deploymentGroupName": length(0, 100),
            "deploymentStyle.deploymentOption": one_of("WITH_TRAFFIC_CONTROL", "WITHOUT_TRAFFIC_CONTROL"),
            "deploymentStyle.deploymentType": one_of("IN_PLACE", "BLUE_GREEN"),
            "outdatedInstancesStrategy": one_of("UPDATE", "IGNORE"),
            "serviceRoleArn": arn,
        },
    ),
    "aws:codepipeline/pipeline:Pipeline": Rules(
        "codepipeline/codepipeline.go",
        {
            "executionMode": one_of("QUEUED", "SUPERSEDED", "PARALLEL"),
            "name": both(length(1, 100), pattern(r"[A-Za-z0-9.@\-_]+", "alphanumerics and . @ - _")),
            "pipelineType": one_of("V1", "V2"),
            "roleArn": arn,
            "stages": items(2, 1000),
            "stages.actions.category": one_of(*PROVIDERS),
            "stages.actions.owner": one_of("AWS", "ThirdParty", "Custom"),
            "stages.actions.roleArn": arn,
            "stages.actions.runOrder": between(1, 999),
            "stages.actions.timeoutInMinutes": between(5, 86400),
            "triggers": items(0, 50),
        },
        (_known_providers,),
    ),
}
