"""Change the rules' code in one place at a time, and see that a test notices: every mutant must die.

    python -m tests.policies.mutants [module …]

Mutated are comparisons, `and`/`or`, `not`, numbers and booleans in the functions of `policies/rules`. A mutant runs in
this process, over the corpus, the rules' four tests and the tests of stacks: first what killed the mutants before it,
and no further than the first test that notices. So thousands take minutes.
"""

import ast
import contextlib
import importlib
import signal
import sys
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tests.policies.equivalents import EQUIVALENTS

RULES = Path(__file__).resolve().parents[2] / "policies" / "rules"
_ORDER = (
    "model", "actions", "documents", "sources", "conditions", "breadth", "references", "statements", "escalation",
    "invented", "boundaries", "pairs", "detours", "grants", "least_privilege", "subjects", "trust", "alarms", "capture",
    "release", "hardening", "exposure", "network", "apis", "secrets", "operations", "exemptions", "catalogue",
    "judge", "remediate", "engine",
)  # fmt: skip
MODULES = tuple(name for name in _ORDER if name not in ("references", "catalogue", "engine"))
_TESTS = (
    "harness",
    "corpus.identity",
    "corpus.entrance",
    "corpus.props",
    "corpus.quads",
    "corpus.verdicts",
    "corpus.adversary",
    "corpus.detours",
    "corpus.settings",
    "adversary",
    "test_stack",
    "test_edges",
    "test_grants",
    "cases",
)
_OPPOSITE: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt,
    ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
}  # fmt: skip
_SECONDS = 30
"""Of the processor. A mutant that takes longer has lost its way: dead."""
Mutation = tuple[int, str, Callable[[], None], Callable[[], None]]


def mutations(tree: ast.AST) -> Iterator[Mutation]:
    """Each change that can be made: line, what it is, how it is made, how it is taken back."""
    for node in _code(tree):
        if isinstance(node, ast.Compare):
            yield _swap(node, "ops", [_OPPOSITE[type(node.ops[0])](), *node.ops[1:]], "comparison")
        elif isinstance(node, ast.BoolOp):
            yield _swap(node, "op", ast.Or() if isinstance(node.op, ast.And) else ast.And(), "and/or")
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            yield _swap(node, "op", ast.UAdd(), "not")
        elif isinstance(node, ast.Constant) and isinstance(node.value, bool):
            yield _swap(node, "value", not node.value, "boolean")
        elif isinstance(node, ast.Constant) and isinstance(node.value, int):
            yield _swap(node, "value", node.value + 1, "number")


def _code(tree: ast.AST) -> Iterator[ast.AST]:
    """Nodes of functions, each once."""
    seen: set[int] = set()
    parents = {id(child): node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef):
            for statement in function.body:
                for node in ast.walk(statement):
                    if id(node) not in seen:
                        seen.add(id(node))
                        node._context = _line(node, parents)  # type: ignore[attr-defined]
                        yield node


def _line(node: ast.AST, parents: dict[int, ast.AST]) -> str:
    """The expression around a bare constant, so that a reader knows which one it is."""
    while isinstance(node, (ast.Constant, ast.Slice, ast.UnaryOp)) and isinstance(parents.get(id(node)), ast.expr):
        node = parents[id(node)]
    return ast.unparse(node)[:110] if isinstance(node, (ast.expr, ast.stmt)) else type(node).__name__


def _swap(node: Any, field: str, value: Any, what: str) -> Mutation:
    before = getattr(node, field)
    shown = "" if node._context == ast.unparse(node)[:110] else f"`{ast.unparse(node)}` of "
    label = f"{what}: {shown}`{node._context}`"
    return node.lineno, label, lambda: setattr(node, field, value), lambda: setattr(node, field, before)


def load(module: str, tree: ast.Module) -> None:
    """Put one module from a tree in place, and anew all that is built on it."""
    later = _ORDER[_ORDER.index(module) :]
    for name in (*(f"policies.rules.{each}" for each in later), *(f"tests.policies.{each}" for each in _TESTS)):
        _forget(name)
    full = f"policies.rules.{module}"
    made = types.ModuleType(full)
    made.__file__, made.__package__ = str(RULES / f"{module}.py"), "policies.rules"
    sys.modules[full] = made
    setattr(sys.modules["policies.rules"], module, made)
    exec(compile(tree, made.__file__, "exec"), made.__dict__)
    for name in later[1:]:
        importlib.import_module(f"policies.rules.{name}")


def _forget(name: str) -> None:
    """Forget a module, in its package too: `from . import it` would find it there."""
    sys.modules.pop(name, None)
    package, _, own = name.rpartition(".")
    if package in sys.modules and hasattr(sys.modules[package], own):
        delattr(sys.modules[package], own)


class Killers:
    """Runs the cases, those first that have noticed a mutant before."""

    def __init__(self) -> None:
        self._first: list[int] = []

    def survives(self) -> bool:
        """Whether every case still gets its verdict."""
        cases = list(importlib.import_module("tests.policies.cases").all_cases())
        rest = set(range(len(cases))) - set(self._first)
        for number in (*self._first, *sorted(rest)):
            if not _holds(cases[number]):
                if number in self._first:
                    self._first.remove(number)
                self._first.insert(0, number)
                return False
        return True


def _holds(case: Callable[[], bool]) -> bool:
    try:
        return case()
    except Exception:  # noqa: BLE001  a mutant that raises is dead
        return False


class _LostError(Exception):
    pass


def _lost(*_: object) -> None:
    raise _LostError


@contextlib.contextmanager
def _limited() -> Iterator[None]:
    signal.signal(signal.SIGVTALRM, _lost)
    signal.setitimer(signal.ITIMER_VIRTUAL, _SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)


def _lives(module: str, tree: ast.Module, killers: Killers) -> bool:
    try:
        with _limited():
            load(module, tree)
            return killers.survives()
    except Exception:  # noqa: BLE001  a mutant that cannot be loaded, or does not end, is dead
        return False


def run(module: str) -> tuple[int, int, list[str]]:
    """Number of mutants, of those that mean the same, and those that live."""
    for name in _ORDER:  # the last mutant of another module must not stay
        _forget(f"policies.rules.{name}")
    for name in _ORDER:
        importlib.import_module(f"policies.rules.{name}")
    source = (RULES / f"{module}.py").read_text()
    tree, killers = ast.parse(source), Killers()
    if not _lives(module, tree, killers):
        raise SystemExit(f"{module}: the cases fail without any change")
    same = EQUIVALENTS.get(module, {})
    alive, count, equal, met = [], 0, 0, set()
    for line, label, change, undo in mutations(tree):
        count += 1
        if label in same:
            met.add(label)
            equal += 1
            continue
        change()
        if _lives(module, tree, killers):
            alive.append(f"{module}.py:{line} {label}")
        undo()
    alive += [f"{module}.py: no such mutant, though it is listed as equivalent: {label}" for label in set(same) - met]
    return count, equal, alive


def main(modules: list[str]) -> int:
    """Run all, or these modules; 1 where a mutant lives, 2 where there is no such module."""
    unknown = [name for name in modules if name not in MODULES]
    if unknown:
        print(f"mutants: no module {', '.join(unknown)}; there are {', '.join(MODULES)}", file=sys.stderr)
        return 2
    total, living = 0, []
    for module in modules or MODULES:
        count, equal, alive = run(module)
        total += count - equal
        living += alive
        note = f" ({equal} more mean the same)" if equal else ""
        print(f"{module}: {count - equal - len(alive)} of {count - equal} mutants died{note}", flush=True)
        print("\n".join(f"  {each}" for each in alive), end="\n" if alive else "", flush=True)
    print(f"{total - len(living)} of {total} mutants died")
    return 1 if living else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
