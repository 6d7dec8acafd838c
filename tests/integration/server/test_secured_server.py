"""``onward serve`` with keys: real processes, real sockets, one database."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from onward.access.store import SqlAccessStore
from onward.config.server import ServerConfig
from onward.errors import ConfigError
from onward.server.running import serve
from onward.server.tls import tls_files
from onward.settings import load_settings
from onward.wiring import build_application

ONWARD = [sys.executable, "-m", "onward"]
SOON = 6.0
"""A revoked key is refused within seconds; a busy machine is given some more."""


def environment(home: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ONWARD_")}
    return {**kept, "ONWARD_HOME": str(home)}


def access_of(home: Path) -> SqlAccessStore:
    """What `onward keys` works with."""
    return build_application(load_settings(home=home, cwd=home.parent, environ={})).access


@contextmanager
def served(home: Path, *options: str) -> Iterator[str]:
    process = subprocess.Popen(
        [*ONWARD, "--json", "serve", "--port", "0", "--no-jobs", *options],
        env=environment(home),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        text = ""
        while not text.rstrip().endswith("}"):
            line = process.stdout.readline()
            assert line, process.communicate()
            text += line
        yield json.loads(text)["address"]
    finally:
        process.terminate()
        try:
            process.wait(15)
        finally:
            process.kill()
            process.communicate()


def test_a_key_opens_other_addresses_and_its_end_closes_every_server(tmp_path: Path) -> None:
    """Two servers of one database, one on every address of the machine."""
    home = tmp_path / "home"
    access = access_of(home)
    key, secret = access.create_key("ann", "admin")
    headers = {"Authorization": f"Bearer {secret.text}"}
    with served(home, "--host", "0.0.0.0") as everywhere, served(home) as here:
        port = int(everywhere.rpartition(":")[2])
        clients = [
            httpx.Client(base_url=address, headers=headers, timeout=30)
            for address in (f"http://127.0.0.1:{port}", here)
        ]
        outside = own_address()
        if outside is not None:
            answer = httpx.get(f"http://{outside}:{port}/api/v1/jobs", headers=headers)
            assert answer.status_code == 200, "addressed by the number that it listens on"
        for client in clients:
            assert client.get("/api/v1/jobs").status_code == 200
            bare = httpx.get(f"{client.base_url}/api/v1/jobs".replace("//api", "/api"))
            assert (bare.status_code, bare.headers["www-authenticate"]) == (401, 'Bearer realm="onward"')

        login = clients[0].post("/api/v1/session", json={"key": secret.text})
        cookie = {"Cookie": login.headers["set-cookie"].partition(";")[0]}
        assert httpx.get(f"{here}/api/v1/session", headers=cookie).json()["who"] == f"key:{key.id}", (
            "a session counts on the other server too"
        )
        log = clients[1].get("/api/v1/audit-log").json()["entries"]
        assert [(e["action"], e["who"], e["address"]) for e in log] == [
            ("login", f"key:{key.id}", "127.0.0.1"),
            ("key.create", "local", ""),
        ]

        (home / "inbox").mkdir(exist_ok=True)
        (home / "inbox" / "bars.csv").write_text("time,open,high,low,close,volume\n1,1,1,1,1,1\n")
        waiting = clients[0].post("/api/v1/import-jobs", json={"files": ["bars.csv"], "symbol": "A/B"})
        assert waiting.status_code == 202, waiting.text
        events = f"/api/v1/jobs/{waiting.json()['id']}/events"
        with clients[0].stream("GET", events, headers={"Accept": "text/event-stream"}) as open_stream:
            frames = open_stream.iter_bytes()
            assert next(frames)
            access.revoke_key("ann")
            cut_off = time.monotonic()
            with contextlib.suppress(httpx.RemoteProtocolError):  # the server hangs up in the middle
                for _ in frames:
                    assert time.monotonic() - cut_off < SOON
            assert time.monotonic() - cut_off < SOON, "an open stream outlives its key"

        began = time.monotonic()
        for client in clients:
            while client.get("/api/v1/jobs").status_code == 200:
                assert time.monotonic() - began < SOON, "a revoked key goes on working"
                time.sleep(0.1)
        answer = clients[0].get("/api/v1/jobs")
        assert (answer.status_code, answer.json()["what"]) == (401, "the key was revoked")
        assert httpx.get(f"{here}/api/v1/session", headers=cookie).status_code == 401
        assert httpx.get(f"{here}/api/v1/jobs").status_code == 401, "the door stays closed"
        assert httpx.get(f"{here}/health/ready").status_code == 200
        for client in clients:
            client.close()
    application = build_application(load_settings(home=home, cwd=tmp_path, environ={}))
    with pytest.raises(ConfigError, match="onward keys create"):  # a key that was revoked opens nothing
        serve(application, ServerConfig.sealed(host="0.0.0.0", port=0))


def test_tls(tmp_path: Path, certificate: tuple[Path, Path]) -> None:
    home = tmp_path / "home"
    key = access_of(home).create_key("ann", "read")[1].text
    file, private_key = certificate
    files = ["--set", f"server.certificate={file}", "--set", f"server.private_key={private_key}"]
    with served(home, *files) as address:
        assert address.startswith("https://127.0.0.1:")
        context = ssl.create_default_context(cafile=str(file))
        with httpx.Client(base_url=address, verify=context, timeout=30) as client:
            assert client.get("/api/v1/jobs", headers={"X-API-Key": key}).status_code == 200
            cookie = client.post("/api/v1/session", json={"key": key}).headers["set-cookie"]
            assert cookie.startswith("__Host-onward_session=")
            assert "Secure" in cookie
        with pytest.raises(httpx.HTTPError):
            httpx.get(address.replace("https", "http"))


@pytest.mark.parametrize("wrong", ["missing", "swapped", "other", "encrypted"])
def test_a_certificate_that_cannot_be_used_is_told(
    tmp_path: Path, certificate: tuple[Path, Path], wrong: str
) -> None:
    file, key = certificate
    if wrong == "missing":
        key = tmp_path / "nothing.pem"
    elif wrong == "swapped":
        file, key = key, file
    elif wrong == "other":
        key = make_key(tmp_path)
    else:
        key = make_key(tmp_path, "-aes256", "-passout", "pass:secret")
    with pytest.raises(ConfigError, match=r"certificate cannot be used.*server\.private_key"):
        tls_files(ServerConfig.sealed(certificate=str(file), private_key=str(key)))
    assert tls_files(ServerConfig.sealed()) is None
    with pytest.raises(ConfigError, match="belong together"):
        tls_files(ServerConfig.sealed(certificate=str(file)))


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate of this machine that signs itself, and its key."""
    directory = tmp_path_factory.mktemp("tls")
    file, key = directory / "certificate.pem", directory / "key.pem"
    name = ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost"]
    kind = ["-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    openssl("req", *kind, *name, "-keyout", str(key), "-out", str(file))
    return file, key


def make_key(directory: Path, *options: str) -> Path:
    file = directory / "key.pem"
    kind = ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:prime256v1"]
    options = tuple("-pass" if option == "-passout" else option for option in options)
    openssl("genpkey", *kind, *options, "-out", str(file))
    return file


def openssl(*arguments: str) -> None:
    try:
        subprocess.run(["openssl", *arguments], capture_output=True, timeout=60, check=True)
    except FileNotFoundError:
        pytest.skip("openssl, which makes certificates for the tests, is not installed")


def own_address() -> str | None:
    """Return an address of this machine besides the loopback; None when there is no network."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        try:
            one.connect(("192.0.2.1", 9))  # sends nothing
        except OSError:
            return None
        address: str = one.getsockname()[0]
    return None if address.startswith("127.") else address
