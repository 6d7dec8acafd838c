"""``onward config``: what is set, where it came from, and a file to start from."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer

from onward.cli.output import print_note, print_table
from onward.cli.session import Session, group, verb

app = group("Show settings and where they came from; write a file.")


class Row(NamedTuple):
    """A setting as it counts somewhere: name, value, and where it came from."""

    name: str
    value: Any
    origin: str


@verb(app, remote=True)
def show(
    session: Session,
    names: Annotated[
        list[str] | None, typer.Argument(help="Sections or settings to show, such as model; all if left out.")
    ] = None,
    plan: Annotated[str | None, typer.Option("--plan", help="Plan file or preset to read as well.")] = None,
    changed: Annotated[bool, typer.Option("--changed", help="Only what is not a default.")] = False,
) -> None:
    """Show settings and where each came from.

    Secrets are masked.
    """
    from onward.config.describe import default_text
    from onward.config.explain import unknown

    home, files, rows = _known_here(session, plan) if session.server is None else _known_there(session, plan)
    for name in names or ():
        if not any(row.name == name or row.name.startswith(f"{name}.") for row in rows):
            raise unknown(name, [row.name for row in rows])
    shown = [
        row
        for row in rows
        if (not names or any(row.name == n or row.name.startswith(f"{n}.") for n in names))
        and not (changed and row.origin == "default")
    ]

    def render() -> None:
        print_note(f"home: {home}")
        table = [(row.name, default_text(row.value), row.origin) for row in shown]
        print_table(("setting", "value", "from"), table, empty="Everything is at its default.")

    value = {
        "home": home,
        "files": files,
        "settings": {row.name: {"value": row.value, "from": row.origin} for row in shown},
    }
    session.show(value, render)


def _known_here(session: Session, plan: str | None) -> tuple[Any, Any, list[Row]]:
    resolved = session.settings(plan)
    rows = [Row(row.name, row.value, str(row.origin)) for row in resolved.rows()]
    return resolved.home.root, resolved.files, rows


def _known_there(session: Session, plan: str | None) -> tuple[Any, Any, list[Row]]:
    from onward.errors import UserError

    if plan is not None or session.overrides:
        raise UserError(
            "a server's settings are shown as they are",
            got="--plan" if plan is not None else "--set",
            remedy="Leave it out; `onward --server URL features list PLAN` shows what a plan makes there.",
        )
    told = session.client.settings()
    rows = [Row(name, one["value"], one["from"]) for name, one in told["settings"].items()]
    return told["home"], told["files"], rows


@verb(app)
def init(
    session: Session,
    here: Annotated[
        bool, typer.Option("--here", help="Write it to the working directory, not the home directory.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
) -> None:
    """Write a settings file to start from.

    An onward.toml that lists every setting, commented out, with what it takes.
    """
    from onward.config.template import settings_template
    from onward.errors import ConfigError
    from onward.settings import FILE_NAME, home_of

    directory = Path.cwd() if here else home_of(session.home).checked().root
    target = directory / FILE_NAME
    if target.exists() and not force:
        raise ConfigError(
            "there is a settings file already",
            got=str(target),
            remedy="Edit it, or replace it with --force.",
        )
    _write(target, settings_template())
    session.show({"written": target}, lambda: print_note(f"Wrote {target}"))


def _write(target: Path, text: str) -> None:
    """Write a file whole or not at all."""
    import os
    import tempfile

    target.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
