"""The page about the bundle format names every field there is."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

from onward.registry.archive import MAX_BYTES, MAX_FILES
from onward.registry.manifest import FORMAT_VERSION, BundleFile, FeatureSchema, Manifest
from onward.types import Certificate

PAGE = Path(__file__).resolve().parents[3] / "docs" / "reference" / "bundle-format.md"


def test_every_field_is_documented() -> None:
    named = set(re.findall(r"`(\w+)`", PAGE.read_text(encoding="utf-8")))
    fields = {*Manifest.model_fields, *BundleFile.model_fields, *FeatureSchema.model_fields}
    fields |= {field.name for field in dataclasses.fields(Certificate)}
    assert fields - named == set()


def test_versions_and_limits_are_the_documented_ones() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert f"format, version {FORMAT_VERSION}" in text
    assert f"{MAX_FILES:,} entries" in text
    assert f"{MAX_BYTES // 2**30} GiB" in text
