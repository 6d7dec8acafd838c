"""The command tree; each command's module is imported when that command is called."""

from __future__ import annotations

import importlib
import sys
from collections import UserDict
from collections.abc import Mapping
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from onward.cli.session import HomeOption, JsonOption, KeyOption, ServerOption, Session, SetOption

__all__ = ["COMMANDS", "app"]

COMMANDS: Mapping[str, str] = {
    "demo": "demo",
    "data": "data",
    "features": "features",
    "audit": "audit",
    "train": "train",
    "tune": "tune",
    "runs": "runs",
    "models": "models",
    "predict": "predict",
    "jobs": "jobs",
    "serve": "serve",
    "keys": "keys",
    "worker": "worker",
    "cache": "cache",
    "config": "config",
    "db": "database",
}
"""Command -> its module in ``onward.cli.commands``, in the order that the help lists them."""


class _Commands(UserDict[str, Any]):
    """Commands by name, built on first access."""

    def __getitem__(self, name: str) -> Any:
        if isinstance(self.data[name], str):
            module = importlib.import_module(f"onward.cli.commands.{self.data[name]}")
            command = typer.main.get_command(module.app)
            command.name = name
            self.data[name] = command
        return self.data[name]


class LazyGroup(TyperGroup):
    """A group that knows the names of its commands and imports what is asked for."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.commands = _Commands(COMMANDS)

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 - the signature is click's
        """Return the names in the order of the table."""
        return list(COMMANDS)


app = typer.Typer(
    cls=LazyGroup,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # boxes around the help would double the time until it appears
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Train, judge and serve machine-learning models on market data without ever seeing the future.",
    epilog="Start with `onward demo`. Every command has --help.",
)


def _print_version(wanted: bool) -> None:
    if wanted:
        from onward._version import __version__

        typer.echo(f"onward {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    context: typer.Context,
    home: HomeOption = None,
    overrides: SetOption = None,
    as_json: JsonOption = False,
    server: ServerOption = None,
    api_key: KeyOption = None,
    version: Annotated[  # noqa: ARG001 - acts through its callback
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    key = sys.stdin.readline().strip() if api_key == "-" else api_key
    context.obj = Session(home, tuple(overrides or ()), as_json, server or None, key or None)
