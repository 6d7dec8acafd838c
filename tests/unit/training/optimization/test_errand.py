"""A search told to another process arrives there as it was, through JSON and Arrow files."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import pytest

from onward.config.layers import flattened
from onward.errors import UserError
from onward.features.cache import FeatureCache
from onward.training.assembly import make_trainer
from onward.training.optimization import Space, StudyKeeper
from onward.training.optimization.bench import Bench
from onward.training.optimization.errand import Errand, labeler_of, read_market, write_market
from onward.training.optimization.questions import OpenQuestion
from onward.training.optimization.search import Search
from onward.types import Market
from tests.unit.training.small_runs import panel, small_plan, walk

MARKETS = {"one symbol": walk(90), "two symbols and series": panel(90)}


@pytest.mark.parametrize("market", MARKETS.values(), ids=MARKETS)
def test_a_market_arrives_bit_for_bit(market: Market, tmp_path: Path) -> None:
    market.bars.attrs["note"] = object()
    write_market(market, tmp_path)
    read = read_market(tmp_path)
    assert read.content_hash == market.content_hash
    assert read.index.equals(market.index)
    assert read.symbols == market.symbols
    assert [read.rows[s] for s in read.symbols] == [market.rows[s] for s in market.symbols]
    assert list(read.series) == list(market.series)
    assert read.bars.dtypes.equals(market.bars.dtypes)


@pytest.mark.parametrize("space", [{"model.num_leaves": [2, 4]}, {"labels.horizon_bars": [3, 9]}, {}])
def test_a_search_arrives_as_it_was(space: dict[str, object], tmp_path: Path) -> None:
    market = walk(90)
    plan = small_plan(
        optimization__trials=3,
        optimization__space=space,
        optimization__processes=2,
        optimization__storage_url="postgresql+psycopg://me:secret@host/studies",
    )
    asked = Space.of(plan)
    labeler = labeler_of(asked, make_trainer(plan, market).labeler)
    allowed = np.arange(90) % 3 > 0
    search = Search(
        "all rows", plan.optimization, Bench(asked, make_trainer, market, labeler), allowed, 2**32 - 1
    )
    keeper = StudyKeeper(tmp_path, "postgresql+psycopg://me:secret@host/studies", "run/")
    make = partial(make_trainer, cache=FeatureCache(tmp_path / "cache", max_bytes=7))
    errand = Errand.from_json(Errand.write(tmp_path, search, make, keeper, "final", 1.5).to_json())
    told = errand.search()
    assert told.bench.space == search.bench.space
    ignored = {"storage_url"}
    mine, theirs = (flattened(one.config.model_dump(exclude=ignored)) for one in (search, told))
    assert theirs == mine
    assert (told.seed, errand.seconds) == (2**32 - 1, 1.5)
    assert np.array_equal(told.allowed, allowed)
    assert told.bench.labeler == labeler
    assert isinstance(told.bench.labeler, OpenQuestion) == ("labels.horizon_bars" in space)
    kept = errand.study_keeper()
    assert (kept.url, kept.prefix) == (keeper.url, "run/")
    for file in tmp_path.iterdir():
        assert not file.is_file() or b"secret" not in file.read_bytes()
    made = told.bench._make_trainer
    assert isinstance(made, partial)
    assert made.keywords["cache"].max_bytes == 7


def test_trainers_that_only_this_process_can_make_are_refused(tmp_path: Path) -> None:
    market = walk(90)
    plan = small_plan(optimization__trials=3, optimization__processes=2)
    bench = Bench(Space.of(plan), make_trainer, market, make_trainer(plan, market).labeler)
    search = Search("all rows", plan.optimization, bench, np.ones(90, dtype=bool), 0)
    with pytest.raises(UserError, match="find by name") as caught:
        Errand.write(
            tmp_path, search, lambda p, _: make_trainer(p, market), StudyKeeper(tmp_path), "final", None
        )
    assert caught.value.remedy is not None
    with pytest.raises(UserError, match="find by name"):
        Errand.write(
            tmp_path, search, partial(make_trainer, cache=None, more=1), StudyKeeper(tmp_path), "x", None
        )
