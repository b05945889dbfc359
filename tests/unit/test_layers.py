"""Who may import whom. Counts every import: at the top of a module, inside functions, and under TYPE_CHECKING.

`ARROWS` is the architecture: a place may import itself and the places named beside it. `KNOWN` and `KNOWN_CIRCLES` are
the faults that are left; an entry that no longer occurs fails the test, so that both lists can only shrink.
It does not prove that a module stands in the right place, only that its imports point downward.
"""

import ast
import functools
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

# Inside the rehearsal: the later may import the earlier.
FLOORS = (
    "rehearsal.base",
    "rehearsal.cloud.wire",
    "rehearsal.cloud.policy_language",
    "rehearsal.cloud.core",
    "rehearsal.cloud.authorization",
    "rehearsal.cloud.containers",
    "rehearsal.cloud.compute",
    "rehearsal.cloud.services",
    "rehearsal.cloud.gateway",
    "rehearsal.cloud.process",
    "rehearsal.cloud",
)
REHEARSAL = (*FLOORS, "rehearsal.provider", "rehearsal.engine")
PROGRAM = ("contracts", "settings", "definitions", "providers", "components", "wiring")

ARROWS: dict[str, tuple[str, ...]] = {
    "contracts": (),
    "settings": ("contracts",),
    "definitions": ("contracts", "settings"),
    "providers": ("contracts",),
    "functions": ("contracts",),
    "components": ("contracts", "settings", "definitions", "providers"),
    "wiring": ("contracts", "settings", "definitions", "components"),
    "main": PROGRAM,
    "policies": (),
    "preview": ("contracts", "policies"),
    "operate": ("contracts", "settings", "definitions", "functions", "policies", "preview"),
    "scenarios": ("contracts", "settings", "functions", "operate", *REHEARSAL),
    "cli": ("contracts", "settings", "operate", "preview", "scenarios", *REHEARSAL),
    "bench": (*PROGRAM, "functions", "policies", "preview", "operate", "scenarios", *REHEARSAL),
    **{floor: FLOORS[:index] for index, floor in enumerate(FLOORS)},
    "rehearsal.provider": ("rehearsal.base",),
    "rehearsal.engine": ("rehearsal.base",),
}

KNOWN: frozenset[str] = frozenset(
    (
        "cli.ci -> definitions.names",
        "cli.plan -> functions.shared.release",
        "cli.releases -> functions.shared.release",
        "cli.rollback -> policies.rules.model",
        "components.release -> functions.shared.release",
        "components.variants -> functions.shared.release",
        "operate.ci.comment -> rehearsal.errors",
        "operate.ci.host -> rehearsal.errors",
        "operate.ci.http -> rehearsal.errors",
        "operate.ci.login -> rehearsal.errors",
        "operate.going_back -> rehearsal.errors",
        "operate.history -> components.shift_state",
        "operate.plans -> rehearsal.errors",
        "operate.project -> rehearsal.errors",
        "operate.stacks -> rehearsal.cloud.reaper",
        "operate.stacks -> rehearsal.errors",
        "operate.updates -> rehearsal.cloud.reaper",
        "operate.updates -> rehearsal.errors",
        "operate.variants -> rehearsal.errors",
        "preview.engine -> rehearsal.errors",
        "rehearsal.cloud.core -> rehearsal.cloud.accounts",
        "rehearsal.cloud.core -> rehearsal.cloud.clock",
        "rehearsal.cloud.core -> rehearsal.cloud.faults",
        "rehearsal.cloud.core -> rehearsal.cloud.ledger",
        "rehearsal.cloud.core -> rehearsal.cloud.services.cloudwatch",
        "rehearsal.cloud.core -> rehearsal.cloud.services.events",
        "rehearsal.cloud.core -> rehearsal.cloud.services.logs",
        "rehearsal.cloud.core -> rehearsal.cloud.store",
        "rehearsal.cloud.core -> rehearsal.cloud.trust",
        "rehearsal.cloud.core -> rehearsal.cloud.types",
        "rehearsal.cloud.core -> rehearsal.cloud.workers",
        "rehearsal.cloud.gateway -> rehearsal.cloud.accounts",
        "rehearsal.cloud.gateway -> rehearsal.cloud.actions",
        "rehearsal.cloud.gateway -> rehearsal.cloud.auth",
        "rehearsal.cloud.gateway -> rehearsal.cloud.authorize",
        "rehearsal.cloud.gateway -> rehearsal.cloud.call",
        "rehearsal.cloud.gateway -> rehearsal.cloud.inventory",
        "rehearsal.cloud.gateway -> rehearsal.cloud.protocol",
        "rehearsal.cloud.gateway -> rehearsal.cloud.registry",
        "rehearsal.cloud.gateway -> rehearsal.cloud.snapshot",
        "rehearsal.cloud.gateway -> rehearsal.cloud.types",
        "rehearsal.cloud.gateway -> rehearsal.cloud.validation",
        "rehearsal.cloud.gateway -> rehearsal.cloud.web_identity",
        "rehearsal.cloud.services.apigateway.openapi -> rehearsal.cloud.api",
        "rehearsal.cloud.services.apigateway.operations -> rehearsal.cloud.api",
        "rehearsal.cloud.services.apigateway.snapshot -> rehearsal.cloud.api",
        "rehearsal.cloud.services.application_autoscaling.scaling -> rehearsal.cloud.api",
        "rehearsal.cloud.services.application_autoscaling.scaling -> rehearsal.cloud.metrics",
        "rehearsal.cloud.services.application_autoscaling.targets -> rehearsal.cloud.api",
        "rehearsal.cloud.services.autoscaling_tags -> rehearsal.cloud.api",
        "rehearsal.cloud.services.cloudwatch -> rehearsal.cloud.api",
        "rehearsal.cloud.services.cloudwatch -> rehearsal.cloud.metricmath",
        "rehearsal.cloud.services.cloudwatch -> rehearsal.cloud.metrics",
        "rehearsal.cloud.services.cloudwatch_alarms -> rehearsal.cloud.alarms",
        "rehearsal.cloud.services.cloudwatch_alarms -> rehearsal.cloud.api",
        "rehearsal.cloud.services.cloudwatch_alarms -> rehearsal.cloud.metrics",
        "rehearsal.cloud.services.codebuild.builds -> rehearsal.cloud.api",
        "rehearsal.cloud.services.codebuild.credentials -> rehearsal.cloud.api",
        "rehearsal.cloud.services.codebuild.projects -> rehearsal.cloud.api",
        "rehearsal.cloud.services.codebuild.runner -> rehearsal.cloud.api",
        "rehearsal.cloud.services.codebuild.runner -> rehearsal.cloud.snapshot",
        "rehearsal.cloud.services.codebuild.state -> rehearsal.cloud.api",
        "rehearsal.cloud.services.codeconnections.connections -> rehearsal.cloud.api",
        "rehearsal.cloud.services.codeconnections.repositories -> rehearsal.cloud.api",
        "rehearsal.cloud.services.codedeploy.applications -> rehearsal.cloud.api",
        "rehearsal.cloud.services.codedeploy.appspec -> rehearsal.cloud.api",
        "rehearsal.cloud.services.codedeploy.configs -> rehearsal.cloud.api",
        "rehearsal.cloud.services.codedeploy.deployments -> rehearsal.cloud.api",
        "rehearsal.cloud.services.codedeploy.execution -> rehearsal.cloud.api",
        "rehearsal.cloud.services.codedeploy.execution -> rehearsal.cloud.snapshot",
        "rehearsal.cloud.services.codedeploy.state -> rehearsal.cloud.api",
        "rehearsal.cloud.services.codepipeline.actions.base -> rehearsal.cloud.api",
        "rehearsal.cloud.services.codepipeline.actions.source -> rehearsal.cloud.iam.enforce",
        "rehearsal.cloud.services.codepipeline.declaration -> rehearsal.cloud.api",
        "rehearsal.cloud.services.codepipeline.events -> rehearsal.cloud.api",
        "rehearsal.cloud.services.codepipeline.executions -> rehearsal.cloud.api",
        "rehearsal.cloud.services.codepipeline.executor -> rehearsal.cloud.api",
        "rehearsal.cloud.services.codepipeline.executor -> rehearsal.cloud.snapshot",
        "rehearsal.cloud.services.codepipeline.pipelines -> rehearsal.cloud.api",
        "rehearsal.cloud.services.codepipeline.state -> rehearsal.cloud.api",
        "rehearsal.cloud.services.codepipeline.views -> rehearsal.cloud.api",
        "rehearsal.cloud.services.events -> rehearsal.cloud.api",
        "rehearsal.cloud.services.events -> rehearsal.cloud.cron",
        "rehearsal.cloud.services.events -> rehearsal.cloud.patterns",
        "rehearsal.cloud.services.events -> rehearsal.cloud.registry",
        "rehearsal.cloud.services.events -> rehearsal.cloud.trust",
        "rehearsal.cloud.services.execute_api.access -> rehearsal.cloud.accounts",
        "rehearsal.cloud.services.execute_api.access -> rehearsal.cloud.api",
        "rehearsal.cloud.services.execute_api.access -> rehearsal.cloud.auth",
        "rehearsal.cloud.services.execute_api.access -> rehearsal.cloud.iam.enforce",
        "rehearsal.cloud.services.execute_api.access -> rehearsal.cloud.iam.evaluate",
        "rehearsal.cloud.services.execute_api.handler -> rehearsal.cloud.api",
        "rehearsal.cloud.services.execute_api.handler -> rehearsal.cloud.iam.enforce",
        "rehearsal.cloud.services.execute_api.proxy -> rehearsal.cloud.accounts",
        "rehearsal.cloud.services.glue -> rehearsal.cloud.api",
        "rehearsal.cloud.services.glue -> rehearsal.cloud.snapshot",
        "rehearsal.cloud.services.iam -> rehearsal.cloud.api",
        "rehearsal.cloud.services.iam -> rehearsal.cloud.iam.evaluate",
        "rehearsal.cloud.services.iam -> rehearsal.cloud.iam.principals",
        "rehearsal.cloud.services.iam -> rehearsal.cloud.iam.simulate",
        "rehearsal.cloud.services.iam -> rehearsal.cloud.iam.sources",
        "rehearsal.cloud.services.lambda_.aliases -> rehearsal.cloud.api",
        "rehearsal.cloud.services.lambda_.asynchronous -> rehearsal.cloud.api",
        "rehearsal.cloud.services.lambda_.environments -> rehearsal.cloud.api",
        "rehearsal.cloud.services.lambda_.functions -> rehearsal.cloud.api",
        "rehearsal.cloud.services.lambda_.invoke -> rehearsal.cloud.api",
        "rehearsal.cloud.services.lambda_.invoke -> rehearsal.cloud.authorize",
        "rehearsal.cloud.services.lambda_.package -> rehearsal.cloud.api",
        "rehearsal.cloud.services.lambda_.permissions -> rehearsal.cloud.api",
        "rehearsal.cloud.services.lambda_.pool -> rehearsal.cloud.api",
        "rehearsal.cloud.services.lambda_.state -> rehearsal.cloud.api",
        "rehearsal.cloud.services.lambda_.telemetry -> rehearsal.cloud.api",
        "rehearsal.cloud.services.lambda_.telemetry -> rehearsal.cloud.iam.enforce",
        "rehearsal.cloud.services.logs -> rehearsal.cloud.api",
        "rehearsal.cloud.services.s3 -> rehearsal.cloud.api",
        "rehearsal.cloud.services.sagemaker.capture -> rehearsal.cloud.api",
        "rehearsal.cloud.services.sagemaker.deployment -> rehearsal.cloud.api",
        "rehearsal.cloud.services.sagemaker.endpoints -> rehearsal.cloud.api",
        "rehearsal.cloud.services.sagemaker.endpoints -> rehearsal.cloud.snapshot",
        "rehearsal.cloud.services.sagemaker.executions -> rehearsal.cloud.api",
        "rehearsal.cloud.services.sagemaker.images -> rehearsal.cloud.api",
        "rehearsal.cloud.services.sagemaker.jobs -> rehearsal.cloud.api",
        "rehearsal.cloud.services.sagemaker.models -> rehearsal.cloud.api",
        "rehearsal.cloud.services.sagemaker.monitoring -> rehearsal.cloud.api",
        "rehearsal.cloud.services.sagemaker.notebooks -> rehearsal.cloud.api",
        "rehearsal.cloud.services.sagemaker.processing -> rehearsal.cloud.api",
        "rehearsal.cloud.services.sagemaker.registry -> rehearsal.cloud.api",
        "rehearsal.cloud.services.sagemaker.resume -> rehearsal.cloud.api",
        "rehearsal.cloud.services.sagemaker.resume -> rehearsal.cloud.snapshot",
        "rehearsal.cloud.services.sagemaker.runtime -> rehearsal.cloud.api",
        "rehearsal.cloud.services.sagemaker.state -> rehearsal.cloud.api",
        "rehearsal.cloud.services.sagemaker.tags -> rehearsal.cloud.api",
        "rehearsal.cloud.services.sagemaker.training -> rehearsal.cloud.api",
        "rehearsal.cloud.services.sns -> rehearsal.cloud.api",
        "rehearsal.cloud.services.sns -> rehearsal.cloud.trust",
        "rehearsal.cloud.services.stepfunctions.engine -> rehearsal.cloud.api",
        "rehearsal.cloud.services.stepfunctions.executions -> rehearsal.cloud.api",
        "rehearsal.cloud.services.stepfunctions.executions -> rehearsal.cloud.snapshot",
        "rehearsal.cloud.services.stepfunctions.interpreter -> rehearsal.cloud.api",
        "rehearsal.cloud.services.stepfunctions.machines -> rehearsal.cloud.api",
        "rehearsal.cloud.services.stepfunctions.managed -> rehearsal.cloud.api",
        "rehearsal.cloud.services.sts -> rehearsal.cloud.api",
        "rehearsal.cloud.services.sts -> rehearsal.cloud.iam.conditions",
        "rehearsal.cloud.services.sts -> rehearsal.cloud.iam.policy",
        "rehearsal.cloud.services.sts -> rehearsal.cloud.iam.sources",
        "rehearsal.cloud.services.sts -> rehearsal.cloud.iam.tagging",
        "rehearsal.faults.candidates -> operate.clients",
        "rehearsal.faults.candidates -> operate.project",
        "rehearsal.faults.matrix -> rehearsal.cloud.lifecycle",
        "rehearsal.faults.models -> operate.clients",
        "rehearsal.faults.pipeline -> rehearsal.cloud.lifecycle",
        "rehearsal.faults.world -> operate.caller",
        "rehearsal.faults.world -> operate.clients",
        "rehearsal.faults.world -> operate.project",
        "rehearsal.faults.world -> operate.stacks",
        "rehearsal.faults.world -> rehearsal.cloud.lifecycle",
        "rehearsal.tour.conduct -> operate.caller",
        "rehearsal.tour.conduct -> operate.clients",
        "rehearsal.tour.conduct -> operate.project",
        "rehearsal.tour.conduct -> operate.stacks",
        "rehearsal.tour.conduct -> rehearsal.cloud.lifecycle",
        "rehearsal.tour.conduct -> rehearsal.engine",
        "rehearsal.tour.evidence -> operate.caller",
        "rehearsal.tour.evidence -> operate.clients",
        "rehearsal.tour.evidence -> operate.project",
        "rehearsal.tour.flawed -> operate.clients",
        "rehearsal.tour.flawed -> operate.project",
        "rehearsal.tour.report -> operate.caller",
        "rehearsal.tour.setback -> operate.caller",
        "rehearsal.tour.tour -> operate.caller",
        "rehearsal.tour.tour -> operate.clients",
        "rehearsal.tour.tour -> operate.project",
        "rehearsal.tour.tour -> operate.stacks",
        "rehearsal.tour.traffic -> operate.caller",
        "settings -> definitions.ci_roles",
        "settings -> definitions.health",
        "settings -> definitions.names",
        "settings -> functions.shared.dataset",
        "settings -> functions.shared.fields",
        "settings -> reading",
        "wiring.delivery -> functions.jobs.evaluate.arguments",
    )
)

KNOWN_CIRCLES: frozenset[str] = frozenset(
    (
        "definitions.deployer definitions.drift definitions.environment_roles",
        "policies.rules.documents policies.rules.model policies.rules.sources",
        "rehearsal.cloud.api rehearsal.cloud.authorize rehearsal.cloud.call rehearsal.cloud.core "
        "rehearsal.cloud.faults rehearsal.cloud.iam.context rehearsal.cloud.iam.enforce "
        "rehearsal.cloud.iam.kms rehearsal.cloud.iam.needs rehearsal.cloud.iam.passing "
        "rehearsal.cloud.iam.resourcetags rehearsal.cloud.iam.s3 rehearsal.cloud.iam.sources "
        "rehearsal.cloud.iam.tagging rehearsal.cloud.registry rehearsal.cloud.services.cloudwatch "
        "rehearsal.cloud.services.codedeploy.state rehearsal.cloud.services.events "
        "rehearsal.cloud.services.lambda_.aliases rehearsal.cloud.services.lambda_.asynchronous "
        "rehearsal.cloud.services.lambda_.environments rehearsal.cloud.services.lambda_.functions "
        "rehearsal.cloud.services.lambda_.invoke rehearsal.cloud.services.lambda_.package "
        "rehearsal.cloud.services.lambda_.permissions rehearsal.cloud.services.lambda_.pool "
        "rehearsal.cloud.services.lambda_.state rehearsal.cloud.services.lambda_.telemetry "
        "rehearsal.cloud.services.logs rehearsal.cloud.services.sagemaker.images "
        "rehearsal.cloud.services.sagemaker.jobs rehearsal.cloud.services.sagemaker.models "
        "rehearsal.cloud.services.sagemaker.state rehearsal.cloud.services.sagemaker.tags "
        "rehearsal.cloud.services.sns",
        "rehearsal.cloud.services.codedeploy.deployments rehearsal.cloud.services.codedeploy.execution",
        "rehearsal.cloud.services.stepfunctions.integrations rehearsal.cloud.services.stepfunctions.interpreter",
        "rehearsal.faults.fault rehearsal.faults.world",
        "rehearsal.tour.setback rehearsal.tour.tour",
    )
)


@functools.cache
def modules() -> dict[str, Path]:
    """Every module of the project, tests apart, by its dotted name."""
    found: dict[str, Path] = {}
    for path in sorted(ROOT.rglob("*.py")):
        parts = path.relative_to(ROOT).parts
        if parts[0] == "tests" or any(part.startswith(".") or part == "__pycache__" for part in parts):
            continue
        name = ".".join(parts).removesuffix(".py").removesuffix(".__init__")
        found[name] = path
    return found


@functools.cache
def imports() -> dict[str, frozenset[str]]:
    """What each module of the project imports of the project."""
    return {name: frozenset(_imported(name, path)) - {name} for name, path in modules().items()}


def _imported(name: str, path: Path) -> Iterator[str]:
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in modules())
        elif isinstance(node, ast.ImportFrom):
            base = package.rsplit(".", node.level - 1)[0] if node.level else ""
            source = ".".join(part for part in (base, node.module or "") if part)
            for alias in node.names:
                target = f"{source}.{alias.name}"
                if target in modules():
                    yield target
                elif source in modules():
                    yield source


def place(module: str) -> str:
    """The place that a module belongs to: its folder, or for the rehearsal its floor."""
    top, _, rest = module.partition(".")
    if top == "__main__":
        return "main"
    if top != "rehearsal":
        return top
    parts = rest.split(".")
    if parts[0] in ("provider", "engine"):
        return f"rehearsal.{parts[0]}"
    if parts[0] != "cloud":
        return "rehearsal.base"
    floor = f"rehearsal.cloud.{parts[1]}" if len(parts) > 1 else "rehearsal.cloud"
    return floor if floor in FLOORS else "rehearsal.cloud"


def circles() -> set[str]:
    """Modules that import one another in a circle, each as their sorted names (Tarjan)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: set[str] = set()

    def visit(module: str) -> None:
        index[module] = low[module] = len(index)
        stack.append(module)
        for target in imports()[module]:
            if target not in index:
                visit(target)
                low[module] = min(low[module], low[target])
            elif target in stack:
                low[module] = min(low[module], index[target])
        if low[module] == index[module]:
            start = stack.index(module)
            if len(stack) - start > 1:
                found.add(" ".join(sorted(stack[start:])))
            del stack[start:]

    for module in modules():
        if module not in index:
            visit(module)
    return found


def wrong_arrows() -> set[str]:
    """Every import that the architecture does not allow, as `module -> module`."""
    wrong: set[str] = set()
    for module, targets in imports().items():
        here = place(module)
        wrong |= {f"{module} -> {target}" for target in targets if place(target) not in (here, *ARROWS[here])}
    return wrong


def test_something_is_read() -> None:
    by_place = defaultdict(int)
    for module in modules():
        by_place[place(module)] += 1
    assert set(by_place) <= set(ARROWS), "a folder that ARROWS does not know"
    assert sum(len(targets) for targets in imports().values()) > 1000


def test_no_import_points_upward() -> None:
    assert wrong_arrows() == KNOWN


def test_no_circle() -> None:
    assert circles() == KNOWN_CIRCLES
