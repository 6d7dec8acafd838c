"""Fitted scikit-learn estimators on disk: skops, in one spelling, with an explicit allow-list.

skops trusts every estimator of scikit-learn and much else by itself, names arrays after memory
addresses and stamps files with the hour. Here a file is read only when every node in it is of a
known kind and every type on the model's own list, and the same estimator always gives the same
bytes.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from onward.errors import BundleError
from onward.models.libraries import import_library
from onward.models.state_file import damaged

__all__ = ["read_estimator", "write_estimator"]

SCHEMA = "schema.json"
PROTOCOL = 2
EPOCH = (1980, 1, 1, 0, 0, 0)
SIZE_LIMIT = 2**30

NODES = frozenset(
    {
        "DictNode",
        "JsonNode",
        "ListNode",
        "LossNode",
        "NdArrayNode",
        "ObjectNode",
        "TreeNode",
        "TupleNode",
        "TypeNode",
    }
)
"""Nodes that hold values; those that call something (functions, methods, partials) are not here."""

PLAIN = frozenset(
    {
        *(f"builtins.{name}" for name in ("bool", "dict", "float", "int", "list", "str", "tuple")),
        *(
            f"numpy.{name}"
            for name in (
                "bool",
                "bool_",
                "float32",
                "float64",
                "int32",
                "int64",
                "ndarray",
                "uint32",
                "uint64",
                "uint8",
            )
        ),
    }
)


def write_estimator(path: Path, estimator: Any) -> None:
    """Write a fitted estimator; the same estimator gives the same bytes."""
    raw = import_library("skops.io").dumps(estimator)
    with zipfile.ZipFile(io.BytesIO(raw)) as source:
        schema = json.loads(source.read(SCHEMA))
        arrays: dict[str, bytes] = {}
        for node in _nodes(schema):
            node.pop("__id__", None)  # where the object lay in memory
            if "file" in node:
                content = _without_padding(source.read(node["file"]))
                node["file"] = f"{hashlib.sha256(content).hexdigest()[:24]}.npy"
                arrays[node["file"]] = content
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as target:
        text = json.dumps(schema, separators=(",", ":"))
        for name, content in [(SCHEMA, text.encode()), *sorted(arrays.items())]:
            entry = zipfile.ZipInfo(name, EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3  # alike on every system
            target.writestr(entry, content)


def read_estimator(path: Path, allowed: frozenset[str]) -> Any:
    """Read an estimator whose every type is on a list.

    Parameters
    ----------
    path
        What `write_estimator` wrote.
    allowed
        Full names of the types beyond plain values and arrays, such as
        ``sklearn.ensemble._forest.RandomForestClassifier``.

    Raises
    ------
    BundleError
        When the file holds any other type or kind of node (nothing of it was built then), is too
        large or damaged.
    """
    io_ = import_library("skops.io")
    try:
        with zipfile.ZipFile(path) as source:
            _check_size(path, source)
            schema = json.loads(source.read(SCHEMA))
        _check_types(path, schema, allowed)
        return io_.load(path, trusted=sorted(allowed))
    except BundleError:
        raise
    # A file made by hand can fail anywhere inside skops, NumPy or scikit-learn.
    except Exception as error:
        raise damaged(path, f"{type(error).__name__}: {str(error)[:200]}") from error


def _without_padding(content: bytes) -> bytes:
    """Return an array file whose records have zeros between their fields, not leftovers of memory."""
    array = np.load(io.BytesIO(content), allow_pickle=False)
    if array.dtype.names is None:
        return content
    clean = np.zeros(array.shape, array.dtype)  # zeros_like leaves what lies between the fields
    for name in array.dtype.names:
        clean[name] = array[name]
    target = io.BytesIO()
    np.save(target, clean, allow_pickle=False)
    return target.getvalue()


def _check_size(path: Path, source: zipfile.ZipFile) -> None:
    size = sum(entry.file_size for entry in source.infolist())
    if size > SIZE_LIMIT:
        raise damaged(path, f"{size} bytes unpacked")


def _check_types(path: Path, schema: dict[str, Any], allowed: frozenset[str]) -> None:
    if schema.get("protocol") != PROTOCOL:
        raise damaged(path, f"skops protocol {schema.get('protocol')}")
    for node in _nodes(schema):
        kind, type_ = node.get("__loader__"), f"{node.get('__module__')}.{node.get('__class__')}"
        if kind not in NODES or type_ not in PLAIN | allowed:
            raise BundleError(
                "a model file holds something that this model has no use for",
                got=f"{path.name}: {kind} of {type_}",
                allowed="plain values, arrays and " + ", ".join(sorted(allowed)),
                remedy="Do not trust this bundle.",
            )


def _nodes(value: Any) -> Iterator[dict[str, Any]]:
    """Yield every part of a schema that skops would build something from."""
    waiting = [value]
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict):
            if "__loader__" in part or "__class__" in part or "__module__" in part:
                yield part
            waiting.extend(part.values())
        elif isinstance(part, list):
            waiting.extend(part)
