"""The notebook as it lies in git: valid, without outputs, keys or accounts. tests/scenarios/road shows that it runs."""

import re
from pathlib import Path
from typing import Any

import nbformat
import pytest

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOK = ROOT / "notebooks" / "mlops.ipynb"


@pytest.fixture(scope="module")
def notebook() -> Any:
    return nbformat.read(NOTEBOOK, as_version=4)  # type: ignore[no-untyped-call]


def test_it_is_a_notebook(notebook: Any) -> None:
    nbformat.validate(notebook)
    assert len({cell["id"] for cell in notebook.cells}) == len(notebook.cells)


def test_it_holds_no_outputs(notebook: Any) -> None:
    """Whoever runs it, strips it: jupyter nbconvert --clear-output --inplace notebooks/mlops.ipynb."""
    for cell in (cell for cell in notebook.cells if cell["cell_type"] == "code"):
        assert (cell["outputs"], cell["execution_count"]) == ([], None), cell["id"]


def test_it_holds_no_accounts_and_no_keys() -> None:
    text = NOTEBOOK.read_text(encoding="utf-8")
    assert not re.findall(r"(?<!\d)\d{12}(?!\d)|(?:AKIA|ASIA)[A-Z0-9]{12,}|aws_secret|arn:aws", text)


def test_it_decides_and_deletes_nothing_by_itself(notebook: Any) -> None:
    (given,) = [cell["source"] for cell in notebook.cells if "parameters" in cell["metadata"].get("tags", [])]
    values: dict[str, Any] = {}
    exec(given, values)
    assert (values["DECISION"], values["CLEAN_UP"]) == (None, False)


def test_links_lead_to_headings(notebook: Any) -> None:
    texts = [cell["source"] for cell in notebook.cells if cell["cell_type"] == "markdown"]
    headings = {heading.replace(" ", "-") for text in texts for heading in re.findall(r"^#+ (.+)$", text, re.M)}
    links = set(re.findall(r"\]\(#([^)]+)\)", "\n".join(texts)))
    assert links
    assert links <= headings
