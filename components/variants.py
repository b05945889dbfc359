"""Other models beside the release's own: variants of an A/B test, which answer, and a shadow, which does not."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypedDict

import pulumi

from components.endpoint import VARIANT, VariantArgs
from components.release import LocatedRelease, Trust, load
from contracts.release import Release


class OtherVariant(TypedDict):
    """A variant as the hooks know it."""

    variant: str
    release: str
    golden: str
    sha256: str


@dataclass(frozen=True)
class EndpointVariants:
    """The release and the models beside it on its endpoint."""

    release: Release
    others: Sequence[tuple[VariantArgs, Release]]

    @property
    def all(self) -> list[VariantArgs]:
        """All models of the endpoint, the release's own first."""
        return [_variant(VARIANT, self.release, 1.0, shadow=False), *(variant for variant, _ in self.others)]

    @property
    def answering(self) -> dict[str, str]:
        """Variant → release, of all that answer requests; empty where the release answers alone."""
        others = {variant["name"]: release.id for variant, release in self.others if not variant["shadow"]}
        return {VARIANT: self.release.id, **others} if others else {}

    @property
    def proven(self) -> list[OtherVariant]:
        """What the hooks prove beside the release itself."""
        return [
            {
                "variant": variant["name"],
                "release": release.id,
                "golden": release.golden,
                "sha256": release.hashes.golden if release.hashes else "",
            }
            for variant, release in self.others
            if not variant["shadow"]
        ]


class ConfiguredVariant(TypedDict):
    """A variant as config names it."""

    name: str
    manifest: str
    weight: float
    shadow: bool


def load_variants(found: LocatedRelease, wanted: Sequence[ConfiguredVariant], trust: Trust) -> EndpointVariants:
    """Load the manifests of all. Raises `pulumi.RunError` for one that cannot stand beside the release."""
    return EndpointVariants(found.release, [_beside(found.release, item, trust) for item in wanted])


def _beside(release: Release, wanted: ConfiguredVariant, trust: Trust) -> tuple[VariantArgs, Release]:
    other = load(wanted["manifest"], trust).release
    reason = _misfit(release, other)
    if reason:
        key = "glidepath:shadow" if wanted["shadow"] else "glidepath:variants"
        raise pulumi.RunError(f"{key}: {wanted['name']} is release {other.id}, {reason}; nothing was touched")
    return _variant(wanted["name"], other, wanted["weight"], wanted["shadow"]), other


def _misfit(release: Release, other: Release) -> str:
    if other.id == release.id:
        return "which is the release itself: take it out of the stack's config"
    if other.features != release.features:
        return (
            f"which wants the features {', '.join(other.features)} and release {release.id} wants"
            f" {', '.join(release.features)}: one request must suit both"
        )
    if other.inputs != release.inputs:
        return f"which takes other values (null, or categories) than release {release.id}: one request must suit both"
    if (other.task, other.classes) != (release.task, release.classes):
        return (
            f"which answers {_answers(other)} and release {release.id} answers {_answers(release)}: one function must"
            " read both"
        )
    if other.target != release.target:
        return f"which predicts {other.target} and release {release.id} predicts {release.target}"
    return ""


def _answers(release: Release) -> str:
    """What a release answers, in words."""
    named = f" ({', '.join(release.classes)})" if release.classes else ""
    return f"a {release.task}{named}"


def _variant(name: str, release: Release, weight: float, shadow: bool) -> VariantArgs:
    model = release.model
    return {"name": name, "artifact": model.artifact, "image": model.image, "weight": weight, "shadow": shadow}
