"""What a helper process has to know of a search: JSON and Arrow files, nothing that is unpickled.

The description goes through the helper's standard input, so that no file names code to run or
holds a password; the bars, which can be many, lie in a directory of the run and are mapped.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any, cast

import numpy as np
import pandas as pd

from onward.errors import UserError
from onward.features.cache import FeatureCache
from onward.protocols import Labeler
from onward.training.optimization.bench import Bench, TrainerFactory
from onward.training.optimization.questions import OpenQuestion
from onward.training.optimization.search import Search
from onward.training.optimization.space import Space
from onward.training.optimization.studies import StudyKeeper
from onward.training.plan import TrainingPlan
from onward.types import INDEX_NAMES, Market, SideSeries

__all__ = ["Errand", "labeler_of", "read_market", "write_market"]

ALLOWED = "allowed.npy"
BARS = "bars.arrow"


@dataclass(frozen=True)
class Errand:
    """A search that is shared, described in plain values.

    Attributes
    ----------
    directory
        Holds the bars, the side series and the rows that the search may see.
    make_trainer
        ``module:function``.
    cache
        Directory of the feature cache and its limit in bytes, where trainers have one.
    plan
        The plan with its search, as JSON values.
    keeper
        Directory, address and prefix of the studies.
    name
        Name of the study.
    seed
        Seed of the draws.
    seconds
        Time that is left; None for as long as it takes.
    paths
        Where modules are looked for.
    """

    directory: str
    make_trainer: str
    cache: tuple[str, int | None] | None
    plan: Mapping[str, Any]
    keeper: tuple[str | None, str | None, str]
    name: str
    seed: int
    seconds: float | None
    paths: tuple[str, ...]

    @classmethod
    def write(
        cls,
        directory: Path,
        search: Search,
        make_trainer: TrainerFactory,
        keeper: StudyKeeper,
        name: str,
        seconds: float | None,
    ) -> Errand:
        """Write what is large into a directory, and return the description of all.

        Raises
        ------
        UserError
            When another process could not find ``make_trainer`` by its name.
        """
        address, cache = _address(make_trainer)
        write_market(search.bench.market, directory)
        np.save(directory / ALLOWED, search.allowed)
        # The address of a database may hold a password: it travels with the keeper alone.
        config = search.config.model_copy(update={"storage_url": None})
        plan = {**search.bench.space.plan.model_dump(mode="json"), "optimization": config.model_dump()}
        kept = None if keeper.directory is None else str(keeper.directory.absolute())
        return cls(
            directory=str(directory.absolute()),
            make_trainer=address,
            cache=cache,
            plan=plan,
            keeper=(kept, keeper.url, keeper.prefix),
            name=name,
            seed=search.seed,
            seconds=seconds,
            paths=tuple(sys.path),
        )

    def to_json(self) -> str:
        """Return the description as text."""
        return json.dumps(vars(self))

    @classmethod
    def from_json(cls, text: str) -> Errand:
        """Rebuild what `to_json` gave."""
        return cls(**json.loads(text))

    def study_keeper(self) -> StudyKeeper:
        """Return the keeper of the studies."""
        directory, url, prefix = self.keeper
        return StudyKeeper(None if directory is None else Path(directory), url, prefix)

    def search(self) -> Search:
        """Return the search, on the bars that were written."""
        sys.path.extend(path for path in self.paths if path not in sys.path)
        make_trainer = self._make_trainer()
        plan = TrainingPlan(**self.plan)
        market = read_market(Path(self.directory))
        allowed = np.load(Path(self.directory) / ALLOWED, mmap_mode="r", allow_pickle=False)
        space = Space.of(plan)
        labeler = labeler_of(space, make_trainer(space.plan, market).labeler)
        bench = Bench(space, make_trainer, market, labeler, processes=plan.optimization.processes)
        return Search("helper", plan.optimization, bench, allowed, self.seed)

    def _make_trainer(self) -> TrainerFactory:
        module, _, name = self.make_trainer.partition(":")
        found: Any = getattr(import_module(module), name)
        if self.cache is not None:
            directory, max_bytes = self.cache
            found = partial(found, cache=FeatureCache(directory, max_bytes=max_bytes))
        return cast("TrainerFactory", found)


def labeler_of(space: Space, own: Labeler) -> Labeler:
    """Return what outer folds are cut by: the plan's labeler, or all trials' together."""
    return OpenQuestion(space.longest_horizon_bars) if space.searches_labels else own


def write_market(market: Market, directory: Path) -> None:
    """Write a market as Arrow files: its bars, and each of its side series."""
    # What a frame notes beside its values is no part of a market, and need not be JSON.
    frames = {BARS: market.bars.reset_index()}
    frames |= {f"series-{n}.arrow": s.frame for n, s in enumerate(market.series.values())}
    for file, frame in frames.items():
        plain = frame.copy(deep=False)
        plain.attrs = {}
        plain.to_feather(directory / file, compression="uncompressed")
    told = {"timeframe_ns": market.timeframe_ns, "series": list(market.series)}
    (directory / "market.json").write_text(json.dumps(told), encoding="utf-8")


def read_market(directory: Path) -> Market:
    """Read what `write_market` wrote; values are mapped where Arrow can."""
    told = json.loads((directory / "market.json").read_text(encoding="utf-8"))
    bars = _mapped(directory / BARS).set_index(list(INDEX_NAMES))
    series = {
        name: SideSeries(name, _mapped(directory / f"series-{n}.arrow"))
        for n, name in enumerate(told["series"])
    }
    return Market(bars, pd.Timedelta(told["timeframe_ns"], unit="ns"), series)


def _mapped(path: Path) -> pd.DataFrame:
    from pyarrow import feather

    frame: pd.DataFrame = feather.read_table(path, memory_map=True).to_pandas(split_blocks=True)
    return frame


def _address(make_trainer: TrainerFactory) -> tuple[str, tuple[str, int | None] | None]:
    function: Any = make_trainer
    cache = None
    if isinstance(function, partial) and not function.args and set(function.keywords) == {"cache"}:
        kept = function.keywords["cache"]
        function = function.func
        if isinstance(kept, FeatureCache):
            cache = (str(kept.directory.absolute()), kept.max_bytes)
    module, name = getattr(function, "__module__", ""), getattr(function, "__qualname__", "")
    if getattr(sys.modules.get(module), name, None) is not function or module == "__main__":
        raise UserError(
            "several processes work on a search only with trainers whose maker they can find by name",
            got=f"{module}:{name}" if name else repr(make_trainer),
            allowed="a function of a module that can be imported",
            remedy="Move it into a module of its own, or set optimization.processes = 1.",
        )
    return f"{module}:{name}", cache
