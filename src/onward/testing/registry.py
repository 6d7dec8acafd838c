"""The contract of model registries, for Onward's own and for those that others write.

::

    @pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
    def test_my_registry(check, tmp_path):
        check(MyRegistry(...), Workshop(tmp_path))

or, without pytest, ``check_registry(lambda: MyRegistry(...))``.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

from onward.errors import BundleError, RegistryError
from onward.registry.bundle import verify_bundle, write_bundle
from onward.registry.manifest import BundleFacts, FeatureSchema, Manifest
from onward.registry.protocol import ModelRegistry
from onward.registry.values import Standing
from onward.types import Certificate, Finding

__all__ = ["CHECKS", "Check", "Workshop", "check_registry", "stage_bundle"]

CREATED_AT = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
LEAK = Finding("truncation", "leak", "manual__x", "BTC/USD 2024-01-01T00:00Z", "1.0 became 2.0")


def stage_bundle(
    directory: Path,
    *,
    name: str = "btc-1h",
    seed: int = 0,
    certificate: Literal["passed", "failed", "not_run"] = "passed",
    model_bytes: int = 0,
    data_hash: str = "d" * 64,
) -> Manifest:
    """Write a small bundle as a trainer would.

    Parameters
    ----------
    directory
        Must not exist, or be empty.
    name
        Model's name in the manifest.
    seed
        Bundles of different seeds have different content.
    certificate
        Outcome of the audit.
    model_bytes
        Size of the model file to add.
    data_hash
        Content hash of the market that it learnt from.
    """
    findings = (LEAK,) if certificate == "failed" else ()
    checks = () if certificate == "not_run" else ("truncation", "perturbation")

    def save_model(target: Path) -> None:
        (target / "model.txt").write_text(f"tree\nseed={seed}\n")
        (target / "extra").mkdir()
        (target / "extra" / "weights.bin").write_bytes(bytes(range(256)) + b"\0" * model_bytes)

    return write_bundle(
        directory,
        facts=BundleFacts(
            name=name,
            created_at=CREATED_AT,
            model="lightgbm",
            timeframe="1h",
            symbols=("BTC/USD",),
            plan={"model": {"name": "lightgbm", "seed": seed, "learning_rate": 0.05}},
            plan_hash=f"{seed:064x}",
            data={"first": "2024-01-01T00:00:00Z", "last": "2026-01-01T00:00:00Z", "rows": 20_111},
            data_hash=data_hash,
            label_family="threshold/volatility/24",
            code_version="0.1.0",
            libraries={"python": "3.11.0", "lightgbm": "4.6.0"},
            scores={"direction": {"auc": 0.53, "p_value": 0.004}, "range": {"auc": float("nan")}},
            verdicts={"direction": {"level": "evidence of skill", "p_value": 0.004}},
            certificate=Certificate(certificate, checks, findings, "plan", "d" * 64, "2026-01-02T03:04:05Z"),
            features=FeatureSchema(columns=("manual__rsi_14", "manual__atr_14"), lookback_bars=336),
        ),
        save_model=save_model,
        pipeline={"stages": [{"name": "manual", "seed": seed}]},
        labels={"method": "threshold", "horizon_bars": 24},
        report="<!doctype html><title>report</title>",
    )


@dataclass
class Workshop:
    """Makes bundles, each with content of its own, in a directory of the test."""

    directory: Path
    made: int = 0

    def bundle(
        self, name: str = "btc-1h", certificate: Literal["passed", "failed", "not_run"] = "passed"
    ) -> Path:
        """Stage a bundle and return its directory."""
        self.made += 1
        staged = self.directory / f"staged-{self.made}"
        stage_bundle(staged, name=name, seed=self.made, certificate=certificate)
        return staged


Check = Callable[[ModelRegistry, Workshop], None]


def check_registry(factory: Callable[[], ModelRegistry]) -> None:
    """Run the whole contract; ``factory`` gives a new, empty registry each time.

    Raises
    ------
    AssertionError
        When a promise of `ModelRegistry` is broken.
    """
    for check in CHECKS:
        with tempfile.TemporaryDirectory() as directory:
            check(factory(), Workshop(Path(directory)))


def it_satisfies_the_protocol(registry: ModelRegistry, workshop: Workshop) -> None:  # noqa: ARG001
    assert isinstance(registry, ModelRegistry)
    assert list(registry.list_models()) == []


def publishing_gives_whole_numbered_versions(registry: ModelRegistry, workshop: Workshop) -> None:
    staged = workshop.bundle()
    manifest = verify_bundle(staged)
    first = registry.publish(staged)
    assert (first.name, first.number, first.digest) == ("btc-1h", 1, manifest.digest)
    assert first.manifest == manifest
    assert first.aliases == ()
    second = registry.publish(workshop.bundle())
    assert second.number == 2
    assert [v.number for v in registry.list_versions("btc-1h")] == [2, 1]
    assert verify_bundle(registry.open("btc-1h/1")) == manifest
    (summary,) = registry.list_models()
    assert (summary.name, summary.n_versions, summary.latest) == ("btc-1h", 2, 2)


def publishing_under_another_name(registry: ModelRegistry, workshop: Workshop) -> None:
    version = registry.publish(workshop.bundle(), "eth-4h")
    assert version.ref == "models:/eth-4h/1"
    assert registry.publish(workshop.bundle()).ref == "models:/btc-1h/1"


def publishing_the_same_content_twice_is_publishing_once(registry: ModelRegistry, workshop: Workshop) -> None:
    for number in range(2):
        stage_bundle(workshop.directory / f"same-{number}", seed=7)
        assert registry.publish(workshop.directory / f"same-{number}").number == 1
    assert len(registry.list_versions("btc-1h")) == 1


def damaged_bundles_are_refused_and_nothing_appears(registry: ModelRegistry, workshop: Workshop) -> None:
    staged = workshop.bundle()
    file = staged / "model" / "model.txt"
    file.write_bytes(file.read_bytes().replace(b"tree", b"trek"))
    error = _refused(lambda: registry.publish(staged), BundleError)
    assert "model/model.txt" in str(error)
    assert list(registry.list_models()) == []
    assert file.exists(), "a refused bundle stays with its owner"


def every_byte_is_checked_on_opening(registry: ModelRegistry, workshop: Workshop) -> None:
    registry.publish(workshop.bundle())
    directory = registry.open("btc-1h/1")
    for relative in ("model/extra/weights.bin", "manifest.json", "card.md"):
        file = directory / relative
        content = file.read_bytes()
        flipped = bytearray(content)
        flipped[len(flipped) // 2] ^= 1
        file.write_bytes(flipped)
        said = relative
        try:  # a copy of what lies elsewhere may be fetched anew, but never handed out as it is
            handed_out = (registry.open("btc-1h/1") / relative).read_bytes()
        except BundleError as error:
            handed_out, said = content, str(error)
        assert handed_out == content, "BundleError was promised"
        assert relative in said
        file.write_bytes(content)
    registry.open("btc-1h/1")


def references_in_every_spelling(registry: ModelRegistry, workshop: Workshop) -> None:
    for _ in range(3):
        registry.publish(workshop.bundle())
    registry.set_alias("btc-1h", "champion", 2, "tester", "best so far")
    expected = {
        "models:/btc-1h@champion": 2,
        "btc-1h@champion": 2,
        "models:/btc-1h/3": 3,
        "btc-1h/1": 1,
        "models:/btc-1h/latest": 3,
        "btc-1h/latest": 3,
    }
    assert {text: registry.resolve(text).number for text in expected} == expected
    assert registry.resolve("btc-1h/2").aliases == ("champion",)


def what_is_in_use_is_told_once_each(registry: ModelRegistry, workshop: Workshop) -> None:
    assert list(registry.in_use()) == []
    for _ in range(3):
        registry.publish(workshop.bundle())
    registry.publish(workshop.bundle(), "alone")
    registry.publish(workshop.bundle(), "zebra")
    for alias, version in (("champion", 1), ("next", 3), ("best", 3)):
        registry.set_alias("btc-1h", alias, version)
    registry.set_alias("zebra", "champion", 1)
    found = registry.in_use()
    assert [(one.name, one.number, one.aliases) for one in found] == [
        ("btc-1h", 3, ("best", "next")),
        ("btc-1h", 1, ("champion",)),
        ("zebra", 1, ("champion",)),
    ]
    assert [one.manifest for one in found] == [registry.resolve(one.ref).manifest for one in found]


def unknown_references_say_what_there_is(registry: ModelRegistry, workshop: Workshop) -> None:
    registry.publish(workshop.bundle())
    registry.set_alias("btc-1h", "champion", 1)
    assert "btc-1h" in str(_refused(lambda: registry.resolve("btc-1/latest")))
    assert "champion" in str(_refused(lambda: registry.resolve("btc-1h@champoin")))
    assert "1" in str(_refused(lambda: registry.resolve("btc-1h/9")))
    for text in ("btc-1h", "", "btc-1h/0", "btc-1h/-1", "btc-1h/1/2", "../btc/1", "btc-1h@latest"):
        _refused(lambda text=text: registry.resolve(text))  # type: ignore[misc]


def names_cannot_play_tricks(registry: ModelRegistry, workshop: Workshop) -> None:
    for name in ("", ".", "..", "../x", "a/b", "a\\b", ".hidden", "a b", "x" * 101, "a\n", "é", "con", "a."):
        _refused(lambda name=name: registry.publish(workshop.bundle(), name))  # type: ignore[misc]
    assert list(registry.list_models()) == []
    registry.publish(workshop.bundle())
    for alias in ("", "latest", "Latest", "1", "a/b", "a@b", "x" * 65, "a b"):
        _refused(lambda alias=alias: registry.set_alias("btc-1h", alias, 1))  # type: ignore[misc]


def only_certified_versions_get_an_alias(registry: ModelRegistry, workshop: Workshop) -> None:
    registry.publish(workshop.bundle(certificate="failed"))
    registry.publish(workshop.bundle(certificate="not_run"))
    registry.publish(workshop.bundle(certificate="passed"))
    failed = _refused(lambda: registry.set_alias("btc-1h", "champion", 1))
    assert "failed" in str(failed)
    assert "manual__x" in str(failed)
    assert "not run" in str(_refused(lambda: registry.set_alias("btc-1h", "champion", 2)))
    _refused(lambda: registry.resolve("btc-1h@champion"))
    assert list(registry.alias_history("btc-1h")) == []
    registry.set_alias("btc-1h", "champion", 3)
    assert registry.resolve("btc-1h@champion").number == 3


def every_change_of_an_alias_is_remembered(registry: ModelRegistry, workshop: Workshop) -> None:
    for _ in range(2):
        registry.publish(workshop.bundle())
    start = datetime.now(UTC) - timedelta(seconds=1)
    registry.set_alias("btc-1h", "champion", 1, "ann", "first")
    assert registry.set_alias("btc-1h", "champion", 1, "ann", "again") is None
    registry.set_alias("btc-1h", "champion", 2, "bob", "better")
    registry.delete_alias("btc-1h", "champion", "ann", "market closed")
    _refused(lambda: registry.delete_alias("btc-1h", "champion"))
    events = registry.alias_history("btc-1h", "champion")
    assert [(e.action, e.previous, e.version, e.actor, e.reason) for e in events] == [
        ("set", None, 1, "ann", "first"),
        ("set", 1, 2, "bob", "better"),
        ("delete", 2, None, "ann", "market closed"),
    ]
    assert [e.at for e in events] == sorted(e.at for e in events)
    assert registry.alias_at("btc-1h", "champion", start) is None
    for event in events[:2]:
        live = registry.alias_at("btc-1h", "champion", event.at)
        assert live is not None
        assert live.at >= event.at
    assert registry.alias_at("btc-1h", "champion", datetime.now(UTC) + timedelta(days=1)) is None


def rolling_back_undoes_step_by_step(registry: ModelRegistry, workshop: Workshop) -> None:
    for number in (1, 2, 3):
        registry.publish(workshop.bundle())
        registry.set_alias("btc-1h", "champion", number)
    event = registry.rollback("btc-1h", "champion", "ann", "bad fills")
    assert (event.action, event.previous, event.version, event.reason) == ("rollback", 3, 2, "bad fills")
    assert registry.rollback("btc-1h", "champion").version == 1
    _refused(lambda: registry.rollback("btc-1h", "champion"))
    assert registry.resolve("btc-1h@champion").number == 1
    assert len(registry.alias_history("btc-1h", "champion")) == 5
    _refused(lambda: registry.rollback("btc-1h", "nobody"))


def a_change_decided_on_before_another_is_refused(registry: ModelRegistry, workshop: Workshop) -> None:
    for _ in range(3):
        registry.publish(workshop.bundle())
    unset = Standing(None)
    registry.set_alias("btc-1h", "champion", 1, seen=unset)
    late = _refused(lambda: registry.set_alias("btc-1h", "champion", 3, seen=unset))
    assert "meanwhile" in str(late)
    _refused(lambda: registry.set_alias("btc-1h", "champion", 3, seen=Standing(2)))
    registry.set_alias("btc-1h", "champion", 2, seen=Standing(1))
    _refused(lambda: registry.rollback("btc-1h", "champion", seen=Standing(1)))
    _refused(lambda: registry.delete_alias("btc-1h", "champion", seen=unset))
    assert registry.resolve("btc-1h@champion").number == 2
    assert registry.rollback("btc-1h", "champion", seen=Standing(2)).version == 1
    assert registry.delete_alias("btc-1h", "champion", seen=Standing(1)).version is None
    assert len(registry.alias_history("btc-1h")) == 4


def deleting_refuses_what_is_in_use_and_never_reuses_numbers(
    registry: ModelRegistry, workshop: Workshop
) -> None:
    for _ in range(2):
        registry.publish(workshop.bundle())
    registry.set_alias("btc-1h", "champion", 1)
    directory = registry.open("btc-1h/2")
    assert "champion" in str(_refused(lambda: registry.delete("btc-1h/1")))
    assert registry.delete(registry.resolve("btc-1h/2")).number == 2
    assert not directory.exists()
    _refused(lambda: registry.resolve("btc-1h/2"))
    assert registry.publish(workshop.bundle()).number == 3
    registry.open("btc-1h@champion")


def retention_keeps_what_it_must(registry: ModelRegistry, workshop: Workshop) -> None:
    for _ in range(6):
        registry.publish(workshop.bundle())
    registry.set_alias("btc-1h", "champion", 1)
    would = registry.cleanup("btc-1h", max_versions=2, dry_run=True)
    assert [v.number for v in would] == [2, 3, 4]
    assert len(registry.list_versions("btc-1h")) == 6
    assert registry.cleanup("btc-1h", max_versions=2) == would
    assert [v.number for v in registry.list_versions("btc-1h")] == [6, 5, 1]
    assert list(registry.cleanup("btc-1h", max_versions=2, max_age_days=30)) == []
    _refused(lambda: registry.cleanup("btc-1h"))
    for version in registry.list_versions("btc-1h"):
        registry.open(version.ref)


def versions_travel_as_one_file(registry: ModelRegistry, workshop: Workshop) -> None:
    version = registry.publish(workshop.bundle())
    file = workshop.directory / "btc.onward"
    assert registry.export_version("btc-1h/1", file) == file
    _refused(lambda: registry.export_version("btc-1h/1", file))
    first_said = _refused(lambda: registry.export_version("btc-1h/9", file))
    assert first_said.got == str(file), "the file is looked at before a version is fetched"
    content = file.read_bytes()
    registry.export_version("btc-1h/1", file, overwrite=True)
    assert file.read_bytes() == content
    assert registry.import_version(file).number == 1, "the same content is the same version"
    twin = registry.import_version(file, "twin")
    assert twin.ref == "models:/twin/1"
    assert twin.digest == version.digest
    assert verify_bundle(registry.open("twin/1")) == version.manifest
    file.write_bytes(content[: len(content) // 2])
    _refused(lambda: registry.import_version(file, "half"), BundleError)
    assert [m.name for m in registry.list_models()] == ["btc-1h", "twin"]


CHECKS: tuple[Check, ...] = (
    it_satisfies_the_protocol,
    publishing_gives_whole_numbered_versions,
    publishing_under_another_name,
    publishing_the_same_content_twice_is_publishing_once,
    damaged_bundles_are_refused_and_nothing_appears,
    every_byte_is_checked_on_opening,
    references_in_every_spelling,
    what_is_in_use_is_told_once_each,
    unknown_references_say_what_there_is,
    names_cannot_play_tricks,
    only_certified_versions_get_an_alias,
    every_change_of_an_alias_is_remembered,
    rolling_back_undoes_step_by_step,
    a_change_decided_on_before_another_is_refused,
    deleting_refuses_what_is_in_use_and_never_reuses_numbers,
    retention_keeps_what_it_must,
    versions_travel_as_one_file,
)


def _refused(action: Callable[[], object], kind: type[RegistryError] = RegistryError) -> RegistryError:
    try:
        action()
    except kind as error:
        return error
    raise AssertionError(f"nothing was refused, {kind.__name__} was promised")
