"""What is stored is told without reading it again, and never wrongly."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from onward.data.repositories import DataStore
from onward.server.services import Provider
from onward.server.stored import KEPT, StoredSeries
from onward.settings import load_settings
from onward.testing.markets import random_walk


class House:
    """Services with a store that counts how often it is read."""

    def __init__(self, directory: Path, **overrides: Any) -> None:
        self.read = 0
        given = {name.replace("__", "."): value for name, value in overrides.items()}
        resolved = load_settings(home=directory / "home", cwd=directory, environ={}, overrides=given)
        self.home, self.settings = resolved.home, resolved.settings
        self.store = DataStore(self.settings.storage.data_directory or self.home.data)
        self.frame = random_walk(40, seed=0).bars.reset_index().drop(columns="symbol")
        self.frame = self.frame.rename(columns={"open_time": "timestamp"})

    @property
    def repositories(self) -> Any:
        return SimpleNamespace(root=self.store.root, coverage=self._coverage)

    def _coverage(self) -> Any:
        self.read += 1
        return self.store.coverage()

    def asked(self) -> list[dict[str, Any]]:
        """Ask as a server that has just begun does."""
        return StoredSeries(Provider(self)).coverage()  # type: ignore[arg-type]


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def test_what_was_told_is_kept_until_something_is_written(house: House) -> None:
    assert (house.asked(), house.asked(), house.read) == ([], [], 1)
    house.store.candles("1h").upsert("A/B", house.frame.iloc[:20])
    (told,) = house.asked()
    assert (told["symbol"], told["rows"], house.read) == ("A/B", 20, 2)
    assert (house.asked(), house.read) == ([told], 2)
    house.store.candles("1h").upsert("A/B", house.frame.iloc[:20])
    assert (house.asked(), house.read) == ([told], 2), "the same rows again are no change"
    house.store.candles("1h").upsert("A/B", house.frame)
    assert [one["rows"] for one in house.asked()] == [40]
    house.store.candles("1h").upsert("C/D", house.frame)
    assert [one["symbol"] for one in house.asked()] == ["A/B", "C/D"]
    assert house.read == 4


@pytest.mark.parametrize("kept", [b"", b"[]", b"{}", b'{"format": 0}', b"\xff", b'{"format": 1, "looks": 3}'])
def test_a_damaged_file_is_made_anew(house: House, kept: bytes) -> None:
    house.store.candles("1h").upsert("A/B", house.frame)
    told = house.asked()
    (house.home.root / KEPT).write_bytes(kept)
    assert house.asked() == told
    assert json.loads((house.home.root / KEPT).read_bytes())["series"] == told


def test_what_cannot_be_kept_is_told_all_the_same(house: House) -> None:
    house.store.candles("1h").upsert("A/B", house.frame)
    (house.home.root / "cache").write_text("in the way")
    assert house.asked() == house.asked()
    assert house.read == 2


def test_another_store_than_the_one_that_was_looked_at_is_not_kept(house: House, tmp_path: Path) -> None:
    house.store = DataStore(tmp_path / "elsewhere")
    house.store.candles("1h").upsert("A/B", house.frame)
    assert len(house.asked()) == len(house.asked()) == 1
    assert house.read == 2
    shared = House(tmp_path / "shared", storage__artifacts="s3://bucket/prefix")
    assert (shared.asked(), shared.asked(), shared.read) == ([], [], 2)
