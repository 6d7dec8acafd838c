"""Versions as MLflow knows them: every question that the registry asks about them."""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from onward.errors import BundleError, RegistryConflictError, RegistryError
from onward.naming.references import Reference
from onward.registry import aliases
from onward.registry.bundle import read_manifest, verify_bundle
from onward.registry.files import storage_errors
from onward.registry.known_manifests import KnownManifests
from onward.registry.manifest import FORMAT_VERSION, MANIFEST, Manifest, parse_manifest
from onward.registry.mlflow.connection import Connection, is_absent
from onward.registry.mlflow.packaging import BUNDLE
from onward.registry.mlflow.tags import DIGEST, FORMAT
from onward.registry.refusals import unknown_alias, unknown_model, unknown_version
from onward.registry.values import ModelSummary, Version
from onward.storage import LocalCopies

__all__ = ["MlflowCatalogue"]

COPIES = "mlflow"
PAGE = 200
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class MlflowCatalogue:
    """Reads versions that Onward published; other versions in the same MLflow are left alone.

    Parameters
    ----------
    connection
        To MLflow.
    copies
        Where bundles are downloaded to.
    """

    def __init__(self, connection: Connection, copies: LocalCopies) -> None:
        self._connection = connection
        self._copies = copies
        self._known = KnownManifests()

    def summaries(self) -> tuple[ModelSummary, ...]:
        """Return the models that have a version of Onward's, by name."""
        with self._connection.failures("list the models"):
            numbers: dict[str, list[int]] = {}
            for found in self._search(f"tags.`{FORMAT}` = '{FORMAT_VERSION}'"):
                numbers.setdefault(found.name, []).append(int(found.version))
            models = {name: self._model(name) for name in sorted(numbers)}
        return tuple(
            ModelSummary(
                name=name,
                created_at=_moment(model.creation_timestamp),
                n_versions=len(numbers[name]),
                latest=max(numbers[name]),
                aliases=tuple((a, n) for a, n in _targets(model).items() if n in numbers[name]),
            )
            for name, model in models.items()
            if model is not None
        )

    def in_use(self) -> tuple[Version, ...]:
        """Return every version of Onward's that an alias stands for: by model, newest first."""
        with self._connection.failures("list the models"):
            found = self._search(f"tags.`{FORMAT}` = '{FORMAT_VERSION}'")
            models = {name: self._model(name) for name in {one.name for one in found}}
        targets = {name: _targets(model) for name, model in models.items() if model is not None}
        used = [one for one in found if int(one.version) in targets.get(one.name, {}).values()]
        self._known.make_room(len(used))
        used.sort(key=lambda one: (one.name, -int(one.version)))
        return tuple(self._read(one, targets[one.name]) for one in used)

    def versions(self, name: str) -> tuple[Version, ...]:
        """Return the versions of a model, newest first; refuses a model that has never had one."""
        targets = self.targets(name)
        return tuple(self._read(found, targets) for found in self._newest_first(name))

    def by_digest(self, name: str, digest: str) -> Version | None:
        """Return the oldest version of a model that has this content, if any."""
        with self._connection.failures("look for the version"):
            found = self._search(f"name = '{name}' and tags.`{DIGEST}` = '{digest}'")
        if not found:
            return None
        first = min(found, key=lambda one: int(one.version))
        return self._read(first, self.targets(name))

    def targets(self, name: str) -> dict[str, int]:
        """Return what each alias of a model stands for.

        Raises
        ------
        RegistryError
            When there is no such model.
        """
        with self._connection.failures("read the model"):
            model = self._model(name)
        if model is None:
            raise unknown_model(name, [one.name for one in self.summaries()])
        return _targets(model)

    def version(self, reference: Reference) -> Version:
        """Return the version that a reference means.

        Raises
        ------
        RegistryError
            When there is none, when it is not one of Onward's, or when somebody gave the alias to a
            version whose leak certificate did not pass.
        """
        found = self._meant(reference)
        if found is None:
            targets = self.targets(reference.name)
            if reference.alias is not None and reference.alias not in targets:
                raise unknown_alias(reference.name, reference.alias, targets)
            there = [int(one.version) for one in self._newest_first(reference.name)]
            raise unknown_version(reference.name, reference, there)
        if reference.version is None and reference.alias is None:
            targets = self.targets(reference.name)  # a search does not tell what aliases there are
        else:
            targets = dict.fromkeys(sorted(found.aliases), int(found.version))
        version = self._read(found, targets)
        if reference.alias is not None:
            aliases.check_certificate(version)  # MLflow lets anybody give any version an alias
        return version

    def open(self, version: Version) -> Path:
        """Return the directory with a version's bundle, every byte of it checked.

        Raises
        ------
        BundleError
            When what lies in MLflow is not what was published.
        """
        name = self._copy(version.name, version.digest)

        def fetch(draft: Path) -> None:
            with tempfile.TemporaryDirectory(dir=draft.parent) as scratch:
                found = self._download(version.name, version.number, "", Path(scratch))
                try:
                    digest = verify_bundle(found).digest
                except BundleError as error:
                    raise _damaged(version.ref, str(error.got).replace(scratch, "")) from error
                if digest != version.digest:
                    raise _damaged(version.ref, f"digest {digest[:16]} instead of {version.digest[:16]}")
                found.rename(draft)

        def sound(directory: Path) -> bool:
            try:
                return verify_bundle(directory).digest == version.digest
            except RegistryError:
                return False

        return self._copies.get(name, fetch, sound)

    def know(self, manifest: Manifest) -> None:
        """Keep a verified manifest, so that it need not be downloaded again."""
        self._known.keep(manifest.digest, manifest)

    def forget(self, version: Version) -> None:
        """Drop the local copy of a version that is gone."""
        self._copies.drop(self._copy(version.name, version.digest))

    # -- inside -------------------------------------------------------------------------------

    def _meant(self, reference: Reference) -> Any | None:
        name, client = reference.name, self._connection.client
        if reference.version is None and reference.alias is None:
            return next(iter(self._newest_first(name)), None)
        try:
            with self._connection.failures("find the version"):
                if reference.version is not None:
                    found = client.get_model_version(name, str(reference.version))
                else:
                    found = client.get_model_version_by_alias(name, reference.alias)
        except Exception as error:
            if is_absent(error):
                return None
            raise
        if DIGEST not in found.tags:
            raise RegistryConflictError(
                "This version was not published by Onward",
                got=f"models:/{name}/{found.version}",
                allowed=f"versions with the tag {DIGEST}",
                remedy="Load it with MLflow itself, or choose another name for Onward's models.",
            )
        return found

    def _newest_first(self, name: str) -> list[Any]:
        with self._connection.failures("read the versions"):
            found = self._search(f"name = '{name}' and tags.`{FORMAT}` = '{FORMAT_VERSION}'")
        return sorted(found, key=lambda one: -int(one.version))

    def _search(self, query: str) -> list[Any]:
        client, found, token = self._connection.client, [], None
        while True:
            page = client.search_model_versions(query, max_results=PAGE, page_token=token)
            found += page
            token = page.token
            if not token:
                return found

    def _model(self, name: str) -> Any | None:
        try:
            return self._connection.client.get_registered_model(name)
        except Exception as error:
            if is_absent(error):
                return None
            raise

    def _read(self, found: Any, targets: dict[str, int]) -> Version:
        name, number, digest = found.name, int(found.version), found.tags[DIGEST]
        return Version(
            name=name,
            number=number,
            digest=digest,
            directory=self._copies.place(self._copy(name, digest)),
            manifest=self._manifest(name, number, digest),
            published_at=_moment(found.creation_timestamp),
            aliases=tuple(alias for alias, target in targets.items() if target == number),
        )

    def _manifest(self, name: str, number: int, digest: str) -> Manifest:
        known = self._known.get(digest)
        if known is not None:
            return known
        try:
            manifest = read_manifest(self._copies.place(self._copy(name, digest)))
        except RegistryError:
            manifest = None
        if manifest is None or manifest.digest != digest:
            with tempfile.TemporaryDirectory(prefix="onward-mlflow-") as scratch:
                file = self._download(name, number, f"/{MANIFEST}", Path(scratch))
                with storage_errors("read the manifest", file):
                    manifest = parse_manifest(file.read_bytes())
        if manifest.digest != digest:
            raise _damaged(f"models:/{name}/{number}", f"manifest {manifest.digest[:16]}, tag {digest[:16]}")
        self._known.keep(digest, manifest)
        return manifest

    def _download(self, name: str, number: int, path: str, directory: Path) -> Path:
        try:
            with self._connection.failures("hand out the bundle"):
                source = self._connection.client.get_model_version_download_uri(name, str(number))
                return Path(self._connection.download(f"{source}/{BUNDLE}{path}", str(directory)))
        except Exception as error:
            if is_absent(error):
                raise _damaged(f"models:/{name}/{number}", f"without {BUNDLE}{path}") from error
            raise

    @staticmethod
    def _copy(name: str, digest: str) -> str:
        return f"{COPIES}/{name}/{digest[:16]}"


def _targets(model: Any) -> dict[str, int]:
    return {alias: int(number) for alias, number in sorted(model.aliases.items())}


def _moment(milliseconds: int) -> datetime:
    return EPOCH + timedelta(milliseconds=int(milliseconds))


def _damaged(ref: str, what: str) -> BundleError:
    return BundleError(
        "The bundle in MLflow is damaged",
        got=f"{ref}: {what}",
        remedy="Restore its artifacts from a backup or an export, or train the model again.",
    )
