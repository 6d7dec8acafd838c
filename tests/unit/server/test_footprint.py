"""A process that does nothing but serve keeps small; its libraries work, its children are as ever."""

from __future__ import annotations

import subprocess
import sys

import pytest

CODE = """
import os, sys
from onward.server.serving.footprint import few_arenas, give_back, small_libraries
from onward.server.serving.shelf import ModelShelf
from onward.errors import RegistryNotFoundError

class Empty:
    def resolve(self, reference):
        raise RegistryNotFoundError("none", got=reference)

shelf = ModelShelf(Empty, capacity=1)
if sys.argv[1] == "small":
    shelf.keep_small()
before = dict(os.environ)
try:
    shelf.get("none")
except RegistryNotFoundError:
    pass
assert dict(os.environ) == before
import pyarrow as pa
from onward.models.libraries import import_library
import_library("lightgbm")
print(pa.default_memory_pool().backend_name == "system", "sklearn" in sys.modules)
assert pa.array(range(100_000)).to_numpy().sum() == 4999950000
small_libraries(); few_arenas(); give_back()
"""


@pytest.mark.parametrize(
    ("asked", "expected"), [("small", ["True", "False"]), ("as ever", ["False", "True"])]
)
def test_only_a_shelf_that_was_asked_keeps_its_process_small(asked: str, expected: list[str]) -> None:
    command = [sys.executable, "-W", "error", "-c", CODE, asked]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == expected
