"""The volumes of training and processing jobs."""

from rehearsal.cloud.authorization.actions import action_of
from rehearsal.cloud.authorization.enforce import enforce
from rehearsal.cloud.compute.jobs import Job, JobFailed
from rehearsal.cloud.core.api import AwsError, Call
from rehearsal.cloud.services.sagemaker.authorization import grant


def encrypt(run: Job, key: str | None) -> None:
    """SageMaker encrypts a job's volumes with a key by a grant that the job's own role must be allowed to make.

    kms:CreateGrant stands among the permissions that the roles of CreateTrainingJob and CreateProcessingJob need where
    a volume has a key: https://docs.aws.amazon.com/sagemaker/latest/dg/sagemaker-roles.html. Raises JobFailed.
    """
    needs = grant(key, run.account, run.region) if key else []
    if not needs:
        return
    identity = run.cloud.accounts.find(run.credentials.access_key_id)
    assert identity is not None, "a job runs under a session of its role"
    params = {"KeyId": key, "Operations": ["Encrypt", "Decrypt"]}
    action = action_of("kms", "CreateGrant")
    call = Call(
        run.cloud, run.account, run.region, "sagemaker", "CreateGrant", params, identity.principal, "", action
    )  # fmt: skip
    try:
        enforce(call, needs)
    except AwsError as error:
        raise JobFailed(f"ClientError: cannot encrypt the volume with {key}: {error.message}") from error
