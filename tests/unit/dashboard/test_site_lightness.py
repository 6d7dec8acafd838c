"""A server whose pages nobody has opened but the login holds no library of data and training."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

SCENE = """
import asyncio, sys
import httpx
from onward.dashboard import create_site
from onward.dashboard.assets import asset_url
from onward.settings import load_settings
from onward.wiring import build_application

async def scene(app):
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            for path in ("/login", "/health/ready", asset_url("vendor/uPlot.iife.min.js"), "/api/v1/models"):
                assert (await client.get(path)).status_code == 200, path
            assert (await client.get("/nowhere")).status_code == 404

home = sys.argv[1]
asyncio.run(scene(create_site(build_application(load_settings(home=home, cwd=home, environ={})))))
heavy = ["pandas", "pyarrow", "sklearn", "scipy", "lightgbm", "numba", "optuna", "talib"]
print("loaded:", [name for name in heavy if name in sys.modules])
"""


def test_login_and_files_import_no_library_of_data(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCENE, str(tmp_path)], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "loaded: []" in done.stdout
