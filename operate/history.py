"""Reads what an environment remembers of its releases: pointer, alias, deployments; and what the pipeline keeps."""

import contextlib
import hashlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from contracts.appspec import target_version
from contracts.names import DELIVERY, LIVE, PREDICT
from contracts.pointer import PointerError, parse_pointer
from contracts.release import Release, ReleaseError, parse_release
from contracts.s3 import parse_s3_uri
from operate.clients import Clients
from operate.project import Project
from operate.releases import Attempt, ServingRecord, Traffic, with_bakes

_PAGE = 25
"""As many deployments as CodeDeploy describes in one call."""


@dataclass(frozen=True)
class Manifest:
    """A release manifest in the artifact store: its address, the SHA-256 of its text, and what it says."""

    address: str
    sha256: str
    release: Release


@dataclass(frozen=True)
class Approval:
    """Who let a release into production, when, and the words given."""

    by: str
    at: datetime
    words: str


class History:
    """One environment's past and present; every property asks its account again."""

    def __init__(self, clients: Clients, project: Project, stack: str) -> None:
        self._clients, self._project, self._stack = clients, project, stack

    def served(self) -> list[ServingRecord]:
        """The pointer's history, oldest first; empty where nothing has ever served. SSM keeps the last 100 entries."""
        ssm = self._clients.of(self._stack, "ssm")
        name = self._project.names.pointer(self._stack)
        try:
            pages = list(ssm.get_paginator("get_parameter_history").paginate(Name=name))
        except ssm.exceptions.ParameterNotFound:
            return []
        entries = [entry for page in pages for entry in page["Parameters"]]
        return [found for entry in sorted(entries, key=lambda entry: entry["Version"]) for found in _served(entry)]

    def traffic(self) -> Traffic | None:
        """Who answers now; None where there is no alias yet."""
        functions = self._clients.of(self._stack, "lambda")
        try:
            alias = functions.get_alias(FunctionName=self._project.names.predict(self._stack), Name=LIVE)
        except functions.exceptions.ResourceNotFoundException:
            return None
        version = alias["FunctionVersion"]
        weights = (alias.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {}
        known = {name: self._variables(name) for name in (version, *weights)}
        shares = {known[name].get("RELEASE_ID", ""): share for name, share in weights.items()}
        own = known[version]
        return Traffic(own.get("RELEASE_ID", ""), version, own.get("ENDPOINT_NAME", ""), shares)

    def attempts(self, newest: int = 100) -> list[Attempt]:
        """The group's deployments, newest first; empty where there is no group yet."""
        codedeploy = self._clients.of(self._stack, "codedeploy")
        group = {"applicationName": self._project.names.stack(self._stack), "deploymentGroupName": PREDICT}
        paginator = codedeploy.get_paginator("list_deployments")
        try:
            ids = [each for page in paginator.paginate(**group) for each in page["deployments"]]
        except (
            codedeploy.exceptions.ApplicationDoesNotExistException,
            codedeploy.exceptions.DeploymentGroupDoesNotExistException,
        ):
            return []
        found: list[dict[str, Any]] = []
        for start in range(0, len(ids), _PAGE):
            found += codedeploy.batch_get_deployments(deploymentIds=ids[start : start + _PAGE])["deploymentsInfo"]
        found.sort(key=lambda info: info["createTime"], reverse=True)
        releases = self._releases_of_versions()
        return with_bakes([_attempt(info, releases) for info in found[:newest]])

    def manifests(self) -> dict[str, Manifest]:
        """All releases in the artifact store by id; one that cannot be read or trusted is left out."""
        s3, bucket = self._clients.of(DELIVERY, "s3"), self._project.names.artifacts_bucket
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix="runs/", Delimiter="/")
        runs = [entry["Prefix"] for page in pages for entry in page.get("CommonPrefixes", [])]
        with ThreadPoolExecutor(8) as pool:
            found = pool.map(lambda run: self.manifest(f"s3://{bucket}/{run}release/manifest.json"), runs)
            return {manifest.release.id: manifest for manifest in found if manifest}

    def manifest(self, address: str) -> Manifest | None:
        """The manifest at an address; None where there is none, or one that cannot be trusted."""
        s3 = self._clients.of(DELIVERY, "s3")
        try:
            bucket, key = parse_s3_uri(address)
            body = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
            return Manifest(address, hashlib.sha256(body).hexdigest(), parse_release(body.decode()))
        except (s3.exceptions.NoSuchKey, ReleaseError, ValueError):
            return None

    def approval(self, execution: str) -> Approval | None:
        """The approval that a run of the pipeline was given; None where none was, or the run is forgotten."""
        pipeline = self._clients.of(DELIVERY, "codepipeline")
        try:
            pages = pipeline.get_paginator("list_action_executions").paginate(
                pipelineName=self._project.names.name, filter={"pipelineExecutionId": execution}
            )
            actions = [action for page in pages for action in page["actionExecutionDetails"]]
        except (pipeline.exceptions.PipelineNotFoundException, pipeline.exceptions.PipelineExecutionNotFoundException):
            return None
        for action in actions:
            if action["input"]["actionTypeId"]["category"] == "Approval" and action["status"] == "Succeeded":
                words = action["output"].get("executionResult", {}).get("externalExecutionSummary", "")
                return Approval(action.get("updatedBy", ""), action["lastUpdateTime"], words)
        return None

    def endpoint_of(self, version: str) -> str:
        """Which endpoint a version of the function asks; empty where nobody knows."""
        return self._variables(version).get("ENDPOINT_NAME", "")

    def _variables(self, version: str) -> dict[str, str]:
        functions = self._clients.of(self._stack, "lambda")
        name = self._project.names.predict(self._stack)
        found = functions.get_function_configuration(FunctionName=name, Qualifier=version)
        variables: dict[str, str] = found.get("Environment", {}).get("Variables", {})
        return variables

    def _releases_of_versions(self) -> dict[str, str]:
        functions = self._clients.of(self._stack, "lambda")
        pages = functions.get_paginator("list_versions_by_function").paginate(
            FunctionName=self._project.names.predict(self._stack)
        )
        return {
            entry["Version"]: entry.get("Environment", {}).get("Variables", {}).get("RELEASE_ID", "")
            for page in pages
            for entry in page["Versions"]
        }


def _served(entry: dict[str, Any]) -> Iterator[ServingRecord]:
    """An entry that is no release (somebody wrote it by hand) is left out."""
    with contextlib.suppress(PointerError):
        record = parse_pointer(entry["Value"])
        if record.sha256:
            by = entry.get("LastModifiedUser", "")
            yield ServingRecord(record.id, record.manifest, record.sha256, entry["LastModifiedDate"], by)


def _attempt(info: dict[str, Any], releases: dict[str, str]) -> Attempt:
    error = info.get("errorInformation") or {}
    return Attempt(
        info["deploymentId"],
        releases.get(target_version(info.get("revision") or {}), ""),
        info["status"],
        info["createTime"],
        error.get("code", ""),
        error.get("message", ""),
        info.get("creator") == "codeDeployRollback",
        info.get("description", ""),
    )
