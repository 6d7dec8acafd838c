"""Asking before something is removed."""

from __future__ import annotations

import sys

import typer

from onward.errors import UserError

__all__ = ["confirm"]


def confirm(question: str, *, as_json: bool) -> None:
    """Ask on standard error, and go on when the answer is yes.

    Raises
    ------
    UserError
        If nobody can answer: with ``--json``, or when there is no terminal and the input has ended.
    typer.Abort
        If the answer is no.
    """
    if as_json:
        raise UserError("nobody can be asked with --json", got=question, allowed="--yes", remedy="Add --yes.")
    try:
        agreed = typer.confirm(question, err=True)
    except typer.Abort:
        if sys.stdin.isatty():  # Ctrl-C or Ctrl-D is an answer
            raise
        typer.echo(err=True)  # ends the line of the question
        raise UserError(
            "nobody is there to be asked",
            got=f"{question} and no answer: the input is no terminal and has ended",
            allowed="--yes, or y on the input",
            remedy="Add --yes.",
        ) from None
    if not agreed:
        raise typer.Abort
