"""Exports are read with suspicion: nothing outside the directory, nothing beyond the stated size."""

from __future__ import annotations

import stat
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from onward.errors import BundleError, StorageError
from onward.registry.archive import pack_bundle, unpack_bundle
from onward.registry.bundle import verify_bundle
from onward.testing.registry import stage_bundle


@pytest.fixture
def export(tmp_path: Path) -> Path:
    stage_bundle(tmp_path / "bundle")
    pack_bundle(tmp_path / "bundle", tmp_path / "export.onward")
    return tmp_path / "export.onward"


def rewrite(
    source: Path,
    target: Path,
    change: Callable[[zipfile.ZipInfo, bytes], tuple[zipfile.ZipInfo, bytes] | None],
    more: dict[str, bytes] | None = None,
) -> Path:
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for info in old.infolist():
            changed = change(info, old.read(info))
            if changed is not None:
                new.writestr(*changed)
        for name, content in (more or {}).items():
            new.writestr(name, content)
    return target


def refused(file: Path, words: str) -> None:
    before = sorted(path for path in file.parent.rglob("*"))
    with pytest.raises(BundleError, match=words):
        unpack_bundle(file, file.parent / "unpacked")
    assert sorted(path for path in file.parent.rglob("*")) == before, "something was written"


def test_round_trip(export: Path, tmp_path: Path) -> None:
    manifest = unpack_bundle(export, tmp_path / "unpacked")
    assert verify_bundle(tmp_path / "unpacked") == manifest == verify_bundle(tmp_path / "bundle")


def test_exports_are_reproducible(export: Path, tmp_path: Path) -> None:
    pack_bundle(tmp_path / "bundle", tmp_path / "again.onward")
    assert (tmp_path / "again.onward").read_bytes() == export.read_bytes()


@pytest.mark.parametrize(
    "name", ["../escaped", "/tmp/escaped", "model/../../escaped", "model\\..\\escaped", "more"]
)
def test_entries_beyond_the_manifest(export: Path, tmp_path: Path, name: str) -> None:
    refused(rewrite(export, tmp_path / "bad", lambda i, c: (i, c), {name: b"x"}), "not in the manifest")


def test_a_missing_entry(export: Path, tmp_path: Path) -> None:
    refused(
        rewrite(export, tmp_path / "bad", lambda i, c: None if i.filename == "card.md" else (i, c)),
        r"card\.md",
    )


def test_without_a_manifest(export: Path, tmp_path: Path) -> None:
    refused(
        rewrite(export, tmp_path / "bad", lambda i, c: None if i.filename == "manifest.json" else (i, c)),
        "without manifest",
    )


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFDIR, stat.S_IFCHR])
def test_links_and_special_entries(export: Path, tmp_path: Path, kind: int) -> None:
    def change(info: zipfile.ZipInfo, content: bytes) -> tuple[zipfile.ZipInfo, bytes]:
        if info.filename == "model/model.txt":
            info.external_attr = (kind | 0o777) << 16
        return info, content

    refused(rewrite(export, tmp_path / "bad", change), "link, a directory or a special")


def test_duplicates(export: Path, tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="Duplicate name"):
        bad = rewrite(export, tmp_path / "bad", lambda i, c: (i, c), {"card.md": b"other"})
    refused(bad, "appears twice")


def test_changed_content(export: Path, tmp_path: Path) -> None:
    def change(info: zipfile.ZipInfo, content: bytes) -> tuple[zipfile.ZipInfo, bytes]:
        return info, content.replace(b"tree", b"trek")

    refused(rewrite(export, tmp_path / "bad", change), r"model/model\.txt")


@pytest.mark.parametrize("factor", [0, 1000])
def test_sizes_other_than_stated(export: Path, tmp_path: Path, factor: int) -> None:
    def change(info: zipfile.ZipInfo, content: bytes) -> tuple[zipfile.ZipInfo, bytes]:
        return info, content * factor if info.filename == "model/model.txt" else content

    refused(rewrite(export, tmp_path / "bad", change), "stated size")


def test_a_size_limit(export: Path, tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="at most 100"):
        unpack_bundle(export, tmp_path / "unpacked", max_bytes=100)


def test_every_truncation_and_other_formats(export: Path, tmp_path: Path) -> None:
    content = export.read_bytes()
    for length in (0, 1, 10, len(content) // 3, len(content) - 1):
        (tmp_path / "bad").write_bytes(content[:length])
        refused(tmp_path / "bad", "cannot be unpacked")


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="no file to import"):
        unpack_bundle(tmp_path / "nothing", tmp_path / "unpacked")


def test_a_damaged_bundle_is_not_exported(tmp_path: Path) -> None:
    stage_bundle(tmp_path / "bundle")
    (tmp_path / "bundle" / "card.md").write_text("nicer")
    with pytest.raises(BundleError, match=r"card\.md"):
        pack_bundle(tmp_path / "bundle", tmp_path / "export")
    assert not (tmp_path / "export").exists()


def test_nowhere_to_write(tmp_path: Path) -> None:
    stage_bundle(tmp_path / "bundle")
    with pytest.raises(StorageError, match="write the export"):
        pack_bundle(tmp_path / "bundle", tmp_path / "no" / "such" / "place")
