"""A job that no server of this version can do says on its page what it waits for."""

from __future__ import annotations

from pathlib import Path

import pytest

from onward.dashboard import create_site
from onward.jobs.values import JobRequest
from tests.unit.server.client import Client
from tests.unit.server.memory import memory_services

SAID = {"en": "does not know jobs of this kind", "ja": "この種類のジョブを実行できません"}


@pytest.mark.parametrize("language", SAID)
def test_a_job_of_a_kind_that_nobody_here_knows_says_so(language: str, tmp_path: Path) -> None:
    services = memory_services(tmp_path)
    known, unknown = (services.job_store.submit(JobRequest(kind, {})).job for kind in ("train", "newer"))
    with Client(create_site(services)) as client:
        client.get("/metrics")  # its manager is there from then on, as on a server that runs jobs
        pages = [
            client.get(f"/jobs/{job.id}", headers={"Accept-Language": language}) for job in (unknown, known)
        ]
    assert [page.status_code for page in pages] == [200, 200]
    assert [SAID[language] in page.text for page in pages] == [True, False]
