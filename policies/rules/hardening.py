"""Settings that AWS's Foundational Security Best Practices ask of the services such a program uses, as a table.

Each row names a type, a property, and what is wrong with which values. What the rules beside it judge is not repeated.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from .model import UNKNOWN, Context, Finding, Resource, Rule, items, number, off, section, text
from .references import NIST, WELL_ARCHITECTED

# https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html#runtimes-deprecated
_ENDED = frozenset(
    (
        "nodejs",
        "nodejs4.3",
        "nodejs4.3-edge",
        "nodejs6.10",
        "nodejs8.10",
        "nodejs10.x",
        "nodejs12.x",
        "nodejs14.x",
        "nodejs16.x",
        "nodejs18.x",
        "nodejs20.x",
        "python2.7",
        "python3.6",
        "python3.7",
        "python3.8",
        "python3.9",
        "python3.10",
        "java8",
        "dotnetcore1.0",
        "dotnetcore2.0",
        "dotnetcore2.1",
        "dotnetcore3.1",
        "dotnet5.0",
        "dotnet6",
        "dotnet7",
        "dotnet8",
        "go1.x",
        "ruby2.5",
        "ruby2.7",
        "ruby3.2",
        "provided",
    )
)


@dataclass(frozen=True)
class Setting:
    """One row: `wrong` is asked of the property's known value, None where it is not there."""

    rule: str
    type: str
    path: str
    wrong: Callable[[Any], bool]
    what: str
    control: str


def _on(value: Any) -> bool:
    return not off(value)


def _empty(value: Any) -> bool:
    return not value


def _is(*values: str) -> Callable[[Any], bool]:
    return lambda value: text(value) in values


def _is_not(*values: str) -> Callable[[Any], bool]:
    return lambda value: text(value) not in values


def _below(least: float) -> Callable[[Any], bool]:
    return lambda value: (number(value) or 0) < least


_DEFINITION = "aws:sagemaker/{0}JobDefinition:{1}JobDefinition"
# docs.aws.amazon.com/securityhub/latest/userguide/sagemaker-controls.html
_TALKING = {
    _DEFINITION.format("dataQuality", "DataQuality"): "SageMaker.9",
    _DEFINITION.format("modelExplainability", "ModelExplainability"): "SageMaker.10",
    _DEFINITION.format("modelQuality", "ModelQuality"): "SageMaker.13",
    _DEFINITION.format("modelBias", "ModelBias"): "SageMaker.15",
}
_REACHING = {
    (_DEFINITION.format("dataQuality", "DataQuality"), ""): "SageMaker.11",
    (_DEFINITION.format("modelBias", "ModelBias"), ""): "SageMaker.12",
    (
        "aws:sagemaker/monitoringSchedule:MonitoringSchedule",
        "monitoringScheduleConfig.monitoringJobDefinition.",
    ): "SageMaker.14",
}
_RUNTIME, _BUILD, _TRANSIT, _REST, _LOGS, _BACK, _WALL = (
    "supported-runtime", "safe-build", "encryption-in-transit", "encryption-at-rest", "service-logs", "recoverable",
    "isolated",
)  # fmt: skip
_LAMBDA, _PROJECT = "aws:lambda/function:Function", "aws:codebuild/project:Project"
_DB, _CLUSTER = "aws:rds/instance:Instance", "aws:rds/cluster:Cluster"
_DOMAIN = "aws:opensearch/domain:Domain"
_CACHE = "aws:elasticache/replicationGroup:ReplicationGroup"
_NOTEBOOK, _INSTANCE = "aws:sagemaker/notebookInstance:NotebookInstance", "aws:ec2/instance:Instance"
_TEMPLATE = "aws:ec2/launchTemplate:LaunchTemplate"
SETTINGS: tuple[Setting, ...] = (
    Setting(
        _RUNTIME, _LAMBDA, "runtime", lambda value: value in _ENDED, "runs on a runtime that AWS has ended", "Lambda.2"
    ),
    Setting(
        _RUNTIME,
        "aws-native:lambda:Function",
        "runtime",
        lambda value: value in _ENDED,
        "runs on a runtime that AWS has ended",
        "Lambda.2",
    ),
    Setting(
        _BUILD,
        _PROJECT,
        "projectVisibility",
        _is("PUBLIC_READ"),
        "shows its builds, logs and artifacts to everybody",
        "CodeBuild",
    ),
    Setting(
        _BUILD,
        _PROJECT,
        "environment.privilegedMode",
        _on,
        "builds as root of its host (privileged mode)",
        "CodeBuild.5",
    ),
    Setting(_BUILD, _PROJECT, "artifacts.encryptionDisabled", _on, "writes artifacts in plain", "CodeBuild"),
    Setting(_BUILD, _PROJECT, "secondaryArtifacts[].encryptionDisabled", _on, "writes artifacts in plain", "CodeBuild"),
    Setting(_BUILD, _PROJECT, "logsConfig.s3Logs.encryptionDisabled", _on, "writes its logs in plain", "CodeBuild.3"),
    Setting(
        _BUILD,
        _PROJECT,
        "source.location",
        lambda value: "@" in text(value).partition("://")[2].partition("/")[0],
        "names its source with a user in the URL",
        "CodeBuild.1",
    ),
    Setting(_BUILD, _PROJECT, "source.insecureSsl", _on, "does not check its source's certificate", "CodeBuild"),
    Setting(
        _BUILD,
        "aws:codebuild/reportGroup:ReportGroup",
        "exportConfig.s3Destination.encryptionDisabled",
        _on,
        "exports its reports in plain",
        "CodeBuild.7",
    ),
    Setting(
        _LOGS,
        _PROJECT,
        "logsConfig.cloudwatchLogs.status",
        _is("DISABLED"),
        "keeps no log of its builds",
        "CodeBuild.4",
    ),
    Setting(
        _LOGS,
        "aws:apigateway/methodSettings:MethodSettings",
        "settings.loggingLevel",
        _is("", "OFF"),
        "logs no execution",
        "APIGateway.1",
    ),
    Setting(_LOGS, _DB, "enabledCloudwatchLogsExports", _empty, "sends no log to CloudWatch", "RDS.9"),
    Setting(_LOGS, _CLUSTER, "enabledCloudwatchLogsExports", _empty, "sends no log to CloudWatch", "RDS.34"),
    Setting(_LOGS, _DOMAIN, "logPublishingOptions", _empty, "sends no log to CloudWatch", "Opensearch.4"),
    Setting(_LOGS, "aws:eks/cluster:Cluster", "enabledClusterLogTypes", _empty, "sends no log to CloudWatch", "EKS.8"),
    Setting(
        _REST, "aws:neptune/cluster:Cluster", "storageEncrypted", off, "does not encrypt the database", "Neptune.1"
    ),
    Setting(
        _REST, "aws:docdb/cluster:Cluster", "storageEncrypted", off, "does not encrypt the database", "DocumentDB.1"
    ),
    Setting(_REST, _DOMAIN, "encryptAtRest.enabled", off, "does not encrypt its index", "Opensearch.1"),
    Setting(
        _REST, "aws:elasticsearch/domain:Domain", "encryptAtRest.enabled", off, "does not encrypt its index", "ES.1"
    ),
    Setting(_REST, _CACHE, "atRestEncryptionEnabled", off, "does not encrypt the cache", "ElastiCache.4"),
    Setting(
        _REST,
        "aws:dax/cluster:Cluster",
        "serverSideEncryption.enabled",
        off,
        "does not encrypt the cache",
        "DynamoDB.3",
    ),
    Setting(
        _REST,
        "aws:glue/securityConfiguration:SecurityConfiguration",
        "encryptionConfiguration.s3Encryption.s3EncryptionMode",
        _is("", "DISABLED"),
        "does not encrypt what jobs write",
        "Glue",
    ),
    Setting(
        _REST,
        "aws:glue/securityConfiguration:SecurityConfiguration",
        "encryptionConfiguration.cloudwatchEncryption.cloudwatchEncryptionMode",
        _is("", "DISABLED"),
        "does not encrypt what jobs log",
        "Glue",
    ),
    Setting(
        _REST,
        _INSTANCE,
        "rootBlockDevice.encrypted",
        lambda value: value is False or value == "false",
        "does not encrypt its disk",
        "EC2.3",
    ),
    Setting(
        _REST,
        "aws:athena/workgroup:Workgroup",
        "configuration.resultConfiguration.encryptionConfiguration",
        _empty,
        "does not encrypt results",
        "Athena.1",
    ),
    Setting(_TRANSIT, _DOMAIN, "nodeToNodeEncryption.enabled", off, "talks in plain between its nodes", "Opensearch.3"),
    Setting(_TRANSIT, _DOMAIN, "domainEndpointOptions.enforceHttps", off, "answers without TLS", "Opensearch.8"),
    Setting(_TRANSIT, _CACHE, "transitEncryptionEnabled", off, "answers without TLS", "ElastiCache.5"),
    Setting(
        _TRANSIT,
        "aws:dax/cluster:Cluster",
        "clusterEndpointEncryptionType",
        _is_not("TLS"),
        "answers without TLS",
        "DynamoDB.7",
    ),
    Setting(
        _TRANSIT,
        "aws:apigateway/domainName:DomainName",
        "securityPolicy",
        lambda value: text(value) == "TLS_1_0",
        "takes TLS 1.0",
        "APIGateway.11",
    ),
    *(
        Setting(
            _TRANSIT,
            kind,
            "networkConfig.enableInterContainerTrafficEncryption",
            lambda value: value is False or value == "false",
            "talks in plain between its containers",
            control,
        )
        for kind, control in _TALKING.items()
    ),
    *(
        Setting(
            _BACK,
            kind,
            f"{place}networkConfig.enableNetworkIsolation",
            off,
            "lets its containers reach the network",
            control,
        )
        for (kind, place), control in _REACHING.items()
    ),
    Setting(
        _WALL,
        _NOTEBOOK,
        "directInternetAccess",
        lambda value: text(value) == "Enabled",
        "reaches the internet past its network",
        "SageMaker.1",
    ),
    Setting(
        _WALL,
        _INSTANCE,
        "metadataOptions.httpTokens",
        _is("optional"),
        "gives its role to whatever can make it fetch a URL (IMDSv1)",
        "EC2.8",
    ),
    Setting(
        _WALL,
        _TEMPLATE,
        "metadataOptions.httpTokens",
        _is("", "optional"),
        "gives its role to whatever can make it fetch a URL (IMDSv1)",
        "EC2.170",
    ),
    Setting(_WALL, _INSTANCE, "associatePublicIpAddress", _on, "has a public address", "EC2.9"),
    Setting(
        _WALL,
        _TEMPLATE,
        "networkInterfaces[].associatePublicIpAddress",
        _on,
        "gives its machines public addresses",
        "EC2.25",
    ),
    Setting(
        _WALL, "aws:ec2/subnet:Subnet", "mapPublicIpOnLaunch", _on, "gives its machines public addresses", "EC2.15"
    ),
    Setting(
        _WALL,
        "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup",
        "ingress",
        lambda value: bool(items(value)),
        "lets traffic in that nobody chose a group for",
        "EC2.2",
    ),
    Setting(
        _WALL,
        "aws:ec2transitgateway/transitGateway:TransitGateway",
        "autoAcceptSharedAttachments",
        _is("enable"),
        "takes any network that asks",
        "EC2.23",
    ),
    Setting(
        _BACK,
        "aws:dynamodb/table:Table",
        "pointInTimeRecovery.enabled",
        off,
        "cannot be brought back to a point in time",
        "DynamoDB.2",
    ),
    Setting(_BACK, _DB, "backupRetentionPeriod", _below(7), "keeps backups for less than a week", "RDS.11"),
    Setting(_BACK, _DB, "multiAz", off, "stands in one zone", "RDS.5"),
    Setting(
        _BACK, _DB, "autoMinorVersionUpgrade", lambda value: value is False, "does not take security updates", "RDS.13"
    ),
    Setting(_BACK, _DB, "iamDatabaseAuthenticationEnabled", off, "knows its users by passwords", "RDS.10"),
    Setting(
        _BACK,
        _DB,
        "password",
        lambda value: bool(value),
        "has a password that a program knows: let RDS manage it",
        "RDS",
    ),
    Setting(
        _BACK,
        _CLUSTER,
        "masterPassword",
        lambda value: bool(value),
        "has a password that a program knows: let RDS manage it",
        "RDS",
    ),
    Setting(_BACK, _CLUSTER, "iamDatabaseAuthenticationEnabled", off, "knows its users by passwords", "RDS.12"),
    Setting(
        _BACK,
        "aws:ecr/repository:Repository",
        "imageTagMutability",
        _is("", "MUTABLE"),
        "lets a tag be moved to another image",
        "ECR.2",
    ),
    Setting(
        _BACK,
        "aws:ecr/repository:Repository",
        "imageScanningConfiguration.scanOnPush",
        off,
        "does not look for known holes in images",
        "ECR.1",
    ),
    Setting(
        _BACK,
        "aws:codepipeline/pipeline:Pipeline",
        "artifactStores[].encryptionKey",
        _empty,
        "keeps artifacts under AWS's own key",
        "CodePipeline",
    ),
    Setting(
        _BACK,
        "aws:sagemaker/model:Model",
        "enableNetworkIsolation",
        off,
        "lets its container reach the network",
        "SageMaker.5",
    ),
    Setting(
        _BACK,
        "aws:sagemaker/domain:Domain",
        "appNetworkAccessType",
        _is("", "PublicInternetOnly"),
        "lets studios reach the internet",
        "SageMaker",
    ),
    Setting(
        _BACK,
        "aws:sagemaker/domain:Domain",
        "kmsKeyId",
        _empty,
        "keeps studios' files under AWS's own key",
        "SageMaker",
    ),
    Setting(_BACK, _NOTEBOOK, "subnetId", _empty, "stands in no network of one's own", "SageMaker.2"),
)
_BY_TYPE: dict[tuple[str, str], list[Setting]] = {}
for _row in SETTINGS:
    _BY_TYPE.setdefault((_row.rule, _row.type), []).append(_row)


def _check(rule: str) -> Callable[[Resource, Context], Iterator[Finding]]:
    return lambda resource, _: settings(rule, resource)


def settings(rule: str, resource: Resource) -> Iterator[Finding]:
    """The rows of a rule, asked of a resource; nothing is said of what is not known yet."""
    for row in _BY_TYPE.get((rule, resource.kind), ()):
        if any(row.wrong(each) for each in _at(resource.props, row.path) if each is not UNKNOWN):
            yield Finding(row.what, row.path.replace("[]", ""))


def _at(value: Any, path: str) -> list[Any]:
    head, _, rest = path.partition(".")
    if head.endswith("[]"):
        return [found for each in items(section(value, head[:-2])) for found in _at(each, rest)]
    found = section(value, head)
    return _at(found, rest) if rest else [found]


def _rule(name: str, family: str, level: Any, severity: Any, title: str, why: str, fix: str) -> Rule:
    return Rule(
        name, family, level, severity, title, why, fix, (NIST["SC-7"], WELL_ARCHITECTED["SEC08-BP02"]), _check(name)
    )


RULES = (
    _rule(
        _RUNTIME,
        "operations",
        "mandatory",
        "medium",
        "Functions run on what AWS still mends",
        "a hole that is found now stays open",
        "take a runtime that AWS supports",
    ),
    _rule(
        _BUILD,
        "exposure",
        "mandatory",
        "high",
        "Builds show and give away nothing",
        "a build sees source, credentials and artifacts: who sees it, or gets out of it, has them",
        "keep projects private and unprivileged, artifacts and logs encrypted, and credentials out of URLs",
    ),
    _rule(
        _TRANSIT,
        "exposure",
        "mandatory",
        "medium",
        "What is sent is encrypted",
        "who is on the way reads it",
        "turn TLS and the encryption between nodes on",
    ),
    _rule(
        _WALL,
        "exposure",
        "mandatory",
        "medium",
        "Machines are not on the internet by a default",
        "a public address, or a role for whoever can make a machine fetch a URL, is the usual way in",
        "leave addresses private, tokens required, and name what may come in",
    ),
    _rule(
        _LOGS,
        "operations",
        "advisory",
        "low",
        "Services keep a log",
        "what happened, nobody can tell",
        "turn the log on",
    ),
    _rule(
        _BACK,
        "operations",
        "advisory",
        "low",
        "Services are set up as AWS advises",
        "a slip, or a stranger with a password, costs more than it need",
        "set the property that is named",
    ),
)
