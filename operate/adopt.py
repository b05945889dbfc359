"""Takes what a destroyed stack has kept into the state of the stack that comes up again.

Buckets outlive their stacks with what they hold, and so does the key that encrypts it. To make them anew is refused
(BucketAlreadyOwnedByYou, https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html; AlreadyExistsException,
https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateAlias.html). The engine says what an update would create
(`pulumi preview --import-file`), and imports what of that is there already.
"""

import json
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from contracts.errors import UserError
from operate import engine, stack_files, updates
from operate.exported import State, state_of
from operate.sweep import refuse_while_held

BUCKET = "aws:s3/bucket:Bucket"
ALIAS = "aws:kms/alias:Alias"
KEY = "aws:kms/key:Key"
_OF_BUCKETS = {
    BUCKET: "head_bucket",
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": "get_bucket_lifecycle_configuration",
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls": "get_bucket_ownership_controls",
    "aws:s3/bucketPolicy:BucketPolicy": "get_bucket_policy",
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": "get_public_access_block",
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": "get_bucket_encryption",
    "aws:s3/bucketVersioning:BucketVersioning": "get_bucket_versioning",
}
"""What is kept of a bucket, and the call that knows whether it is there."""
_ABSENT = ("404", "NoSuch", "NotFound", "OwnershipControlsNotFound", "ServerSideEncryptionConfigurationNotFound")

Clients = Callable[[str], Any]
"""The stack's client of a service."""
Inputs = Mapping[tuple[str, str], Mapping[str, Any]]
"""Inputs of what an update would create, by type and name."""


@dataclass(frozen=True)
class Kept:
    """One thing that is there, and that an update would create: `entry` names it as the engine's import wants it."""

    kind: str
    name: str
    id: str
    entry: Mapping[str, Any]

    def as_dict(self) -> dict[str, str]:
        return {"type": self.kind, "name": self.name, "id": self.id}


@dataclass(frozen=True)
class NewKey:
    """A key that an update has made since, before it was refused.

    With it the next update would take the alias away from the kept key, and with that from all roles what it encrypts.
    """

    urn: str
    made: str
    kept: str


@dataclass(frozen=True)
class Plan:
    """What an update would create: the import's whole document, and of it what was kept."""

    document: Mapping[str, Any]
    kept: tuple[Kept, ...]
    keys: tuple[NewKey, ...] = ()
    """Their places in the state are given to the kept keys."""


def find(clients: Clients, stack: str, root: Path) -> Plan:
    """What of the stack's next creations is there already. Touches nothing. Raises UserError where no preview can be
    made."""
    with tempfile.TemporaryDirectory() as folder:
        config = ["--config-file", str(stack_files.copy(stack, root, Path(folder)))]
        wanted = Path(folder) / "import.json"
        done = engine.run(["preview", "--stack", stack, "--json", "--import-file", str(wanted), *config], root)
        if done.returncode:
            raise UserError(f"no preview of {stack} can be made:\n{engine.tail(done.stderr or done.stdout)}")
        document = json.loads(wanted.read_text()) if wanted.is_file() else {"resources": []}
    kept = tuple(_present(clients, document.get("resources") or (), creations(json.loads(done.stdout))))
    return Plan(document, kept, tuple(_new_keys(state_of(stack, root) or State(), kept, clients)))


def adopt(plan: Plan, stack: str, root: Path) -> None:
    """Take it into the state; nothing at AWS is changed. Raises UserError where that fails, HeldError while an update
    holds the stack."""
    refuse_while_held(root, stack)
    with tempfile.TemporaryDirectory() as folder:
        config = ["--config-file", str(stack_files.copy(stack, root, Path(folder)))]
        if plan.keys:
            updates.rewrite_state(stack, root, lambda state: with_keys(state, plan.keys))
            named = [word for key in plan.keys for word in ("--target", key.urn)]
            _engine(["refresh", "--yes", "--skip-preview", "--stack", stack, *named, *config], root)
        wanted = Path(folder) / "import.json"
        wanted.write_text(json.dumps(to_import(plan)))
        quiet = ["--yes", "--skip-preview", "--protect=false", "--generate-code=false"]
        _engine(["import", "--stack", stack, "--file", str(wanted), *quiet, *config], root)


def creations(preview: Mapping[str, Any]) -> dict[tuple[str, str], Mapping[str, Any]]:
    """Inputs of what a preview (`--json`) would create, by type and name."""
    found = {}
    for step in preview.get("steps") or ():
        if step["op"] == "create":
            *_, types, name = step["urn"].split("::")
            found[(types.rpartition("$")[2], name)] = step["newState"].get("inputs") or {}
    return found


def to_import(plan: Plan) -> dict[str, Any]:
    """The document of the engine's import: what was kept with its ids, and the components that hold it."""
    ids = {each.entry["name"]: each.id for each in plan.kept}
    entries = plan.document.get("resources") or ()
    named = {entry["name"]: entry for entry in entries if entry.get("component")}
    holders: set[str] = set()
    for each in plan.kept:
        holder = each.entry.get("parent", "")
        while holder in named and holder not in holders:
            holders.add(holder)
            holder = named[holder].get("parent", "")
    resources = [
        {**entry, **({"id": ids[entry["name"]]} if entry["name"] in ids else {})}
        for entry in entries
        if entry["name"] in ids or entry["name"] in holders
    ]
    return {**plan.document, "resources": resources}


def with_keys(state: dict[str, Any], keys: Sequence[NewKey]) -> dict[str, Any]:
    """An exported state with the kept keys in the places of the new ones; a refresh then reads the rest of them."""
    kept = {(key.urn, key.made): key.kept for key in keys}
    for resource in state["deployment"].get("resources") or []:
        found = kept.get((resource["urn"], resource.get("id", "")))
        if found:
            resource["id"] = found
    return state


def _present(clients: Clients, entries: Sequence[Mapping[str, Any]], inputs: Inputs) -> Iterator[Kept]:
    buckets: dict[str, bool] = {}
    for entry in entries:
        kind, name = entry["type"], entry.get("logicalName") or entry["name"]
        given = inputs.get((kind, name), {})
        if kind in _OF_BUCKETS:
            bucket = str(given.get("bucket", ""))
            if bucket not in buckets:
                buckets[bucket] = _is_there(clients("s3"), "head_bucket", bucket)
            if buckets[bucket] and _is_there(clients("s3"), _OF_BUCKETS[kind], bucket):
                yield Kept(kind, name, bucket, entry)
        elif kind == ALIAS and _key_of(clients, str(given.get("name", ""))):
            yield Kept(kind, name, given["name"], entry)
        elif kind == KEY:
            alias = str(inputs.get((ALIAS, name), {}).get("name", ""))
            if found := _key_of(clients, alias):
                yield Kept(kind, name, found, entry)


def _is_there(s3: Any, operation: str, bucket: str) -> bool:
    """Whether it is there, in this account: somebody else's name is refused by the update, as it should be."""
    if not bucket:
        return False
    try:
        answer = getattr(s3, operation)(Bucket=bucket)
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code == "403" or code.startswith(_ABSENT):
            return False
        raise
    return operation != "get_bucket_versioning" or "Status" in answer


def _key_of(clients: Clients, alias: str) -> str:
    """Id of the usable key behind an alias; empty where there is none."""
    if not alias:
        return ""
    try:
        found = clients("kms").describe_key(KeyId=alias)["KeyMetadata"]
    except ClientError as error:
        if error.response["Error"]["Code"] == "NotFoundException":
            return ""
        raise
    return str(found["KeyId"]) if found["KeyState"] == "Enabled" else ""


def _new_keys(state: State, kept: Sequence[Kept], clients: Clients) -> Iterator[NewKey]:
    aliases = {each.name: each.id for each in kept if each.kind == ALIAS}
    for resource in state.resources:
        name = resource["urn"].rpartition("::")[2]
        if resource.get("type") == KEY and name in aliases and not resource.get("delete"):
            found = _key_of(clients, aliases[name])
            if found != resource["id"]:
                yield NewKey(resource["urn"], resource["id"], found)


def _engine(arguments: Sequence[str], root: Path) -> None:
    done = engine.run(arguments, root)
    if done.returncode:
        raise UserError(f"pulumi {arguments[0]} failed:\n{engine.tail(done.stdout + done.stderr)}")
