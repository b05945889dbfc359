"""Service integrations that moto's interpreter lacks or gets wrong: SageMaker, Glue, and results of the AWS SDK."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, cast

from botocore.exceptions import ClientError
from moto.stepfunctions.parser.api import HistoryEventType, TaskFailedEventDetails
from moto.stepfunctions.parser.asl.component.common.error_name.custom_error_name import CustomErrorName
from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import FailureEvent, FailureEventException
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name import StatesErrorName
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name_type import StatesErrorNameType
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.resource import ResourceCondition
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service_aws_sdk import (
    StateTaskServiceAwsSdk,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service_callback import (
    StateTaskServiceCallback,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service_factory import (
    state_task_service_for,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service_glue import (
    _SUPPORTED_API_PARAM_BINDINGS as _GLUE_PARAMETERS,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service_glue import (
    StateTaskServiceGlue,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service_sfn import (
    StateTaskServiceSfn,
)
from moto.stepfunctions.parser.asl.eval.event.event_detail import EventDetails
from moto.stepfunctions.parser.asl.utils.encoding import to_json_str
from moto.stepfunctions.parser.utils import camel_to_snake_case

from rehearsal.cloud.services.stepfunctions.credentials import client_for

_SDK_NAMES = {
    "sagemaker": "SageMaker",
    "dynamodb": "DynamoDb",
    "codepipeline": "CodePipeline",
    "codebuild": "CodeBuild",
}


class Aborted(Exception):  # noqa: N818  an outcome
    """The execution was stopped, or the state timed out, while a job of it ran; the job is stopped too."""


def service_task(service_name: str) -> Any:
    """The task of a service: ours, or else moto's. Raises for one that moto only pretends to know."""
    ours: dict[str, Callable[[], Any]] = {
        "sagemaker": SageMakerTask,
        "glue": GlueTask,
        "states": MachineTask,
        "aws-sdk": SdkTask,
    }
    if service_name in ours:
        return ours[service_name]()
    task = state_task_service_for(service_name)
    if type(task).__name__ == "StateTaskServiceUnsupported":
        raise ValueError(f"not implemented by the rehearsal: the optimised integration of {service_name}")
    return task


def plain(value: Any) -> Any:
    """A result as Step Functions hands it on: time stamps are numbers (milliseconds)."""
    if isinstance(value, datetime):
        return int(value.timestamp() * 1000)
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items() if key != "ResponseMetadata"}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value


class JobTask(StateTaskServiceCallback):
    """A task that starts a job and, with `.sync`, waits for its end."""

    def __init__(self) -> None:
        # waitForTaskToken is refused below; moto's callback code breaks without it in this set.
        # Named, since moto's own tasks, the next in line for some of ours, take no arguments.
        StateTaskServiceCallback.__init__(
            self, supported_integration_patterns=cast(Any, {ResourceCondition.Sync, ResourceCondition.WaitForTaskToken})
        )
        self._stop_job: Callable[[], None] | None = None

    def _validate_service_integration_is_supported(self) -> None:
        if self.resource.condition not in (None, ResourceCondition.Sync):
            raise ValueError(f"The resource {self.resource.resource_arn} does not support {self.resource.condition}")
        cast(Any, super())._validate_service_integration_is_supported()

    def _eval_sync(self, env: Any, sync_resolver: Any, *args: Any, **kwargs: Any) -> Any:
        outcome = super()._eval_sync(env, sync_resolver, *args, **kwargs)
        if outcome is None or not env.is_running():
            if self._stop_job:
                self._stop_job()
            raise Aborted
        return outcome

    def _eval_execution(self, env: Any) -> None:
        try:
            super()._eval_execution(env)
        except Aborted:
            # The program has ended: whatever stands here is seen by nobody.
            env.stack.append({})

    def _failed(self, env: Any, cause: Any) -> FailureEventException:
        return FailureEventException(
            FailureEvent(
                env=env,
                error_name=StatesErrorName(typ=StatesErrorNameType.StatesTaskFailed),
                event_type=HistoryEventType.TaskFailed,
                event_details=EventDetails(  # type: ignore[typeddict-item]
                    taskFailedEventDetails=TaskFailedEventDetails(
                        resource=self._get_sfn_resource(),
                        resourceType=self._get_sfn_resource_type(),
                        error=StatesErrorNameType.StatesTaskFailed.to_name(),
                        cause=to_json_str(cause),
                    )
                ),
            )
        )

    def _refused(self, env: Any, error: ClientError, name: str, service: str) -> FailureEvent:
        details, metadata = error.response["Error"], error.response["ResponseMetadata"]
        cause = (
            f"{details['Message']} (Service: {service}; Status Code: {metadata['HTTPStatusCode']};"
            f" Error Code: {details['Code']}; Request ID: {metadata.get('RequestId', '')}; Proxy: null)"
        )
        return FailureEvent(
            env=env,
            error_name=CustomErrorName(name),
            event_type=HistoryEventType.TaskFailed,
            event_details=EventDetails(  # type: ignore[typeddict-item]
                taskFailedEventDetails=TaskFailedEventDetails(
                    resource=self._get_sfn_resource(),
                    resourceType=self._get_sfn_resource_type(),
                    error=name,
                    cause=cause,
                )
            ),
        )


_SYNC_JOBS = {
    "createTrainingJob": "TrainingJob",
    "createProcessingJob": "ProcessingJob",
    "createHyperParameterTuningJob": "HyperParameterTuningJob",
}
_SAGEMAKER_ACTIONS = frozenset({*_SYNC_JOBS, "createEndpoint", "createEndpointConfig", "createModel", "updateEndpoint"})


class SageMakerTask(JobTask):
    """`sagemaker:createTrainingJob`, `createProcessingJob`, `createHyperParameterTuningJob` (with `.sync`), models and
    endpoints."""

    def _get_supported_parameters(self) -> set[str] | None:
        action, waits = self.resource.api_action, self.resource.condition is not None
        if action not in _SAGEMAKER_ACTIONS or (waits and action not in _SYNC_JOBS):
            return None
        return set()

    def _eval_service_task(
        self, env: Any, resource_runtime_part: Any, normalised_parameters: Any, state_credentials: Any
    ) -> None:
        client = client_for(resource_runtime_part.region, "sagemaker", state_credentials)
        answer = getattr(client, self._get_boto_service_action())(**normalised_parameters)
        env.stack.append(plain(answer))

    def _build_sync_resolver(
        self, env: Any, resource_runtime_part: Any, normalised_parameters: Any, state_credentials: Any
    ) -> Callable[[], Any]:
        env.stack.pop()
        kind = _SYNC_JOBS[self.resource.api_action]
        client = client_for(resource_runtime_part.region, "sagemaker", state_credentials)
        name = {f"{kind}Name": normalised_parameters[f"{kind}Name"]}
        action = camel_to_snake_case(kind)

        def stop() -> None:
            try:
                getattr(client, f"stop_{action}")(**name)
            except ClientError as error:
                # It ended by itself in this very moment.
                if error.response["Error"]["Code"] != "ValidationException":
                    raise

        def resolve() -> Any:
            job = plain(getattr(client, f"describe_{action}")(**name))
            status = job[f"{kind}Status"]
            if status in ("InProgress", "Stopping"):
                return None
            if status != "Completed":
                raise self._failed(env, job)
            return job

        self._stop_job = stop
        return resolve

    def _from_error(self, env: Any, ex: Exception) -> FailureEvent:
        if isinstance(ex, ClientError):
            return self._refused(env, ex, "SageMaker.AmazonSageMakerException", "AmazonSageMaker")
        return super()._from_error(env=env, ex=ex)


class GlueTask(JobTask, StateTaskServiceGlue):
    """`glue:startJobRun`, with and without `.sync`."""

    def _get_supported_parameters(self) -> set[str] | None:
        return _GLUE_PARAMETERS.get(self.resource.api_action.lower())

    def _build_sync_resolver(
        self, env: Any, resource_runtime_part: Any, normalised_parameters: Any, state_credentials: Any
    ) -> Callable[[], Any]:
        started = env.stack.pop()
        client = client_for(resource_runtime_part.region, "glue", state_credentials)
        run = {"JobName": started["JobName"], "RunId": started["JobRunId"]}

        def stop() -> None:
            client.batch_stop_job_run(JobName=run["JobName"], JobRunIds=[run["RunId"]])

        def resolve() -> Any:
            found = plain(client.get_job_run(**run)["JobRun"])
            if found["JobRunState"] in ("STARTING", "RUNNING", "STOPPING", "WAITING"):
                return None
            if found["JobRunState"] != "SUCCEEDED":
                raise self._failed(env, found)
            return found

        self._stop_job = stop
        return resolve

    def _from_error(self, env: Any, ex: Exception) -> FailureEvent:
        if isinstance(ex, ClientError):
            return self._refused(env, ex, f"Glue.{ex.response['Error']['Code']}", "AWSGlue")
        return super()._from_error(env=env, ex=ex)


class MachineTask(StateTaskServiceSfn):
    """`states:startExecution`, with `.sync` and `.sync:2`: members begin in capitals here, and not in the API.

    https://docs.aws.amazon.com/step-functions/latest/dg/connect-stepfunctions.html
    """

    def _normalise_parameters(self, parameters: dict[str, Any], *args: Any, **kwargs: Any) -> None:
        super()._normalise_parameters(parameters, *args, **kwargs)
        for name in list(parameters):
            parameters[name[:1].lower() + name[1:]] = parameters.pop(name)

    def _normalise_response(self, response: Any, *args: Any, **kwargs: Any) -> None:
        if not isinstance(response, dict):
            return
        for name in list(response):
            value = plain(response.pop(name))
            if isinstance(value, dict) and name.endswith("Details"):
                value = {inner[:1].upper() + inner[1:]: item for inner, item in value.items()}
            response[name[:1].upper() + name[1:]] = value


class SdkTask(StateTaskServiceAwsSdk):
    """`aws-sdk:<service>:<action>`: moto's, but time stamps in results are numbers and unknown actions are refused."""

    def _validate_service_integration_is_supported(self) -> None:
        import botocore.session
        from botocore import xform_name

        service = self._get_boto_service_name()
        session = botocore.session.get_session()
        if service in session.get_available_services():
            operations = {xform_name(name) for name in session.get_service_model(service).operation_names}
            if xform_name(self.resource.api_action) in operations:
                return
        raise ValueError(
            f"The resource provided {self.resource.resource_arn} is not recognized. The value is not a valid resource"
            " ARN, or the resource is not available in this region."
        )

    @staticmethod
    def _normalise_service_error_name(service_name: str) -> str:
        return _SDK_NAMES.get(service_name.lower(), service_name[:1].upper() + service_name[1:])

    def _eval_service_task(self, env: Any, *args: Any, **kwargs: Any) -> None:
        super()._eval_service_task(env, *args, **kwargs)
        env.stack.append(plain(env.stack.pop()))
