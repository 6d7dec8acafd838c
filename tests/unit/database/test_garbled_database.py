"""A database file whose bytes were flipped gives an error that says so, whatever byte it was."""

import random
from contextlib import suppress

import pytest

from onward.database import open_database, upgrade
from onward.database.failures import storage_errors
from onward.errors import StorageError


def test_text_that_is_no_text_is_a_damaged_file():
    with pytest.raises(StorageError, match="damaged"), storage_errors("onward.db"):
        b"\x9b".decode()


@pytest.mark.parametrize("seed", range(12))
def test_flipped_bytes(tmp_path, seed):
    path = tmp_path / "onward.db"
    engine = open_database(f"sqlite:///{path}")
    upgrade(engine)
    engine.dispose()
    content = bytearray(path.read_bytes())
    generator = random.Random(seed)
    for position in generator.sample(range(100, len(content)), 400):
        content[position] ^= 0xFF
    path.write_bytes(content)
    damaged = open_database(f"sqlite:///{path}")
    try:
        with suppress(StorageError):
            upgrade(damaged)
    finally:
        damaged.dispose()
