"""``onward cache``: the feature matrices that are kept on disk."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from onward.cli.output import print_note, print_table
from onward.cli.questions import confirm
from onward.cli.session import Session, group, verb
from onward.cli.texts import size

if TYPE_CHECKING:
    from onward.features.cache import FeatureCache

app = group("Look after the feature matrices that are kept on disk.")


@verb(app)
def show(session: Session) -> None:
    """Show how much the cache holds.

    Finished matrices, those that a process has open now, and those that are being written. The limit
    is the setting storage.feature_cache_gb; above it the least recently used go first.
    """
    cache = session.application().feature_cache
    value = _state(cache)

    def render() -> None:
        print_note(f"Feature matrices in {value['directory']}")
        rows = [
            ("matrices", value["entries"], size(value["bytes"])),
            ("in use now", value["in_use"], size(value["bytes_in_use"])),
            ("being written", value["unfinished"], None),
            ("limit", None, _limit(cache.max_bytes)),
        ]
        print_table(("", "count", "size"), rows)
        if value["entries"]:
            oldest, newest = (f"{moment:%Y-%m-%d %H:%M} UTC" for moment in value["last_used"])
            print_note(f"Last used between {oldest} and {newest}.")

    session.show(value, render)


@verb(app)
def clear(
    session: Session,
    *,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Remove the matrices that no process uses.

    Nothing is lost: whatever is needed again is computed again. Matrices that a process has open, and
    those that are being written, stay.
    """
    cache = session.application().feature_cache
    held = cache.stats()
    if not yes and (held.n_entries or session.as_json):
        confirm(f"Remove {held.n_entries} matrices, {size(held.n_bytes)}?", as_json=session.as_json)
    removed = cache.clear()
    value = {
        "removed": removed.n_entries,
        "bytes": removed.n_bytes,
        "in_use": removed.n_in_use,
        "refused": removed.n_refused,
    }

    def render() -> None:
        print_note(f"Removed {removed.n_entries} matrices, {size(removed.n_bytes)}.")
        if removed.n_in_use:
            print_note(f"{removed.n_in_use} are in use and stay.")
        if removed.n_refused:
            print_note(
                f"{removed.n_refused} could not be removed: check the permissions of {cache.directory}."
            )

    session.show(value, render)


def _state(cache: FeatureCache) -> dict[str, Any]:
    stats = cache.stats()
    times = [datetime.fromtimestamp(seconds, UTC) for seconds in stats.last_used or ()]
    return {
        "directory": cache.directory,
        "entries": stats.n_entries,
        "bytes": stats.n_bytes,
        "in_use": stats.n_in_use,
        "bytes_in_use": stats.bytes_in_use,
        "unfinished": stats.n_unfinished,
        "max_bytes": stats.max_bytes,
        "last_used": times or None,
    }


def _limit(max_bytes: int | None) -> str:
    if max_bytes is None:
        return "none"
    return size(max_bytes) if max_bytes else "0: nothing is kept"
