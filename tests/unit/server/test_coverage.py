"""What is stored is told without reading it again, and never wrongly."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from onward.data.repositories import Coverage, DataStore, ParquetCandleRepository
from onward.server.coverage import KEPT, CoverageBook, Reach
from onward.server.services import Provider
from onward.settings import load_settings
from onward.testing.markets import random_walk


class CountingStore(DataStore):
    """A store that counts how often it is looked through."""

    looked = 0

    def timeframes(self) -> list[str]:
        self.looked += 1
        return super().timeframes()


class House:
    """Services with a store, which is asked anew by every server."""

    def __init__(self, directory: Path, **overrides: Any) -> None:
        given = {name.replace("__", "."): value for name, value in overrides.items()}
        resolved = load_settings(home=directory / "home", cwd=directory, environ={}, overrides=given)
        self.home, self.settings = resolved.home, resolved.settings
        self.store = CountingStore(self.settings.storage.data_directory or self.home.data)
        self.frame = random_walk(40, seed=0).bars.reset_index().drop(columns="symbol")
        self.frame = self.frame.rename(columns={"open_time": "timestamp"})

    @property
    def repositories(self) -> Any:
        return self.store

    @property
    def read(self) -> int:
        return self.store.looked

    def asked(self) -> list[dict[str, Any]]:
        """Ask as a server that has just begun does."""
        return CoverageBook(Provider(self)).documents()  # type: ignore[arg-type]


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


@pytest.mark.parametrize("kept", [b"", b"[]", b"{}", b'{"format": 0}', b"\xff", b'{"format": 2, "looks": 3}'])
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
    house.store = CountingStore(tmp_path / "elsewhere")
    house.store.candles("1h").upsert("A/B", house.frame)
    assert len(house.asked()) == len(house.asked()) == 1
    assert house.read == 2
    shared = House(tmp_path / "shared", storage__artifacts="s3://bucket/prefix")
    assert (shared.asked(), shared.asked(), shared.read) == ([], [], 2)


def test_a_reach_says_what_the_store_says(house: House) -> None:
    house.store.candles("1h").upsert("A/B", house.frame.drop(index=[7, 8, 30]))
    house.store.funding.upsert("A/B:B", house.frame[["timestamp"]].assign(funding_rate=1e-4))
    book = CoverageBook(Provider(house))  # type: ignore[arg-type]
    assert [one.to_dict() for one in house.store.coverage()] == book.documents()
    candles, funding = book.coverage()
    said = house.store.coverage()[0]
    assert candles.key == ("candles", "A/B", "1h")
    assert (candles.first, candles.last, candles.longest_gap) == (said.first, said.last, said.longest_gap)
    assert (candles.gaps, candles.missing, candles.end - candles.last) == (2, 3, timedelta(hours=1))
    assert (funding.key, funding.end, funding.bar) == (("funding", "A/B:B", ""), funding.last, timedelta())


def test_gaps_are_kept_with_the_series_that_have_them(house: House) -> None:
    house.store.candles("1h").upsert("A/B", house.frame.drop(index=[7, 8]))
    house.store.candles("1h").upsert("C/D", house.frame)
    keys = [("candles", name, "1h") for name in ("A/B", "C/D", "NO/NE")]
    book = CoverageBook(Provider(house))  # type: ignore[arg-type]
    (around,) = book.gaps(keys)[keys[0]]
    assert list(around) == [house.frame["timestamp"][row].timestamp() for row in (6, 9)]
    house.store.side = house.store.candles = None  # type: ignore[assignment, method-assign]
    again = CoverageBook(Provider(house)).gaps(keys)  # type: ignore[arg-type]
    assert again == {keys[0]: (around,), keys[1]: ()} == book.gaps(keys), "told without the store"


def test_a_server_that_has_just_begun_reads_only_what_is_new(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("A/B", "C/D"):
        house.store.candles("1h").upsert(name, house.frame)
    before = house.asked()
    house.store.candles("1h").upsert("E/F", house.frame)
    read, read_one = [], ParquetCandleRepository.coverage

    def counted(self: Any, symbol: str) -> Coverage:
        read.append(symbol)
        return read_one(self, symbol)

    monkeypatch.setattr(ParquetCandleRepository, "coverage", counted)
    assert house.asked()[:2] == before
    assert read == ["E/F"]


def test_nanoseconds_are_cut_off() -> None:
    told = dict.fromkeys(("rows", "gaps", "missing"), 1) | {"kind": "funding", "symbol": "A", "timeframe": ""}
    moment = "2026-01-02T03:04:05.123456789+00:00"
    reach = Reach.of({**told, "first": moment, "last": moment, "longest_gap": 1.5})
    assert reach.end == datetime(2026, 1, 2, 3, 4, 5, 123456, UTC)
