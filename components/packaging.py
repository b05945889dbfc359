"""What an archive holds: files of the project, and exactly what these import of it.

A file too many costs more than space. The predict function publishes a version for every change of its archive, and a
new version starts a canary in production: an edit of code that it does not import must not change the archive.
"""

import ast
import functools
from collections.abc import Iterable, Iterator
from pathlib import Path

_PACKED = ("functions", "contracts")
"""Top-level packages that a function may take along. Anything else is in Lambda's runtime, or must not be imported."""


@functools.cache
def closure(root: Path, package: str) -> tuple[str, ...]:
    """Files of the archive of `functions/<package>`, as sorted paths relative to `root`."""
    folder = root / "functions" / package
    return reachable(root, [path.relative_to(root).as_posix() for path in folder.rglob("*.py")], _PACKED)


def reachable(root: Path, files: Iterable[str], packed: tuple[str, ...]) -> tuple[str, ...]:
    """The files, and what they import of the packages in `packed`, as sorted paths relative to `root`.

    Follows every import, also inside functions, and takes the `__init__.py` of each package on the way.
    """
    waiting = list(files)
    found: set[str] = set()
    while waiting:
        file = waiting.pop()
        if file not in found:
            found.add(file)
            waiting += _needed(root, file, packed)
    return tuple(sorted(found))


@functools.cache
def _needed(root: Path, file: str, packed: tuple[str, ...]) -> tuple[str, ...]:
    """What a file brings along. Most are shared by several functions, and parsing is what takes time."""
    return (*_packages(root, file), *_imported(root, file, packed))


def _packages(root: Path, file: str) -> Iterator[str]:
    for parent in Path(file).parents:
        if (root / parent / "__init__.py").is_file() and parent != Path():
            yield (parent / "__init__.py").as_posix()


def _imported(root: Path, file: str, packed: tuple[str, ...]) -> Iterator[str]:
    for node in ast.walk(ast.parse((root / file).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from _files(root, [alias.name for alias in node.names], packed)
        elif isinstance(node, ast.ImportFrom) and node.module:
            # A name may be a module of the package, or something in it: whichever file there is.
            modules = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
            yield from _files(root, modules, packed)


def _files(root: Path, modules: list[str], packed: tuple[str, ...]) -> Iterator[str]:
    for module in modules:
        if module.split(".")[0] not in packed:
            continue
        path = module.replace(".", "/")
        for file in (f"{path}.py", f"{path}/__init__.py"):
            if (root / file).is_file():
                yield file
