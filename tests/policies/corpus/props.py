"""Resources by their properties, as data: type, properties, stack, and the rules that find something."""

from typing import Any

CONFIGURATION = "aws:sagemaker/endpointConfiguration:EndpointConfiguration"
ENDPOINT = "aws:sagemaker/endpoint:Endpoint"
GROUP = "aws:codedeploy/deploymentGroup:DeploymentGroup"
SHIFTS = "aws:codedeploy/deploymentConfig:DeploymentConfig"
ALIAS = "aws:lambda/alias:Alias"
PERMISSION = "aws:lambda/permission:Permission"
TARGET = "aws:appautoscaling/target:Target"
LAYER = "aws:lambda/layerVersionPermission:LayerVersionPermission"
BUS = "aws:cloudwatch/eventPermission:EventPermission"
LOG = "aws:cloudwatch/logGroup:LogGroup"
ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm"
FUNCTION = "aws:lambda/function:Function"
PROJECT = "aws:codebuild/project:Project"
BLOCK = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"
ATTACHMENT = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
KEY = "arn:aws:kms:eu-west-1:111111111111:key/a"

CAPTURE: dict[str, Any] = {
    "enableCapture": True,
    "initialSamplingPercentage": 100,
    "destinationS3Uri": "s3://orders-capture/capture",
    "kmsKeyId": KEY,
    "captureOptions": [{"captureMode": "Input"}, {"captureMode": "Output"}],
    "captureContentTypeHeader": {"csvContentTypes": ["text/csv"], "jsonContentTypes": ["application/json"]},
}


def configuration(count: int = 2, machine: str = "ml.m5.large", **capture: Any) -> dict[str, Any]:
    """An endpoint configuration; None takes a part of its capture away."""
    found = {name: value for name, value in {**CAPTURE, **capture}.items() if value is not None}
    variant = {"variantName": "live", "initialInstanceCount": count, "instanceType": machine}
    return {"dataCaptureConfig": found, "productionVariants": [variant], "kmsKeyArn": KEY}


def without(given: dict[str, Any], *names: str) -> dict[str, Any]:
    """Properties but some."""
    return {name: value for name, value in given.items() if name not in names}


SHIFT: dict[str, Any] = {
    "appName": "a",
    "deploymentConfigName": "CodeDeployDefault.LambdaCanary10Percent5Minutes",
    "deploymentStyle": {"deploymentType": "BLUE_GREEN", "deploymentOption": "WITH_TRAFFIC_CONTROL"},
    "autoRollbackConfiguration": {"enabled": True, "events": ["DEPLOYMENT_FAILURE", "DEPLOYMENT_STOP_ON_ALARM"]},
    "alarmConfiguration": {"enabled": True, "alarms": ["errors"]},
}
IGNORED = ("functionVersion", "routingConfig")
ACCESS = {"blockPublicAcls": True, "blockPublicPolicy": True, "ignorePublicAcls": True, "restrictPublicBuckets": True}
SCALED = {
    "serviceNamespace": "sagemaker",
    "scalableDimension": "sagemaker:variant:DesiredInstanceCount",
    "minCapacity": 2,
    "maxCapacity": 4,
}
SECRET = {"plain-secret"}


def variables(**values: Any) -> dict[str, Any]:
    """A function with environment variables."""
    return {"environment": {"variables": values}, "tracingConfig": {"mode": "Active"}}


def project(**variable: Any) -> dict[str, Any]:
    """A CodeBuild project with one variable."""
    return {"environment": {"environmentVariables": [variable]}, "encryptionKey": KEY}


def rule(ports: tuple[int, int], source: str, protocol: str = "tcp") -> dict[str, Any]:
    """A security group with one ingress rule."""
    return {"ingress": [{"fromPort": ports[0], "toPort": ports[1], "protocol": protocol, "cidrBlocks": [source]}]}


CASES: list[tuple[str, str, dict[str, Any], str, set[str]]] = [
    ("captures", CONFIGURATION, configuration(), "prod", set()),
    (
        "captures by one mode",
        CONFIGURATION,
        configuration(captureOptions=[{"captureMode": "InputAndOutput"}]),
        "prod",
        set(),
    ),
    (
        "captures JSON",
        CONFIGURATION,
        configuration(captureContentTypeHeader={"jsonContentTypes": ["application/json"]}),
        "prod",
        set(),
    ),
    (
        "captures to the bucket's root",
        CONFIGURATION,
        configuration(destinationS3Uri="s3://orders-capture"),
        "prod",
        set(),
    ),
    ("no capture", CONFIGURATION, without(configuration(), "dataCaptureConfig"), "prod", {"capture-enabled"}),
    ("no capture in dev", CONFIGURATION, without(configuration(), "dataCaptureConfig"), "dev", {"capture-enabled"}),
    ("capture off", CONFIGURATION, configuration(enableCapture=False), "prod", {"capture-enabled"}),
    ("capture not on", CONFIGURATION, configuration(enableCapture=None), "prod", {"capture-enabled"}),
    ("half", CONFIGURATION, configuration(initialSamplingPercentage=50), "prod", {"capture-percentage"}),
    ("none", CONFIGURATION, configuration(initialSamplingPercentage=0), "prod", {"capture-percentage"}),
    ("nearly all", CONFIGURATION, configuration(initialSamplingPercentage=99), "dev", {"capture-percentage"}),
    ("input only", CONFIGURATION, configuration(captureOptions=[{"captureMode": "Input"}]), "prod", {"capture-modes"}),
    (
        "output only",
        CONFIGURATION,
        configuration(captureOptions=[{"captureMode": "Output"}]),
        "prod",
        {"capture-modes"},
    ),
    ("no modes", CONFIGURATION, configuration(captureOptions=[]), "prod", {"capture-modes"}),
    ("no key", CONFIGURATION, configuration(kmsKeyId=None), "prod", {"capture-encrypted"}),
    ("empty key", CONFIGURATION, configuration(kmsKeyId=""), "prod", {"capture-encrypted"}),
    ("no bucket", CONFIGURATION, configuration(destinationS3Uri="s3://"), "prod", {"capture-destination"}),
    ("not S3", CONFIGURATION, configuration(destinationS3Uri="https://a.example/b"), "prod", {"capture-destination"}),
    (
        "no content types",
        CONFIGURATION,
        configuration(captureContentTypeHeader=None),
        "prod",
        {"capture-content-types"},
    ),
    (
        "empty content types",
        CONFIGURATION,
        configuration(captureContentTypeHeader={"csvContentTypes": []}),
        "prod",
        {"capture-content-types"},
    ),
    ("no disk key", CONFIGURATION, without(configuration(), "kmsKeyArn"), "prod", {"customer-key"}),
    ("NVMe takes no key", CONFIGURATION, without(configuration(machine="ml.m5d.large"), "kmsKeyArn"), "prod", set()),
    ("one instance in prod", CONFIGURATION, configuration(count=1), "prod", {"production-instances"}),
    ("one instance in another prod", CONFIGURATION, configuration(count=1), "eu-production", {"production-instances"}),
    ("one instance in dev", CONFIGURATION, configuration(count=1), "dev", set()),
    ("a GPU", CONFIGURATION, configuration(machine="ml.p4d.24xlarge"), "dev", {"machines"}),
    ("a large machine", CONFIGURATION, configuration(machine="ml.m5.24xlarge"), "dev", {"machines"}),
    ("a fit machine", CONFIGURATION, configuration(machine="ml.c6i.4xlarge"), "dev", set()),
    ("many instances", CONFIGURATION, configuration(count=50), "prod", {"machines"}),
    ("endpoint", ENDPOINT, {"endpointConfigName": "a"}, "prod", set()),
    (
        "endpoint all at once",
        ENDPOINT,
        {
            "deploymentConfig": {
                "blueGreenUpdatePolicy": {"trafficRoutingConfiguration": {"type": "ALL_AT_ONCE"}},
                "autoRollbackConfiguration": {"alarms": [{"alarmName": "a"}]},
            }
        },
        "prod",
        {"all-at-once"},
    ),
    (
        "endpoint without alarms",
        ENDPOINT,
        {"deploymentConfig": {"blueGreenUpdatePolicy": {"trafficRoutingConfiguration": {"type": "CANARY"}}}},
        "prod",
        {"rollback"},
    ),
    (
        "endpoint by canary",
        ENDPOINT,
        {
            "deploymentConfig": {
                "blueGreenUpdatePolicy": {"trafficRoutingConfiguration": {"type": "CANARY"}},
                "autoRollbackConfiguration": {"alarms": [{"alarmName": "a"}]},
            }
        },
        "prod",
        set(),
    ),
    ("group", GROUP, SHIFT, "prod", set()),
    (
        "group all at once in prod",
        GROUP,
        {**SHIFT, "deploymentConfigName": "CodeDeployDefault.LambdaAllAtOnce"},
        "prod",
        {"all-at-once"},
    ),
    (
        "group all at once in dev",
        GROUP,
        {**SHIFT, "deploymentConfigName": "CodeDeployDefault.LambdaAllAtOnce"},
        "dev",
        set(),
    ),
    ("group without configuration", GROUP, without(SHIFT, "deploymentConfigName"), "prod", {"all-at-once"}),
    ("group of its own configuration", GROUP, {**SHIFT, "deploymentConfigName": "mine-linear"}, "prod", set()),
    ("group without rollback", GROUP, without(SHIFT, "autoRollbackConfiguration"), "prod", {"rollback"}),
    (
        "group with rollback off",
        GROUP,
        {**SHIFT, "autoRollbackConfiguration": {"enabled": False, "events": ["DEPLOYMENT_FAILURE"]}},
        "prod",
        {"rollback"},
    ),
    (
        "group without rollback on alarm",
        GROUP,
        {**SHIFT, "autoRollbackConfiguration": {"enabled": True, "events": ["DEPLOYMENT_FAILURE"]}},
        "dev",
        {"rollback"},
    ),
    ("group without alarms", GROUP, without(SHIFT, "alarmConfiguration"), "prod", {"deployment-alarms"}),
    (
        "group with alarms off",
        GROUP,
        {**SHIFT, "alarmConfiguration": {"enabled": False, "alarms": ["a"]}},
        "prod",
        {"deployment-alarms"},
    ),
    (
        "group with no alarm",
        GROUP,
        {**SHIFT, "alarmConfiguration": {"enabled": True, "alarms": []}},
        "prod",
        {"deployment-alarms"},
    ),
    (
        "group deaf to alarms",
        GROUP,
        {**SHIFT, "alarmConfiguration": {"enabled": True, "alarms": ["a"], "ignorePollAlarmFailure": True}},
        "prod",
        {"deployment-alarms"},
    ),
    (
        "group in place",
        GROUP,
        {**SHIFT, "deploymentStyle": {"deploymentType": "IN_PLACE", "deploymentOption": "WITH_TRAFFIC_CONTROL"}},
        "prod",
        {"deployment-style"},
    ),
    (
        "group without control",
        GROUP,
        {**SHIFT, "deploymentStyle": {"deploymentType": "BLUE_GREEN", "deploymentOption": "WITHOUT_TRAFFIC_CONTROL"}},
        "prod",
        {"deployment-style"},
    ),
    (
        "shift linear",
        SHIFTS,
        {"computePlatform": "Lambda", "trafficRoutingConfig": {"type": "TimeBasedLinear"}},
        "prod",
        set(),
    ),
    (
        "shift at once",
        SHIFTS,
        {"computePlatform": "Lambda", "trafficRoutingConfig": {"type": "AllAtOnce"}},
        "prod",
        {"all-at-once"},
    ),
    ("shift of servers", SHIFTS, {"computePlatform": "Server"}, "prod", set()),
    ("hooks", "pulumi-python:dynamic/glidepath:TrafficShift", {"before": "a", "after": "b"}, "prod", set()),
    (
        "shift all at once beside a group with steps",
        "pulumi-python:dynamic/glidepath:TrafficShift",
        {"before": "a", "after": "b", "configuration": "CodeDeployDefault.LambdaAllAtOnce"},
        "prod",
        {"all-at-once"},
    ),
    (
        "shift all at once in dev",
        "pulumi-python:dynamic/glidepath:TrafficShift",
        {"before": "a", "after": "b", "configuration": "CodeDeployDefault.LambdaAllAtOnce"},
        "dev",
        set(),
    ),
    ("no hook", "pulumi-python:dynamic/glidepath:TrafficShift", {"before": "a", "after": ""}, "prod", {"shift-hooks"}),
    ("alias left to CodeDeploy", ALIAS, {"functionVersion": "1", "ignore_changes": IGNORED}, "prod", set()),
    (
        "alias in Python's words",
        ALIAS,
        {"functionVersion": "1", "ignore_changes": ("function_version", "routing_config")},
        "prod",
        set(),
    ),
    ("alias moved", ALIAS, {"functionVersion": "1"}, "prod", {"alias-managed"}),
    (
        "alias with weights reset",
        ALIAS,
        {"functionVersion": "1", "ignore_changes": ("functionVersion",)},
        "prod",
        {"alias-managed"},
    ),
    ("alias to latest", ALIAS, {"functionVersion": "$LATEST", "ignore_changes": IGNORED}, "dev", {"alias-managed"}),
    ("scales", TARGET, SCALED, "prod", set()),
    ("scales to one", TARGET, {**SCALED, "minCapacity": 1}, "prod", {"production-scaling"}),
    ("scales to one in dev", TARGET, {**SCALED, "minCapacity": 1}, "dev", set()),
    ("scales not", TARGET, {**SCALED, "maxCapacity": 2}, "prod", {"production-scaling"}),
    (
        "scales something else",
        TARGET,
        {**SCALED, "serviceNamespace": "ecs", "scalableDimension": "ecs:service:DesiredCount", "minCapacity": 1},
        "prod",
        set(),
    ),
    ("scales far", TARGET, {**SCALED, "maxCapacity": 100}, "prod", {"machines"}),
    (
        "function admits the API",
        PERMISSION,
        {"principal": "apigateway.amazonaws.com", "sourceArn": "arn:aws:execute-api:eu-west-1:111111111111:abc/*"},
        "prod",
        set(),
    ),
    (
        "function admits a bucket",
        PERMISSION,
        {"principal": "s3.amazonaws.com", "sourceArn": "arn:aws:s3:::orders"},
        "prod",
        set(),
    ),
    (
        "function admits by account",
        PERMISSION,
        {"principal": "s3.amazonaws.com", "sourceAccount": "111111111111"},
        "prod",
        set(),
    ),
    ("function admits a service", PERMISSION, {"principal": "events.amazonaws.com"}, "prod", {"confused-deputy"}),
    (
        "function admits any source",
        PERMISSION,
        {"principal": "events.amazonaws.com", "sourceArn": "arn:aws:events:*:*:rule/a"},
        "prod",
        {"confused-deputy"},
    ),
    ("function admits anybody", PERMISSION, {"principal": "*"}, "prod", {"open-principal"}),
    ("function admits the organisation", PERMISSION, {"principal": "*", "principalOrgId": "o-abc"}, "prod", set()),
    ("function admits an account", PERMISSION, {"principal": "111111111111"}, "prod", set()),
    ("log with an end", LOG, {"retentionInDays": 30, "kmsKeyId": KEY}, "prod", set()),
    ("log without", LOG, {"kmsKeyId": KEY}, "prod", {"log-retention"}),
    ("log with zero", LOG, {"retentionInDays": 0, "kmsKeyId": KEY}, "dev", {"log-retention"}),
    ("log without key", LOG, {"retentionInDays": 30}, "prod", {"customer-key"}),
    ("alarm", ALARM, {"alarmActions": ["arn:aws:sns:eu-west-1:1:t"]}, "prod", set()),
    ("alarm that notifies nobody", ALARM, {}, "prod", {"alarm-actions"}),
    ("alarm with empty actions", ALARM, {"alarmActions": []}, "prod", {"alarm-actions"}),
    ("alarm switched off", ALARM, {"alarmActions": ["a"], "actionsEnabled": False}, "prod", {"alarm-actions"}),
    (
        "variables",
        FUNCTION,
        variables(ENDPOINT="a", FEATURES='["a"]', MAX_TOKENS="4096", SECRET_ARN="arn:aws:secretsmanager:x"),
        "prod",
        set(),
    ),
    ("password", FUNCTION, variables(DB_PASSWORD="hunter2!"), "prod", SECRET),
    ("key by name", FUNCTION, variables(stripeApiKey="sk_live_abc"), "prod", SECRET),
    ("access key by value", FUNCTION, variables(CONFIG="AKIAIOSFODNN7EXAMPLE"), "prod", SECRET),
    ("private key by value", FUNCTION, variables(CERT="-----BEGIN RSA PRIVATE KEY-----"), "prod", SECRET),
    ("password in an address", FUNCTION, variables(URL="postgres://me:hunter22@db/a"), "prod", SECRET),
    (
        "secret by reference",
        FUNCTION,
        variables(DB_PASSWORD="arn:aws:secretsmanager:eu-west-1:1:secret:a", API_TOKEN="/app/token"),
        "prod",
        set(),
    ),
    ("build variable", PROJECT, project(name="GITHUB_TOKEN", value="abcdef", type="PLAINTEXT"), "prod", SECRET),
    ("build secret", PROJECT, project(name="GITHUB_TOKEN", value="app/token", type="SECRETS_MANAGER"), "prod", set()),
    (
        "parameter",
        "aws:ssm/parameter:Parameter",
        {"name": "/app/db/password", "type": "String", "value": "hunter2!"},
        "prod",
        SECRET,
    ),
    (
        "secure parameter",
        "aws:ssm/parameter:Parameter",
        {"name": "/app/db/password", "type": "SecureString", "value": "hunter2!"},
        "prod",
        set(),
    ),
    ("function not traced", FUNCTION, {}, "prod", {"tracing"}),
    ("closed bucket", BLOCK, ACCESS, "prod", set()),
    ("half-closed bucket", BLOCK, {**ACCESS, "blockPublicPolicy": False}, "prod", {"public-bucket"}),
    ("one switch missing", BLOCK, without(ACCESS, "ignorePublicAcls"), "prod", {"public-bucket"}),
    ("public ACL", "aws:s3/bucket:Bucket", {"acl": "public-read"}, "prod", {"public-bucket"}),
    (
        "public ACL, older SDK",
        "aws:s3/bucketAclV2:BucketAclV2",
        {"acl": "public-read-write"},
        "prod",
        {"public-bucket"},
    ),
    ("private ACL", "aws:s3/bucketV2:BucketV2", {"acl": "private"}, "prod", set()),
    ("bucket deleted with all", "aws:s3/bucketV2:BucketV2", {"forceDestroy": True}, "prod", {"protected-state"}),
    ("bucket deleted with all, dev", "aws:s3/bucket:Bucket", {"forceDestroy": True}, "dev", set()),
    ("table unprotected", "aws:dynamodb/table:Table", {}, "prod", {"protected-state"}),
    ("key rotates", "aws:kms/key:Key", {"enableKeyRotation": True, "deletionWindowInDays": 30}, "prod", set()),
    ("key stays", "aws:kms/key:Key", {}, "prod", {"key-rotation"}),
    (
        "signing key stays",
        "aws:kms/key:Key",
        {"keyUsage": "SIGN_VERIFY", "customerMasterKeySpec": "RSA_2048"},
        "prod",
        set(),
    ),
    ("topic open", "aws:sns/topic:Topic", {}, "prod", {"customer-key"}),
    ("topic encrypted", "aws:sns/topic:Topic", {"kmsMasterKeyId": "alias/a"}, "prod", set()),
    ("queue by default", "aws:sqs/queue:Queue", {}, "prod", set()),
    ("queue switched off", "aws:sqs/queue:Queue", {"sqsManagedSseEnabled": False}, "prod", {"encryption-at-rest"}),
    (
        "shell to everybody",
        "aws:ec2/securityGroup:SecurityGroup",
        rule((22, 22), "0.0.0.0/0"),
        "prod",
        {"public-network"},
    ),
    ("web to everybody", "aws:ec2/securityGroup:SecurityGroup", rule((443, 443), "0.0.0.0/0"), "prod", set()),
    ("shell inside", "aws:ec2/securityGroup:SecurityGroup", rule((22, 22), "10.0.0.0/8"), "prod", set()),
    (
        "all to everybody",
        "aws:ec2/securityGroup:SecurityGroup",
        rule((0, 0), "0.0.0.0/0", "-1"),
        "prod",
        {"public-network"},
    ),
    (
        "function's open address",
        "aws:lambda/functionUrl:FunctionUrl",
        {"authorizationType": "NONE"},
        "prod",
        {"public-api"},
    ),
    (
        "function's signed address",
        "aws:lambda/functionUrl:FunctionUrl",
        {"authorizationType": "AWS_IAM"},
        "prod",
        set(),
    ),
    (
        "open method",
        "aws:apigateway/method:Method",
        {"authorization": "NONE", "httpMethod": "POST"},
        "prod",
        {"public-api"},
    ),
    ("preflight", "aws:apigateway/method:Method", {"authorization": "NONE", "httpMethod": "OPTIONS"}, "prod", set()),
    (
        "open operation",
        "aws:apigateway/restApi:RestApi",
        {"body": '{"paths": {"/a": {"post": {}}}}'},
        "prod",
        {"public-api"},
    ),
    (
        "signed operation",
        "aws:apigateway/restApi:RestApi",
        {"body": '{"paths": {"/a": {"post": {"security": [{"sigv4": []}]}}}}'},
        "prod",
        set(),
    ),
    (
        "notebook",
        "aws:sagemaker/notebookInstance:NotebookInstance",
        {"kmsKeyId": KEY, "rootAccess": "Disabled", "instanceType": "ml.t3.medium"},
        "dev",
        set(),
    ),
    (
        "notebook with root",
        "aws:sagemaker/notebookInstance:NotebookInstance",
        {"kmsKeyId": KEY, "instanceType": "ml.t3.medium"},
        "dev",
        {"notebook-closed"},
    ),
    (
        "full access",
        ATTACHMENT,
        {"policyArn": "arn:aws:iam::aws:policy/AmazonSageMakerFullAccess"},
        "prod",
        {"managed-full-access"},
    ),
    (
        "full access, later name",
        ATTACHMENT,
        {"policyArn": "arn:aws:iam::aws:policy/AWSCodePipeline_FullAccess"},
        "prod",
        {"managed-full-access"},
    ),
    (
        "full access V2",
        ATTACHMENT,
        {"policyArn": "arn:aws:iam::aws:policy/CloudWatchFullAccessV2"},
        "prod",
        {"managed-full-access"},
    ),
    (
        "administrator",
        ATTACHMENT,
        {"policyArn": "arn:aws:iam::aws:policy/AdministratorAccess"},
        "prod",
        {"managed-full-access"},
    ),
    (
        "power user in China",
        ATTACHMENT,
        {"policyArn": "arn:aws-cn:iam::aws:policy/PowerUserAccess"},
        "prod",
        {"managed-full-access"},
    ),
    (
        "attached to a user",
        "aws:iam/userPolicyAttachment:UserPolicyAttachment",
        {"policyArn": "arn:aws:iam::aws:policy/IAMFullAccess"},
        "prod",
        {"managed-full-access"},
    ),
    (
        "in a role",
        "aws:iam/role:Role",
        {"managedPolicyArns": ["arn:aws:iam::aws:policy/AmazonS3FullAccess"]},
        "prod",
        {"managed-full-access"},
    ),
    (
        "exclusive",
        "aws:iam/rolePolicyAttachmentsExclusive:RolePolicyAttachmentsExclusive",
        {"policyArns": ["arn:aws:iam::aws:policy/AmazonS3FullAccess"]},
        "prod",
        {"managed-full-access"},
    ),
    (
        "basic execution",
        ATTACHMENT,
        {"policyArn": "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"},
        "prod",
        set(),
    ),
    ("a customer's name", ATTACHMENT, {"policyArn": "arn:aws:iam::111111111111:policy/AppFullAccess"}, "prod", set()),
    (
        "inline in a role",
        "aws:iam/role:Role",
        {
            "inlinePolicies": [
                {"name": "a", "policy": '{"Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}}'}
            ]
        },
        "prod",
        {"wildcard-action", "wildcard-resource"},
    ),
    (
        "native role",
        "aws-native:iam:Role",
        {
            "policies": [
                {
                    "policyName": "a",
                    "policyDocument": {"Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]},
                }
            ]
        },
        "prod",
        {"wildcard-action", "wildcard-resource"},
    ),
    ("not JSON", "aws:iam/policy:Policy", {"policy": "{not json"}, "prod", {"malformed-document"}),
    ("empty", "aws:iam/policy:Policy", {"policy": "[]"}, "prod", {"malformed-document"}),
    ("no statement", "aws:iam/policy:Policy", {"policy": '{"Version": "2012-10-17"}'}, "prod", {"malformed-document"}),
    (
        "effect in lower case",
        "aws:iam/policy:Policy",
        {"policy": '{"Statement": [{"Effect": "allow", "Action": "s3:GetObject", "Resource": "*"}]}'},
        "prod",
        {"malformed-document"},
    ),
    ("bucket policy not JSON", "aws:s3/bucketPolicy:BucketPolicy", {"policy": "}{"}, "prod", {"malformed-document"}),
    (
        "VPC endpoint's policy bounds",
        "aws:ec2/vpcEndpoint:VpcEndpoint",
        {"policy": '{"Statement": {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}}'},
        "prod",
        set(),
    ),
    (
        "scaling policy is no document",
        "aws:autoscaling/policy:Policy",
        {"policyType": "TargetTrackingScaling"},
        "prod",
        set(),
    ),
    (
        "lifecycle policy is no document",
        "aws:ecr/lifecyclePolicy:LifecyclePolicy",
        {"policy": '{"rules": []}'},
        "prod",
        set(),
    ),
    ("another cloud", "gcp:storage/bucketIAMPolicy:BucketIAMPolicy", {"policy": "{"}, "prod", set()),
    ("no share", CONFIGURATION, configuration(initialSamplingPercentage=None), "dev", {"capture-percentage"}),
    (
        "a canary that is all",
        SHIFTS,
        {
            "computePlatform": "Lambda",
            "trafficRoutingConfig": {"type": "TimeBasedCanary", "timeBasedCanary": {"interval": 5, "percentage": 100}},
        },
        "prod",
        {"all-at-once"},
    ),
    (
        "a canary",
        SHIFTS,
        {
            "computePlatform": "Lambda",
            "trafficRoutingConfig": {"type": "TimeBasedCanary", "timeBasedCanary": {"interval": 5, "percentage": 50}},
        },
        "prod",
        set(),
    ),
    (
        "ECS at once",
        SHIFTS,
        {"computePlatform": "ECS", "trafficRoutingConfig": {"type": "AllAtOnce"}},
        "prod",
        {"all-at-once"},
    ),
    (
        "bucket granted to everybody",
        "aws:s3/bucket:Bucket",
        {"grants": [{"type": "Group", "uri": "http://acs.amazonaws.com/groups/global/AllUsers"}]},
        "prod",
        {"public-bucket"},
    ),
    (
        "bucket granted to log delivery",
        "aws:s3/bucket:Bucket",
        {"grants": [{"type": "Group", "uri": "http://acs.amazonaws.com/groups/s3/LogDelivery"}, {"id": "a"}]},
        "prod",
        set(),
    ),
    (
        "ACL grants to AWS's customers",
        "aws:s3/bucketAclV2:BucketAclV2",
        {
            "accessControlPolicy": {
                "grants": [{"grantee": {"uri": "http://acs.amazonaws.com/groups/global/AuthenticatedUsers"}}]
            }
        },
        "prod",
        {"public-bucket"},
    ),
    ("payment key by value", FUNCTION, variables(PAY="sk_live_4eC39HqLyjWDarjtT1zdp7dc"), "prod", SECRET),
    ("large server", "aws:ec2/instance:Instance", {"instanceType": "m5.24xlarge"}, "prod", {"machines"}),
    ("server", "aws:ec2/instance:Instance", {"instanceType": "t3.micro"}, "prod", set()),
    (
        "large database",
        "aws:rds/instance:Instance",
        {"instanceClass": "db.r5.8xlarge", "storageEncrypted": True, "deletionProtection": True},
        "prod",
        {"machines"},
    ),
    ("many workers", "aws:glue/job:Job", {"numberOfWorkers": 21}, "prod", {"machines"}),
    ("workers", "aws:glue/job:Job", {"numberOfWorkers": 20}, "prod", set()),
    ("many servers", "aws:autoscaling/group:Group", {"maxSize": 21}, "prod", {"machines"}),
    (
        "function admits any bucket",
        PERMISSION,
        {"principal": "s3.amazonaws.com", "sourceArn": "arn:aws:s3:::*"},
        "prod",
        {"confused-deputy"},
    ),
    (
        "function admits anybody from anywhere",
        PERMISSION,
        {"principal": "*", "sourceArn": "*"},
        "prod",
        {"open-principal"},
    ),
    (
        "function admits anybody from one rule",
        PERMISSION,
        {"principal": "*", "sourceArn": "arn:aws:events:eu-west-1:111111111111:rule/a"},
        "prod",
        set(),
    ),
    (
        "function admits an organisation's service",
        PERMISSION,
        {"principal": "events.amazonaws.com", "principalOrgId": "o-1"},
        "prod",
        {"confused-deputy"},
    ),
    (
        "function admits a skill",
        PERMISSION,
        {"principal": "alexa-appkit.amazon.com", "eventSourceToken": "a"},
        "prod",
        set(),
    ),
    ("function admits any account", PERMISSION, {"principal": "arn:aws:iam::*:root"}, "prod", {"open-principal"}),
    ("function admits a role", PERMISSION, {"principal": "arn:aws:iam::111111111111:role/a.b"}, "prod", set()),
    (
        "function admits to everything",
        PERMISSION,
        {"principal": "111111111111", "action": "lambda:*"},
        "prod",
        {"wildcard-action"},
    ),
    ("layer for everybody", LAYER, {"principal": "*", "action": "lambda:GetLayerVersion"}, "prod", {"open-principal"}),
    ("layer for the organisation", LAYER, {"principal": "*", "organizationId": "o-1"}, "prod", set()),
    ("bus for everybody", BUS, {"principal": "*", "statementId": "a"}, "prod", {"open-principal"}),
    ("bus for an account", BUS, {"principal": "111111111111", "statementId": "a"}, "prod", set()),
    (
        "bus for the organisation",
        BUS,
        {"principal": "*", "condition": {"type": "StringEquals", "key": "aws:PrincipalOrgID", "value": "o-1"}},
        "prod",
        set(),
    ),
    (
        "bus for another key",
        BUS,
        {"principal": "*", "condition": {"key": "a", "value": "o-1"}},
        "prod",
        {"open-principal"},
    ),
    (
        "things publish anywhere",
        "aws:iot/policy:Policy",
        {"policy": '{"Statement": {"Effect": "Allow", "Action": "iot:Publish", "Resource": "*"}}'},
        "prod",
        {"wildcard-resource"},
    ),
    (
        "session policy bounds",
        "aws:transfer/user:User",
        {"policy": '{"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}'},
        "prod",
        set(),
    ),
]
