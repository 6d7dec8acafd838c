"""A client of the server, in a process of its own: keep-alive connections, latencies from the plan.

``python -m benchmarks._load`` reads its orders as JSON from stdin and prints what it saw as JSON.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import Any

__all__ = ["main"]


class Connection:
    """One keep-alive connection over which requests go one after the other."""

    def __init__(self, host: str, port: int) -> None:
        self._address = (host, port)
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, method: str, path: str, body: bytes) -> tuple[int, bytes]:
        """Send a request; return status and body of the answer."""
        if self._streams is None:
            self._streams = await asyncio.open_connection(*self._address)
        reader, writer = self._streams
        head = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n"
        if body:
            head += "Content-Type: application/json\r\n"
        writer.write(f"{head}\r\n".encode() + body)
        answer = await reader.readuntil(b"\r\n\r\n")
        lines = answer.decode("latin-1").lower().split("\r\n")
        length = next(int(line.partition(":")[2]) for line in lines if line.startswith("content-length:"))
        return int(lines[0].split(" ")[1]), await reader.readexactly(length)


async def _paced(order: dict[str, Any]) -> dict[str, Any]:
    """Send requests at a rate, whatever becomes of them: latencies count from when each was due."""
    requests, rate = order["requests"], order["rate"]
    idle = [Connection(order["host"], order["port"]) for _ in range(order["connections"])]
    free: asyncio.Queue[Connection] = asyncio.Queue()
    for connection in idle:
        free.put_nowait(connection)
    began = time.perf_counter() + 0.05
    took: list[float] = []
    answers: list[Any] = []

    async def one(number: int) -> None:
        method, path, body = requests[number % len(requests)]
        due = began + number / rate
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        connection = await free.get()
        status, content = await connection.ask(method, path, json.dumps(body).encode() if body else b"")
        took.append(time.perf_counter() - due)
        free.put_nowait(connection)
        answers.append([number % len(requests), status, json.loads(content) if order["keep"] else None])

    await asyncio.gather(*(one(number) for number in range(order["count"])))
    return {"seconds": took, "answers": answers, "elapsed": time.perf_counter() - began}


async def _busy(order: dict[str, Any]) -> dict[str, Any]:
    """Send the next request as soon as the one before is answered, over some connections at once."""
    requests, took = order["requests"], []
    wrong = 0

    async def one(first: int, count: int) -> None:
        nonlocal wrong
        connection = Connection(order["host"], order["port"])
        for number in range(first, first + count):
            method, path, _ = requests[number % len(requests)]
            start = time.perf_counter()
            status, _ = await connection.ask(method, path, b"")
            took.append(time.perf_counter() - start)
            wrong += status != 200

    began = time.perf_counter()
    each = order["count"] // order["connections"]
    await asyncio.gather(*(one(7 * n, each) for n in range(order["connections"])))
    return {"seconds": took, "wrong": wrong, "elapsed": time.perf_counter() - began}


async def _follow(order: dict[str, Any]) -> dict[str, Any]:
    """Follow jobs over many streams until they end, and meanwhile ask how one of them stands."""
    ended: list[dict[str, int]] = []
    took: list[float] = []
    done = asyncio.Event()

    async def stream(job_id: str) -> None:
        reader, writer = await asyncio.open_connection(order["host"], order["port"], limit=2**20)
        path = f"/api/v1/jobs/{job_id}/events"
        writer.write(
            f"GET {path} HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n"
            "Connection: close\r\n\r\n".encode()
        )
        seen: list[int] = []
        finished = 0
        while line := await reader.readline():
            if line.startswith(b"id: "):
                seen.append(int(line[4:]))
            finished += line.startswith(b"event: end")
        writer.close()
        gaps = sum(b > a + 1 for a, b in zip([0, *seen], seen, strict=False))
        repeats = sum(b <= a for a, b in zip([0, *seen], seen, strict=False))
        ended.append({"events": len(seen), "gaps": gaps, "repeats": repeats, "finished": finished})

    async def watch() -> None:
        connection = Connection(order["host"], order["port"])
        while not done.is_set():
            start = time.perf_counter()
            await connection.ask("GET", f"/api/v1/jobs/{order['jobs'][0]}", b"")
            took.append(time.perf_counter() - start)
            await asyncio.sleep(0.02)

    watching = asyncio.create_task(watch())
    await asyncio.gather(*(stream(order["jobs"][n % len(order["jobs"])]) for n in range(order["streams"])))
    done.set()
    await watching
    return {"streams": ended, "seconds": took}


def main() -> None:
    """Do as told."""
    order = json.load(sys.stdin)
    work = {"paced": _paced, "busy": _busy, "follow": _follow}[order.pop("kind")]
    json.dump(asyncio.run(work(order)), sys.stdout)


if __name__ == "__main__":
    main()
