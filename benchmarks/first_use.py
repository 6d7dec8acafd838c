"""First use with an empty kernel cache: what compiling every kernel costs, once a machine."""

from __future__ import annotations

import tempfile

from benchmarks._process import Finished, run_code
from benchmarks._table import Row

BARS = 4_000


def work() -> None:
    """Compute all features, and train, judge and select on a few bars; runs in the child."""
    import onward
    from onward.features.manual import Alpha158Stage
    from onward.training.assembly import make_trainer

    market = onward.sample_market().last(BARS)
    Alpha158Stage.for_market(market).compute(market)
    make_trainer(onward.TrainingPlan(), market).train(market)


def run(quick: bool = False) -> list[Row]:  # noqa: ARG001 - a cache is empty once
    code = "from benchmarks.first_use import work; work()"
    with tempfile.TemporaryDirectory() as cache:
        first = run_code(code, {"NUMBA_CACHE_DIR": cache})
        again = run_code(code, {"NUMBA_CACHE_DIR": cache})
    did = f"imports, all features, alpha158, a training; {BARS:,} bars"
    return [
        Row("first use, no kernel compiled yet", first.seconds, "s", "<= 20", _note(did, first)),
        Row("the same, kernels cached", again.seconds, "s", "", _note(did, again)),
    ]


def _note(did: str, finished: Finished) -> str:
    return f"{did}; CPU {finished.cpu_seconds:.1f} s"
