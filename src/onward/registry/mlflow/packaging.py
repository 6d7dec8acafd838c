"""What lies in the artifacts of a version: the bundle as it is, and what lets any MLflow load it.

::

    model/MLmodel            flavors python_function (without a pickle) and onward
    model/requirements.txt   what has to be installed to load it
    model/python_env.yaml
    model/bundle/            the bundle, byte for byte
"""

from __future__ import annotations

import platform
from importlib import import_module
from pathlib import Path

from onward._version import __version__
from onward.registry.manifest import Manifest

__all__ = ["ARTIFACTS", "BUNDLE", "LOADER", "write_frame"]

ARTIFACTS, BUNDLE = "model", "bundle"
FLAVOR = "onward"
LOADER = "onward.prediction.pyfunc"
"""Module with ``_load_pyfunc``: it reads the bundle's native formats, and runs nothing from it."""


def write_frame(directory: Path, manifest: Manifest, run_id: str) -> None:
    """Write what lies beside the bundle."""
    needed = [f"onward[mlflow]=={__version__}"]
    needed += [f"{name}=={version}" for name, version in sorted(manifest.packages.items())]
    (directory / "requirements.txt").write_text("\n".join(needed) + "\n", encoding="utf-8")
    (directory / "python_env.yaml").write_text(
        f"python: {platform.python_version()}\ndependencies:\n- -r requirements.txt\n", encoding="utf-8"
    )
    model = import_module("mlflow.models").Model(
        artifact_path=ARTIFACTS,
        run_id=run_id,
        flavors={
            "python_function": {
                "loader_module": LOADER,
                "data": BUNDLE,
                "env": {"virtualenv": "python_env.yaml"},
                "python_version": platform.python_version(),
            },
            FLAVOR: {"digest": manifest.digest, "format_version": manifest.format_version},
        },
        metadata={"timeframe": manifest.timeframe, "symbols": list(manifest.symbols)},
    )
    model.save(str(directory / "MLmodel"))
