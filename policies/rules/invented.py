"""Resource types whose wildcard is fine: AWS invents their ids, and offers no tag condition to bind them by."""

from .actions import Action

_AFTER = "the id is AWS's, known only once it is made, and the type takes no aws:ResourceTag"
_NO_TAGS: dict[str, dict[str, str]] = {
    "route53": {
        "hostedzone/@": f"zones can be tagged, but no condition reads it: {_AFTER}",
        "healthcheck/@": f"as zones: {_AFTER}",
        "change/@": f"one per change of a record, gone after a minute: {_AFTER}",
        "delegationset/@": _AFTER,
        "cidrcollection/@": _AFTER,
        "queryloggingconfig/@": _AFTER,
        "trafficpolicy/@": _AFTER,
        "trafficpolicyinstance/@": _AFTER,
    },
    "cloudfront": {
        "cache-policy/@": _AFTER,
        "continuous-deployment-policy/@": _AFTER,
        "field-level-encryption-config/@": _AFTER,
        "field-level-encryption-profile/@": _AFTER,
        "origin-access-control/@": _AFTER,
        "origin-access-identity/@": _AFTER,
        "origin-request-policy/@": _AFTER,
        "response-headers-policy/@": _AFTER,
    },
    "codebuild": {
        "build/@": f"one per build: {_AFTER}",
        "build-batch/@": f"one per batch of builds: {_AFTER}",
        "sandbox/@": f"one per sandbox: {_AFTER}",
    },
    "organizations": {"handshake/o-@/@/h-@": f"one per invitation: {_AFTER}"},
    "signer": {"/signing-jobs/@": f"one per job: {_AFTER}"},
    "iam": {"delegation-request/@": f"one per request: {_AFTER}"},
}


def unnameable(action: Action) -> bool:
    """Whether all that an action works on can neither be named beforehand nor bound by a tag."""
    listed = _NO_TAGS.get(action.service, {})
    return bool(action.types) and all(each in listed for each in action.types)


def reasons() -> list[tuple[str, str, str]]:
    """Service, format and reason of each type that is left out."""
    return [(service, form, reason) for service, forms in _NO_TAGS.items() for form, reason in forms.items()]
