"""Alpha158 by Qlib, run by an interpreter that has it: ``python _qlib_alpha158.py bars.npz``.

Writes the bars into a temporary Qlib store, asks for the 158 columns as its users do
(``D.features``, caches emptied before each run) and prints the shortest of some runs as JSON.
Imports nothing of Onward.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import qlib
from qlib.contrib.data.loader import Alpha158DL
from qlib.data import D
from qlib.data.cache import H

FREQUENCY = "60min"


def write_store(root: Path, bars: dict[str, np.ndarray]) -> None:
    moments = bars["open_time"].astype("datetime64[ns]").astype("datetime64[s]")
    lines = [str(moment).replace("T", " ") for moment in moments]
    for folder in ("calendars", "instruments", "features/btc"):
        (root / folder).mkdir(parents=True)
    (root / "calendars" / f"{FREQUENCY}.txt").write_text("\n".join(lines) + "\n")
    (root / "instruments" / "all.txt").write_text(f"BTC\t{lines[0]}\t{lines[-1]}\n")
    vwap = (bars["high"] + bars["low"] + bars["close"]) / 3.0
    for name, values in {**bars, "vwap": vwap}.items():
        if name != "open_time":
            stored = np.concatenate([[0.0], values]).astype("<f4")
            stored.tofile(root / "features" / "btc" / f"{name}.{FREQUENCY}.bin")


def main() -> None:
    with np.load(sys.argv[1]) as archive:
        bars = dict(archive)
    fields, names = Alpha158DL.get_feature_config()
    with tempfile.TemporaryDirectory() as folder:
        write_store(Path(folder), bars)
        qlib.init(
            provider_uri=folder,
            expression_cache=None,
            dataset_cache=None,
            kernels=1,
            joblib_backend="sequential",
            logging_level=40,
        )
        seconds = []
        for _ in range(3):
            H.clear()
            start = time.perf_counter()
            frame = D.features(["BTC"], fields, freq=FREQUENCY)
            seconds.append(time.perf_counter() - start)
    frame.columns = names
    print(
        json.dumps(
            {
                "seconds": min(seconds),
                "rows": len(frame),
                "columns": frame.shape[1],
                "version": qlib.__version__,
            }
        )
    )
    np.savez(sys.argv[2], **{name: frame[name].to_numpy(np.float64) for name in names})


if __name__ == "__main__":
    main()
