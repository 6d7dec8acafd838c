"""What the pages of jobs say, from plain values."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from onward.dashboard.digests import Digests
from onward.dashboard.i18n import LANGUAGES, texts_of
from onward.dashboard.views.job import expected_stages, is_untaken, job_view, jobs_view
from onward.dashboard.views.job_events import KEPT_LINES, Digest, digested
from onward.dashboard.views.job_outcome import model_page
from onward.dashboard.views.job_trials import KEPT_TRIALS, SHOWN_TRIALS
from onward.jobs.values import Job, JobEvent, JobRequest

NOW = datetime(2026, 11, 22, 12, 30, tzinfo=UTC)
VERDICT = {"subject": "direction", "level": "weak evidence", "auc": 0.56}
TRAINED: dict[str, Any] = {
    "run": "20261122-1",
    "verdict": {"direction": VERDICT, "range": {**VERDICT, "subject": "range"}},
    "certificate": {"status": "passed", "findings": []},
    "model": "models:/btc-1h/3",
    "alias": None,
}


def job(state: Any = "running", **changes: Any) -> Job:
    none: dict[str, Any] = dict.fromkeys(Job.__dataclass_fields__)
    spec = changes.pop("spec", {"save": "btc-1h"})
    request = JobRequest(changes.pop("kind", "train"), spec)
    given = {"id": "a1", "request": request, "state": state, "attempt": 1, "beat": 0, "progress": {}}
    return Job(**none | given | {"queued_at": NOW} | changes)


def events(*told: tuple[float, str, dict[str, Any]], attempt: int = 1, since: int = 0) -> list[JobEvent]:
    return [
        JobEvent("a1", since + n, attempt, NOW + timedelta(seconds=at), kind, payload)
        for n, (at, kind, payload) in enumerate(told, start=1)
    ]


def progress(stage: str, fraction: float | None = None, message: str = "") -> dict[str, Any]:
    return {"stage": stage, "fraction": fraction, "message": message}


def score(stage: str, message: str, **values: float) -> dict[str, Any]:
    return {"stage": stage, "message": message, "values": values}


def test_stages_take_turns_and_their_times_add_up() -> None:
    told = events(
        (0, "state", {"state": "running"}),
        (1, "progress", progress("features", 0.5)),
        (4, "progress", progress("fold", 0.0)),
        (5, "progress", progress("search", 0.1)),
        (8, "progress", progress("fold", 0.5, "447 training rows")),
    )
    digest = digested(Digest(), told)
    assert [(one.name, one.seconds, one.under_way) for one in digest.stages] == [
        ("features", 3.0, False),
        ("fold", 1.0, True),
        ("search", 3.0, False),
    ]
    assert (digest.seq, digest.stages[1].message) == (5, "447 training rows")
    done = digested(digest, events((10, "state", {"state": "succeeded"}), since=5))
    assert [one.seconds for one in done.stages] == [3.0, 3.0, 3.0]
    assert not any(one.under_way for one in done.stages)


def test_a_digest_in_pieces_is_the_digest_at_once() -> None:
    told = events(
        (1, "progress", progress("features")),
        (2, "score", score("fold", "fold 2", direction_auc=0.6)),
        (3, "log", {"level": "warning", "text": "look"}),
        (4, "score", score("search", "fold 1", trial=0, best=0.1)),
        (5, "stage", {"stage": "search"}),
        (5, "score", score("search", "fold 1", trial=1, best=0.2)),
        (5, "score", score("search", "of somebody's own", best=0.3)),
    )
    whole = digested(Digest(), told)
    for cut in range(len(told)):
        assert digested(digested(Digest(), told[:cut]), told[cut:]) == whole
    assert [(line.number, line.best) for line in whole.trials] == [(0, 0.1), (1, 0.2)]
    assert [line.name for line in whole.others] == ["of somebody's own"], "a score that names no trial"
    assert [(one.name, one.seconds, one.under_way) for one in whole.stages] == [
        ("features", 4.0, False),
        ("search", 0.0, True),
    ]


def trial(number: int, own: float | None, best: float | None, search: str = "fold 1 of 3") -> dict[str, Any]:
    figures = {"inner auc": own, "best inner auc": best}
    values = {name: value for name, value in figures.items() if value is not None}
    return score("search", search, trial=number, **values)


def test_trials_have_their_own_score_and_the_best_so_far_and_come_once() -> None:
    told = [
        trial(0, 0.5, 0.5),
        trial(1, None, 0.5, "fold 1 of 3, pruned"),
        trial(2, 0.4, 0.5),
        trial(0, None, None, "all rows, refused"),
        trial(0, 0.5, 0.5),  # an attempt tells again what it goes on from
    ]
    digest = digested(Digest(), events(*((n, "score", one) for n, one in enumerate(told))))
    assert [(t.search, t.number, t.state, t.score, t.best) for t in digest.trials] == [
        ("fold 1 of 3", 0, "complete", 0.5, 0.5),
        ("fold 1 of 3", 1, "pruned", None, 0.5),
        ("fold 1 of 3", 2, "complete", 0.4, 0.5),
        ("all rows", 0, "refused", None, None),
    ]
    assert [t.fold for t in digest.trials] == [1, 1, 1, None]
    view = job_view(job(kind="tune"), digest)
    assert (view.n_trials, view.best_trial) == (4, None), "the search under way has none yet"
    assert [(t.search, t.number) for t in view.newest_trials[:2]] == [("all rows", 0), ("fold 1 of 3", 2)]
    assert view.for_scripts["trials"][1] == ["fold 1 of 3", 1, "pruned", None, 0.5]
    assert job_view(job(kind="tune"), Digest()).newest_trials == ()


def test_of_very_many_trials_the_newest_are_kept_and_the_best_of_each_search() -> None:
    best = 0.0
    told = []
    for search in ("fold 1 of 2", "fold 2 of 2"):
        for number in range(KEPT_TRIALS):
            own = 1.0 if number == 7 else number / 1e6
            best = max(own, best if number else 0.0)
            told.append((float(number), "score", trial(number, own, best, search)))
    told.append((9e9, "score", trial(0, 0.3, 0.3, "all rows")))
    shown = events(*told)
    digest = digested(Digest(), shown)
    assert digested(digested(Digest(), shown[:3100]), shown[3100:]) == digest
    assert len(digest.trials) == KEPT_TRIALS + 3
    assert [(t.search, t.number) for t in digest.trials[:3]] == [
        ("fold 1 of 2", 7),
        ("fold 1 of 2", KEPT_TRIALS - 1),
        ("fold 2 of 2", 0),
    ]
    view = job_view(job(kind="tune"), digest)
    assert view.n_trials == 2 * KEPT_TRIALS + 1
    assert len(view.newest_trials) == SHOWN_TRIALS
    assert view.best_trial is not None
    assert (view.best_trial.search, view.best_trial.score) == ("all rows", 0.3)


def test_a_fold_that_is_told_again_is_one_fold_and_stages_begin_anew() -> None:
    digest = digested(
        Digest(),
        [
            *events((1, "progress", progress("fold")), (2, "score", score("fold", "fold 10", range_auc=0.5))),
            *events(
                (9, "progress", progress("features")),
                (10, "score", score("fold", "fold 2", range_auc=0.6)),
                (11, "score", score("fold", "fold 10 was finished by attempt 1", range_auc=0.5)),
                attempt=2,
                since=2,
            ),
        ],
    )
    assert [line.name for line in digest.folds] == ["2", "10"], "in the order of folds, not of text"
    assert ([one.name for one in digest.stages], digest.attempt) == (["features"], 2)


def test_only_the_newest_lines_are_kept() -> None:
    told = events(*((n, "log", {"text": f"line {n}"}) for n in range(KEPT_LINES + 7)))
    digest = digested(Digest(), told)
    assert (len(digest.log), digest.log[-1].text) == (KEPT_LINES, f"line {KEPT_LINES + 6}")


def test_figures_that_are_none_are_shown_as_unknown() -> None:
    digest = digested(Digest(), events((1, "score", score("fold", "fold 1", a=float("nan"), b=1))))
    assert digest.folds[0].values == {"a": None, "b": 1.0}


def test_events_are_read_once() -> None:
    class Store:
        def __init__(self) -> None:
            self.told = events(*((n, "log", {"text": "x"}) for n in range(5)))
            self.asked: list[int] = []

        def events(self, job_id: str, *, after: int, limit: int) -> list[JobEvent]:
            self.asked.append(after)
            return [event for event in self.told if event.seq > after][:limit]

    store, digests = Store(), Digests(most=1)
    assert digests.of(store, "a1").seq == 5  # type: ignore[arg-type]
    store.told += events((9, "log", {"text": "y"}), since=5)
    assert digests.of(store, "a1").seq == 6  # type: ignore[arg-type]
    assert store.asked == [0, 5]
    digests.of(store, "b2")  # type: ignore[arg-type]
    assert digests.of(store, "a1").log[-1].text == "y", "forgotten, and read again"  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("kind", "spec", "stages"),
    [
        ("train", {"audit": True}, ["features", "fold", "final fit", "audit"]),
        ("train", {"audit": False}, ["features", "fold", "final fit"]),
        (
            "tune",
            {"plan": {"evaluation": {"drift": True}}},
            ["features", "search", "fold", "final fit", "explanation", "audit"],
        ),
        ("train", {"plan": "fast"}, ["features", "fold", "final fit", "audit"]),
        ("import", {}, ["import"]),
        ("mine", {}, []),
    ],
)
def test_stages_to_come_are_known_from_the_request(
    kind: str, spec: dict[str, Any], stages: list[str]
) -> None:
    assert list(expected_stages(kind, spec)) == stages


def test_a_stage_that_nobody_expected_stands_where_it_came() -> None:
    digest = digested(
        Digest(), events((1, "progress", progress("features")), (2, "progress", progress("autofeat")))
    )
    view = job_view(job(), digest)
    assert [one.name for one in view.stages] == ["features", "autofeat", "fold", "final fit", "audit"]
    assert view.for_scripts["stage"] == "autofeat"


def test_a_stage_that_had_nothing_to_do_is_behind_once_a_later_one_has_begun() -> None:
    digest = digested(Digest(), events((1, "progress", progress("final fit"))))
    view = job_view(job(), digest)
    assert view.passed == {"features", "fold", "final fit"}
    assert job_view(job(), Digest()).passed == frozenset()


@pytest.mark.parametrize("state", ["failed", "cancelled", "succeeded", "running"])
def test_a_stage_that_was_broken_off_is_not_done(state: Any) -> None:
    told = events(
        (1, "progress", progress("features")),
        (2, "progress", progress("search")),
        (3, "stage", {"stage": "fold"}),
        (4, "progress", progress("search")),  # a search takes turns with its folds
        *([] if state == "running" else [(5.0, "state", {"state": state})]),
    )
    digest = digested(digested(Digest(), told[:2]), told[2:])
    view = job_view(job(state, finished_at=None if state == "running" else NOW, kind="tune"), digest)
    assert view.broken_off == ("search" if state in ("failed", "cancelled") else "")
    again = digested(digest, events((6, "state", {"state": "running"}), attempt=2, since=9))
    assert again.last == "", "the next attempt begins anew"


def test_a_job_that_nobody_takes_says_so_once_somebody_would_have_taken_it() -> None:
    def untaken(state: str = "queued", seconds: float = 20, beat: float | None = None, **more: Any) -> bool:
        now = NOW + timedelta(seconds=seconds)
        beaten = None if beat is None else now - timedelta(seconds=beat)
        return is_untaken(job(state, **more), [job(heartbeat_at=beaten)], now)

    assert untaken()
    assert untaken(beat=300), "its owner is dead"
    assert not untaken(beat=3), "somebody is there and busy"
    assert not untaken(seconds=3)
    assert not untaken("running")
    later = JobRequest("train", {}, run_after=NOW + timedelta(seconds=15))
    assert not untaken(request=later)
    assert untaken(seconds=40, request=later)


def test_a_search_promises_trials_and_scores_of_folds_and_a_training_the_latter() -> None:
    plain, search, other = (job_view(job(kind=kind), Digest()) for kind in ("train", "tune", "import"))
    assert [(one.searches, one.scores_folds) for one in (plain, search, other)] == [
        (False, True),
        (True, True),
        (False, False),
    ]


def test_a_training_that_leaks_says_so_in_the_list_and_on_its_page() -> None:
    finding = {"check": "truncation", "severity": "leak", "subject": "mine__peek", "detail": "differs"}
    warning = {"check": "noise", "severity": "warning", "subject": "x", "detail": ""}
    certificate = {"status": "failed", "findings": [warning, *[finding] * 9]}
    done = job("succeeded", result=TRAINED | {"certificate": certificate}, finished_at=NOW)
    view = job_view(done, Digest())
    assert view.line.audit_failed
    assert view.trained is not None
    assert view.trained.leaks
    assert (view.trained.n_findings, len(view.trained.findings)) == (10, 8)
    assert all(one["severity"] == "leak" for one in view.trained.findings), "leaks first"
    listed = jobs_view([done], {"succeeded": 1}, shown="all", kind=None, cursor=None, following=None)
    assert listed.lines[0].audit_failed
    assert not job_view(job("succeeded", result=TRAINED, finished_at=NOW), Digest()).line.audit_failed


def test_verdicts_and_links_of_a_training() -> None:
    view = job_view(job("succeeded", result=TRAINED, finished_at=NOW), Digest())
    assert view.trained is not None
    assert [one["subject"] for one in view.trained.verdicts] == ["direction", "range"]
    assert view.trained.model_page == "/models/btc-1h/3"
    assert model_page("models:/btc-1h@champion") is None


@pytest.mark.parametrize(
    ("kind", "result", "facts"),
    [
        ("features", {"rows": 10, "columns": 3, "files": {}}, [("rows", 10), ("columns", 3)]),
        ("audit", {"passed": False, "findings": []}, [("passed", False)]),
        ("import", {"imported": [{"rows": 3}]}, [("imported", {"rows": 3})]),
        (
            "import",
            {  # the file said no symbol: what counts is under which its rows are stored
                "imported": [{"kind": "candles", "symbols": [""], "rows": 6}],
                "stored": [
                    {"kind": "candles", "symbol": "BTC/USD", "added": 3, "unchanged": 1, "replaced": 0},
                    {"kind": "candles", "symbol": "ETH/USD", "added": 0, "unchanged": 1, "replaced": 1},
                    {"kind": "fear_greed", "symbol": "", "added": 2, "refused": 1},
                ],
            },
            [
                ("imported", {"kind": "candles", "symbols": ["BTC/USD", "ETH/USD"], "rows": 6}),
                ("imported", {"kind": "fear_greed", "symbols": [], "rows": 2}),
            ],
        ),
        ("mine", {"anything": 1}, []),
        ("train", {}, []),
    ],
)
def test_other_jobs_say_what_they_came_to(kind: str, result: dict[str, Any], facts: list[Any]) -> None:
    view = job_view(job("succeeded", kind=kind, result=result, finished_at=NOW), Digest())
    assert view.trained is None
    assert list(view.facts) == facts


def test_a_failure_that_the_page_puts_into_words_is_not_told_twice() -> None:
    from onward.jobs.conclusion import REMEDY, SAID

    for reason in SAID:
        error = {"error": "JobError", "what": SAID[reason], "remedy": REMEDY[reason], "got": "an array"}
        failure = job_view(job("failed", reason=reason, error=error, finished_at=NOW), Digest()).failure
        assert failure is not None
        assert failure.parts == {"got": "an array"}, "what the worker itself said of it stays"
        for language in LANGUAGES:
            assert f"job.remedy.{reason}" in texts_of(language)


def test_a_failure_keeps_its_words_and_its_last_lines() -> None:
    error = {"what": "No memory", "got": "", "remedy": "Buy some", "log": "\n".join(map(str, range(50)))}
    view = job_view(job("failed", reason="oom", error=error, finished_at=NOW), Digest())
    assert view.failure is not None
    assert view.failure.parts == {"what": "No memory", "remedy": "Buy some"}
    assert (view.failure.log[0], view.failure.log[-1]) == ("30", "49")
    bare = job_view(job("failed", reason="worker_lost", finished_at=NOW), Digest()).failure
    assert bare is not None
    assert (bare.reason, dict(bare.parts), bare.log) == ("worker_lost", {}, ())


def test_the_list_keeps_its_filters_in_its_addresses() -> None:
    view = jobs_view(
        [], {"queued": 2, "running": 1, "failed": 3}, shown="failed", kind="mine", cursor="c", following="d"
    )
    assert (view.counts["all"], view.counts["live"], view.counts["failed"]) == (6, 3, 3)
    assert view.address() == "/jobs?show=failed&kind=mine"
    assert view.address(shown="all", kind=None) == "/jobs"
    assert view.address(cursor=view.next) == "/jobs?show=failed&kind=mine&cursor=d"
    assert "mine" in view.kinds
    assert view.filtered


def test_a_job_whose_server_fell_silent_foretells_nothing() -> None:
    now = datetime.now(UTC)
    told = {"stage": "fold", "fraction": 0.5, "job_eta_seconds": 500.0}

    def view(heard: float, state: str = "running", **more: Any) -> Any:
        beaten = now - timedelta(seconds=heard)
        one = job(state, heartbeat_at=beaten, progress=told, progress_at=beaten, **more)
        listed = jobs_view([one], {}, shown="all", kind=None, cursor=None, following=None, heartbeat=2.0)
        shown = job_view(one, Digest(), heartbeat=2.0, lease=60.0)
        assert (shown.line.left is None) == (listed.lines[0].left is None)
        assert (shown.silent is None) == (not listed.silent)
        return shown

    assert view(3.0).silent is None, "a heartbeat may be late"
    assert view(3.0).line.left is not None
    silent = view(20.0)
    assert 20.0 <= silent.silent < 30.0
    assert silent.line.left is None, "nobody knows whether anybody is at work"
    assert view(20.0, "stopping").silent is not None
    assert view(20.0, "queued").silent is None
    assert view(20.0, "succeeded", finished_at=NOW).silent is None


def test_a_job_that_waits_once_more_says_why() -> None:
    lost = events((9, "state", {"state": "queued", "reason": "worker_lost"}))
    given_back = events((9, "state", {"state": "queued", "reason": None}))
    first, second = job("queued", attempt=0), job("queued", attempt=1)
    assert job_view(first, digested(Digest(), given_back)).again == ""
    assert job_view(second, digested(Digest(), lost)).again == "lost"
    assert job_view(second, digested(Digest(), given_back)).again == "given_back"
    begun = digested(
        digested(Digest(), lost), events((10, "state", {"state": "starting"}), attempt=2, since=1)
    )
    assert not begun.lost
    assert job_view(job("running", attempt=2), begun).again == ""
    for language in LANGUAGES:
        assert "job.again.lost" in texts_of(language)
        assert "job.again.given_back" in texts_of(language)


def test_stages_and_what_is_around_them_add_up_to_what_a_job_took() -> None:
    told = events(
        (0, "state", {"state": "running"}),
        (20, "progress", progress("features", 0.5)),
        (30, "progress", progress("features", 1.0)),
        (32, "progress", progress("audit", 0.1)),
        (40, "progress", progress("audit", 1.0)),
        (41, "progress", progress("audit", 1.0)),
        (60, "state", {"state": "succeeded"}),
    )
    digest = digested(digested(Digest(), told[:5]), told[5:])
    assert [(one.name, one.seconds) for one in digest.stages] == [("features", 12.0), ("audit", 8.0)]
    ended = NOW + timedelta(seconds=60)
    view = job_view(job("succeeded", started_at=NOW, finished_at=ended), digest)
    assert (view.seconds, view.rest) == (60.0, 40.0), "start of the worker, report and publication"
    assert job_view(job("succeeded", started_at=NOW, finished_at=ended), Digest()).rest is None
    now = digested(Digest(), told[:5])
    at = NOW.timestamp() * 1000
    assert job_view(job(started_at=NOW), now).for_scripts["stages"] == [
        ["features", 12.0, None, None],
        ["audit", 0.0, at + 32_000, at + 40_000],
    ]
    assert job_view(job(started_at=NOW), now).rest is None
