"""The import closure of each function. That Lambda's runtime has boto3 beside it, these tests take for granted."""

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from components.function import ROOT
from components.packaging import _needed, closure

FUNCTIONS = sorted(path.parent.name for path in (ROOT / "functions").glob("*/handler.py"))


def _digest(root: Path, package: str) -> str:
    closure.cache_clear()
    _needed.cache_clear()
    digest = hashlib.sha256()
    for file in closure(root, package):
        digest.update(file.encode() + (root / file).read_bytes())
    return digest.hexdigest()


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of what may be packed."""
    for folder in ("functions", "contracts"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def test_there_are_functions() -> None:
    assert {"predict", "before_traffic", "after_traffic", "gate", "manifest", "register", "trigger", "validate"} <= set(
        FUNCTIONS
    )


def test_closure_of_predict_holds_nothing_of_the_evaluation(checkout: Path) -> None:
    before = _digest(checkout, "predict"), _digest(checkout, "gate")
    for file in ("functions/shared/evaluation.py", "functions/jobs/evaluate/evaluate.py", "contracts/dataset.py"):
        with (checkout / file).open("a") as edited:
            edited.write("# edited\n")
    after = _digest(checkout, "predict"), _digest(checkout, "gate")
    assert after[0] == before[0]
    assert after[1] != before[1]


@pytest.mark.parametrize(
    "file", ["functions/shared/variants.py", "functions/predict/model.py", "functions/__init__.py"]
)
def test_closure_of_predict_holds_what_it_imports(checkout: Path, file: str) -> None:
    before = _digest(checkout, "predict")
    with (checkout / file).open("a") as edited:
        edited.write("# edited\n")
    assert _digest(checkout, "predict") != before


def test_closure_follows_imports_in_functions_and_of_modules_by_name(tmp_path: Path) -> None:
    files = {
        "functions/__init__.py": "",
        "functions/one/__init__.py": "",
        "functions/one/handler.py": "def handle():\n    from contracts import kept\n",
        "contracts/__init__.py": "",
        "contracts/kept.py": "import functions.shared.deep\nimport boto3, json",
        "contracts/left.py": "",
        "functions/shared/__init__.py": "",
        "functions/shared/deep.py": "from contracts.kept import anything",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    assert set(closure(tmp_path, "one")) == set(files) - {"contracts/left.py"}


@pytest.mark.parametrize("package", FUNCTIONS)
def test_closure_is_enough_to_import_the_handler(package: str, tmp_path: Path) -> None:
    for file in closure(ROOT, package):
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / file, tmp_path / file)
    # -I: neither the checkout nor what a person has set; site-packages stay, for boto3.
    script = f"""
import os, pathlib, sys
os.environ.update(dict.fromkeys({_variables()}, "x"), AWS_DEFAULT_REGION="eu-west-1", FEATURES="[]",
                  PREDICTION_EDGES="[]", LATENCY_MS="1000")
sys.path.insert(0, {str(tmp_path)!r})
import functions.{package}.handler as handler
assert pathlib.Path(handler.__file__).is_relative_to({str(tmp_path)!r}), handler.__file__
"""
    done = subprocess.run(
        [sys.executable, "-I", "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def _variables() -> list[str]:
    """What any handler reads while it is imported; values do not matter there."""
    return ["ENDPOINT_NAME", "RELEASE_ID", "METRIC_NAMESPACE", "SERVICE", "AWS_LAMBDA_FUNCTION_VERSION"]
