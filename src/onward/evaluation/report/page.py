"""All sections of a report in one frozen value: what the template needs, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from onward.data.timeframe import format_timeframe
from onward.evaluation.report import words
from onward.evaluation.report.candles import CandlesView, candles_view
from onward.evaluation.report.chance import ChanceView, chance_views
from onward.evaluation.report.content import ReportContent
from onward.evaluation.report.drift import DriftView, drift_view
from onward.evaluation.report.ensemble import EnsembleView, ensemble_view
from onward.evaluation.report.equity import EquityView, equity_view, simulations
from onward.evaluation.report.importance import ImportanceView, importance_view
from onward.evaluation.report.information import information_table
from onward.evaluation.report.ingredients import FeaturesView, LabelRow, features_view, label_rows
from onward.evaluation.report.paths import PathsView, paths_view
from onward.evaluation.report.provenance import (
    CertificateView,
    QualityView,
    certificate_view,
    identities,
    libraries,
    quality_view,
    settings,
    time_spent,
)
from onward.evaluation.report.reliability import ReliabilityView, reliability_view
from onward.evaluation.report.scores import ScoresView, scores_view
from onward.evaluation.report.search import SearchView, search_view
from onward.evaluation.report.tables import Table
from onward.evaluation.report.verdicts import Notice, VerdictCard, headline, meaning, trust, verdict_card

__all__ = ["Page", "page"]


@dataclass(frozen=True)
class Page:
    """A report, ready to be written down.

    Attributes
    ----------
    title, facts
        Heading, and a line of facts under it.
    headline, meaning
        Both verdicts in one line, and what they mean for a trader.
    notice
        What must be read before the verdict, or None.
    warnings
        What a person should know about this run.
    cards
        Direction first, then range.
    part
        What the scores are told by: ``fold``, or ``group`` of rows that several folds tested.
    paths
        Backtest paths of combinatorial validation; None for other methods.
    remarks
        What of importance, drift and information could not be measured, and what was left out.
    """

    title: str
    facts: tuple[str, ...]
    headline: str
    meaning: str
    notice: Notice | None
    warnings: tuple[str, ...]
    cards: tuple[VerdictCard, ...]
    equity: EquityView
    candles: CandlesView
    chance: tuple[ChanceView, ...]
    scores: ScoresView
    part: str
    paths: PathsView | None
    reliability: ReliabilityView
    features: FeaturesView
    importance: ImportanceView | None
    drift: DriftView | None
    information: Table | None
    remarks: tuple[str, ...]
    ensemble: EnsembleView | None
    search: SearchView | None
    labels: tuple[LabelRow, ...]
    quality: QualityView
    certificate: CertificateView
    settings: tuple[Table, ...]
    identities: Table
    libraries: Table | None
    time_spent: Table | None

    @property
    def charts(self) -> dict[str, Any]:
        """Data of all charts, plain JSON values."""
        return {
            "equity": self.equity.chart,
            "candles": self.candles.chart,
            "chance": {view.key: view.chart for view in self.chance},
            "calibration": self.reliability.chart,
        }


def page(content: ReportContent) -> Page:
    """Return everything that a report shows, computed from its content."""
    runs = simulations(content)
    verdict, diagnosis = content.judgement.verdict, content.diagnosis
    return Page(
        title=content.title,
        facts=_facts(content),
        headline=headline(content),
        meaning=meaning(content),
        notice=trust(content.certificate),
        warnings=content.warnings,
        cards=(verdict_card(verdict.direction), verdict_card(verdict.range)),
        equity=equity_view(content, runs),
        candles=candles_view(content.market, runs["Model"]),
        chance=chance_views(content),
        scores=scores_view(content),
        part=content.part.lower(),
        paths=paths_view(content.paths),
        reliability=reliability_view(content),
        features=features_view(content),
        importance=importance_view(diagnosis),
        drift=drift_view(diagnosis),
        information=information_table(None if diagnosis is None else diagnosis.information),
        remarks=() if diagnosis is None else diagnosis.notes,
        ensemble=ensemble_view(content.learning),
        search=search_view(content.search),
        labels=label_rows(content),
        quality=quality_view(content.quality),
        certificate=certificate_view(content.certificate),
        settings=settings(content.plan),
        identities=identities(content),
        libraries=libraries(content.libraries),
        time_spent=time_spent(content.seconds),
    )


def _facts(content: ReportContent) -> tuple[str, ...]:
    market = content.market
    first, last = pd.Timestamp(market.open_time.min()), pd.Timestamp(market.open_time.max())
    n_parts, n_folds = len(content.judgement.scores.folds), content.n_folds
    folds = f"{n_folds} folds" if content.paths is None else f"{n_folds} folds over {n_parts} groups of rows"
    return (
        f"{first:%Y-%m-%d} – {last:%Y-%m-%d}",
        f"{words.count(len(market))} bars of {format_timeframe(market.timeframe)}",
        f"{words.count(len(content.oof))} scored out of fold, {folds}",
        f"leak audit {words.spoken(content.certificate.status)}",
        f"made {words.moment(content.created_at)} UTC",
    )
