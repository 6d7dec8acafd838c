"""Settings: where values come from, which one counts, and where each one came from.

Precedence, lowest first::

    defaults
    onward.toml in the home directory     what holds for everything you do here
    onward.toml in the working directory  what holds for this project
    .env in the working directory
    environment                           ONWARD_MODEL__LEARNING_RATE=0.03
    plan file or preset                   onward train plan.toml
    request, command line                 --set model.learning_rate=0.03

Names that do not exist are errors in every one of them. Variables without the prefix ``ONWARD_``
belong to somebody else and are not looked at.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from onward.config.describe import shown
from onward.config.explain import unknown
from onward.config.home import ENVIRONMENT_VARIABLE, Home
from onward.config.layers import Layer, Origin, field_paths, flattened, resolve
from onward.config.names import split_assignment
from onward.config.sections import PlanSections, Sections
from onward.errors import ConfigError, PlanError

if TYPE_CHECKING:
    from onward.training.plan import TrainingPlan

__all__ = ["FILE_NAME", "ResolvedSettings", "SettingRow", "Settings", "load_settings"]

FILE_NAME = "onward.toml"
PREFIX = "ONWARD_"
NOT_SETTINGS = frozenset({ENVIRONMENT_VARIABLE, "ONWARD_SERVER_URL", "ONWARD_API_KEY"})
"""Variables with our prefix that are no settings: where settings lie, and which server is meant."""


class Settings(Sections):
    """Every section, frozen. Built by `load_settings`; ``Settings()`` is the defaults alone."""

    @property
    def plan(self) -> TrainingPlan:
        """The machine-learning sections as a plan.

        Raises
        ------
        PlanError
            If they contradict each other.
        """
        from onward.training.plan import TrainingPlan

        return TrainingPlan(**{name: getattr(self, name) for name in PlanSections.model_fields})


@dataclass(frozen=True)
class SettingRow:
    """One setting as it counts.

    Attributes
    ----------
    name
        Dotted name.
    value
        Plain JSON value, secrets masked.
    origin
        Where it came from.
    description
        What it is for.
    """

    name: str
    value: Any
    origin: Origin
    description: str


@dataclass(frozen=True)
class ResolvedSettings:
    """Settings with their home directory and the origin of every value.

    Attributes
    ----------
    settings
        The values that count.
    home
        The home directory; nothing is created by reading settings.
    origins
        Where each value came from, by dotted name; absent names are defaults.
    files
        The settings files that were read, lowest rank first.
    """

    settings: Settings
    home: Home
    origins: Mapping[str, Origin]
    files: tuple[Path, ...] = ()

    @property
    def plan(self) -> TrainingPlan:
        """The machine-learning sections as a plan."""
        return self.settings.plan

    @property
    def database_url(self) -> str:
        """SQLAlchemy address of the database, in clear: never show it."""
        secret = self.settings.storage.database_url
        return self.home.database_url if secret is None else secret.get_secret_value()

    def rows(self) -> list[SettingRow]:
        """Return every setting with its value and origin, for people's eyes."""
        values = flattened_values(self.settings)
        rows: list[SettingRow] = []
        for name, field in field_paths(Settings).items():
            inside = [o for path, o in self.origins.items() if path == name or path.startswith(f"{name}.")]
            origin = inside[-1] if inside else Origin("default")
            rows.append(SettingRow(name, shown(values[name]), origin, field.description or ""))
        return rows


def load_settings(
    *,
    home: str | Path | None = None,
    plan_file: str | Path | None = None,
    preset: str | None = None,
    overrides: Iterable[str] | Mapping[str, Any] = (),
    cwd: str | Path | None = None,
    environ: Mapping[str, str] | None = None,
) -> ResolvedSettings:
    """Read every source of settings and return what counts.

    Parameters
    ----------
    home
        Home directory; else ``ONWARD_HOME`` of the environment, else of ``.env``, else the
        platform's data directory.
    plan_file, preset
        A plan (TOML file) or the name of a prepared one; both rank above the environment, the
        file above the preset.
    overrides
        The highest rank: ``section.name=value`` texts, or values by dotted name.
    cwd
        Where ``onward.toml`` and ``.env`` of the project are looked for; the working directory
        if not given.
    environ
        The environment; ``os.environ`` if not given.

    Raises
    ------
    ConfigError
        For a name that does not exist or a value that is not allowed, with its origin.
    PlanError
        For a plan that cannot be read or holds what is no part of a plan.
    """
    environment = os.environ if environ is None else environ
    here = Path.cwd() if cwd is None else Path(cwd)
    dotenv = _read_dotenv(here / ".env")
    root = _home(home, environment, dotenv)
    files = list(dict.fromkeys(f for f in (root.root / FILE_NAME, here / FILE_NAME) if f.is_file()))
    layers = [_file_layer(file) for file in files]
    layers.append(_variables_layer(dotenv, ".env", str(here / ".env")))
    layers.append(_variables_layer(environment, "environment"))
    if preset is not None or plan_file is not None:
        layers += _plan_layers(preset, plan_file)
    layers.append(_override_layer(overrides))
    settings, origins = resolve(Settings, layers)
    return ResolvedSettings(settings, root, origins, tuple(files))


def home_of(home: str | Path | None = None, *, cwd: Path | None = None) -> Home:
    """Return the home directory without reading settings: ``--home``, ``ONWARD_HOME``, ``.env``, default."""
    return _home(home, os.environ, _read_dotenv((cwd or Path.cwd()) / ".env"))


def flattened_values(settings: Sections) -> dict[str, Any]:
    """Return every field's value by dotted name; free-form tables stay whole."""
    values: dict[str, Any] = {}
    for name in field_paths(type(settings)):
        value: Any = settings
        for part in name.split("."):
            value = getattr(value, part)
        values[name] = value
    return values


def _home(home: str | Path | None, environment: Mapping[str, str], dotenv: Mapping[str, str]) -> Home:
    if home is not None:
        return Home(Path(home))
    named = environment.get(ENVIRONMENT_VARIABLE, "").strip()
    return Home.default(environment if named or not dotenv.get(ENVIRONMENT_VARIABLE) else dotenv)


def _file_layer(path: Path) -> Layer:
    try:
        values = flattened(tomllib.loads(path.read_text(encoding="utf-8-sig")))
    except OSError as error:
        raise ConfigError(
            "the settings file cannot be read",
            got=f"{path} ({error.strerror})",
            remedy="Make it readable, or remove it.",
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ConfigError(
            "the settings file is not valid TOML",
            got=f"{path}: {error}",
            allowed='[section] headings and key = value lines, text in "quotes"',
            remedy="Repair that line.",
        ) from error
    return Layer.of(values, Origin(FILE_NAME, str(path)))


def _read_dotenv(path: Path) -> dict[str, str]:
    if not path.is_file():
        return {}
    from dotenv import dotenv_values

    try:
        pairs = dotenv_values(path, interpolate=False, encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            "the .env file cannot be read",
            got=f"{path} ({error})",
            allowed="NAME=value lines in UTF-8",
            remedy="Repair it, or remove it.",
        ) from error
    return {name: value for name, value in pairs.items() if value is not None}


def _variables_layer(variables: Mapping[str, str], source: str, file: str = "") -> Layer:
    """Return the settings among variables: prefix off, two underscores between the levels."""
    values: dict[str, tuple[Any, Origin]] = {}
    fields = field_paths(Settings)
    for variable, text in variables.items():
        if not variable.upper().startswith(PREFIX) or variable.upper() in NOT_SETTINGS:
            continue
        name = variable[len(PREFIX) :].lower().replace("__", ".")
        origin = Origin(source, f"{variable} in {file}" if file else variable)
        if not _settable(name, fields):
            known = [_variable(path) for path in fields]
            raise unknown(variable.upper(), known, origin=file or source, kind="variable", separator="__")
        values[name] = (text, origin)
    return Layer(values, is_text=True)


def _settable(name: str, fields: Mapping[str, Any]) -> bool:
    return any(name == path or name.startswith(f"{path}.") for path in fields)


def _variable(path: str) -> str:
    return PREFIX + path.upper().replace(".", "__")


def _plan_layers(preset: str | None, plan_file: str | Path | None) -> list[Layer]:
    from onward.training.plan import preset_values, read_plan_file

    layers = []
    if preset is not None:
        layers.append(Layer.of(preset_values(preset), Origin("preset", preset)))
    if plan_file is not None:
        values = read_plan_file(Path(plan_file))
        elsewhere = set(Sections.model_fields) - set(PlanSections.model_fields)
        for name in values:
            if name.partition(".")[0] in elsewhere:
                raise PlanError(
                    f"{name} is no part of a plan (from {plan_file})",
                    got=name,
                    allowed="sections " + ", ".join(PlanSections.model_fields),
                    remedy=f"Move it to {FILE_NAME}.",
                )
        layers.append(Layer.of(values, Origin("plan", str(plan_file))))
    return layers


def _override_layer(overrides: Iterable[str] | Mapping[str, Any]) -> Layer:
    if isinstance(overrides, Mapping):
        return Layer.of(overrides, Origin("request"))
    values: dict[str, tuple[Any, Origin]] = {}
    for text in overrides:
        pair = split_assignment(text)
        if pair is None:
            raise ConfigError(
                "--set takes a name and a value",
                got=text,
                allowed="section.name=value",
                remedy="Write for instance --set model.learning_rate=0.03",
            )
        name, value = pair
        values[name] = (value, Origin("--set"))
    return Layer(values, is_text=True)
