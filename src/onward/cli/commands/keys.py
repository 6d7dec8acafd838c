"""``onward keys``: who may use the server, and who did what."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from onward.cli.output import print_note, print_table
from onward.cli.session import Session, group, verb
from onward.cli.texts import moment_of
from onward.errors import UserError

if TYPE_CHECKING:
    from onward.access import ApiKey

app = group("Make and revoke API keys, and see who did what.")

SPAN = re.compile(r"([0-9]{1,6})([hdw])", re.ASCII)
UNITS = {"h": "hours", "d": "days", "w": "weeks"}
NEVER = datetime(9999, 1, 1, tzinfo=UTC)


@verb(app)
def create(
    session: Session,
    *,
    name: Annotated[str, typer.Argument(metavar="NAME", help="Whoever or whatever will use it.")],
    scope: Annotated[
        str, typer.Option("--scope", metavar="SCOPE", help="What it may do: read, run or admin.")
    ] = "read",
    expires: Annotated[
        str | None,
        typer.Option("--expires", metavar="WHEN", help="12h, 90d, 52w or a date (UTC); else never."),
    ] = None,
) -> None:
    """Make an API key and show it, once.

    read: look at everything but the audit log, and predict. run: also submit, stop and retry
    jobs. admin: also move aliases, delete and clean up, and read the audit log. The key alone goes to
    standard output. As soon as there is a key, the server asks everybody for one.
    """
    from onward.access import check_scope

    ends = None if expires is None else _moment(expires)
    key, secret = session.application().access.create_key(name, check_scope(scope), ends)

    def render() -> None:
        end = key.expires_at
        until = "until it is revoked" if end is None else f"until {end:%Y-%m-%d %H:%M} UTC"
        typer.echo(f"Key {key.id} ({key.name}) with the scope {key.scope}, {until}.", err=True)
        typer.echo("Keep it in a safe place: it is not shown again.", err=True)
        print_note(secret.text)

    session.show({**_value(key), "key": secret.text}, render)


@verb(app, "list")
def list_(
    session: Session,
    *,
    every: Annotated[bool, typer.Option("--all", help="Revoked and expired ones as well.")] = False,
) -> None:
    """List the keys, newest first; the keys themselves are stored nowhere."""
    now = datetime.now(UTC)
    keys = [key for key in session.application().access.list_keys() if every or key.works(now)]

    def render() -> None:
        print_table(
            ("key", "name", "scope", "created (UTC)", "expires (UTC)", "last used (UTC)", "revoked (UTC)"),
            [(k.id, k.name, k.scope, k.created_at, k.expires_at, k.last_used_at, k.revoked_at) for k in keys],
            empty="No key. Make one: onward keys create NAME --scope admin",
        )

    session.show([_value(key) for key in keys], render)


@verb(app)
def revoke(
    session: Session,
    key: Annotated[str, typer.Argument(metavar="KEY", help="Id or name of the key.")],
) -> None:
    """Revoke a key; servers refuse it within seconds, and whoever logged in with it is logged out."""
    access = session.application().access
    revoked = access.revoke_key(key)
    left = any(one.works(datetime.now(UTC)) for one in access.list_keys())

    def render() -> None:
        print_note(f"Revoked {revoked.id} ({revoked.name}).")
        if not left:
            print_note("No key is left that works; servers go on asking for one.")

    session.show(_value(revoked), render)


@verb(app)
def log(
    session: Session,
    *,
    action: Annotated[
        str | None, typer.Option("--action", metavar="ACTION", help="Only this, such as alias.set.")
    ] = None,
    who: Annotated[
        str | None, typer.Option("--who", metavar="WHO", help="Only his: key:ID, job:ID, local, nobody.")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=1000, help="Entries at most.")] = 50,
    cursor: Annotated[
        str | None, typer.Option("--cursor", metavar="CURSOR", help="Go on behind the page before.")
    ] = None,
) -> None:
    """Show the audit log, newest first: aliases, deletions, keys and logins."""
    for text in (action, who):
        if text is not None and not text.isprintable():
            raise UserError("there is no such entry", got=ascii(text)[:50], allowed="printable text")
    page = session.application().access.log(limit=limit, cursor=cursor, action=action, who=who)

    def render() -> None:
        print_table(
            ("when (UTC)", "who", "name", "from", "action", "subject", "outcome", "detail"),
            [
                (e.at, e.who, e.name, e.address or None, e.action, e.subject, e.outcome, e.detail)
                for e in page.entries
            ],
        )
        if page.cursor is not None:
            print_note(f"Go on with --cursor {page.cursor}")

    session.show({"entries": page.entries, "cursor": page.cursor}, render)


def _moment(text: str) -> datetime:
    span = SPAN.fullmatch(text)
    if span is None:
        return moment_of(text, option="--expires")
    try:
        return datetime.now(UTC) + timedelta(**{UNITS[span[2]]: int(span[1])})
    except OverflowError:
        return NEVER


def _value(key: ApiKey) -> dict[str, Any]:
    now = datetime.now(UTC)
    return {
        "id": key.id,
        "name": key.name,
        "scope": key.scope,
        "created_at": key.created_at,
        "expires_at": key.expires_at,
        "last_used_at": key.last_used_at,
        "revoked_at": key.revoked_at,
        "works": key.works(now),
    }
