"""Remedies that name commands, said again for whoever speaks HTTP."""

from __future__ import annotations

import re
from collections.abc import Mapping

__all__ = ["over_http"]

API = "/api/v1"
WORD = r"[A-Za-z0-9._/@:{}-]*[A-Za-z0-9_}]"
REQUESTS: Mapping[str, str] = {
    rf"jobs watch ({WORD})": rf"GET {API}/jobs/\1/events",
    rf"jobs stop ({WORD})": rf"POST {API}/jobs/\1/stop",
    rf"jobs retry ({WORD})": rf"POST {API}/jobs/\1/retry",
    "jobs retry": f"POST {API}/jobs/ID/retry",
    "jobs list": f"GET {API}/jobs",
    rf"models alias ({WORD}) ({WORD}) VERSION": rf"PUT {API}/models/\1/aliases/\2",
    rf"models alias ({WORD}) ({WORD}) --remove": rf"DELETE {API}/models/\1/aliases/\2",
    rf"models history ({WORD})": rf"GET {API}/models/\1/history",
    rf"models list ({WORD})": rf"GET {API}/models/\1",
    "models list": f"GET {API}/models",
    "models cleanup": f"POST {API}/models/cleanup",
    r"data import(?: FILE)?(?: --symbol \.\.\.)?": f"POST {API}/data/import",
    "data list": f"GET {API}/data/series",
    "data remove": f"DELETE {API}/data/series/KIND/SYMBOL",
    "data check": f"GET {API}/data/series/KIND/SYMBOL/quality",
    "features list": f"GET {API}/features/stages",
    "config show": f"GET {API}/settings",
    "train": f"POST {API}/training-jobs",
    "tune": f"POST {API}/tuning-jobs",
}
"""Commands, without ``onward``, and the requests that do the same; the first that fits counts."""
COMMAND = re.compile(
    r"(?<!on the server: )\bonward (?:"
    + "|".join(f"(?P<c{number}>{command})(?![\\w-])(?! --)" for number, command in enumerate(REQUESTS))
    + r")"
)
QUOTED = re.compile(r"`onward [^`]+`(?! on the server)")
"""A command that no request does: it is for whoever runs the server."""


def over_http(text: str) -> str:
    """Return a text in which commands are requests, or said to be for the machine of the server.

    Examples
    --------
    >>> over_http("`onward jobs list` shows them")
    '`GET /api/v1/jobs` shows them'
    >>> over_http("`onward keys create NAME` makes one.")
    '`onward keys create NAME` on the server makes one.'
    """
    return QUOTED.sub(lambda found: f"{found[0]} on the server", COMMAND.sub(_request, text))


def _request(found: re.Match[str]) -> str:
    number = next(int(name[1:]) for name, said in found.groupdict().items() if said is not None)
    command, request = list(REQUESTS.items())[number]
    return re.sub(command, request, found[f"c{number}"])
