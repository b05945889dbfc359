"""What CodeBuild runs. Builds start in the root of the sources."""

import shlex
from typing import Any

from contracts.names import Names
from definitions.tools import LOCK, Tools

PULUMI_VERSION = "3.259.0"
"""The engine every build uses, unless the image has this one or a newer."""

PULUMI_SHA256 = {
    "x64": "94ba357acac23d01474084c4b00098dc0f7bc70ce13f34c777459254a5f718e5",
    "arm64": "edc8327463a72160bb36cf82cf5062da9c8a244290a706d9980988e7bf486853",
}
"""Of `pulumi-v{PULUMI_VERSION}-linux-{machine}.tar.gz`, as Pulumi publishes it: in `pulumi-{version}-checksums.txt` of
the release, and in its Homebrew formula (github.com/pulumi/homebrew-tap, Formula/pulumi.rb)."""

# The archive itself, never a script from the network: what runs is what the hash names.
_INSTALL_PULUMI = (
    'if ! found="$(pulumi version 2>/dev/null)" || ! printf \'%s\\nv%s\\n\' "$found" "$PULUMI_VERSION"'
    ' | sort -V | tail -n 1 | grep -qx "$found";'
    ' then case "$(uname -m)" in'
    f" x86_64) machine=x64 sha256={PULUMI_SHA256['x64']} ;;"
    f" aarch64) machine=arm64 sha256={PULUMI_SHA256['arm64']} ;;"
    ' *) machine="" ; echo "no engine is pinned for $(uname -m)" >&2 ;; esac'
    ' && test -n "$machine" && archive="$(mktemp)"'
    ' && curl -fsSL -o "$archive" '
    '"https://get.pulumi.com/releases/sdk/pulumi-v$PULUMI_VERSION-linux-$machine.tar.gz"'
    ' && echo "$sha256  $archive" | sha256sum --check --strict'
    ' && mkdir -p "$HOME/.pulumi/bin"'
    ' && tar -xzf "$archive" -C "$HOME/.pulumi/bin" --strip-components=1 --no-same-owner'
    ' && ln -sf "$HOME"/.pulumi/bin/* /usr/local/bin/; fi'
)


def _engine(backend: str) -> dict[str, str]:
    """Variables of a build that runs the engine."""
    variables = {"PULUMI_VERSION": PULUMI_VERSION, "PULUMI_SKIP_UPDATE_CHECK": "true"}
    return variables | ({"PULUMI_BACKEND_URL": backend} if backend else {})


def _spec(env: dict[str, Any], install: list[str], build: list[str], exported: list[str]) -> dict[str, Any]:
    return {
        "version": 0.2,
        "env": {"shell": "bash", "variables": env, "exported-variables": exported},
        "phases": {
            "install": {"runtime-versions": {"python": "3.12"}, "commands": install, "on-failure": "ABORT"},
            "build": {"commands": build, "on-failure": "ABORT"},
        },
    }


# Wheels alone: what builds a source archive is installed by pip without any hash.
_INSTALL = "python -I -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: -r"
_REQUIREMENTS = f"{_INSTALL} {LOCK}"
# The checks need a little more than the program does.
_CHECK_REQUIREMENTS = f"{_INSTALL} requirements-build.lock"


def _refuse_other_libraries(tools: Tools) -> str:
    """What a deployer's rights run is pinned by an administrator, down to the libraries."""
    return (
        f'echo "{tools.lock_sha256}  {LOCK}" | sha256sum --check --status --strict || {{ echo "{LOCK} is not the one'
        " that the delivery stack pins: an administrator must run \\`pulumi up --stack delivery\\` from this commit,"
        ' then start the pipeline again; nothing was changed" >&2; false; }'
    )


def build(test_command: str, names: Names, backend: str, tools: Tools) -> dict[str, Any]:
    """Preview, check, then package the workflow's code under the commit. Exports CODE, its address, and PREVIEW.

    Refuses other libraries than deployments will, long before these come to it.
    """
    looking = "".join(
        profile(names.stack(env), names.role_arn(env, "preview"), names.region, f"preview-{env}")
        for env in names.environments
    )
    stacks = " ".join(f"--stack {env}" for env in names.environments)
    at_commit = '--bucket "$ARTIFACTS_BUCKET" --commit "$COMMIT"'
    return _spec(
        {"ARTIFACTS_BUCKET": names.artifacts_bucket, **_engine(backend)},
        [_refuse_other_libraries(tools), _INSTALL_PULUMI, _CHECK_REQUIREMENTS],
        [
            # First what takes seconds: a commit that a policy refuses fails with the policy's own words.
            _write_profile(looking)[0],
            (
                f'AWS_CONFIG_FILE="$PWD/.aws-config" python -m cli evidence {stacks} {at_commit}'
                ' --variables "$PWD/.evidence.env"'
            ),
            'source "$PWD/.evidence.env"',
            test_command,
            f'python -m cli package {at_commit} --variables "$PWD/.package.env"',
            'source "$PWD/.package.env"',
        ],
        ["CODE", "PREVIEW"],
    )


def profile(name: str, role_arn: str, region: str, session: str) -> str:
    """AWS_CONFIG_FILE with one profile that assumes a role from the build's own credentials."""
    lines = [
        f"[profile {name}]",
        f"role_arn = {role_arn}",
        "credential_source = EcsContainer",
        f"role_session_name = {session}",
        f"region = {region}",
    ]
    return "\n".join(lines) + "\n"


def _write_profile(text: str) -> list[str]:
    lines = " ".join(shlex.quote(line) for line in text.splitlines())
    return [f"printf '%s\\n' {lines} > \"$PWD/.aws-config\"", 'export AWS_CONFIG_FILE="$PWD/.aws-config"']


# Taken before anything of the source runs, and read-only from then on: a source cannot lie about itself. A build's
# commands share one shell (docs.aws.amazon.com/codebuild/latest/userguide/build-spec-ref.html, "version").
# operate/sources.py takes the same hash of a commit.
# What cannot be read stops the build: left out, it could be anything.
_MEASURE = (
    "set -o pipefail && { find . -type l -printf '%p//%l\\0' | LC_ALL=C sort -z | sha256sum"
    " && find . -type f -print0 | xargs -0 -r sha256sum; } | LC_ALL=C sort | sha256sum | cut -c 1-64"
)
MEASURE_SOURCE = f'SOURCE_SHA256="$({_MEASURE})" && readonly SOURCE_SHA256 && export SOURCE_SHA256'
_REFUSE_ANOTHER_SOURCE = (
    'test "$SOURCE_SHA256" = "${APPROVED_SOURCE_SHA256:?nothing was approved}" || { echo "the source has SHA-256'
    " $SOURCE_SHA256, but $APPROVED_SOURCE_SHA256 was approved: nothing was changed; find out what exchanged it, then"
    ' run the pipeline again" >&2; false; }'
)


# `python` is pyenv's in CodeBuild's images, which asks the current folder (`.python-version`) which one is meant: the
# one that is meant elsewhere comes first from now on. https://github.com/aws/aws-codebuild-docker-images,
# https://github.com/pyenv/pyenv#understanding-python-version-selection
_CHOOSE_PYTHON = (
    'PYTHON="$(cd / && python -I -c "import sys; print(sys.executable)")" && test -x "$PYTHON"'
    ' && export PATH="${PYTHON%/*}:$PATH"'
)
# Isolated (-I): Python finds no module in the source, which is the current folder.
_FETCH_TOOLS = (
    'TOOLS="$(mktemp -d)" && aws s3 cp --only-show-errors "${TOOLS_ADDRESS:?no tools are pinned}" "$TOOLS.zip"'
    ' && python -I -m zipfile -e "$TOOLS.zip" "$TOOLS"'
)
_COMMAND = 'GLIDEPATH_SOURCE="$PWD" python -I "$TOOLS/cli/__main__.py"'


def _refuse_other_tools(tools: Tools) -> str:
    return (
        f'found="$(cd "$TOOLS" && {_MEASURE})"; test "$found" = {tools.sha256} || {{ echo "the tools at'
        f" $TOOLS_ADDRESS have SHA-256 $found, but the delivery stack pins {tools.sha256}: nothing was changed; an"
        ' administrator must run \\`pulumi up --stack delivery\\` again" >&2; false; }'
    )


def _install(tools: Tools, *first: str) -> list[str]:
    """Before anything of the source runs: the pinned tools, and libraries that the source cannot choose."""
    return [
        *first,
        _CHOOSE_PYTHON,
        _FETCH_TOOLS,
        _refuse_other_tools(tools),
        _refuse_other_libraries(tools),
        _INSTALL_PULUMI,
        f'{_INSTALL} "$TOOLS/{LOCK}"',
    ]


def deploy(env: str, profile_text: str, backend: str, tools: Tools, approved: bool = False) -> dict[str, Any]:
    """`pulumi up` of one environment as its deployer, by the pinned `tools`. Exports what later stages need.

    Where something was `approved`, a build that is not told what stops: it would deploy anything. So does one whose
    source is another, before it runs any of it.
    """
    bound = (
        ' --manifest-sha256 "${APPROVED_SHA256:?nothing was approved}" --plan "${APPROVED_PLAN:?nothing was approved}"'
        ' --plan-sha256 "${APPROVED_PLAN_SHA256:?nothing was approved}"'
    )
    return _spec(
        _engine(backend),
        _install(tools, *([MEASURE_SOURCE, _REFUSE_ANOTHER_SOURCE] if approved else [])),
        [
            *_write_profile(profile_text),
            (
                f'{_COMMAND} deploy --stack {env} --release "$RELEASE_MANIFEST"{bound if approved else ""}'
                ' --variables "$PWD/.deploy.env"'
            ),
            'source "$PWD/.deploy.env"',
        ],
        ["API_URL", "ENDPOINT", "RELEASE", "MANIFEST_SHA256", "SUMMARY"],
    )


def plan(env: str, profile_text: str, backend: str, tools: Tools) -> dict[str, Any]:
    """What `pulumi up` of one environment would do, by the pinned `tools`, as a role that only looks.

    Exports what is approved.
    """
    return _spec(
        _engine(backend),
        _install(tools, MEASURE_SOURCE),
        [
            *_write_profile(profile_text),
            (
                f'{_COMMAND} plan --stack {env} --release "$RELEASE_MANIFEST"'
                ' --manifest-sha256 "${TESTED_SHA256:-}" --store "$PLAN" --variables "$PWD/.plan.env"'
            ),
            'source "$PWD/.plan.env"',
        ],
        ["SOURCE_SHA256", "MANIFEST_SHA256", "PLAN_SHA256", "EVIDENCE"],
    )


def system_test(env: str, profile_name: str, profile_text: str, command: str = "") -> dict[str, Any]:
    """Asks the real API as the environment's tester; then the user's own `command` does, where there is one."""
    own = [f"export ENVIRONMENT={shlex.quote(env)} AWS_PROFILE={shlex.quote(profile_name)}", command] if command else []
    return _spec(
        {},
        [_REQUIREMENTS],
        [
            *_write_profile(profile_text),
            f"AWS_PROFILE={shlex.quote(profile_name)} python -m functions.system_test",
            *own,
        ],
        [],
    )
