"""Resources that only get another logical name: the engine deletes them and makes them again."""

from collections import Counter
from collections.abc import Mapping

from preview.kinds import is_component, kind, stakes
from preview.model import Danger, Line
from preview.plan import Plan, Resource, Step
from preview.quote import code
from preview.serving import Spoken


def renames(plan: Plan) -> list[Spoken]:
    """A line for each component or resource that is deleted under one name and created under another."""
    deleted = [step for step in plan.changes if step.op == "delete"]
    created = [step for step in plan.changes if step.op == "create"]
    pairs = _pairs([s for s in deleted if is_component(s.type)], [s for s in created if is_component(s.type)])
    found = [_component(plan, old, new, deleted, created) for old, new in pairs if _top(old, deleted)]
    spoken = frozenset[str]().union(*(each.urns for each in found)) if found else frozenset[str]()
    rest = _pairs(
        [s for s in deleted if s.urn not in spoken and not is_component(s.type)],
        [s for s in created if s.urn not in spoken and not is_component(s.type)],
        same_name=True,
    )
    return found + [_single(old, new) for old, new in rest]


def _pairs(deleted: list[Step], created: list[Step], same_name: bool = False) -> list[tuple[Step, Step]]:
    """Steps of one type that can only mean each other."""
    left, right = Counter(step.type for step in deleted), Counter(step.type for step in created)
    found = []
    for old in deleted:
        twins = [
            new
            for new in created
            if new.type == old.type
            and (_physical(old) == _physical(new) != "" if same_name else _alone(left, right, old))
        ]
        if len(twins) == 1:
            found.append((old, twins[0]))
    return found


def _alone(left: Counter[str], right: Counter[str], step: Step) -> bool:
    return left[step.type] == right[step.type] == 1


def _top(component: Step, deleted: list[Step]) -> bool:
    """Not the part of a component that goes as well."""
    gone = {step.urn for step in deleted}
    return component.old is None or component.old.parent not in gone


def _physical(step: Step) -> str:
    side = step.old or step.new
    defaults = (side.inputs.get("__defaults") or ()) if side else ()
    for key in ("name", "bucket", "functionName", "deploymentConfigName"):
        value = side.inputs.get(key) if side else None
        if isinstance(value, str) and key not in defaults:
            return value
    return ""


def _component(plan: Plan, old: Step, new: Step, deleted: list[Step], created: list[Step]) -> Spoken:
    gone = [step for step in deleted if _within(step.urn, old.urn, plan.before)]
    made = [step for step in created if _within(step.urn, new.urn, plan.after)]
    resources = [step for step in gone if not is_component(step.type)]
    worst = min((stakes(step.type).deleted for step in resources), default=Danger.GONE)
    named = sorted(f"{kind(s.type)} {code(s.name)}" for s in resources if stakes(s.type).deleted is worst)[:3]
    what = f", among them {', '.join(named)}" if worst < Danger.GONE else ""
    taken = {_physical(step) for step in gone} & {_physical(step) for step in made} - {""}
    clash = f"; {len(taken)} keep their name in AWS, where making one collides with deleting the other" if taken else ""
    alias = f'aliases=[Alias(name="{old.name}")]'
    text = (
        f"component {code(old.name)} is now called {code(new.name)}: its {len(resources)} resources are **deleted** and"
        f" made again{what}{clash}; give it {code(alias)} if only the name was to change"
    )
    return Spoken(Line(worst, text), frozenset(step.urn for step in (*gone, *made)))


def _within(urn: str, component: str, resources: Mapping[str, Resource]) -> bool:
    while urn and urn != component:
        urn = resources[urn].parent if urn in resources else ""
    return urn == component


def _single(old: Step, new: Step) -> Spoken:
    danger = stakes(old.type).deleted
    loss = f": {stakes(old.type).loss}" if stakes(old.type).loss and danger is Danger.LOST else ""
    text = (
        f"{kind(old.type)} {code(old.name)} is **deleted** and made again as {code(new.name)} with the same name in AWS"
        f"{loss}; give it `aliases` if only its name in the program was to change"
    )
    return Spoken(Line(danger, text), frozenset([old.urn, new.urn]))
