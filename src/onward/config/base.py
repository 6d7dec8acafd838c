"""The base of every config class: frozen, strict, described, with its own prefix."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, ClassVar, Self

from pydantic import Field, ValidationError, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from onward.config.describe import allowed
from onward.config.explain import explained
from onward.config.text import options_of, parse_text
from onward.errors import ConfigError

__all__ = ["Section", "sealed", "section"]

_sealed: ContextVar[bool] = ContextVar("onward_config_sealed", default=False)


@contextmanager
def sealed() -> Iterator[None]:
    """Within this block, sections are built from given values and defaults alone.

    Outside it a section reads the environment for fields that it was not given, as a
    pydantic-settings class does. Whoever composes sections (`onward.settings`, a plan) has read
    the environment already, at its own rank; sections that read it again would overrule files.
    """
    token = _sealed.set(True)
    try:
        yield
    finally:
        _sealed.reset(token)


class Section(BaseSettings):
    """One section of the settings: a frozen set of described, bounded fields.

    ``ModelConfig()`` reads ``ONWARD_MODEL__*`` for fields that it was not given;
    ``ModelConfig.sealed()`` reads nothing. Unknown names and values out of range raise
    `ConfigError`, whichever way they came.

    A class that derives from this one sets its ``env_prefix``: ``ONWARD_``, its place in the
    settings in capitals with two underscores between the levels, and two underscores.
    """

    model_config = SettingsConfigDict(
        frozen=True,
        extra="forbid",
        allow_inf_nan=False,
        validate_default=True,
        enable_decoding=False,  # text is read by parse_text, alike for every source
    )

    ROOT: ClassVar[str] = "ONWARD_"

    def __init__(self, **values: Any) -> None:
        try:
            super().__init__(**values)
        except ValidationError as error:
            raise explained(error, type(self).model_fields, type(self).path()) from None

    @classmethod
    def path(cls) -> str:
        """Return the dotted place of this section in the settings, such as ``features.manual``."""
        prefix = cls.model_config.get("env_prefix", "")
        return prefix.removeprefix(cls.ROOT).removesuffix("__").lower().replace("__", ".")

    @classmethod
    def sealed(cls, **values: Any) -> Self:
        """Build from these values and the defaults alone, without a look at the environment."""
        with sealed():
            return cls(**values)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - the signature is pydantic-settings'
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read given values, then (unless sealed) the environment; files belong to `onward.settings`."""
        return (init_settings,) if _sealed.get() else (init_settings, env_settings)

    @model_validator(mode="before")
    @classmethod
    def _read_text(cls, values: Any) -> Any:
        if not isinstance(values, Mapping):
            return values
        read: dict[str, Any] = {}
        for name, value in values.items():
            field = cls.model_fields.get(name)
            if field is not None and isinstance(value, str):
                read[name] = cls._parsed(name, value, field.annotation)
            elif isinstance(value, bool) and field is not None and bool not in options_of(field.annotation):
                raise ConfigError(  # pydantic would take true for 1
                    f"{cls.path()}.{name} is not a switch",
                    got=str(value).lower(),
                    allowed=allowed(field),
                    remedy="Write the value itself.",
                    settings=(f"{cls.path()}.{name}",),
                )
            else:
                read[name] = value
        return read

    @classmethod
    def _parsed(cls, name: str, text: str, annotation: Any) -> Any:
        try:
            return parse_text(text, annotation)
        except ConfigError as error:
            raise ConfigError(
                f"{cls.path()}.{name}: {error.what}",
                got=error.got,
                allowed=error.allowed,
                remedy=error.remedy,
                settings=(f"{cls.path()}.{name}",),
            ) from error


def section(kind: type[Section]) -> Any:
    """Return the field that holds a section: built from its defaults, described by its docstring."""
    summary = (kind.__doc__ or "").partition("\n")[0]
    return Field(default_factory=kind, description=summary)
