"""What a function's archive holds: its own package, and exactly what that imports of the project.

A file too many costs more than space. The predict function publishes a version for every change of its archive, and a
new version starts a canary in production: an edit of code that it does not import must not change the archive.
"""

import ast
import functools
from collections.abc import Iterator
from pathlib import Path

_PACKED = ("functions", "contracts")
"""Top-level packages that may be packed. Anything else is in Lambda's runtime, or must not be imported there."""


@functools.cache
def closure(root: Path, package: str) -> tuple[str, ...]:
    """Files of the archive of `functions/<package>`, as sorted paths relative to `root`.

    Follows every import, also inside functions, and takes the `__init__.py` of each package on the way.
    """
    folder = root / "functions" / package
    waiting = [path.relative_to(root).as_posix() for path in sorted(folder.rglob("*.py"))]
    found: set[str] = set()
    while waiting:
        file = waiting.pop()
        if file not in found:
            found.add(file)
            waiting += _needed(root, file)
    return tuple(sorted(found))


@functools.cache
def _needed(root: Path, file: str) -> tuple[str, ...]:
    """What a file brings along. Most are shared by several functions, and parsing is what takes time."""
    return (*_packages(root, file), *_imported(root, file))


def _packages(root: Path, file: str) -> Iterator[str]:
    for parent in Path(file).parents:
        if (root / parent / "__init__.py").is_file() and parent != Path():
            yield (parent / "__init__.py").as_posix()


def _imported(root: Path, file: str) -> Iterator[str]:
    for node in ast.walk(ast.parse((root / file).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from _files(root, [alias.name for alias in node.names])
        elif isinstance(node, ast.ImportFrom) and node.module:
            # A name may be a module of the package, or something in it: whichever file there is.
            yield from _files(root, [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)])


def _files(root: Path, modules: list[str]) -> Iterator[str]:
    for module in modules:
        if module.split(".")[0] not in _PACKED:
            continue
        path = module.replace(".", "/")
        for file in (f"{path}.py", f"{path}/__init__.py"):
            if (root / file).is_file():
                yield file
