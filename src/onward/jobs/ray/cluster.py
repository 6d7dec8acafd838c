"""The way to a Ray cluster: an existing one by its address, or a small one of our own for a try-out."""

from __future__ import annotations

import logging
import os
import socket
import threading
from typing import Any

from onward.errors import JobError
from onward.jobs.ray.library import require_ray

__all__ = ["Cluster"]

OBJECT_STORE_BYTES = 80_000_000
"""Of a try-out cluster: nothing but messages passes through it."""
KNOCK_SECONDS = 5.0
"""For a look whether anybody listens at all, a part of what `connect_seconds` allows that ends sooner."""


class Cluster:
    """A connection to a Ray cluster.

    Ray knows one connection a process. One that somebody else made is used, and left open.

    Parameters
    ----------
    address
        ``host:port``, ``auto`` or ``ray://host:port``; None: start a cluster on this machine, which
        ends with `close`.
    namespace
        In which actors have their names.
    connect_seconds
        Until it has answered, or is there.
    """

    def __init__(self, address: str | None, namespace: str, *, connect_seconds: float = 60.0) -> None:
        self.address = address
        self.namespace = namespace
        self._connect_seconds = connect_seconds
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._ready = threading.Event()
        self._failure: BaseException | None = None
        self._closing = threading.Event()

    def connect(self) -> Any:
        """Return the module ``ray``, connected.

        Raises
        ------
        JobError
            Without Ray, or when the cluster cannot be reached.
        """
        ray = require_ray()
        with self._lock:
            if ray.is_initialized():
                return ray
            if self._closing.is_set():
                raise JobError("the way to the Ray cluster was closed", remedy="Start the server again.")
            if self._thread is None or not self._thread.is_alive():
                self._knock()
                self._ready, self._failure = threading.Event(), None
                # The processes of a local cluster die with the thread that started them.
                self._thread = threading.Thread(
                    target=self._hold, args=(ray,), name="ray-cluster", daemon=True
                )
                self._thread.start()
            if not self._ready.wait(self._connect_seconds):
                raise self._unreachable(f"no answer within {self._connect_seconds:g} s")
            if self._failure is not None:
                raise self._unreachable(_first_line(self._failure)) from self._failure
            return ray

    def require(self) -> None:
        """Refuse what no waiting repairs.

        Raises
        ------
        JobError
            Without Ray, or with an address that is none.
        """
        require_ray()
        self._parts()

    def nodes(self) -> list[str]:
        """Return the ids of the living nodes."""
        return [str(node["NodeID"]) for node in self.connect().nodes() if node["Alive"]]

    def free_cpus(self) -> float:
        """Return how many processors are free."""
        return float(self.connect().available_resources().get("CPU", 0.0))

    def node_of(self, host: str) -> str | None:
        """Return the id of the living node on a host; None when the cluster has none."""
        for node in self.connect().nodes():
            if node["Alive"] and node["NodeManagerHostname"] == host:
                return str(node["NodeID"])
        return None

    def free(self) -> str:
        """Say in a few words what is free and what there is."""
        ray = self.connect()
        there, free = ray.cluster_resources(), ray.available_resources()
        return f"{free.get('CPU', 0.0):g} of {there.get('CPU', 0.0):g} CPUs free"

    def close(self) -> None:
        """End the connection, and the cluster if it was ours."""
        self._closing.set()
        if self._thread is not None and self._ready.is_set():
            self._thread.join()
            self._thread = None

    def _knock(self) -> None:
        """Refuse an address where nobody listens at once; Ray itself would try for minutes."""
        if (parts := self._parts()) is None:
            return
        try:
            socket.create_connection(parts, min(KNOCK_SECONDS, self._connect_seconds)).close()
        except OSError as error:
            raise self._unreachable(str(error)) from error

    def _parts(self) -> tuple[str, int] | None:
        """Return host and port of the address; None where it has none."""
        if self.address is None or self.address == "auto":
            return None
        host, _, port = self.address.removeprefix("ray://").rpartition(":")
        if not host or not port.isdigit():
            raise JobError(
                "the address of the Ray cluster cannot be read",
                got=repr(self.address),
                allowed="host:port, ray://host:port or auto",
                remedy="Correct jobs.ray_address.",
            )
        return host.strip("[]"), int(port)

    def _hold(self, ray: Any) -> None:
        logging.getLogger("ray").setLevel(logging.ERROR)
        quiet = {"namespace": self.namespace, "log_to_driver": False, "configure_logging": False}
        try:
            if self.address is None:
                os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing is sent anywhere
                ray.init(
                    address="local",
                    include_dashboard=False,
                    object_store_memory=OBJECT_STORE_BYTES,
                    **quiet,
                )
            else:
                ray.init(address=self.address, **quiet)
        except Exception as error:  # Ray raises whatever its parts raise
            self._failure = error
            return
        finally:
            self._ready.set()
        self._closing.wait()
        ray.shutdown()

    def _unreachable(self, found: str) -> JobError:
        return JobError(
            "the Ray cluster cannot be reached" if self.address else "no Ray cluster could be started here",
            got=f"{self.address or 'a local cluster'}: {found}",
            allowed="a running cluster with this version of Ray and Python",
            remedy="Correct jobs.ray_address, start the cluster with `ray start --head`, or leave the "
            "address out for a try-out on this machine.",
        )


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
