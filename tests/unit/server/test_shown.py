"""Paths as clients see them: relative to what they lie in, or a mere name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onward.errors import DataError, RateLimitError, StorageError
from onward.server.shown import ShownPaths

HOME = Path("/srv/onward home/日本")
SHOWN = ShownPaths.of(HOME, ["/data/market", "/srv/onward home/日本/inbox/more"])
SENT = f"{HOME}/uploads/whole-{'0a' * 20}"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"{HOME}/inbox/btc.csv", "btc.csv"),
        (f"{HOME}/inbox/2025/btc.csv", "2025/btc.csv"),
        (f"{HOME}/inbox/more/btc.csv", "btc.csv"),
        (f"{HOME}/outputs/f.parquet", "outputs/f.parquet"),
        (f"{HOME}/runs/1/report.html", "runs/1/report.html"),
        (f"{SENT}/btc.csv", "btc.csv"),
        ("/data/market/x/btc.csv", "x/btc.csv"),
        (f"{HOME}", "日本"),
        ("/data/market", "market"),
        (f"read {HOME}/data/a and '{SENT}/b': no room", "read data/a and 'b': no room"),
        # What only looks alike stays.
        ("/data/markets/btc.csv", "/data/markets/btc.csv"),
        ("/mnt/data/market/btc.csv", "/mnt/data/market/btc.csv"),
        (f"s3://bucket{HOME}/x", f"s3://bucket{HOME}/x"),
        ("BTC/USDT", "BTC/USDT"),
        ("models:/btc-1h/3", "models:/btc-1h/3"),
        ("", ""),
    ],
)
def test_texts(text: str, shown: str) -> None:
    assert SHOWN.text(text) == shown


def test_every_part_of_a_job_that_names_files() -> None:
    document: dict[str, Any] = {
        "id": "01",
        "spec": {
            "files": [f"{HOME}/inbox/a.csv", "/elsewhere/b.csv", "c.csv"],
            "data": "/elsewhere/store",
            "series": {"funding": "/elsewhere/f.csv"},
            "report": "/elsewhere/r.html",
            "out": None,
            "plan": {"data": {"symbols": ["/ES", "BTC/USDT"]}},
        },
        "result": {
            "imported": [{"file": "/elsewhere/b.csv", "symbols": ["/ES"], "rows": 3}],
            "report": "runs/1/report.html",
            "written": "/elsewhere/out.parquet",
            "files": {"report.html": "0a"},
            "rows": 3,
        },
        "error": {"what": "no room", "got": f"{HOME}/jobs/01/1", "traceback": f'File "{HOME}/x.py"'},
        "progress": {"detail": "a.csv"},
    }
    shown = SHOWN.job(document)
    assert shown["spec"] == {
        "files": ["a.csv", "b.csv", "c.csv"],
        "data": "store",
        "series": {"funding": "f.csv"},
        "report": "r.html",
        "out": None,
        "plan": {"data": {"symbols": ["/ES", "BTC/USDT"]}},
    }
    assert shown["result"] == {
        "imported": [{"file": "b.csv", "symbols": ["/ES"], "rows": 3}],
        "report": "runs/1/report.html",
        "written": "out.parquet",
        "files": {"report.html": "0a"},
        "rows": 3,
    }
    assert shown["error"] == {"what": "no room", "got": "jobs/01/1", "traceback": 'File "x.py"'}
    assert document["result"]["imported"][0]["file"] == "/elsewhere/b.csv", "what was given is left alone"
    assert SHOWN.job({"id": "01", "result": None, "error": None}) == {
        "id": "01",
        "result": None,
        "error": None,
    }


@pytest.mark.parametrize(
    ("got", "storage", "user"),
    [
        (f"{HOME}/data/a.parquet: no room", "data/a.parquet: no room", "data/a.parquet: no room"),
        # Of places that nobody foresaw nothing is told, unless a client may have named them itself.
        ("/usr/lib/python3/x.py: gone", "x.py: gone", "/usr/lib/python3/x.py: gone"),
        ("see /api/v1/openapi.json or models:/usr/3", "see /api/v1/openapi.json or models:/usr/3", None),
        ("http://host/usr/lib, BTC/USD, a/usr/b", "http://host/usr/lib, BTC/USD, a/usr/b", None),
    ],
)
def test_errors_name_no_place_of_the_disk(got: str, storage: str, user: str | None) -> None:
    for kind, said in ((StorageError, storage), (DataError, got if user is None else user)):
        error = kind("no luck", got=got, allowed=f"files below {HOME}/inbox", remedy="Look.")
        shown = SHOWN.error(error)
        assert type(shown) is kind
        assert (shown.what, shown.got, shown.allowed, shown.remedy) == (
            "no luck",
            said,
            "files below inbox",
            "Look.",
        )
        assert str(shown) == f"no luck; got {said}; allowed: files below inbox. Look."
        assert error.got == got, "what is logged stays whole"
    assert SHOWN.error(RateLimitError("too many", retry_after=7.0)).retry_after == 7.0
    assert SHOWN.error(StorageError("alone")).got is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@settings(max_examples=40)
@given(JSON)
def test_what_names_no_path_stays(value: Any) -> None:
    assert SHOWN.value(value) == value


@given(st.text(alphabet="ab/._- ", max_size=20))
def test_no_directory_of_the_server_is_left(rest: str) -> None:
    assert f"{HOME}/" not in SHOWN.text(f"{HOME}/inbox/{rest}")
