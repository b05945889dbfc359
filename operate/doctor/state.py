"""Where Pulumi's state is, and what opens it: as builds find them, and as the stack files name them."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from contracts.names import DELIVERY
from operate.doctor.finding import FINE, NOTE, PROBLEM, Finding, Unread, attempt
from settings import State

_CHECK = "state"
_MISSING = ("404", "NoSuchBucket", "NotFoundException", "ResourceNotFoundException")


@dataclass(frozen=True)
class Stored:
    """What was found of the state: of the bucket whether it is versioned, of the key and the secrets their state.

    None for what nothing names.
    """

    versioned: bool | Unread | None = None
    keys: Mapping[str, str | Unread] | None = None
    secret: bool | Unread | None = None
    preview_secret: bool | Unread | None = None


def look(state: State, providers: Mapping[str, str], clients: Any) -> Stored:
    """Asks for the bucket, for the keys that the stacks' secrets providers name, and for the secrets.

    `clients` gives the tooling account's client of a service.
    """
    address = urlsplit(state.backend)
    versioned: bool | Unread | None = None
    if address.scheme == "s3":
        bucket = address.netloc
        versioned = attempt(lambda: clients("s3").get_bucket_versioning(Bucket=bucket).get("Status") == "Enabled")
    names = sorted({key_of(provider) for provider in providers.values() if provider.startswith("awskms:")})
    keys = {name: attempt(partial(_key, clients, name)) for name in names}
    secret, preview_secret = (
        attempt(partial(_kept, clients, name)) if name else None
        for name in (state.secret_name, state.preview_secret_name)
    )
    return Stored(versioned, keys, secret, preview_secret)


def _kept(clients: Any, name: str) -> bool:
    return "DeletedDate" not in clients("secretsmanager").describe_secret(SecretId=name)


def _key(clients: Any, name: str) -> str:
    return str(clients("kms").describe_key(KeyId=name)["KeyMetadata"]["KeyState"])


def key_of(provider: str) -> str:
    """`awskms:///alias/a?region=b` → alias/a; also of `awskms://alias/a` and of an ARN."""
    parts = urlsplit(provider)
    return unquote(f"{parts.netloc}{parts.path}".strip("/"))


def check(state: State, providers: Mapping[str, str], stored: Stored, command: str) -> list[Finding]:
    """Whether every build will find its state and can open it. `command` makes what is missing."""
    return [*_backend(state, stored, command), *_secrets(state, providers, stored, command)]


def _backend(state: State, stored: Stored, command: str) -> list[Finding]:
    if not state.backend:
        why = "builds know no other place, and neither does a shell without PULUMI_BACKEND_URL"
        what = "no backend is named for Pulumi's state"
        return [Finding(_CHECK, DELIVERY, PROBLEM, what, why, f"{command}, and add the glidepath:state that it prints")]
    address = urlsplit(state.backend)
    if address.scheme == "file":
        return [_folder(state, unquote(address.path), command)]
    if address.scheme != "s3":
        fix = f"pulumi login {state.backend} && pulumi whoami"
        return [Finding(_CHECK, DELIVERY, NOTE, f"state is at {state.backend}", "only a bucket is examined here", fix)]
    where = f"bucket {address.netloc}"
    if isinstance(stored.versioned, Unread):
        if stored.versioned.code in _MISSING:
            why = "every command and every build keeps the stacks' state there"
            return [Finding(_CHECK, DELIVERY, PROBLEM, f"{where} does not exist", why, command)]
        return [stored.versioned.finding(_CHECK, DELIVERY, where)]
    if not stored.versioned:
        why = "a state that was overwritten or deleted cannot be had back"
        return [Finding(_CHECK, DELIVERY, PROBLEM, f"{where} keeps no versions", why, f"{command} puts it right")]
    return [Finding(_CHECK, DELIVERY, FINE, f"state in {where}")]


def _folder(state: State, path: str, command: str) -> Finding:
    if not Path(path).is_dir():
        what = f"the folder of {state.backend} does not exist"
        return Finding(_CHECK, DELIVERY, PROBLEM, what, "Pulumi keeps its state there", f"mkdir -p {path}")
    why = "builds on AWS cannot reach a folder of this machine"
    return Finding(_CHECK, DELIVERY, NOTE, f"state is in {state.backend}", why, f"{command} makes a bucket for it")


def _secrets(state: State, providers: Mapping[str, str], stored: Stored, command: str) -> list[Finding]:
    found = [_key_finding(name, status, command) for name, status in (stored.keys or {}).items()]
    if state.secret_name:
        found.append(_secret_finding(state, state.secret_name, stored.secret))
    if state.preview_secret_name:
        found.append(_secret_finding(state, state.preview_secret_name, stored.preview_secret))
    elif state.secret_name and urlsplit(state.backend).scheme == "https":
        what = f"previews have secret {state.secret_name} as deployments do"
        why = "whoever may push a branch runs code with it: a token that deploys can rewrite every stack's state"
        fix = "make a token that may only read the stacks, and name its secret in glidepath:state.previewSecretName"
        found.append(Finding(_CHECK, DELIVERY, NOTE, what, why, fix))
    without = [stack for stack, provider in providers.items() if not provider]
    if without and not state.secret_name:
        what = f"nothing says what opens the secrets of {', '.join(without)}"
        why = "no stack file names a secretsprovider, and glidepath:state no secretName: builds cannot open the state"
        fix = f"{command}, and pulumi stack init with the --secrets-provider that it prints"
        found.append(Finding(_CHECK, DELIVERY, PROBLEM, what, why, fix))
    return found


def _key_finding(name: str, status: str | Unread, command: str) -> Finding:
    if isinstance(status, Unread):
        if status.code in _MISSING:
            why = "the stack files name it as their secretsprovider: no stack can be opened without it"
            return Finding(_CHECK, DELIVERY, PROBLEM, f"key {name} does not exist", why, command)
        return status.finding(_CHECK, DELIVERY, f"key {name}")
    if status != "Enabled":
        why = "no stack whose file names it as secretsprovider can be opened"
        fix = f"aws kms enable-key --key-id {name} (of a deletion that waits: aws kms cancel-key-deletion first)"
        return Finding(_CHECK, DELIVERY, PROBLEM, f"key {name} is {status}", why, fix)
    return Finding(_CHECK, DELIVERY, FINE, f"key {name} opens the stacks' secrets")


def _secret_finding(state: State, name: str, kept: bool | Unread | None) -> Finding:
    make = f"aws secretsmanager create-secret --name {name} --secret-string <what {state.secret_variable} is to be>"
    why = f"builds read {state.secret_variable} from it, and cannot open the state without"
    if isinstance(kept, Unread):
        if kept.code in _MISSING:
            return Finding(_CHECK, DELIVERY, PROBLEM, f"secret {name} does not exist", why, make)
        return kept.finding(_CHECK, DELIVERY, f"secret {name}")
    if not kept:
        fix = f"aws secretsmanager restore-secret --secret-id {name}"
        return Finding(_CHECK, DELIVERY, PROBLEM, f"secret {name} waits for its deletion", why, fix)
    return Finding(_CHECK, DELIVERY, FINE, f"secret {name} opens the state")
