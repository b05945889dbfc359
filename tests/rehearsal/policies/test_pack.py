"""The pack in the real engine, over programs that are not this project's: what it stops, lets through, and sets right.

What single rules find is tested without the engine, in tests/policies.
"""

import datetime
import json
import re
from typing import Any

import pytest

from operate.previews import Asked, steps
from preview import report
from tests.policies.corpus import verdicts
from tests.policies.harness import document
from tests.rehearsal.policies.conftest import PACK, Program

pytestmark = pytest.mark.engine
TODAY = datetime.datetime.now(datetime.UTC).date()
BUCKET = 'bucket = aws.s3.Bucket("data", bucket="{name}", tags={{"a": "b"}})\n'
POLICY = 'aws.iam.Policy("broad", policy=json.dumps({document}), tags={{"a": "b"}})\n'
LOG = 'aws.cloudwatch.LogGroup("log", name="/theirs/log")\n'


def _policy(*statements: dict[str, Any]) -> str:
    return POLICY.format(document={"Version": "2012-10-17", "Statement": list(statements)})


def _allow(action: str, resource: str, **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


NARROW = _allow("s3:GetObject", "arn:aws:s3:::orders/*")
BROAD = _allow("S3:*", "arn:aws:s3:::orders", Sid="Broad")


def test_a_violation_stops_before_anything_is_created(program: Program) -> None:
    name = f"orders-{program.account}"
    program.write(BUCKET.format(name=name) + _policy(NARROW, BROAD))
    code, output = program.run("up")
    assert code != 0
    assert "- [mandatory]  least-privilege  (aws:iam:Policy: broad)" in output
    assert "[wildcard-action] statement 'Broad' of policy: allows `S3:*`, every action there is" in output
    assert "Why: whoever takes over this identity" in output
    assert "Fix: list the calls that the code makes" in output
    assert program.resources() == []
    assert program.client("s3").list_buckets()["Buckets"] == []


def test_advice_lets_through(program: Program) -> None:
    program.write(_policy(NARROW, _allow("s3:ListBucket", "*")))
    code, output = program.run("up")
    assert code == 0
    assert "- [advisory]  advice  (aws:iam:Policy: broad)" in output
    assert "[wildcard-metadata] statement 1 of policy: reads the metadata of all resources" in output
    assert program.resources() == ["aws:iam/policy:Policy"]


def test_a_document_unknown_at_preview_is_judged_by_the_update(program: Program) -> None:
    late = """{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": arn}]}"""
    policy = f'aws.iam.Policy("late", policy=bucket.arn.apply(lambda arn: json.dumps({late})))\n'
    program.write(BUCKET.format(name=f"orders-{program.account}") + policy)
    code, output = program.run("preview")
    assert code == 0
    assert "[unknown-document] policy: the document is not known at preview" in output
    code, output = program.run("up")
    assert code != 0
    assert "[wildcard-action] statement 0 of policy: allows `s3:*`" in output
    assert program.resources() == ["aws:s3/bucket:Bucket"]


def test_bad_input_gets_a_clear_verdict(program: Program) -> None:
    long = [_allow("s3:GetObject", f"arn:aws:s3:::orders/{number:090}") for number in range(60)]
    lines = [
        _policy(_allow("nosuch:GetThing", "*")).replace("broad", "strange"),
        _policy(*long).replace("broad", "long"),
        _policy({**NARROW, "Effect": "allow"}).replace("broad", "lower"),
    ]
    program.write("\n".join(lines))
    code, output = program.run("preview")
    assert code != 0
    told = re.findall(r"\((aws:\S+: \w+)\)\n.*\n\s+\[([\w-]+)\] (.*)", output)
    assert sorted(each for each in told if each[1] not in ("tags", "unknown-document")) == [
        ("aws:iam:Policy: long", "document-size", "policy: the document has 10058 characters, AWS takes 6144"),
        (
            "aws:iam:Policy: lower",
            "malformed-document",
            "policy: the document has the Effect 'allow' in statement 0: IAM takes Allow and Deny, in this spelling",
        ),
        (
            "aws:iam:Policy: strange",
            "unknown-action",
            "statement 0 of policy: names `nosuch:GetThing`, which AWS does not have",
        ),
    ]


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ('{"Version": "2012-10-17", "Statement": [', "is not valid JSON (Expecting value: line 1 column 41 (char 40))"),
        ("[1]", "is no policy: a JSON object is needed, this is [1]"),
    ],
    ids=["cut", "list"],
)
def test_what_the_provider_refuses_as_well_gets_a_clear_verdict(program: Program, text: str, verdict: str) -> None:
    program.write(f'aws.iam.RolePolicy("bad", role="a", policy={text!r})')
    code, output = program.run("preview")
    assert code != 0
    assert "contains an invalid JSON policy" in output, output
    assert f"[malformed-document] policy: the document {verdict}" in output


def _exempt(**changes: str) -> dict[str, Any]:
    given = {
        "rule": "wildcard-action",
        "resource": "broad",
        "where": "'Broad'",
        "reason": "moves to its own bucket",
        "until": TODAY.isoformat(),
    }
    return {"least-privilege": {"enforcementLevel": "mandatory", "exemptions": [{**given, **changes}]}}


def test_exemptions(program: Program) -> None:
    program.write(_policy(NARROW, BROAD))
    assert program.run("preview", _exempt())[0] == 0
    yesterday = (TODAY - datetime.timedelta(days=1)).isoformat()
    for changes, fault in (
        ({"until": yesterday}, f"[exemption] wildcard-action of broad ('Broad') expired on {yesterday}"),
        ({"reason": ""}, "[exemption] wildcard-action of broad ('Broad') has no reason"),
        ({"resource": "other"}, "[exemption] wildcard-action of other ('Broad') exempts nothing"),
    ):
        code, output = program.run("preview", _exempt(**changes))
        assert code != 0
        assert "[wildcard-action]" in output
        assert fault in output


def test_exemptions_of_a_stack_s_file(program: Program) -> None:
    """As every command hands them over: rules of several families, a day without quotes, one for what is not there."""
    program.write(BUCKET.format(name=f"orders-{program.account}") + _policy(BROAD))
    until = TODAY + datetime.timedelta(days=30)
    rest = f"reason: later, until: {until.isoformat()}"
    entries = [
        f"{{rule: wildcard-action, resource: broad, {rest}}}",
        f"{{rule: alias-shifted, resource: gone, {rest}}}",
    ]
    text = f"config: {{'aws:region': eu-west-1, 'glidepath:policies': {{exemptions: [{', '.join(entries)}]}}}}\n"
    (program.folder / "Pulumi.dev.yaml").write_text(text)
    found = report(steps(Asked(program.folder, "dev", pack=PACK, environ=program.env)))
    assert [(each.rule, each.until) for each in found.exempted] == [("wildcard-action", until.isoformat())]
    (unused,) = [each for each in found.violations if each.message.startswith("[exemption]")]
    assert unused.message.startswith("[exemption] alias-shifted of gone exempts nothing")
    assert (unused.level, found.exit_code) == ("advisory", 2)


def test_levels_are_of_a_stack(program: Program) -> None:
    rules = {"rules": {"wildcard-action": {"level": "advisory"}}}
    config = {"least-privilege": {"enforcementLevel": "mandatory", "stacks": {"dev": rules}}}
    program.write(_policy(NARROW, BROAD))
    code, output = program.run("preview", config)
    assert code == 0
    assert "- [advisory]  advice  (aws:iam:Policy: broad)" in output
    assert "[wildcard-action]" in output
    program.write(_policy(NARROW, BROAD), stack="prod")
    assert program.run("preview", config)[0] != 0


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        ({"least-privilege": {"rules": {"nosuch": {"level": "advisory"}}}}, "nosuch"),
        ({"least-privilege": {"rules": {"wildcard-action": {"level": "loud"}}}}, "level"),
        ({"least-privilege": {"exemptions": [{"rule": "wildcard-action", "resource": "a"}]}}, "reason is required"),
        ({"data-capture": {"rules": {"capture-percentage": {"minimum": 101}}}}, "minimum"),
    ],
)
def test_a_wrong_config_is_refused(program: Program, config: dict[str, Any], reason: str) -> None:
    program.write(LOG)
    code, output = program.run("preview", config)
    assert code != 0
    assert "config" in output
    assert reason in output


def test_remediation_is_applied(program: Program) -> None:
    program.write(LOG)
    code, output = program.run("preview")
    assert code != 0
    assert "[log-retention] retentionInDays: keeps its logs forever" in output
    config = {"remediation": {"enforcementLevel": "remediate", "retentionInDays": 30, "tags": {"owner": "ml"}}}
    code, output = program.run("up", config)
    assert code == 0, output
    (group,) = program.client("logs").describe_log_groups()["logGroups"]
    assert group["retentionInDays"] == 30
    tags = program.client("logs").list_tags_for_resource(resourceArn=group["arn"].removesuffix(":*"))["tags"]
    assert tags == {"owner": "ml"}


def test_the_whole_stack_is_judged(program: Program) -> None:
    endpoint = """
aws.sagemaker.Endpoint("live", name="live", endpoint_config_name="theirs")
"""
    program.write(endpoint, stack="prod")
    code, output = program.run("preview")
    assert code != 0
    assert "[endpoint-monitored] endpoint live has no monitoring job definition, no monitoring schedule, no alarm" in (
        output
    )
    assert "[endpoint-scaled] endpoint live does not scale: no scalable target" in output


_CORPUS = """
with open("cases.json") as file:
    cases = json.load(file)
for name, kind, prop, document in cases:
    group, _, rest = kind.partition("/")
    resource = getattr(getattr(aws, group), rest.partition(":")[2])
    given = {"role": "a"} if rest.endswith("RolePolicy") else {}
    resource(name, **{prop: json.dumps(document)}, **given)
"""


def test_the_corpus_gets_its_verdicts_in_the_engine(program: Program) -> None:
    """Every identity and trust document of the second corpus, in one preview."""
    cases = [(f"i{n}", "iam/rolePolicy:RolePolicy", "policy", *case) for n, case in enumerate(verdicts.identities())]
    cases += [(f"t{n}", "iam/role:Role", "assume_role_policy", *case) for n, case in enumerate(verdicts.TRUSTS)]
    listed = [(name, kind, prop, document(found)) for name, kind, prop, _, found, _ in cases]
    (program.folder / "cases.json").write_text(json.dumps(listed))
    program.write(_CORPUS)
    _, output = program.run("preview")
    told: dict[str, set[str]] = {}
    for level, name, rule in re.findall(r"- \[(\w+)\] .* \(aws:iam:\w+: (\w+)\)\n.*\n\s+\[([\w-]+)\] ", output):
        if f"[{rule}]" not in verdicts.BESIDE:
            told.setdefault(name, set()).add(level)
    levels = {verdicts.VIOLATION: "mandatory", verdicts.ADVICE: "advisory"}
    wrong = [
        (case, expected, found)
        for name, _, _, case, _, expected in cases
        if levels.get(expected) not in (found := told.get(name, {None}))
        or (expected != verdicts.VIOLATION and "mandatory" in found)
    ]
    assert wrong == []


def test_a_program_in_another_language(program: Program) -> None:
    """Resources as any language hands them to the engine: in camel case, options too, and nothing of Python's SDK."""
    alias = {"functionName": "f", "functionVersion": "1", "name": "live"}
    program.declare(
        [
            {"type": "aws:lambda/alias:Alias", "name": "ours", "properties": alias},
            {
                "type": "aws:lambda/alias:Alias",
                "name": "shifted",
                "properties": alias,
                "ignoreChanges": ["functionVersion", "routingConfig"],
            },
            {
                "type": "aws:iam/policy:Policy",
                "name": "broad",
                "properties": {"policy": json.dumps(document([NARROW, BROAD]))},
            },
        ]
    )
    code, output = program.run("preview")
    assert code != 0
    told = re.findall(r"- \[mandatory\] .* \(aws:\w+:\w+: (\w+)\)\n.*\n\s+\[([\w-]+)\] (.*)", output)
    assert sorted(told) == [
        ("broad", "wildcard-action", "statement 'Broad' of policy: allows `S3:*`, every action there is"),
        ("ours", "alias-managed", "ignoreChanges: is moved by the program: every new version serves at once"),
    ]
