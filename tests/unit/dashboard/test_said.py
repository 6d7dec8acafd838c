"""What a report says in English is said in the reader's language, figures and names as they are."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from markupsafe import Markup

from onward.dashboard.i18n import texts_of
from onward.dashboard.i18n.said import FILES, PLACEHOLDER, WORDS, Said, translated
from onward.dashboard.i18n.texts import catalogue
from onward.data.quality import check
from onward.evaluation.report.embedded import embedded_page
from onward.evaluation.report.page import page
from onward.features.manual.catalog import FAMILIES
from onward.testing.markets import random_walk
from onward.types import Certificate, Finding, Market
from tests.unit.evaluation.test_report_page import content_of

FREE = (
    "verdict",
    "level",
    "sentence",
    "question",
    "facts",
    "headline",
    "meaning",
    "strip",
    "title",
    "notice",
)
"""What the page of a report says by texts of its own."""
NOT_WORDS = {"the future moved it", "direction (z 4.00)"}


def said_by(value: Any, key: str = "") -> Iterator[str]:
    """Give every text that the page shows through `Said`."""
    if key in FREE:
        return
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, one in value.items():
            yield from said_by(one, name)
    elif isinstance(value, list):
        for one in value:
            yield from said_by(one)


@pytest.fixture(scope="module")
def told() -> dict[str, Any]:
    """A report with findings, of two symbols."""
    finding = Finding("truncation", "leak", "manual__x", "A/USD 2024-01-01", "the future moved it")
    certificate = Certificate("failed", ("truncation", "batch_equals_latest"), (finding,), rows_probed=0.6)
    market = random_walk(900, seed=2, symbols=("A/USD", "B/USD"))
    return embedded_page(page(content_of(market, certificate=certificate)))


def test_english_stays_as_it_is(told: dict[str, Any]) -> None:
    say = Said(texts_of("en"))
    for text in said_by(told):
        assert say(text) == text
        assert not isinstance(say(text), Markup)


def test_everything_that_a_report_says_itself_is_said_in_japanese(told: dict[str, Any]) -> None:
    left = {text for text in said_by(told) if WORDS.search(text) and translated("ja", text) is None}
    left = {text for text in left if not any(known in text for known in NOT_WORDS)}
    assert not left, "texts/ja/report_said.toml does not know these"


def test_figures_survive() -> None:
    text = (
        "Acting on the model's signals turned 1.00 into 1.07 after costs (1.20 before them), holding into "
        "2.50. On the way the model's equity fell by up to 12 %."
    )
    found = translated("ja", text)
    assert found is not None
    for figure in ("1.07", "1.20", "2.50", "12%"):
        assert figure in found
    assert not re.search("[a-z]{2}", found), "one sentence does not swallow another"
    assert translated("ja", "Fold 12") == "分割12"
    assert translated("ja", "3 of 5") == "5中3"


def test_figures_are_written_as_pages_write_them() -> None:
    say = Said(texts_of("ja"))
    for english, japanese in {
        "−21.6 %": "−21.6%",
        "2026-10-26 – 2026-11-04": "2026/10/26 – 2026/11/04",
        "2026-11-01 00:00": "2026/11/01 00:00",
        "1.2 s": "1.2秒",
        "2 min 5 s": "2分5秒",
        "1 d 3 h": "1日3時間",
        "under 0.1 s": "0.1秒未満",
        "run-2026-11-01": "run-2026-11-01",
        "13.0 ×": "13.0 ×",
    }.items():
        assert (say(english), say.plain(english)) == (japanese, japanese)
        assert Said(texts_of("en"))(english) == english
    got = say.error({"what": "x", "got": "2026-11-01 00:00 and 12 %"})
    assert got[-1] == ("got", "2026-11-01 00:00 and 12 %"), "what was got stays as it was"


def test_spans_of_time_and_series_of_errors_are_said() -> None:
    reach = "2019-05-03 18:00:00+00:00 to 2019-10-17 09:00:00+00:00"
    said = "2019-05-03 18:00:00+00:00から2019-10-17 09:00:00+00:00まで"
    assert translated("ja", reach) == said
    assert translated("ja", f"{reach} (1h bars)") == f"{said}(1hの足)"
    assert translated("ja", "'BTC/USD' in 1h") == "1hの'BTC/USD'"


@pytest.mark.parametrize(
    "text", ["a warning of some kind", "He spoke of her", "Fold of time", "manual__rsi_14", "", "1.5"]
)
def test_what_is_not_known_is_not_guessed(text: str) -> None:
    assert translated("ja", text) is None


def test_what_stays_english_says_so_and_is_escaped() -> None:
    say = Said(texts_of("ja"))
    assert say("quite new <b>") == '<span lang="en">quite new &lt;b&gt;</span>'
    assert say("manual__rsi_14") == "manual__rsi_14"
    assert say.plain("quite new <b>") == "quite new <b>"
    hostile = say("correlated with <img src=x> (0.9)")
    assert not isinstance(hostile, Markup), "a template escapes it"


def test_translations_hold_what_they_translate() -> None:
    entries = {
        found["english"]: text
        for key, text in catalogue("ja").items()
        if (found := FILES.fullmatch(key)) is not None
    }
    assert len(entries) > 250
    for english, text in entries.items():
        assert isinstance(text, str)
        assert set(PLACEHOLDER.findall(english)) == set(PLACEHOLDER.findall(text)), english
        assert all(re.fullmatch(r"[a-f]|[ns]\d?", name) for name in PLACEHOLDER.findall(english)), english


def test_no_pattern_takes_every_sentence() -> None:
    for key in catalogue("ja"):
        if (found := FILES.fullmatch(key)) is not None:
            free = [name for name in PLACEHOLDER.findall(found["english"]) if name[0] not in "ns"]
            own = re.findall("[A-Za-z]", PLACEHOLDER.sub("", found["english"]))
            assert len(free) < 2 or len(own) > 4, f"{key}: half of a sentence would stay English"


def test_a_sentence_within_a_sentence_has_to_be_known() -> None:
    assert translated("ja", "data.range: is no range of time (from a.toml)") is not None
    assert translated("ja", "data.range: nobody foresaw this (from a.toml)") is None


def test_names_in_errors_stay_names() -> None:
    assert translated("ja", "text") is None
    assert translated("ja", "text, or none") == "文字列、またはnone"
    assert Said(texts_of("ja")).error({"what": "ignored", "allowed": "text", "got": "labels"}) == [
        ("what", "ignored"),
        ("got", "labels"),
        ("allowed", "文字列"),
    ]
    assert translated("ja", "labels") == "ラベル"
    assert translated("ja", "there is no setting labels") == "labelsという設定はありません"


def test_what_a_check_of_data_finds_is_said_in_japanese() -> None:
    market = random_walk(400, seed=3)
    bars = market.bars.copy()
    bars.iloc[50:80, bars.columns.get_indexer(["open", "high", "low", "close"])] = 100.0
    bars.iloc[100:140, bars.columns.get_loc("volume")] = 0.0
    bars.iloc[200:, bars.columns.get_indexer(["open", "high", "low", "close"])] *= 5.0
    found = check(Market(bars.drop(bars.index[300:310]), market.timeframe))
    told = {problem.name: problem.text for problem in found.problems}
    assert set(told) >= {"outliers", "stale", "zero_volume", "gaps"}
    for name, text in told.items():
        answer = translated("ja", text)
        assert answer is not None, text
        assert not re.search("[A-Za-z]{4}", answer), answer
        assert translated("ja", name.replace("_", " ")) is not None


def test_every_family_has_a_japanese_name() -> None:
    assert not [name for name in FAMILIES if translated("ja", name.replace("_", " ")) is None]


@pytest.mark.parametrize(
    ("message", "japanese"),
    [
        ("15863 training rows", "学習行 15863行"),
        ("featuretools: log_volume, 655 of 658 columns", "featuretools: log_volume、658列中655列"),
        ("fold 2 of 5, pruned", "分割 2/5、打ち切り"),
        ("done", "完了"),
    ],
)
def test_what_a_job_is_at_is_said_in_japanese(message: str, japanese: str) -> None:
    assert Said(texts_of("ja")).plain(message) == japanese
    assert Said(texts_of("en")).plain(message) == message


def test_a_reader_is_warned_of_sentences_that_stay_english() -> None:
    known, free = "Gaps are kept: windows count bars.", "Nobody foresaw this sentence."
    assert not Said(texts_of("ja")).stay_english([known, "manual__rsi_14"])
    assert Said(texts_of("ja")).stay_english([known, free])
    assert not Said(texts_of("en")).stay_english([known, free])


@pytest.mark.parametrize("why", ["unknown in every training row", "constant in the training rows"])
def test_why_a_column_was_left_out_is_said(why: str) -> None:
    assert "学習行" in Said(texts_of("ja"))(why)
