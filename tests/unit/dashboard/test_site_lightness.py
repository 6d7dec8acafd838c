"""A server whose pages are looked at holds no library of data and training, until a model is asked."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from onward.config.model import LEARNERS
from onward.models import CATALOG
from onward.server.coverage import CoverageBook
from onward.server.services import Provider
from onward.settings import load_settings
from onward.testing.markets import random_walk
from onward.testing.registry import stage_bundle
from onward.wiring import build_application

SCENE = """
import asyncio, sys
import httpx
from onward.dashboard import create_site
from onward.dashboard.assets import asset_url
from onward.settings import load_settings
from onward.wiring import build_application

LOOKED_AT = (
    "/login /health/ready /api/v1/models / /ui/overview /data "
    "/data/series?kind=candles&symbol=A%2FB&timeframe=1h /jobs /reports /compare /models /models/light "
    "/models/light/1 /predict?model=light/1 /runs/new /settings"
).split()

async def scene(app):
    async with app.router.lifespan_context(app):
        for chore in app.state.chores:
            chore()
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            for path in (*LOOKED_AT, asset_url("vendor/uPlot.iife.min.js")):
                answer = await client.get(path)
                assert answer.status_code == 200, path
                print(path, [name for name in HEAVY if name in sys.modules])
                if path.startswith("/data"):
                    assert "A/B" in answer.text and "<rect" in answer.text
            assert (await client.get("/nowhere")).status_code == 404

HEAVY = ["pandas", "pyarrow", "sklearn", "scipy", "lightgbm", "numba", "optuna", "talib"]
home = sys.argv[1]
asyncio.run(scene(create_site(build_application(load_settings(home=home, cwd=home, environ={})))))
print("loaded:", [name for name in HEAVY if name in sys.modules])
"""


def test_pages_import_no_library_of_data(tmp_path: Path) -> None:
    """What was found out about stored series by a server before is told again without reading them."""
    application = build_application(load_settings(home=tmp_path, cwd=tmp_path, environ={}))
    bars = random_walk(40, seed=0).bars.reset_index().drop(columns="symbol").drop(index=[7, 8])
    application.repositories.candles("1h").upsert("A/B", bars.rename(columns={"open_time": "timestamp"}))
    staged = application.home.models / ".staging" / "light"
    stage_bundle(staged, name="light")
    application.registry.publish(staged)
    application.registry.set_alias("light", "champion", 1)
    book = CoverageBook(Provider(application))
    assert len(book.gaps([one.key for one in book.coverage()])) == 1
    application.close()
    done = subprocess.run(
        [sys.executable, "-c", SCENE, str(tmp_path)], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "loaded: []" in done.stdout, done.stdout


def test_the_names_of_learners_are_those_of_the_catalogue() -> None:
    assert tuple(CATALOG) == LEARNERS, "told without importing it"
