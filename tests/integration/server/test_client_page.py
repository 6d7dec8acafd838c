"""Every block of Python in the how-to of the client, one after the other, against a server process."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from onward.testing.markets import planted_signal
from tests.integration.server.houses import QUICK, until
from tests.unit.training.small_runs import SMALL

PAGE = Path(__file__).parents[3] / "docs" / "how-to" / "use-the-client.md"
ONWARD = [sys.executable, "-m", "onward"]


def test_the_examples_of_the_page_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bare = {name: value for name, value in os.environ.items() if not name.startswith("ONWARD_")}
    environment = bare | {"ONWARD_HOME": str(tmp_path / "home")}
    settings = [f"--set={name}={_text(value)}" for name, value in {**SMALL, **QUICK}.items()]
    planted_signal(600, seed=0, strength=0.004).bars.reset_index().drop(columns="symbol").to_csv(
        tmp_path / "BTC_USDT-1h.csv", index=False
    )
    made = subprocess.run(
        [*ONWARD, "keys", "create", "me", "--scope", "admin", "--json"],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    key = re.search(r"onward_[\w-]+", made.stdout)
    assert key is not None
    log = (tmp_path / "log").open("w")
    with subprocess.Popen(
        [*ONWARD, *settings, "serve", "--port", "0"], env=environment, stdout=log, stderr=log
    ) as server:
        try:
            found = until(
                lambda: re.search(r"http://127\.0\.0\.1:\d+", (tmp_path / "log").read_text()), seconds=60
            )
            blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
            assert len(blocks) >= 5
            done = subprocess.run(
                [sys.executable, "-c", "\n".join(blocks)],
                env=bare | {"ONWARD_SERVER_URL": found.group(), "ONWARD_API_KEY": key.group()},
                cwd=tmp_path,
                capture_output=True,
                text=True,
                timeout=180,
                check=False,
            )
        finally:
            server.terminate()
            log.close()
    assert done.returncode == 0, done.stderr + (tmp_path / "log").read_text()[-2000:]
    assert "600 ('BTC/USDT',)" in done.stdout
    assert "models:/btc-1h/1" in done.stdout
    assert "There is no such job" in done.stdout


def _text(value: object) -> str:
    return ",".join(value) if isinstance(value, list) else str(value).lower()
