"""Small readings that several verbs share."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from onward.errors import UserError

if TYPE_CHECKING:
    from onward.types import ProgressEvent

__all__ = ["actor_name", "duration", "moment_of", "require_output", "said", "scored", "size"]


def actor_name(given: str | None = None) -> str:
    """Return who does something: the given name, else that of the login, else nothing."""
    if given is not None:
        return given
    import getpass

    try:
        return getpass.getuser()
    except (KeyError, OSError):  # no such user in a container
        return ""


def moment_of(text: str, *, option: str = "--at") -> datetime:
    """Return a moment in UTC from ISO 8601 text; text without a zone is taken as UTC."""
    try:
        moment = datetime.fromisoformat(text)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):  # the last hours of the year 9999, west of Greenwich
        raise UserError(
            f"{option} takes a moment",
            got=text,
            allowed="ISO 8601, UTC: 2026-01-31 or 2026-01-31T12:00",
            remedy="Correct it.",
        ) from None


def require_output(path: Path | None, *, force: bool, suffixes: tuple[str, ...] = ()) -> None:
    """Refuse a file to write before anything is computed for it.

    Parameters
    ----------
    path
        As an option names it; None where it is left out.
    force
        Whether a file that is there may be replaced.
    suffixes
        Endings that are allowed; empty: any.

    Raises
    ------
    UserError
        When it has another ending, is there already, or cannot be written.
    """
    from onward.registry.writable import require_writable

    if path is None:
        return
    if suffixes and path.suffix.lower() not in suffixes:
        raise UserError(
            "unknown file type", got=path.name, allowed=", ".join(suffixes), remedy="Choose one of these."
        )
    require_writable(path)
    if path.exists() and not force:
        raise UserError(
            "there is a file already", got=str(path), remedy="Choose another name, or add --force."
        )


def duration(seconds: float) -> str:
    """Return a time span in the unit that suits it, two digits: it is read, not reckoned with."""
    if seconds < 0.95:
        return f"{float(f'{max(seconds * 1e3, 1.0):.2g}'):g} ms" if seconds > 0 else "0 s"
    if seconds < 59.5:
        return f"{seconds:.2g} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


def size(n_bytes: float) -> str:
    """Return a number of bytes in the decimal unit that suits it."""
    if n_bytes < 1_000:
        return f"{n_bytes:.0f} bytes"
    for unit in ("kB", "MB"):
        n_bytes /= 1e3
        if n_bytes < 999.5:
            return f"{n_bytes:.3g} {unit}"
    return f"{n_bytes / 1e3:,.1f} GB"


def said(event: ProgressEvent) -> str:
    """Return what an event has to say besides its figures of progress."""
    return " ".join(filter(None, (event.message, _figures(event))))


def scored(event: ProgressEvent) -> str:
    """Return the figures of an event as a line of their own; empty when it has none."""
    where = event.message if event.message.startswith(event.stage) else f"{event.stage} {event.message}"
    return f"{where.strip()}: {_figures(event)}" if event.values else ""


def _figures(event: ProgressEvent) -> str:
    return ", ".join(f"{name} {value:.4g}" for name, value in event.values.items())
