"""Models at a glance, their history, and what may be done with them: with the real registry."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import pytest

from onward.dashboard.model_actions import Ask, Done, Refusal, carry_out, look
from onward.dashboard.views.model_choice import Judged, choice_of
from onward.dashboard.views.models import matching, model_line, model_view, number_shown, version_view
from onward.database import open_database, upgrade
from onward.errors import RegistryNotFoundError
from onward.registry import EmbeddedRegistry, ModelSummary, Standing
from onward.testing.registry import stage_bundle

NOW = datetime(2026, 11, 22, tzinfo=UTC)
NAME = "btc-1h"


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Versions 1 and 2 passed, 3 failed, 4 was not audited."""
    home = tmp_path_factory.mktemp("prepared")
    engine = open_database(f"sqlite:///{home}/onward.db")
    upgrade(engine)
    registry = EmbeddedRegistry(engine, home / "models")
    statuses: tuple[Literal["passed", "failed", "not_run"], ...] = ("passed", "passed", "failed", "not_run")
    for seed, status in enumerate(statuses):
        stage_bundle(home / f"s{seed}", name=NAME, seed=seed, certificate=status)
        registry.publish(home / f"s{seed}")
    engine.dispose()
    return home


@pytest.fixture
def registry(prepared: Path, tmp_path: Path) -> Iterator[EmbeddedRegistry]:
    """A registry of the test's own."""
    home = shutil.copytree(prepared, tmp_path / "home")
    engine = open_database(f"sqlite:///{home}/onward.db")
    yield EmbeddedRegistry(engine, home / "models")
    engine.dispose()


def answer(action: str, registry: EmbeddedRegistry, **fields: Any) -> Done | Refusal:
    """Answer the question that somebody was asked at this moment."""
    ask = look(
        registry, Ask.of(action, name=NAME, version=fields.get("version"), alias=fields.get("alias", ""))
    )
    form = {"name": NAME, "seen": ask.now_seen, **{k: str(v) for k, v in fields.items()}}
    return carry_out(registry, Ask.from_form(action, form), actor="ann")


def summary(name: str, aliases: tuple[tuple[str, int], ...] = (), latest: int | None = 1) -> ModelSummary:
    return ModelSummary(name, NOW, 1, latest, aliases)


def test_models_are_found_by_every_word_and_those_in_use_come_first() -> None:
    models = [
        summary("a-1h"),
        summary("eth-1h"),
        summary("btc-4h", (("champion", 1),)),
        summary("gone", (), None),
    ]
    assert [one.name for one in matching(models, "")] == ["btc-4h", "a-1h", "eth-1h"]
    assert [one.name for one in matching(models, "1H")] == ["a-1h", "eth-1h"]
    assert [one.name for one in matching(models, "champ 4h")] == ["btc-4h"]
    assert matching(models, "btc 1h") == []


def test_a_model_is_judged_by_its_champion_else_by_what_is_in_use_else_by_the_newest() -> None:
    assert number_shown(summary("a", (("challenger", 7), ("champion", 3)), 9)) == 3
    assert number_shown(summary("a", (("challenger", 7), ("old", 2)), 9)) == 7
    assert number_shown(summary("a", (), 9)) == 9


def test_a_model_without_candles_of_its_market_has_no_data(registry: EmbeddedRegistry) -> None:
    line = model_line(registry.list_models()[0], registry.resolve(f"{NAME}/3"), {}, NOW)
    assert line.freshness.newest is None
    assert (line.shown.certificate, line.shown.barrier) == ("failed", "failed")
    assert (line.shown.direction, line.shown.range) == ("evidence of skill", None)


def test_history_says_what_rolling_back_would_restore(registry: EmbeddedRegistry) -> None:
    registry.set_alias(NAME, "champion", 1, "ann")
    registry.set_alias(NAME, "champion", 2, "bob", "better")
    registry.set_alias(NAME, "blue", 1)
    versions, events = registry.list_versions(NAME), registry.alias_history(NAME)
    view = model_view(NAME, versions, events, most=3, most_events=2)
    champion, blue = view.aliases
    assert (champion.alias, champion.number, champion.back_to, champion.actor) == ("champion", 2, 1, "bob")
    assert (blue.alias, blue.number, blue.back_to) == ("blue", 1, None)
    assert [event.alias for event in view.events] == ["blue", "champion"], "newest first"
    assert (view.n_events, view.n_versions, len(view.versions)) == (3, 4, 3)


def test_a_version_tells_its_first_leak(registry: EmbeddedRegistry) -> None:
    view = version_view(registry.resolve(f"{NAME}/3"), None)
    assert view.first_leak is not None
    assert view.first_leak.subject == "manual__x"
    assert view.line.barrier == "failed"
    assert dict(view.scores)
    assert view.size > 0
    assert view.importance is None
    assert version_view(registry.resolve(f"{NAME}/4"), None).line.barrier == "not_run"


def test_a_question_lays_the_version_beside_the_one_in_use(registry: EmbeddedRegistry) -> None:
    ask = look(registry, Ask.of("promote", name=NAME, version=2))
    assert ask.choice is not None
    assert (ask.choice.coming.number, ask.choice.present) == (2, None)
    registry.set_alias(NAME, "champion", 1)
    choice = look(registry, Ask.of("promote", name=NAME, version=2)).choice
    assert choice is not None
    assert [(one.number, one.certificate) for one in choice.sides] == [(2, "passed"), (1, "passed")]
    assert [one.level for one in choice.judged["direction"]] == ["evidence of skill"] * 2
    assert [one.level for one in choice.judged["range"]] == [None, None]
    again = look(registry, Ask.of("promote", name=NAME, version=1))
    assert again.choice is not None
    assert again.choice.present is None, "nothing is laid beside itself"
    assert look(registry, Ask.of("promote", name=NAME, version=3)).choice is None, "it cannot be promoted"
    refused = look(registry, Ask.of("promote", name=NAME, version=2, alias="bad alias!"))
    assert refused.choice == choice, "what is no alias is typed again, beside the same version"
    assert refused.beside is not None
    assert refused.beside.alias == "champion"
    new = look(registry, Ask.of("promote", name=NAME, version=2, alias="next")).choice
    assert new is not None
    assert new.present is None, "a new alias replaces nothing"
    assert look(registry, Ask.of("delete", name=NAME, version=2)).choice is None
    registry.set_alias(NAME, "champion", 2)
    back = look(registry, Ask.of("rollback", name=NAME, alias="champion")).choice
    assert back is not None
    assert [one.number for one in back.sides] == [1, 2]


def test_scores_of_other_data_do_not_compare(registry: EmbeddedRegistry) -> None:
    one, other = registry.resolve(f"{NAME}/1"), registry.resolve(f"{NAME}/2")
    verdict = {"level": "weak evidence", "auc": 0.53, "corrected_p": 0.04}
    moved = other.manifest.model_copy(update={"data_hash": "e" * 64, "verdicts": {"direction": verdict}})
    assert choice_of(one, other).comparable
    choice = choice_of(replace(other, manifest=moved), one)
    assert not choice.comparable
    assert choice.judged["direction"][0] == Judged("weak evidence", 0.53, 0.04)
    assert choice.judged["direction"][1].auc is None


def test_promoting_and_rolling_back(registry: EmbeddedRegistry) -> None:
    done = answer("promote", registry, version=1, alias="champion", reason="first")
    assert done == Done(f"/models/{NAME}", "models.toast.promoted")
    assert answer("promote", registry, version=1, alias="champion") == Done(
        f"/models/{NAME}", "models.toast.already"
    )
    answer("promote", registry, version=2, alias="champion", reason=" better ")
    (first, second) = registry.alias_history(NAME, "champion")
    assert (first.actor, first.reason, second.reason) == ("ann", "first", "better")
    assert answer("rollback", registry, alias="champion") == Done(
        f"/models/{NAME}", "models.toast.rolled_back"
    )
    assert registry.resolve(f"{NAME}@champion").number == 1
    assert answer("rollback", registry, alias="champion") == Refusal("nothing_earlier")
    assert answer("unset", registry, alias="champion") == Done(f"/models/{NAME}", "models.toast.unset")


@pytest.mark.parametrize(("version", "kind"), [(3, "failed"), (4, "not_run")])
def test_what_was_not_proven_cannot_be_promoted(registry: EmbeddedRegistry, version: int, kind: Any) -> None:
    assert look(registry, Ask.of("promote", name=NAME, version=version)).barrier == kind
    assert answer("promote", registry, version=version, alias="champion") == Refusal(kind)
    assert registry.alias_history(NAME) == ()


@pytest.mark.parametrize(
    ("fields", "kind", "at"),
    [
        ({"alias": ""}, "alias", "alias"),
        ({"alias": "latest"}, "alias", "alias"),
        ({"alias": "7"}, "alias", "alias"),
        ({"alias": "a b"}, "alias", "alias"),
        ({"alias": "x" * 65}, "alias", "alias"),
        ({"alias": "ok", "reason": "x" * 501}, "reason", "reason"),
        ({"alias": "ok", "reason": "a\0b"}, "reason", "reason"),
    ],
)
def test_what_is_typed_wrong_is_said_at_its_field(
    registry: EmbeddedRegistry, fields: dict[str, str], kind: Any, at: str
) -> None:
    assert answer("promote", registry, version=1, **fields) == Refusal(kind, 422, at)
    assert registry.alias_history(NAME) == ()


@pytest.mark.parametrize("action", ["promote", "rollback", "unset"])
def test_whoever_was_asked_before_somebody_else_changed_it_is_told(
    registry: EmbeddedRegistry, action: str
) -> None:
    registry.set_alias(NAME, "champion", 1)
    asked = look(registry, Ask.of(action, name=NAME, version=2, alias="champion"))
    event = registry.set_alias(NAME, "champion", 2, "bob", seen=Standing(1))
    form = {"name": NAME, "version": "2", "alias": "champion", "seen": asked.now_seen}
    found = carry_out(registry, Ask.from_form(action, form), actor="ann")
    assert found == Refusal("moved", event=event)
    assert registry.resolve(f"{NAME}@champion").number == 2
    registry.delete_alias(NAME, "champion", "bob")
    gone = carry_out(registry, Ask.from_form(action, form), actor="ann")
    assert isinstance(gone, Refusal)
    assert gone.kind == "moved"


def test_what_is_in_use_is_not_deleted(registry: EmbeddedRegistry) -> None:
    registry.set_alias(NAME, "champion", 1)
    assert answer("delete", registry, version=1) == Refusal("in_use")
    assert answer("delete", registry, version=2) == Done(f"/models/{NAME}", "models.toast.deleted")
    with pytest.raises(RegistryNotFoundError):
        answer("delete", registry, version=2)
    registry.delete_alias(NAME, "champion")
    for version in (1, 3):
        answer("delete", registry, version=version)
    assert answer("delete", registry, version=4) == Done("/models", "models.toast.deleted")


def test_a_version_that_rolling_back_would_restore_may_have_gone(registry: EmbeddedRegistry) -> None:
    registry.set_alias(NAME, "champion", 1)
    registry.set_alias(NAME, "champion", 2)
    registry.delete(f"{NAME}/1")
    assert look(registry, Ask.of("rollback", name=NAME, alias="champion")).aliases[0].back_to is None
    assert answer("rollback", registry, alias="champion") == Refusal("earlier_gone")


@pytest.mark.parametrize(
    "form", [{}, {"name": "../x"}, {"name": NAME, "version": "-1"}, {"name": NAME, "version": "9" * 40}]
)
def test_forms_that_were_tampered_with_find_nothing(registry: EmbeddedRegistry, form: dict[str, str]) -> None:
    with pytest.raises(RegistryNotFoundError):
        carry_out(registry, Ask.from_form("delete", form), actor="")
    assert Ask.from_form("unset", {"seen": "a:1 :2 b c:x d:99999999999"}).seen == {"a": 1, "": 2}
