"""Search of parameters: labels, features, selection, model and ensemble together, nested and purged."""

from onward.training.optimization.coordinator import OptimizationCoordinator
from onward.training.optimization.requests import DEFAULT_TRIALS, asks_for_search, with_search
from onward.training.optimization.result import SearchedTraining, SearchResult, StudyResult
from onward.training.optimization.space import Space
from onward.training.optimization.studies import StudyKeeper

__all__ = [
    "DEFAULT_TRIALS",
    "OptimizationCoordinator",
    "SearchResult",
    "SearchedTraining",
    "Space",
    "StudyKeeper",
    "StudyResult",
    "asks_for_search",
    "with_search",
]
