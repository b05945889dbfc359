"""What AWS's limits say of the settings: values that are sound by themselves, and that AWS would refuse later.

Each rule's sentence names the limit. https://docs.aws.amazon.com/general/latest/gr/aws-service-information.html has
what is not said of another page.
"""

import json
import math
from collections.abc import Mapping
from typing import Any

from contracts.dataset import Dataset
from contracts.evaluation_arguments import evaluation_arguments
from contracts.features import render_inputs
from contracts.images import MONITOR, MONITOR_ACCOUNTS, XGBOOST, XGBOOST_ACCOUNTS, XGBOOST_VERSION
from contracts.names import DELIVERY, Names
from settings.kinds import FAULTY, Problems
from settings.sections import NAMESPACE
from settings.shifting import ALL_AT_ONCE, ASK, ASK_MINUTES, BAKE_MINUTES, CANARY, LINEAR, MINUTES, PERCENT

Values = Mapping[str, Any]
_PARTITIONS = {"cn-": "aws-cn", "us-gov-": "aws-us-gov", "us-iso": "aws-iso", "eu-iso": "aws-iso"}
WITHOUT_PIPELINE = ("ca-west-1",)
"""Regions with the model's image and without CodePipeline and CodeBuild (botocore's endpoints)."""
WITHOUT_CONNECTIONS = (
    "af-south-1", "ap-east-1", "ap-northeast-3", "ap-south-2", "ap-southeast-3", "ap-southeast-4", "eu-central-2",
    "eu-south-2", "il-central-1", "me-central-1", "me-south-1",
)  # fmt: skip
"""https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-CodestarConnectionSource.html"""
_BUCKET = 63
"""https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html"""
_FOLDERS = ("code", "dataset", "glue", "previews", "retrain", "runs", "told", "tools", "trained")
"""Folders of the artifacts bucket that hold what runs are made of and make, and what plans and deploys."""
_DAY = 1440
_ELSEWHERE = 20
"""Minutes that a deployment takes beside its shift: install, preview, the new endpoint."""
_DELETION = 15
"""Minutes for the end of the former endpoint."""
_HOOK = 15
"""Minutes of a hook: as long as its function may run.
https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"""
LONGEST_BUILD = 2160
"""https://docs.aws.amazon.com/codebuild/latest/userguide/limits.html (build timeout)"""
FEATURE_NAMES = 1400
"""Characters of the features' names as JSON. Lambda's environment holds 4,096 bytes in all, and the function that
answers keeps there the names of its own release, those of the release before it while traffic moves, and the variants.
https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"""


def region(values: Values, problems: Problems) -> None:
    """The program's services and images are there."""
    found, path = values["aws:region"], "aws:region"
    if found is FAULTY:
        return
    partition = next((partition for start, partition in _PARTITIONS.items() if found.startswith(start)), "")
    known = [each for each in XGBOOST_ACCOUNTS if each not in WITHOUT_PIPELINE]
    if partition:
        problems.refuse(path, found, f"is in the partition {partition}; this program is for regions of aws: take one")
    elif found in WITHOUT_PIPELINE:
        problems.refuse(path, found, "has neither CodePipeline nor CodeBuild; take another region")
    elif found not in XGBOOST_ACCOUNTS:
        image = f"{XGBOOST} {XGBOOST_VERSION}"
        problems.refuse(path, found, f"is no region where AWS publishes {image}; take one of {', '.join(known)}")
    else:
        _of_choices(found, values, problems)


def _of_choices(found: str, values: Values, problems: Problems) -> None:
    source, monitor = values["source"], values["monitor"]
    at_source = problems.stack == DELIVERY and _sound(source, "kind")
    if at_source and source["kind"] == "connection" and found in WITHOUT_CONNECTIONS:
        reason = f"is not there in {found}: CodePipeline has no connections in that region; take s3 or codecommit"
        problems.refuse(f"{NAMESPACE}:source.kind", "connection", reason)
    if _sound(monitor, "by") and monitor["by"] == "sagemaker" and found not in MONITOR_ACCOUNTS:
        reason = f"is not there in {found}: AWS publishes no {MONITOR} in that region; take own"
        problems.refuse(f"{NAMESPACE}:monitor.by", "sagemaker", reason)


def buckets(values: Values, problems: Problems) -> None:
    """Names of buckets: of those of an environment's captured requests, which are the longest."""
    name, found, accounts, environments = (values[k] for k in ("name", "aws:region", "accounts", "environments"))
    if FAULTY in (name, found, environments) or accounts is FAULTY:
        return
    names = Names(name, found, {DELIVERY: "", **accounts})
    for env in environments:
        bucket = names.capture_bucket(env) if env in accounts else ""
        if len(bucket) > _BUCKET:
            more = len(bucket) - _BUCKET
            reason = f"makes {bucket} of {len(bucket)} characters, and S3 takes {_BUCKET}: shorten it, or"
            problems.refuse(f"{NAMESPACE}:name", name, f"{reason} the environment's name {env}, by {more}")


def folders(values: Values, problems: Problems) -> None:
    """CodePipeline keeps its artifacts in a folder of the pipeline's name, and they expire: in no folder of ours.

    https://docs.aws.amazon.com/codepipeline/latest/userguide/welcome-introducing-artifacts.html
    """
    name = values["name"]
    if name is not FAULTY and name in _FOLDERS:
        reason = "is a folder of the artifacts bucket already, and the pipeline's own folder has the project's name"
        problems.refuse(f"{NAMESPACE}:name", name, f"{reason}; take a name other than {', '.join(_FOLDERS)}")


def neighbours(values: Values, problems: Problems) -> None:
    """What roles may reach is named `{project}-{stack}-…`: no project is called like another one with its stack."""
    name, environments = values["name"], values["environments"]
    if FAULTY in (name, environments):
        return
    start, *parts = name.split("-")
    for part in parts:
        if part in (DELIVERY, *environments):
            reason = f"names stack {part}: roles of a project called {start} would reach this one in the same account"
            problems.refuse(f"{NAMESPACE}:name", name, f"{reason}; take a name without -{part}")
            return
        start = f"{start}-{part}"


def alarms(values: Values, problems: Problems) -> None:
    """How far back an alarm looks.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html (Period): a day for
    periods below an hour. Seven days, for longer ones, are more than can be set here.
    """
    found = values["alarms"]
    if not _sound(found, "periods", "periodMinutes"):
        return
    periods, minutes = found["periods"], found["periodMinutes"]
    if minutes < 60 and periods * minutes > _DAY:
        reason = f"of {minutes} minutes are {periods * minutes} minutes: with periods below an hour, an alarm of"
        reason = f"{reason} CloudWatch looks back {_DAY} minutes at most; take {_DAY // minutes} or fewer"
        problems.refuse(f"{NAMESPACE}:alarms.periods", periods, reason)


def deployment_minutes(shift_minutes: int, wait_seconds: int, replay_seconds: int, bake_minutes: int) -> int:
    """Minutes that a deployment's build must be given: it may not end before the shift that it waits for.

    `shift_minutes`: when the shift is given up. After it the new version bakes, and the former endpoint is deleted.
    """
    return shift_minutes + math.ceil((wait_seconds + replay_seconds) / 60) + bake_minutes + _DELETION + _ELSEWHERE


def builds(values: Values, problems: Problems) -> None:
    """A deployment's build outlives its shift: ended before, it leaves the stack's state locked."""
    build, shift, aside = values["build"], values["shiftMinutes"], _beside(values)
    if shift is FAULTY or aside is None or not _sound(build, "deployMinutes"):
        return
    needed, baking = shift + aside, bake(values["deployment"]["kind"], values["deployment"]["bakeMinutes"])
    if needed > LONGEST_BUILD:
        reason = f"needs a build of {needed} minutes (shiftMinutes {shift}, bakeMinutes {baking}), and CodeBuild ends"
        reason = f"{reason} one after {LONGEST_BUILD}: lower it by {needed - LONGEST_BUILD}"
        problems.refuse(*_longest(values, shift, baking), reason)
    elif build["deployMinutes"] < needed:
        reason = f"is shorter than the deployment that it waits for ({needed} minutes: shiftMinutes {shift},"
        reason = f"{reason} bakeMinutes {baking}, the hooks, {_DELETION + _ELSEWHERE} for the rest); raise it, here and"
        reason = f"{reason} in Pulumi.{DELIVERY}.yaml"
        problems.refuse(f"{NAMESPACE}:build.deployMinutes", build["deployMinutes"], reason)


def _longest(values: Values, shift: int, baking: int) -> tuple[str, int]:
    """The key that makes a deployment too long, with its value."""
    if baking > shift and values["deployment"]["bakeMinutes"] is not None:
        return f"{NAMESPACE}:deployment.bakeMinutes", baking
    return f"{NAMESPACE}:shiftMinutes", shift


def _beside(values: Values) -> int | None:
    """Minutes of a deployment's build beside its shift; None where what they depend on is faulty."""
    capture, deployment = values["capture"], values["deployment"]
    if not _sound(capture, "waitSeconds") or not _sound(deployment, "kind", "bakeMinutes", "replay"):
        return None
    if not _sound(deployment["replay"], "seconds"):
        return None
    baking = bake(deployment["kind"], deployment["bakeMinutes"])
    return deployment_minutes(0, capture["waitSeconds"], deployment["replay"]["seconds"], baking)


def steps(percentage: int | None, minutes: int | None) -> tuple[int, int]:
    """Size of a step and the time between two: where they are not given, the default."""
    return PERCENT if percentage is None else percentage, MINUTES if minutes is None else minutes


def bake(kind: str, minutes: int | None) -> int:
    """Minutes at full traffic: where they are not given, the default. Nobody judges what goes all at once."""
    if minutes is not None:
        return minutes
    return 0 if kind == ALL_AT_ONCE else BAKE_MINUTES


def hooks(on_inconclusive: str | None) -> int:
    """Minutes that both hooks of a shift may take."""
    return 2 * _HOOK + (ASK_MINUTES if on_inconclusive == ASK else 0)


def shift(values: Values, problems: Problems) -> None:
    """A shift that goes as it should, with its hooks, is over before it is given up, and some build outlives it.

    CodeDeploy's own limit of 50 hours is further away than CodeBuild's:
    https://docs.aws.amazon.com/codedeploy/latest/userguide/limits.html
    """
    deployment, limit = values["deployment"], values["shiftMinutes"]
    names = ("kind", "percentage", "minutes", "extend", "onInconclusive")
    if limit is FAULTY or not _sound(deployment, *names):
        return
    kind, (percentage, minutes) = deployment["kind"], steps(deployment["percentage"], deployment["minutes"])
    count = {CANARY: 1, LINEAR: math.ceil(100 / percentage) - 1}.get(kind, 0)
    moving = count * minutes + deployment["extend"]
    waiting = hooks(deployment["onInconclusive"])
    said, needed = f"{kind}: {moving} minutes, and {waiting} for its hooks", moving + waiting
    aside = _beside(values) or 0
    over = needed + aside - LONGEST_BUILD
    if over > 0:
        # Where `shiftMinutes` is too long itself, the rule above says so.
        if limit + aside <= LONGEST_BUILD:
            reason = f"({said}) needs a build of {needed + aside} minutes, bakeMinutes and the rest among them, and"
            reason = f"{reason} CodeBuild ends one after {LONGEST_BUILD}: take fewer or shorter steps, by {over} in all"
            problems.refuse(f"{NAMESPACE}:deployment.minutes", minutes, reason)
    elif needed > limit:
        reason = f"is shorter than the shift itself ({said}), which would be given up; raise it to {needed}, or take"
        problems.refuse(f"{NAMESPACE}:shiftMinutes", limit, f"{reason} fewer or shorter steps")


def dataset(found: Dataset, problems: Problems) -> None:
    """What a job's arguments and a function's environment can hold."""
    path = f"{NAMESPACE}:dataset"
    length = len(json.dumps(found.features)) + len(render_inputs(found.inputs).encode())
    if length > FEATURE_NAMES:
        what = "names and categories" if any(feature.categories for feature in found.inputs) else "names"
        reason = f"are {len(found.features)} {what} of {length} characters in all, and the environment of the function"
        reason = f"{reason} that answers has room for {FEATURE_NAMES} of Lambda's 4096; take fewer, or shorter {what}"
        problems.note(f"{path}.features", reason)
    try:
        evaluation_arguments(found)
    except ValueError as error:
        problems.note(path, str(error))


def _sound(values: Any, *names: str) -> bool:
    return values is not FAULTY and all(values[name] is not FAULTY for name in names)


RULES = (region, buckets, folders, neighbours, alarms, builds, shift)
