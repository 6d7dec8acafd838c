"""``onward runs``: every training there was, its verdict, and how runs differ."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from onward.cli.output import print_note, print_table
from onward.cli.session import Session, group, verb
from onward.cli.texts import require_output
from onward.errors import JobNotFoundError, UserError

if TYPE_CHECKING:
    from onward.registry import Run, RunVerdict
    from onward.wiring import Application

app = group("List, show and compare training runs; open their reports.")

_FOLD_SCORES = ("n", "direction_auc", "range_auc", "log_loss_skill", "accuracy_above_majority")

RunId = Annotated[str, typer.Argument(metavar="RUN", help="Id of a run, or the beginning of it.")]


@verb(app, "list")
def list_(
    session: Session,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="Runs to list at most.")] = 20,
) -> None:
    """List the newest runs with their verdicts."""
    runs = list(session.application().runs.list(limit=limit))

    def render() -> None:
        print_table(
            (
                "run",
                "status",
                "leak audit",
                "direction (p)",
                "range (p)",
                "model",
                "trained on",
                "published as",
            ),
            [
                (
                    run.id,
                    run.record.status,
                    _audit(run),
                    _verdict(run, "direction"),
                    _verdict(run, "range"),
                    _model(run),
                    _data(run),
                    run.record.model_ref,
                )
                for run in runs
            ],
            empty="No run yet. Train something: onward train",
        )

    session.show(runs, render)


@verb(app)
def show(session: Session, run: RunId) -> None:
    """Show a run: data, verdicts, scores, plan; of one that failed the reason."""
    application = session.application()
    store = application.runs
    found = store.get(run)
    looked_at = store.looked_at(found.record.data_hash, found.record.label_family)

    def render() -> None:
        record = found.record
        print_note(f"run {found.id}, {found.created_at:%Y-%m-%d %H:%M} UTC, {record.status}")
        if record.status == "failed":
            _print_failure(application, found)
        print_note(f"data: {_data(found)} ({record.data_hash[:12]})")
        print_note(f"leak audit: {_audit(found) or 'unknown'}")
        counted = f"configurations looked at on these data and labels ({record.label_family})"
        print_note(f"{counted}: {_count_then_and_now(record.verdicts, looked_at)}")
        if record.status == "failed":
            print_note(f"plan: onward runs show {found.id} --json")
            return
        print_table(
            ("verdict", "level", "corrected p"),
            [(name, v.level, v.p_value) for name, v in record.verdicts.items()],
            empty="No verdict.",
        )
        _print_scores(record.scores)
        print_table(("setting", "value"), _flat(record.plan), empty="No plan.")
        if record.model_ref:
            print_note(f"published as: {record.model_ref}")
        if record.report_path:
            print_note(f"report: {application.home.root / record.report_path}")

    session.show({"run": found, "looked_at": looked_at}, render)


@verb(app)
def compare(
    session: Session,
    runs: Annotated[list[str], typer.Argument(metavar="RUN RUN...", help="Ids of two or more runs.")],
) -> None:
    """Lay runs side by side.

    What differs in the plan, then verdicts and scores; with --json those of every fold as well.
    """
    comparison = session.application().runs.compare(runs)

    def render() -> None:
        heads = [run.id for run in comparison.runs]
        if not comparison.same_data:
            print_note("These runs used different data or labels: their scores do not compare.")
        for title, table in (
            ("verdict", comparison.verdicts),
            ("score", comparison.scores),
            ("setting that differs", comparison.plan),
        ):
            rows = [(name, *values) for name, values in table.items() if not name.startswith("folds.")]
            print_table((title, *heads), rows, empty=f"No {title}.")

    session.show(comparison, render)


@verb(app)
def report(
    session: Session,
    *,
    run: RunId,
    out: Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Copy it to this file.")] = None,
    open_: Annotated[bool, typer.Option("--open", help="Open it in the browser.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
) -> None:
    """Find, copy or open the report of a run."""
    application = session.application()
    found = application.runs.get(run)
    path = _report_path(application, found)
    if out is not None:
        require_output(out, force=force)
        from onward.registry.files import atomic_file

        content = path.read_bytes()
        out.parent.mkdir(parents=True, exist_ok=True)
        with atomic_file(out) as draft:
            draft.write_bytes(content)
        path = out
    if open_:
        typer.launch(str(path))
    session.show({"run": found.id, "report": path}, lambda: print_note(str(path)))


def _print_failure(application: Application, run: Run) -> None:
    """Say why a run failed: its job knows most; what ran in the foreground left the reason in its row."""
    from onward.cli.jobs.outcome import problem_of

    kept, job_id = run.record.error, run.record.job_id
    job = None
    if job_id is not None:
        with contextlib.suppress(JobNotFoundError):
            job = application.job_store.get(job_id)
    if job is not None and job.state == "failed":
        problem = problem_of(job)
        _print_reason(problem.what, problem.got, problem.allowed, problem.remedy)
        print_note(f"job: onward jobs show {job.id}")
    elif kept:
        _print_reason(*(kept.get(name) for name in ("what", "got", "allowed", "remedy")))
    elif job is not None:
        print_note(f"why: see job {job.id}, {job.state}: onward jobs show {job.id}")
    elif job_id is not None:
        print_note(f"why: job {job_id} knew it, and has been pruned since.")
    else:
        print_note("why: it was said where the run was started; nobody kept it.")


def _print_reason(what: str | None, got: str | None, allowed: str | None, remedy: str | None) -> None:
    for label, text in (("why", what), ("got", got), ("allowed", allowed), ("fix", remedy)):
        if text:
            print_note(f"{label}: {text}")


def _print_scores(scores: Mapping[str, Any]) -> None:
    """Print the pooled scores beside those of the naive rules, then the main ones fold by fold."""
    pooled, folds = scores.get("pooled"), scores.get("folds")
    if not isinstance(pooled, Mapping) or not isinstance(folds, Mapping):
        print_table(("score", "value"), _flat(scores), empty="No scores.")
        return
    beside = {"model": pooled, **scores.get("baselines", {})}
    print_table(
        ("pooled score", *beside),
        [(name, *(column.get(name) for column in beside.values())) for name in pooled],
    )
    shown = [name for name in _FOLD_SCORES if all(name in fold for fold in folds.values())]
    print_table(
        ("fold", *shown),
        [(int(number) + 1, *(fold[name] for name in shown)) for number, fold in folds.items()],
    )


def _report_path(application: Application, run: Run) -> Path:
    stored = run.record.report_path
    path = None if not stored else application.kept_file(stored)
    if path is None or not path.is_file():
        raise UserError(
            "this run has no report",
            got=f"run {run.id}" + (f", {path} is gone" if path is not None else ""),
            remedy="Train again with the same plan; `onward runs show` prints it.",
        )
    return path


def _verdict(run: Run, name: str) -> str | None:
    verdict = run.record.verdicts.get(name)
    if verdict is None:
        return None
    level = verdict.level.removesuffix(" of skill")
    return level if verdict.p_value is None else f"{level} ({verdict.p_value:.2g})"


def _count_then_and_now(verdicts: Mapping[str, RunVerdict], now: int) -> str:
    """Say what the p values of a run were corrected for, and how many there are since.

    A p value stays as it was judged: later looks at the same data do not change it.
    """
    if not verdicts:
        return str(now)
    then = max((verdict.n_looked_at or 0 for verdict in verdicts.values()), default=0)
    if not then:
        return f"{now} now; the p values below were corrected for those looked at by then"
    judged = f"{then} when this run was judged, for which its p values are corrected"
    return f"{judged}; {now} now" if now != then else f"{judged}, and no more since"


def _audit(run: Run) -> str | None:
    return None if run.record.audit is None else run.record.audit.replace("_", " ")


def _model(run: Run) -> str | None:
    """Return the model that learnt, or the ensemble that was made of several."""
    plan = run.record.plan
    ensemble, name = plan.get("ensemble", {}), plan.get("model", {}).get("name")
    method = ensemble.get("method", "none")
    return name if method == "none" else f"{method} of {', '.join(ensemble.get('members') or [str(name)])}"


def _data(run: Run) -> str:
    data = run.record.data
    symbols = ", ".join(data.get("symbols", ()))
    first, last = (str(data.get(key, ""))[:10] for key in ("first_open", "last_open"))
    return f"{symbols} {data.get('timeframe', '')} {first}–{last}".strip(" –")


def _flat(values: Any, prefix: str = "") -> list[tuple[str, Any]]:
    rows: list[tuple[str, Any]] = []
    for name, value in values.items():
        if isinstance(value, dict):
            rows += _flat(value, f"{prefix}{name}.")
        else:
            rows.append((f"{prefix}{name}", value))
    return rows
