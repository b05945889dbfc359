"""What a run writes stays what it wrote: what the program believes of a release, and in which words it stops."""

import hashlib
import json
from typing import Any

import pulumi
import pytest

from contracts.signature import signature_of
from tests.program.harness import SIGNING_KEY, Store, address, manifest, older, run

ONE = manifest(1)


def refusal(store: Store, **changes: Any) -> str:
    with pytest.raises(pulumi.RunError) as caught:
        run("prod", store, **{"release": address(1), **changes})
    text = str(caught.value)
    assert "\n" not in text
    assert text.endswith("; nothing was touched")
    return text


def sha256(store: Store, number: int = 1) -> str:
    return hashlib.sha256(store.objects[address(number)].encode()).hexdigest()


@pytest.mark.parametrize(
    ("what", "uri", "vouched"),
    [
        ("golden records", ONE["golden"], "01" * 32),
        ("baseline statistics", ONE["baseline"]["statistics"], "02" * 32),
        ("baseline constraints", ONE["baseline"]["constraints"], "03" * 32),
    ],
)
def test_tampered_golden_records_and_a_tampered_baseline_stop_a_deployment(what: str, uri: str, vouched: str) -> None:
    store = Store()
    store.put(1)
    store.checksums[uri] = "cd" * 32
    assert refusal(store).startswith(
        f"the {what} {uri} has SHA-256 {'cd' * 32}, but release {ONE['id']} vouches for {vouched}: "
    )


def test_an_unsigned_manifest_stops_a_deployment() -> None:
    store = Store()
    store.put(1)
    del store.objects[signature_of(address(1))]
    assert refusal(store).startswith(f"the release signature {signature_of(address(1))} cannot be read: ")


@pytest.mark.parametrize("release", [address(1), None])
def test_an_altered_manifest_stops_a_deployment_whoever_names_it(release: str | None) -> None:
    """Named, or taken from a record that was altered as well."""
    store = Store()
    store.put(1)
    store.write(1, manifest(1) | {"commit": "attacker"})
    store.point("prod", 1)
    found = refusal(store, release=release)
    assert found.startswith(f"{signature_of(address(1))} is not the signature of {SIGNING_KEY} for {address(1)} with ")
    assert sha256(store) in found


def test_the_signature_of_another_key_stops_a_deployment() -> None:
    store = Store()
    store.put(1)
    store.sign(1, "arn:aws:kms:eu-west-1:999999999999:alias/attackers")
    assert "is not the signature of" in refusal(store)


def test_the_manifest_of_another_run_stops_a_deployment() -> None:
    """A signed one, with its own signature, under this run's address."""
    store = Store()
    store.put(1)
    store.put(2)
    for of in (str, signature_of):
        store.objects[of(address(1))] = store.objects[of(address(2))]
    assert "is not the signature of" in refusal(store)


def test_a_variant_is_believed_no_sooner() -> None:
    store = Store()
    store.put(1)
    store.write(2, manifest(2))
    assert "cannot be read" in refusal(store, variants=[{"manifest": address(2)}])


def test_an_older_manifest_is_deployed_only_where_it_is_named() -> None:
    store = Store()
    store.write(1, older(1))
    assert refusal(store).startswith(
        f"{address(1)} (release {ONE['id']}) is of the kind from before manifests were signed: if you trust it, name"
        f" its SHA-256 in glidepath:unsigned ({sha256(store)}; "
    )
    assert "of the kind from before" in refusal(store, unsigned=["00" * 32])
    made = run("prod", store, release=address(1), unsigned=[sha256(store)])
    hooks = [made for made in made.of("aws:lambda/function:Function") if made.name.endswith("-before-traffic")]
    assert hooks[0].inputs["environment"]["variables"]["GOLDEN_SHA256"] == ""


def test_an_older_release_that_serves_goes_on() -> None:
    store = Store()
    store.write(1, older(1))
    store.point("prod", 1)
    assert run("prod", store).outputs["release"] == ONE["id"]
    store.objects[address(1)] = json.dumps(older(1) | {"commit": "attacker"})
    assert "was approved: the manifest was changed" in refusal(store, release=None)


def test_to_be_named_does_not_stand_for_a_signature() -> None:
    """A manifest of now with hashes is signed, or it is an attacker's."""
    store = Store()
    store.write(1, manifest(1))
    assert "cannot be read" in refusal(store, unsigned=[sha256(store)])
