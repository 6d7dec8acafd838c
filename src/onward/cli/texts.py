"""Small readings that several verbs share."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from onward.errors import UserError

__all__ = ["actor_name", "moment_of", "refuse_existing"]


def actor_name(given: str | None = None) -> str:
    """Return who does something: the given name, else that of the login, else nothing."""
    if given is not None:
        return given
    import getpass

    try:
        return getpass.getuser()
    except (KeyError, OSError):  # no such user in a container
        return ""


def moment_of(text: str) -> datetime:
    """Return a moment in UTC from ISO 8601 text; text without a zone is taken as UTC."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise UserError(
            "--at takes a moment",
            got=text,
            allowed="ISO 8601, UTC: 2026-01-31 or 2026-01-31T12:00",
            remedy="Correct it.",
        ) from None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def refuse_existing(path: Path, *, force: bool) -> None:
    """Refuse to replace a file unless told to."""
    if path.exists() and not force:
        raise UserError(
            "there is a file already", got=str(path), remedy="Choose another name, or add --force."
        )
