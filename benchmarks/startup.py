"""How long a person waits for ``onward --help`` and for ``import onward``."""

from __future__ import annotations

from benchmarks._process import Finished, onward_command, run_code, run_command
from benchmarks._table import Row


def run(quick: bool = False) -> list[Row]:
    repetitions = 4 if quick else 10
    bare = _shortest([run_code("pass") for _ in range(repetitions)])
    helped = _shortest([run_command(onward_command("--help")) for _ in range(repetitions)])
    imported = _shortest([run_code("import onward") for _ in range(repetitions)])
    loaded = _shortest([run_code("import onward; onward.train") for _ in range(repetitions)])
    note = f"shortest of {repetitions}; an empty interpreter takes {bare:.2f} s"
    return [
        Row("onward --help", helped, "s", "<= 0.5", note),
        Row("import onward", imported, "s", "<= 0.5", "the interpreter's start included"),
        Row("onward.train looked up", loaded, "s", "", "imports pandas, Numba, scikit-learn, SQLAlchemy"),
    ]


def _shortest(runs: list[Finished]) -> float:
    return min(finished.seconds for finished in runs)
