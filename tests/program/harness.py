"""Runs the real program in-process under Pulumi's mocks and records what it registers."""

import asyncio
import base64
import contextlib
import hashlib
import json
import runpy
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

import pulumi
import yaml
from pulumi.runtime import mocks, set_all_config
from pulumi.runtime.settings import reset_options

from contracts.release import ReleaseError, parse_release, vouched
from contracts.signature import sign, signature_of

ROOT = Path(__file__).resolve().parents[2]
ARTIFACTS = "glidepath-artifacts-111111111111-eu-west-1"
SIGNING_KEY = "arn:aws:kms:eu-west-1:111111111111:alias/glidepath-delivery-signing"


def manifest(number: int = 1, sha256: str = "ab" * 32, **changes: Any) -> dict[str, Any]:
    """A release manifest; `changes` replace members."""
    run = f"s3://{ARTIFACTS}/runs/run-{number}"
    return {
        "schema": 1,
        "id": f"2026112{number}-1a2b3c4d",
        "reason": "data",
        "commit": "abc",
        "execution": f"run-{number}",
        "created": "2026-11-21T03:45:00Z",
        "data": {"uri": "s3://data/datasets/trips.csv", "version": "1", "rows": 100},
        "model": {
            "package": "arn:aws:sagemaker:eu-west-1:111111111111:model-package/glidepath/1",
            "artifact": f"{run}/release/model.tar.gz",
            "sha256": sha256,
            "image": "141502667606.dkr.ecr.eu-west-1.amazonaws.com/sagemaker-xgboost:3.2-0",
        },
        "metrics": {"name": "rmse", "value": 3.5, "ci": [3.1, 3.9], "threshold": 10.0, "rows": 100, "slices": []},
        "champion": None,
        "baseline": {
            "statistics": f"{run}/release/statistics.json",
            "constraints": f"{run}/release/constraints.json",
        },
        "golden": f"{run}/release/golden.json",
        "target": "total",
        "features": ["duration_minutes", "passengers", "distance"],
        "distribution": {"edges": [8.0, 11.5, 15.25, 22.0], "shares": [0.2, 0.21, 0.19, 0.2, 0.2]},
        "hashes": {"golden": "01" * 32, "statistics": "02" * 32, "constraints": "03" * 32},
        **changes,
    }


def older(number: int = 1) -> dict[str, Any]:
    """A release manifest from before manifests were signed."""
    document = manifest(number)
    del document["hashes"]
    return document


def address(number: int = 1) -> str:
    """Where a manifest lies."""
    return f"s3://{ARTIFACTS}/runs/run-{number}/release/manifest.json"


class FakeKms:
    """A KMS client whose signature is the request's hash."""

    class exceptions:  # noqa: N801
        """As boto3's clients have them."""

        class KMSInvalidSignatureException(Exception):
            """Not the signature of this key for this message."""

    def sign(self, **request: Any) -> dict[str, bytes]:
        """The signature that `verify` takes."""
        return {"Signature": hashlib.sha256(repr(sorted(request.items())).encode()).digest()}

    def verify(self, Signature: bytes, **request: Any) -> dict[str, bool]:  # noqa: N803
        """Raises for any other."""
        if self.sign(**request)["Signature"] != Signature:
            raise self.exceptions.KMSInvalidSignatureException
        return {"SignatureValid": True}


@dataclass
class Store:
    """What the program can read: objects (address → text), checksums (address → hex), parameters.

    Objects of the addresses in `untyped` are stored without a type that says text.
    """

    key: str = SIGNING_KEY
    objects: dict[str, str] = field(default_factory=dict)
    checksums: dict[str, str] = field(default_factory=dict)
    parameters: dict[str, str] = field(default_factory=dict)
    untyped: set[str] = field(default_factory=set)
    serving: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Function and alias → what the provider tells of the version there; a text is the error it answers instead."""
    log_role: str = ""
    """The role that API Gateway writes the account's logs with."""

    def put(self, number: int, **changes: Any) -> str:
        """Store a release, its manifest's members changed; returns the manifest's address."""
        self.write(number, manifest(number) | changes)
        self.sign(number)
        return address(number)

    def write(self, number: int, document: dict[str, Any]) -> None:
        """Store a release with all that it is made of, but without a signature."""
        text = json.dumps(document)
        self.objects[address(number)] = text
        with contextlib.suppress(ReleaseError):
            for _, uri, sha256 in vouched(parse_release(text)):
                self.objects.setdefault(uri, "")
                self.checksums.setdefault(uri, sha256)

    def sign(self, number: int, key: str = "") -> None:
        """Store a signature of the manifest as it stands there."""
        sha256 = hashlib.sha256(self.objects[address(number)].encode()).hexdigest()
        self.objects[signature_of(address(number))] = sign(FakeKms(), key or self.key, address(number), sha256)

    def point(self, env: str, number: int) -> None:
        """Let an environment remember a release."""
        text = self.objects[address(number)]
        record = {
            "id": json.loads(text)["id"],
            "manifest": address(number),
            "sha256": hashlib.sha256(text.encode()).hexdigest(),
        }
        self.parameters[f"/glidepath/{env}/release"] = json.dumps(record)


@dataclass
class Recorded:
    """One registered resource."""

    type: str
    name: str
    inputs: dict[str, Any]


class _Mocks(mocks.Mocks):
    def __init__(self, store: Store) -> None:
        self.store = store
        self.resources: list[Recorded] = []

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        if args.resource_id:
            return args.resource_id, {"cloudwatchRoleArn": self.store.log_role}
        if args.custom:
            self.resources.append(Recorded(args.typ, args.name, args.inputs))
        name = next((v for k, v in args.inputs.items() if k in ("name", "bucket") and isinstance(v, str)), args.name)
        arn = f"arn:aws:mock:eu-west-1:111111111111:{args.name}"
        outputs = {
            "arn": arn,
            "name": name,
            "version": "7",
            "invokeArn": arn,
            "invokeUrl": "https://api/live",
            "executionArn": arn,
            "keyId": "key",
            "value": "key",
            **args.inputs,
        }
        return f"{args.name}-id", outputs

    def call(self, args: mocks.MockCallArgs) -> Any:
        if args.token == "aws:ssm/getParametersByPath:getParametersByPath":
            path = args.args["path"] + "/"
            found = {k: v for k, v in self.store.parameters.items() if k.startswith(path)}
            return {"names": list(found), "values": list(found.values()), "id": path, **args.args}
        if args.token == "aws:s3/getObject:getObject":
            uri = f"s3://{args.args['bucket']}/{args.args['key']}"
            if uri not in self.store.objects:
                return {}, [("key", f"reading S3 Object ({uri}): not found")]
            checksum = self.store.checksums.get(uri, "")
            encoded = base64.b64encode(bytes.fromhex(checksum)).decode()
            found = {"contentType": "application/json", "body": self.store.objects[uri]}
            if uri in self.store.untyped:
                # As the provider does: only what calls itself text is handed over.
                found = {"contentType": "binary/octet-stream"}
            return {"checksumSha256": encoded, **found, **args.args}
        if args.token == "aws:lambda/getFunction:getFunction":
            name = f"{args.args['functionName']}:{args.args['qualifier']}"
            served = self.store.serving.get(name)
            if served is None:
                return {}, [("", f"reading Lambda Function ({args.args['functionName']}): couldn't find resource")]
            return {**served, **args.args}
        raise AssertionError(f"the program calls {args.token}")


def config(stack: str, **changes: Any) -> dict[str, str]:
    """The committed config of a stack, as Pulumi hands it over, with changes (`None` takes a key away)."""
    document = yaml.safe_load((ROOT / f"Pulumi.{stack}.yaml").read_text())["config"]
    document |= {f"glidepath:{key}": value for key, value in changes.items()}
    return {
        key: value if isinstance(value, str) else json.dumps(value)
        for key, value in document.items()
        if value is not None
    }


@dataclass
class Run:
    """What a run of the program registered and exported."""

    resources: list[Recorded]
    outputs: dict[str, Any]

    def of(self, kind: str) -> list[Recorded]:
        """Resources of one type, like `aws:iam/role:Role`."""
        return [resource for resource in self.resources if resource.type == kind]


def run(stack: str, store: Store | None = None, **changes: Any) -> Run:
    """Run `__main__.py` for a stack, with the committed config and changes. Raises what the program raises."""
    return run_with(stack, config(stack, **changes), store)


def run_with(stack: str, given: dict[str, str], store: Store | None = None) -> Run:
    """Run `__main__.py` for a stack, with a config of one's own. Raises what the program raises."""
    asyncio.set_event_loop(asyncio.new_event_loop())
    reset_options()
    recorder = _Mocks(store or Store())
    mocks.set_mocks(recorder, project="glidepath", stack=stack, preview=False)
    set_all_config(given)
    exported: dict[str, Any] = {}

    @pulumi.runtime.test  # type: ignore[untyped-decorator]
    def program() -> None:
        with (
            mock.patch.object(pulumi, "export", exported.__setitem__),
            mock.patch("components.signature.client", FakeKms),
        ):
            runpy.run_path(str(ROOT / "__main__.py"), run_name="__main__")

    if str(ROOT) not in sys.path:
        sys.path.insert(0, str(ROOT))
    program()
    return Run(recorder.resources, exported)


SHAPES = ["delivery", "dev", "prod", "dev first", "prod first", "prod next", "prod compared", "prod shadowed"]


def run_shape(shape: str) -> Run:
    """The program for a stack (its first word) with a first release, the next one, or variants beside it."""
    stack, _, release = shape.partition(" ")
    store = Store()
    if not release:
        return run(stack)
    store.put(1)
    if release == "first":
        return run(stack, store, release=address(1))
    store.point(stack, 1)
    store.put(2)
    beside: dict[str, Any] = {
        "compared": {"variants": [{"name": "challenger", "manifest": address(1)}]},
        "shadowed": {"shadow": {"manifest": address(1), "weight": 0.5}},
    }
    return run(stack, store, release=address(2), **beside.get(release, {}))


def one(found: list[Recorded]) -> dict[str, Any]:
    """The inputs of the only resource there is."""
    (only,) = found
    return only.inputs


def variables(ran: Run, function: str) -> dict[str, str]:
    """The environment of one of production's functions."""
    functions = {made.inputs["name"]: made.inputs for made in ran.of("aws:lambda/function:Function")}
    found: dict[str, str] = functions[f"glidepath-prod-{function}"]["environment"]["variables"]
    return found
