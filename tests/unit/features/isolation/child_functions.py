"""Functions that tests run in child processes."""

import os
import subprocess
import sys
import time

import numpy as np


def double(arrays, values, progress):
    progress(1, 2, "half way")
    return {name: 2 * array for name, array in arrays.items()}, {"given": values}


def surroundings(arrays, values, progress):
    return {}, {
        "environment": dict(os.environ),
        "order": list({f"name{i}" for i in range(20)}),
        "session": os.getsid(0),
        "pid": os.getpid(),
        "mapped": [type(a).__name__ for a in arrays.values()],
        "writable": [bool(a.flags.writeable) for a in arrays.values()],
    }


def hang(arrays, values, progress):
    progress(0, 0, str(os.getpid()))
    time.sleep(600)


def hang_in_native_code(arrays, values, progress):
    """Hold the interpreter lock for good, as a broken extension would."""
    progress(0, 0, str(os.getpid()))
    import ctypes

    ctypes.PyDLL(None).sleep(600)


def hang_with_helper(arrays, values, progress):
    helper = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    progress(0, 0, f"{os.getpid()} {helper.pid}")
    time.sleep(600)


def leave_helper(arrays, values, progress):
    helper = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    return {}, {"helper": helper.pid}


def devour(arrays, values, progress):
    held = []
    while True:
        held.append(np.ones(4_000_000))
        time.sleep(0.01)


def devour_in_helper(arrays, values, progress):
    script = "import numpy as np, time; a = np.ones(60_000_000); time.sleep(600)"
    subprocess.Popen([sys.executable, "-c", script])
    time.sleep(600)


def allocate(arrays, values, progress):
    return {}, {"sum": float(np.ones(values["count"]).sum())}


def fail(arrays, values, progress):
    print("some words before")
    raise ZeroDivisionError("nothing to divide by")


def fail_as_onward(arrays, values, progress):
    from onward.errors import NotEnoughDataError

    raise NotEnoughDataError("too few rows", got=3, allowed="at least 4", remedy="Take more.")


def fall_over(arrays, values, progress):
    import ctypes

    ctypes.string_at(0)


def leave(arrays, values, progress):
    os._exit(0)


def give_objects(arrays, values, progress):
    return {"a": np.array([object()])}, {}


def give_oddities(arrays, values, progress):
    return {}, {"a": object()}


not_a_function = 3
