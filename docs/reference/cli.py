"""Writes cli.md from the commands themselves: ``python docs/reference/cli.py``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import typer

from onward.cli.app import COMMANDS, app

HEAD = """\
# Command line

Every command with its help, made by `python docs/reference/cli.py`; a test fails when this page falls behind.

- Every verb takes `--home DIR`, `--set NAME=VALUE` (repeatable) and `--json`, before or after its name; of
  two equal ones the later wins.
- Results go to standard output, progress and errors to standard error. With `--json` the result is one JSON
  document, and so is an error; `jobs watch` and `jobs logs` write one JSON object a line.
- Exit codes: 0 done; 1 something failed that is not your doing, or a check (`data check`, `audit`) found
  something; 2 something you can repair, said as what / got / allowed / fix; 3 the job that was watched was
  stopped; 130 stopped by Ctrl-C, 143 by SIGTERM, 129 by the loss of the terminal. A worker that is told to
  end (SIGTERM, Ctrl-C) and does so ends with 0.
- Ctrl-C stops within a second, SIGTERM and SIGHUP within four; a training that was begun is then `cancelled`
  in `onward runs list` (`failed`, "The program that ran it is gone", when native code kept it from saying so
  in time). Files appear whole or not at all, and databases change in transactions.
"""
WIDTH = 96


def page() -> str:
    """Return the page as Markdown."""
    root = typer.main.get_command(app)
    context = root.context_class(root, info_name="onward", terminal_width=WIDTH, max_content_width=WIDTH)
    parts = [HEAD, _help("onward", root, context)]
    parts += [_tree(f"onward {name}", root.get_command(context, name), context) for name in COMMANDS]
    return "\n".join(parts)


def _tree(path: str, command: Any, parent: Any) -> str:
    context = command.context_class(command, info_name=path.rpartition(" ")[2], parent=parent)
    verbs = getattr(command, "commands", None)
    if not verbs:
        return _help(path, command, context)
    return "\n".join(_tree(f"{path} {name}", verb, context) for name, verb in verbs.items())


def _help(path: str, command: Any, context: Any) -> str:
    return f"## {path}\n\n```text\n{command.get_help(context).strip()}\n```\n"


if __name__ == "__main__":
    Path(__file__).with_suffix(".md").write_text(page(), encoding="utf-8")
