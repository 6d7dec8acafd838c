"""What people do with models: what a dialog asks, what it needs to know, why it may be refused.

Between the question and the answer somebody else may move an alias. A question therefore carries what
each alias stood for, and the registry changes it only while that still holds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, Self

from onward.errors import RegistryConflictError, RegistryError, RegistryNotFoundError

if TYPE_CHECKING:
    from onward.dashboard.views.model_choice import Choice
    from onward.dashboard.views.models import AliasLine
    from onward.registry import AliasEvent, ModelRegistry, Version

__all__ = ["Ask", "Done", "Refusal", "carry_out", "look"]

LONGEST_NOTE = 500
SUGGESTED = ("champion", "challenger")


@dataclass(frozen=True)
class Ask:
    """A change that somebody may want.

    Attributes
    ----------
    action
        ``promote``, ``rollback``, ``unset`` or ``delete``.
    name, version, alias
        What it is about.
    reason
        In the words of who wants it.
    seen
        What each alias stood for when it was asked; None before `look`.
    aliases
        The aliases of the model as they are now.
    barrier
        Why the version cannot be promoted, if it cannot.
    choice
        The version that would come into use beside the one that it would replace; None where no
        version would, or none can.
    """

    action: str
    name: str
    version: int | None = None
    alias: str = ""
    reason: str = ""
    seen: Mapping[str, int] | None = None
    aliases: tuple[AliasLine, ...] = ()
    barrier: str | None = None
    choice: Choice | None = None

    @classmethod
    def of(cls, action: str, *, name: str, version: int | None = None, alias: str = "") -> Self:
        """Return a question that was not answered yet."""
        return cls(action, name, version, alias or ("champion" if action == "promote" else ""))

    @classmethod
    def from_form(cls, action: str, form: Mapping[str, str]) -> Self:
        """Return the answer to a question; what was tampered with becomes what nothing equals."""
        number = form.get("version", "")
        pairs = (pair.rpartition(":") for pair in form.get("seen", "").split())
        return cls(
            action,
            form.get("name", "")[:200],
            int(number) if number.isdecimal() and len(number) < 10 else None,
            form.get("alias", "").strip()[:200],
            form.get("reason", "").strip(),
            {alias: int(n) for alias, _, n in pairs if n.isdecimal() and len(n) < 10},
        )

    @property
    def standing(self) -> AliasLine | None:
        """The alias that this is about, as it is now."""
        return self._line(self.alias)

    @property
    def beside(self) -> AliasLine | None:
        """The alias whose version stands beside the one that may come: what is no name asks again."""
        return self._line(self.alias if is_alias(self.alias) else SUGGESTED[0])

    def _line(self, alias: str) -> AliasLine | None:
        return next((one for one in self.aliases if one.alias == alias), None)

    @property
    def now_seen(self) -> str:
        """What each alias stands for now, as a form carries it."""
        return " ".join(f"{one.alias}:{one.number}" for one in self.aliases)

    @property
    def suggestions(self) -> tuple[str, ...]:
        """Aliases worth proposing: those of the model, and the usual ones."""
        return tuple(dict.fromkeys((*(one.alias for one in self.aliases), *SUGGESTED)))


@dataclass(frozen=True)
class Done:
    """A change that was made: where it can be seen, and the text that says so for a moment."""

    path: str
    toast: str


@dataclass(frozen=True)
class Refusal:
    """Why a change was not made.

    Attributes
    ----------
    kind
        Which text says so (``models.refused.<kind>``).
    status
        422 for what was typed wrong, 409 for what does not go at the moment.
    at
        The field that is wrong; empty for the whole.
    event
        The change that came in between, if one did.
    what
        The registry's own words, where there is no text for it.
    """

    kind: Literal[
        "alias", "reason", "moved", "failed", "not_run", "in_use", "nothing_earlier", "earlier_gone", "other"
    ]
    status: int = 409
    at: str = ""
    event: AliasEvent | None = None
    what: str = ""


def is_alias(text: str) -> bool:
    """Return whether an alias may be called that."""
    from onward.naming.names import check_alias

    try:
        check_alias(text)
    except RegistryError:
        return False
    return True


def look(registry: ModelRegistry, ask: Ask) -> Ask:
    """Return a question with what is true at this moment.

    Raises
    ------
    RegistryError
        When there is no such model or version.
    """
    from onward.dashboard.views.models import alias_lines

    versions = registry.list_versions(ask.name)
    barrier = None
    if ask.version is not None:
        status = registry.resolve(f"models:/{ask.name}/{ask.version}").manifest.certificate.status
        barrier = None if status == "passed" else status
    aliases = alias_lines(versions, registry.alias_history(ask.name))
    ask = replace(ask, aliases=aliases, barrier=barrier)
    return replace(ask, choice=_choice(ask, {one.number: one for one in versions}))


def _choice(ask: Ask, versions: Mapping[int, Version]) -> Choice | None:
    from onward.dashboard.views.model_choice import choice_of

    standing = ask.beside
    back = None if standing is None else standing.back_to
    coming = {"promote": ask.version, "rollback": back}.get(ask.action)
    if ask.barrier is not None or coming is None or coming not in versions:
        return None
    return choice_of(versions[coming], None if standing is None else versions.get(standing.number))


def carry_out(registry: ModelRegistry, ask: Ask, *, actor: str) -> Done | Refusal:
    """Make a change, or say why it cannot be made.

    Raises
    ------
    RegistryError
        When the model or version is not there any more.
    """
    refused = _wrong(ask)
    if refused is not None:
        return refused
    try:
        return _changed(registry, ask, actor)
    except RegistryNotFoundError:
        if ask.action in ("rollback", "unset") and _moved(registry, ask):
            return Refusal("moved", event=_last(registry, ask))
        raise
    except RegistryConflictError as error:
        return _told(registry, ask, error)


def _changed(registry: ModelRegistry, ask: Ask, actor: str) -> Done:
    from onward.registry import Standing

    here = f"/models/{ask.name}"
    seen = Standing((ask.seen or {}).get(ask.alias))
    if ask.action == "promote":
        assert ask.version is not None
        event = registry.set_alias(ask.name, ask.alias, ask.version, actor, ask.reason, seen=seen)
        return Done(here, "models.toast.already" if event is None else "models.toast.promoted")
    if ask.action == "rollback":
        registry.rollback(ask.name, ask.alias, actor, ask.reason, seen=seen)
        return Done(here, "models.toast.rolled_back")
    if ask.action == "unset":
        registry.delete_alias(ask.name, ask.alias, actor, ask.reason, seen=seen)
        return Done(here, "models.toast.unset")
    registry.delete(f"models:/{ask.name}/{ask.version}")
    left = any(one.name == ask.name for one in registry.list_models())
    return Done(here if left else "/models", "models.toast.deleted")


def _wrong(ask: Ask) -> Refusal | None:
    if ask.version is None and ask.action in ("promote", "delete"):
        raise RegistryNotFoundError("There is no such version", got=ask.name)
    if len(ask.reason) > LONGEST_NOTE or not ask.reason.isprintable():  # nothing that turns letters around
        return Refusal("reason", 422, "reason")
    if ask.action == "delete":
        return None
    return None if is_alias(ask.alias) else Refusal("alias", 422, "alias")


def _told(registry: ModelRegistry, ask: Ask, error: RegistryConflictError) -> Refusal:
    from onward.registry.aliases import previous_targets

    if ask.action != "delete" and _moved(registry, ask):
        return Refusal("moved", event=_last(registry, ask))
    now = look(registry, ask)
    if ask.action == "promote" and now.barrier is not None:
        return Refusal("failed" if now.barrier == "failed" else "not_run")
    if ask.action == "delete":
        return Refusal("in_use")
    if ask.action == "rollback":
        earlier = previous_targets(registry.alias_history(ask.name, ask.alias))
        return Refusal("earlier_gone" if earlier else "nothing_earlier")
    return Refusal("other", what=error.what)


def _moved(registry: ModelRegistry, ask: Ask) -> bool:
    standing = look(registry, replace(ask, version=None)).standing
    return (None if standing is None else standing.number) != (ask.seen or {}).get(ask.alias)


def _last(registry: ModelRegistry, ask: Ask) -> AliasEvent | None:
    events = registry.alias_history(ask.name, ask.alias)
    return events[-1] if events else None
