"""Who may import whom. Counts every import: at the top of a module, inside functions, and under TYPE_CHECKING.

`ARROWS` is the architecture: a place may import itself and the places named beside it. `KNOWN` and `KNOWN_CIRCLES` are
the faults that are left; an entry that no longer occurs fails the test, so that both lists can only shrink.
It does not prove that a module stands in the right place, only that its imports point downward.
"""

import ast
import functools
from collections import Counter
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
    "reading": (),
    "settings": ("contracts", "reading"),
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
    # The command of the package: above everything in it, as cli is above the program.
    "rehearsal.command": REHEARSAL,
    # Programs of somebody else: they use AWS, never us.
    "rehearsal.examples": (),
}

KNOWN: frozenset[str] = frozenset(
    (
        "rehearsal.cloud.authorization.context -> rehearsal.cloud.core.call",
        "rehearsal.cloud.authorization.enforce -> rehearsal.cloud.core.call",
        "rehearsal.cloud.authorization.enforce -> rehearsal.cloud.core.cloud",
        "rehearsal.cloud.authorization.kms -> rehearsal.cloud.core.call",
        "rehearsal.cloud.authorization.needs -> rehearsal.cloud.core.call",
        "rehearsal.cloud.authorization.needs -> rehearsal.cloud.services.codedeploy.state",
        "rehearsal.cloud.authorization.needs -> rehearsal.cloud.services.lambda_.state",
        "rehearsal.cloud.authorization.needs -> rehearsal.cloud.services.sagemaker.models",
        "rehearsal.cloud.authorization.needs -> rehearsal.cloud.services.sagemaker.state",
        "rehearsal.cloud.authorization.passing -> rehearsal.cloud.core.call",
        "rehearsal.cloud.authorization.resourcetags -> rehearsal.cloud.core.call",
        "rehearsal.cloud.authorization.s3 -> rehearsal.cloud.core.call",
        "rehearsal.cloud.authorization.sources -> rehearsal.cloud.core.cloud",
        "rehearsal.cloud.authorization.sources -> rehearsal.cloud.services.lambda_.state",
        "rehearsal.cloud.authorization.tagging -> rehearsal.cloud.core.call",
        "rehearsal.cloud.compute.jobs -> rehearsal.cloud.core.api",
        "rehearsal.cloud.compute.jobs -> rehearsal.cloud.services.sagemaker.state",
        "rehearsal.cloud.process.lifecycle -> rehearsal.cloud.core.reaper",
        "rehearsal.cloud.process.running -> rehearsal.cloud.core.cloud",
        "rehearsal.cloud.process.running -> rehearsal.cloud.core.snapshot",
        "rehearsal.cloud.process.running -> rehearsal.cloud.core.store",
        "rehearsal.cloud.process.running -> rehearsal.cloud.gateway.gateway",
        "rehearsal.cloud.process.running -> rehearsal.cloud.gateway.server",
        "rehearsal.cloud.services.apigateway.execute.access -> rehearsal.cloud.core.accounts",
        "rehearsal.cloud.services.apigateway.execute.access -> rehearsal.cloud.core.api",
        "rehearsal.cloud.services.apigateway.execute.access -> rehearsal.cloud.gateway.auth",
        "rehearsal.cloud.services.apigateway.execute.handler -> rehearsal.cloud.core.api",
        "rehearsal.cloud.services.apigateway.execute.proxy -> rehearsal.cloud.core.accounts",
        "rehearsal.cloud.services.apigateway.openapi -> rehearsal.cloud.core.api",
        "rehearsal.cloud.services.apigateway.operations -> rehearsal.cloud.core.api",
        "rehearsal.cloud.services.apigateway.snapshot -> rehearsal.cloud.core.api",
        "rehearsal.cloud.services.application_autoscaling.scaling -> rehearsal.cloud.core.api",
        "rehearsal.cloud.services.application_autoscaling.tags -> rehearsal.cloud.core.api",
        "rehearsal.cloud.services.application_autoscaling.targets -> rehearsal.cloud.core.api",
        "rehearsal.cloud.services.cloudwatch.alarms -> rehearsal.cloud.core.api",
        "rehearsal.cloud.services.cloudwatch.operations -> rehearsal.cloud.core.api",
        "rehearsal.cloud.services.codebuild.builds -> rehearsal.cloud.core.api",
        "rehearsal.cloud.services.codebuild.credentials -> rehearsal.cloud.core.api",
        "rehearsal.cloud.services.codebuild.projects -> rehearsal.cloud.core.api",
        "rehearsal.cloud.services.codebuild.runner -> rehearsal.cloud.core.api",
        "rehearsal.cloud.services.codebuild.runner -> rehearsal.cloud.core.snapshot",
        "rehearsal.cloud.services.codebuild.state -> rehearsal.cloud.core.api",
        "rehearsal.cloud.services.codeconnections.connections -> rehearsal.cloud.core.api",
        "rehearsal.cloud.services.codeconnections.repositories -> rehearsal.cloud.core.api",
        "rehearsal.cloud.services.codedeploy.applications -> rehearsal.cloud.core.api",
        "rehearsal.cloud.services.codedeploy.appspec -> rehearsal.cloud.core.api",
        "rehearsal.cloud.services.codedeploy.configs -> rehearsal.cloud.core.api",
        "rehearsal.cloud.services.codedeploy.deployments -> rehearsal.cloud.core.api",
        "rehearsal.cloud.services.codedeploy.execution -> rehearsal.cloud.core.api",
        "rehearsal.cloud.services.codedeploy.execution -> rehearsal.cloud.core.snapshot",
        "rehearsal.cloud.services.codedeploy.state -> rehearsal.cloud.core.api",
        "rehearsal.cloud.services.codepipeline.actions.base -> rehearsal.cloud.core.api",
        "rehearsal.cloud.services.codepipeline.declaration -> rehearsal.cloud.core.api",
        "rehearsal.cloud.services.codepipeline.events -> rehearsal.cloud.core.api",
        "rehearsal.cloud.services.codepipeline.executions -> rehearsal.cloud.core.api",
        "rehearsal.cloud.services.codepipeline.executor -> rehearsal.cloud.core.api",
        "rehearsal.cloud.services.codepipeline.executor -> rehearsal.cloud.core.snapshot",
        "rehearsal.cloud.services.codepipeline.pipelines -> rehearsal.cloud.core.api",
        "rehearsal.cloud.services.codepipeline.state -> rehearsal.cloud.core.api",
        "rehearsal.cloud.services.codepipeline.views -> rehearsal.cloud.core.api",
        "rehearsal.cloud.services.events.operations -> rehearsal.cloud.core.api",
        "rehearsal.cloud.services.events.operations -> rehearsal.cloud.core.registry",
        "rehearsal.cloud.services.glue -> rehearsal.cloud.core.api",
        "rehearsal.cloud.services.glue -> rehearsal.cloud.core.snapshot",
        "rehearsal.cloud.services.iam -> rehearsal.cloud.core.api",
        "rehearsal.cloud.services.lambda_.aliases -> rehearsal.cloud.core.api",
        "rehearsal.cloud.services.lambda_.asynchronous -> rehearsal.cloud.core.api",
        "rehearsal.cloud.services.lambda_.environments -> rehearsal.cloud.core.api",
        "rehearsal.cloud.services.lambda_.functions -> rehearsal.cloud.core.api",
        "rehearsal.cloud.services.lambda_.invoke -> rehearsal.cloud.authorize",
        "rehearsal.cloud.services.lambda_.invoke -> rehearsal.cloud.core.api",
        "rehearsal.cloud.services.lambda_.package -> rehearsal.cloud.core.api",
        "rehearsal.cloud.services.lambda_.permissions -> rehearsal.cloud.core.api",
        "rehearsal.cloud.services.lambda_.pool -> rehearsal.cloud.core.api",
        "rehearsal.cloud.services.lambda_.state -> rehearsal.cloud.core.api",
        "rehearsal.cloud.services.lambda_.telemetry -> rehearsal.cloud.core.api",
        "rehearsal.cloud.services.logs -> rehearsal.cloud.core.api",
        "rehearsal.cloud.services.s3 -> rehearsal.cloud.core.api",
        "rehearsal.cloud.services.sagemaker.capture -> rehearsal.cloud.core.api",
        "rehearsal.cloud.services.sagemaker.deployment -> rehearsal.cloud.core.api",
        "rehearsal.cloud.services.sagemaker.endpoints -> rehearsal.cloud.core.api",
        "rehearsal.cloud.services.sagemaker.endpoints -> rehearsal.cloud.core.snapshot",
        "rehearsal.cloud.services.sagemaker.executions -> rehearsal.cloud.core.api",
        "rehearsal.cloud.services.sagemaker.images -> rehearsal.cloud.core.api",
        "rehearsal.cloud.services.sagemaker.models -> rehearsal.cloud.core.api",
        "rehearsal.cloud.services.sagemaker.monitoring -> rehearsal.cloud.core.api",
        "rehearsal.cloud.services.sagemaker.notebooks -> rehearsal.cloud.core.api",
        "rehearsal.cloud.services.sagemaker.processing -> rehearsal.cloud.core.api",
        "rehearsal.cloud.services.sagemaker.registry -> rehearsal.cloud.core.api",
        "rehearsal.cloud.services.sagemaker.resume -> rehearsal.cloud.core.api",
        "rehearsal.cloud.services.sagemaker.resume -> rehearsal.cloud.core.snapshot",
        "rehearsal.cloud.services.sagemaker.runtime -> rehearsal.cloud.core.api",
        "rehearsal.cloud.services.sagemaker.state -> rehearsal.cloud.core.api",
        "rehearsal.cloud.services.sagemaker.tags -> rehearsal.cloud.core.api",
        "rehearsal.cloud.services.sagemaker.training -> rehearsal.cloud.core.api",
        "rehearsal.cloud.services.sns -> rehearsal.cloud.core.api",
        "rehearsal.cloud.services.stepfunctions.engine -> rehearsal.cloud.core.api",
        "rehearsal.cloud.services.stepfunctions.executions -> rehearsal.cloud.core.api",
        "rehearsal.cloud.services.stepfunctions.executions -> rehearsal.cloud.core.snapshot",
        "rehearsal.cloud.services.stepfunctions.interpreter -> rehearsal.cloud.core.api",
        "rehearsal.cloud.services.stepfunctions.machines -> rehearsal.cloud.core.api",
        "rehearsal.cloud.services.stepfunctions.managed -> rehearsal.cloud.core.api",
        "rehearsal.cloud.services.sts -> rehearsal.cloud.core.api",
        "wiring.delivery -> functions.jobs.evaluate.arguments",
    )
)

KNOWN_CIRCLES: frozenset[str] = frozenset(
    (
        (
            "rehearsal.cloud.authorization.context rehearsal.cloud.authorization.enforce "
            "rehearsal.cloud.authorization.kms rehearsal.cloud.authorization.needs "
            "rehearsal.cloud.authorization.passing rehearsal.cloud.authorization.resourcetags "
            "rehearsal.cloud.authorization.s3 rehearsal.cloud.authorization.sources "
            "rehearsal.cloud.authorization.tagging rehearsal.cloud.authorize "
            "rehearsal.cloud.compute.jobs rehearsal.cloud.core.api rehearsal.cloud.core.call "
            "rehearsal.cloud.core.cloud rehearsal.cloud.core.injection "
            "rehearsal.cloud.core.registry rehearsal.cloud.services.cloudwatch.operations "
            "rehearsal.cloud.services.codedeploy.state rehearsal.cloud.services.events.operations "
            "rehearsal.cloud.services.lambda_.aliases "
            "rehearsal.cloud.services.lambda_.asynchronous "
            "rehearsal.cloud.services.lambda_.environments "
            "rehearsal.cloud.services.lambda_.functions rehearsal.cloud.services.lambda_.invoke "
            "rehearsal.cloud.services.lambda_.package rehearsal.cloud.services.lambda_.permissions "
            "rehearsal.cloud.services.lambda_.pool rehearsal.cloud.services.lambda_.state "
            "rehearsal.cloud.services.lambda_.telemetry rehearsal.cloud.services.logs "
            "rehearsal.cloud.services.sagemaker.images rehearsal.cloud.services.sagemaker.models "
            "rehearsal.cloud.services.sagemaker.state rehearsal.cloud.services.sagemaker.tags "
            "rehearsal.cloud.services.sns"
        ),
        "rehearsal.cloud.services.codedeploy.deployments rehearsal.cloud.services.codedeploy.execution",
        "rehearsal.cloud.services.stepfunctions.integrations rehearsal.cloud.services.stepfunctions.interpreter",
        "scenarios.faults.fault scenarios.faults.world",
        "scenarios.tour.rollback_scene scenarios.tour.tour",
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
    if parts[0] in ("provider", "engine", "examples"):
        return f"rehearsal.{parts[0]}"
    if parts[0] == "__main__":
        return "rehearsal.command"
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
    by_place: Counter[str] = Counter()
    for module in modules():
        by_place[place(module)] += 1
    assert set(by_place) <= set(ARROWS), "a folder that ARROWS does not know"
    assert sum(len(targets) for targets in imports().values()) > 1000


def test_no_import_points_upward() -> None:
    assert wrong_arrows() == KNOWN


def test_no_circle() -> None:
    assert circles() == KNOWN_CIRCLES
