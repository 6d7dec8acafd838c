"""Models in MLflow: asked through MLflow itself, published by jobs, and what happens when it is away."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from onward.database.transactions import writing
from onward.errors import BundleError, ConfigError, PredictionError, RegistryError, StorageError
from onward.prediction.loaded import LoadedModel
from onward.registry import Version
from onward.registry.mlflow import Connection, MlflowRegistry, Outbox
from onward.registry.mlflow.history import ELSEWHERE
from onward.registry.mlflow.publishing import Publisher
from onward.registry.placement import Placement
from onward.registry.values import Posting
from onward.settings import load_settings
from onward.storage import LocalCopies
from onward.testing.mlflow_store import copy_mlflow, make_mlflow, missing
from onward.testing.registry import Workshop, stage_bundle
from onward.types import Market
from onward.wiring import Application, build_application
from tests.unit.training.small_runs import panel, small_plan

REASON = missing()
pytestmark = [
    pytest.mark.skipif(REASON is not None, reason=str(REASON)),
    # MLflow's own tables use what SQLAlchemy 2.1 has deprecated.
    pytest.mark.filterwarnings("ignore:.*noload.*:DeprecationWarning"),
    # Said once on importing mlflow.pyfunc, of models for conversations.
    pytest.mark.filterwarnings("ignore:.*Any type hint is inferred:UserWarning"),
]


@pytest.fixture(scope="module")
def mlflow_uri(tmp_path_factory: pytest.TempPathFactory) -> str:
    template = make_mlflow(tmp_path_factory.mktemp("mlflow-template"))
    return copy_mlflow(template, tmp_path_factory.mktemp("mlflow"))


@pytest.fixture(scope="module")
def client(mlflow_uri: str) -> Any:
    return Connection(mlflow_uri).client


@pytest.fixture(scope="module")
def application(mlflow_uri: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Application]:
    directory = tmp_path_factory.mktemp("home")
    settings = load_settings(
        home=directory / "home",
        cwd=directory,
        environ={},
        overrides={"registry.backend": "mlflow", "registry.mlflow_uri": mlflow_uri},
    )
    application = build_application(settings)
    yield application
    application.close()


@pytest.fixture
def registry(application: Application) -> MlflowRegistry:
    assert isinstance(application.registry, MlflowRegistry)
    return application.registry


@pytest.fixture(scope="module")
def market() -> Market:
    return panel(400)


@pytest.fixture(scope="module")
def asked(application: Application, market: Market) -> tuple[Version, LoadedModel]:
    """A trained panel with side series, audited, and its model as Onward loads it."""
    families = ["returns", "funding", "custom_series"]
    plan = small_plan(features__manual__families=families, selection__enabled=False)
    version = application.training.train(market, plan, audit=True).save("panel")
    application.registry.set_alias("panel", "champion", version.number, "ann", "first")
    return version, application.prediction.load("models:/panel@champion")


# -- through MLflow itself --------------------------------------------------------------------


def loaded(uri: str, reference: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    import mlflow

    monkeypatch.setenv("MLFLOW_ALLOW_PICKLE_DESERIALIZATION", "false")
    mlflow.set_tracking_uri(uri)
    return mlflow.pyfunc.load_model(reference)


def test_mlflow_alone_loads_the_model_and_predicts_the_same(
    asked: tuple[Version, LoadedModel], market: Market, mlflow_uri: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    version, own = asked
    expected = own.predict(market)
    for reference in ("models:/panel@champion", version.ref):
        model = loaded(mlflow_uri, reference, monkeypatch)
        table = market.bars.reset_index()
        told: dict[str, Any] = {"bars": table} | dict(market.series)
        assert model.predict(told).equals(expected)
    frames = {name: series.frame for name, series in market.series.items()}
    assert model.predict({"bars": market.bars} | frames).equals(expected)


def test_mlflow_shows_what_a_version_is_worth(asked: tuple[Version, LoadedModel], client: Any) -> None:
    version, _ = asked
    found = client.get_model_version_by_alias("panel", "champion")
    manifest = version.manifest
    tags = found.tags
    assert tags["onward.digest"] == manifest.digest
    assert (tags["onward.certificate"], tags["onward.data_hash"]) == ("passed", manifest.data_hash)
    assert tags["onward.verdict.direction"] == manifest.verdicts["direction"]["level"]  # type: ignore[index,call-overload]
    run = client.get_run(found.run_id)
    assert run.info.status == "FINISHED"
    assert "auc" in " ".join(run.data.metrics)
    files = {file.path for file in client.list_artifacts(found.run_id, "model/bundle")}
    assert {"model/bundle/manifest.json", "model/bundle/model", "model/bundle/pipeline.json"} <= files
    assert not any(name.endswith(".pkl") for name in files)


def test_bad_input_of_a_loaded_model_is_told(
    asked: tuple[Version, LoadedModel], market: Market, mlflow_uri: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = loaded(mlflow_uri, "models:/panel@champion", monkeypatch)
    with pytest.raises(PredictionError, match="need bars"):
        model.predict([1.0, 2.0])
    with pytest.raises(PredictionError, match="side series"):
        model.predict(market.bars)
    with pytest.raises(PredictionError, match="values and their times"):
        model.predict({"bars": market.bars, "mood": "/etc/passwd"})


def test_a_changed_artifact_is_refused_by_both(
    registry: MlflowRegistry, client: Any, tmp_path: Path, mlflow_uri: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry.publish(Workshop(tmp_path).bundle("changed"))
    source = Path(client.get_model_version("changed", "1").source.removeprefix("file://"))
    file = source / "bundle" / "model" / "model.txt"
    file.write_bytes(file.read_bytes().replace(b"tree", b"trek"))
    with pytest.raises(BundleError, match=r"model/model\.txt"):
        registry.open("changed/1")
    with pytest.raises(BundleError, match=r"model/model\.txt"):
        loaded(mlflow_uri, "models:/changed/1", monkeypatch)
    other = tmp_path / "other"
    manifest = stage_bundle(other, name="changed", seed=99)
    shutil.rmtree(source / "bundle")
    shutil.copytree(other, source / "bundle")
    assert manifest.name == "changed"
    for refused in (
        lambda: registry.open("changed/1"),
        lambda: loaded(mlflow_uri, "models:/changed/1", monkeypatch),
    ):
        with pytest.raises(BundleError, match="digest"):
            refused()
    shutil.rmtree(source / "bundle")
    with pytest.raises(BundleError, match="without bundle"):
        registry.open("changed/1")


# -- what others do in MLflow -----------------------------------------------------------------


def test_an_alias_given_in_mlflow_is_noticed_and_cannot_name_what_was_not_certified(
    registry: MlflowRegistry, client: Any, tmp_path: Path
) -> None:
    shop = Workshop(tmp_path)
    for certificate in ("passed", "passed", "failed"):
        registry.publish(shop.bundle("moved", certificate))  # type: ignore[arg-type]
    registry.set_alias("moved", "champion", 1, "ann", "first")
    client.set_registered_model_alias("moved", "champion", "2")
    assert registry.resolve("moved@champion").number == 2
    first, noticed = registry.alias_history("moved", "champion")
    assert (noticed.version, noticed.previous, noticed.actor, noticed.reason) == (2, 1, "", ELSEWHERE)
    assert registry.rollback("moved", "champion", "bob", "undone").version == 1
    assert [e.version for e in registry.alias_history("moved")] == [1, 2, 1]
    client.set_registered_model_alias("moved", "champion", "3")
    with pytest.raises(RegistryError, match="certificate"):
        registry.resolve("moved@champion")
    client.delete_registered_model_alias("moved", "champion")
    assert registry.alias_history("moved")[-1].action == "delete"
    assert first.actor == "ann"


def test_versions_of_others_are_left_alone(registry: MlflowRegistry, client: Any, tmp_path: Path) -> None:
    client.create_registered_model("theirs")
    client.create_model_version("theirs", f"file://{tmp_path}")
    assert "theirs" not in [model.name for model in registry.list_models()]
    with pytest.raises(RegistryError, match="not published by Onward"):
        registry.resolve("theirs/1")
    version = registry.publish(Workshop(tmp_path).bundle("theirs"))
    assert version.number == 2
    assert [one.number for one in registry.list_versions("theirs")] == [2]


def test_a_reason_that_mlflow_has_no_room_for_changes_nothing(
    registry: MlflowRegistry, tmp_path: Path
) -> None:
    registry.publish(Workshop(tmp_path).bundle("long"))
    with pytest.raises(RegistryError, match="too long for MLflow"):
        registry.set_alias("long", "champion", 1, '"' * 2000, '"' * 2000)
    assert registry.resolve("long/1").aliases == ()
    registry.set_alias("long", "champion", 1, "日本" * 1000, "語" * 2000)
    (event,) = registry.alias_history("long")
    assert (len(event.actor), len(event.reason)) == (2000, 2000)


# -- published by the end of a job ------------------------------------------------------------


class Killed(BaseException):
    """Stands for the end of the process."""


def posted(
    application: Application, tmp_path: Path, name: str, job_id: str, *, certificate: Any = "passed"
) -> None:
    """Do what the end of a job does, up to its commit."""
    registry = application.registry
    assert isinstance(registry, MlflowRegistry)
    placed = registry.place(Workshop(tmp_path).bundle(name, certificate), name)
    with writing(application.engine) as connection:
        registry.post(connection, placed, Posting(job_id, "champion", "ann"))


STEPS = (
    (Publisher, "upload"),
    (Publisher, "create"),
    (MlflowRegistry, "_publish"),
    (MlflowRegistry, "_take_over"),
    (Outbox, "_discard"),
)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize(("kind", "step"), STEPS, ids=[step for _, step in STEPS])
def test_a_server_that_dies_while_delivering_loses_nothing_and_doubles_nothing(
    kind: type,
    step: str,
    after: bool,
    application: Application,
    registry: MlflowRegistry,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    name = f"{step.strip('_')}-{'after' if after else 'before'}"
    posted(application, tmp_path, name, f"job-{name}")
    real = getattr(kind, step)

    def dying(*args: Any, **named: Any) -> Any:
        if after:
            real(*args, **named)
        raise Killed

    with monkeypatch.context() as context:
        context.setattr(kind, step, dying)
        with pytest.raises(Killed):
            registry.deliver()
    registry.deliver()  # as the upkeep of whichever server does
    (version,) = registry.list_versions(name)
    assert version.aliases == ("champion",)
    (event,) = registry.alias_history(name)
    assert (event.actor, event.reason) == ("ann", f"job job-{name}")
    assert registry.deliver() == ()


def test_a_failed_audit_gets_no_alias_and_a_run_learns_its_version(
    application: Application, registry: MlflowRegistry, tmp_path: Path
) -> None:
    posted(application, tmp_path, "leaky", "job-leaky", certificate="failed")
    (version,) = registry.deliver()
    assert (version.ref, version.aliases) == ("models:/leaky/1", ())
    assert list(registry.alias_history("leaky")) == []


def test_what_was_placed_and_never_promised_is_swept(
    application: Application, registry: MlflowRegistry, tmp_path: Path
) -> None:
    placed = registry.place(Workshop(tmp_path).bundle("never"), "never")
    assert placed.directory.exists()
    registry.sweep_orphans()
    assert placed.directory.exists(), "younger than a day"
    later = MlflowRegistry(
        Connection(registry._connection.uri),
        LocalCopies(tmp_path / "copies"),
        outbox=Outbox(application.engine, Placement(application.home.models / ".outbox")),
        clock=lambda: datetime.now(UTC) + timedelta(days=2),
    )
    assert placed.directory in later.sweep_orphans()
    assert not placed.directory.exists()


def test_while_mlflow_is_away_promises_wait(
    application: Application, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    outbox = Outbox(application.engine, Placement(application.home.models / ".outbox"))
    away = MlflowRegistry(
        Connection("http://somebody:secret@127.0.0.1:9"), LocalCopies(tmp_path / "copies"), outbox=outbox
    )
    placed = away.place(Workshop(tmp_path).bundle("waits"), "waits")
    with writing(application.engine) as connection:
        away.post(connection, placed, Posting("job-waits"))
    assert away.deliver() == ()
    (letter,) = outbox.waiting()
    assert (letter.name, letter.attempts, letter.posting.job_id) == ("waits", 1, "job-waits")
    assert "MLflow could not" in str(letter.error)
    assert "secret" not in str(letter.error)
    with pytest.raises(StorageError, match="Check that MLflow runs") as caught:
        away.resolve("btc@champion")
    assert "secret" not in str(caught.value)
    registry = application.registry
    assert isinstance(registry, MlflowRegistry)
    (version,) = registry.deliver()
    assert version.ref == "models:/waits/1"
    assert outbox.waiting() == ()


def test_nothing_of_mlflow_is_loaded_before_it_is_asked(tmp_path: Path) -> None:
    code = """
import sys
from onward.settings import load_settings
from onward.wiring import build_application
more = {"registry.backend": "mlflow", "registry.mlflow_uri": "https://mlflow.example"}
application = build_application(load_settings(home=sys.argv[1], cwd=sys.argv[1], environ={}, overrides=more))
assert type(application.registry).__name__ == "MlflowRegistry"
assert application.job_kinds
print([name for name in ("mlflow", "pandas", "sklearn", "requests") if name in sys.modules])
"""
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"


def test_it_must_be_said_where_mlflow_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    registry = MlflowRegistry(Connection(), LocalCopies(tmp_path))
    with pytest.raises(ConfigError, match="MLFLOW_TRACKING_URI"):
        registry.list_models()
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "https://mlflow.example")
    assert Connection().uri == "https://mlflow.example"


def test_without_mlflow_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mlflow", None)
    registry = MlflowRegistry(Connection("https://mlflow.example"), LocalCopies(tmp_path))
    with pytest.raises(ConfigError, match=r"onward\[mlflow\]"):
        registry.list_models()
