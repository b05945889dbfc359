"""What services tell about permissions, beside the state that they read: what a call needs, and policies of resources.

Services whose records are all moto's stand in `needs.py` and `sources.py`.
"""

from collections.abc import Callable
from typing import Any

from rehearsal.cloud.authorization.need import Need
from rehearsal.cloud.core.call import Call
from rehearsal.cloud.core.cloud import Cloud

NeedsFinder = Callable[[Call], list[Need]]
PolicyFinder = Callable[[Cloud, Need], Any]

needs_finders: dict[str, NeedsFinder] = {}
policy_finders: dict[str, PolicyFinder] = {}


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
