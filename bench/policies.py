"""The policy pack: what it takes beside checkov and in a preview, and whether it agrees with other judges of documents.

The other judges live in environments of their own, which are made here on demand (needs the network once).
"""

import datetime
import json
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
from google.protobuf import empty_pb2, json_format
from moto.iam.aws_managed_policies import aws_managed_policies_data
from pulumi.runtime.proto import analyzer_pb2, analyzer_pb2_grpc

from bench.measure import Result, alternate
from contracts.errors import UserError
from policies.rules.catalogue import FAMILIES, RULES
from policies.rules.judge import Judge
from policies.rules.model import Resource

ROOT = Path(__file__).resolve().parent.parent
PACK = ROOT / "policies"
ENVIRONMENTS = ROOT / ".venv-bench"
ROLES = 1000
ROUNDS = 5
_ACCOUNT = "111111111111"


def measure() -> Iterator[Result]:
    """Start-up and time per role, share of a preview, agreement per category."""
    yield _start()
    yield from _per_role()
    yield _preview()
    yield from _agreement()


def _start() -> Result:
    def start() -> None:
        with _pack():
            pass

    times = [_seconds(start) for _ in range(ROUNDS)]
    detail = f"(best of {ROUNDS}: {min(times):.2f} s)"
    return Result("start of the pack, until it answers", statistics.median(times), "s", detail, 0.5)


@contextmanager
def _pack() -> Iterator[analyzer_pb2_grpc.AnalyzerStub]:
    """The pack as the engine starts it, and a channel to it."""
    command = [sys.executable, "-u", "-m", "pulumi.policy", "127.0.0.1:1", str(PACK)]
    with subprocess.Popen(command, cwd=PACK, stdout=subprocess.PIPE, text=True) as process:
        try:
            port = _port(process)
            with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
                stub = analyzer_pb2_grpc.AnalyzerStub(channel)
                stub.GetAnalyzerInfo(empty_pb2.Empty(), wait_for_ready=True)
                yield stub
        finally:
            process.kill()


def _port(process: "subprocess.Popen[str]") -> int:
    """The number that a plugin prints first; nothing ends the line."""
    digits = ""
    while process.stdout is not None and (letter := process.stdout.read(1)).isdigit():
        digits += letter
        if len(digits) == 5:
            break
    if not digits:
        raise UserError("the policy pack does not start")
    return int(digits)


def _roles(count: int) -> list[dict[str, Any]]:
    """Roles as programs have them: a trust, and a policy of a few narrow statements and a broad one."""
    return [
        {
            "AssumeRolePolicyDocument": _document(
                {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
            ),
            "Policies": [
                {
                    "PolicyName": "own",
                    "PolicyDocument": _document(
                        _allow(["s3:GetObject", "s3:PutObject"], f"arn:aws:s3:::orders-{number}/*"),
                        _allow(
                            ["dynamodb:Get*", "dynamodb:Query"],
                            f"arn:aws:dynamodb:eu-west-1:{_ACCOUNT}:table/t{number}",
                        ),
                        _allow(
                            "logs:PutLogEvents", f"arn:aws:logs:eu-west-1:{_ACCOUNT}:log-group:/aws/lambda/f{number}:*"
                        ),
                        _allow(["sqs:SendMessage", "ec2:Describe*"], "*"),
                    ),
                }
            ],
        }
        for number in range(count)
    ]


def _document(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def _allow(action: Any, resource: str) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource}


def _per_role() -> Iterator[Result]:
    """The pack and checkov on the same roles, in turns; what each needs to start is taken off."""
    checkov = _environment("checkov")
    roles = _roles(ROLES)
    with _pack() as stub, tempfile.TemporaryDirectory() as scratch:
        requests = [_request(number, role) for number, role in enumerate(roles)]
        many, one = Path(scratch, "many.json"), Path(scratch, "one.json")
        many.write_text(json.dumps(_template(roles)))
        one.write_text(json.dumps(_template(roles[:1])))

        def ours() -> None:
            for request in requests:
                if not stub.Analyze(request).diagnostics:
                    raise AssertionError("the pack finds nothing in a role that may send to every queue")
                stub.Remediate(request)

        ours()
        pack, theirs = alternate(ours, lambda: _checkov(checkov, many), 3)
        start = min(_seconds(lambda: _checkov(checkov, one)) for _ in range(3))
    ours_ms, theirs_ms = pack / ROLES * 1000, (theirs - start) / ROLES * 1000
    yield Result("the pack per role", ours_ms, "ms", f"({ROLES} roles, as the engine asks)", 2.0)
    yield Result("checkov per role", theirs_ms, "ms", f"(start of {start:.1f} s not counted)")
    yield Result("the pack / checkov", ours_ms / theirs_ms, "x")


def _request(number: int, role: dict[str, Any]) -> Any:
    properties = {
        "assumeRolePolicy": json.dumps(role["AssumeRolePolicyDocument"]),
        "inlinePolicies": [{"name": "own", "policy": json.dumps(role["Policies"][0]["PolicyDocument"])}],
    }
    kind = "aws:iam/role:Role"
    request = analyzer_pb2.AnalyzeRequest(
        type=kind, name=f"r{number}", urn=f"urn:pulumi:prod::bench::{kind}::r{number}"
    )
    json_format.ParseDict(properties, request.properties)
    return request


def _template(roles: list[dict[str, Any]]) -> dict[str, Any]:
    resources = {f"R{n}": {"Type": "AWS::IAM::Role", "Properties": role} for n, role in enumerate(roles)}
    return {"AWSTemplateFormatVersion": "2010-09-09", "Resources": resources}


def _checkov(python: Path, template: Path) -> None:
    command = [str(python.with_name("checkov")), "--file", str(template), "--framework", "cloudformation", "--compact"]
    done = subprocess.run([*command, "--output", "json"], capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1):
        raise UserError(f"checkov failed:\n{done.stderr[-2000:]}")
    if not json.loads(done.stdout)["summary"]["failed"]:
        raise AssertionError("checkov finds nothing in roles that may send to every queue")


def _seconds(action: Callable[[], object]) -> float:
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


def _environment(name: str) -> Path:
    """The interpreter of an environment made for one yardstick."""
    folder, wanted = ENVIRONMENTS / name, ROOT / "bench" / f"requirements-{name}.txt"
    ready, python = folder / "ready", folder / "bin" / "python"
    if not (ready.is_file() and ready.read_text() == wanted.read_text()):
        venv.create(folder, with_pip=True, clear=True)
        install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", str(wanted)]
        if subprocess.run(install, check=False).returncode != 0:
            raise UserError(f"{wanted.name} cannot be installed", "The comparison needs a package index once.")
        ready.write_text(wanted.read_text())
    return python


_PROGRAM = """
import json
import pulumi_aws as aws

document = json.dumps({"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::orders/*"}]})
for number in range(200):
    aws.iam.Policy(f"p{number}", policy=document, tags={"a": "b"})
"""


def _preview() -> Result:
    """A preview of 200 resources with and without the pack, in turns."""
    from bench.preview import STACK, project, pulumi

    with project() as (rehearsal, folder):
        (folder / "__main__.py").write_text(_PROGRAM)
        env: Mapping[str, str] = rehearsal.environ()
        region = ("--config", "aws:region=eu-west-1")
        with_pack, without = alternate(
            lambda: pulumi(folder, env, "preview", "--stack", STACK, *region, "--policy-pack", str(PACK)),
            lambda: pulumi(folder, env, "preview", "--stack", STACK, *region),
            ROUNDS,
        )
    detail = f"({with_pack:.1f} s / {without:.1f} s)"
    return Result("preview of 200 resources with / without the pack", with_pack / without, "x", detail, 1.2)


# A category of the other judge, and the rules that mean it here.
_RULES = {
    "service-wide": {"wildcard-action"},
    "inverted": {"inverted-allow"},
    "changes-on-all": {"wildcard-resource", "pass-role"},
    "escalation": {"wildcard-resource", "pass-role", "escalation"},
    "reads-data-on-all": {"wildcard-resource"},
}
_WIDER = {"escalation", "reads-data-on-all"}
"""Categories that are part of what the rules mean: only what the other judge finds can be compared."""


def _agreement() -> Iterator[Result]:
    """Per category: of AWS's managed policies, the share in which both judges say the same."""
    documents = {name: entry["Document"] for name, entry in json.loads(aws_managed_policies_data).items()}
    theirs = _yardstick(documents)
    ours = {name: _ours(document) for name, document in documents.items()}
    for category, rules in _RULES.items():
        pairs = Counter((bool(rules & ours[name]), category in theirs[name]) for name in documents)
        both, pack_only, their_only = pairs[True, True], pairs[True, False], pairs[False, True]
        if category in _WIDER:
            detail = f"({both} of {both + their_only} that cloudsplaining finds)"
            yield Result(f"found of cloudsplaining's {category}", both / (both + their_only) * 100, "%", detail)
        else:
            same = (both + pairs[False, False]) / len(documents) * 100
            detail = f"(both {both}, pack only {pack_only}, cloudsplaining only {their_only})"
            yield Result(f"same verdict as cloudsplaining on {category}", same, "%", detail)


def _yardstick(documents: dict[str, Any]) -> dict[str, list[str]]:
    python = _environment("documents")
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(documents, file)
        file.flush()
        command = [str(python), str(ROOT / "bench" / "yardstick.py"), file.name]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise UserError(f"cloudsplaining failed:\n{done.stderr[-2000:]}")
    found: dict[str, list[str]] = json.loads(done.stdout)
    return found


def _ours(document: dict[str, Any]) -> set[str]:
    """The rules that find something in a document."""
    judge = Judge(RULES, datetime.datetime.now(datetime.UTC).date())
    kind = "aws:iam/policy:Policy"
    one = Resource(kind, "it", {"policy": document}, f"urn:pulumi:bench::bench::{kind}::it")
    found: list[str] = []
    for family in FAMILIES:
        judge.resource(family, {}, one, lambda text, _: found.append(text))
    return {text[1:].partition("]")[0] for text in found}
