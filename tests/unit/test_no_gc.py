"""Memory comes back because nothing holds it: nobody calls the collector to hide that something does."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import onward

ROOT = Path(onward.__file__).parent
RARER = {"cli/__init__.py": {"set_threshold", "freeze"}}
"""Where the collector may be told to come less often, which hides nothing; and by what."""


def named(node: ast.AST) -> list[str | None]:
    """Return the names under which a piece of code may mean a module."""
    match node:
        case ast.Import(names=names):
            return [name.name for name in names]
        case ast.ImportFrom(module=module):
            return [module]
        case ast.Attribute(value=ast.Name(id=name)):
            return [name]
        case ast.Constant(value=str(text)):  # importlib.import_module, sys.modules
            return [text]
    return []


def uses(source: str) -> Iterator[str]:
    """Yield where code imports or names the module gc, whatever it is called there."""
    for node in ast.walk(ast.parse(source)):
        if "gc" in named(node):
            yield f"line {getattr(node, 'lineno', '?')}"


def test_nothing_in_onward_asks_for_a_collection():
    files = sorted(ROOT.rglob("*.py"))
    assert len(files) > 100
    found = {
        file.relative_to(ROOT).as_posix(): list(uses(file.read_text(encoding="utf-8"))) for file in files
    }
    assert {file for file, lines in found.items() if lines} == set(RARER)


@pytest.mark.parametrize("file", RARER)
def test_where_the_collector_comes_less_often_nobody_calls_it(file):
    called = {
        node.attr
        for node in ast.walk(ast.parse((ROOT / file).read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "gc"
    }
    assert called == RARER[file]


def test_nor_does_its_text_say_so():
    assert [str(f) for f in ROOT.rglob("*.py") if "gc.collect" in f.read_text(encoding="utf-8")] == []


@pytest.mark.parametrize(
    "source",
    [
        "import gc",
        "import os, gc as bin",
        "from gc import collect",
        "def f():\n    import gc\n    gc.collect()",
        "importlib.import_module('gc')",
        "sys.modules['gc'].collect()",
    ],
)
def test_every_way_to_the_collector_is_seen(source):
    assert list(uses(source))


def test_other_names_are_let_be():
    assert list(uses("import gcsfs\nfrom math import gcd\nagc.collect()\nx = 'gc content'")) == []
