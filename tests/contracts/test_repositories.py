from __future__ import annotations

from functools import partial

import pytest

from onward.data.repositories import (
    CATALOG,
    CandleRepository,
    FearGreedRepository,
    FundingRateRepository,
    OpenInterestRepository,
    ParquetCandleRepository,
)
from onward.data.repositories.remote import REMOTE_CATALOG
from onward.data.repositories.shelf import Shelf
from onward.protocols import SeriesRepository
from onward.storage import LocalCopies, S3Store
from onward.testing import repositories as contract

SEAMS = {
    "candles": CandleRepository,
    "funding": FundingRateRepository,
    "open_interest": OpenInterestRepository,
    "fear_greed": FearGreedRepository,
}


def _make(implementation, root):
    if issubclass(implementation, ParquetCandleRepository):
        return partial(implementation, root, "1h")
    return partial(implementation, root)


@pytest.mark.parametrize("check", contract.CHECKS, ids=lambda c: c.__name__)
@pytest.mark.parametrize("implementation", CATALOG, ids=lambda i: i.__name__)
def test_every_repository_keeps_the_contract(implementation, check, tmp_path):
    check(_make(implementation, tmp_path), contract.rows_of(implementation.kind))


@pytest.mark.parametrize("check", contract.CHECKS, ids=lambda c: c.__name__)
@pytest.mark.parametrize("implementation", REMOTE_CATALOG, ids=lambda i: i.__name__)
def test_every_repository_on_a_store_keeps_the_contract(implementation, check, object_server, tmp_path):
    shelf = Shelf(S3Store(object_server.options()), LocalCopies(tmp_path / "copies"), tmp_path / "data")
    check(_make(implementation, shelf), contract.rows_of(implementation.kind))


@pytest.mark.parametrize("implementation", CATALOG, ids=lambda i: i.__name__)
def test_every_repository_has_the_shape_of_its_seam(implementation, tmp_path):
    repository = _make(implementation, tmp_path)()
    assert isinstance(repository, SEAMS[implementation.kind])
    for name in ("read", "upsert", "symbols"):
        assert name in dir(SeriesRepository)
        assert callable(getattr(repository, name))


def test_the_contract_catches_a_repository_that_forgets_to_merge(tmp_path):
    class Forgetful(ParquetCandleRepository):
        def _load(self, directory, wanted, columns):
            return super()._load(directory, wanted if columns == () else lambda _: False, columns)

    with pytest.raises((AssertionError, IndexError)):
        contract.check_twice_is_once(lambda: Forgetful(tmp_path, "1h"), contract.rows_of("candles"))
