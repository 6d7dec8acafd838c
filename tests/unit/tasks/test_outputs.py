"""Where outputs may go, and that they appear whole or not at all."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from onward.errors import BundleError, JobError, StorageError, UserError
from onward.jobs.values import Job, JobRequest
from onward.tasks.outputs import Delivery, checked_output, hashes, refusals, target_of, written


def job(attempt: int = 1, **spec: Any) -> Job:
    empty = dict.fromkeys(
        ("reason", "owner", "heartbeat_at", "identity", "started_at", "finished_at", "expires_at")
    )
    more = dict.fromkeys(("cancel_requested_at", "stop_deadline", "progress_at", "result", "error"))
    return Job(
        id="abc",
        request=JobRequest("features", spec),
        state="running",
        attempt=attempt,
        beat=0,
        queued_at=datetime(2026, 1, 1, tzinfo=UTC),
        progress={},
        **empty,
        **more,
    )


@pytest.mark.parametrize(
    ("named", "expected"),
    [("a.csv", "a.csv"), ("b/../a.csv", "a.csv"), ("deep/er/a.CSV", "deep/er/a.CSV")],
)
def test_relative_names_lie_below_the_outputs(tmp_path: Path, named: str, expected: str) -> None:
    found = checked_output(tmp_path, named, suffixes=(".csv",), force=False)
    assert found == expected, "the host that runs the job has outputs of its own"


def test_an_absolute_path_stays(tmp_path: Path) -> None:
    there = tmp_path / "elsewhere" / "a.csv"
    assert checked_output(tmp_path / "outputs", str(there), suffixes=(".csv",), force=False) == str(there)


def test_no_name_is_no_path(tmp_path: Path) -> None:
    assert checked_output(tmp_path, None, suffixes=(".csv",), force=False) is None
    assert target_of(tmp_path, job(out=None), ".csv") == tmp_path / "features-abc.csv"
    assert target_of(tmp_path, job(out="/x/y.csv"), ".csv") == Path("/x/y.csv")


@pytest.mark.parametrize("named", ["../a.csv", "b/../../a.csv", ".", "", "a.txt", "a"])
def test_names_that_lead_elsewhere_are_refused(tmp_path: Path, named: str) -> None:
    with pytest.raises(UserError):
        checked_output(tmp_path, named, suffixes=(".csv",), force=True)


def test_what_is_there_is_replaced_only_when_asked(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("old")
    (tmp_path / "d.csv").mkdir()
    with pytest.raises(UserError, match="already"):
        checked_output(tmp_path, "a.csv", suffixes=(".csv",), force=False)
    assert checked_output(tmp_path, "a.csv", suffixes=(".csv",), force=True) is not None
    with pytest.raises(UserError, match="directory"):
        checked_output(tmp_path, "d.csv", suffixes=(".csv",), force=True)


def test_a_place_that_takes_no_file_is_refused_before_the_job(tmp_path: Path) -> None:
    (tmp_path / "plain").write_text("")
    for named in ("/proc/a.csv", str(tmp_path / "plain" / "a.csv"), f"{'x' * 230}.csv"):
        with pytest.raises(UserError, match="no file can be written there"):
            checked_output(tmp_path, named, suffixes=(".csv",), force=True)
    elsewhere = "/of/another/host/a.csv"
    assert checked_output(tmp_path, elsewhere, suffixes=(".csv",), force=True) == elsewhere


def attempt_of(directory: Path, content: str = "new") -> tuple[Path, dict[str, Any]]:
    directory.mkdir(parents=True)
    (directory / "out.csv").write_text(content)
    return directory, {"files": hashes(directory, "out.csv")}


def test_a_delivery_is_visible_from_its_commit_on(tmp_path: Path) -> None:
    work, manifest = attempt_of(tmp_path / "work")
    target = tmp_path / "far" / "a.csv"
    delivery = Delivery.prepare(job(), manifest, work, "out.csv", target)
    assert not target.exists()
    delivery.commit()
    delivery.commit()
    assert target.read_text() == "new"
    assert [path.name for path in target.parent.iterdir()] == ["a.csv"]


def test_an_abandoned_delivery_leaves_nothing(tmp_path: Path) -> None:
    work, manifest = attempt_of(tmp_path / "work")
    delivery = Delivery.prepare(job(), manifest, work, "out.csv", tmp_path / "far" / "a.csv")
    delivery.abandon()
    delivery.commit()
    assert not list((tmp_path / "far").iterdir())


def test_a_later_attempt_clears_what_a_dead_server_left(tmp_path: Path) -> None:
    target = tmp_path / "far" / "a.csv"
    work, manifest = attempt_of(tmp_path / "one")
    stale = Delivery.prepare(job(), manifest, work, "out.csv", target)
    work, manifest = attempt_of(tmp_path / "two", "newer")
    delivery = Delivery.prepare(job(attempt=2), manifest, work, "out.csv", target)
    stale.commit()  # its transaction would be refused; even so it has nothing to show
    assert not target.exists()
    delivery.commit()
    assert target.read_text() == "newer"
    assert [path.name for path in target.parent.iterdir()] == ["a.csv"]


def test_a_file_that_changed_after_its_worker_ended_is_refused(tmp_path: Path) -> None:
    work, manifest = attempt_of(tmp_path / "work")
    (work / "out.csv").write_text("tampered")
    with pytest.raises(JobError, match="not what its worker wrote"):
        Delivery.prepare(job(), manifest, work, "out.csv", tmp_path / "a.csv")


def test_somebody_elses_file_stays_and_our_own_may_come_again(tmp_path: Path) -> None:
    target = tmp_path / "a.csv"
    target.write_text("other")
    work, manifest = attempt_of(tmp_path / "work")
    with pytest.raises(UserError, match="by now"):
        Delivery.prepare(job(), manifest, work, "out.csv", target, force=False)
    assert target.read_text() == "other"
    target.write_text("new")  # our own, from a commit that was not heard of
    Delivery.prepare(job(), manifest, work, "out.csv", target, force=False).commit()
    assert target.read_text() == "new"


def test_what_the_disk_refuses_fails_the_job_and_is_not_waited_for(tmp_path: Path) -> None:
    work, manifest = attempt_of(tmp_path / "work")
    (tmp_path / "file").write_text("")
    with pytest.raises(JobError, match="Could not deliver"):
        Delivery.prepare(job(), manifest, work, "out.csv", tmp_path / "file" / "a.csv")
    with pytest.raises(JobError, match="full"), refusals("store", tmp_path):
        raise StorageError("The disk is full")
    with pytest.raises(BundleError), refusals("store", tmp_path):
        raise BundleError("damaged")


def test_results_name_paths_by_the_home(tmp_path: Path) -> None:
    assert written(tmp_path, tmp_path / "outputs" / "a.csv") == "outputs/a.csv"
    assert written(tmp_path / "home", tmp_path / "a.csv") == str(tmp_path / "a.csv")
