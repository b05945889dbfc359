"""The program of every stack under the policy pack, without engine and cloud.

What the program would register is recorded and judged. What the engine adds to a resource, the pipeline's previews
judge, which run the same pack.
"""

import asyncio
import base64
import datetime
import hashlib
import json
import logging
import runpy
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pulumi
import yaml
from pulumi.runtime import mocks, set_all_config
from pulumi.runtime.settings import reset_options

from contracts.distribution import Distribution
from contracts.names import DELIVERY, Names
from contracts.release import Baseline, Data, Metrics, Model, Release, render_release
from operate import exemptions
from operate.checks.config import Configs
from operate.checks.finding import Finding, Result
from operate.stack_files import file_of
from policies.rules.catalogue import FAMILIES, RULES
from policies.rules.engine import plain
from policies.rules.judge import MARK, UNUSED, Judge
from policies.rules.model import Resource
from preview.plan import STACK
from settings import Settings

_UNRECORDED = {"aws:lambda/alias:Alias": ("functionVersion", "routingConfig")}
"""`ignore_changes` of a type: the mocks do not record it, and the alias has it, since CodeDeploy moves its traffic."""
_MADE_UP = "runs/check/release/manifest.json"
_DIGEST = hashlib.sha256(b"").hexdigest()


def check(root: Path, configs: Configs) -> Result:
    """Runs every stack: the environments once without a release, and once with one of the project's features.

    An exemption that no run has a use for is a note: it may be for what only the engine adds, which a preview judges.
    """
    findings: list[Finding] = []
    notes: list[str] = []
    resources = 0
    for stack, settings in configs.settings.items():
        names = configs.settings[DELIVERY].names
        release = render_release(example(names, configs.settings[DELIVERY]))
        # Nobody signed it: it stands in for a release that is to come.
        unsigned = json.dumps([hashlib.sha256(release.encode()).hexdigest()])
        named = {"glidepath:release": _manifest(names), "glidepath:unsigned": unsigned}
        unknown = exemptions.faults(settings.policies.exemptions)
        if unknown:
            findings += [Finding(file_of(stack), fault) for fault in unknown]
            continue
        judged: list[list[Finding]] = []
        for given in [{}] if stack == DELIVERY else [{}, named]:
            try:
                recorded = run(root, stack, names, {**configs.given[stack], **given}, release)
            except Exception as error:  # noqa: BLE001  # whatever the project's own program raises is what to report
                findings.append(Finding(f"stack {stack}", f"the program fails: {type(error).__name__}: {error}"))
                continue
            resources += len(recorded)
            judged.append(_judged(stack, settings, recorded))
        found = list(dict.fromkeys(each for run in judged for each in run))
        findings += [each for each in found if not _unused(each)]
        notes += [str(each) for each in found if _unused(each) and all(each in run for run in judged)]
    return Result("policies", f"{len(configs.settings)} stacks, {resources} resources", tuple(findings), tuple(notes))


def _unused(found: Finding) -> bool:
    return found.message.startswith(MARK) and UNUSED in found.message


@dataclass
class _Recorder(mocks.Mocks):
    """Answers what the program asks, and keeps what it registers."""

    names: Names
    manifest: str
    resources: list[tuple[str, str, str, dict[str, Any]]] = field(default_factory=list)
    at: threading.local = field(default_factory=threading.local)
    """Whose registration this thread answers: its URN."""

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        if args.resource_id:
            # What is there already, and only looked at.
            return args.resource_id, {}
        if args.custom:
            self.resources.append((self.at.urn, args.typ, args.name, args.inputs))
        name = next((v for k, v in args.inputs.items() if k in ("name", "bucket") and isinstance(v, str)), args.name)
        arn = self.names.arn("mock", args.name)
        address = "https://example.com/live"
        known = {"arn": arn, "name": name, "version": "1", "invokeArn": arn, "invokeUrl": address, "executionArn": arn}
        return f"{args.name}-id", {**known, "keyId": "key", **args.inputs}

    def call(self, args: mocks.MockCallArgs) -> Any:
        if args.token.startswith("aws:ssm/getParametersByPath"):
            return {"names": [], "values": [], "id": args.args["path"], **args.args}
        if args.token.startswith("aws:s3/getObject"):
            checksum = base64.b64encode(bytes.fromhex(_DIGEST)).decode()
            found = {"contentType": "application/json", "body": self.manifest, "checksumSha256": checksum}
            return {**found, **args.args}
        return dict(args.args)


class _Monitor(mocks.MockMonitor):
    """Names resources as the engine does, below all their parents but the stack: exemptions may name them by URN.

    https://www.pulumi.com/docs/iac/concepts/resources/names/#urns
    """

    def __init__(self, recorder: _Recorder) -> None:
        super().__init__(recorder)
        self._at = recorder.at

    def make_urn(self, parent: str, type_: str, name: str) -> str:
        above = parent.split("::")[2] if parent else STACK
        path = type_ if above == STACK else f"{above}${type_}"
        self._at.urn = f"urn:pulumi:{pulumi.get_stack()}::{pulumi.get_project()}::{path}::{name}"
        return str(self._at.urn)


def _log() -> logging.Logger:
    """What the program says, but for the release that is made up here: nobody has signed it, and nobody deploys it."""
    log = logging.getLogger("glidepath.check")
    log.filters[:] = [lambda record: _MADE_UP not in record.getMessage()]
    return log


def run(root: Path, stack: str, names: Names, config: Mapping[str, str], manifest: str) -> list[Resource]:
    """The resources that `__main__.py` registers for a stack. Raises what the program raises."""
    asyncio.set_event_loop(asyncio.new_event_loop())
    reset_options()
    recorder = _Recorder(names, manifest)
    mocks.set_mocks(
        recorder, project="glidepath", stack=stack, preview=False, logger=_log(), monitor=_Monitor(recorder)
    )
    set_all_config(dict(config))
    if str(root) not in sys.path:
        sys.path.insert(0, str(root))

    @pulumi.runtime.test  # type: ignore[untyped-decorator]
    def program() -> None:
        runpy.run_path(str(root / "__main__.py"), run_name="__main__")

    program()
    tags = _default_tags(config)
    return [
        Resource(kind, name, {"name": name, **plain(inputs)}, urn, _UNRECORDED.get(kind, ()), tags)
        for urn, kind, name, inputs in recorder.resources
    ]


def _judged(stack: str, settings: Settings, resources: list[Resource]) -> list[Finding]:
    judge = Judge(RULES, datetime.datetime.now(datetime.UTC).date())
    told = exemptions.pack_config(settings.policies.exemptions)
    production = {"production": [settings.names.production]}
    config = {policy: {**production, **told.get(policy, {})} for policy in (*FAMILIES, "stack")}
    found: list[tuple[str, str]] = []
    for one in resources:

        def report(text: str, _: str, name: str = one.name) -> None:
            found.append((name, text))

        for family in FAMILIES:
            judge.resource(family, config[family], one, report)

    def of_stack(text: str, urn: str) -> None:
        found.append((urn.rpartition("::")[2] or "the stack", text))

    judge.stack(config["stack"], resources, of_stack)
    return [Finding(f"stack {stack}, {name}", " ".join(text.split())) for name, text in found]


def _default_tags(config: Mapping[str, str]) -> dict[str, Any]:
    tags: dict[str, Any] = (yaml.safe_load(config.get("aws:defaultTags", "{}")) or {}).get("tags") or {}
    return tags


def _manifest(names: Names) -> str:
    return f"s3://{names.artifacts_bucket}/{_MADE_UP}"


def example(names: Names, settings: Settings) -> Release:
    """A release as the project's pipeline would make one."""
    dataset = settings.dataset
    assert dataset is not None, "the delivery stack has a dataset"
    at = f"s3://{names.artifacts_bucket}/runs/check"
    package = f"arn:{names.partition}:sagemaker:{names.region}:{names.delivery_account}:model-package/{names.name}/1"
    metric = dataset.metric
    return Release(
        id="20260101-00000000",
        reason="manual",
        commit="check",
        created="2026-01-01T00:00:00Z",
        execution="check",
        data=Data(f"s3://{names.data_bucket}/datasets/check.csv", "1", 1),
        model=Model(package, f"{at}/release/model.tar.gz", _DIGEST, "image"),
        metrics=Metrics(metric.name, metric.threshold, (metric.threshold, metric.threshold), metric.threshold, 1, ()),
        champion=None,
        baseline=Baseline(f"{at}/baseline/statistics.json", f"{at}/baseline/constraints.json"),
        golden=f"{at}/evaluation/golden.json",
        target=dataset.target,
        features=dataset.features,
        distribution=Distribution((0.0,), (0.5, 0.5)),
    )
