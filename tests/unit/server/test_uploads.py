"""Files that clients send: whole ones become jobs, everything else is refused by name."""

from __future__ import annotations

import gzip
import io
import os
import time
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from onward.errors import DataError, FormatError
from onward.server import create_app
from onward.server.uploads.expansion import check_expansion
from onward.server.uploads.names import kept_name
from onward.server.uploads.staging import ARRIVING_SECONDS, Staging
from onward.server.uploads.sweeping import swept
from onward.testing.markets import planted_signal
from onward.wiring import Application, build_application
from tests.unit.server.client import Client
from tests.unit.server.memory import settings_of

IMPORT = "/api/v1/data/import"


class Door:
    """A server that takes files in, and runs no jobs."""

    def __init__(self, application: Application, client: Client) -> None:
        self.application, self.client = application, client
        self.staging = application.home.root / "uploads"

    def send(self, content: bytes, name: str = "BTC_USDT-1h.csv", **fields: str) -> Any:
        headers = {"Idempotency-Key": fields.pop("key")} if "key" in fields else {}
        return self.client.post(IMPORT, files={"file": (name, content)}, data=fields, headers=headers)

    def refused(self, status: int, content: bytes, name: str, **fields: str) -> dict[str, Any]:
        response = self.send(content, name, **fields)
        assert response.status_code == status, response.text
        assert response.headers["content-type"] == "application/problem+json"
        assert not list(self.staging.iterdir()), "nothing is left of it"
        return response.json()  # type: ignore[no-any-return]


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    settings = settings_of(
        tmp_path_factory.mktemp("uploads"),
        **{
            "server.max_upload_bytes": 600_000,
            "server.upload_memory_mb": 600,
            "server.run_jobs": False,
            "server.limit_run_per_minute": None,
        },
    )
    application = build_application(settings)
    with Client(create_app(application)) as client:
        yield Door(application, client)
    application.close()


@pytest.fixture(scope="module")
def bars() -> pd.DataFrame:
    return planted_signal(200, seed=0).bars.reset_index()


@pytest.fixture(scope="module")
def csv(bars: pd.DataFrame) -> bytes:
    return bars.drop(columns="symbol").to_csv(index=False).encode()


def parquet(frame: pd.DataFrame) -> bytes:
    sink = io.BytesIO()
    frame.to_parquet(sink)
    return sink.getvalue()


def test_a_dry_run_says_what_is_read_and_leaves_nothing(door: Door, csv: bytes) -> None:
    response = door.send(csv, dry_run="true")
    assert response.status_code == 200, response.text
    read = response.json()["read"]
    assert (read["kind"], read["symbols"], read["rows"]) == ("candles", ["BTC/USDT"], 200)
    assert not list(door.staging.iterdir())
    assert not door.application.job_store.find().jobs


def test_what_is_no_table_is_refused_by_name(door: Door, csv: bytes, bars: pd.DataFrame) -> None:
    whole = parquet(bars)
    assert "recognises" in door.refused(422, b"\x00\x01\x02 nonsense", "notes.csv")["what"]
    assert door.refused(422, whole[: len(whole) // 2], "cut.parquet")["remedy"]
    assert door.refused(422, b"", "empty.csv")
    assert "symbol" in door.refused(422, csv, "bars.csv")["what"]
    assert "format" in door.refused(422, csv, "BTC_USDT-1h.csv", format="csvv")["what"]
    assert "timeframe" in door.refused(422, csv, "BTC_USDT-1h.csv", timeframe="1 parsec")["what"].lower()


def test_files_that_expand_without_end_are_stopped(door: Door) -> None:
    zeros = pa.array(np.zeros(20_000_000))
    names = ("timestamp", "open", "high", "low", "close", "volume")
    sink = io.BytesIO()
    pq.write_table(pa.table(dict.fromkeys(names, zeros)), sink, compression="zstd", data_page_size=2**30)
    packed = sink.getvalue()
    assert len(packed) < 599_000
    told = door.refused(422, packed, "BTC_USDT-1h.parquet", symbol="BTC/USDT")
    assert "memory" in told["what"], told
    bomb = gzip.compress(b"0" * 100_000_000, 6)
    began = time.monotonic()
    told = door.refused(422, bomb, "BTC_USDT-1h.csv.gz")
    assert time.monotonic() - began < 30, (
        "no more than a process that is started; idle machines need one second"
    )
    assert "unpacks to more" in told["what"]
    assert told["got"].startswith("BTC_USDT-1h.csv.gz: 0.10 MB")
    assert "200 times as much" in told["allowed"]


def packed(name: str, *contents: bytes) -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        for number, content in enumerate(contents):
            file.writestr(f"{number}-{name}", content)
    return archive.getvalue()


def test_archives_are_unpacked_no_further_than_they_may(tmp_path: Path, csv: bytes) -> None:
    path = tmp_path / "bars.csv.zip"
    path.write_bytes(packed("a.csv", csv))
    check_expansion(path, 10**9)
    with pytest.raises(DataError, match=r"0 MB \(server.upload_memory_mb\)"):
        check_expansion(path, len(csv) - 1)
    path.write_bytes(packed("a.csv", bytes(70_000_000)))
    with pytest.raises(DataError, match="200 times"):
        check_expansion(path, 10**9)
    for damaged in (packed("a.csv", csv, csv), packed("a.csv"), packed("a.csv", csv)[:-40], b"PK"):
        path.write_bytes(damaged)
        with pytest.raises(FormatError, match="cannot be unpacked"):
            check_expansion(path, 10**9)
    for content in (gzip.compress(csv)[:-9], csv):
        (tmp_path / "bars.csv.gz").write_bytes(content)
        with pytest.raises(FormatError, match="cannot be unpacked"):
            check_expansion(tmp_path / "bars.csv.gz", 10**9)
    (tmp_path / "bars.csv").write_bytes(csv)
    check_expansion(tmp_path / "bars.csv", 1)


def test_what_is_said_of_a_file_names_it_as_its_client_does(door: Door, csv: bytes) -> None:
    assert door.refused(422, b"", "日本 bars.csv")["got"] == "日本 bars.csv"
    for content, name in ((b"PAR1 nonsense", "日本 BTC.parquet"), (b"no gzip", "../../日本 BTC.csv.gz")):
        told = door.refused(422, content, name)
        assert told["got"].startswith(name.removeprefix("../../") + ":"), told
        assert str(door.staging) not in str(told)
        assert "arriving-" not in str(told)
    assert (
        door.send(csv, "日本 BTC_USDT-1h.csv", dry_run="true").json()["read"]["file"]
        == "日本 BTC_USDT-1h.csv"
    )


def test_bodies_that_are_no_such_form(door: Door, csv: bytes) -> None:
    def post(content: bytes, kind: str) -> Any:
        return door.client.post(IMPORT, content=content, headers={"Content-Type": kind})

    assert post(csv, "text/csv").status_code == 415
    assert post(b"{}", "application/json").status_code == 415
    assert post(b"", "multipart/form-data").status_code == 422
    assert post(b"--b\r\nno header", "multipart/form-data; boundary=b").status_code == 422
    head = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n'
    cut = post(head + csv, "multipart/form-data; boundary=b")
    assert cut.status_code == 422
    assert "ends before its last boundary" in cut.json()["got"]
    assert "no file" in door.client.post(IMPORT, files={"symbol": (None, "BTC/USDT")}).json()["what"]
    assert "no such field" in door.send(csv, surprise="1").json()["what"]
    assert door.send(csv, dry_run="perhaps").status_code == 422
    assert door.send(csv, symbol="a\x00b").status_code == 422
    assert door.send(csv, symbol="a" * 500).status_code == 422
    two = [("file", ("a.csv", csv)), ("file", ("b.csv", csv))]
    assert "one file" in door.client.post(IMPORT, files=two).json()["what"]
    assert not list(door.staging.iterdir())


def test_too_much_is_refused_whether_or_not_it_is_announced(door: Door) -> None:
    told = door.send(b"0" * 700_000)
    assert told.status_code == 413
    assert "server.max_upload_bytes" in told.json()["what"]

    async def endless() -> Any:
        yield b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n'
        for _ in range(80):
            yield b"0" * 10_000

    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    assert door.client.post(IMPORT, content=endless(), headers=headers).status_code == 413
    assert not list(door.staging.iterdir())


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\windows\\BTC_USDT-1h.feather", "BTC_USDT-1h.feather"),
        ("..", "upload"),
        (".hidden.csv", "hidden.csv"),
        ("a\0b.csv", "b.csv"),
        ("日本 bars.csv", "bars.csv"),
        ("x" * 400 + ".csv", "x" * 97 + ".csv"),
        ("", "upload"),
    ],
)
def test_of_a_name_only_what_is_no_path_is_kept(given: str, kept: str) -> None:
    assert kept_name(given) == kept


def test_a_whole_file_waits_for_its_job_and_no_longer(door: Door, csv: bytes) -> None:
    response = door.send(csv, "../../BTC_USDT-1h.csv", key="once")
    assert response.status_code == 202, response.text
    job = response.json()
    assert response.headers["location"] == job["links"]["self"]
    assert (job["kind"], job["created"], job["read"]["rows"]) == ("import", True, 200)
    stored = door.application.job_store.get(job["id"])
    (file,) = map(Path, stored.request.spec["files"])
    assert file.read_bytes() == csv
    assert file.is_relative_to(door.staging)
    again = door.send(csv, "../../BTC_USDT-1h.csv", key="once").json()
    assert (again["id"], again["created"]) == (job["id"], False)
    assert door.send(csv + b"\n", key="once").status_code == 409

    staging, store = Staging(door.staging), door.application.job_store
    later = datetime.now(UTC) + timedelta(seconds=2 * ARRIVING_SECONDS)
    swept(staging, store, later)
    assert file.exists(), "a job that has not ended may read it"
    store.request_stop(job["id"])
    swept(staging, store, datetime.now(UTC))
    assert file.exists(), "it may be tried again"
    assert swept(staging, store, later + timedelta(hours=24)) == [file.parent]
    assert not file.exists()


def test_what_a_killed_server_left_is_removed(tmp_path: Path, door: Door) -> None:
    staging = Staging(tmp_path / "uploads")
    with staging.arriving(0) as fresh:
        fresh.open("a.csv").write(b"1")
        left = staging.root / "arriving-0"
        left.mkdir()
        (left / "b.csv").write_bytes(b"2")
        long_ago = datetime.now(UTC).timestamp() - 2 * ARRIVING_SECONDS
        for path in (left / "b.csv", left):
            os.utime(path, (long_ago, long_ago))
        assert swept(staging, door.application.job_store) == [left]
        assert fresh.path.exists()
    assert staging.is_empty()
