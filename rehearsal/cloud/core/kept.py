"""What moto may answer by itself: operations that change or read plain state, where nothing has to run.

A list of what is allowed. moto answers success for thousands of operations, also for those that should start, send or
serve something; a rehearsal that believed it would prove nothing. An operation that is missing here, and for which no
module of ours is registered, answers 501.

An entry is made for what a rehearsed program, the stand-in provider or a test needs, after a look at what moto does.
Reads (`READS`) of a service with an entry are answered as well: they tell what its other operations have kept.
"""

from dataclasses import dataclass

from rehearsal.cloud.wire.types import not_implemented

READS = ("BatchGet", "Describe", "Get", "Head", "List")


@dataclass(frozen=True)
class Kept:
    """Operations of one service. `why` says what moto keeps for it, and what of that has no effect here."""

    why: str
    operations: frozenset[str]


def _kept(why: str, operations: str) -> Kept:
    return Kept(why, frozenset(operations.split()))


KEPT: dict[str, Kept] = {
    "apigateway": _kept(
        "records of REST APIs, keys and usage plans; services/apigateway serves them",
        """
        CreateApiKey CreateModel CreateRequestValidator CreateResource CreateUsagePlan CreateUsagePlanKey
        DeleteApiKey DeleteGatewayResponse DeleteIntegration DeleteIntegrationResponse DeleteMethod
        DeleteMethodResponse DeleteModel DeleteRequestValidator DeleteResource DeleteStage DeleteUsagePlan
        DeleteUsagePlanKey PutGatewayResponse PutIntegration PutIntegrationResponse PutMethodResponse
        UpdateApiKey UpdateDeployment UpdateIntegration UpdateResource UpdateUsagePlan
        """,
    ),
    "application-autoscaling": _kept(
        "targets and policies; services/application_autoscaling acts on them",
        "DeleteScalingPolicy",
    ),
    "cloudwatch": _kept("dashboards, which are documents", "DeleteDashboards PutDashboard"),
    "codecommit": _kept(
        "records of repositories; there is no git server, and a pipeline's CodeCommit source says so",
        """
        CreateRepository DeleteRepository TagResource UntagResource UpdateDefaultBranch
        UpdateRepositoryDescription UpdateRepositoryEncryptionKey UpdateRepositoryName
        """,
    ),
    "events": _kept(
        "buses, rules and permissions; services/events matches and delivers",
        """
        DeleteEventBus DeleteRule DisableRule EnableRule PutPermission RemovePermission
        RemoveTargets TagResource UntagResource
        """,
    ),
    "glue": _kept(
        "records of jobs and security configurations; services/glue.py runs jobs",
        "CreateSecurityConfiguration DeleteJob DeleteSecurityConfiguration TagResource UntagResource",
    ),
    "iam": _kept(
        "principals and policies, which authorization/ decides by",
        """
        AddRoleToInstanceProfile AddUserToGroup AttachGroupPolicy AttachRolePolicy AttachUserPolicy
        CreateAccessKey CreateAccountAlias CreateGroup CreateInstanceProfile CreateOpenIDConnectProvider
        CreatePolicyVersion CreateServiceLinkedRole CreateUser DeleteAccessKey
        DeleteAccountAlias DeleteGroup DeleteGroupPolicy DeleteInstanceProfile DeleteOpenIDConnectProvider
        DeletePolicy DeletePolicyVersion DeleteRole DeleteRolePermissionsBoundary DeleteRolePolicy
        DeleteServiceLinkedRole DeleteUser DeleteUserPermissionsBoundary DeleteUserPolicy DetachGroupPolicy
        DetachRolePolicy DetachUserPolicy PutGroupPolicy PutRolePermissionsBoundary PutRolePolicy
        PutUserPermissionsBoundary PutUserPolicy RemoveRoleFromInstanceProfile RemoveUserFromGroup
        SetDefaultPolicyVersion TagInstanceProfile TagOpenIDConnectProvider TagPolicy TagRole TagUser
        UntagInstanceProfile UntagOpenIDConnectProvider UntagPolicy UntagRole UntagUser UpdateAccessKey
        UpdateAssumeRolePolicy UpdateOpenIDConnectProviderThumbprint UpdateRole UpdateRoleDescription
        """,
    ),
    "kms": _kept(
        "keys, aliases, grants; moto encrypts by itself. Nothing rotates",
        """
        CancelKeyDeletion CreateAlias CreateGrant DeleteAlias DisableKey DisableKeyRotation
        EnableKey GenerateDataKey GenerateDataKeyWithoutPlaintext GenerateMac
        GenerateRandom PutKeyPolicy RetireGrant RevokeGrant ScheduleKeyDeletion TagResource
        UntagResource UpdateAlias UpdateKeyDescription VerifyMac
        """,
    ),
    "logs": _kept(
        "groups, streams and their events. Nothing is deleted when a retention ends",
        """
        AssociateKmsKey CreateLogStream DeleteLogGroup DeleteLogStream DeleteResourcePolicy
        DeleteRetentionPolicy DisassociateKmsKey FilterLogEvents PutResourcePolicy PutRetentionPolicy
        TagLogGroup TagResource UntagLogGroup UntagResource
        """,
    ),
    "s3": _kept(
        "buckets and objects. No object expires by a lifecycle rule, and no access is logged",
        """
        AbortMultipartUpload CreateBucket DeleteBucket
        DeleteBucketLifecycle DeleteBucketPolicy
        DeleteBucketTagging DeleteObject DeleteObjectTagging DeleteObjects PutBucketAcl
        PutBucketEncryption PutBucketLifecycle PutBucketLifecycleConfiguration PutBucketLogging PutBucketNotification
        PutBucketNotificationConfiguration PutBucketOwnershipControls PutBucketPolicy PutBucketTagging
        PutBucketVersioning PutObjectAcl PutObjectTagging PutPublicAccessBlock UploadPartCopy
        """,
    ),
    "scheduler": _kept(
        "groups and tags; services/scheduler calls the schedules' targets",
        "CreateScheduleGroup DeleteScheduleGroup TagResource UntagResource",
    ),
    "secretsmanager": _kept(
        "secrets and their versions. Nothing rotates them",
        """
        CreateSecret DeleteResourcePolicy DeleteSecret PutResourcePolicy PutSecretValue RestoreSecret
        TagResource UntagResource UpdateSecret UpdateSecretVersionStage ValidateResourcePolicy
        """,
    ),
    "sns": _kept(
        "topics and subscriptions; services/sns.py delivers what is published",
        """
        AddPermission CreateTopic DeleteTopic Publish PublishBatch RemovePermission
        SetSubscriptionAttributes SetTopicAttributes TagResource UntagResource
        """,
    ),
    "sqs": _kept(
        "queues and messages, with their time outs",
        """
        AddPermission ChangeMessageVisibility ChangeMessageVisibilityBatch CreateQueue DeleteMessage
        DeleteMessageBatch DeleteQueue PurgeQueue ReceiveMessage RemovePermission SendMessage SendMessageBatch
        SetQueueAttributes TagQueue UntagQueue
        """,
    ),
    "ssm": _kept(
        "parameters",
        """
        AddTagsToResource DeleteParameter DeleteParameters LabelParameterVersion PutParameter
        RemoveTagsFromResource
        """,
    ),
    "stepfunctions": _kept(
        "state machines; moto's interpreter executes them, with services/stepfunctions for what it lacks",
        "DeleteStateMachine TagResource UntagResource",
    ),
}


def is_kept(service: str, operation: str) -> bool:
    """Whether moto may answer the operation by itself."""
    kept = KEPT.get(service)
    return kept is not None and (operation in kept.operations or operation.startswith(READS))


def refuse_unless_kept(service: str, operation: str) -> None:
    """Raises AwsError (501) for what is not known to be plain state."""
    if not is_kept(service, operation):
        raise not_implemented(service, operation)
