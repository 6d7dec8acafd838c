"""``python -m benchmarks [NAME ...] [--list] [--quick] [--write]``."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks._catalog import CATALOG, ON_REQUEST, load
from benchmarks._machine import describe, load_average
from benchmarks._page import write_table
from benchmarks._process import ROOT
from benchmarks._table import NOT_MEASURED, Row, render

PAGE = ROOT / "docs" / "benchmarks.md"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run benchmarks and print their table; 1 when one of them could not be run."""
    asked = _parser().parse_args(arguments)
    if asked.list:
        for name, what in CATALOG.items():
            print(f"{name:<15} {what}")
        return 0
    page = Path(asked.page) if asked.write else None
    if not asked.names:
        return _measured([name for name in CATALOG if name not in ON_REQUEST], asked.quick, page)
    if page is None:
        return _measured(asked.names, asked.quick)
    # each has a table of its own on the page
    return max(_measured([name], asked.quick, page, section=name) for name in asked.names)


def _measured(names: Sequence[str], quick: bool, page: Path | None = None, *, section: str = "") -> int:
    started, before = time.strftime("%Y-%m-%d"), load_average()
    rows, failed = measure(names, quick=quick)
    loads = f"load average {before:.1f} before, {load_average():.1f} after"
    circumstances = f"{describe()}; {loads}; {started}"
    table = render(rows)
    print(f"{table}\n\n{circumstances}")
    if page is not None:
        write_table(page, table, circumstances, section=section)
    return 1 if failed else 0


def measure(names: Sequence[str], *, quick: bool) -> tuple[list[Row], bool]:
    """Run benchmarks one after the other; one that fails gives a row that says so."""
    rows: list[Row] = []
    failed = False
    for name in names:
        print(f"{name}: {CATALOG[name]} ...", file=sys.stderr, flush=True)
        try:
            rows += load(name)(quick)
        except Exception as error:
            failed = True
            rows.append(Row(name, NOT_MEASURED, note=f"failed: {type(error).__name__}: {error}"))
    return rows, failed


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure speed and memory.")
    parser.add_argument(
        "names", nargs="*", choices=[[], *CATALOG], metavar="NAME", help="default: all but the long ones"
    )
    parser.add_argument("--list", action="store_true", help="say what there is")
    parser.add_argument("--quick", action="store_true", help="fewer repetitions, rougher figures")
    parser.add_argument("--write", action="store_true", help="put the table into docs/benchmarks.md")
    parser.add_argument("--page", default=str(PAGE), help="another page for --write")
    return parser


if __name__ == "__main__":
    sys.exit(main())
