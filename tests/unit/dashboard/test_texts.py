"""Every sentence of the pages stands in the catalogue, in both languages, and is used."""

from __future__ import annotations

import re
import string
from collections.abc import Iterator, Mapping
from importlib.resources import files
from pathlib import Path

import pytest
from jinja2 import nodes
from markupsafe import Markup

from onward.dashboard.i18n import LANGUAGES, texts_of
from onward.dashboard.i18n.texts import PLURALS, catalogue
from onward.dashboard.pages import pages
from onward.dashboard.rendering import environment

PACKAGE = Path(str(files("onward.dashboard")))
TEMPLATES = sorted(PACKAGE.joinpath("templates").rglob("*.html"))
BY_VALUE = ("words.", "settings_help.")
"""Texts that `Words` looks up by values of the code."""
ONE_LANGUAGE = re.compile(r"settings_help|[a-z]+_said")
"""Files that only translate what the code itself says in English."""
ATTRIBUTES = ("title", "placeholder", "aria-label", "alt", "label", "content")
LITERAL = re.compile(r"[^\W\d_]{2,}")
ALLOWED = {
    "Onward",
    "TradingView",
    "Lightweight",
    "Charts",
    "UTC",
    "EN",
    "日本語",
    "English",
    "width",
    "device",
}
ALLOWED |= {"initial", "scale", "light", "dark"}
KEY = re.compile(r"""["']((?:[a-z_0-9]+)(?:\.[a-z_0-9]+)+)["']""")
PREFIX = re.compile(r"""["']((?:[a-z_0-9]+\.)+)["']\s*~""")
SUFFIX = re.compile(r"""~\s*["']((?:\.[a-z_0-9]+)+)["']""")


def flat(language: str) -> Mapping[str, str]:
    """Return every text; plural forms apart."""
    found: dict[str, str] = {}
    for key, entry in catalogue(language).items():  # type: ignore[arg-type]
        if isinstance(entry, str):
            found[key] = entry
        else:
            found |= {f"{key}|{form}": entry[form] for form in PLURALS}
    return found


def shared(language: str) -> dict[str, str]:
    return {
        key: text for key, text in flat(language).items() if not ONE_LANGUAGE.fullmatch(key.partition(".")[0])
    }


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def test_both_languages_say_the_same() -> None:
    english, japanese = shared("en"), shared("ja")
    assert sorted(english) == sorted(japanese)
    for key, text in english.items():
        if not key.endswith("|one"):  # "one row" needs no number
            assert placeholders(text) == placeholders(japanese[key]), key


@pytest.mark.parametrize("language", LANGUAGES)
def test_texts_are_well_made(language: str) -> None:
    for key, text in flat(language).items():
        assert text.strip() == text, key
        assert text, key
        assert all(name.isidentifier() for name in placeholders(text)), key
    if language == "ja":
        bare = [
            key for key, text in shared("ja").items() if text == shared("en")[key] and LITERAL.search(text)
        ]
        assert not [key for key in bare if not is_a_name(shared("en")[key])], "left in English"


def is_a_name(text: str) -> bool:
    """Whether a text is made of names alone, which are the same in every language."""
    return all(word.isupper() or word in ALLOWED for word in LITERAL.findall(text))


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.stem)
def test_templates_hold_no_literal_text(template: Path) -> None:
    written = "".join(literal_parts(template.read_text(encoding="utf-8")))
    for attribute in ATTRIBUTES:
        for value in re.findall(rf'\s{attribute}="([^"]*)"', written):
            refuse(value, template)
    bare = re.sub(r"<(script|style)\b.*?</\1>", " ", written, flags=re.DOTALL)
    refuse(re.sub(r'[\w-]+="[^"]*"', " ", re.sub(r"<[^>]*>", " ", bare)), template)


def literal_parts(source: str) -> Iterator[str]:
    """Give what a template writes as it stands; what it computes becomes a dot."""
    for _, kind, value in environment().lex(source):
        if kind == "data":
            yield value
        elif kind == "variable_begin":
            yield "·"


def refuse(text: str, template: Path) -> None:
    found = [word for word in LITERAL.findall(re.sub(r"&\w+;", " ", text)) if word not in ALLOWED]
    assert not found, f"{template.name}: {found} belongs into the catalogue"


def test_every_key_is_used_and_every_used_key_is_there() -> None:
    source = "\n".join(path.read_text(encoding="utf-8") for path in [*TEMPLATES, *PACKAGE.rglob("*.py")])
    keys = set(catalogue("en"))
    tops = {key.partition(".")[0] for key in keys}
    named = {key for key in KEY.findall(source) if key.partition(".")[0] in tops}
    begun, ended = set(PREFIX.findall(source)), set(SUFFIX.findall(source))
    used = {
        key
        for key in keys
        if key in named
        or key.startswith(BY_VALUE)
        or any(key.startswith(prefix) for prefix in begun)
        or any(key.endswith(suffix) for suffix in ended if suffix != ".nav")
        or any(key.startswith(f"{prefix}.") for prefix in re.findall(r'below\("([\w.]+)"\)', source))
    }
    used |= {f"{page.name}.nav" for page in pages()}
    assert not sorted(keys - used), "nobody uses these"


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.stem)
def test_templates_ask_for_texts_that_exist(template: Path) -> None:
    tree = environment().parse(template.read_text(encoding="utf-8"))
    for call in tree.find_all(nodes.Call):
        if isinstance(call.node, nodes.Name) and call.node.name == "t" and call.args:
            key = call.args[0]
            if isinstance(key, nodes.Const):
                assert key.value in catalogue("en"), key.value
                given = {one.key for one in call.kwargs}
                entry = catalogue("en")[key.value]
                wanted = placeholders(entry if isinstance(entry, str) else entry["other"])
                assert wanted <= given, f"{key.value} needs {wanted - given}"


def test_counting_chooses_the_form_and_separates_thousands() -> None:
    english, japanese = texts_of("en"), texts_of("ja")
    assert english("overview.data.rows", count=1) == "one row"
    assert english("overview.data.rows", count=20_111) == "20,111 rows"
    assert japanese("overview.data.rows", count=1) == "1行"


def test_markup_in_a_placeholder_escapes_the_rest() -> None:
    text = texts_of("en")("overview.jobs.left", span=Markup("<b>3 min</b>"))
    assert text == Markup("<b>3 min</b> left in this stage")
    assert isinstance(text, Markup)
    assert not isinstance(texts_of("en")("overview.jobs.left", span="<b>"), Markup)


def test_a_text_that_is_missing_is_an_error() -> None:
    with pytest.raises(KeyError):
        texts_of("en")("overview.nothing")
