"""One pass of the selection steps over the training rows of a fold."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
import numpy.typing as npt

from onward.errors import StageError
from onward.features.selection.clusters import represented
from onward.features.selection.constant import without_information
from onward.features.selection.duplicates import exact_duplicates, near_duplicates
from onward.features.selection.evidence import KINDS, Evidence, speaks_for, why_dropped, why_kept
from onward.features.selection.fates import Fates
from onward.features.selection.mutual_information import label_information
from onward.features.selection.null_importance import importance_against_null
from onward.features.selection.parameters import SelectorParameters
from onward.features.selection.places import share_places
from onward.features.selection.preference import column_costs, complete_first, stable_first
from onward.features.selection.relevance import (
    caution,
    effective_rows,
    label_targets,
    measure_relevance,
    shifted_targets,
)
from onward.features.selection.shifted_classes import TimeShifts
from onward.features.selection.stability import label_stability, time_blocks
from onward.features.selection.steps import Departure, Departures
from onward.features.selection.training_table import TrainingTable
from onward.kernels.ranks import compact_ranks, pearson_correlations, rank_correlations, unit_ranks
from onward.types import BoolArray, FloatArray

__all__ = ["FoldSelection"]

COLUMNS_AT_ONCE = 256

Scalar = TypeVar("Scalar", bound=np.generic)


class FoldSelection:
    """One pass of the steps over one fold's rows.

    Parameters
    ----------
    table
        The training rows.
    parameters
        Switches and thresholds.
    seed
        Of the shifts and of the boosted model.

    Raises
    ------
    LabelError
        When the labels hold one class only.
    NotEnoughDataError
        When the rows are too few to shift labels of their length.
    """

    def __init__(self, table: TrainingTable, parameters: SelectorParameters, seed: int) -> None:
        self.table = table
        self.parameters = parameters
        self.seed = seed
        self.fates = Fates(table.names)
        self.costs = column_costs(table.names, parameters.costs)
        self.targets = label_targets(table.classes)
        self.time = (
            TimeShifts(*shifted_targets(table.spans, parameters.n_shifts, seed))
            if parameters.shifts_labels
            else None
        )
        self.effective = effective_rows(table.spans)
        # Numbers of the columns that are left; the other three are theirs, in the same order.
        self.alive = np.arange(len(table.names))
        self.ranks, self.n_known, self.n_most = compact_ranks(table.values, parameters.n_threads)
        self.stable = np.zeros(len(table.names))

    def run(self) -> Fates:
        """Run the steps and return what became of each column.

        Raises
        ------
        StageError
            When every column is constant or unknown.
        """
        self.fates.note("known", self.alive, self.n_known / len(self.table.classes))
        if self.time is not None:
            self.fates.warn(caution(self.effective))
        self._leave_constants()
        if len(self.alive) == 0:
            raise StageError(
                "every feature column is constant or unknown in the training rows",
                got=f"{len(self.fates.names)} columns",
                allowed="at least one column that varies",
                remedy="Check the NaN ledger, or train on a longer time range.",
            )
        self._leave_twins()
        self._leave_relatives()
        distinct, (z, found) = self.alive, self._evidence()
        strength = np.nan_to_num(z, nan=-np.inf).max(axis=1)
        z, found = self._leave_irrelevant(z, found)
        z, found = self._leave_unimportant(z, found)
        self._give_places(z, found)
        if not self.fates.kept:
            best = np.argsort(-strength, kind="stable")[: self.parameters.min_features]
            for i in best.tolist():
                self.fates.keep(int(distinct[i]), f"fallback: no column passed (best z {strength[i]:.2f})")
        return self.fates

    def _leave_constants(self) -> None:
        p = self.parameters
        # Columns without two different values cannot be ranked: they leave with the step off, too.
        quasi, least = (p.quasi_constant, p.min_known) if p.constant else (1.0, 0.0)
        gone = without_information(
            len(self.table.classes), self.n_known, self.n_most, quasi_constant=quasi, min_known=least
        )
        self._leave("constant", gone)

    def _leave_twins(self) -> None:
        if self.parameters.duplicates:
            names, n_threads = self._names(), self.parameters.n_threads
            gone = exact_duplicates(self.ranks, self._complete_first(), names, self._equal, n_threads)
            self._leave("duplicate", gone)

    def _leave_relatives(self) -> None:
        """Let near duplicates and correlated columns go; both need the correlation of all pairs."""
        p = self.parameters
        times, step = np.unique(self.table.spans.start, return_inverse=True)
        blocks = time_blocks(step.astype(np.int64), min(p.n_blocks, len(times)))
        self.stable = label_stability(self.ranks, self.targets, blocks)
        self.fates.note("stability", self.alive, self.stable)
        near, clusters = p.duplicates and p.near_duplicate < 1, p.correlation < 1
        pearson = p.correlation_method == "pearson"
        likeness = rank_correlations(self.ranks) if near or (clusters and not pearson) else None
        if near and likeness is not None:
            gone = near_duplicates(likeness, self._complete_first(), self._names(), p.near_duplicate)
            stay = [i for i in range(len(self.alive)) if i not in gone]
            likeness = likeness[np.ix_(stay, stay)] if gone else likeness
            self._leave("duplicate", gone)
        if clusters:
            if pearson or likeness is None:
                likeness = pearson_correlations(self.table.values, self.alive)
            order = stable_first(self._names(), self._costs(), self.stable)
            self._leave("correlation", represented(likeness, order, self._names(), p.correlation))

    def _evidence(self) -> tuple[FloatArray, BoolArray]:
        """Measure what speaks for each column, and whether it counts; shapes (n_columns, 3)."""
        p, n = self.parameters, len(self.alive)
        evidence = Evidence(np.full((n, len(KINDS)), np.nan), np.ones((n, len(KINDS))))
        if p.relevance and self.time is not None:
            chance = (self.time.series, self.time.step, self.time.shifts, self.effective)
            for first in range(0, n, COLUMNS_AT_ONCE):
                part = slice(first, first + COLUMNS_AT_ONCE)
                measured = measure_relevance(unit_ranks(self.ranks[part]), self.targets, *chance)
                evidence.z[part, :2], evidence.p[part, :2] = measured.z, measured.p
            self.fates.note("z_direction", self.alive, evidence.z[:, 0])
            self.fates.note("z_range", self.alive, evidence.z[:, 1])
        if p.mutual_information and self.time is not None:
            told = label_information(
                self.ranks,
                self.n_known,
                self.table.classes,
                self.time.fewer(p.n_information_shifts),
                n_bins=p.n_bins,
                n_threads=p.n_threads,
            )
            evidence.z[:, 2], evidence.p[:, 2] = told.z, told.p
            self.fates.note("mutual_information", self.alive, told.nats)
            self.fates.note("z_information", self.alive, told.z)
        if not p.asks_evidence:
            # All pass, in the order of how steadily they relate to the labels.
            evidence.z[:, 0] = self.stable
            return evidence.z, np.tile([True, False, False], (n, 1))
        return evidence.z, speaks_for(evidence, z=p.z, false_discovery_rate=p.false_discovery_rate)

    def _leave_irrelevant(self, z: FloatArray, found: BoolArray) -> tuple[FloatArray, BoolArray]:
        failed = np.flatnonzero(~found.any(axis=1)).tolist()
        gone = {i: Departure(why_dropped(z[i], self.parameters.z, len(z))) for i in failed}
        self._leave("relevance", gone)
        return _without(gone, z), _without(gone, found)

    def _leave_unimportant(self, z: FloatArray, found: BoolArray) -> tuple[FloatArray, BoolArray]:
        p = self.parameters
        if not p.null_importance or self.time is None or len(self.alive) == 0:
            return z, found
        strongest = set(share_places(z, found, p.importance_columns, p.range_share))
        beyond = {
            i: Departure(f"beyond the {p.importance_columns} columns with the strongest evidence")
            for i in range(len(self.alive))
            if i not in strongest
        }
        self._leave("null_importance", beyond)
        z, found = _without(beyond, z), _without(beyond, found)
        importance = importance_against_null(
            self.table.values,
            self.alive,
            self.table.classes,
            self.time,
            weight=self.table.weight,
            n_null=p.n_null,
            max_rows=p.importance_rows,
            seed=self.seed,
            n_threads=p.n_threads,
        )
        self.fates.note("importance", self.alive, importance.share)
        self.fates.note("z_importance", self.alive, importance.z)
        gone = {
            i: Departure(
                f"importance beats {share:.0%} of those under shifted labels, needed {p.null_share:.0%}"
            )
            for i, share in enumerate(importance.beaten.tolist())
            if share < p.null_share
        }
        if not p.asks_evidence:
            z[:, 0] = importance.z
        self._leave("null_importance", gone)
        return _without(gone, z), _without(gone, found)

    def _give_places(self, z: FloatArray, found: BoolArray) -> None:
        p = self.parameters
        taken = share_places(z, found, p.max_features, p.range_share)
        reasons = [self._why(i, z[i], found[i]) for i in range(len(self.alive))]
        for i in taken:
            self.fates.keep(int(self.alive[i]), reasons[i])
        left = set(range(len(self.alive))).difference(taken)
        self._leave(
            "places", {i: Departure(f"beyond the {p.max_features} places: {reasons[i]}") for i in left}
        )

    def _why(self, i: int, z: FloatArray, found: BoolArray) -> str:
        if self.parameters.asks_evidence:
            return why_kept(z, found.tolist())
        return f"distinct, evidence was not asked for (stability {self.stable[i]:.2f})"

    def _leave(self, step: str, gone: Departures) -> None:
        """Let columns go, given by their place among those that are left."""
        for i, departure in gone.items():
            twin = departure.represented_by
            stands = None if twin is None else int(self.alive[twin])
            self.fates.drop(int(self.alive[i]), step, departure.reason, stands)
        if gone:
            stay = [i for i in range(len(self.alive)) if i not in gone]
            # In place: a second copy of the ranks is what a wide matrix has no memory for.
            for new, old in enumerate(stay):
                if new != old:
                    self.ranks[new] = self.ranks[old]
            self.ranks = self.ranks[: len(stay)]
            self.n_known, self.n_most = self.n_known[stay], self.n_most[stay]
            self.alive, self.stable = self.alive[stay], self.stable[stay]

    def _names(self) -> list[str]:
        return [self.fates.names[j] for j in self.alive]

    def _costs(self) -> list[float]:
        return [self.costs[j] for j in self.alive]

    def _complete_first(self) -> list[int]:
        return complete_first(self._names(), self._costs(), self.n_known)

    def _equal(self, i: int, other: int) -> bool:
        values = self.table.values
        return bool(np.array_equal(values[:, self.alive[i]], values[:, self.alive[other]], equal_nan=True))


def _without(gone: Departures, array: npt.NDArray[Scalar]) -> npt.NDArray[Scalar]:
    return array[[i for i in range(len(array)) if i not in gone]]
