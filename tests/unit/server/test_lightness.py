"""A server that waits holds no training library."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from onward.server.coverage import CoverageBook
from onward.server.services import Provider
from onward.settings import load_settings
from onward.testing.markets import random_walk
from onward.wiring import build_application

SCENE = """
import asyncio, sys
import httpx
from onward.server import create_app
from onward.settings import load_settings
from onward.wiring import build_application

async def scene(app):
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            for path in ("/health/live", "/health/ready", "/metrics", "/api/v1/jobs", "/api/v1/models"):
                assert (await client.get(path)).status_code == 200, path
            told = await client.get("/api/v1/data/series")
            assert [one["symbol"] for one in told.json()["series"]] == ["A/B"], told.text

home = sys.argv[1]
asyncio.run(scene(create_app(build_application(load_settings(home=home, cwd=home, environ={})))))
heavy = ["pandas", "pyarrow", "sklearn", "scipy", "lightgbm", "numba", "optuna", "talib"]
print("loaded:", [name for name in heavy if name in sys.modules])
"""


def test_start_jobs_models_and_series_import_no_training_library(tmp_path: Path) -> None:
    """What was told of stored series by a server before is told again without reading them."""
    application = build_application(load_settings(home=tmp_path, cwd=tmp_path, environ={}))
    bars = random_walk(20, seed=0).bars.reset_index().drop(columns="symbol")
    application.repositories.candles("1h").upsert("A/B", bars.rename(columns={"open_time": "timestamp"}))
    assert len(CoverageBook(Provider(application)).coverage()) == 1
    application.close()
    done = subprocess.run(
        [sys.executable, "-c", SCENE, str(tmp_path)], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "loaded: []" in done.stdout
