"""The vocabulary of the table of resource types: what one type declares, and what it may override.

A plain type names its botocore operations and what forces replacement; the base class does the rest. A type with more
than one call overrides `create`, `read`, `update` or `delete`. `read` returns properties in Pulumi's names.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from rehearsal.provider import mapping, schema
from rehearsal.provider.differ import Semantics
from rehearsal.provider.errors import ProviderError, is_not_found
from rehearsal.provider.naming import AutoName
from rehearsal.provider.session import Session

ALWAYS_LOCAL = frozenset({"region", "tagsAll", "namePrefix"})
Values = dict[str, Any]


@dataclass(frozen=True)
class Tagging:
    """The operations that read and write the tags of a type, and the request member that names the resource."""

    read: str
    tag: str
    untag: str
    target: str
    by: str = "arn"
    tags: str = "Tags"
    keys: str = "TagKeys"


@dataclass
class Context:
    """One verb on one resource: its inputs (with defaults), its state, its clients."""

    session: Session
    kind: ResourceType
    urn: str
    id: str = ""
    inputs: Values = field(default_factory=dict)
    old_inputs: Values = field(default_factory=dict)
    state: Values = field(default_factory=dict)
    changed: frozenset[str] = frozenset()
    outputs: Values = field(default_factory=dict)
    timeout: float = 3600.0

    @property
    def region(self) -> str:
        return str(self.inputs.get("region") or self.state.get("region") or self.session.region)

    @property
    def account(self) -> str:
        return self.session.account

    def client(self, service: str | None = None) -> Any:
        return self.session.client(service or self.kind.service, self.region)

    def call(self, operation: str, params: Mapping[str, Any] | None = None, service: str | None = None) -> Values:
        """The answer of an operation, named as in AWS's documentation; members that are None are left out."""
        from botocore import xform_name

        request = {key: value for key, value in (params or {}).items() if value is not None}
        method = getattr(self.client(service), xform_name(operation))
        return dict(method(**request))

    def find(self, operation: str, params: Mapping[str, Any], service: str | None = None) -> Values | None:
        """As `call`, but None for what does not exist."""
        from botocore.exceptions import ClientError

        try:
            return self.call(operation, params, service)
        except ClientError as error:
            if is_not_found(error):
                return None
            raise

    def shape(self, operation: str) -> Any:
        """The input shape of an operation."""
        return self.client().meta.service_model.operation_model(operation).input_shape

    def prop(self, name: str, default: Any = None) -> Any:
        """A property as given, else as recorded."""
        value = self.inputs.get(name)
        return value if value is not None else self.state.get(name, default)

    def arn(self, service: str, resource: str, region: str | None = None, account: str | None = None) -> str:
        where = self.region if region is None else region
        owner = self.account if account is None else account
        return f"arn:{self.session.partition}:{service}:{where}:{owner}:{resource}"

    def wait(self, what: str, probe: Callable[[], bool], timeout: float | None = None) -> None:
        """Poll until `probe` says True; it raises ProviderError for a state that will never get there.

        Nothing ends it early: the bridge's Cancel does nothing (pulumi-terraform-bridge, pkg/tfbridge/provider.go).
        """
        deadline = time.monotonic() + (timeout or self.timeout)
        pause = 0.05
        while not probe():
            if time.monotonic() > deadline:
                raise ProviderError(f"timed out after {timeout or self.timeout:.0f} s waiting for {what}")
            time.sleep(pause)
            pause = min(pause * 1.5, 1.0)


class ResourceType:
    """One row of the table."""

    token: ClassVar[str]
    service: ClassVar[str]
    name: ClassVar[AutoName | None] = None
    # What forces replacement: these properties, or (when `keeps` is given) everything but these.
    replaces: ClassVar[frozenset[str]] = frozenset()
    keeps: ClassVar[frozenset[str] | None] = None
    defaults: ClassVar[Mapping[str, Any]] = {}
    # Defaults of members of objects, by path; they hold where the object is given.
    member_defaults: ClassVar[Mapping[str, Any]] = {}
    # Inputs that no update sends: the provider compares them with what was read, and so always differs.
    unsent: ClassVar[frozenset[str]] = frozenset()
    renames: ClassVar[Mapping[str, str]] = {}
    semantics: ClassVar[Semantics] = Semantics()
    # Top-level inputs the rehearsal knows; None: whatever the create operation has a member for.
    supports: ClassVar[frozenset[str] | None] = None
    # Inputs that are not sent by `request`, and inputs that AWS never answers.
    local: ClassVar[frozenset[str]] = frozenset()
    write_only: ClassVar[frozenset[str]] = frozenset()
    # Outputs that a preview cannot know once one of these inputs changes ("*": any).
    volatile: ClassVar[Mapping[str, frozenset[str]]] = {}
    tagging: ClassVar[Tagging | None] = None
    create_op: ClassVar[str] = ""
    describe_op: ClassVar[str] = ""
    describe_key: ClassVar[str] = ""
    update_op: ClassVar[str] = ""
    delete_op: ClassVar[str] = ""
    key: ClassVar[str] = ""

    @functools.cached_property
    def schema(self) -> schema.ResourceSchema:
        return schema.resource_schema(self.token)

    @property
    def shapes_inputs(self) -> bool:
        """Whether the type rearranges its inputs, which it can do only when all are known."""
        return type(self).shape_inputs is not ResourceType.shape_inputs

    def forces_replacement(self, path: str) -> bool:
        """Whether a change of this property path means a new resource."""
        top = path.split(".")[0].split("[")[0]
        if self.keeps is not None:
            return top not in self.keeps and top not in ("tags", "tagsAll")
        return top == "region" or top in self.replaces or path in self.replaces

    def replaces_when(self, path: str, before: Values, after: Values) -> bool:
        """Whether this change of a property means a new resource, where that depends on its values (CustomizeDiff)."""
        return False

    def plan(self, ctx: Context) -> None:
        """What the provider looks at when it plans a change of `ctx.changed`; raises ProviderError to refuse it."""

    def validate(self, inputs: Values) -> list[tuple[str, str]]:
        """Rules beyond types, as (property path, reason)."""
        return []

    def name_suffix(self, inputs: Values) -> str:
        """What an automatic name must end with."""
        return ""

    def request(self, ctx: Context, operation: str, strict: bool = True) -> Values:
        """The request for an operation from the inputs; unless strict, inputs it has no member for are left out."""
        shape = ctx.shape(operation)
        hidden = ALWAYS_LOCAL | self.local
        given = {key: value for key, value in self.shape_inputs(ctx).items() if key not in hidden and value is not None}
        if not strict:
            given = {
                key: value
                for key, value in given.items()
                if (self.renames.get(key) or mapping.find_key(shape.members, key)) in shape.members
            }
        return dict(mapping.to_aws(shape, given, self.renames))

    def shape_inputs(self, ctx: Context) -> Values:
        """The inputs as `request` maps them: the place for what differs by more than a name."""
        return dict(ctx.inputs)

    def shape_answer(self, ctx: Context, answer: Values) -> Values:
        """AWS's answer as it is mapped back."""
        return answer

    def target(self, ctx: Context) -> Values:
        """The request members that name this resource."""
        return {self.key: ctx.id}

    def identify(self, ctx: Context, answer: Values) -> str:
        """The id of what was just created: its name unless overridden."""
        return str(ctx.inputs[self.name.property if self.name else "name"])

    def create(self, ctx: Context) -> None:
        """Make the thing and set `ctx.id` as soon as it exists."""
        answer = ctx.call(self.create_op, self.request(ctx, self.create_op))
        ctx.id = self.identify(ctx, answer)

    def read(self, ctx: Context) -> Values | None:
        """The properties AWS has now; None when the thing is gone."""
        answer = ctx.find(self.describe_op, self.target(ctx))
        if answer is None:
            return None
        inner = answer.get(self.describe_key) if self.describe_key else answer
        if not inner:
            return None
        return self.observed(ctx, self.shape_answer(ctx, dict(inner)))

    def observed(self, ctx: Context, answer: Values) -> Values:
        """An answer mapped to the properties of this type, without tags."""
        known = {k: p for k, p in self.schema.outputs.items() if k not in ("tags", "tagsAll", "region")}
        return mapping.from_aws(answer, known, self.renames)

    def update(self, ctx: Context) -> None:
        """Bring the thing to `ctx.inputs`; tags are written apart."""
        if not ctx.changed - {"tags", "tagsAll"}:
            return
        if not self.update_op:
            raise ProviderError(f"{self.token}: {', '.join(sorted(ctx.changed))} cannot be updated in place")
        ctx.call(self.update_op, {**self.target(ctx), **self.request(ctx, self.update_op, strict=False)})

    def delete(self, ctx: Context) -> None:
        """Remove the thing, and wait until it is gone where AWS takes its time."""
        ctx.call(self.delete_op, self.target(ctx))

    def read_tags(self, ctx: Context, observed: Values) -> dict[str, str]:
        """The tags AWS has, without its own."""
        tagging = self.tagging
        if tagging is None:
            return {}
        answer = ctx.find(tagging.read, {tagging.target: self.tag_target(ctx, observed)}) or {}
        key = mapping.find_key(answer, tagging.tags) or mapping.find_key(answer, "TagList")
        pairs = mapping.pairs_to_map(answer.get(key) or {}) if key else {}
        return {name: str(value) for name, value in pairs.items() if not name.startswith("aws:")}

    def write_tags(self, ctx: Context) -> None:
        """Bring the tags from `ctx.old_inputs` to `ctx.inputs`."""
        tagging = self.tagging
        if tagging is None:
            return
        want, have = ctx.inputs.get("tags") or {}, ctx.old_inputs.get("tags") or {}
        target = self.tag_target(ctx, ctx.state)
        gone = sorted(set(have) - set(want))
        if gone:
            ctx.call(tagging.untag, {tagging.target: target, tagging.keys: gone})
        fresh = {key: value for key, value in want.items() if have.get(key) != value}
        if fresh:
            tags = mapping.to_aws(ctx.shape(tagging.tag).members[tagging.tags], fresh, {})
            ctx.call(tagging.tag, {tagging.target: target, tagging.tags: tags})

    def tag_target(self, ctx: Context, observed: Values) -> Any:
        """The value that names the resource to the tagging operations."""
        by = self.tagging.by if self.tagging else "arn"
        return ctx.id if by == "id" else observed.get(by) or ctx.state.get(by)
