"""Every run leaves a row, whatever becomes of it, and every configuration looked at counts once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import onward as ow
from onward.errors import AuditError, LabelError, NotEnoughDataError, PlanError, RegistryError, StorageError
from onward.registry import RunStore
from onward.settings import load_settings
from onward.training.conduct import Conductor
from onward.training.ledger import StoredLedger, Unrecorded
from onward.training.service import MLTrainingService
from onward.training.trainer import BaseTrainer
from onward.types import Market, ProgressEvent
from onward.wiring import Application, build_application
from tests.unit.training.small_runs import planted, small_plan, walk


@pytest.fixture
def application(tmp_path: Path) -> Iterator[Application]:
    built = build_application(load_settings(home=tmp_path, cwd=tmp_path, environ={}))
    yield built
    built.close()


def train(application: Application, market: Market, progress: Any = None, **overrides: Any) -> Any:
    return application.training.train(market, small_plan(**overrides), audit=False, progress=progress)


def test_a_run_that_went_well_has_everything(application: Application) -> None:
    market = planted(600)
    result = train(application, market)
    run = application.runs.get(result.run_id)
    record = run.record
    assert (record.kind, record.status, record.looked_at) == ("train", "succeeded", True)
    assert record.plan_hash == small_plan().content_hash
    assert record.data_hash == market.content_hash
    assert record.label_family == "threshold"
    assert record.data["bars"] == 600
    assert record.data["series"] == ["driver"]
    assert record.scores["pooled"]["n"] == len(result.oof)
    assert record.verdicts["direction"].level == result.verdict.direction.level
    assert record.verdicts["range"].p_value == pytest.approx(result.verdict.range.corrected_p)
    assert record.duration_seconds is not None
    assert record.model_ref is None
    version = result.save("m")
    assert application.runs.get(result.run_id).record.model_ref == version.ref


def test_looks_at_bars_that_overlap_are_told_though_not_counted(application: Application) -> None:
    market = planted(600)
    first, same = train(application, market), train(application, market)
    shorter = market.between(None, market.open_time[-20])
    other_range = train(application, shorter)
    (said,) = [text for text in other_range.warnings if "overlap these bars" in text]
    assert said.startswith("1 configuration was looked at before")
    assert other_range.verdict.direction.n_looked_at == 1
    assert not [text for text in first.warnings + same.warnings if "overlap" in text]


@pytest.fixture
def failing_folds(monkeypatch: pytest.MonkeyPatch) -> None:
    """What fails once a run has begun: whatever can be told before leaves none."""

    def fail(*_: Any, **__: Any) -> Any:
        raise LabelError("the folds cannot be learnt")

    monkeypatch.setattr(BaseTrainer, "fit_folds", fail)


@pytest.mark.usefixtures("failing_folds")
def test_a_failed_run_is_closed_and_nobody_looked(application: Application) -> None:
    with pytest.raises(LabelError) as caught:
        train(application, walk(300))
    (run,) = application.runs.list()
    assert (run.record.status, run.record.looked_at) == ("failed", False)
    assert run.record.error is not None
    assert run.record.error["error"] == "LabelError"
    assert run.record.error["what"] in str(caught.value)


@pytest.mark.parametrize(("stage", "looked_at"), [("features", False), ("fold", False), ("final fit", True)])
def test_ctrl_c_closes_the_run(application: Application, stage: str, looked_at: bool) -> None:
    def interrupt(event: ProgressEvent) -> None:
        if event.stage == stage:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(application, walk(300), interrupt)
    (run,) = application.runs.list()
    assert (run.record.status, run.record.looked_at) == ("cancelled", looked_at)
    assert application.registry.list_models() == ()


def test_a_plan_that_cannot_be_leaves_no_row(application: Application) -> None:
    with pytest.raises(PlanError):
        train(application, walk(300), model__name="nothing")
    assert application.runs.list() == ()


def test_each_configuration_counts_once_and_each_further_one_costs(application: Application) -> None:
    market = planted(600)
    first = train(application, market)
    assert first.verdict.direction.n_looked_at == 1
    assert first.verdict.direction.corrected_p == pytest.approx(first.verdict.direction.p)
    again = train(application, market)
    assert again.verdict.direction.n_looked_at == 1
    assert again.verdict.direction.p == first.verdict.direction.p
    named = {"data__timeframe": "1h", "data__symbols": list(market.symbols), "data__series": ["driver"]}
    spelt = train(application, market, **named)
    assert spelt.verdict.direction.n_looked_at == 1, "as a form asks for it, which names what it shows"
    second = train(application, market, model__n_rounds=6)
    p = second.verdict.direction.p
    assert second.verdict.direction.n_looked_at == 2
    assert second.verdict.direction.corrected_p == pytest.approx(1 - (1 - p) ** 2)
    assert second.verdict.direction.corrected_p > p
    assert "2 configurations" in second.verdict.direction.sentence
    other_horizon = train(application, market, labels__horizon_bars=7)
    assert other_horizon.verdict.direction.n_looked_at == 3
    other_data = train(application, planted(600, seed=5), model__n_rounds=7)
    assert other_data.verdict.direction.n_looked_at == 1
    assert train(application, market, labels__mode="fixed").verdict.range.n_looked_at == 4


class Closed(StoredLedger):
    """A ledger whose disk fills up while a run is on its way."""

    def fail(self, run_id: str | None, *, cancelled: bool, error: BaseException) -> None:
        raise StorageError("the disk is full")


def conductor(application: Application, ledger: Any, audit: Any = None) -> Conductor:
    return Conductor(
        ledger=ledger,
        registry=lambda: application.registry,
        audit=audit,
        staging=lambda: application.home.models,
    )


def service(application: Application, ledger: Any, audit: Any = None) -> MLTrainingService:
    from onward.training.assembly import make_trainer

    return MLTrainingService(make_trainer=make_trainer, conductor=conductor(application, ledger, audit))


@pytest.mark.usefixtures("failing_folds")
def test_what_went_wrong_first_stays_the_error(application: Application) -> None:
    training = service(application, Closed(RunStore(application.engine)))
    with pytest.raises(LabelError) as caught:
        training.train(walk(300), small_plan(), audit=False)
    assert "disk is full" in caught.value.__notes__[0]


def test_an_audit_that_cannot_run_does_not_undo_the_training(application: Application) -> None:
    def audit(*_: Any, **__: Any) -> Any:
        raise AuditError("the market is too short to be audited", got="12 bars")

    result = service(application, StoredLedger(application.runs), audit).train(walk(300), small_plan())
    assert result.certificate.status == "not_run"
    assert "12 bars" in result.warnings[-1]
    assert application.runs.get(result.run_id).record.status == "succeeded"


def test_unrecorded_trainings_leave_nothing(application: Application) -> None:
    result = service(application, Unrecorded()).train(walk(300), small_plan(), audit=False)
    assert result.run_id is None
    assert result.verdict.direction.n_looked_at == 1
    assert application.runs.list() == ()


def test_saving_twice_gives_one_version_and_bad_names_are_refused(application: Application) -> None:
    result = train(application, walk(300))
    first, second = result.save("m"), result.save("m")
    assert first.ref == second.ref == "models:/m/1"
    assert result.save("other").ref == "models:/other/1"
    with pytest.raises(RegistryError):
        result.save("no/such name")
    assert list((application.home.models / ".staging").iterdir()) == []


def test_a_disk_that_refuses_is_told_and_leaves_nothing(application: Application) -> None:
    result = train(application, walk(300))
    application.home.models.mkdir(parents=True, exist_ok=True)
    blocked = application.home.models / ".staging"
    if blocked.exists():
        blocked.rmdir()
    blocked.write_text("in the way")
    with pytest.raises(StorageError, match="place for the bundle"):
        result.save("m")
    assert application.registry.list_models() == ()
    blocked.unlink()
    assert result.save("m").ref == "models:/m/1"


def test_the_home_of_a_call_is_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ONWARD_HOME", str(tmp_path / "elsewhere"))
    result = ow.train(walk(300), small_plan(), audit=False, home=tmp_path / "here")
    assert (tmp_path / "here" / "onward.db").is_file()
    assert not (tmp_path / "elsewhere").exists()
    assert result.run_id is not None


@pytest.mark.parametrize("verb", ["train", "tune"])
def test_a_plan_that_cannot_begin_leaves_no_run(application: Application, verb: str) -> None:
    plan = small_plan().with_overrides({"labels.horizon_bars": 99_999})
    training = service(application, StoredLedger(application.runs))
    with pytest.raises(NotEnoughDataError, match="99,999 bars later") as refused:
        getattr(training, verb)(walk(300), plan)
    assert "300 bars" in str(refused.value.got)
    assert application.runs.list() == ()
