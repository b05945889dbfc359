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
    # The command of the package: above everything in it, as cli is above the program.
    "rehearsal.command": REHEARSAL,
    # Programs of somebody else: they use AWS, never us.
    "rehearsal.examples": (),
}

KNOWN: frozenset[str] = frozenset()

KNOWN_CIRCLES: frozenset[str] = frozenset()


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
