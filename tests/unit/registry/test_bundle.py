"""A bundle is whole and unchanged, or it is refused by the name of the file."""

from __future__ import annotations

import json
import os
import pickle
import shutil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from onward.errors import BundleError, RegistryError, StorageError
from onward.registry.bundle import read_manifest, verify_bundle, write_bundle
from onward.registry.card import render_card
from onward.registry.files import atomic_file
from onward.registry.manifest import BundleFacts, BundleFile, FeatureSchema, Manifest, parse_manifest
from onward.testing.registry import CREATED_AT, stage_bundle
from onward.types import Certificate


def facts(**changes: Any) -> BundleFacts:
    fields: dict[str, Any] = {
        "name": "btc-1h",
        "created_at": CREATED_AT,
        "model": "lightgbm",
        "timeframe": "1h",
        "symbols": ("BTC/USD",),
        "plan": {"model": {"name": "lightgbm"}},
        "plan_hash": "p",
        "data_hash": "d",
        "label_family": "threshold",
        "code_version": "0.1.0",
        "libraries": {},
        "features": FeatureSchema(columns=("a", "b"), lookback_bars=1),
    }
    return BundleFacts(**(fields | changes))


def write(directory: Path, save_model: Any = None, **changes: Any) -> Manifest:
    return write_bundle(
        directory,
        facts=facts(**changes),
        save_model=save_model or (lambda target: (target / "model.txt").write_text("tree")),
        pipeline={},
        labels={},
    )


def test_written_is_what_is_read(tmp_path: Path) -> None:
    written = stage_bundle(tmp_path / "bundle")
    assert verify_bundle(tmp_path / "bundle") == written
    assert read_manifest(tmp_path / "bundle") == written
    assert parse_manifest(written.to_bytes()) == written
    assert Manifest.from_json(written.to_json()) == written
    assert written.created_at == CREATED_AT
    assert [file.path for file in written.files] == [
        "card.md",
        "labels.json",
        "model/extra/weights.bin",
        "model/model.txt",
        "pipeline.json",
        "report.html",
    ]
    assert written.scores["range"] == {"auc": None}


def test_the_share_of_rows_that_were_probed_is_kept(tmp_path: Path) -> None:
    probed = Certificate("passed", ("perturbation",), rows_probed=0.64)
    written = write(tmp_path / "bundle", certificate=probed)
    assert parse_manifest(written.to_bytes()).certificate == probed
    assert "one bar ahead: 64.0%" in (tmp_path / "bundle" / "card.md").read_text(encoding="utf-8")


def test_certificates_from_before_rows_were_probed_keep_every_byte(tmp_path: Path) -> None:
    written = stage_bundle(tmp_path / "bundle")
    assert b"rows_probed" not in written.to_bytes()
    assert read_manifest(tmp_path / "bundle").certificate.rows_probed is None


def test_the_same_parts_give_the_same_digest(tmp_path: Path) -> None:
    one, two = stage_bundle(tmp_path / "one"), stage_bundle(tmp_path / "two")
    assert one == two
    assert stage_bundle(tmp_path / "three", seed=3).digest != one.digest
    assert stage_bundle(tmp_path / "four", certificate="failed").digest != one.digest


@given(data=st.data())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_flipped_bit_is_found_and_named(tmp_path: Path, data: st.DataObject) -> None:
    bundle = tmp_path / "bundle"
    if not bundle.exists():
        stage_bundle(bundle)
    files = sorted(path for path in bundle.rglob("*") if path.is_file())
    file = data.draw(st.sampled_from(files))
    content = file.read_bytes()
    position = data.draw(st.integers(0, len(content) - 1))
    flipped = bytearray(content)
    flipped[position] ^= 1 << data.draw(st.integers(0, 7))
    file.write_bytes(flipped)
    try:
        with pytest.raises(BundleError) as caught:
            verify_bundle(bundle)
    finally:
        file.write_bytes(content)
    named = file.relative_to(bundle).as_posix()
    if named != "manifest.json":
        assert named in str(caught.value)
    verify_bundle(bundle)


@pytest.mark.parametrize("removed", ["model/model.txt", "card.md", "manifest.json", "report.html"])
def test_missing_files(tmp_path: Path, removed: str) -> None:
    stage_bundle(tmp_path / "bundle")
    (tmp_path / "bundle" / removed).unlink()
    with pytest.raises(BundleError, match=removed):
        verify_bundle(tmp_path / "bundle")


@pytest.mark.parametrize("added", ["note.txt", "model/more.txt", ".hidden", "model/extra/deep/x"])
def test_unknown_files(tmp_path: Path, added: str) -> None:
    stage_bundle(tmp_path / "bundle")
    file = tmp_path / "bundle" / added
    file.parent.mkdir(exist_ok=True)
    file.write_text("")
    with pytest.raises(BundleError, match=added):
        verify_bundle(tmp_path / "bundle")


def test_links_are_refused(tmp_path: Path) -> None:
    stage_bundle(tmp_path / "bundle")
    model = tmp_path / "bundle" / "model" / "model.txt"
    shutil.copy(model, tmp_path / "elsewhere")
    model.unlink()
    model.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(BundleError, match=r"model/model\.txt is a link"):
        verify_bundle(tmp_path / "bundle")
    stage_bundle(tmp_path / "second")
    (tmp_path / "second" / "manifest.json").rename(tmp_path / "manifest.json")
    (tmp_path / "second" / "manifest.json").symlink_to(tmp_path / "manifest.json")
    with pytest.raises(BundleError, match=r"manifest\.json is a link"):
        verify_bundle(tmp_path / "second")


def test_special_files_are_refused(tmp_path: Path) -> None:
    stage_bundle(tmp_path / "bundle")
    os.mkfifo(tmp_path / "bundle" / "model" / "pipe")
    with pytest.raises(BundleError, match="model/pipe"):
        verify_bundle(tmp_path / "bundle")


def test_no_bundle_here(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="no model bundle here"):
        verify_bundle(tmp_path / "nothing")
    (tmp_path / "file").write_text("")
    with pytest.raises(BundleError, match="no model bundle here"):
        verify_bundle(tmp_path / "file")


@pytest.mark.parametrize("protocol", [0, 2, 3, 4, 5])
def test_pickles_are_refused(tmp_path: Path, protocol: int) -> None:
    name = "model.pkl" if protocol == 0 else "model.bin"

    def save(target: Path) -> None:
        (target / name).write_bytes(pickle.dumps({"a": 1}, protocol=protocol))

    with pytest.raises(BundleError, match=f"model/{name}"):
        write(tmp_path / "bundle", save)
    assert list(tmp_path.iterdir()) == []


def test_a_model_that_writes_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="without model/"):
        write(tmp_path / "bundle", lambda target: None)
    assert list(tmp_path.iterdir()) == []


def test_a_model_that_fails_leaves_nothing(tmp_path: Path) -> None:
    def save(target: Path) -> None:
        (target / "half").write_text("half")
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        write(tmp_path / "bundle", save)
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_leaves_nothing(tmp_path: Path) -> None:
    def save(target: Path) -> None:
        with Path("/dev/full").open("wb", buffering=0) as device:
            device.write(b"x")

    with pytest.raises(StorageError, match="No space left"):
        write(tmp_path / "bundle", save)
    assert list(tmp_path.iterdir()) == []


def test_a_pipe_or_device_is_never_replaced(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(StorageError, match="no ordinary file"), atomic_file(pipe) as draft:
        draft.write_bytes(b"x")
    assert pipe.is_fifo()


def test_existing_content_is_never_overwritten(tmp_path: Path) -> None:
    stage_bundle(tmp_path / "bundle")
    with pytest.raises(BundleError, match="not empty"):
        stage_bundle(tmp_path / "bundle", seed=2)
    verify_bundle(tmp_path / "bundle")
    (tmp_path / "empty").mkdir()
    stage_bundle(tmp_path / "empty")
    (tmp_path / "file").write_text("mine")
    with pytest.raises(BundleError, match="not empty"):
        stage_bundle(tmp_path / "file")


def manifest_with(tmp_path: Path, **changes: Any) -> bytes:
    values = stage_bundle(tmp_path / "bundle").to_json() | changes
    return json.dumps(values).encode()


@pytest.mark.parametrize(
    ("version", "remedy"),
    [(2, "Upgrade Onward"), (0, "damaged"), ("1", "damaged"), (None, "damaged"), (True, "damaged")],
)
def test_unknown_format_versions(tmp_path: Path, version: object, remedy: str) -> None:
    with pytest.raises(BundleError, match=remedy) as caught:
        parse_manifest(manifest_with(tmp_path, format_version=version))
    assert caught.value.allowed == "1"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"more": 1}, "more"),
        ({"symbols": "BTC"}, "symbols"),
        ({"plan_hash": 7}, "plan_hash"),
        ({"created_at": "yesterday"}, "created_at"),
        ({"created_at": "2026-01-01T00:00:00"}, "created_at"),
        ({"features": {"columns": ["a"]}}, "features.lookback_bars"),
        ({"certificate": {"status": "golden"}}, "certificate.status"),
        ({"certificate": {"status": "passed", "more": 1}}, "certificate.more"),
        ({"digest": "short"}, "digest"),
        ({"files": [{"path": "a", "sha256": "0" * 64, "size": -1}]}, "files.0.size"),
    ],
)
def test_strict_reading_names_the_field(tmp_path: Path, changes: dict[str, Any], field: str) -> None:
    with pytest.raises(BundleError, match=field):
        parse_manifest(manifest_with(tmp_path, **changes))


@pytest.mark.parametrize(
    "path", ["/etc/passwd", "../x", "model/../../x", "a//b", "./a", "a\\b", "C:x", "", "model/\n", "model/"]
)
def test_paths_stay_inside(path: str) -> None:
    with pytest.raises(BundleError, match="outside the bundle"):
        BundleFile(path=path, sha256="0" * 64, size=0)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b"\xff", b"[" * 100_000])
def test_what_is_no_manifest(content: bytes) -> None:
    with pytest.raises(BundleError):
        parse_manifest(content)


def test_changed_facts_break_the_digest(tmp_path: Path) -> None:
    manifest = stage_bundle(tmp_path / "bundle", certificate="failed")
    forged = manifest.to_bytes().replace(b'"failed"', b'"passed"')
    assert forged != manifest.to_bytes()
    with pytest.raises(BundleError, match="not the one that was written"):
        parse_manifest(forged)


def test_facts_take_numpy_and_refuse_objects() -> None:
    import numpy as np

    values = facts(scores={"auc": np.float32(0.5), "n": np.int64(3), "all": np.array([1.0, np.nan])})
    assert values.scores == {"auc": 0.5, "n": 3, "all": [1.0, None]}
    with pytest.raises(RegistryError, match=r"builtins\.object"):
        facts(plan={"stage": object()})
    with pytest.raises(RegistryError, match="cannot have this name"):
        facts(name="../x")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'{\n  "certificate"', b'{\n "certificate"'),
        (b"}\n", b"}"),
        (b'"rows": 20111', b'"rows": 1, "rows": 20111'),
        (b"0.53", b"0.530"),
        (b'"BTC/USD"', b'"BTC\\/USD"'),
    ],
)
def test_another_spelling_of_the_same_content_is_noticed(tmp_path: Path, old: bytes, new: bytes) -> None:
    content = stage_bundle(tmp_path / "bundle").to_bytes()
    assert old in content
    (tmp_path / "bundle" / "manifest.json").write_bytes(content.replace(old, new, 1))
    with pytest.raises(BundleError, match=r"manifest\.json is not the one that was written"):
        verify_bundle(tmp_path / "bundle")


def test_the_card_says_the_verdict_in_words_before_its_figures(tmp_path: Path) -> None:
    verdict = {"sentence": "Direction: a coin.", "level": "none", "p": 0.4, "band": {"low": 0.47}}
    facts = stage_bundle(tmp_path / "bundle").model_copy(update={"verdicts": {"direction": verdict}})
    card = render_card(facts)
    assert "\nDirection: a coin.\n\n| | |" in card
    assert "| direction.p | 0.4 |" in card
    assert "band" not in card


def test_the_card_says_what_matters(tmp_path: Path) -> None:
    stage_bundle(tmp_path / "passed")
    card = (tmp_path / "passed" / "card.md").read_text(encoding="utf-8")
    for words in (
        "# btc-1h",
        "evidence of skill",
        "**Passed.**",
        "0.53",
        "manual__rsi_14",
        "20111",
        "lightgbm",
    ):
        assert words in card
    assert card.index("evidence of skill") < card.index("## Plan")
    stage_bundle(tmp_path / "failed", certificate="failed")
    card = (tmp_path / "failed" / "card.md").read_text(encoding="utf-8")
    assert "**Failed.**" in card
    assert "leak: truncation, manual__x" in card
