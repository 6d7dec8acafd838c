"""Paths as clients see them: nobody learns from a job or a refusal how the server's disk is laid out."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from onward.errors import OnwardError, UserError
from onward.server.paths import INBOX
from onward.server.uploads.staging import DIRECTORY as UPLOADS

if TYPE_CHECKING:
    from onward.jobs.values import Job
    from onward.registry import Run

__all__ = ["ShownPaths"]

Refusal = TypeVar("Refusal", bound=OnwardError)

SENT = r"whole-[0-9a-f]{40}"
"""A directory of `Staging`: what follows it is the name that a client gave."""
SPEC = ("data", "series", "files", "out", "report")
RESULT = ("written", "report")
"""Fields of requests and results that hold paths; those of imported files are in their list."""
ABSOLUTE = re.compile(r"(?<![\w.~:/-])/([^\s/'\"():;,<>|]+)/[^\s'\"():;,<>|]+")
"""What looks like a path on its own in a sentence, with its first directory."""


@dataclass(frozen=True)
class ShownPaths:
    """Says paths relative to the directory of the home, or of data, that they lie in.

    A file of the inbox is called as a request would name it. A path elsewhere, which only the
    command line can have named, is shown by its last part.

    Attributes
    ----------
    known
        Matches a known directory at the beginning of a path.
    """

    known: re.Pattern[str]

    @classmethod
    def of(cls, home: Path, directories: Iterable[str]) -> ShownPaths:
        """Return what is said of the paths of a server.

        Parameters
        ----------
        home
            The home directory.
        directories
            Others: those that requests may name files of, beside the inbox, and those that settings
            put outside the home.
        """
        places = {home, home / INBOX, *(Path(one).expanduser() for one in directories)}
        places |= {Path(os.path.realpath(place)) for place in places}
        separator = re.escape(os.sep)
        # The longest first: a file of the inbox lies in the home as well.
        alternatives = [re.escape(str(one)) for one in sorted(places, key=lambda one: -len(str(one)))]
        sent = [f"{re.escape(str(one / UPLOADS))}{separator}{SENT}" for one in {home, home.resolve()}]
        inside = "|".join([*sent, *alternatives])
        return cls(re.compile(rf"(?<![\w.~{separator}-])(?:{inside})(?:{separator}|(?![\w.-]))"))

    def text(self, text: str) -> str:
        """Return a text with every path in it as clients see it."""
        return self.known.sub(_rest, text) if os.sep in text else text

    def value(self, value: Any) -> Any:
        """Return a JSON value with every path in its texts as clients see it."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {key: self.value(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self.value(item) for item in value]
        return value

    def error(self, error: Refusal) -> Refusal:
        """Return an error as clients see it: its parts name no place of the disk.

        What is no fault of the client's may name places that nobody foresaw, such as the file of a
        library: there every path of this machine is told by its last part. In a refusal of what a
        client asked for other paths stay, since they are those that it sent.
        """
        return error.put(self.text if isinstance(error, UserError) else self._nowhere)

    def _nowhere(self, text: str) -> str:
        return ABSOLUTE.sub(_last_if_here, self.text(text)) if os.sep in text else text

    def whole_job(self, job: Job) -> Job:
        """Return a job whose request, result and error say no place of the disk."""
        told = self.job({"spec": dict(job.request.spec), "result": job.result, "error": job.error})
        request = replace(job.request, spec=told["spec"])
        return replace(job, request=request, result=told["result"], error=told["error"])

    def run(self, run: Run) -> Run:
        """Return a run whose reason to fail, perhaps said in a terminal, names no place of the disk."""
        kept = run.record.error
        if not kept:
            return run
        error = {name: self._nowhere(text) for name, text in kept.items()}
        return replace(run, record=replace(run.record, error=error))

    def job(self, document: Mapping[str, Any]) -> dict[str, Any]:
        """Return the document of a job with its paths as clients see them."""
        shown = dict(document)
        for part, fields in (("spec", SPEC), ("result", RESULT), ("error", ())):
            if told := shown.get(part):
                told = self.value(told)
                shown[part] = told | {name: _last(told[name]) for name in fields if told.get(name)}
        for file in (shown.get("result") or {}).get("imported", ()):
            file["file"] = _last(file["file"])
        return shown


def _rest(found: re.Match[str]) -> str:
    """Return what stands for a known directory: nothing before what lies in it, else its name."""
    return "" if found[0].endswith(os.sep) else Path(found[0]).name


def _last_if_here(found: re.Match[str]) -> str:
    """Return the last part of what is a path on this machine; an address of the API stays."""
    return Path(found[0]).name if os.path.isdir(os.sep + found[1]) else found[0]  # noqa: PTH112


def _last(value: Any) -> Any:
    """Return a field that holds paths: those that are absolute even now by their last part."""
    if isinstance(value, str):
        return Path(value).name if Path(value).is_absolute() else value
    if isinstance(value, Mapping):
        return {key: _last(item) for key, item in value.items()}
    return [_last(item) for item in value] if isinstance(value, list) else value
