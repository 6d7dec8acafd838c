"""An S3 server of its own for tests: real requests over a socket, and faults on demand.

::

    with ObjectServer() as server:
        store = S3Store(server.options())

Needs ``moto``, ``flask`` and ``flask-cors``. Requests are served one after the other, so that
conditional writes are decided atomically, as a real store does.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import threading
import time
import urllib.request
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Literal, Self

from onward.storage.options import StoreOptions

__all__ = ["BUCKET", "Fault", "ObjectServer", "missing"]

BUCKET = "artifacts"
CONTROL = "/-/fault"
START_SECONDS = 60.0
LONGEST_HANG_SECONDS = 30.0
Fault = Literal["none", "busy", "deny", "hang", "truncate", "slow", "lose", "careless"]
"""``busy``: 503; ``deny``: 403; ``hang``: no answer; ``truncate``: half of the content; ``slow``: half
a second later; ``lose``: does what was asked and answers 503; ``careless``: passes conditions over."""

Environment = dict[str, Any]
App = Callable[[Environment, Callable[..., Any]], Iterable[bytes]]


def missing() -> str | None:
    """Return why no server can be run here, None when one can."""
    absent = [name for name in ("moto", "flask", "flask_cors", "s3fs") if not importlib.util.find_spec(name)]
    return f"not installed: {', '.join(absent)}" if absent else None


class ObjectServer:
    """A server in a process of its own, gone with whoever started it; a context manager."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._port = 0

    @property
    def endpoint(self) -> str:
        """Address of the service."""
        return f"http://127.0.0.1:{self._port}"

    def options(self, prefix: str | None = None, **changes: Any) -> StoreOptions:
        """Return how to reach it; by default each call gives a prefix of its own."""
        told: dict[str, Any] = {
            "url": f"s3://{BUCKET}/{uuid.uuid4().hex if prefix is None else prefix}",
            "endpoint": self.endpoint,
            "region": "us-east-1",
            "key": "tester",
            "secret": "secret",
            "patience_seconds": 5.0,
        }
        return StoreOptions(**{**told, **changes})

    @contextmanager
    def fault(self, kind: Fault, *, count: int = 1_000_000, method: str = "") -> Iterator[None]:
        """Let the next requests fail, by method if one is named, until the block ends."""
        self._control({"kind": kind, "count": count, "method": method})
        try:
            yield
        finally:
            self._control({"kind": "none"})

    def requests(self) -> int:
        """Return how many requests were served so far."""
        return int(self._control(None)["requests"])

    def start(self) -> None:
        """Start, and return when it takes connections; an earlier port is taken again."""
        command = [sys.executable, "-m", __name__, str(self._port)]
        environment = {**os.environ, "AWS_ACCESS_KEY_ID": "server", "AWS_SECRET_ACCESS_KEY": "server"}
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, start_new_session=True
        )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("the object server did not start")
        self._port = int(line)

    def stop(self) -> None:
        """End it at once; what it holds is gone."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None

    def __enter__(self) -> Self:
        """Start it."""
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End it."""
        self.stop()

    def _control(self, told: dict[str, Any] | None) -> dict[str, Any]:
        content = None if told is None else json.dumps(told).encode()
        address = self.endpoint + CONTROL
        with urllib.request.urlopen(address, data=content, timeout=START_SECONDS) as answer:  # noqa: S310
            known: dict[str, Any] = json.load(answer)
        return known


class _Faulty:
    """The server's application with faults in front of it, serving one request at a time."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._serving = threading.Lock()
        self._fault: dict[str, Any] = {"kind": "none"}
        self._requests = 0

    def __call__(self, environment: Environment, start: Callable[..., Any]) -> Iterable[bytes]:
        if environment["PATH_INFO"] == CONTROL:
            return self._controlled(environment, start)
        self._requests += 1
        fault = self._due(environment["REQUEST_METHOD"])
        if fault == "hang":
            time.sleep(LONGEST_HANG_SECONDS)
        elif fault == "slow":
            time.sleep(0.5)
        if fault in ("busy", "hang"):
            return _refuse(start, "503 Service Unavailable", "ServiceUnavailable")
        if fault == "deny":
            return _refuse(start, "403 Forbidden", "InvalidAccessKeyId")
        if fault == "careless":
            environment.pop("HTTP_IF_MATCH", None)
            environment.pop("HTTP_IF_NONE_MATCH", None)
        with self._serving:
            answered: list[tuple[Any, ...]] = []

            def note(*told: Any) -> None:
                answered.append(told)

            content = b"".join(self._app(environment, note))
        if fault == "lose":
            return _refuse(start, "503 Service Unavailable", "ServiceUnavailable")
        start(*answered[0])
        return [content[: len(content) // 2]] if fault == "truncate" else [content]

    def _due(self, method: str) -> str:
        fault = self._fault
        if fault["kind"] == "none" or fault["count"] <= 0 or (fault["method"] not in ("", method)):
            return "none"
        fault["count"] -= 1
        return str(fault["kind"])

    def _controlled(self, environment: Environment, start: Callable[..., Any]) -> Iterable[bytes]:
        if environment["REQUEST_METHOD"] == "POST":
            self._fault = json.loads(environment["wsgi.input"].read(int(environment["CONTENT_LENGTH"])))
        content = json.dumps({"requests": self._requests}).encode()
        start("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(content)))])
        return [content]


def _refuse(start: Callable[..., Any], status: str, code: str) -> Iterable[bytes]:
    content = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>{code}</Message></Error>".encode()
    start(status, [("Content-Type", "application/xml"), ("Content-Length", str(len(content)))])
    return [content]


def _end_with_parent() -> None:
    sys.stdin.buffer.read()  # ends when the parent does, however it does
    os._exit(0)


def _main(port: int) -> None:
    import logging

    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
    from moto.s3.models import s3_backends
    from werkzeug.serving import make_server

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    app = _Faulty(DomainDispatcherApplication(create_backend_app))
    server = make_server("127.0.0.1", port, app, threaded=True)
    s3_backends["123456789012"]["aws"].create_bucket(BUCKET, "us-east-1")
    threading.Thread(target=_end_with_parent, daemon=True).start()
    sys.stdout.write(f"{server.server_port}\n")
    sys.stdout.flush()
    server.serve_forever()


if __name__ == "__main__":
    _main(int(sys.argv[1]))
