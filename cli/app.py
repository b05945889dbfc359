"""How each command's typer app is made, so that all of them behave alike."""

import sys

import typer

from contracts.errors import UserError


def new_app(help: str | None = None) -> typer.Typer:
    """An empty app: plain help, `-h`, no completion options, errors left to cli/main.py."""
    return typer.Typer(
        help=help,
        no_args_is_help=help is not None,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        context_settings={"help_option_names": ["-h", "--help"]},
    )


def confirm(question: str) -> None:
    """Ask whether to go on. Raises UserError where the answer is no, or where there is nobody to ask."""
    if not sys.stdin.isatty():
        raise UserError("nothing was changed: there is no terminal to ask on", "add --yes to do it without a question")
    if not typer.confirm(question):
        raise UserError("nothing was changed")
