"""One module for each AWS service that must execute. Each registers its operations when it is imported."""

import importlib.util
import pkgutil


def load() -> None:
    """Import every module of this package, and what its packages say about permissions."""
    for module in pkgutil.iter_modules(__path__):
        name = f"{__name__}.{module.name}"
        importlib.import_module(name)
        if module.ispkg and importlib.util.find_spec(f"{name}.authorization"):
            importlib.import_module(f"{name}.authorization")
