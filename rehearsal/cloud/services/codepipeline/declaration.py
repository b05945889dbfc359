"""Checks a pipeline's declaration as CodePipeline does when it is created or updated."""

import json
from typing import Any

from rehearsal.cloud.core.api import AwsError
from rehearsal.cloud.services.codepipeline.providers import NOT_REHEARSED, OUTPUT_VARIABLES, PROVIDERS, Provider
from rehearsal.cloud.services.codepipeline.variables import references

_RESERVED = {"codepipeline", "variables"}
_ENVIRONMENT_KEYS = {"name", "value", "type"}
_ENVIRONMENT_TYPES = {"PLAINTEXT", "PARAMETER_STORE", "SECRETS_MANAGER"}
_CONDITIONS = ("beforeEntry", "onSuccess", "onFailure")


def check(pipeline: dict[str, Any], region: str) -> None:
    """Raises the `AwsError` that CodePipeline answers for a bad declaration."""
    _check_shape(pipeline)
    for number, stage in enumerate(pipeline["stages"]):
        _check_stage(stage, first=number == 0)
        for action in stage["actions"]:
            _check_action(action, region)
    _check_artifacts(pipeline["stages"])
    _check_variables(pipeline)


def normalised(pipeline: dict[str, Any]) -> dict[str, Any]:
    """The declaration with the defaults that AWS writes into it."""
    filled: dict[str, Any] = json.loads(json.dumps(pipeline))
    filled.setdefault("pipelineType", "V1")
    filled.setdefault("executionMode", "SUPERSEDED")
    for stage in filled["stages"]:
        for action in stage["actions"]:
            action.setdefault("runOrder", 1)
            action.setdefault("configuration", {})
            action.setdefault("inputArtifacts", [])
            action.setdefault("outputArtifacts", [])
    return filled


def _structure(message: str) -> AwsError:
    return AwsError("InvalidStructureException", message)


def _stage_error(message: str) -> AwsError:
    return AwsError("InvalidStageDeclarationException", message)


def _action_error(message: str) -> AwsError:
    return AwsError("InvalidActionDeclarationException", message)


def _missing(what: str) -> AwsError:
    return AwsError("NotImplemented", f"the rehearsal does not implement codepipeline: {what}", 501)


def _check_shape(pipeline: dict[str, Any]) -> None:
    stages = pipeline["stages"]
    if ("artifactStore" in pipeline) == ("artifactStores" in pipeline):
        raise _structure("Pipeline must have either artifactStore or artifactStores, and not both")
    if "artifactStores" in pipeline:
        raise _missing("artifactStores (actions in several regions)")
    if len(stages) < 2:
        raise _structure(
            f"Pipeline has only {len(stages)} stage(s). There should be a minimum of 2 stages in a pipeline"
        )
    if len(stages) > 50:
        raise _structure(f"Pipeline has {len(stages)} stages. The maximum is 50")
    _unique([stage["name"] for stage in stages], "Stage name", "pipeline")
    v2_only = [key for key in ("variables", "triggers") if pipeline.get(key)]
    if pipeline.get("executionMode", "SUPERSEDED") != "SUPERSEDED":
        v2_only.append("executionMode")
    if pipeline.get("pipelineType", "V1") != "V2" and v2_only:
        raise _structure(f"{v2_only[0]} requires pipelineType V2")


def _unique(names: list[str], what: str, where: str) -> None:
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise _structure(f"{what} must be unique within the {where}: {', '.join(repeated)}")


def _check_stage(stage: dict[str, Any], first: bool) -> None:
    name, actions = stage["name"], stage["actions"]
    if not actions:
        raise _stage_error(f"Stage {name} has no actions")
    for key in _CONDITIONS:
        if stage.get(key):
            raise _missing(f"{key} of stage {name}")
    if stage.get("blockers"):
        raise AwsError("InvalidBlockerDeclarationException", f"Stage {name}: blockers are reserved for future use")
    _unique([action["name"] for action in actions], "Action name", f"stage {name}")
    sources = [action["name"] for action in actions if action["actionTypeId"]["category"] == "Source"]
    if first and len(sources) < len(actions):
        raise _structure(f"Pipeline should start with a stage that only contains source actions: {name}")
    if not first and sources:
        raise _structure(f"Only the first stage may contain source actions: {name} has {', '.join(sources)}")


def _check_action(action: dict[str, Any], region: str) -> None:
    name, kind = action["name"], action["actionTypeId"]
    pair = (kind["category"], kind["provider"])
    shown = f"category={pair[0]}, owner={kind['owner']}, provider={pair[1]}, version={kind['version']}"
    if pair in NOT_REHEARSED and kind["owner"] == "AWS":
        raise _missing(f"action type ({shown}) of action {name}")
    if kind["owner"] != "AWS":
        raise _missing(f"action owner {kind['owner']} of action {name}")
    provider = PROVIDERS.get(pair)
    if provider is None or kind["version"] != "1":
        raise _action_error(f"ActionType ({shown}) in action {name} is not available in region {region}")
    if action.get("region", region) != region:
        raise _missing(f"action {name} in another region ({action['region']})")
    if "timeoutInMinutes" in action and provider.name != "Manual":
        raise _action_error(f"Action {name}: timeoutInMinutes is available for manual approval actions alone")
    for key in ("commands", "environmentVariables", "outputVariables"):
        if action.get(key):
            raise _action_error(f"Action {name}: {key} is not supported by the {provider.name} action")
    _check_configuration(action, provider)
    _check_counts(action, provider)
    _check_provider(action, provider)


def _check_configuration(action: dict[str, Any], provider: Provider) -> None:
    name, configuration = action["name"], action.get("configuration", {})
    known = provider.required | provider.optional
    unknown = sorted(set(configuration) - known)
    if unknown:
        raise _action_error(f"Action configuration for action '{name}' contains unknown configuration '{unknown[0]}'")
    missing = sorted(provider.required - set(configuration))
    if missing:
        raise _action_error(
            f"Action configuration for action '{name}' is missing required configuration '{missing[0]}'"
        )


def _check_counts(action: dict[str, Any], provider: Provider) -> None:
    for key, word, (least, most) in (
        ("inputArtifacts", "input", provider.inputs),
        ("outputArtifacts", "output", provider.outputs),
    ):
        names = [artifact["name"] for artifact in action.get(key, [])]
        if not least <= len(names) <= most:
            raise _action_error(
                f"Action {action['name']} has {len(names)} {word} artifacts, "
                f"but the {provider.name} action takes {least} to {most}"
            )
        _unique(names, f"{word.capitalize()} artifact name", f"action {action['name']}")


def _check_provider(action: dict[str, Any], provider: Provider) -> None:
    configuration = action.get("configuration", {})
    if provider.name == "CodeBuild":
        _check_build(action, configuration)
    if provider.name == "StepFunctions":
        _check_state_machine(action, configuration)
    if provider.name == "S3" and configuration.get("PollForSourceChanges", "true") != "false":
        raise _missing(
            f"polling of action {action['name']}: set PollForSourceChanges to false and start the pipeline by an event"
        )


def _check_build(action: dict[str, Any], configuration: dict[str, str]) -> None:
    name = action["name"]
    for key in ("BatchEnabled", "CombineArtifacts", "BuildspecOverride"):
        if configuration.get(key, "false") != "false":
            raise _missing(f"{key} of action {name}")
    inputs = [artifact["name"] for artifact in action.get("inputArtifacts", [])]
    primary = configuration.get("PrimarySource")
    if len(inputs) > 1 and primary is None:
        raise _action_error(f"Action {name} has several input artifacts: PrimarySource is required")
    if primary is not None and primary not in inputs:
        raise _action_error(f"Action {name}: PrimarySource {primary} is not one of its input artifacts")
    if "EnvironmentVariables" in configuration:
        build_variables(name, configuration["EnvironmentVariables"])


def build_variables(name: str, text: str) -> list[dict[str, str]]:
    """The variables of a CodeBuild action. Raises `AwsError` for what is not a list of name, value and type."""
    try:
        variables = json.loads(text)
    except json.JSONDecodeError as error:
        raise _action_error(f"Action {name}: EnvironmentVariables is not valid JSON: {error}") from error
    if not isinstance(variables, list):
        raise _action_error(f"Action {name}: EnvironmentVariables must be a JSON list")
    for variable in variables:
        if not isinstance(variable, dict) or not {"name", "value"} <= set(variable) <= _ENVIRONMENT_KEYS:
            raise _action_error(f"Action {name}: each of EnvironmentVariables has name, value and optionally type")
        if not all(isinstance(item, str) for item in variable.values()):
            raise _action_error(f"Action {name}: EnvironmentVariables takes strings alone, found {variable}")
        if variable.get("type", "PLAINTEXT") not in _ENVIRONMENT_TYPES:
            raise _action_error(f"Action {name}: unknown type {variable['type']} in EnvironmentVariables")
    return variables


def _check_state_machine(action: dict[str, Any], configuration: dict[str, str]) -> None:
    name, kind = action["name"], configuration.get("InputType", "Literal")
    if kind not in ("Literal", "FilePath"):
        raise _action_error(f"Action {name}: InputType {kind} is not one of Literal, FilePath")
    if kind == "FilePath" and not (action.get("inputArtifacts") and configuration.get("Input")):
        raise _action_error(f"Action {name}: InputType FilePath needs Input and an input artifact")
    if len(configuration.get("ExecutionNamePrefix", "")) > 80:
        raise _action_error(f"Action {name}: ExecutionNamePrefix is longer than 80 characters")


def _check_artifacts(stages: list[dict[str, Any]]) -> None:
    produced: dict[str, str] = {}
    for stage in stages:
        for order in _orders(stage):
            actions = [action for action in stage["actions"] if action.get("runOrder", 1) == order]
            for action in actions:
                _check_inputs(action, stage, produced)
            for action in actions:
                _add_outputs(action, produced)


def _orders(stage: dict[str, Any]) -> list[int]:
    return sorted({action.get("runOrder", 1) for action in stage["actions"]})


def _check_inputs(action: dict[str, Any], stage: dict[str, Any], produced: dict[str, str]) -> None:
    for artifact in action.get("inputArtifacts", []):
        if artifact["name"] not in produced:
            raise _structure(
                f"Input Artifact Bundle {artifact['name']} in action {action['name']} of stage {stage['name']} "
                "is not declared as output artifact of any prior action"
            )


def _add_outputs(action: dict[str, Any], produced: dict[str, str]) -> None:
    for artifact in action.get("outputArtifacts", []):
        name = artifact["name"]
        if name in produced:
            raise _structure(
                f"Output Artifact Bundle name must be unique within the pipeline: {name} is declared by "
                f"{produced[name]} and {action['name']}"
            )
        produced[name] = action["name"]


def _check_variables(pipeline: dict[str, Any]) -> None:
    declared = [variable["name"] for variable in pipeline.get("variables", [])]
    _unique(declared, "Variable name", "pipeline")
    # what each namespace can give; None where it is known only when the action has run
    spaces: dict[str, frozenset[str] | None] = {
        "codepipeline": frozenset({"PipelineExecutionId"}),
        "variables": frozenset(declared),
    }
    for stage in pipeline["stages"]:
        for order in _orders(stage):
            actions = [action for action in stage["actions"] if action.get("runOrder", 1) == order]
            for action in actions:
                _check_references(action, spaces)
            for action in actions:
                _add_namespace(action, spaces)


def _check_references(action: dict[str, Any], spaces: dict[str, frozenset[str] | None]) -> None:
    for key, text in action.get("configuration", {}).items():
        for space, name in references(text):
            where = f"Action {action['name']}, configuration {key}: #{{{space}.{name}}}"
            if space not in spaces:
                raise _structure(f"{where} refers to a namespace that no prior action declares")
            known = spaces[space]
            if known is not None and name not in known:
                raise _structure(f"{where} refers to an unknown variable; {space} has {', '.join(sorted(known))}")


def _add_namespace(action: dict[str, Any], spaces: dict[str, frozenset[str] | None]) -> None:
    space = action.get("namespace")
    if space is None:
        return
    if space in _RESERVED:
        raise _action_error(f"Action {action['name']}: namespace {space} is reserved")
    if space in spaces:
        raise _structure(f"Namespace must be unique within the pipeline: {space}")
    spaces[space] = OUTPUT_VARIABLES.get(action["actionTypeId"]["provider"])
