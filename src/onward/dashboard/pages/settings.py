"""Settings as they count and where each came from; API keys for those who may make them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from starlette.responses import Response

from onward.access.naming import check_name
from onward.access.scopes import SCOPES, check_scope
from onward.dashboard.forms import SafeForm
from onward.dashboard.navigation import Page
from onward.dashboard.rendering import Render, Renderer
from onward.dashboard.views.settings import LASTS_DAYS, KeysView, keys_view, settings_view
from onward.errors import AccessError
from onward.server.authorisation import caller_of, requires
from onward.server.dependencies import Access, State

__all__ = ["PAGE", "router"]

PAGE = Page("settings", "/settings", "settings", shots=(("settings", "/settings"),))

router = APIRouter()

KeyId = Annotated[str, Path(max_length=40)]


@router.get("/settings", dependencies=[requires("read")])
def settings(
    render: Render,
    state: State,
    access: Access,
    q: Annotated[str, Query(max_length=200)] = "",
    changed: Annotated[str, Query(max_length=10)] = "",
) -> Response:
    """Show the settings, and the keys to whoever may make them."""
    return _page(render, state, _keys(render, access), wanted=q, only_changed=bool(changed))


@router.post("/ui/settings/keys", dependencies=[requires("admin")])
def create(render: Render, form: SafeForm, state: State, access: Access) -> Response:
    """Make a key and show it, once: it is in no address, no cookie and no cache."""
    values = {name: str(form.get(name, "")).strip()[:200] for name in ("name", "scope", "lasts")}
    errors: dict[str, str] = {}
    now = datetime.now(UTC)
    try:
        check_name(values["name"])
    except AccessError:
        errors["name"] = render.t("settings.error.name")
    if values["scope"] not in SCOPES:
        errors["scope"] = render.t("settings.error.scope")
    days = next((days for days in LASTS_DAYS if str(days) == values["lasts"]), None)
    if days is None:  # a key must not last longer than whoever makes it believes
        errors["lasts"] = render.t("settings.error.lasts")
    if not errors:
        ends = now + timedelta(days=days) if days else None
        try:
            key, secret = access.create_key(values["name"], check_scope(values["scope"]), ends)
        except AccessError:
            errors["name"] = render.t("settings.error.taken")
        else:
            view = _keys(render, access, secret=secret.text, made=key.name)
            answer = _answer(render, state, view)
            answer.headers["Cache-Control"] = "no-store"
            return answer
    return _answer(render, state, _keys(render, access, values=values, errors=errors), status=422)


@router.post("/ui/settings/keys/{key_id}/revoke", dependencies=[requires("admin")])
def revoke(render: Render, form: SafeForm, access: Access, key_id: KeyId) -> Response:  # noqa: ARG001
    """Revoke a key, and end the sessions of whoever logged in with it."""
    access.revoke_key(key_id)
    return render.redirect("/settings", toast="settings.toast.revoked")


def _keys(render: Renderer, access: Any, **more: Any) -> KeysView | None:
    caller = caller_of(render.request)
    if not caller.may("admin"):
        return None
    return keys_view(
        access.list_keys(), datetime.now(UTC), is_open=not access.ever_a_key(), own_id=caller.id, **more
    )


def _answer(render: Renderer, state: Any, keys: KeysView | None, *, status: int = 200) -> Response:
    """Return the keys alone to HTMX, which puts them in place, and the whole page to a plain form."""
    if "hx-request" in render.request.headers:
        return render.fragment("fragments/settings_keys.html", status=status, keys=keys)
    return _page(render, state, keys, status=status)


def _page(
    render: Renderer,
    state: Any,
    keys: KeysView | None,
    *,
    wanted: str = "",
    only_changed: bool = False,
    status: int = 200,
) -> Response:
    resolved = state.provider.services.resolved
    view = settings_view(resolved, render.t, wanted=wanted, only_changed=only_changed)
    return render.page("settings", status=status, view=view, keys=keys)
