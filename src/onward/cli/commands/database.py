"""``onward db``: the tables that hold runs, versions and aliases."""

from __future__ import annotations

from onward.cli.output import print_note
from onward.cli.session import Session, group, verb

app = group("Look after the database.")


@verb(app)
def upgrade(session: Session) -> None:
    """Bring the tables up to date."""
    from onward.database import current_revision, open_database, upgrade

    engine = open_database(session.settings().database_url)
    try:
        before = current_revision(engine)
        after = upgrade(engine)
    finally:
        engine.dispose()
    changed = before != after

    def render() -> None:
        print_note(f"Upgraded to revision {after}." if changed else f"Up to date: revision {after}.")

    session.show({"before": before, "after": after, "changed": changed}, render)
