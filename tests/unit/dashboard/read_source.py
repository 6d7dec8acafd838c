"""The product's source as something in which names, calls and constants can be looked up."""

from __future__ import annotations

import ast
import gc
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path

__all__ = [
    "DEEP",
    "SOURCE",
    "Module",
    "Scope",
    "calls",
    "calls_by_name",
    "constants",
    "error_classes",
    "home_of",
    "imported",
    "last_name",
    "modules",
    "origin",
]

SOURCE = Path(str(files("onward")))
DEEP = 6
"""Steps for which a name is followed."""
SHELL = ("cli", "client", "testing")
"""Packages whose errors only people at a shell meet."""


@dataclass(frozen=True, eq=False)
class Module:
    """A module of the product and what can be looked up in it."""

    path: Path
    tree: ast.Module

    @property
    def package(self) -> str:
        """First part of its path: ``data``, ``errors``."""
        return self.path.relative_to(SOURCE).parts[0].removesuffix(".py")


@dataclass(frozen=True)
class Scope:
    """Where a name is looked up: innermost function first."""

    module: Module
    functions: tuple[ast.FunctionDef | ast.AsyncFunctionDef, ...] = ()
    depth: int = 0

    def deeper(self) -> Scope:
        """Return the scope one step further on."""
        return Scope(self.module, self.functions, self.depth + 1)


@cache
def modules() -> tuple[Module, ...]:
    collecting = gc.isenabled()
    gc.disable()  # half of the time would go into looking at nodes that all stay
    try:
        return tuple(
            Module(path, ast.parse(path.read_text(encoding="utf-8")))
            for path in sorted(SOURCE.rglob("*.py"))
            if path.relative_to(SOURCE).parts[0] not in SHELL
        )
    finally:
        if collecting:
            gc.enable()


@cache
def error_classes() -> frozenset[str]:
    classes = {
        node.name: {last_name(base) for base in node.bases}
        for module in modules()
        for node in module.tree.body
        if isinstance(node, ast.ClassDef)
    }
    known = {"OnwardError"}
    while new := {name for name, bases in classes.items() if bases & known} - known:
        known |= new
    return frozenset(known)


@cache
def calls(module: Module) -> tuple[tuple[Scope, ast.Call], ...]:
    return tuple(_calls_below(module.tree, Scope(module)))


def _calls_below(node: ast.AST, scope: Scope) -> Iterator[tuple[Scope, ast.Call]]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        scope = Scope(scope.module, (node, *scope.functions))
    elif isinstance(node, ast.Call):
        yield scope, node
    for child in ast.iter_child_nodes(node):
        yield from _calls_below(child, scope)


@cache
def calls_by_name() -> Mapping[str, list[tuple[Scope, ast.Call]]]:
    found: dict[str, list[tuple[Scope, ast.Call]]] = {}
    for module in modules():
        for scope, call in calls(module):
            found.setdefault(last_name(call.func), []).append((scope, call))
    return found


def last_name(node: ast.expr) -> str:
    """Return the last name of ``a.b.c`` or ``c``."""
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


def origin(name: str, module: Module) -> Module:
    """Return where a function that a module calls by its name is defined, re-exports followed."""
    for _ in range(DEEP):
        if name not in imported(module):
            break
        module = imported(module)[name]
    return module


@cache
def constants(module: Module) -> Mapping[str, ast.expr]:
    found: dict[str, ast.expr] = {}
    for node in module.tree.body:
        if isinstance(node, ast.Assign):
            found |= {target.id: node.value for target in node.targets if isinstance(target, ast.Name)}
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value is not None:
            found[node.target.id] = node.value
    return found


@cache
def _by_dotted_name() -> Mapping[str, Module]:
    return {_dotted(one.path): one for one in modules()}


@cache
def imported(module: Module) -> Mapping[str, Module]:
    found: dict[str, Module] = {}
    by_name = _by_dotted_name()
    for node in ast.walk(module.tree):
        if isinstance(node, ast.ImportFrom) and node.module is not None and node.module in by_name:
            found |= {alias.asname or alias.name: by_name[node.module] for alias in node.names}
    return found


def _dotted(path: Path) -> str:
    parts = path.relative_to(SOURCE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def home_of(name: str, module: Module) -> tuple[Module, ast.expr] | None:
    """Return a constant and the module that it stands in, re-exports followed."""
    for _ in range(DEEP):
        if name in constants(module):
            return module, constants(module)[name]
        if name not in imported(module) or imported(module)[name] == module:
            return None
        module = imported(module)[name]
    return None
