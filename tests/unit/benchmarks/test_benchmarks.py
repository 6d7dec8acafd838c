import math
import resource
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import onward
from benchmarks import __main__ as program
from benchmarks import _catalog, _clock, _machine, _page, _process
from benchmarks._table import NOT_MEASURED, Row, render

ROOT = Path(__file__).resolve().parents[3]
PAGE = ROOT / "docs" / "benchmarks.md"


def modules() -> set[str]:
    return {path.stem for path in (ROOT / "benchmarks").glob("*.py") if not path.stem.startswith("_")}


def test_every_module_is_listed():
    assert modules() == set(_catalog.CATALOG)
    assert set(_catalog.CATALOG) >= _catalog.ON_REQUEST


@pytest.mark.parametrize("name", _catalog.CATALOG)
def test_every_benchmark_can_be_loaded(name):
    assert callable(_catalog.load(name))


def test_the_table_shows_figures_targets_and_reasons():
    rows = [
        Row("fast", 0.4321, "s", "<= 0.5", "warm"),
        Row("slow", 7.0, "s", "<= 0.5"),
        Row("faster than", 16.4, "x", ">= 4"),
        Row("absent", NOT_MEASURED, "s", "<= 1", "skipped: no data"),
    ]
    lines = render(rows).splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    assert cells[0] == ["what", "value", "unit", "target", "ok?", "note"]
    assert cells[2] == ["fast", "0.432", "s", "<= 0.5", "yes", "warm"]
    assert [line[4] for line in cells[2:]] == ["yes", "NO", "yes", ""]
    assert cells[5][1] == "-"
    assert len({len(line) for line in lines}) == 1


def test_the_exponent_tells_a_line_from_a_square():
    assert _clock.slope({n: 3e-6 * n for n in (100, 200, 400, 800)}) == pytest.approx(1.0)
    assert _clock.slope({n: 3e-6 * n * n for n in (100, 200, 400, 800)}) == pytest.approx(2.0)


def test_growth_is_a_figure_with_a_target():
    sizes = {n: n for n in (2_000_000, 4_000_000, 8_000_000)}
    row = _clock.growth(lambda n: sum(range(n)), sizes, 2).row("sums")
    assert math.isfinite(row.value)
    assert row.target == "<= 1.1"


def test_a_child_process_is_measured():
    finished = _process.run_code("block = bytearray(b'1') * 300_000_000; print('done')")
    assert finished.output == "done\n"
    # A child's peak counts what its parent held when it was started; benchmarks run in a small one.
    own_gb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9
    assert 0.3 < finished.peak_gb < max(0.6, own_gb + 0.1)
    assert finished.cpu_seconds > 0


def test_a_child_process_gets_no_setting_of_the_product(monkeypatch):
    monkeypatch.setenv("ONWARD_BENCH_QLIB_PYTHON", "somewhere")
    finished = _process.run_code("import os; print([k for k in os.environ if k.startswith('ONWARD')])")
    assert finished.output.strip() == "[]"


def test_a_child_process_that_fails_says_why():
    with pytest.raises(RuntimeError, match="exit code 1: ValueError: no such thing"):
        _process.run_code("raise ValueError('no such thing')")


def test_a_benchmark_that_fails_becomes_a_row(monkeypatch, capsys):
    def fails(quick):
        raise RuntimeError("out of paper")

    monkeypatch.setattr(program, "load", lambda name: fails)
    assert program.main(["startup"]) == 1
    assert "failed: RuntimeError: out of paper" in capsys.readouterr().out


def test_chosen_benchmarks_run_and_are_written_down(monkeypatch, capsys, tmp_path):
    page = tmp_path / "page.md"
    begin, end = _page.marks()
    long_begin, long_end = _page.marks("tuning")
    page.write_text(f"# Before\n\n{begin}\nold\n{end}\n\n{long_begin}\nolder\n{long_end}\nafter\n")
    monkeypatch.setattr(program, "load", lambda name: lambda quick: [Row(name, 1.0 + quick, "s")])
    assert program.main(["--quick", "--write", "--page", str(page)]) == 0
    shown, written = capsys.readouterr().out, page.read_text()
    assert "| harness " in shown
    assert shown.index("startup") < shown.index("harness")
    assert "old\n" not in written
    assert "older\n" in written
    assert written.startswith("# Before")
    assert written.endswith("after\n")
    assert "| startup " in written
    assert "| tuning " not in written
    assert _machine.describe() in written
    assert program.main(["tuning", "--write", "--page", str(page)]) == 0
    rewritten = page.read_text()
    assert "older\n" not in rewritten
    assert rewritten.split(long_begin)[0] == written.split(long_begin)[0]
    assert "| tuning " in rewritten.split(long_begin)[1]


def test_a_page_without_marks_is_left_alone(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("nothing to replace")
    with pytest.raises(ValueError, match="must hold"):
        _page.write_table(page, "table", "here")
    assert page.read_text() == "nothing to replace"


def test_the_documentation_can_take_the_table():
    text = PAGE.read_text(encoding="utf-8")
    for section in ("", *(name for name in _catalog.ON_REQUEST if _page.marks(name)[0] in text)):
        begin, end = _page.marks(section)
        assert text.index(begin) < text.index(end)
    assert all(f"`{name}`" in text for name in _catalog.CATALOG)


def test_unknown_names_are_refused_and_the_list_is_printed():
    asked = [sys.executable, "-m", "benchmarks"]
    listed = subprocess.run([*asked, "--list"], capture_output=True, text=True, check=True, cwd=ROOT)
    assert [line.split()[0] for line in listed.stdout.splitlines()] == list(_catalog.CATALOG)
    refused = subprocess.run([*asked, "nothing"], capture_output=True, text=True, check=False, cwd=ROOT)
    assert refused.returncode == 2
    assert "startup" in refused.stderr


def test_a_market_repeated_is_longer_and_otherwise_the_same():
    from benchmarks._markets import repeated

    market = onward.sample_market().last(500)
    longer = repeated(market, 3)
    assert len(longer) == 1_500
    assert longer.open_time.is_monotonic_increasing
    np.testing.assert_array_equal(longer.bars.to_numpy()[500:1_000], market.bars.to_numpy())


def test_without_data_a_benchmark_says_so(monkeypatch, tmp_path):
    from benchmarks import _markets

    monkeypatch.setattr(_markets, "path_of", lambda name: tmp_path / name)
    for name in ("manual", "families"):
        (row,) = _catalog.load(name)(True)
        assert row.note.startswith("skipped: no data")
