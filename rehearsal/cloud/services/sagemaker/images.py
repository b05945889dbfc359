"""Which container images the rehearsal can stand in for."""

import functools
import json
import re
from importlib import metadata
from typing import Any

from rehearsal.cloud.core.api import AwsError
from rehearsal.cloud.services.sagemaker.state import invalid

XGBOOST = "sagemaker-xgboost"
ANALYZER = "sagemaker-model-monitor-analyzer"
_TABLES = {XGBOOST: ("xgboost.json", "training"), ANALYZER: ("model-monitor.json", None)}

_IMAGE = re.compile(
    r"(?P<registry>\d{12})\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.amazonaws\.com(?:\.cn)?/"
    r"(?P<repository>[a-z0-9._/-]+?)(?::(?P<tag>[\w.-]+))?(?:@(?P<digest>sha256:[0-9a-f]{64}))?"
)


def repository(image: str, region: str, allowed: tuple[str, ...]) -> str:
    """The repository of an image that one of our executors stands in for.

    Raises ValidationException for a name that is no image, or that AWS does not publish in this region, and
    NotImplemented for an image that nothing here executes.
    """
    match = _IMAGE.fullmatch(image)
    if match is None:
        raise invalid(
            f"Invalid image URI {image}: expected <account>.dkr.ecr.<region>.amazonaws.com/<repository>:<tag>"
        )
    name = match["repository"]
    if name not in allowed:
        known = " and ".join(allowed)
        raise AwsError("NotImplemented", f"not implemented by the rehearsal: image {image} (it runs {known})", 501)
    if match["region"] != region:
        raise invalid(f"Cannot find image {image}: it is not in region {region}")
    _check_published(image, name, match)
    return name


def _check_published(image: str, name: str, match: re.Match[str]) -> None:
    versions = _published(name)
    if versions is None:
        return
    tag = (match["tag"] or "").removesuffix("-cpu-py3")
    version = versions.get(tag) or versions.get("") or (None if tag in versions else next(iter(versions.values())))
    if version is None:
        return
    registry = version["registries"].get(match["region"])
    if registry != match["registry"]:
        raise invalid(
            f"Cannot find image {image}: registry {match['registry']} does not publish {name} in {match['region']}"
            + (f"; {registry} does" if registry else "")
        )
    if name == XGBOOST and tag not in versions:
        raise invalid(f"Cannot find image {image}: {name} has no version {tag!r}; known: {', '.join(versions)}")


@functools.cache
def _published(name: str) -> dict[str, Any] | None:
    """Versions and registries by AWS's own table, where `sagemaker-core` is installed."""
    file, scope = _TABLES[name]
    try:
        files = metadata.files("sagemaker-core") or []
    except metadata.PackageNotFoundError:
        return None
    for path in files:
        if path.name == file and path.parent.name == "image_uri_config":
            content = json.loads(path.read_text())
            versions: dict[str, Any] = (content[scope] if scope else content)["versions"]
            return versions
    return None
