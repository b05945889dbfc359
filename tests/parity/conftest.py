"""Prints the table when all facts were looked at in one process, as `make parity` does."""

import pytest

from tests.parity import classes


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for line in classes.table():
        terminalreporter.write_line(line)
