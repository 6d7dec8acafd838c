"""Layers of values and how they are resolved: the higher rank wins, and every value knows its origin."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from onward.config.base import Section
from onward.config.describe import allowed
from onward.config.explain import unknown
from onward.config.names import canonical, join_name, key_text, split_name
from onward.config.sections import Composition
from onward.config.text import options_of, parse_text, scalar
from onward.errors import ConfigError

__all__ = ["Layer", "Origin", "field_paths", "flattened", "nested", "resolve"]

C = TypeVar("C", bound=Composition)


@dataclass(frozen=True)
class Origin:
    """Where a value came from.

    Attributes
    ----------
    source
        ``default``, ``onward.toml``, ``.env``, ``environment``, ``plan``, ``--set`` ...
    detail
        The file or variable; empty for defaults.
    """

    source: str
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.source}: {self.detail}" if self.detail else self.source


@dataclass(frozen=True)
class Layer:
    """What one source says.

    Attributes
    ----------
    values
        Values by dotted name (`onward.config.names`), each with its origin.
    is_text
        The source knows text alone (environment, ``.env``, command line); in free-form tables,
        where no field says what a value is, text that reads as JSON is taken for that.
    """

    values: Mapping[str, tuple[Any, Origin]]
    is_text: bool = False

    @classmethod
    def of(cls, values: Mapping[str, Any], origin: Origin) -> Layer:
        """Build a layer whose values all come from one place."""
        return cls({name: (value, origin) for name, value in values.items()})


def field_paths(kind: type[BaseModel], prefix: str = "") -> dict[str, FieldInfo]:
    """Return every field that can be set, by dotted name, nested sections included."""
    found: dict[str, FieldInfo] = {}
    for name, field in kind.model_fields.items():
        path = f"{prefix}{name}"
        if isinstance(field.annotation, type) and issubclass(field.annotation, Section):
            found |= field_paths(field.annotation, f"{path}.")
        else:
            found[path] = field
    return found


def flattened(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return nested tables as values by dotted name; an empty table is a value.

    Keys that hold dots are quoted: they stay one level.
    """
    flat: dict[str, Any] = {}
    for name, value in values.items():
        path = f"{prefix}{key_text(str(name))}"
        if isinstance(value, Mapping) and value:
            flat |= flattened(value, f"{path}.")
        else:
            flat[path] = value
    return flat


def nested(flat: Mapping[str, Any]) -> dict[str, Any]:
    """Return values by dotted name as nested tables: the inverse of `flattened`."""
    tables: dict[str, Any] = {}
    for path, value in flat.items():
        *parents, name = split_name(path)
        table = tables
        for parent in parents:
            table = table.setdefault(parent, {})
        table[name] = value
    return tables


def resolve(kind: type[C], layers: Sequence[Layer]) -> tuple[C, dict[str, Origin]]:
    """Merge layers, lowest rank first, into one frozen composition of sections.

    Free-form tables (``model.extra``) merge entry by entry; given as one value
    (``model.extra={}``) they replace what lower ranks said.

    Returns
    -------
    settings
        The composition.
    origins
        Where each value came from, by dotted name; names that are absent are defaults.

    Raises
    ------
    ConfigError
        If a name does not exist or a value that counts is not allowed; says where it came from.
    """
    fields = field_paths(kind)
    merged: dict[str, tuple[Any, Origin]] = {}
    for layer in layers:
        for written, (value, origin) in layer.values.items():
            name = _name(written, fields, origin)
            if value == {} and _is_section(name, fields):
                continue  # a heading with nothing under it
            field = _field_of(name, fields, origin)
            if name in fields and _is_table(field):
                for old in [k for k in merged if k.startswith(f"{name}.")]:
                    del merged[old]
                for path, entry in _entries(name, value, field, origin):
                    _put(merged, path, entry, origin)
            else:
                free = layer.is_text and name not in fields
                _put(merged, name, scalar(value) if free else value, origin)
    _require_allowed(kind, merged)
    settings = kind(**nested({name: value for name, (value, _) in merged.items()}))
    return settings, {name: origin for name, (_, origin) in merged.items()}


def _require_allowed(kind: type[Composition], merged: Mapping[str, tuple[Any, Origin]]) -> None:
    """Refuse a section that its values do not allow, and say where those came from that are to blame.

    Values are looked at together, as some are allowed only beside others: a shorter lease of jobs
    needs a shorter fence. What is wrong with one of them is wrong with it alone as well.
    """
    by_section: dict[str, dict[str, tuple[Any, Origin]]] = {}
    for name, found in merged.items():
        section, _, rest = name.partition(".")
        by_section.setdefault(section, {})[rest] = found
    for section, given in by_section.items():
        build = kind.sections()[section].sealed
        together = _refusal(build, {name: value for name, (value, _) in given.items()})
        if together is None:
            continue
        for name, (value, origin) in given.items():
            alone = _refusal(build, {name: value})
            if alone is not None and (alone.what, alone.got) == (together.what, together.got):
                raise _placed(alone, origin)
        raise _placed(together, ", ".join(dict.fromkeys(str(origin) for _, origin in given.values())))


def _refusal(build: Callable[..., object], flat: Mapping[str, Any]) -> ConfigError | None:
    """Return why a section cannot be built of these values; None when it can."""
    try:
        build(**nested(flat))
    except ConfigError as error:
        return error
    return None


def _put(merged: dict[str, tuple[Any, Origin]], name: str, value: Any, origin: Origin) -> None:
    """Set an entry; a value takes the place of a table of its name, and a table that of a value."""
    levels = split_name(name)
    for length in range(1, len(levels)):
        merged.pop(join_name(levels[:length]), None)
    for below in [path for path in merged if path.startswith(f"{name}.")]:
        del merged[below]
    merged[name] = (value, origin)


def _field_of(name: str, fields: Mapping[str, FieldInfo], origin: Origin) -> FieldInfo:
    """Return the field that a dotted name sets: itself, or the free-form table that it lies in."""
    if name in fields:
        return fields[name]
    table = _table_around(split_name(name), fields)
    if table is not None:
        return fields[table]
    if _is_section(name, fields):
        below = [path for path in fields if path.startswith(f"{name}.")]
        raise ConfigError(
            f"{name} is a section, not a value (from {origin})",
            allowed=", ".join(below),
            remedy="Set the fields inside it.",
            settings=(name,),
        )
    raise unknown(name, list(fields), origin=str(origin))


def _name(written: str, fields: Mapping[str, FieldInfo], origin: Origin) -> str:
    """Return the one spelling of a name; refuse an address whose dots would split it."""
    try:
        name = canonical(written)
    except ConfigError as error:
        raise _placed(error, origin) from None
    if ":" in name and written == written.replace('"', "").replace("'", ""):
        _require_whole_addresses(split_name(name), fields, origin)
    return name


def _require_whole_addresses(levels: Sequence[str], fields: Mapping[str, FieldInfo], origin: Origin) -> None:
    """Refuse a name without quotes in which the dots of ``package.module:function`` part its levels."""
    table = _table_around(levels, fields)
    below = levels[len(split_name(table)) :] if table is not None else []
    torn = next((place for place, level in enumerate(below) if place and ":" in level), 0)
    if torn:
        whole = join_name([".".join(below[: torn + 1]), *below[torn + 1 :]])
        raise ConfigError(
            f"the dots of an address part this name into too many levels (from {origin})",
            got=".".join(levels),
            allowed="quotes around a level that holds dots",
            remedy=f"Write {table}.{whole}, on a command line between single quotes.",
            settings=() if table is None else (table,),
        )


def _table_around(levels: Sequence[str], fields: Mapping[str, FieldInfo]) -> str | None:
    """Return the free-form table that a name lies in; None when it lies in none."""
    for length in range(len(levels) - 1, 0, -1):
        table = join_name(levels[:length])
        if table in fields and _is_table(fields[table]):
            return table
    return None


def _is_section(name: str, fields: Mapping[str, FieldInfo]) -> bool:
    return any(path.startswith(f"{name}.") for path in fields)


def _is_table(field: FieldInfo) -> bool:
    return any(getattr(option, "__origin__", option) is dict for option in options_of(field.annotation))


def _entries(name: str, value: Any, field: FieldInfo, origin: Origin) -> Iterator[tuple[str, Any]]:
    try:
        table = parse_text(value, field.annotation) if isinstance(value, str) else value
    except ConfigError as error:
        raise _placed(error, origin, name) from None
    if not isinstance(table, Mapping):
        raise ConfigError(
            f"{name} is a table (from {origin})",
            got=str(value),
            allowed=allowed(field),
            remedy=f"Write key=value pairs, or set {name}.<key>.",
            settings=(name,),
        )
    yield from flattened(table, f"{name}.").items()  # nothing of an empty one


def _placed(error: ConfigError, origin: Origin | str, name: str = "") -> ConfigError:
    what = f"{name}: {error.what}" if name else error.what
    return type(error)(
        f"{what} (from {origin})",
        got=error.got,
        allowed=error.allowed,
        remedy=error.remedy,
        settings=error.settings or ((name,) if name else ()),
    )
