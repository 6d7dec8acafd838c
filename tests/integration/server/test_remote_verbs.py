"""A client and the command line against a real server; what verbs say here they say through it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner, Result

from onward.cli.app import app
from onward.client import OnwardClient, ServerAwayError
from onward.errors import (
    DataConflictError,
    DataNotFoundError,
    ForbiddenError,
    FormatError,
    JobNotFoundError,
    JobStateError,
    PlanError,
    RegistryNotFoundError,
    UnauthenticatedError,
    UserError,
)
from onward.server.shown import ShownPaths
from tests.integration.server.houses import QUICK, House
from tests.unit.training.small_runs import SMALL, small_plan

Run = Callable[..., Result]


class Lived:
    """A house with a trained model and jobs that ended, and a client at its door."""

    def __init__(self, directory: Path) -> None:
        home = directory / "home"
        home.mkdir(parents=True)
        told = {name: value for name, value in {**SMALL, **QUICK}.items() if not name.startswith("server.")}
        lines = [f"{name} = {json.dumps(value)}" for name, value in told.items()]
        (home / "onward.toml").write_text("\n".join(lines) + "\n")
        self.house = House(directory)
        self.home = home
        access = self.house.application.access
        self.key, self.weak = (access.create_key(s, s)[1].text for s in ("admin", "read"))
        self.client = OnwardClient(self.house.address, api_key=self.key)
        self.csv = directory / "BTC_USDT-1h.csv"
        bars = self.house.market.bars.reset_index().drop(columns="symbol")
        bars.to_csv(self.csv, index=False)

    def here(self, *arguments: str) -> Result:
        return CliRunner().invoke(app, ["--home", str(self.home), *arguments])

    def there(self, *arguments: str) -> Result:
        return CliRunner().invoke(
            app, ["--server", self.house.address, *arguments], env={"ONWARD_API_KEY": self.key}
        )


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lived]:
    before = {name: os.environ.pop(name) for name in list(os.environ) if name.startswith("ONWARD_")}
    lived = Lived(tmp_path_factory.mktemp("lived"))
    yield lived
    lived.client.close()
    lived.house.close()
    os.environ.update(before)


@pytest.fixture(scope="module")
def imported(lived: Lived) -> str:
    reply = lived.client.import_data(lived.csv, wait=True)
    assert reply.job is not None
    kinds = [event.kind for event in lived.client.watch(reply.job.id)]
    assert kinds[-1] == "state"
    assert lived.client.job(reply.job.id).state == "succeeded"
    return reply.job.id


@pytest.fixture(scope="module")
def model(lived: Lived, imported: str) -> str:
    application = lived.house.application
    version = application.training.train(application.repositories.market(), small_plan()).save("btc-1h")
    application.registry.set_alias(version.name, "champion", version.number, "mira", "first")
    return version.ref


def test_a_file_becomes_a_series(lived: Lived, imported: str) -> None:
    client = lived.client
    assert client.result(imported)["stored"][0]["added"] == 600
    (stored,) = client.series()
    assert (stored.symbol, stored.timeframe, stored.rows) == ("BTC/USDT", "1h", 600)
    report = client.quality("BTC/USDT", timeframe="1h")
    assert report["passed"]
    assert (report["symbols"][0]["timeframe"], report["symbols"][0]["rows"]) == ("1h", 600)
    with pytest.raises(UserError, match="nothing like this is stored"):
        client.quality("ETH/USDT")
    with pytest.raises(UserError, match="funding"):
        client.quality("BTC/USDT", kind="funding")
    dry = client.import_data(lived.csv, dry_run=True)
    assert (dry.job, dry.read.rows, dry.read.symbols) == (None, 600, ("BTC/USDT",))


def test_refusals_come_as_the_errors_that_they_were(lived: Lived, imported: str, tmp_path: Path) -> None:
    client = lived.client
    with pytest.raises(JobNotFoundError) as caught:
        client.job("zzz")
    assert caught.value.got == "'zzz'"
    assert caught.value.remedy
    with pytest.raises(RegistryNotFoundError):
        client.version("models:/nothing/1")
    with pytest.raises(PlanError):
        client.validate_plan("no-such-preset")
    (lived.home / "inbox" / "later.csv").write_bytes(lived.csv.read_bytes())
    later = client.submit_import(["later.csv"], symbol="BTC/USDT", run_after="2100-01-01T00:00:00Z").job
    with pytest.raises(JobStateError, match="has not ended"):
        client.result(later.id)
    assert client.stop(later.id).accepted
    nonsense = tmp_path / "notes.csv"
    nonsense.write_text("what, is, this\n")
    with pytest.raises(FormatError, match="recognises"):
        client.import_data(nonsense)
    with pytest.raises(UserError, match="cannot be read"):
        client.import_data(tmp_path / "nothing.csv")
    with OnwardClient(lived.house.address) as nobody, pytest.raises(UnauthenticatedError):
        nobody.jobs()
    with OnwardClient(lived.house.address, api_key=lived.weak) as reader:
        assert reader.job(imported).id == imported
        with pytest.raises(ForbiddenError):
            reader.stop(imported)
        with pytest.raises(ForbiddenError):
            reader.import_data(lived.csv)
    with pytest.raises(UserError, match="no address"):
        OnwardClient("ftp://somewhere")
    with OnwardClient("http://127.0.0.1:9", timeout=1) as nowhere, pytest.raises(ServerAwayError):
        nowhere.jobs()


def test_a_stream_that_breaks_is_taken_up_again(lived: Lived, imported: str) -> None:
    """Every answer is cut after its second frame: nothing is missing, nothing comes twice."""
    whole = [event.seq for event in lived.client.watch(imported)]
    inner, asked = httpx.HTTPTransport(), []

    class Cut(httpx.SyncByteStream):
        def __init__(self, stream: Any) -> None:
            self._stream = stream

        def __iter__(self) -> Iterator[bytes]:
            frames = 0
            for piece in self._stream:
                for frame in piece.split(b"\n\n")[:-1]:
                    if frames == 2:
                        raise httpx.ReadError("cut")
                    frames += b"id:" in frame
                    yield frame + b"\n\n"

        def close(self) -> None:
            self._stream.close()

    class Cutting(httpx.BaseTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            asked.append(request.headers.get("last-event-id"))
            answer = inner.handle_request(request)
            return httpx.Response(answer.status_code, headers=answer.headers, stream=Cut(answer.stream))

    with OnwardClient(lived.house.address, api_key=lived.key, transport=Cutting()) as client:
        assert [event.seq for event in client.watch(imported)] == whole
    assert asked[:2] == ["0", "2"]


def without(value: Any, *names: str) -> Any:
    if isinstance(value, dict):
        return {name: without(one, *names) for name, one in value.items() if name not in names}
    return [without(one, *names) for one in value] if isinstance(value, list) else value


def test_verbs_say_the_same_here_and_there(lived: Lived, imported: str, model: str) -> None:
    at = lived.house.market.decision_time.max().isoformat()
    verbs = [
        ("jobs", "list"),
        ("jobs", "list", "--kind", "import", "-n", "1"),
        ("jobs", "show", imported, "--events"),
        ("jobs", "logs", imported),
        ("jobs", "watch", imported),
        ("models", "list"),
        ("models", "list", "btc-1h"),
        ("models", "show", model),
        ("models", "show", "btc-1h@champion"),
        ("models", "show", "btc-1h"),
        ("models", "history", "btc-1h"),
        ("models", "history", "btc-1h", "--at", "2099-01-01"),
        ("models", "cleanup", "--dry-run"),
        ("data", "list"),
        ("data", "remove", "BTC/USDT", "--dry-run"),
        ("data", "remove", "BTC/USDT", "--timerange", "20200105-20200107", "--dry-run"),
        ("data", "remove", "NO/PE", "--yes"),
        ("data", "remove", "BTC/USDT", "--timerange", "-", "--yes"),
        ("data", "import", str(lived.csv), "--dry-run"),
        ("features", "list"),
        ("features", "list", "fast", "--columns", "--set", "features.stages=manual"),
        ("config", "show", "registry", "model"),
        ("predict", model, "--latest", "--at", at),
        ("predict", "btc-1h@champion", "--timerange", "20200110-20200112"),
        ("jobs", "show", "zzz"),
        ("models", "list", "nothing"),
    ]
    # But for where its files lie, which a server tells nobody.
    shown = ShownPaths.of(lived.house.application.home.root, ()).text
    for verb in verbs:
        for form in ((), ("--json",)):
            here, there = lived.here(*verb, *form), lived.there(*verb, *form)
            assert there.exit_code == here.exit_code, (verb, here.output, there.output)
            said = shown(here.stdout) if verb[0] == "jobs" and form else here.stdout
            if verb[:2] != ("data", "import"):  # which says how long it took
                assert there.stderr == here.stderr, verb
            if verb[0] == "config":  # the house was given its settings by hand
                assert there.stdout.count("\n") == here.stdout.count("\n"), verb
            elif form and here.exit_code == 0 and verb[:2] not in (("jobs", "logs"), ("jobs", "watch")):
                told = [without(json.loads(text), "directory") for text in (said, there.stdout)]
                assert told[1] == told[0], verb
            else:
                assert there.stdout == said, verb


def test_work_is_handed_in_through_the_server(lived: Lived, model: str) -> None:
    told = json.loads(lived.there("jobs", "submit", "train", "--key", "nightly", "--json").stdout)
    assert told["created"]
    again = json.loads(lived.there("jobs", "submit", "train", "--key", "nightly", "--json").stdout)
    assert (again["id"], again["created"]) == (told["id"], False)
    watched = lived.there("jobs", "watch", told["id"])
    assert watched.exit_code == 0, watched.output
    assert "succeeded" in watched.stdout
    late = ("--set", "labels.horizon_bars=7", "--after", "2100-01-01")
    waiting = json.loads(lived.there("jobs", "submit", "train", *late, "--json").stdout)
    spec = lived.client.job(waiting["id"]).request.spec
    assert (spec["plan"]["labels"]["horizon_bars"], spec["plan"]["model"]["n_rounds"]) == (7, 5)
    assert "cancelled; it had not begun" in lived.there("jobs", "stop", waiting["id"]).stdout
    later = ("--after", "2100-01-01T00:00:00+00:00", "--attempts", "7", "--fresh")
    retried = json.loads(lived.there("jobs", "retry", waiting["id"], *later, "--json").stdout)
    assert (retried["retry_of"], retried["max_attempts"]) == (waiting["id"], 7)
    assert retried["run_after"].startswith("2100-01-01T00:00:00")
    lived.there("jobs", "stop", retried["id"])
    moved = lived.there("models", "alias", "btc-1h", "second", "1", "--actor", "mira")
    assert moved.stdout == "btc-1h@second now stands for version 1.\n", moved.output
    assert lived.there("models", "alias", "btc-1h", "second", "--remove").exit_code == 0
    sent = json.loads(lived.there("data", "import", str(lived.csv), "--json").stdout)
    assert sent[0]["stored"][0]["unchanged"] == 600
    background = lived.there("train", "--background", "--set", "model.n_rounds=6")
    assert "is queued" in background.stdout, background.output


def test_a_series_is_removed_through_the_server(lived: Lived, model: str) -> None:
    dry = lived.client.remove_series("BTC/USDT", dry_run=True)
    assert (dry.rows, dry.left, dry.models[0]["name"]) == (600, 0, "btc-1h")
    part = ("--timerange", "20200105-20200107")
    gone = lived.there("data", "remove", "BTC/USDT", *part, "--yes")
    assert gone.stdout == "Removed 48 rows of candles BTC/USDT 1h; 552 rows stay.\n", gone.output
    assert "models trained on this market: btc-1h (champion); they use what stays" in gone.stderr
    with pytest.raises(DataConflictError, match="changed since"):
        lived.client.remove_series("BTC/USDT", seen=dry.state)
    with pytest.raises(DataNotFoundError, match="No such series"):
        lived.client.remove_series("", kind="fear_greed")
    with OnwardClient(lived.house.address, api_key=lived.weak) as reader, pytest.raises(ForbiddenError):
        reader.remove_series("BTC/USDT")
    again = json.loads(lived.there("data", "import", str(lived.csv), "--json").stdout)
    assert again[0]["stored"][0]["added"] == 48


@pytest.mark.parametrize(
    ("verb", "said"),
    [
        (("serve",), "this verb works on the machine that it is called on"),
        (("models", "export", "btc-1h/1", "f.zip"), "this verb works on the machine that it is called on"),
        (("train",), "a server trains in the background"),
        (("jobs", "submit", "audit"), "servers take no jobs of this kind"),
        (("jobs", "submit", "train", "--set", "jobs.poll_seconds=3"), "a server's settings are its own"),
        (("predict", "btc-1h/1", "--data", "b.csv"), "a server predicts the bars that it has stored"),
        (("jobs", "submit", "train", "--set", "model.rounds=3"), "n_rounds"),
    ],
)
def test_what_makes_no_sense_there_says_so(lived: Lived, verb: tuple[str, ...], said: str) -> None:
    result = lived.there(*verb)
    assert result.exit_code == 2, result.output
    assert said in result.stderr
    assert "Traceback" not in result.output


def test_a_key_is_read_from_the_input_and_shown_nowhere(lived: Lived) -> None:
    asked = ["--server", lived.house.address, "--api-key", "-", "jobs", "list"]
    assert CliRunner().invoke(app, asked, input=f"{lived.key}\n").exit_code == 0
    refused = CliRunner().invoke(app, asked, input="onward_wrong\n")
    assert refused.exit_code == 2
    assert "onward_wrong" not in refused.output
    assert lived.key not in repr(lived.client)
