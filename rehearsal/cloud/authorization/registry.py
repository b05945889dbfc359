"""What services tell about permissions, beside the state that they read: what a call needs, policies and tags.

Services whose records are all moto's stand in `needs.py`, `sources.py` and `resourcetags.py`.
"""

from collections.abc import Callable, Mapping
from typing import Any

from rehearsal.cloud.authorization.need import Need
from rehearsal.cloud.core.call import Call
from rehearsal.cloud.core.cloud import Cloud

NeedsFinder = Callable[[Call], list[Need]]
PolicyFinder = Callable[[Cloud, Need], Any]
TagFinder = Callable[[Call, str], Mapping[str, str]]

needs_finders: dict[str, NeedsFinder] = {}
policy_finders: dict[str, PolicyFinder] = {}
tag_finders: dict[str, TagFinder] = {}


def needs(service: str) -> Callable[[NeedsFinder], NeedsFinder]:
    """Register what calls of a service (botocore's client name) must be allowed: `(call) -> needs`, its own first."""

    def register(finder: NeedsFinder) -> NeedsFinder:
        needs_finders[service] = finder
        return finder

    return register


def resource_policy(service: str) -> Callable[[PolicyFinder], PolicyFinder]:
    """Register the policies attached to a service's resources: `(cloud, need) -> JSON document, or None`.

    `service` is the one of the need's action.
    """

    def register(finder: PolicyFinder) -> PolicyFinder:
        policy_finders[service] = finder
        return finder

    return register


def resource_tags(service: str) -> Callable[[TagFinder], TagFinder]:
    """Register the tags that a service's resources carry: `(call, ARN) -> tags`, none for what is not there.

    `service` is the one in the ARN.
    """

    def register(finder: TagFinder) -> TagFinder:
        tag_finders[service] = finder
        return finder

    return register
