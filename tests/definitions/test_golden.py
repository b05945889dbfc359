"""Every role that the program makes, in every shape of a project, byte for byte as `golden/roles.json` has it.

Whether AWS accepts them, these tests do not prove. After an intended change: `python -m tests.definitions.golden`.
"""

import json
import os
from pathlib import Path
from typing import Any
from unittest import mock

from tests.program.harness import run

GOLDEN = Path(__file__).parent / "golden" / "roles.json"
ACCOUNTS = {"delivery": "111111111111", "dev": "222222222222", "prod": "333333333333"}
STAGING = {"delivery": "111111111111", "dev": "222222222222", "staging": "444444444444", "prod": "333333333333"}
SECRET = {"secretName": "glidepath/pulumi", "secretVariable": "PULUMI_CONFIG_PASSPHRASE"}
GITHUB = {"provider": "github", "repository": "owner/name"}
GITLAB = {"provider": "gitlab", "repository": "group/sub/name"}
CONNECTION = {"kind": "connection", "repository": "owner/name", "branch": "main"}
CODECOMMIT = {"kind": "codecommit", "repository": "name", "branch": "main"}
SHAPES: dict[str, tuple[str, dict[str, Any]]] = {
    "delivery": ("delivery", {}),
    "delivery that trains on Spot machines": ("delivery", {"training": {"spot": True}}),
    "delivery that tunes": ("delivery", {"tuning": {"trials": 4, "ranges": {"eta": [0.1, 0.5]}}}),
    "delivery with a notebook": ("delivery", {"notebook": {"enabled": True}}),
    "delivery with a notebook that clones from CodeCommit": (
        "delivery",
        {"notebook": {"enabled": True, "secretName": "fares/git"}, "source": CODECOMMIT},
    ),
    "delivery from a connection": ("delivery", {"source": CONNECTION}),
    "delivery from CodeCommit": ("delivery", {"source": CODECOMMIT}),
    "delivery with its state in a bucket": ("delivery", {"state": {**SECRET, "backend": "s3://states/x?region=a"}}),
    "delivery with GitHub's CI": ("delivery", {"ci": GITHUB, "state": {"backend": "s3://states"}}),
    "delivery with GitLab's CI": ("delivery", {"ci": GITLAB}),
    "delivery with GitLab's CI, its state at Pulumi Cloud, and a token for previews": (
        "delivery",
        {
            "ci": {**GITLAB, "protectedRefs": True},
            "state": {**SECRET, "backend": "https://api.pulumi.com", "previewSecretName": "glidepath/looks"},
        },
    ),
    "delivery in four accounts": ("delivery", {"accounts": STAGING, "environments": ["dev", "staging", "prod"]}),
    "delivery to one environment": (
        "delivery",
        {"accounts": {"delivery": "111111111111", "prod": "333333333333"}, "environments": ["prod"]},
    ),
    "dev": ("dev", {}),
    "prod": ("prod", {}),
    "prod without a probe, by Model Monitor": ("prod", {"monitor": {"by": "sagemaker"}, "probe": {"enabled": False}}),
    "prod by Model Monitor": ("prod", {"monitor": {"by": "sagemaker"}}),
    "dev with CI": ("dev", {"ci": GITHUB}),
    "prod with CI": ("prod", {"ci": GITLAB}),
    "prod under another name": ("prod", {"name": "fares"}),
    "prod of four accounts": ("prod", {"accounts": STAGING, "environments": ["dev", "staging", "prod"]}),
    "prod in one account": ("prod", {"accounts": dict.fromkeys(ACCOUNTS, "333333333333")}),
}


def text() -> str:
    """Every role and boundary of every shape, each in full where a shape has it first.

    Documents are kept as the strings that AWS is given.
    """
    first: dict[str, str] = {}
    shapes: dict[str, dict[str, Any]] = {}
    for shape, (stack, changes) in SHAPES.items():
        shapes[shape] = {}
        for name, role in _roles(stack, changes).items():
            known = first.setdefault(json.dumps([name, role]), shape)
            shapes[shape][name] = role if known == shape else f"as in: {known}"
    return json.dumps(shapes, indent=1, ensure_ascii=False) + "\n"


def _roles(stack: str, changes: dict[str, Any]) -> dict[str, Any]:
    with mock.patch.dict(os.environ):
        ran = run(stack, **changes)
    policies = {policy.inputs["role"]: policy for policy in ran.of("aws:iam/rolePolicy:RolePolicy")}
    found: dict[str, Any] = {
        role.inputs["name"]: {
            "resource": role.name,
            "description": role.inputs["description"],
            "boundary": role.inputs.get("permissionsBoundary"),
            "trust": role.inputs["assumeRolePolicy"],
            "policy": policies[role.inputs["name"]].inputs["policy"],
        }
        for role in ran.of("aws:iam/role:Role")
    }
    found |= {policy.inputs["name"]: policy.inputs["policy"] for policy in ran.of("aws:iam/policy:Policy")}
    return dict(sorted(found.items()))


def test_every_role_is_as_the_golden_file_has_it() -> None:
    known, made = GOLDEN.read_text(encoding="utf-8"), text()
    before, after = json.loads(known), json.loads(made)
    assert set(before) == set(SHAPES)
    for shape, roles in after.items():
        assert len(roles) > 10, shape
        assert roles == before[shape], shape
    assert made == known


def test_no_policy_of_any_shape_has_a_statement_id_twice() -> None:
    """IAM refuses such a policy: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_sid.html"""
    shapes = json.loads(GOLDEN.read_text(encoding="utf-8"))
    seen = 0
    for shape, roles in shapes.items():
        for name, role in roles.items():
            for key, text in role.items() if isinstance(role, dict) else [("policy", role)]:
                if not (isinstance(text, str) and text.startswith("{")):
                    continue
                sids = [statement.get("Sid") for statement in json.loads(text)["Statement"]]
                named = [sid for sid in sids if sid]
                assert len(set(named)) == len(named), (shape, name, key)
                seen += 1
    assert seen > 50
