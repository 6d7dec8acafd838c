"""Who removes stored series for requests."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from onward.server.services import Provider
    from onward.tasks.removing import SeriesRemover

__all__ = ["remover_of"]


def remover_of(provider: Provider) -> SeriesRemover:
    """Return the remover of a server's services. For threads: it imports what reads stored rows."""
    from onward.tasks.removing import SeriesRemover

    return SeriesRemover(
        provider.build("repositories"),
        lambda: provider.build("registry"),
        provider.build("job_store"),
        provider.build("access"),
    )
