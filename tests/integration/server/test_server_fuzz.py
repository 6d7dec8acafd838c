"""schemathesis over the OpenAPI document: no error of the server's own, nothing undocumented."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from onward.server import create_app
from onward.wiring import build_application
from tests.unit.server.memory import settings_of
from tests.unit.training.small_runs import planted, small_plan

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]

EXAMPLES = int(os.environ.get("ONWARD_FUZZ_EXAMPLES", "12"))
"""Requests an operation; `make fuzz` asks for more."""
STEADY = settings(
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
    deadline=None,
    derandomize=True,
    database=None,
)


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    directory: Path = tmp_path_factory.mktemp("fuzz")
    application = build_application(settings_of(directory))
    trained = application.training.train(planted(), small_plan())
    version = trained.save("btc-1h")
    application.registry.set_alias(version.name, "champion", version.number)
    app = create_app(application)
    yield schemathesis.openapi.from_asgi("/api/v1/openapi.json", app, headers={"Host": "localhost"})
    application.close()


def test_no_request_brings_the_server_down(api: Any) -> None:
    """Every operation in turn; whatever is wrong is collected, so that one run shows all of it."""
    wrong: dict[str, str] = {}
    n_operations = 0
    for found in api.get_all_operations():
        operation = found.ok()
        n_operations += 1

        @settings(STEADY, max_examples=EXAMPLES)
        @given(case=operation.as_strategy())
        def holds(case: schemathesis.Case) -> None:
            case.headers["Host"] = "localhost"
            case.call_and_validate(checks=CHECKS)

        try:
            holds()
        except Exception as error:
            wrong[operation.label] = "\n".join([str(error), *map(str, getattr(error, "exceptions", ()))])
    assert n_operations > 25
    assert not wrong, "\n\n".join(f"{label}\n{what}" for label, what in wrong.items())
