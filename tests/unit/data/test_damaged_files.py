"""Files that break the reader itself: nested without end, torn archives, locked archives."""

import gzip
import io
import zipfile
from contextlib import suppress

import pytest

from onward.data.importers import read
from onward.errors import FormatError

ROWS = "timestamp,open,high,low,close,volume\n" + "".join(
    f"2024-01-01 {hour:02}:00:00,1,2,0.5,{1 + hour / 100},3\n" for hour in range(24)
)


def packed(name: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, ROWS)
    return buffer.getvalue()


def test_endlessly_nested_json_is_no_format(tmp_path):
    path = tmp_path / "deep.json"
    path.write_text("[" * 100_000)
    with pytest.raises(FormatError, match="Nobody recognises"):
        read(path)
    with pytest.raises(FormatError):
        read(path, "freqtrade_json")


@pytest.mark.parametrize("position", range(2, 220, 13))
@pytest.mark.parametrize("ending", [".csv.gz", ".zip"])
def test_a_torn_or_flipped_archive_is_refused_or_read_as_it_was(tmp_path, ending, position):
    whole = gzip.compress(ROWS.encode(), mtime=0) if ending == ".csv.gz" else packed("rows.csv")
    position = min(position, len(whole) - 1)
    flipped = whole[:position] + bytes([whole[position] ^ 0xFF]) + whole[position + 1 :]
    for content in (whole[:position], flipped):
        path = tmp_path / f"BTC_USD{ending}"
        path.write_bytes(content)
        with suppress(FormatError):
            assert len(read(path).frame) == 24  # the byte was none that matters
