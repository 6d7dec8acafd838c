"""The same run as a command, as Python and as a request: each says all of it, and quotes what it must."""

from __future__ import annotations

import json
import shlex

from onward.config.layers import Layer, Origin, resolve
from onward.config.names import split_assignment
from onward.dashboard.views.run_request import Asked
from onward.dashboard.views.run_snippets import snippets
from onward.training.plan import TrainingPlan

ADDRESS = "http://localhost:8321"
ASKED = Asked(
    kind="tune",
    preset="fast",
    changes={
        "data.symbols": ["BTC/USD", "it's, one"],
        "data.timeframe": "1h",
        "labels.stop": None,
        "selection.enabled": False,
        "model.extra": {"note": 'a "b" $HOME'},
        "evaluation.fee_bps": 7.5,
    },
    save="btc-1h",
    alias="champion",
    audit=False,
    trials=7,
    seconds=90.0,
)


def test_the_command_says_the_same_settings() -> None:
    words = shlex.split(snippets(ASKED, ADDRESS, needs_key=False).command.replace("\\\n", ""))
    assert words[:6] == ["onward", "--server", ADDRESS, "tune", "fast", "--background"]
    texts = dict(split_assignment(words[at + 1]) for at, word in enumerate(words) if word == "--set")
    layer = Layer({name: (text, Origin("--set")) for name, text in texts.items()}, is_text=True)
    plan, _ = resolve(TrainingPlan, [layer])
    assert plan.content_hash == TrainingPlan().with_overrides(ASKED.changes).content_hash
    rest = " ".join(words)
    assert "--trials 7 --seconds 90.0 --save btc-1h --alias champion --no-audit" in rest


def test_the_request_is_that_of_the_form() -> None:
    words = shlex.split(snippets(ASKED, ADDRESS, needs_key=True).curl.replace("\\\n", ""))
    assert f"{ADDRESS}/api/v1/tuning-jobs" in words
    assert "Authorization: Bearer $ONWARD_API_KEY" in words
    assert json.loads(words[words.index("--data") + 1]) == ASKED.body
    assert "Authorization" not in snippets(ASKED, ADDRESS, needs_key=False).curl


def test_python_hands_over_the_same_fields() -> None:
    calls = []

    class Client:
        def __init__(self, url: str, api_key: str | None = None) -> None:
            self.url, self.key = url, api_key

        def __enter__(self) -> Client:
            return self

        def __exit__(self, *_: object) -> None:
            pass

        def submit_tuning(self, plan: object, **fields: object) -> object:
            calls.append((self.url, self.key, {"plan": plan, **fields}))
            return type("Submission", (), {"job": type("Job", (), {"id": "01"})})

    code = snippets(ASKED, ADDRESS, needs_key=False).python
    assert "import os" not in code
    exec(code.replace("from onward.client import OnwardClient", ""), {"OnwardClient": Client})
    assert calls == [(ADDRESS, None, ASKED.body)]
    assert 'os.environ["ONWARD_API_KEY"]' in snippets(ASKED, ADDRESS, needs_key=True).python


def test_a_preset_alone_is_named() -> None:
    plain = Asked(preset="default")
    assert plain.body == {"plan": "default"}
    assert "plan = 'default'" in snippets(plain, ADDRESS, needs_key=False).python
