"""A child process answers, and ends in every other case with a clear error and nothing left behind."""

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from onward.errors import ConfigError, NotEnoughDataError, StageError, StorageError
from onward.features.isolation import (
    ChildCrashError,
    ChildKilledError,
    ChildMemoryError,
    ChildTimeoutError,
    IsolatedProcess,
    Limits,
)

HERE = Path(__file__).parent
FUNCTIONS = "child_functions:"


@pytest.fixture(autouse=True)
def _importable(monkeypatch):
    monkeypatch.syspath_prepend(str(HERE))


def gone(pid, seconds=5.0):
    """Wait for a process to disappear (a zombie that nobody reaps counts as gone)."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return True
        if state in "ZX":
            return True
        time.sleep(0.02)
    return False


class Messages:
    """Progress that remembers, and may do something."""

    def __init__(self, then=lambda: None):
        self.texts = []
        self.then = then

    def __call__(self, event):
        self.texts.append(event.message)
        self.then()

    def pids(self):
        return [int(text) for text in self.texts[0].split()]


def test_arrays_and_values_go_in_and_out(tmp_path):
    given = {
        "numbers": np.arange(12.0).reshape(3, 4),
        'odd "name" / here': np.array([1, 2], dtype=np.int64),
        "empty": np.empty((0, 3), dtype=np.float32),
    }
    told = Messages()
    with IsolatedProcess(directory=tmp_path) as child:
        answer = child.call(FUNCTIONS + "double", given, {"a": [1, None, "é"]}, progress=told)
        again = child.call(FUNCTIONS + "double", {"x": np.ones(3)})
        directory = child._directory
    assert list(answer.arrays) == list(given)
    for name, array in given.items():
        assert answer.arrays[name].dtype == array.dtype
        np.testing.assert_array_equal(answer.arrays[name], 2 * array)
    assert answer.results == {"given": {"a": [1, None, "é"]}}
    assert told.texts == ["half way"]
    assert answer.seconds > 0
    assert answer.peak_bytes > 5_000_000
    np.testing.assert_array_equal(again.arrays["x"], [2, 2, 2])
    assert not directory.exists()
    assert list(tmp_path.iterdir()) == []


def test_the_child_has_its_own_session_and_sees_no_secrets(monkeypatch):
    monkeypatch.setenv("MY_API_SECRET", "very secret")
    monkeypatch.setenv("PYTHONHASHSEED", "77")
    with IsolatedProcess(limits=Limits(threads=3), environment={"EXTRA": "1"}) as child:
        told = child.call(FUNCTIONS + "surroundings", {"x": np.ones(3)}).results
        pid = child.pid
    assert "MY_API_SECRET" not in told["environment"]
    assert told["environment"]["PYTHONHASHSEED"] == "0"
    assert told["environment"]["OMP_NUM_THREADS"] == "3"
    assert told["environment"]["EXTRA"] == "1"
    assert told["session"] != os.getsid(0)
    assert told["pid"] == pid
    assert told["mapped"] == ["memmap"]
    assert told["writable"] == [False]
    assert gone(pid)


def test_sets_come_in_the_same_order_every_time():
    orders = []
    for seed in (0, 0, 5):
        with IsolatedProcess(hash_seed=seed) as child:
            orders.append(child.call(FUNCTIONS + "surroundings").results["order"])
    assert orders[0] == orders[1]
    assert orders[0] != orders[2]


@pytest.mark.parametrize("function", ["hang", "hang_in_native_code"])
def test_a_child_that_hangs_is_killed_in_time(function):
    told = Messages()
    start = time.monotonic()
    with (
        pytest.raises(ChildTimeoutError, match=r"timed out after 4 s.*Give it more time"),
        IsolatedProcess(limits=Limits(seconds=4)) as child,
    ):
        child.call(FUNCTIONS + function, progress=told)
    assert time.monotonic() - start < 8
    assert gone(told.pids()[0])


@pytest.mark.parametrize("function", ["devour", "devour_in_helper"])
def test_memory_of_the_whole_tree_is_limited(function):
    with (
        pytest.raises(ChildMemoryError, match=r"more memory than it was given") as caught,
        IsolatedProcess(limits=Limits(seconds=60, memory_bytes=300_000_000)) as child,
    ):
        child.call(FUNCTIONS + function)
    assert "allowed: 0.30 GB" in str(caught.value)
    assert child.peak_bytes > 300_000_000
    assert gone(child.pid)


def test_an_allocation_beyond_the_address_space_fails_inside():
    limits = Limits(seconds=60, address_space_bytes=3_000_000_000)
    with IsolatedProcess(limits=limits) as child:
        with pytest.raises(ChildMemoryError, match="was refused memory") as caught:
            child.call(FUNCTIONS + "allocate", values={"count": 2_000_000_000})
        assert "MemoryError" in caught.value.log
        assert child.call(FUNCTIONS + "allocate", values={"count": 10}).results == {"sum": 10.0}


def test_an_exception_brings_its_traceback_and_the_child_goes_on():
    with IsolatedProcess() as child:
        with pytest.raises(ChildCrashError, match="ZeroDivisionError: nothing to divide by") as caught:
            child.call(FUNCTIONS + "fail")
        assert 'raise ZeroDivisionError("nothing to divide by")' in caught.value.log
        assert "some words before" in child.log_tail()
        assert child.call(FUNCTIONS + "double", {"x": np.ones(1)}).arrays["x"][0] == 2


def test_errors_of_ours_arrive_as_they_were_raised():
    with (
        pytest.raises(NotEnoughDataError, match=r"too few rows; got 3; allowed: at least 4\. Take more\."),
        IsolatedProcess() as child,
    ):
        child.call(FUNCTIONS + "fail_as_onward")


def test_a_crash_in_native_code_is_told_from_a_kill():
    with (
        pytest.raises(ChildCrashError, match=r"crashed in native code \(SIGSEGV\)") as caught,
        IsolatedProcess() as child,
    ):
        child.call(FUNCTIONS + "fall_over")
    assert "fall_over" in caught.value.log


def test_a_child_that_leaves_without_an_answer():
    with (
        pytest.raises(ChildCrashError, match="ended without an answer; got exit code 0"),
        IsolatedProcess() as child,
    ):
        child.call(FUNCTIONS + "leave")


@pytest.mark.parametrize("whom", ["worker", "guardian"])
def test_a_kill_from_outside_is_named(whom):
    with IsolatedProcess(limits=Limits(seconds=60)) as child:
        victim = child.pid if whom == "worker" else child._guardian.pid
        told = Messages(lambda: os.kill(victim, signal.SIGKILL))
        with pytest.raises(ChildKilledError, match=r"killed by the system or by somebody \(SIGKILL\)"):
            child.call(FUNCTIONS + "hang_with_helper", progress=told)
        for pid in told.pids():
            assert gone(pid)
        with pytest.raises(StageError, match="has ended"):
            child.call(FUNCTIONS + "double")


def test_whatever_is_raised_in_the_block_ends_the_child_and_its_helpers():
    def interrupt():
        raise KeyboardInterrupt

    told = Messages(interrupt)
    with pytest.raises(KeyboardInterrupt), IsolatedProcess() as child:
        child.call(FUNCTIONS + "hang_with_helper", progress=told)
    assert len(told.pids()) == 2
    for pid in told.pids():
        assert gone(pid)


def test_helpers_do_not_outlive_an_answer():
    with IsolatedProcess() as child:
        helper = child.call(FUNCTIONS + "leave_helper").results["helper"]
    assert gone(helper)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_when_the_parent_is_killed_nothing_is_left(how, tmp_path):
    script = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from pathlib import Path\n"
        "from onward.features.isolation import IsolatedProcess\n"
        "with IsolatedProcess(directory=Path(sys.argv[2])) as child:\n"
        "    say = lambda event: print(event.message, flush=True)\n"
        "    child.call('child_functions:hang_with_helper', progress=say)\n"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", script, str(HERE), str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    try:
        pids = [int(text) for text in parent.stdout.readline().split()]
        assert len(pids) == 2
        assert not gone(pids[0], 0.1)
        assert len(list(tmp_path.iterdir())) == 1
    finally:
        parent.send_signal(how)
        parent.wait()
        parent.stdout.close()
    for pid in pids:
        assert gone(pid)
    end = time.monotonic() + 5
    while list(tmp_path.iterdir()) and time.monotonic() < end:
        time.sleep(0.05)
    assert list(tmp_path.iterdir()) == []


def test_children_can_run_in_threads():
    found = []

    def work(number):
        with IsolatedProcess() as child:
            found.append(float(child.call(FUNCTIONS + "double", {"x": np.full(3, number)}).arrays["x"][0]))

    threads = [threading.Thread(target=work, args=(float(n),)) for n in (1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == [2, 4]


def test_no_descriptor_is_left_open():
    def descriptors():
        return len(list(Path("/proc/self/fd").iterdir()))

    with IsolatedProcess() as child:
        child.call(FUNCTIONS + "double", {"x": np.ones(3)})
    before = descriptors()
    for _ in range(2):
        with pytest.raises(ChildCrashError), IsolatedProcess() as child:
            child.call(FUNCTIONS + "fail")
    assert descriptors() == before


@pytest.mark.parametrize(
    ("target", "arrays", "values", "message"),
    [
        ("child_functions:double", {"a": np.array([object()])}, {}, "cannot be handed to a child"),
        ("child_functions:double", {}, {"a": object()}, "cannot be handed to a child"),
        ("child_functions:absent", {}, {}, "AttributeError"),
        ("child_functions:not_a_function", {}, {}, "not callable"),
        ("no_such_module_anywhere:f", {}, {}, "ModuleNotFoundError"),
        ("child_functions:give_objects", {}, {}, "holds Python objects"),
        ("child_functions:give_oddities", {}, {}, "not JSON serializable"),
    ],
)
def test_bad_targets_and_arguments(shared_child, target, arrays, values, message):
    with pytest.raises(StageError, match=message):
        shared_child.call(target, arrays, values)


@pytest.fixture(scope="module")
def shared_child():
    sys.path.insert(0, str(HERE))
    try:
        with IsolatedProcess() as child:
            yield child
    finally:
        sys.path.remove(str(HERE))


def test_calls_outside_the_block_are_refused():
    child = IsolatedProcess()
    with pytest.raises(StageError, match="has ended"):
        child.call(FUNCTIONS + "double")


def test_a_directory_that_is_not_there(tmp_path):
    with (
        pytest.raises(StorageError, match=r"cannot be started.*FileNotFoundError"),
        IsolatedProcess(directory=tmp_path / "absent"),
    ):
        pass


def test_a_disk_that_refuses(tmp_path):
    with IsolatedProcess(directory=tmp_path) as child:
        shutil.rmtree(child._directory)
        with pytest.raises(StorageError, match=r"arrays cannot be written for a child process.*Free disk"):
            child.call(FUNCTIONS + "double", {"x": np.ones(3)})


@pytest.mark.parametrize(
    "wrong",
    [
        {"seconds": 0},
        {"seconds": float("nan")},
        {"seconds": float("inf")},
        {"memory_bytes": -1},
        {"threads": 0},
        {"address_space_bytes": 0},
        {"sample_seconds": 0},
    ],
)
def test_limits_are_checked(wrong):
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        Limits(**wrong)
