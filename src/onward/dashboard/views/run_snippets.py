"""The same run as a command, as Python and as a request, to be pasted elsewhere."""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass
from pprint import pformat
from typing import Any

from onward.dashboard.views.run_fields import as_text
from onward.dashboard.views.run_request import Asked

__all__ = ["Snippets", "snippets"]

WIDTH = 88


@dataclass(frozen=True)
class Snippets:
    """One run, three ways.

    Attributes
    ----------
    command
        For a shell, with ``onward``.
    python
        With `onward.client.OnwardClient`.
    curl
        For a shell, with ``curl``.
    """

    command: str
    python: str
    curl: str


def snippets(asked: Asked, address: str, *, needs_key: bool) -> Snippets:
    """Return how the same run is started from elsewhere, on the same server.

    Parameters
    ----------
    asked
        What to run.
    address
        Of the server, such as ``http://127.0.0.1:8321``.
    needs_key
        Whether the server asks for a key; it is then read from ``ONWARD_API_KEY``, so that none
        stands in a text that is copied around.
    """
    return Snippets(
        _command(asked, address), _python(asked, address, needs_key), _curl(asked, address, needs_key)
    )


def _command(asked: Asked, address: str) -> str:
    lines = [f"onward --server {shlex.quote(address)} {asked.kind} {asked.preset} --background"]
    lines += [f"--set {shlex.quote(f'{name}={_setting(value)}')}" for name, value in asked.changes.items()]
    for name in ("trials", "seconds", "save", "alias"):
        value = getattr(asked, name)
        if value is not None:
            lines.append(f"--{name} {shlex.quote(str(value))}")
    if not asked.audit:
        lines.append("--no-audit")
    return " \\\n  ".join(lines)


def _setting(value: Any) -> str:
    """Return a value as ``--set`` reads it."""
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else as_text(value)


def _python(asked: Asked, address: str, needs_key: bool) -> str:
    verb = {"train": "submit_training", "tune": "submit_tuning"}[asked.kind]
    fields = {name: value for name, value in asked.body.items() if name != "plan"}
    arguments = "".join(f", {name}={value!r}" for name, value in fields.items())
    key = ', api_key=os.environ["ONWARD_API_KEY"]' if needs_key else ""
    plan = pformat(asked.plan, width=WIDTH, sort_dicts=False)
    lines = ["import os\n" if needs_key else "", "from onward.client import OnwardClient\n"]
    return "\n".join(
        [
            *(line for line in lines if line),
            f"plan = {plan}",
            f"with OnwardClient({address!r}{key}) as client:",
            f"    job = client.{verb}(plan{arguments}).job",
            "    print(job.id)",
        ]
    )


def _curl(asked: Asked, address: str, needs_key: bool) -> str:
    kind = {"train": "training", "tune": "tuning"}[asked.kind]
    lines = [f"curl --fail-with-body {shlex.quote(f'{address}/api/v1/{kind}-jobs')}"]
    if needs_key:
        lines.append('--header "Authorization: Bearer $ONWARD_API_KEY"')
    lines.append("--header 'Content-Type: application/json'")
    body = json.dumps(asked.body, indent=2, ensure_ascii=False)
    lines.append(f"--data {shlex.quote(body)}")
    return " \\\n  ".join(lines)
