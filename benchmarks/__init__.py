"""What measures speed and memory: ``python -m benchmarks`` prints one table.

A benchmark is a module of `benchmarks._catalog` with ``run(quick) -> list[Row]``. Nothing here is
a timed test: a missed target is shown, never an error.
"""
