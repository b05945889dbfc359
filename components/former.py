"""Which release serves while another one takes over, as its own version of the function tells it."""

import json
from collections.abc import Mapping

import pulumi
from pulumi_aws.lambda_.get_function import get_function

from contracts.features import VARIABLE as INPUTS
from contracts.features import render_inputs
from contracts.former import VARIABLE, Former, parse_former
from contracts.names import LIVE
from contracts.release import Release

# pulumi-aws gives the SDK's error, or the words of Terraform's own finder; either may have more around it.
_ABSENT = ("couldn't find resource", "ResourceNotFoundException", "empty result")


def find_former(function: str, release: Release) -> Former | None:
    """The release that `release` takes callers of another schema from, or None where it takes none.

    Looked up at the alias, not in the pointer: the pointer is written last, and after a kill or a change by hand
    callers are where the alias is. Where the alias is at `release` itself, what that version knows stays: an update
    without changes must not publish another one. Raises `pulumi.RunError` where the alias cannot be read.
    """
    found = _serving(function)
    if found is None:
        return None
    version, variables = found
    try:
        features = tuple(str(name) for name in json.loads(variables["FEATURES"]))
        if variables["RELEASE_ID"] == release.id:
            former = parse_former(variables.get(VARIABLE), features)
            return former and former._replace(variants=dict(former.variants))
        inputs = variables.get(INPUTS) or ""
        if features == release.features and inputs == render_inputs(release.inputs):
            return None
        variants = json.loads(variables.get("VARIANTS") or "{}")
        classes = tuple(str(name) for name in json.loads(variables.get("CLASSES") or "[]"))
        endpoint = variables["ENDPOINT_NAME"]
        return Former(variables["RELEASE_ID"], version, endpoint, features, variants, classes, inputs)
    except (KeyError, ValueError, TypeError, IndexError):
        pulumi.log.warn(
            f"version {version} of {function}, which serves, has variables that this program did not write: requests"
            " of its schema are not handed on to it"
        )
        return None


def _serving(function: str) -> tuple[str, Mapping[str, str]] | None:
    """Version and variables of what callers reach."""
    try:
        found = get_function(function_name=function, qualifier=LIVE)
    except Exception as error:  # noqa: BLE001  # an invoke raises nothing narrower
        if any(words in str(error) for words in _ABSENT):
            return None
        raise pulumi.RunError(f"what {function} serves cannot be read: {error}; nothing was touched") from None
    # To the SDK's type its variables are an object of their own; it hands over a mapping.
    environment: Mapping[str, Mapping[str, str]] = found.environment or {}
    return found.version, environment.get("variables") or {}
