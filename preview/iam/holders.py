"""Who holds rights: principals with all that is attached to them, and resources with policies of their own."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from policies.rules.documents import Document, parse
from policies.rules.model import Unknown
from preview.kinds import kind
from preview.names import Names
from preview.plan import UNKNOWN, Resource
from preview.quote import code

ROLE = "aws:iam/role:Role"
_PRINCIPALS = {ROLE: "role", "aws:iam/user:User": "user", "aws:iam/group:Group": "group"}
_INLINE = {
    "aws:iam/rolePolicy:RolePolicy": "role",
    "aws:iam/userPolicy:UserPolicy": "user",
    "aws:iam/groupPolicy:GroupPolicy": "group",
}
_ATTACHED = {
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": "role",
    "aws:iam/userPolicyAttachment:UserPolicyAttachment": "user",
    "aws:iam/groupPolicyAttachment:GroupPolicyAttachment": "group",
}
_MANAGED = "aws:iam/policy:Policy"
_RESOURCES = {
    "aws:kms/key:Key": ("key", None),
    "aws:kms/keyPolicy:KeyPolicy": ("key", "keyId"),
    "aws:s3/bucketPolicy:BucketPolicy": ("bucket", "bucket"),
    "aws:sns/topicPolicy:TopicPolicy": ("topic", "arn"),
    "aws:sqs/queuePolicy:QueuePolicy": ("queue", "queueUrl"),
    "aws:secretsmanager/secretPolicy:SecretPolicy": ("secret", "secretArn"),
    "aws:ecr/repositoryPolicy:RepositoryPolicy": ("repository", "repository"),
    "aws:cloudwatch/eventBusPolicy:EventBusPolicy": ("event bus", "eventBusName"),
    "aws:sagemaker/modelPackageGroupPolicy:ModelPackageGroupPolicy": ("model package group", "modelPackageGroupName"),
}
_LIMITS = {
    "sourceAccount": "aws:SourceAccount",
    "principalOrgId": "aws:PrincipalOrgID",
    "eventSourceToken": "lambda:EventSourceToken",
    "functionUrlAuthType": "lambda:FunctionUrlAuthType",
}
"""What narrows a function's permission, as conditions."""
_PERMISSION = "aws:lambda/permission:Permission"


@dataclass
class PolicyHolder:
    """A principal with its rights, or a resource with its own policy. `unclear` says what cannot be read yet."""

    kind: str
    name: str
    identity: list[Document] = field(default_factory=list)
    own: list[Document] = field(default_factory=list)
    """Trust policy of a role, policy of a resource."""
    boundary: Document | None = None
    managed: set[str] = field(default_factory=set)
    """Policies that are not of this stack, by ARN."""
    unclear: list[str] = field(default_factory=list)
    on: str = ""
    """URN of the resource whose policy it is, where the stack has it."""
    unread: set[str] = field(default_factory=set)
    """Which of `identity`, `own` and `boundary` miss something for that reason."""

    @property
    def title(self) -> str:
        """`role prod-predict`."""
        return f"{self.kind} {code(self.name)}"

    @property
    def principal(self) -> bool:
        """Whether it acts, and is not acted upon."""
        return self.kind in _PRINCIPALS.values()


@dataclass(frozen=True)
class _World:
    """One side of a plan."""

    resources: Mapping[str, Resource]
    names: Names

    @cached_property
    def by_arn(self) -> dict[str, Resource]:
        return {
            arn: one
            for one in self.resources.values()
            if isinstance(arn := one.outputs.get("arn") or one.id, str) and arn
        }

    def text(self, value: Any) -> str:
        """A text with readable names; empty where there is none."""
        return str(self.names.of(value)) if isinstance(value, str) else ""

    def behind(self, resource: Resource, prop: str) -> Resource | None:
        """The resource that a property refers to: by its ARN, by its name, else by where the value comes from."""
        value = resource.inputs.get(prop)
        if isinstance(value, str) and value in self.by_arn:
            return self.by_arn[value]
        sources = [self.resources[urn] for urn in resource.sources.get(prop, ()) if urn in self.resources]
        custom = [source for source in sources if source.custom]
        return custom[0] if len(custom) == 1 else None

    def sources(self, resource: Resource, prop: str) -> str:
        """What an unknown value waits for, in words."""
        found = [self.resources[urn] for urn in resource.sources.get(prop, ()) if urn in self.resources]
        listed = sorted({f"{kind(one.type)} {code(one.name)}" for one in found if one.custom})
        return f"it depends on {', '.join(listed)}" if listed else "it depends on what is yet to be made"


def holders(resources: Mapping[str, Resource], names: Names) -> dict[str, PolicyHolder]:
    """All holders of one side of a plan, by their titles."""
    world = _World(resources, names)
    found: dict[str, PolicyHolder] = {}
    for resource in sorted(resources.values(), key=lambda each: each.urn):
        _add(found, world, resource)
    return found


def _add(found: dict[str, PolicyHolder], world: _World, resource: Resource) -> None:
    if resource.type in _PRINCIPALS:
        _principal(found, world, resource)
    elif resource.type in _INLINE:
        owner = _owner(found, world, resource, _INLINE[resource.type])
        _take(owner, "identity", world, resource, "policy")
    elif resource.type in _ATTACHED:
        owner = _owner(found, world, resource, _ATTACHED[resource.type])
        _attach(owner, world, resource, "policyArn")
    elif resource.type in _RESOURCES:
        word, prop = _RESOURCES[resource.type]
        behind = resource if prop is None else world.behind(resource, prop)
        holder = _holder(found, word, _named(world, resource, behind, prop or ""))
        holder.on = behind.urn if behind else ""
        _take(holder, "own", world, resource, "policy")
    elif resource.type == _PERMISSION:
        _permission(found, world, resource)


def _holder(found: dict[str, PolicyHolder], word: str, name: str) -> PolicyHolder:
    fresh = PolicyHolder(word, name)
    return found.setdefault(fresh.title, fresh)


def _principal(found: dict[str, PolicyHolder], world: _World, resource: Resource) -> None:
    holder = _holder(found, _PRINCIPALS[resource.type], world.text(resource.known.get("name")) or resource.name)
    if resource.type == ROLE:
        _take(holder, "own", world, resource, "assumeRolePolicy")
    for inline in _listed(resource.inputs.get("inlinePolicies")):
        text = inline.get("policy") if isinstance(inline, Mapping) else UNKNOWN
        _add_document(holder, "identity", world, resource, "inlinePolicies", text)
    for arn in _listed(resource.inputs.get("managedPolicyArns")):
        _managed(holder, world, arn, world.by_arn.get(arn))
    if resource.inputs.get("permissionsBoundary"):
        _bound(holder, world, resource)


def _bound(holder: PolicyHolder, world: _World, resource: Resource) -> None:
    policy = world.behind(resource, "permissionsBoundary")
    arn = world.text(resource.inputs["permissionsBoundary"])
    if policy is None or policy.type != _MANAGED:
        holder.unclear.append(
            f"its boundary {f'{code(arn)} is not of this stack' if UNKNOWN not in arn else 'is not known'}"
        )
        holder.unread.add("boundary")
        return
    _take(holder, "boundary", world, policy, "policy")


def _owner(found: dict[str, PolicyHolder], world: _World, resource: Resource, word: str) -> PolicyHolder:
    value = resource.inputs.get(word)
    if isinstance(value, str) and UNKNOWN not in value:
        return _holder(found, word, world.text(value))
    behind = world.behind(resource, word)
    name = world.text(behind.known.get("name")) if behind else ""
    return _holder(found, word, name or (behind.name if behind else resource.name))


def _attach(holder: PolicyHolder, world: _World, resource: Resource, prop: str) -> None:
    arn = resource.inputs.get(prop)
    _managed(holder, world, arn if isinstance(arn, str) else "", world.behind(resource, prop))


def _managed(holder: PolicyHolder, world: _World, arn: str, policy: Resource | None) -> None:
    if policy is not None and policy.type == _MANAGED:
        _take(holder, "identity", world, policy, "policy")
    else:
        holder.managed.add(world.text(arn) if UNKNOWN not in arn else "(a policy that is not known yet)")


def _take(holder: PolicyHolder, part: str, world: _World, resource: Resource, prop: str) -> None:
    """Add a document to a part of the holder, or note why it cannot be read."""
    _add_document(holder, part, world, resource, prop, resource.inputs.get(prop))


def _listed(value: Any) -> list[Any]:
    """The items of a list; a list that is not known yet is one item that is not."""
    return list(value) if isinstance(value, list) else [value] if value else []


def _add_document(holder: PolicyHolder, part: str, world: _World, resource: Resource, prop: str, value: Any) -> None:
    if value is None:
        return
    document = _document(world, value)
    if document.error:
        what = f"{kind(resource.type)} {code(resource.name)}"
        later = isinstance(value, str) and UNKNOWN in value
        why = world.sources(resource, prop) if later else f"its document {document.error}"
        holder.unclear.append(f"{what} is not known before the update: {why}" if later else f"{what}: {why}")
        holder.unread.add(part)
        return
    if part == "boundary":
        holder.boundary = document
    else:
        (holder.identity if part == "identity" else holder.own).append(document)


def _document(world: _World, value: Any) -> Document:
    """A document with readable names; one that is not known yet counts as one that cannot be read."""
    if isinstance(value, str) and UNKNOWN in value:
        return Document(error="is not known before the update")
    parsed = parse(world.names.of(value))
    return Document(error="is not known before the update") if isinstance(parsed, Unknown) else parsed


def _named(world: _World, resource: Resource, behind: Resource | None, prop: str) -> str:
    """The resource that a policy belongs to, by its own name."""
    if behind is not None:
        return behind.name
    value = world.text(resource.inputs.get(prop))
    return value.rpartition(":")[2] if value and UNKNOWN not in value else resource.name


def _permission(found: dict[str, PolicyHolder], world: _World, resource: Resource) -> None:
    """A grant in a function's own policy."""
    given = {key: world.text(resource.inputs.get(key)) for key in ("function", "action", "principal", "sourceArn")}
    behind = world.behind(resource, "function")
    name = given["function"] if UNKNOWN not in given["function"] else behind.name if behind else resource.name
    holder = _holder(found, "function", name.rpartition(":function:")[2] or name)
    who = given["principal"]
    conditions: dict[str, Any] = {}
    if given["sourceArn"]:
        # A source that is yet to be made is named by what it comes from: that is what a reader can judge.
        source = given["sourceArn"] if UNKNOWN not in given["sourceArn"] else "(known after the update)"
        conditions["ArnLike"] = {"aws:SourceArn": source}
    for prop, key in _LIMITS.items():
        if text := world.text(resource.inputs.get(prop)):
            conditions.setdefault("StringEquals", {})[key] = text
    qualifier = world.text(resource.inputs.get("qualifier"))
    kinds = "AWS" if who.isdigit() or who.startswith("arn:") else "*" if who == "*" else "Service"
    statement = {
        "Effect": "Allow",
        "Principal": "*" if kinds == "*" else {kinds: who},
        "Action": given["action"],
        "Resource": f"*:{qualifier}" if qualifier else "*",
        "Condition": conditions,
    }
    parsed = parse({"Version": "2012-10-17", "Statement": [statement]})
    if isinstance(parsed, Document) and not parsed.error:
        holder.own.append(parsed)


def titles(*sides: Iterable[str]) -> list[str]:
    """The titles of all sides, sorted."""
    return sorted({title for side in sides for title in side})
