"""The provider's verbs on one resource: check, diff, create, read, update, delete. No gRPC here."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from rehearsal.provider import differ, drift, rules, schema, types
from rehearsal.provider.errors import Failures, PartialFailure, ProviderError, Unsupported, describe, is_not_found
from rehearsal.provider.resource import Context, ResourceType, Values
from rehearsal.provider.session import Session, default_tags
from rehearsal.provider.values import UNKNOWN, Secret, holds_unknown, reveal

DEFAULTED = "__defaults"


@dataclass(frozen=True)
class Naming:
    """What the engine proposes as a name: `mode` is propose, enforce or disable."""

    logical: str
    seed: bytes = b""
    mode: str = ""
    proposed: str = ""


@dataclass(frozen=True)
class DiffResult:
    """Changes with the paths that force replacement, and whether the old must go first."""

    changes: list[differ.Change]
    replaces: frozenset[str]
    delete_first: bool


@dataclass
class Lifecycle:
    """The verbs, for one configured provider."""

    session: Session
    _enums: dict[tuple[str, str], tuple[str, ...]] = field(default_factory=dict)

    def check(self, token: str, urn: str, olds: Values, news: Values, naming: Naming) -> Values:
        """The inputs as they will be used: typed, named, with default tags. Raises Failures."""
        kind = types.find(token)
        properties = kind.schema.inputs
        failures = schema.check(properties, news)
        if failures:
            raise Failures(failures)
        inputs = {key: _typed(kind, key, value) for key, value in news.items() if not key.startswith("__")}
        unknown_to_us = set(inputs) - kind.supports - {"region", "tags"} if kind.supports is not None else set()
        failures = [(key, f"the rehearsal does not support this property of {token}") for key in sorted(unknown_to_us)]
        failures += kind.validate(reveal(inputs))
        failures = failures or self._unsupported(kind, urn, inputs)
        if failures:
            raise Failures(failures)
        if "tags" in properties:
            inputs = _with_default_tags(inputs, default_tags(self.session.config))
        named = _with_name(kind, inputs, olds, naming)
        failures = rules.broken(rules.find(token), named, self._enum)
        if failures:
            raise Failures(failures)
        return named

    def _enum(self, service: str, shape: str) -> tuple[str, ...]:
        """The members of an enum of AWS's."""
        key = (service, shape)
        if key not in self._enums:
            model = self.session.client(service).meta.service_model
            self._enums[key] = tuple(model.shape_for(shape).enum)
        return self._enums[key]

    def _unsupported(self, kind: ResourceType, urn: str, inputs: Values) -> list[tuple[str, str]]:
        """What the create request has no place for, at any depth: found here, so that a preview reports it."""
        known = {key: value for key, value in inputs.items() if not holds_unknown(value)}
        if not kind.create_op or (len(known) < len(inputs) and kind.shapes_inputs):
            return []
        try:
            kind.request(self._context(kind, urn, inputs=effective(kind, known)), kind.create_op)
        except Unsupported as error:
            return [(error.path, error.reason)]
        return []

    def diff(self, token: str, old_inputs: Values, news: Values, state: Values) -> DiffResult:
        """What changed between two sets of checked inputs. Raises ProviderError for what the provider does not plan."""
        kind = types.find(token)
        before, after = effective(kind, old_inputs), effective(kind, news)
        found = self._changes(kind, before, after, state)
        if found:
            ctx = self._context(kind, "", inputs=after, old_inputs=before, state=state, changed=_tops(found))
            with readable(token):
                kind.plan(ctx)
        replaces = frozenset(
            change.path
            for change in found
            if kind.forces_replacement(change.path) or kind.replaces_when(change.path, before, after)
        )
        return DiffResult(found, replaces, bool(replaces) and _name_collides(kind, before, after, news))

    def _changes(self, kind: ResourceType, before: Values, after: Values, state: Values) -> list[differ.Change]:
        # A property AWS fills in keeps its value when the program stops setting it.
        kept = {key for key in before if key not in after and key in kind.schema.computed and key != "tags"}
        old = {key: value for key, value in before.items() if key not in kept}
        old |= {key: state[key] for key in kind.unsent if state.get(key) is not None}
        old |= {key: value for key, value in after.items() if _reached(kind, key, value, state)}
        if "region" in after and "region" not in old:
            old["region"] = state.get("region") or self.session.region
        return differ.changes(old, after, kind.semantics)

    def create(self, token: str, urn: str, news: Values, preview: bool, timeout: float) -> tuple[str, Values]:
        """The id and outputs; raises PartialFailure when the thing exists but is not complete."""
        kind = types.find(token)
        inputs = effective(kind, news)
        with readable(urn):
            kind.plan(self._context(kind, urn, inputs=inputs, changed=frozenset(inputs)))
        if preview:
            return "", self._planned(kind, inputs)
        ctx = self._context(kind, urn, inputs=self._named(kind, inputs), timeout=timeout)
        ctx.changed = frozenset(ctx.inputs)
        try:
            with readable(urn):
                kind.create(ctx)
                observed = self._observe(kind, ctx)
        except ProviderError as error:
            if not ctx.id:
                raise
            raise self._partial(kind, ctx, str(error), news) from error
        return ctx.id, _outputs(kind, ctx, observed)

    def _partial(self, kind: ResourceType, ctx: Context, message: str, news: Values) -> PartialFailure:
        """A create that failed after its id was set, as the bridge tells it: with all inputs, as if they were there."""
        observed: Values = {}
        with contextlib.suppress(Exception):
            observed = self._observe(kind, ctx)
        return PartialFailure(message, ctx.id, {**_outputs(kind, ctx, observed), **_wished(kind, ctx.inputs)}, news)

    def _planned(self, kind: ResourceType, inputs: Values) -> Values:
        planned: Values = dict.fromkeys(kind.schema.computed, UNKNOWN)
        planned |= {key: value for key, value in inputs.items() if key in kind.schema.outputs}
        if "tagsAll" in kind.schema.outputs:
            planned["tagsAll"] = inputs.get("tags") or {}
        if "region" in kind.schema.outputs:
            planned.setdefault("region", self.session.region)
            planned["region"] = self.session.region if planned["region"] is UNKNOWN else planned["region"]
        return planned

    def _named(self, kind: ResourceType, inputs: Values) -> Values:
        name = kind.name
        if name is None or not name.prefix_property or inputs.get(name.property):
            return inputs
        prefix = inputs.get(name.prefix_property)
        if not prefix:
            return inputs
        return {**inputs, name.property: name.from_prefix(prefix, kind.name_suffix(inputs))}

    def read(self, token: str, urn: str, ident: str, inputs: Values, state: Values) -> tuple[str, Values, Values]:
        """(id, outputs, inputs) as AWS has them now; an empty id when the thing is gone."""
        kind = types.find(token)
        given = {key: value for key, value in inputs.items() if key != DEFAULTED}
        ctx = self._context(kind, urn, id=ident, inputs=effective(kind, given) if given or state else {}, state=state)
        with readable(urn):
            seen = kind.read(ctx)
            if seen is None:
                return "", {}, {}
            observed = self._complete(kind, ctx, seen)
        # What AWS never answers stays as the state has it.
        outputs = _outputs(kind, ctx, observed) | {key: state[key] for key in kind.write_only if key in state}
        if not given and not state:
            return ctx.id, outputs, drift.imported(kind, outputs)
        fresh = drift.drifted(kind, given, state, observed)
        return ctx.id, outputs, {**fresh, **{k: v for k, v in inputs.items() if k == DEFAULTED}}

    def update(
        self, token: str, urn: str, ident: str, old_inputs: Values, state: Values, news: Values, preview: bool,
        timeout: float,
    ) -> Values:  # fmt: skip
        """The outputs after bringing the thing from the old to the new inputs.

        What fails is told as terraform-plugin-sdk and the bridge tell it (schema.Resource.Apply gives back the planned
        state, pkg/tfbridge/provider.go makes it an initialization error): as if the new inputs were there. The engine's
        next update then has no difference, and an update without one only reads (pulumi/pulumi-aws#6062).
        """
        kind = types.find(token)
        before, after = effective(kind, old_inputs), effective(kind, news)
        found = self._changes(kind, before, after, state)
        changed = _tops(found)
        if preview:
            return self._replanned(kind, after, before, state, changed)
        merged = {**{k: state[k] for k in _identity(kind) if k in state}, **after}
        ctx = self._context(kind, urn, id=ident, inputs=merged, old_inputs=before, state=state, timeout=timeout)
        ctx.changed = changed
        try:
            with readable(urn):
                if changed:
                    kind.update(ctx)
                if "tags" in changed:
                    kind.write_tags(ctx)
                return _outputs(kind, ctx, self._observe(kind, ctx))
        except ProviderError as error:
            raise PartialFailure(str(error), ident, {**state, **_wished(kind, after)}, news) from error

    def _replanned(
        self, kind: ResourceType, after: Values, before: Values, state: Values, changed: frozenset[str]
    ) -> Values:
        gone = set(before) - set(after) - kind.schema.computed
        planned = {key: value for key, value in state.items() if key not in gone}
        planned |= {key: value for key, value in after.items() if key in kind.schema.outputs}
        if "tagsAll" in planned:
            planned["tagsAll"] = after.get("tags") or {}
        for output, triggers in kind.volatile.items():
            if changed and ("*" in triggers or triggers & changed):
                planned[output] = UNKNOWN
        return planned

    def delete(self, token: str, urn: str, ident: str, inputs: Values, state: Values, timeout: float) -> None:
        """Remove the thing; what is already gone is fine."""
        from botocore.exceptions import ClientError

        kind = types.find(token)
        ctx = self._context(kind, urn, id=ident, inputs=effective(kind, inputs), state=state, timeout=timeout)
        with readable(urn):
            try:
                kind.delete(ctx)
            except ClientError as error:
                if not is_not_found(error):
                    raise

    def _context(self, kind: ResourceType, urn: str, **values: Any) -> Context:
        if not values.get("timeout"):
            values["timeout"] = 3600.0
        return Context(self.session, kind, urn, **values)

    def _observe(self, kind: ResourceType, ctx: Context) -> Values:
        seen = kind.read(ctx)
        if seen is None:
            raise ProviderError(f"{ctx.id} was not found right after it was written")
        return self._complete(kind, ctx, seen)

    def _complete(self, kind: ResourceType, ctx: Context, seen: Values) -> Values:
        """What was read, with region and tags."""
        outputs = kind.schema.outputs
        if "region" in outputs:
            seen["region"] = ctx.region
        if "tagsAll" in outputs and "tagsAll" not in seen:
            tags = kind.read_tags(ctx, seen)
            seen |= {"tags": tags or None, "tagsAll": tags}
        return {key: value for key, value in seen.items() if key in outputs}


def effective(kind: ResourceType, inputs: Values) -> Values:
    """Inputs in plain form with the provider's defaults under them."""
    given = {key: value for key, value in reveal(inputs).items() if not key.startswith("__") and value is not None}
    for path, value in kind.member_defaults.items():
        top, *rest = path.split(".")
        if top in given:
            given[top] = _with_member(given[top], rest, value)
    return {**kind.defaults, **given}


def _with_member(node: Any, path: list[str], default: Any) -> Any:
    """An object, or each of a list, with a member where it has none; what is not known stays so."""
    if isinstance(node, list):
        return [_with_member(item, path, default) for item in node]
    if not isinstance(node, dict):
        return node
    if len(path) == 1:
        return node if node.get(path[0]) is not None else {**node, path[0]: default}
    return {**node, path[0]: _with_member(node[path[0]], path[1:], default)} if path[0] in node else node


def _wished(kind: ResourceType, inputs: Values) -> Values:
    """Inputs as outputs: what a failed step leaves in the state."""
    return {key: value for key, value in inputs.items() if key in kind.schema.outputs and key != "region"}


def _reached(kind: ResourceType, key: str, value: Any, state: Values) -> bool:
    """Whether the state holds a value already, whatever the inputs say that the engine kept.

    The bridge compares with the state alone. After a failed update that is what was wanted then, while the engine keeps
    the inputs from before it.
    """
    held = state.get(key)
    return held is not None and key not in kind.unsent and differ.same(value, held, kind.semantics, key)


def _tops(changes: list[differ.Change]) -> frozenset[str]:
    return frozenset(change.path.split(".")[0].split("[")[0] for change in changes)


@contextlib.contextmanager
def readable(urn: str) -> Iterator[None]:
    """Errors of AWS as one sentence that names the resource."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except (ClientError, BotoCoreError) as error:
        raise ProviderError(f"{urn.rsplit('::', 1)[-1]}: {describe(error)}") from error
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ProviderError(f"{urn}: the rehearsal's provider failed: {type(error).__name__}: {error}") from error


def _typed(kind: ResourceType, key: str, value: Any) -> Any:
    """A value in its schema's type; a policy given as an object becomes its JSON text."""
    if key in kind.semantics.documents and isinstance(reveal(value), dict):
        if holds_unknown(value):
            return UNKNOWN
        text = json.dumps(reveal(value), separators=(",", ":"))
        return Secret(text) if isinstance(value, Secret) else text
    return schema.coerce(kind.schema.inputs[key].type, value)


def _with_default_tags(inputs: Values, tags: dict[str, str]) -> Values:
    given = inputs.get("tags")
    if given is UNKNOWN or not tags:
        return inputs
    if isinstance(given, Secret):
        return {**inputs, "tags": Secret({**tags, **(given.value or {})})}
    return {**inputs, "tags": {**tags, **(given or {})}}


def _with_name(kind: ResourceType, inputs: Values, olds: Values, naming: Naming) -> Values:
    name = kind.name
    if name is None or inputs.get(name.property) is not None:
        return inputs
    if name.prefix_property and inputs.get(name.prefix_property) is not None:
        return inputs
    kept = olds.get(name.property) if name.property in reveal(olds.get(DEFAULTED) or []) else None
    return {**inputs, name.property: kept or _new_name(kind, inputs, naming), DEFAULTED: [name.property]}


def _new_name(kind: ResourceType, inputs: Values, naming: Naming) -> str:
    name = kind.name
    assert name is not None
    if naming.mode == "disable":
        raise Failures([(name.property, "missing: automatic naming is disabled for this stack")])
    if naming.mode in ("propose", "enforce") and naming.proposed:
        return naming.proposed
    try:
        return name.random(naming.logical, naming.seed, kind.name_suffix(reveal(inputs)))
    except ValueError as error:
        raise Failures([(name.property, str(error))]) from error


def _name_collides(kind: ResourceType, before: Values, after: Values, news: Values) -> bool:
    """Whether the old one goes first: wherever a name that could have been made up was given, be it another one or not.

    pulumi-terraform-bridge, pkg/tfbridge/schema.go, nameRequiresDeleteBeforeReplace.
    """
    name = kind.name
    if name is None or not name.first or name.property in (news.get(DEFAULTED) or []):
        return False
    return after.get(name.property) is not None


def _identity(kind: ResourceType) -> set[str]:
    """Computed inputs that name the thing: an update must still know them."""
    return {kind.name.property} if kind.name else set()


def _outputs(kind: ResourceType, ctx: Context, observed: Values) -> Values:
    """The state: what AWS has, in the program's own words where they mean the same."""
    known = kind.schema.outputs
    outputs = {key: value for key, value in ctx.state.items() if key in known and key not in kind.schema.inputs}
    outputs |= {key: value for key, value in ctx.outputs.items() if key in known}
    outputs |= {key: ctx.inputs[key] for key in kind.write_only if key in ctx.inputs and key in known}
    for key, value in observed.items():
        given = ctx.inputs.get(key)
        outputs[key] = given if given is not None and differ.same(given, value, kind.semantics, key) else value
    return {key: value for key, value in outputs.items() if value is not None}
