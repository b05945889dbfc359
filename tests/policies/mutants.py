"""Change the rules' code in one place at a time, and see that a test notices: every mutant must die.

    python -m tests.policies.mutants [module …]

Mutated are comparisons, `and`/`or`, `not`, numbers and booleans in the functions of `policies/rules`.
A mutant runs in this process, over the corpus and the rules' four tests, so that thousands take minutes.
"""

import ast
import copy
import importlib
import sys
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

RULES = Path(__file__).resolve().parents[2] / "policies" / "rules"
MODULES = ("conditions", "breadth", "least_privilege", "trust", "capture", "release", "exposure", "operations")
_ORDER = (
    "model", "actions", "documents", "sources", "conditions", "breadth", "references", "least_privilege", "trust",
    "capture", "release", "exposure", "operations", "exemptions", "catalogue", "judge",
)  # fmt: skip
_OPPOSITE: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt,
    ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
}  # fmt: skip
Mutation = tuple[str, Callable[[], None], Callable[[], None]]


def mutations(tree: ast.AST) -> Iterator[Mutation]:
    """Each change that can be made: what it is, how it is made, how it is taken back."""
    for node in _code(tree):
        if isinstance(node, ast.Compare):
            yield from _swap(node, "ops", [_OPPOSITE[type(node.ops[0])](), *node.ops[1:]], "comparison")
        elif isinstance(node, ast.BoolOp):
            yield from _swap(node, "op", ast.Or() if isinstance(node.op, ast.And) else ast.And(), "and/or")
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            yield from _swap(node, "op", ast.UAdd(), "not")
        elif isinstance(node, ast.Constant) and isinstance(node.value, bool):
            yield from _swap(node, "value", not node.value, "boolean")
        elif isinstance(node, ast.Constant) and isinstance(node.value, int):
            yield from _swap(node, "value", node.value + 1, "number")


def _code(tree: ast.AST) -> Iterator[ast.AST]:
    """Nodes of functions, but not of docstrings, annotations nor messages."""
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef):
            for statement in function.body:
                yield from ast.walk(statement)


def _swap(node: Any, field: str, value: Any, what: str) -> Iterator[Mutation]:
    before = getattr(node, field)
    label = f"line {node.lineno}: {what} in `{ast.unparse(node)[:90]}`"
    yield label, lambda: setattr(node, field, value), lambda: setattr(node, field, before)


def load(module: str, tree: ast.Module) -> None:
    """Put the rules package in place anew, with one module from a tree."""
    for name in _ORDER:
        sys.modules.pop(f"policies.rules.{name}", None)
    for name in _ORDER:
        full = f"policies.rules.{name}"
        if name != module:
            importlib.import_module(full)
            continue
        made = types.ModuleType(full)
        made.__file__, made.__package__ = str(RULES / f"{name}.py"), "policies.rules"
        sys.modules[full] = made
        exec(compile(tree, made.__file__, "exec"), made.__dict__)


def survives() -> bool:
    """Whether every case still gets its verdict."""
    for name in ("harness", "corpus.identity", "corpus.entrance", "corpus.props", "corpus.quads", "cases"):
        sys.modules.pop(f"tests.policies.{name}", None)
    cases = importlib.import_module("tests.policies.cases")
    try:
        return all(case() for case in cases.all_cases())
    except Exception:  # noqa: BLE001  a mutant that raises is dead
        return False


def run(module: str) -> tuple[int, list[str]]:
    """Number of mutants, and those that live."""
    tree = ast.parse((RULES / f"{module}.py").read_text())
    load(module, copy.deepcopy(tree))
    if not survives():
        raise SystemExit(f"{module}: the cases fail without any change")
    alive, count = [], 0
    for label, change, undo in mutations(tree):
        count += 1
        change()
        try:
            load(module, tree)
            lives = survives()
        except Exception:  # noqa: BLE001  a mutant that cannot be loaded is dead
            lives = False
        undo()
        if lives:
            alive.append(f"{module}.py {label}")
    return count, alive


def main(modules: list[str]) -> int:
    """Run all; 1 where a mutant lives."""
    total, living = 0, []
    for module in modules or MODULES:
        count, alive = run(module)
        total += count
        living += alive
        print(f"{module}: {count - len(alive)} of {count} mutants died", flush=True)
    print("\n".join(living))
    print(f"{total - len(living)} of {total} mutants died")
    return 1 if living else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
