"""A source tells the engine which program to run, and brings nothing that runs or judges it (F3).

pulumi 3.259 was tried: a language host under `plugins`, in Pulumi.yaml or in a Pulumi.json beside it, is started in the
place of the engine's own, for the program and for the policy pack.
"""

from pathlib import Path

import pytest

from contracts.errors import UserError
from operate import HERE
from operate.source_files import refuse_more

PROJECT = "name: glidepath\nruntime: python\nmain: .\ndescription: ours\n"
STACK = "config:\n  aws:region: eu-west-1\nsecretsprovider: awskms://alias/x\nencryptedkey: abc\n"
HOST = "plugins:\n  languages: [{name: python, path: ./evil}]\n"


def source(folder: Path, project: str = PROJECT, stack: str = STACK, **more: str) -> Path:
    (folder / "Pulumi.yaml").write_text(project)
    (folder / "Pulumi.dev.yaml").write_text(stack)
    for name, text in more.items():
        (folder / name.replace("_", ".")).write_text(text)
    return folder


@pytest.mark.parametrize(
    "project",
    [
        PROJECT,
        "name: x\nruntime: {name: python, options: {toolchain: pip, virtualenv: venv}}\nmain: infra\n",
        PROJECT + "config: {'pulumi:tags': {value: {'pulumi:template': python}}}\n",
    ],
)
def test_a_program_is_named(tmp_path: Path, project: str) -> None:
    (tmp_path / "infra").mkdir()
    refuse_more(source(tmp_path, project), "dev", {})


@pytest.mark.parametrize(
    ("project", "words"),
    [
        (PROJECT + HOST, "Pulumi.yaml has 'plugins', by which"),
        (PROJECT + "Plugins: {analyzers: [{name: policy-python, path: ./evil}]}\n", "Pulumi.yaml has 'Plugins'"),
        (PROJECT + "packages: {aws: ./evil}\n", "Pulumi.yaml has 'packages'"),
        (PROJECT + "? !!binary cGx1Z2lucw==\n: {}\n", "Pulumi.yaml has b'plugins'"),
        (PROJECT + "stackConfigDir: other\n", "Pulumi.yaml has 'stackConfigDir'"),
        (PROJECT + "config: other\n", "config: 'other', a folder"),
        (PROJECT + "options: {refresh: always}\n", "Pulumi.yaml has 'options'"),
        (PROJECT + "backend: {url: 'https://evil.example.com'}\n", "Pulumi.yaml has 'backend'"),
        (PROJECT.replace("python", "evil"), "has the runtime 'evil', and"),
        (PROJECT.replace("python", "{name: nodejs}"), "has the runtime 'nodejs', and"),
        (PROJECT.replace("main: .", "main: /tmp/x"), "main: /tmp/x, which is not in the source"),
        (PROJECT.replace("main: .", "main: a/../../x"), "main: a/../../x, which is not in the source"),
        (PROJECT.replace("main: .", "main: link"), "main: link, which is not in the source"),
        ("[]", "holds \\[\\] where an object should be"),
        ("a: [", "cannot be read"),
    ],
)
def test_more_than_that_is_refused(tmp_path: Path, project: str, words: str) -> None:
    (tmp_path / "link").symlink_to("/tmp")
    with pytest.raises(UserError, match=words):
        refuse_more(source(tmp_path, project), "dev", {})


@pytest.mark.parametrize("name", ["Pulumi_json", "Pulumi_yml"])
def test_no_file_takes_the_place_of_the_project_s(tmp_path: Path, name: str) -> None:
    source(tmp_path, **{name: "{}"})
    with pytest.raises(UserError, match=f"{name.replace('_', '.')} stands beside Pulumi.yaml"):
        refuse_more(tmp_path, "dev", {})


def test_a_stack_takes_nothing_from_elsewhere(tmp_path: Path) -> None:
    source(tmp_path, stack=STACK + "environment: [theirs]\n")
    with pytest.raises(UserError, match=r"Pulumi\.dev\.yaml has 'environment', by which"):
        refuse_more(tmp_path, "dev", {})


def test_where_the_build_names_the_state_the_file_does_not_count(tmp_path: Path) -> None:
    source(tmp_path, PROJECT + "backend: {url: 's3://ours'}\n")
    refuse_more(tmp_path, "dev", {"PULUMI_BACKEND_URL": "s3://ours"})


def test_in_their_own_checkout_commands_keep_nothing_apart() -> None:
    refuse_more(HERE, "no such stack", {})


def test_the_project_s_own_files_are_taken(tmp_path: Path) -> None:
    for name in ("Pulumi.yaml", "Pulumi.dev.yaml", "Pulumi.prod.yaml"):
        (tmp_path / name).write_text((HERE / name).read_text())
    for stack in ("dev", "prod"):
        refuse_more(tmp_path, stack, {})
