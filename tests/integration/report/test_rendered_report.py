"""The report of a real training, and of the bundled sample, as the HTML that a browser gets."""

import base64
import hashlib
import itertools
import json
import os
import re
import shutil
import subprocess
from collections import Counter
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest

import onward as ow
from onward.evaluation.judgement import judge
from onward.evaluation.oof import OutOfFold
from onward.evaluation.report import render
from onward.testing.markets import random_walk
from onward.training.assembly import make_labeler
from onward.training.plan import TrainingPlan
from onward.training.reporting import report_content

HOSTILE = "</script><script>alert(1)</script>&\"'<b>/USD"
VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "wbr"}


class Page(HTMLParser):
    """Reads a page: elements in order, texts by element, what was left open."""

    def __init__(self, html):
        super().__init__(convert_charrefs=True)
        self.elements, self.open, self.texts = [], [], []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        self.texts.append("")
        if tag not in VOID:
            self.open.append((tag, len(self.elements) - 1))

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        self.texts.append("")

    def handle_endtag(self, tag):
        last, _ = self.open.pop()
        assert last == tag, f"</{tag}> closes <{last}>"

    def handle_data(self, data):
        for _, position in self.open:
            self.texts[position] += data

    def all(self, tag):
        return [(attrs, self.texts[i]) for i, (name, attrs) in enumerate(self.elements) if name == tag]


@pytest.fixture(scope="module")
def content(tmp_path_factory):
    plan = TrainingPlan.preset("fast").with_overrides(
        {
            "features.manual.families": ["returns", "volatility"],
            "model.n_rounds": 10,
            "selection.n_shifts": 20,
            "evaluation.n_shifts": 100,
        }
    )
    market = random_walk(1_200, seed=3, symbols=(HOSTILE, "B/USD"))
    result = ow.train(market, plan, audit=False, home=tmp_path_factory.mktemp("home"))
    return report_content(result)


@pytest.fixture(scope="module")
def html(content):
    return render(content)


@pytest.fixture(scope="module")
def read(html):
    return Page(html)


def test_every_element_is_closed(read):
    assert read.open == []


def test_nothing_is_fetched(read, html):
    for tag, attrs in read.elements:
        assert tag not in {"link", "iframe", "object", "embed", "base", "form"}
        assert "src" not in attrs
        assert not [name for name in attrs if name.startswith("on")], "inline event handler"
        if "href" in attrs:
            assert tag == "a"
            assert attrs["href"].startswith("#") or attrs["href"] == "https://www.tradingview.com/"
    style = read.all("style")[0][1]
    assert "@import" not in style
    assert "url(" not in style


def test_the_policy_allows_its_own_script_and_no_other(read):
    policies = [a["content"] for a, _ in read.all("meta") if a.get("http-equiv") == "Content-Security-Policy"]
    scripts = read.all("script")
    assert [attrs.get("type") for attrs, _ in scripts] == ["application/json", "application/json", None]
    digest = base64.b64encode(hashlib.sha256(scripts[-1][1].encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in policies[0]
    assert policies[0].startswith("default-src 'none'")


def test_hostile_names_stay_text(read, html):
    assert html.count("<script") == 3
    assert "alert(1)</script>" not in html
    data = json.loads(read.all("script")[0][1])
    assert data["candles"][0]["symbol"] == HOSTILE
    said = json.loads(read.all("script")[1][1])
    assert said["title"].startswith(HOSTILE)
    assert said["format"] == 1
    assert HOSTILE in read.all("h1")[0][1]
    assert not read.all("b") or all("USD" not in text for _, text in read.all("b"))


def test_the_outline_is_sound(read):
    levels = [int(tag[1]) for tag, _ in read.elements if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))
    assert [text for _, text in read.all("h2")][:3] == [
        "Verdict",
        "Equity after costs",
        "Candles and signals",
    ]


def test_ids_are_unique_and_links_and_labels_lead_somewhere(read):
    ids = Counter(attrs["id"] for _, attrs in read.elements if "id" in attrs)
    assert max(ids.values()) == 1
    targets = {attrs["href"][1:] for attrs, _ in read.all("a") if attrs["href"].startswith("#")}
    named = {attrs["aria-labelledby"] for _, attrs in read.elements if "aria-labelledby" in attrs}
    assert targets | named <= set(ids)


def test_tables_and_charts_can_be_read_aloud(read, html):
    tables = re.findall(r"<table.*?</table>", html, flags=re.DOTALL)
    assert len(tables) > 12
    for table in tables:
        assert "<caption>" in table
        assert table.count("<th ") == table.count('scope="col"') + table.count('scope="row"')
    charts = [attrs for _, attrs in read.elements if "chart" in attrs.get("class", "").split()]
    assert {attrs["role"] for attrs in charts} == {"group"}  # they hold what takes the focus
    drawn = [attrs for _, attrs in read.elements if attrs.get("role") == "img"]
    pictures = [*charts, *drawn]
    assert len(pictures) >= 5
    assert all(len(attrs["aria-label"]) > 20 for attrs in pictures)


def test_everything_that_was_promised_is_there(read, html, content):
    text = " ".join(text for _, text in read.all("main"))
    for sentence in content.judgement.verdict.sentences:
        assert sentence in text
    for words in ("Leak certificate", "NaN ledger", "Selection ledger", "Calibration", "Mean of folds"):
        assert words in text
    for identity in (content.plan_hash, content.data_hash, content.version):
        assert identity in text
    assert "TradingView Lightweight Charts™" in read.all("footer")[0][1]
    assert "Permission is hereby granted" in html  # the licence that has to go with every copy
    assert not re.search(r"\bnan\b|NaT\b|\bNone\b|\binf\b", text)


def test_it_is_the_same_every_time(content, html):
    assert render(content) == html


def test_the_sample_stays_small(content):
    market = ow.sample_market()
    labeler = make_labeler(TrainingPlan())
    spans = labeler.spans(market)
    y = np.asarray(labeler.label(market).y, dtype=np.int64)
    probability = np.random.default_rng(0).dirichlet((3.0, 4.0, 3.0), len(y))
    prior = np.full((len(y), 3), 1 / 3)
    oof = OutOfFold(spans, np.arange(len(y)) * 5 // len(y), y, probability, prior, {"momentum": prior})
    big = replace(content, market=market, oof=oof, judgement=judge(oof, n_shifts=50))
    assert len(render(big).encode()) < 1_600_000


def test_a_browser_draws_it_without_a_complaint(html, tmp_path):
    browser = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if browser is None:
        pytest.skip("no Chromium on this machine")
    (tmp_path / "report.html").write_text(html, encoding="utf-8")
    command = [browser, "--headless", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"]
    command += ["--disable-background-networking", "--disable-component-update", "--enable-logging=stderr"]
    command += [f"--user-data-dir={tmp_path / 'profile'}", "--virtual-time-budget=3000", "--dump-dom"]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        command.append("--no-sandbox")  # Chromium refuses to run as root otherwise
    address = (tmp_path / "report.html").as_uri() + "?theme=dark"
    done = subprocess.run([*command, address], capture_output=True, text=True, timeout=60, check=False)
    if "<html" not in done.stdout:
        pytest.skip(f"Chromium does not start here: {done.stderr[-200:]}")
    drawn = Page(re.sub(r"<!--.*?-->", "", done.stdout.removeprefix("<!DOCTYPE html>"), flags=re.DOTALL))
    charts = re.findall(
        r'id="((?:equity|candles|calibration)-chart|chance-(?:direction|range))"[^>]*>(<[^>]+>)?', done.stdout
    )
    assert len(charts) == 5
    assert all(inside for _, inside in charts)
    assert sum(tag == "canvas" for tag, _ in drawn.elements) >= 5
    theme = next(attrs for tag, attrs in drawn.elements if attrs.get("id") == "theme")
    assert "hidden" not in theme
    assert drawn.elements[0][1]["data-theme"] == "dark"
    assert "CONSOLE" not in done.stderr, re.findall(r".*CONSOLE.*", done.stderr)
