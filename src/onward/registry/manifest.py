"""The manifest: what a bundle says about itself, and the hash of every file in it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    SerializerFunctionWrapHandler,
    ValidationError,
    field_serializer,
)

from onward.database.moments import require_utc
from onward.errors import BundleError
from onward.naming.names import check_name
from onward.registry.plain import canonical, plain
from onward.types import Certificate

__all__ = [
    "FORMAT_VERSION",
    "MANIFEST",
    "BundleFacts",
    "BundleFile",
    "FeatureSchema",
    "Manifest",
    "parse_manifest",
]

FORMAT_VERSION = 1
MANIFEST = "manifest.json"

Plain = Annotated[dict[str, JsonValue], BeforeValidator(plain)]
Moment = Annotated[AwareDatetime, AfterValidator(require_utc)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class FeatureSchema(_Frozen):
    """What the model must be fed.

    Attributes
    ----------
    columns
        Full column names, in the order in which the model takes them.
    dtype
        Type of the matrix at the model's door.
    lookback_bars
        Bars that live prediction reads, the newest included.
    series
        Side series without which columns would be missing.
    """

    columns: tuple[str, ...]
    dtype: Literal["float32", "float64"] = "float32"
    lookback_bars: int = Field(ge=1)
    series: tuple[str, ...] = ()


class BundleFacts(_Frozen):
    """Everything the card and the manifest say, except the list of files.

    Attributes
    ----------
    name
        Name that the model was trained under.
    created_at
        Moment at which training finished, UTC.
    model
        Name of the model or ensemble, as in the plan.
    timeframe
        Length of a bar, such as ``1h``.
    symbols
        Symbols that it was trained on.
    plan, plan_hash
        The resolved training plan and its content hash.
    data, data_hash, label_family
        Description of the training data (first and last bar, rows, sources), its content hash,
        and the family of labels; the trial counter works on the last two.
    code_version, libraries
        Version of Onward, and of Python and each library that computed something.
    packages
        Outside packages whose stages, models or labelers take part, with their versions.
    scores, verdicts
        Pooled out-of-fold scores; what they are evidence of. NaN is null.
    certificate
        Outcome of the leak audit; only ``passed`` may be given an alias.
    features
        What the model must be fed.
    run_id, job_id
        Row of the table ``runs``, and the job that trained it, if any.
    """

    name: Annotated[str, AfterValidator(check_name)]
    created_at: Moment
    model: str
    timeframe: str
    symbols: tuple[str, ...]
    plan: Plain
    plan_hash: str = Field(min_length=1)
    data: Plain = Field(default_factory=dict)
    data_hash: str = Field(min_length=1)
    label_family: str = Field(min_length=1)
    code_version: str
    libraries: dict[str, str]
    packages: dict[str, str] = Field(default_factory=dict)
    scores: Plain = Field(default_factory=dict)
    verdicts: Plain = Field(default_factory=dict)
    certificate: Certificate = Certificate("not_run")
    features: FeatureSchema
    run_id: str | None = None
    job_id: str | None = None

    @field_serializer("certificate", mode="wrap")
    def _certificate(
        self, certificate: Certificate, handler: SerializerFunctionWrapHandler
    ) -> dict[str, JsonValue]:
        # Certificates from before rows were probed lack the field, and every byte of a manifest counts.
        told: dict[str, JsonValue] = handler(certificate)
        return {k: v for k, v in told.items() if k != "rows_probed" or v is not None}


def _inside(path: str) -> str:
    pure = PurePosixPath(path)
    safe = (
        path
        and path == pure.as_posix()
        and not pure.is_absolute()
        and not {"..", "."} & set(pure.parts)
        and not set(path) & set('\\:*?"<>|')
        and all(character.isprintable() for character in path)
    )
    if not safe:
        raise BundleError(
            "The manifest names a file outside the bundle",
            got=repr(path),
            allowed="relative paths with forward slashes",
            remedy="Do not trust this bundle.",
        )
    return path


class BundleFile(_Frozen):
    """One file of a bundle: relative path with forward slashes, SHA-256, size in bytes."""

    path: Annotated[str, AfterValidator(_inside)]
    sha256: Sha256
    size: int = Field(ge=0)


class Manifest(BundleFacts):
    """A bundle's facts, its files, and the digest over both.

    Attributes
    ----------
    format_version
        Layout of the bundle; this code reads and writes version 1 alone.
    files
        Every file except the manifest itself, sorted by path.
    digest
        SHA-256 of the manifest without this field: the identity of the whole bundle, because it
        covers the hash of every file.
    """

    format_version: Literal[1] = 1
    files: tuple[BundleFile, ...]
    digest: Sha256

    @classmethod
    def seal(cls, facts: BundleFacts, files: tuple[BundleFile, ...]) -> Self:
        """Return the manifest of these facts and files."""
        ordered = tuple(sorted(files, key=lambda file: file.path))
        fields: dict[str, Any] = {name: getattr(facts, name) for name in BundleFacts.model_fields}
        draft = cls(**fields, files=ordered, digest="0" * 64)
        return draft.model_copy(update={"digest": draft.computed_digest()})

    def computed_digest(self) -> str:
        """Return the digest that the content asks for."""
        content = self.model_dump(mode="json", exclude={"digest"})
        return hashlib.sha256(canonical(content)).hexdigest()

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return self.model_dump(mode="json")

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """Rebuild a manifest from plain JSON values, strictly.

        Raises
        ------
        BundleError
            When the format is unknown, or a field is missing, unknown or of another type.
        """
        _check_format(values.get("format_version"))
        try:
            return cls.model_validate_json(json.dumps(values), strict=True)
        except ValidationError as error:
            first = error.errors()[0]
            field = ".".join(str(part) for part in first["loc"]) or MANIFEST
            raise BundleError(
                "The manifest breaks the bundle format",
                got=f"{field}: {first['msg']}",
                allowed=f"format version {FORMAT_VERSION}, see docs/reference/bundle-format.md",
                remedy="Export or train the model again.",
            ) from error

    def to_bytes(self) -> bytes:
        """Return the content of ``manifest.json``: one spelling, so that every byte counts."""
        return canonical(self.to_json())


def parse_manifest(content: bytes) -> Manifest:
    """Read the content of ``manifest.json`` strictly.

    Raises
    ------
    BundleError
        When the format version is unknown, a field is not as it must be, or a single byte
        differs from what was written.
    """
    try:
        values = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise _damaged(f"{MANIFEST} is not JSON ({error})") from error
    if not isinstance(values, dict):
        raise _damaged(f"{MANIFEST} holds a {type(values).__name__} instead of an object")
    manifest = Manifest.from_json(values)
    if manifest.to_bytes() != content or manifest.computed_digest() != manifest.digest:
        raise _damaged(f"{MANIFEST} is not the one that was written")
    return manifest


def _check_format(version: object) -> None:
    if version == FORMAT_VERSION and type(version) is int:
        return
    newer = isinstance(version, int) and version > FORMAT_VERSION
    raise BundleError(
        "The bundle is of another format version",
        got=repr(version),
        allowed=str(FORMAT_VERSION),
        remedy="Upgrade Onward." if newer else "This is not a bundle of Onward, or it is damaged.",
    )


def _damaged(what: str) -> BundleError:
    return BundleError(
        "The bundle is damaged", got=what, remedy="Restore it from a backup or an export, or train it again."
    )
