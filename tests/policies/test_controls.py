"""Which of AWS's controls are covered: the table that people read says what the rules say."""

import re
from pathlib import Path

import pytest

from policies.rules.controls import controls, named
from policies.rules.hardening import SETTINGS

TABLE = Path(__file__).resolve().parents[2] / "docs" / "policies.md"
PREFIXES = {
    "API Gateway": "APIGateway", "CloudWatch": "CloudWatch", "CodeBuild": "CodeBuild", "DynamoDB": "DynamoDB",
    "EC2": "EC2", "ECR": "ECR", "KMS": "KMS", "Lambda": "Lambda", "RDS": "RDS", "S3": "S3", "SageMaker": "SageMaker",
    "SNS": "SNS", "SQS": "SQS", "Step Functions": "StepFunctions",
}  # fmt: skip


def rows() -> dict[str, tuple[str, str]]:
    """Service → what is covered, and what is not."""
    found = {}
    for line in TABLE.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("| ") and len(cells) == 3 and cells[0] in PREFIXES:
            found[cells[0]] = cells[1], cells[2]
    return found


def numbers(text: str) -> list[int]:
    """`.1, .3 to .5` → 1, 3, 4, 5."""
    found: list[int] = []
    for first, last in re.findall(r"\.(\d+)(?: to \.(\d+))?", text):
        found += range(int(first), int(last or first) + 1)
    return found


def test_every_service_has_its_row() -> None:
    assert rows().keys() == PREFIXES.keys()


@pytest.mark.parametrize("service", PREFIXES)
def test_the_table_says_what_the_rules_say(service: str) -> None:
    told = {
        (number, rule)
        for part in rows()[service][0].split(";")
        for number in numbers(part)
        for rule in re.findall(r"`([\w-]+)`", part)
    }
    rules = named() | {row.rule for row in SETTINGS}
    prefix = PREFIXES[service]
    listed = [(control.split("."), rule) for rule in rules for control in controls(rule)]
    # What is only advised as a tag is told in the last column.
    assert told == {(int(number), rule) for (of, number), rule in listed if of == prefix and rule != "tags"}


@pytest.mark.parametrize("service", PREFIXES)
def test_no_control_is_both_covered_and_not(service: str) -> None:
    covered, not_covered = rows()[service]
    assert set(numbers(covered)).isdisjoint(numbers(not_covered))
