"""The migrations travel inside the wheel."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

from onward.database import HEAD

ROOT = Path(__file__).resolve().parents[3]


def test_a_database_is_made_from_the_wheel_alone(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    installed = tmp_path / "installed"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(installed)
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); import onward.database as d; "
        "assert d.__file__.startswith(sys.argv[1]), d.__file__; "
        "print(d.upgrade(d.open_database(sys.argv[2])))"
    )
    command = [sys.executable, "-c", code, str(installed), f"sqlite:///{tmp_path}/onward.db"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.stdout.strip(), done.stderr) == (HEAD, "")
