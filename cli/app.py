"""How each command's typer app is made, so that all of them behave alike."""

import typer


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
