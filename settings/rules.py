"""What one key says of another. A rule looks at sound values only: a fault is reported once, where it is."""

from collections.abc import Callable
from typing import Any

from contracts.dataset import Dataset, review
from contracts.names import DELIVERY, LIVE
from contracts.tasks import MULTICLASS, REGRESSION, disagreement, task_of
from settings import limits as aws
from settings import training
from settings.kinds import FAULTY, Problems
from settings.limits import Values
from settings.sections import NAMESPACE
from settings.shifting import ALL_AT_ONCE, ASK

MOST_VARIANTS = 10
"""Production variants that SageMaker lets an endpoint have."""
_LONGEST = 63
"""Characters of a model's name (pulumi-aws, internal/service/sagemaker/validate.go)."""
_RANDOM = 8
"""Characters that Pulumi appends to a name of its own: it refuses what is then too long, and cuts nothing."""


def check(values: Values, problems: Problems) -> None:
    """Note every pair of values that contradict each other."""
    for rule in _RULES:
        rule(values, problems)


def with_task(document: Any, hyperparameters: Any) -> Any:
    """The dataset's schema with the task that the objective settles, where it names none. A regression's is as it was:
    what has been stored of it stays the same."""
    if FAULTY in (document, hyperparameters) or not document or "task" in document:
        return document
    task = task_of(hyperparameters.get("objective", ""))
    return document if task == REGRESSION else {**document, "task": task}


def dataset(document: Any, hyperparameters: Any, problems: Problems) -> Dataset | None:
    """The dataset's schema, its members checked against one another and against what trains; None where it is faulty or
    not given."""
    if document is FAULTY or not document:
        return None
    found, errors = review(dict(document))
    for error in errors:
        problems.note(f"{NAMESPACE}:{error.path}", error.reason)
    if found is not None:
        aws.dataset(found, problems)
    if hyperparameters is not FAULTY:
        _task(document.get("task", REGRESSION), len(document.get("classes", ())), hyperparameters, problems)
    return found


def _task(task: str, classes: int, hyperparameters: Values, problems: Problems) -> None:
    """The objective answers what the task is measured by, of as many classes as have names."""
    path, objective = f"{NAMESPACE}:hyperparameters", hyperparameters.get("objective", "")
    if reason := disagreement(task, objective):
        problems.refuse(f"{path}.objective", objective, reason)
    count = hyperparameters.get("num_class")
    if task == MULTICLASS and classes and count is not None and int(count) != classes:
        problems.refuse(f"{path}.num_class", count, f"is not the number of dataset.classes, {classes}; make them agree")


def ordered(stack: str, values: Values) -> dict[str, str]:
    """Accounts of delivery and the environments, in the order in which a release travels.

    The order is a key of its own (`environments`): the engine hands objects over sorted by key.
    """
    return {name: values["accounts"][name] for name in (DELIVERY, *values["environments"], stack)}


def _accounts(values: Values, problems: Problems) -> None:
    accounts, environments = values["accounts"], values["environments"]
    if environments is FAULTY:
        return
    path, given = f"{NAMESPACE}:environments", list(environments)
    order = (DELIVERY, *environments)
    if len(set(order)) < len(order):
        problems.refuse(path, given, f"must name each environment once, and not {DELIVERY}; take some out")
    if accounts is FAULTY:
        return
    if problems.stack not in order:
        problems.refuse(path, given, f"does not name stack {problems.stack}; add it")
    for name in dict.fromkeys(order):
        if name not in accounts:
            problems.refuse(f"{NAMESPACE}:accounts", sorted(accounts), f"has no account for stack {name}; add it")
    for name in accounts:
        if name not in order:
            fix = "is not a stack of glidepath:environments; add it there, or take it out"
            problems.refuse(f"{NAMESPACE}:accounts", name, fix)


def _retrain(values: Values, problems: Problems) -> None:
    environments = values["environments"]
    if environments is FAULTY or not _sound(values["retrain"], "environments"):
        return
    for env in values["retrain"]["environments"]:
        if env not in environments:
            reason = "is not one of glidepath:environments; correct it"
            problems.refuse(f"{NAMESPACE}:retrain.environments", env, reason)


def _source(values: Values, problems: Problems) -> None:
    source = values["source"]
    if problems.stack != DELIVERY or not _sound(source, "kind", "repository"):
        return
    if source["kind"] != "s3" and not source["repository"]:
        reason = f"is empty, but source.kind {source['kind']} needs one; name the repository"
        problems.refuse(f"{NAMESPACE}:source.repository", "", reason)


def _state(values: Values, problems: Problems) -> None:
    """An administrator's login is kept on their machine: a build finds the state by this setting alone."""
    state = values["state"]
    if problems.stack != DELIVERY or not _sound(state, "backend") or state["backend"]:
        return
    reason = (
        "is empty, and the pipeline's builds would not find Pulumi's state; set it to the address that"
        " `./glidepath bootstrap` prints, or to https://api.pulumi.com"
    )
    problems.refuse(f"{NAMESPACE}:state.backend", "", reason)


def _secrets(values: Values, problems: Problems) -> None:
    """Who only looks may have a secret of his own; who deploys then needs one too."""
    state = values["state"]
    if not _sound(state, "secretName", "previewSecretName") or state["secretName"] or not state["previewSecretName"]:
        return
    reason = "unlocks the state for previews alone; name what unlocks it for deployments in state.secretName"
    problems.refuse(f"{NAMESPACE}:state.previewSecretName", state["previewSecretName"], reason)


def _ci(values: Values, problems: Problems) -> None:
    ci = values["ci"]
    if not ci or not _sound(ci, "provider", "protectedRefs") or ci["provider"] == "gitlab" or not ci["protectedRefs"]:
        return
    reason = f"is of GitLab's tokens alone, and the provider is {ci['provider']}; leave it out"
    problems.refuse(f"{NAMESPACE}:ci.protectedRefs", True, reason)


def _routing(values: Values, problems: Problems) -> None:
    """All at once has no steps: whoever gives some, or what is to follow from them, means another kind."""
    deployment = values["deployment"]
    names = ("percentage", "minutes", "extend", "onInconclusive")
    if not _sound(deployment, "kind", *names):
        return
    kind = deployment["kind"]
    if kind == "linear" and deployment["extend"]:
        reason = "applies to a canary only: CodeDeploy's linear steps are all equally long; remove it and raise minutes"
        problems.refuse(f"{NAMESPACE}:deployment.extend", deployment["extend"], reason)
    for name in names if kind == ALL_AT_ONCE else ():
        if deployment[name]:
            reason = f"needs steps, and {ALL_AT_ONCE} has none: remove it, or choose canary or linear"
            problems.refuse(f"{NAMESPACE}:deployment.{name}", deployment[name], reason)


def _asking(values: Values, problems: Problems) -> None:
    """Nobody is silent who was not asked."""
    deployment = values["deployment"]
    if not _sound(deployment, "onInconclusive", "onSilence") or not deployment["onSilence"]:
        return
    if deployment["onInconclusive"] != ASK:
        reason = f"follows where nobody answers, and nobody is asked: take it out, or set onInconclusive to {ASK}"
        problems.refuse(f"{NAMESPACE}:deployment.onSilence", deployment["onSilence"], reason)


def _capacity(values: Values, problems: Problems) -> None:
    scaling, endpoint = values["autoscaling"], values["endpoint"]
    if not _sound(scaling, "min", "max") or not _sound(endpoint, "instanceCount"):
        return
    instances = endpoint["instanceCount"]
    minimum, maximum = limits(scaling, instances)
    if maximum < minimum:
        problems.refuse(f"{NAMESPACE}:autoscaling.max", maximum, f"is below the minimum of {minimum}; raise it")
    if not minimum <= instances <= max(maximum, minimum):
        reason = f"does not admit endpoint.instanceCount {instances}; make them agree"
        problems.refuse(f"{NAMESPACE}:autoscaling.min", minimum, reason)
    kind = endpoint["instanceType"]
    if maximum > minimum and kind is not FAULTY and kind.startswith("ml.t"):
        reason = "is burstable, and SageMaker does not scale such instances; take others, or leave autoscaling out"
        problems.refuse(f"{NAMESPACE}:endpoint.instanceType", kind, reason)


def limits(scaling: Values, instances: int) -> tuple[int, int]:
    """Fewest and most instances: where they are not given, as many as a first endpoint has."""
    minimum, maximum = scaling["min"], scaling["max"]
    return instances if minimum is None else minimum, instances if maximum is None else maximum


def _variants(values: Values, problems: Problems) -> None:
    variants = values["variants"]
    if variants is FAULTY or not variants:
        return
    path = f"{NAMESPACE}:variants"
    names = [*(named(variant, number) for number, variant in enumerate(variants, 1)), LIVE]
    sound = [name for name in names if name is not FAULTY]
    if len(set(sound)) < len(sound):
        problems.refuse(path, sound, f"name a variant twice ({LIVE} is the release's own); rename one")
    if len(names) > MOST_VARIANTS:
        reason = f"are too many: with the release's own, an endpoint has {MOST_VARIANTS} at most; take some out"
        problems.refuse(path, len(variants), reason)


def named(variant: Values, number: int) -> Any:
    """What a variant is called: its name, or one by its place."""
    return f"variant-{number}" if variant["name"] is None else variant["name"]


def _shadow(values: Values, problems: Problems) -> None:
    shadow, variants = values["shadow"], values["variants"]
    if shadow is None or not _sound(shadow, "name"):
        return
    name = shadow["name"] or "shadow"
    if variants is not FAULTY and variants:
        problems.refuse(
            f"{NAMESPACE}:shadow",
            name,
            "cannot stand beside glidepath:variants: SageMaker shadows an endpoint of one variant only;"
            " take out the one or the other",
        )
    if name == LIVE:
        problems.refuse(f"{NAMESPACE}:shadow.name", name, "is the release's own variant; rename the shadow")


def _lengths(values: Values, problems: Problems) -> None:
    """A variant's model is called `{name}-{stack}-{variant}-1a2b3c4`."""
    if values["name"] is FAULTY or not isinstance(values["name"], str):
        return
    room = _LONGEST - _RANDOM - len(f"{values['name']}-{problems.stack}-")
    given = [] if values["variants"] is FAULTY else [*enumerate(values["variants"] or [])]
    names = [(f"variants[{place}].name", variant["name"]) for place, variant in given]
    if _sound(values["shadow"], "name") if values["shadow"] else False:
        names.append(("shadow.name", values["shadow"]["name"]))
    for path, name in names:
        if isinstance(name, str) and len(name) > room:
            reason = f"has more than {room} characters, which is all that SageMaker's names leave for it; shorten it"
            problems.refuse(f"{NAMESPACE}:{path}", name, reason)


def _returning(values: Values, problems: Problems) -> None:
    returning = values["returning"]
    if _sound(returning, "reason", "urgent") and returning["urgent"] and not returning["reason"]:
        reason = "needs a reason, which is recorded with the deployment; give returning.reason"
        problems.refuse(f"{NAMESPACE}:returning.urgent", True, reason)


def _sound(values: Any, *names: str) -> bool:
    return values is not FAULTY and all(values[name] is not FAULTY for name in names)


_RULES: tuple[Callable[[Values, Problems], None], ...] = (
    _accounts,
    _retrain,
    _source,
    _state,
    _secrets,
    _ci,
    _routing,
    _asking,
    _capacity,
    _variants,
    _shadow,
    _lengths,
    _returning,
    *aws.RULES,
    *training.RULES,
)
