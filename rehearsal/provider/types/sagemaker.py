"""SageMaker: models, endpoints, package groups, monitoring and notebooks."""

from __future__ import annotations

import json

from rehearsal.provider.differ import Semantics
from rehearsal.provider.errors import ProviderError
from rehearsal.provider.naming import AutoName, unique
from rehearsal.provider.resource import Context, ResourceType, Tagging, Values

TAGS = Tagging("ListTags", "AddTags", "DeleteTags", "ResourceArn")
# pulumi-aws makes up names of up to 255 characters; its terraform half refuses those above 63 (rules/sagemaker.py).
LONGEST = 255
ENDPOINT_FAILED = frozenset({"Failed", "OutOfService", "RollingBack", "UpdateRollbackFailed"})


class Model(ResourceType):
    token = "aws:sagemaker/model:Model"
    service = "sagemaker"
    name = AutoName("name", LONGEST, prefix_property=None)
    keeps = frozenset()
    member_defaults = {"primaryContainer.mode": "SingleModel"}
    renames = {"name": "ModelName", "arn": "ModelArn"}
    semantics = Semantics(unordered=frozenset({"vpcConfig.subnets", "vpcConfig.securityGroupIds"}))
    tagging = TAGS
    create_op, describe_op, delete_op, key = "CreateModel", "DescribeModel", "DeleteModel", "ModelName"

    def shape_answer(self, ctx: Context, answer: Values) -> Values:
        # An answer's containers are ordered and may be empty; pulumi's is a list only when it was given.
        if not answer.get("Containers"):
            answer.pop("Containers", None)
        if not (answer.get("VpcConfig") or {}).get("Subnets"):
            answer.pop("VpcConfig", None)
        if answer.get("PrimaryContainer", {}).get("Mode") == "SingleModel":
            # The default; an imported model must not seem to differ from a program that leaves it out.
            answer["PrimaryContainer"] = {k: v for k, v in answer["PrimaryContainer"].items() if k != "Mode"}
        return answer


class EndpointConfiguration(ResourceType):
    token = "aws:sagemaker/endpointConfiguration:EndpointConfiguration"
    service = "sagemaker"
    name = AutoName("name", LONGEST)
    keeps = frozenset()
    member_defaults = {"productionVariants.initialVariantWeight": 1}
    renames = {"name": "EndpointConfigName", "arn": "EndpointConfigArn", "kmsKeyArn": "KmsKeyId"}
    write_only = frozenset({"namePrefix"})
    tagging = TAGS
    create_op, describe_op = "CreateEndpointConfig", "DescribeEndpointConfig"
    delete_op, key = "DeleteEndpointConfig", "EndpointConfigName"

    def shape_inputs(self, ctx: Context) -> Values:
        """Variant names are automatic where they are not given, as with the real provider."""
        inputs = dict(ctx.inputs)
        for group in ("productionVariants", "shadowProductionVariants"):
            if inputs.get(group):
                inputs[group] = [{"variantName": unique("terraform-"), **variant} for variant in inputs[group]]
        return inputs


class Endpoint(ResourceType):
    token = "aws:sagemaker/endpoint:Endpoint"
    service = "sagemaker"
    name = AutoName("name", LONGEST, prefix_property=None)
    replaces = frozenset({"name"})
    renames = {"name": "EndpointName", "arn": "EndpointArn", "deploymentConfig": "LastDeploymentConfig"}
    write_only = frozenset({"deploymentConfig"})
    supports = frozenset({"name", "endpointConfigName", "deploymentConfig", "tags"})
    tagging = TAGS
    describe_op, delete_op, key = "DescribeEndpoint", "DeleteEndpoint", "EndpointName"

    def create(self, ctx: Context) -> None:
        name = ctx.inputs["name"]
        request = {"EndpointName": name, "EndpointConfigName": ctx.inputs["endpointConfigName"]}
        tags = [{"Key": key, "Value": str(value)} for key, value in (ctx.inputs.get("tags") or {}).items()]
        ctx.call("CreateEndpoint", {**request, "Tags": tags or None, **self._deployment(ctx, "CreateEndpoint")})
        # No id before it is in service: an endpoint that fails stays in AWS, and no state knows it (endpoint.go).
        self._in_service(ctx, name)
        ctx.id = name

    def _deployment(self, ctx: Context, operation: str) -> Values:
        from rehearsal.provider import mapping

        if not ctx.inputs.get("deploymentConfig"):
            return {}
        shape = ctx.shape(operation).members["DeploymentConfig"]
        return {"DeploymentConfig": mapping.to_aws(shape, ctx.inputs["deploymentConfig"], {})}

    def _in_service(self, ctx: Context, name: str) -> None:
        def ready() -> bool:
            answer = ctx.call("DescribeEndpoint", {"EndpointName": name})
            status = answer["EndpointStatus"]
            if status in ENDPOINT_FAILED:
                raise ProviderError(f"endpoint {name} is {status}: {answer.get('FailureReason') or 'no reason given'}")
            return bool(status == "InService")

        ctx.wait(f"endpoint {name} to be in service", ready)

    def update(self, ctx: Context) -> None:
        if ctx.changed & {"endpointConfigName", "deploymentConfig"}:
            wanted = {"EndpointName": ctx.id, "EndpointConfigName": ctx.inputs["endpointConfigName"]}
            ctx.call("UpdateEndpoint", {**wanted, **self._deployment(ctx, "UpdateEndpoint")})
            self._in_service(ctx, ctx.id)

    def delete(self, ctx: Context) -> None:
        super().delete(ctx)
        ctx.wait(f"endpoint {ctx.id} to be deleted", lambda: ctx.find(self.describe_op, self.target(ctx)) is None)


class ModelPackageGroup(ResourceType):
    token = "aws:sagemaker/modelPackageGroup:ModelPackageGroup"
    service = "sagemaker"
    keeps = frozenset()
    renames = {"arn": "ModelPackageGroupArn"}
    tagging = TAGS
    create_op, describe_op = "CreateModelPackageGroup", "DescribeModelPackageGroup"
    delete_op, key = "DeleteModelPackageGroup", "ModelPackageGroupName"

    def identify(self, ctx: Context, answer: Values) -> str:
        return str(ctx.inputs["modelPackageGroupName"])


class ModelPackageGroupPolicy(ResourceType):
    token = "aws:sagemaker/modelPackageGroupPolicy:ModelPackageGroupPolicy"
    service = "sagemaker"
    replaces = frozenset({"modelPackageGroupName"})
    supports = frozenset({"modelPackageGroupName", "resourcePolicy"})
    semantics = Semantics(documents=frozenset({"resourcePolicy"}))

    def create(self, ctx: Context) -> None:
        ctx.call("PutModelPackageGroupPolicy", self.request(ctx, "PutModelPackageGroupPolicy"))
        ctx.id = ctx.inputs["modelPackageGroupName"]

    def read(self, ctx: Context) -> Values | None:
        answer = ctx.find("GetModelPackageGroupPolicy", {"ModelPackageGroupName": ctx.id})
        if answer is None:
            return None
        policy = json.dumps(json.loads(answer["ResourcePolicy"]), separators=(",", ":"))
        return {"modelPackageGroupName": ctx.id, "resourcePolicy": policy}

    def update(self, ctx: Context) -> None:
        self.create(ctx)

    def delete(self, ctx: Context) -> None:
        ctx.call("DeleteModelPackageGroupPolicy", {"ModelPackageGroupName": ctx.id})


class DataQualityJobDefinition(ResourceType):
    token = "aws:sagemaker/dataQualityJobDefinition:DataQualityJobDefinition"
    service = "sagemaker"
    name = AutoName("name", LONGEST, prefix_property=None)
    keeps = frozenset({"roleArn"})
    unsent = frozenset({"roleArn"})
    member_defaults = {
        "dataQualityJobInput.endpointInput.localPath": "/opt/ml/processing/input",
        "dataQualityJobOutputConfig.monitoringOutputs.s3Output.localPath": "/opt/ml/processing/output",
    }
    renames = {
        "name": "JobDefinitionName",
        "arn": "JobDefinitionArn",
        "dataQualityJobOutputConfig.monitoringOutputs": "MonitoringOutputs",
        "jobResources.clusterConfig": "ClusterConfig",
    }
    tagging = TAGS
    create_op, describe_op = "CreateDataQualityJobDefinition", "DescribeDataQualityJobDefinition"
    delete_op, key = "DeleteDataQualityJobDefinition", "JobDefinitionName"

    def update(self, ctx: Context) -> None:
        """Nothing: only the role may change in place, and no update sends it (data_quality_job_definition.go)."""


class MonitoringSchedule(ResourceType):
    token = "aws:sagemaker/monitoringSchedule:MonitoringSchedule"
    service = "sagemaker"
    name = AutoName("name", LONGEST, prefix_property=None)
    replaces = frozenset({"name"})
    renames = {"name": "MonitoringScheduleName", "arn": "MonitoringScheduleArn"}
    tagging = TAGS
    create_op, describe_op = "CreateMonitoringSchedule", "DescribeMonitoringSchedule"
    update_op, delete_op, key = "UpdateMonitoringSchedule", "DeleteMonitoringSchedule", "MonitoringScheduleName"

    def create(self, ctx: Context) -> None:
        super().create(ctx)
        self._scheduled(ctx)

    def update(self, ctx: Context) -> None:
        super().update(ctx)
        self._scheduled(ctx)

    def _scheduled(self, ctx: Context) -> None:
        def ready() -> bool:
            answer = ctx.call(self.describe_op, self.target(ctx))
            if answer["MonitoringScheduleStatus"] == "Failed":
                raise ProviderError(
                    f"monitoring schedule {ctx.id} failed: {answer.get('FailureReason') or 'no reason'}"
                )
            return bool(answer["MonitoringScheduleStatus"] in ("Scheduled", "Stopped"))

        ctx.wait(f"monitoring schedule {ctx.id} to be scheduled", ready)

    def delete(self, ctx: Context) -> None:
        super().delete(ctx)
        ctx.wait(f"schedule {ctx.id} to be deleted", lambda: ctx.find(self.describe_op, self.target(ctx)) is None)


class NotebookInstance(ResourceType):
    token = "aws:sagemaker/notebookInstance:NotebookInstance"
    service = "sagemaker"
    name = AutoName("name", LONGEST, prefix_property=None)
    replaces = frozenset(
        {"name", "subnetId", "securityGroups", "kmsKeyId", "directInternetAccess", "platformIdentifier"}
    )
    defaults = {"rootAccess": "Enabled", "directInternetAccess": "Enabled", "volumeSize": 5}
    renames = {
        "name": "NotebookInstanceName",
        "arn": "NotebookInstanceArn",
        "lifecycleConfigName": "LifecycleConfigName",
        "volumeSize": "VolumeSizeInGB",
        "securityGroups": "SecurityGroupIds",
        "defaultCodeRepository": "DefaultCodeRepository",
    }
    tagging = TAGS

    def replaces_when(self, path: str, before: Values, after: Values) -> bool:
        """A volume cannot shrink (notebook_instance.go, CustomizeDiff): its disk is lost."""
        was, wanted = before.get("volumeSize"), after.get("volumeSize")
        return path == "volumeSize" and isinstance(was, int) and isinstance(wanted, int) and was > wanted

    create_op, describe_op = "CreateNotebookInstance", "DescribeNotebookInstance"
    update_op, delete_op, key = "UpdateNotebookInstance", "DeleteNotebookInstance", "NotebookInstanceName"

    def shape_answer(self, ctx: Context, answer: Values) -> Values:
        answer["LifecycleConfigName"] = answer.get("NotebookInstanceLifecycleConfigName")
        answer["SecurityGroupIds"] = answer.get("SecurityGroups") or None
        return answer

    def create(self, ctx: Context) -> None:
        super().create(ctx)
        self._reach(ctx, "InService")

    def update(self, ctx: Context) -> None:
        """An instance is stopped for a change, and started again when it was running."""
        if not ctx.changed - {"tags"}:
            return
        running = ctx.call(self.describe_op, self.target(ctx))["NotebookInstanceStatus"] == "InService"
        if running:
            self._stop(ctx)
        super().update(ctx)
        self._reach(ctx, "Stopped")
        if running:
            ctx.call("StartNotebookInstance", self.target(ctx))
            self._reach(ctx, "InService")

    def _stop(self, ctx: Context) -> None:
        ctx.call("StopNotebookInstance", self.target(ctx))
        self._reach(ctx, "Stopped")

    def _reach(self, ctx: Context, wanted: str) -> None:
        def there() -> bool:
            answer = ctx.call(self.describe_op, self.target(ctx))
            if answer["NotebookInstanceStatus"] == "Failed":
                raise ProviderError(f"notebook {ctx.id} failed: {answer.get('FailureReason') or 'no reason given'}")
            return bool(answer["NotebookInstanceStatus"] == wanted)

        ctx.wait(f"notebook {ctx.id} to be {wanted}", there)

    def delete(self, ctx: Context) -> None:
        answer = ctx.find(self.describe_op, self.target(ctx))
        if answer is None:
            return
        if answer["NotebookInstanceStatus"] not in ("Stopped", "Failed"):
            self._stop(ctx)
        super().delete(ctx)
        ctx.wait(f"notebook {ctx.id} to be deleted", lambda: ctx.find(self.describe_op, self.target(ctx)) is None)


class NotebookInstanceLifecycleConfiguration(ResourceType):
    token = "aws:sagemaker/notebookInstanceLifecycleConfiguration:NotebookInstanceLifecycleConfiguration"
    service = "sagemaker"
    name = AutoName("name", LONGEST, prefix_property=None)
    replaces = frozenset({"name"})
    renames = {"name": "NotebookInstanceLifecycleConfigName", "arn": "NotebookInstanceLifecycleConfigArn"}
    tagging = TAGS
    create_op, describe_op = "CreateNotebookInstanceLifecycleConfig", "DescribeNotebookInstanceLifecycleConfig"
    update_op = "UpdateNotebookInstanceLifecycleConfig"
    delete_op, key = "DeleteNotebookInstanceLifecycleConfig", "NotebookInstanceLifecycleConfigName"

    def shape_inputs(self, ctx: Context) -> Values:
        scripts = {key: {"content": ctx.inputs[key]} for key in ("onCreate", "onStart") if ctx.inputs.get(key)}
        return {**ctx.inputs, **scripts}

    def shape_answer(self, ctx: Context, answer: Values) -> Values:
        for hook in ("OnCreate", "OnStart"):
            scripts = answer.get(hook) or []
            answer[hook] = scripts[0].get("Content") if scripts else None
        return answer


TYPES = (
    DataQualityJobDefinition,
    Endpoint,
    EndpointConfiguration,
    Model,
    ModelPackageGroup,
    ModelPackageGroupPolicy,
    MonitoringSchedule,
    NotebookInstance,
    NotebookInstanceLifecycleConfiguration,
)
