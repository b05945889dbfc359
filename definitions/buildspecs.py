"""What CodeBuild runs. Builds start in the root of the sources."""

import shlex
from typing import Any

PULUMI_VERSION = "3.259.0"
"""The engine every build uses, unless the image has this one or a newer."""

_INSTALL_PULUMI = (
    'if ! command -v pulumi >/dev/null || ! printf \'%s\\nv%s\\n\' "$(pulumi version)" "$PULUMI_VERSION"'
    ' | sort -V | tail -n 1 | grep -qx "$(pulumi version)";'
    ' then curl -fsSL https://get.pulumi.com | sh -s -- --version "$PULUMI_VERSION" --install-root "$HOME/.pulumi"'
    ' && ln -sf "$HOME"/.pulumi/bin/* /usr/local/bin/; fi'
)


def _spec(env: dict[str, Any], install: list[str], build: list[str], exported: list[str]) -> dict[str, Any]:
    return {
        "version": 0.2,
        "env": {"shell": "bash", "variables": env, "exported-variables": exported},
        "phases": {
            "install": {"runtime-versions": {"python": "3.12"}, "commands": install, "on-failure": "ABORT"},
            "build": {"commands": build, "on-failure": "ABORT"},
        },
    }


_INSTALL = "python -m pip install --quiet --disable-pip-version-check -r"
_REQUIREMENTS = f"{_INSTALL} requirements.txt"
# The tests need more than the program does.
_TEST_REQUIREMENTS = f"{_INSTALL} requirements-dev.txt"


def build(test_command: str, artifacts_bucket: str) -> dict[str, Any]:
    """Test, then package the workflow's code under the commit. Exports CODE, its address."""
    return _spec(
        {"ARTIFACTS_BUCKET": artifacts_bucket},
        [_TEST_REQUIREMENTS],
        [
            test_command,
            'python -m cli package --bucket "$ARTIFACTS_BUCKET" --commit "$COMMIT" --variables "$PWD/.package.env"',
            'source "$PWD/.package.env"',
        ],
        ["CODE"],
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


def deploy(env: str, profile_text: str, backend: str) -> dict[str, Any]:
    """`pulumi up` of one environment as its deployer. Exports what later stages are told."""
    variables = {"PULUMI_VERSION": PULUMI_VERSION, "PULUMI_SKIP_UPDATE_CHECK": "true"}
    if backend:
        variables["PULUMI_BACKEND_URL"] = backend
    return _spec(
        variables,
        [_INSTALL_PULUMI, _REQUIREMENTS],
        [
            *_write_profile(profile_text),
            (
                f'python -m cli deploy --stack {env} --release "$RELEASE_MANIFEST"'
                ' ${APPROVED_SHA256:+--manifest-sha256 "$APPROVED_SHA256"} --variables "$PWD/.deploy.env"'
            ),
            'source "$PWD/.deploy.env"',
        ],
        ["API_URL", "ENDPOINT", "RELEASE", "MANIFEST_SHA256", "SUMMARY"],
    )


def system_test(profile_name: str, profile_text: str) -> dict[str, Any]:
    """Asks the real API as the environment's tester."""
    return _spec(
        {},
        [_REQUIREMENTS],
        [*_write_profile(profile_text), f"AWS_PROFILE={shlex.quote(profile_name)} python -m functions.system_test"],
        [],
    )
