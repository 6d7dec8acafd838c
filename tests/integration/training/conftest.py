"""What the trainings of this folder share."""

from __future__ import annotations

from typing import Any

import pytest

from onward.audit import AuditReport
from onward.features.manual import ManualFeaturesStage
from onward.training import auditing
from onward.types import Market

AUDITED: dict[tuple[str, str], AuditReport] = {}


@pytest.fixture(autouse=True)
def manual_stages_are_audited_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Audit the same hand-made features on the same bars once: tests here are about what learns.

    A stage of any other class is audited each time.
    """
    audit_stage = auditing.audit_stage

    def once(stage: Any, market: Market, **options: Any) -> AuditReport:
        if type(stage) is not ManualFeaturesStage:
            return audit_stage(stage, market, **options)
        key = (repr(stage.spec()), market.content_hash)
        if key not in AUDITED:
            AUDITED[key] = audit_stage(stage, market, **options)
        return AUDITED[key]

    monkeypatch.setattr(auditing, "audit_stage", once)
