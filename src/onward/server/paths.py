"""Files that requests may name: those below a few directories, links resolved."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from onward.errors import UserError

__all__ = ["INBOX", "NamedFiles", "output_name"]

INBOX = "inbox"
"""Directory of the home in which files wait to be named by requests."""


LONGEST_NAME = 255
"""Bytes of one part of a path; asking a file system about longer ones is an error."""


@dataclass(frozen=True)
class NamedFiles:
    """Which files requests may name.

    Attributes
    ----------
    directories
        Absolute, links resolved; the first is where relative names lie.
    """

    directories: tuple[Path, ...]

    @classmethod
    def of(cls, home: Path, further: Iterable[str]) -> NamedFiles:
        """Return the inbox of a home and further directories."""
        return cls(tuple(Path(os.path.realpath(Path(d).expanduser())) for d in (str(home / INBOX), *further)))

    def path(self, text: str) -> str:
        """Return the absolute path that a request names, links resolved.

        Raises
        ------
        UserError
            When it leads out of the directories, whether or not something is there: nobody learns
            by asking which files a machine has.
        """
        try:
            path = Path(os.path.realpath(self.directories[0] / Path(text)))
        except (OSError, ValueError) as error:  # a name with NUL, too long, a loop of links
            raise self._refused(text) from error
        too_long = any(len(os.fsencode(part)) > LONGEST_NAME for part in path.parts)
        if too_long or not any(path.is_relative_to(directory) for directory in self.directories):
            raise self._refused(text)
        return str(path)

    def paths(self, named: Mapping[str, str]) -> dict[str, str]:
        """Return a table of names with the paths that its values mean."""
        return {name: self.path(text) for name, text in named.items()}

    def _refused(self, text: str) -> UserError:
        return UserError(
            "requests may not name this file",
            got=ascii(text)[:200],
            allowed="files below " + ", ".join(map(str, self.directories)),
            remedy="Put the file there, or add its directory to server.data_directories.",
        )


def output_name(text: str | None) -> str | None:
    """Return the relative name of an output, which lies below ``outputs/`` of the home.

    Raises
    ------
    UserError
        When it is absolute: a request does not choose where on the machine a file is written.
    """
    if text is not None and (Path(text).is_absolute() or text.startswith("~") or "\\" in text):
        raise UserError(
            "an output of a request has a relative name",
            got=ascii(text)[:200],
            allowed="a name such as report.html; it lies below outputs/ of the home directory",
        )
    return text
