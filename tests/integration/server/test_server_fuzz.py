"""schemathesis over the OpenAPI document: no error of the server's own, nothing undocumented."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from onward.access import SCOPES
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

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "8"))
"""Requests an operation; `make fuzz` asks for more, and for others each time (its seed is printed)."""
LONGEST_ANSWER = 30.0
"""Seconds after which an answer counts as a hang: what computes answers within a second or two."""
STEADY = settings(
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
    deadline=None,
    derandomize="FUZZ_EXAMPLES" not in os.environ,
    database=None,
)


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Any, list[dict[str, str]]]]:
    """The server, and what requests to it show: mostly a key that may do anything, else too little."""
    directory: Path = tmp_path_factory.mktemp("fuzz")
    application = build_application(settings_of(directory))
    trained = application.training.train(planted(), small_plan())
    version = trained.save("btc-1h")
    application.registry.set_alias(version.name, "champion", version.number)
    keys = [application.access.create_key(scope, scope)[1].text for scope in SCOPES[::-1]]
    good, *lesser = ({"Authorization": f"Bearer {key}"} for key in keys)
    app = create_app(application)
    schema = schemathesis.openapi.from_asgi(
        "/api/v1/openapi.json", app, headers={"Host": "localhost", **good}
    )
    yield schema, [good] * 6 + [*lesser, {"Authorization": "Bearer wrong"}, {"X-API-Key": "\x7f"}, {}]
    application.close()


def test_no_request_brings_the_server_down(api: tuple[Any, list[dict[str, str]]]) -> None:
    """Every operation in turn; whatever is wrong is collected, so that one run shows all of it."""
    schema, senders = api
    wrong: dict[str, str] = {}
    seen: Counter[int] = Counter()
    n_operations = 0
    for found in schema.get_all_operations():
        operation = found.ok()
        n_operations += 1

        @settings(STEADY, max_examples=EXAMPLES)
        @given(case=operation.as_strategy(), sender=st.sampled_from(senders))
        def holds(case: schemathesis.Case, sender: dict[str, str]) -> None:
            for name in ("Authorization", "X-API-Key"):
                case.headers.pop(name, None)
            case.headers.update({"Host": "localhost", **sender})
            asked = time.monotonic()
            seen[case.call_and_validate(checks=CHECKS).status_code] += 1
            assert time.monotonic() - asked < LONGEST_ANSWER, "it hung"

        try:
            holds()
        except Exception as error:
            wrong[operation.label] = "\n".join([str(error), *map(str, getattr(error, "exceptions", ()))])
    assert n_operations > 25
    assert not wrong, "\n\n".join(f"{label}\n{what}" for label, what in wrong.items())
    assert {200, 401, 403, 404, 422} <= set(seen)
    assert seen[401] + seen[403] < seen.total() / 2, "most requests get past the door"
