"""Clusters of columns that resemble each other, so that they can be displaced together."""

from __future__ import annotations

import numpy as np
import pandas as pd

from onward.errors import ConfigError
from onward.kernels.statistics import centred_ranks

__all__ = ["correlation_clusters"]


def correlation_clusters(X: pd.DataFrame, *, above: float = 0.5) -> dict[str, tuple[str, ...]]:
    """Return clusters of columns that resemble each other, each under the name of its centre.

    Average linkage on ``1 - |rank correlation|``: two clusters join while the mean correlation
    between their members is above the threshold. No label is looked at. (López de Prado 2020,
    ch. 4, clusters by k-means on distances of distances; what is displaced together is the same
    idea with a threshold that can be read.)

    Parameters
    ----------
    X
        Rows, shape (n, n_columns); training rows for preference. NaN rows of a column count as
        unrelated.
    above
        Mean absolute Spearman correlation, 0 to 1, above which clusters join.

    Returns
    -------
    dict
        Members of each cluster, the centre (largest mean correlation with the others) first; in
        the order of the columns.

    Raises
    ------
    ConfigError
        When the threshold is not between 0 and 1.
    """
    if not 0.0 < above < 1.0:
        raise ConfigError(
            "no correlation of clusters", got=above, allowed="between 0 and 1", remedy="Use 0.5."
        )
    from scipy.cluster.hierarchy import fcluster, linkage
    from scipy.spatial.distance import squareform

    names = [str(c) for c in X.columns]
    if len(names) < 2:
        return {name: (name,) for name in names}
    ranks = np.stack([centred_ranks(X[name].to_numpy(np.float64)) for name in X.columns])
    likeness = np.clip(np.abs(ranks.astype(np.float64) @ ranks.T.astype(np.float64)), 0.0, 1.0)
    likeness = (likeness + likeness.T) / 2
    distance = 1.0 - likeness
    np.fill_diagonal(distance, 0.0)
    cluster = fcluster(linkage(squareform(distance, checks=False), "average"), 1.0 - above, "distance")
    found: dict[str, tuple[str, ...]] = {}
    for number in dict.fromkeys(cluster.tolist()):
        members = np.flatnonzero(cluster == number)
        closeness = likeness[np.ix_(members, members)].sum(axis=1)
        centre = int(members[closeness.argmax()])
        found[names[centre]] = (names[centre], *(names[m] for m in members if m != centre))
    return found
