"""`aws:ResourceTag/…` and a service's own `…:ResourceTag/…`: the tags of what a call works on.

As moto keeps them, where a service has not registered how it does (`registry.resource_tags`).
"""

from collections.abc import Iterator, Mapping
from functools import cached_property

from moto.core.resource_tagging import iter_taggable_backends

from rehearsal.cloud.authorization import registry
from rehearsal.cloud.authorization.need import Need
from rehearsal.cloud.core.call import Call
from rehearsal.cloud.policy_language.template import Context

_WITHOUT = frozenset({"s3"})
"""S3 has keys of its own for the tags of objects, and takes none of buckets unless they are switched to it."""


class WithTags(Mapping[str, tuple[str, ...]]):
    """Condition keys of a need. The resource's tags are looked up when a policy first asks for one."""

    def __init__(self, call: Call, need: Need, keys: Context) -> None:
        self._call, self._need, self._keys = call, need, keys
        self._prefixes = ("aws:resourcetag/", f"{need.service}:resourcetag/")

    def __getitem__(self, key: str) -> tuple[str, ...]:
        if key in self._keys or not key.startswith(self._prefixes):
            return self._keys[key]
        return (self._tags[key.partition("/")[2]],)

    def __iter__(self) -> Iterator[str]:
        return iter(self._keys)

    def __len__(self) -> int:
        return len(self._keys)

    @cached_property
    def _tags(self) -> dict[str, str]:
        if self._need.service in _WITHOUT or self._need.resource.count(":") < 5:
            return {}
        found = dict(_tags(self._call, self._need.resource))
        return {key.lower(): value for key, value in found.items()}


def _tags(call: Call, resource: str) -> Mapping[str, str]:
    service, region, account = resource.split(":")[2:5]
    account, region = account or call.account, region or call.region
    if service == "iam":
        return _of_identity(call, account, resource)
    if finder := registry.tag_finders.get(service):
        return finder(call, resource)
    holder = _holder(service, resource)
    for backend in iter_taggable_backends(account, region):
        if service == backend.SERVICE_NAMESPACE:
            for each in backend.iter_tagged_resources():
                if each.arn.removesuffix(":*") == holder:
                    return each.tags
    return {}


def _holder(service: str, resource: str) -> str:
    """What carries the tags: the function of a version or alias, the group of a log stream."""
    if service == "lambda":
        return ":".join(resource.split(":")[:7])
    if service == "logs":
        return resource.partition(":log-stream:")[0].removesuffix(":*")
    return resource


def _of_identity(call: Call, account: str, resource: str) -> Mapping[str, str]:
    backend = call.cloud.backend("iam", account, call.region)
    for each in (*backend.roles.values(), *backend.users.values(), *backend.managed_policies.values()):
        if each.arn == resource:
            tags = getattr(each, "tags", None) or {}
            if isinstance(tags, list):
                return {tag["Key"]: tag["Value"] for tag in tags}
            return {key: tag["Value"] if isinstance(tag, Mapping) else tag for key, tag in tags.items()}
    return {}
