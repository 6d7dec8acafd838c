"""One door for ``module:name``, one text when it leads nowhere."""

from __future__ import annotations

import math
import sys
from pathlib import Path

import pytest

from onward.addresses import importable, load_address
from onward.errors import LabelError, StageError


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    (tmp_path / "address_whole.py").write_text("class Outer:\n    class Inner:\n        value = 3\n")
    (tmp_path / "address_poor.py").write_text("import no_such_library_at_all\n")
    (tmp_path / "address_broken.py").write_text("1 / 0\n")
    return tmp_path


def test_names_may_be_dotted(directory: Path) -> None:
    path = list(sys.path)
    assert load_address("math:pi", "a number", LabelError) == math.pi
    assert load_address("address_whole:Outer.Inner.value", "a number", LabelError, directory=directory) == 3
    assert sys.path == path


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("nothing", "not of the form module:name"),
        (":name", "not of the form module:name"),
        ("math:", "not of the form module:name"),
        ("math:pi()", "not of the form module:name"),
        ("address_whole:Outr", r"address_whole has no Outr; .*did you mean Outer\?"),
        ("address_whole:Outer.Inner.absent", "has no absent"),
        ("address_whol:Outer", r"there is no module address_whol; did you mean address_whole\?"),
        ("address_whole.deeper:Outer", "cannot be"),
        ("address_poor:x", "address_poor imports no_such_library_at_all, which is not installed"),
        ("address_broken:x", "cannot be imported; got .*ZeroDivisionError"),
        ("..relative:x", "cannot be imported"),
    ],
)
def test_an_address_that_leads_nowhere_says_why(directory: Path, address: str, words: str) -> None:
    with pytest.raises(StageError, match=words) as refusal:
        load_address(address, "a stage", StageError, directory=directory)
    assert "a stage" in refusal.value.what
    assert repr(address) in str(refusal.value.got)
    assert refusal.value.remedy


def test_a_directory_is_looked_in_for_as_long_as_it_is_asked(directory: Path) -> None:
    with importable(directory):
        assert sys.path[0] == str(directory)
    assert str(directory) not in sys.path
    opened = importable(directory)
    opened.__enter__()
    assert not opened.__exit__(RuntimeError, RuntimeError(), None)
    assert str(directory) not in sys.path
