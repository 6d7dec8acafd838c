"""What a stage's code keeps outside the stage: globals, class attributes, defaults, closures, caches.

A scaler fitted once and kept in a module would carry the whole history into every later, shorter
run of an audit, and look clean there. So the audit puts everything that the code can reach back to
what it was, before each run, as if each ran in a process of its own.
"""

from __future__ import annotations

import builtins
import copy
import functools
import inspect
import sys
import types
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

__all__ = ["Memory"]

ABSENT = object()
DEEPEST = 2_000


@dataclass
class Memory:
    """Everything mutable that a stage's own code names, as it was when this was made.

    Followed are the functions and classes that the code names, through helper modules too, but
    not into Onward, the standard library or other installed packages: what they keep is theirs.
    """

    _bindings: list[tuple[Any, str, object]] = field(default_factory=list)
    _contents: list[tuple[Any, Any]] = field(default_factory=list)
    _caches: list[Callable[[], object]] = field(default_factory=list)
    _seen: dict[int, object] = field(default_factory=dict)
    _homes: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, stage: object) -> Memory:
        """Take down what the code of a stage, or a plain function, can reach."""
        memory = cls()
        parts = list(_attributes(stage).values())
        wrapped = [part for part in parts if inspect.isfunction(part) or hasattr(part, "compute")]
        memory._homes = {_package(item) for item in (stage, *wrapped)} - {"onward", ""}
        queue: deque[object] = deque([type(stage), *parts])
        if callable(stage):
            queue.append(stage)
        while queue and len(memory._seen) < DEEPEST:
            queue.extend(memory._visit(queue.popleft()))
        return memory

    def restore(self) -> None:
        """Put everything back."""
        for clear in self._caches:
            clear()
        for original, pristine in self._contents:
            _refill(original, pristine)
        for owner, name, value in self._bindings:
            _bind(owner, name, value)

    def _visit(self, item: object) -> Iterator[object]:
        if id(item) in self._seen or isinstance(item, types.ModuleType):
            return
        self._seen[id(item)] = item  # kept alive, so that the id stays its own
        if isinstance(item, functools.partial):
            yield from (item.func, *item.args, *item.keywords.values())
        elif isinstance(item, types.MethodType):
            yield from (item.__func__, item.__self__)
        elif callable(getattr(item, "cache_clear", None)) and hasattr(item, "__wrapped__"):
            self._caches.append(item.cache_clear)  # type: ignore[attr-defined]
            yield item.__wrapped__
        elif isinstance(item, types.FunctionType):
            if self._is_own(item):
                yield from self._in_function(item)
        elif isinstance(item, type):
            if self._is_own(item):
                yield from item.__mro__[1:]
                yield from self._in_class(item)
        else:
            self._keep(item)
            if self._is_own(type(item)):
                yield type(item)
            yield from (value for value in _attributes(item).values() if callable(value))

    def _in_function(self, function: types.FunctionType) -> Iterator[object]:
        names = set(_names(function.__code__))
        for name in names:
            found = function.__globals__.get(name, ABSENT)
            if found is ABSENT and hasattr(builtins, name):
                continue
            self._bindings.append((function.__globals__, name, found))
            if isinstance(found, types.ModuleType):
                if self._is_own_module(found):
                    for inner in names & set(vars(found)):
                        self._bindings.append((vars(found), inner, vars(found)[inner]))
                        yield vars(found)[inner]
            elif found is not ABSENT:
                yield found
        for cell in function.__closure__ or ():
            try:
                self._bindings.append((cell, "cell_contents", cell.cell_contents))
                yield cell.cell_contents
            except ValueError:  # not filled yet
                continue
        self._keep(function.__dict__)
        yield from function.__dict__.values()
        yield from function.__defaults__ or ()
        yield from (function.__kwdefaults__ or {}).values()
        wrapped = getattr(function, "__wrapped__", None)
        if wrapped is not None:
            yield wrapped

    def _in_class(self, kind: type) -> Iterator[object]:
        for name, value in list(vars(kind).items()):
            if name in ("__dict__", "__weakref__", "__doc__", "__module__"):
                continue
            if isinstance(value, (staticmethod, classmethod)):
                yield value.__func__
            elif isinstance(value, property):
                yield from (part for part in (value.fget, value.fset) if part is not None)
            elif isinstance(value, functools.cached_property):
                yield value.func
            elif not name.startswith("__") or isinstance(value, types.FunctionType):
                yield value
        self._bindings.append((kind, "", _settable(kind)))

    def _keep(self, item: object) -> None:
        """Remember the content of a container, an array, or an object of the user's own."""
        plain = isinstance(item, (dict, list, set, deque, bytearray, np.ndarray))
        if not plain and not (self._is_own(type(item)) and hasattr(item, "__dict__")):
            return
        try:
            self._contents.append((item, copy.deepcopy(item if plain else vars(item))))
        except Exception:  # a lock or a connection inside: it cannot be copied, so it stays as it is
            return

    def _is_own(self, item: object) -> bool:
        module = sys.modules.get(getattr(item, "__module__", None) or "")
        return module is not None and self._is_own_module(module)

    def _is_own_module(self, module: types.ModuleType) -> bool:
        top = module.__name__.partition(".")[0]
        if top in self._homes:
            return True
        if top == "onward" or top in sys.stdlib_module_names:
            return False
        file = getattr(module, "__file__", None)
        return file is not None and "site-packages" not in file and "dist-packages" not in file


def _attributes(item: object) -> dict[str, object]:
    return dict(getattr(item, "__dict__", {}))


def _package(item: object) -> str:
    named = item if hasattr(item, "__module__") else type(item)
    top = str(getattr(named, "__module__", "")).partition(".")[0]
    return "" if top in sys.stdlib_module_names and top != "__main__" else top


def _names(code: types.CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if inspect.iscode(constant):
            yield from _names(constant)


def _settable(kind: type) -> dict[str, object]:
    fixed = ("__dict__", "__weakref__", "__doc__", "__module__")
    return {name: value for name, value in vars(kind).items() if name not in fixed}


def _bind(owner: Any, name: str, value: object) -> None:
    if isinstance(owner, type):
        was = value
        assert isinstance(was, dict)
        now = _settable(owner)
        for key in now.keys() - was.keys():
            delattr(owner, key)
        for key, old in was.items():
            if now.get(key, ABSENT) is not old:
                setattr(owner, key, old)
    elif isinstance(owner, dict):
        if value is ABSENT:
            owner.pop(name, None)
        else:
            owner[name] = value
    else:
        setattr(owner, name, value)


def _refill(original: Any, pristine: Any) -> None:
    """Give an object its old content; the object itself stays, because others may hold it."""
    content = copy.deepcopy(pristine)
    if isinstance(original, np.ndarray):
        if original.shape == content.shape and original.flags.writeable:
            original[...] = content
    elif isinstance(original, (dict, set)):
        original.clear()
        original.update(content)
    elif isinstance(original, (list, bytearray)):
        original[:] = content
    elif isinstance(original, deque):
        original.clear()
        original.extend(content)
    else:
        vars(original).clear()
        vars(original).update(content)
