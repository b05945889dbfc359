"""Notebook instances and their lifecycle configurations: state only, no machine behind it."""

from typing import Any

from rehearsal.cloud.core.api import Call, operation
from rehearsal.cloud.services.sagemaker import state, tags

NOTEBOOK = "notebook-instance"
LIFECYCLE = "notebook-instance-lifecycle-config"
_CHANGEABLE = (
    "InstanceType", "RoleArn", "VolumeSizeInGB", "DefaultCodeRepository", "AdditionalCodeRepositories", "RootAccess",
    "InstanceMetadataServiceConfiguration",
)  # fmt: skip
_OWN = ("Tags", "LifecycleConfigName", "SecurityGroupIds")


@operation("sagemaker", "CreateNotebookInstance")
def create(call: Call) -> dict[str, Any]:
    params, name = call.params, call.params["NotebookInstanceName"]
    notebooks = state.records(call, NOTEBOOK)
    arn = state.call_arn(call, NOTEBOOK, name)
    if name in notebooks:
        raise state.invalid(f"Cannot create a duplicate Notebook Instance ({arn})")
    state.check_role(call, params["RoleArn"], arn)
    if params.get("DirectInternetAccess") == "Disabled" and "SubnetId" not in params:
        raise state.invalid("DirectInternetAccess can only be Disabled for a notebook instance in a subnet")
    lifecycle = params.get("LifecycleConfigName")
    if lifecycle:
        _lifecycle(call, lifecycle)
    now = call.cloud.clock.now()
    notebooks[name] = {
        "VolumeSizeInGB": 5, "DirectInternetAccess": "Enabled", "RootAccess": "Enabled",
        "PlatformIdentifier": "notebook-al2-v2",
        **{key: value for key, value in params.items() if key not in _OWN},
        "NotebookInstanceArn": arn, "NotebookInstanceStatus": "InService", "CreationTime": now, "LastModifiedTime": now,
        "Url": f"{name}.notebook.{call.region}.sagemaker.aws", "SecurityGroups": params.get("SecurityGroupIds", []),
        "_arn": arn, "_tags": tags.given(call),
    }  # fmt: skip
    if lifecycle:
        notebooks[name]["NotebookInstanceLifecycleConfigName"] = lifecycle
    return {"NotebookInstanceArn": arn}


@operation("sagemaker", "DescribeNotebookInstance")
def describe(call: Call) -> dict[str, Any]:
    return _notebook(call)


@operation("sagemaker", "UpdateNotebookInstance")
def update(call: Call) -> dict[str, Any]:
    notebook, params = _notebook(call), call.params
    if notebook["NotebookInstanceStatus"] != "Stopped":
        raise state.invalid(f"Status (InService) not in ([Stopped]). Unable to transition for ({notebook['_arn']})")
    if "RoleArn" in params:
        state.check_role(call, params["RoleArn"], notebook["_arn"])
    notebook |= {key: params[key] for key in _CHANGEABLE if key in params}
    if "LifecycleConfigName" in params:
        _lifecycle(call, params["LifecycleConfigName"])
        notebook["NotebookInstanceLifecycleConfigName"] = params["LifecycleConfigName"]
    if params.get("DisassociateLifecycleConfig"):
        notebook.pop("NotebookInstanceLifecycleConfigName", None)
    notebook["LastModifiedTime"] = call.cloud.clock.now()
    return {}


@operation("sagemaker", "StopNotebookInstance")
def stop(call: Call) -> dict[str, Any]:
    _move(call, "InService", "Stopped")
    return {}


@operation("sagemaker", "StartNotebookInstance")
def start(call: Call) -> dict[str, Any]:
    _move(call, "Stopped", "InService")
    return {}


@operation("sagemaker", "DeleteNotebookInstance")
def delete(call: Call) -> dict[str, Any]:
    notebook = _notebook(call)
    if notebook["NotebookInstanceStatus"] not in ("Stopped", "Failed"):
        raise state.invalid(
            f"Status ({notebook['NotebookInstanceStatus']}) not in ([Stopped, Failed]). Unable to transition to"
            f" (Deleting) for Notebook Instance ({notebook['_arn']})"
        )
    del state.records(call, NOTEBOOK)[notebook["NotebookInstanceName"]]
    return {}


@operation("sagemaker", "ListNotebookInstances")
def list_notebooks(call: Call) -> dict[str, Any]:
    found, token = state.page(
        call, state.records(call, NOTEBOOK).values(), name=lambda item: item["NotebookInstanceName"],
        status="NotebookInstanceStatus", default_sort="Name",
    )  # fmt: skip
    return state.with_token({"NotebookInstances": found}, token)


def _move(call: Call, before: str, after: str) -> None:
    notebook = _notebook(call)
    if notebook["NotebookInstanceStatus"] != before:
        raise state.invalid(
            f"Status ({notebook['NotebookInstanceStatus']}) not in ([{before}]). Unable to transition for Notebook"
            f" Instance ({notebook['_arn']})"
        )
    notebook |= {"NotebookInstanceStatus": after, "LastModifiedTime": call.cloud.clock.now()}


def _notebook(call: Call) -> state.Record:
    notebook = state.records(call, NOTEBOOK).get(call.params["NotebookInstanceName"])
    if notebook is None:
        raise state.invalid("RecordNotFound")
    return notebook


@operation("sagemaker", "CreateNotebookInstanceLifecycleConfig")
def create_lifecycle(call: Call) -> dict[str, Any]:
    params, name = call.params, call.params["NotebookInstanceLifecycleConfigName"]
    configs = state.records(call, LIFECYCLE)
    arn = state.call_arn(call, LIFECYCLE, name)
    if name in configs:
        raise state.invalid(f"Unable to create Notebook Instance Lifecycle Config {arn}. (Details: it already exists.)")
    now = call.cloud.clock.now()
    configs[name] = {
        **{key: value for key, value in params.items() if key != "Tags"},
        "NotebookInstanceLifecycleConfigArn": arn, "CreationTime": now, "LastModifiedTime": now,
        "_arn": arn, "_tags": tags.given(call),
    }  # fmt: skip
    return {"NotebookInstanceLifecycleConfigArn": arn}


@operation("sagemaker", "UpdateNotebookInstanceLifecycleConfig")
def update_lifecycle(call: Call) -> dict[str, Any]:
    config = _lifecycle(call, call.params["NotebookInstanceLifecycleConfigName"])
    config |= {key: call.params[key] for key in ("OnCreate", "OnStart") if key in call.params}
    config["LastModifiedTime"] = call.cloud.clock.now()
    return {}


@operation("sagemaker", "DescribeNotebookInstanceLifecycleConfig")
def describe_lifecycle(call: Call) -> dict[str, Any]:
    return _lifecycle(call, call.params["NotebookInstanceLifecycleConfigName"])


@operation("sagemaker", "DeleteNotebookInstanceLifecycleConfig")
def delete_lifecycle(call: Call) -> dict[str, Any]:
    name = call.params["NotebookInstanceLifecycleConfigName"]
    _lifecycle(call, name)
    del state.records(call, LIFECYCLE)[name]
    return {}


def _lifecycle(call: Call, name: str) -> state.Record:
    config = state.records(call, LIFECYCLE).get(name)
    if config is None:
        raise state.invalid(
            f"Unable to describe Notebook Instance Lifecycle Config '{state.call_arn(call, LIFECYCLE, name)}'."
            " (Details: Notebook Instance Lifecycle Config does not exist.)"
        )
    return config
