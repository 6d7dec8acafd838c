"""``onward models``: versions, what is in use, and what was in use when."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from onward.cli.cards import card_lines
from onward.cli.output import print_note, print_table
from onward.cli.questions import confirm
from onward.cli.session import Session, group, verb
from onward.cli.texts import actor_name, moment_of, require_output
from onward.errors import UserError

if TYPE_CHECKING:
    from onward.registry import AliasEvent, Version

app = group("Look after model versions and their aliases.")

Name = Annotated[str, typer.Argument(metavar="NAME", help="Name of the model.")]
Alias = Annotated[str, typer.Argument(metavar="ALIAS", help="Alias, such as champion.")]
Ref = Annotated[
    str,
    typer.Argument(metavar="MODEL", help="models:/NAME@ALIAS, models:/NAME/NUMBER or models:/NAME/latest."),
]
Shown = Annotated[
    str,
    typer.Argument(
        metavar="MODEL",
        help="NAME (its newest version), models:/NAME@ALIAS, models:/NAME/NUMBER or models:/NAME/latest.",
    ),
]
ActorOption = Annotated[
    str | None, typer.Option("--actor", help="Who does it; else the name you are logged in as.")
]
ReasonOption = Annotated[str, typer.Option("--reason", help="Why, for the history.")]
ForceOption = Annotated[bool, typer.Option("--force", help="Replace a file that is there.")]


@verb(app, "list", remote=True)
def list_(
    session: Session,
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="Model whose versions to list.")] = None,
) -> None:
    """List the models, or the versions of one, newest first."""
    registry = session.application().registry
    if name is not None:
        versions = list(registry.list_versions(name))
        session.show([_version(v) for v in versions], lambda: _print_versions(name, versions))
        return
    models = list(registry.list_models())

    def render() -> None:
        print_table(
            ("model", "versions", "latest", "aliases"),
            [(m.name, m.n_versions, m.latest, dict(m.aliases)) for m in models],
            empty="No model yet. Train one: onward train PLAN --save NAME",
        )

    session.show([{**_plain(m), "aliases": dict(m.aliases)} for m in models], render)


@verb(app, remote=True)
def show(session: Session, model: Shown) -> None:
    """Show a version.

    Its card: verdict, leak certificate, scores, features and plan. The name of a model alone shows its
    newest version, and says which others there are.
    """
    from onward.cli.remote.models import RemoteVersion

    registry = session.application().registry
    alone = not set(model.removeprefix("models:/")) & set("@/")
    version: Any = registry.resolve(f"{model}/latest" if alone else model)
    others = list(registry.list_versions(version.name)) if alone else []
    if isinstance(version, RemoteVersion):
        directory, card = None, version.card
    else:
        directory = registry.open(version.ref)
        card = (directory / "card.md").read_text(encoding="utf-8")

    def render() -> None:
        print_note(f"{version.ref}" + (f" ({', '.join(version.aliases)})" if version.aliases else ""))
        plan = f"`onward models show {version.name}/{version.number} --json` shows it."
        for line in card_lines(card, plan=plan):
            print_note(line)
        for line in _how_to_see(version, others):
            print_note(line)

    session.show(
        {**_version(version), "manifest": version.manifest.to_json(), "directory": directory}, render
    )


@verb(app, remote=True)
def alias(
    session: Session,
    *,
    name: Name,
    alias: Alias,
    version: Annotated[int | None, typer.Argument(metavar="VERSION", help="Number of the version.")] = None,
    remove: Annotated[bool, typer.Option("--remove", help="Take the alias away.")] = False,
    actor: ActorOption = None,
    reason: ReasonOption = "",
) -> None:
    """Give an alias to a version, or take it away.

    Only a version whose leak audit passed may have one.
    """
    registry = session.application().registry
    if remove == (version is not None):
        raise UserError(
            "an alias is either given to a version or removed",
            got=f"VERSION {version}, --remove" if remove else "neither",
            allowed="a version number, or --remove",
            remedy=f"Write for instance: onward models alias {name} {alias} 3",
        )
    event: AliasEvent | None
    if version is None:
        event = registry.delete_alias(name, alias, actor_name(actor), reason)
    else:
        event = registry.set_alias(name, alias, version, actor_name(actor), reason)
    session.show(
        None if event is None else _plain(event),
        lambda: print_note(
            f"{name}@{alias} stands for version {version} already." if event is None else _said(event)
        ),
    )


@verb(app, remote=True)
def history(
    session: Session,
    *,
    name: Name,
    alias: Annotated[
        str | None, typer.Argument(metavar="ALIAS", help="One alias; all when left out.")
    ] = None,
    at: Annotated[
        str | None, typer.Option("--at", metavar="TIME", help="What was live then: 2026-01-31T12:00 (UTC).")
    ] = None,
) -> None:
    """Show what was live when."""
    registry = session.application().registry
    if at is not None:
        _show_live(session, registry, name, alias or "champion", moment_of(at))
        return
    events = list(registry.alias_history(name, alias))

    def render() -> None:
        print_table(
            ("when (UTC)", "alias", "change", "version", "before", "who", "why"),
            [(e.at, e.alias, e.action, e.version, e.previous, e.actor, e.reason) for e in events],
            empty=f"No alias of {name} has ever been set.",
        )

    session.show([_plain(event) for event in events], render)


@verb(app, remote=True)
def rollback(
    session: Session,
    *,
    name: Name,
    alias: Alias,
    actor: ActorOption = None,
    reason: ReasonOption = "",
) -> None:
    """Return an alias to its previous version."""
    event = session.application().registry.rollback(name, alias, actor_name(actor), reason)
    session.show(_plain(event), lambda: print_note(_said(event)))


@verb(app)
def export(
    session: Session,
    *,
    model: Ref,
    path: Annotated[Path, typer.Argument(metavar="FILE", help="File to write.")],
    force: ForceOption = False,
) -> None:
    """Write a version into one file."""
    require_output(path, force=True)  # the registry says what it would replace
    written = session.application().registry.export_version(model, path, overwrite=force)
    session.show({"written": written}, lambda: print_note(f"Wrote {written}"))


@verb(app, "import")
def import_(
    session: Session,
    path: Annotated[Path, typer.Argument(metavar="FILE", help="File that `onward models export` wrote.")],
    name: Annotated[str | None, typer.Option("--name", help="Name to keep it under; else its own.")] = None,
) -> None:
    """Take a version from a file."""
    version = session.application().registry.import_version(path, name)
    session.show(_version(version), lambda: print_note(f"Imported {version.ref}"))


@verb(app, remote=True)
def delete(
    session: Session,
    *,
    model: Ref,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Delete a version that no alias stands for."""
    registry = session.application().registry
    version = registry.resolve(model)
    if not yes:
        confirm(f"Delete {version.ref}?", as_json=session.as_json)
    deleted = registry.delete(version.ref)
    session.show(_version(deleted), lambda: print_note(f"Deleted {deleted.ref}"))


@verb(app, remote=True)
def cleanup(
    session: Session,
    *,
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="One model; all when left out.")] = None,
    max_versions: Annotated[
        int | None,
        typer.Option("--max-versions", min=1, help="Versions to keep (else registry.max_versions)."),
    ] = None,
    max_age_days: Annotated[
        int | None, typer.Option("--max-age-days", min=1, help="Days to keep (else registry.max_age_days).")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would go.")] = False,
) -> None:
    """Delete versions beyond the limits.

    Never one that an alias stands for.
    """
    application = session.application()
    registry, limits = application.registry, application.settings.registry
    gone: list[Version] = []
    for model in [name] if name is not None else [m.name for m in registry.list_models()]:
        gone += registry.cleanup(
            model,
            max_versions=max_versions if max_versions is not None else limits.max_versions,
            max_age_days=max_age_days if max_age_days is not None else limits.max_age_days,
            dry_run=dry_run,
        )
    swept = [] if dry_run else list(registry.sweep_orphans())

    def render() -> None:
        for version in gone:
            print_note(f"{'Would delete' if dry_run else 'Deleted'} {version.ref}")
        if not gone:
            print_note("Nothing to delete.")

    session.show({"deleted": [v.ref for v in gone], "swept": swept, "dry_run": dry_run}, render)


def _how_to_see(version: Any, versions: list[Any]) -> list[str]:
    """Return which versions of a model there are besides its newest one, and what shows them."""
    name, others = version.name, [one for one in versions if one.number != version.number]
    if not others:
        return []
    standing = [(alias, one.number) for one in others for alias in one.aliases]
    named = "".join(f"; {alias} is version {number}" for alias, number in standing)
    another = f"{name}@{standing[0][0]}" if standing else f"{name}/{others[0].number}"
    return [
        f"This is the newest of {len(versions)} versions{named}.",
        f"See another one with `onward models show {another}`, all with `onward models list {name}`.",
    ]


def _show_live(session: Session, registry: Any, name: str, alias: str, moment: datetime) -> None:
    event = registry.alias_at(name, alias, moment)

    def render() -> None:
        if event is None:
            print_note(f"{name}@{alias} stood for nothing at {moment:%Y-%m-%d %H:%M} UTC.")
        else:
            print_note(
                f"{name}@{alias} stood for version {event.version} since {event.at:%Y-%m-%d %H:%M} UTC."
            )

    session.show(None if event is None else _plain(event), render)


def _said(event: AliasEvent) -> str:
    before = "" if event.previous is None else f" (before: {event.previous})"
    now = "stands for nothing" if event.version is None else f"stands for version {event.version}"
    return f"{event.model}@{event.alias} now {now}{before}."


def _print_versions(name: str, versions: list[Version]) -> None:
    print_table(
        ("version", "published (UTC)", "aliases", "model", "certificate", "direction", "range", "run"),
        [
            (
                v.number,
                v.published_at,
                v.aliases,
                v.manifest.model,
                v.manifest.certificate.status.replace("_", " "),
                _level(v, "direction"),
                _level(v, "range"),
                v.manifest.run_id,
            )
            for v in versions
        ],
        empty=f"No version of {name} is left: all were deleted.",
    )


def _level(version: Version, name: str) -> str | None:
    verdict = version.manifest.verdicts.get(name)
    return str(verdict.get("level")) if isinstance(verdict, dict) else None


def _version(version: Version) -> dict[str, Any]:
    return {
        "ref": version.ref,
        "name": version.name,
        "number": version.number,
        "published_at": version.published_at,
        "aliases": version.aliases,
        "digest": version.digest,
        "model": version.manifest.model,
        "certificate": version.manifest.certificate.status,
        "verdicts": version.manifest.verdicts,
        "run_id": version.manifest.run_id,
    }


def _plain(value: Any) -> dict[str, Any]:
    from onward.cli.output import plain

    result: dict[str, Any] = plain(value)
    return result
