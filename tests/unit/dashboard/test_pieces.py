"""Pieces that every page is made of, as templates write them."""

from __future__ import annotations

import pytest

from onward.dashboard.i18n import Figures, Words, texts_of
from onward.dashboard.i18n.said import Said
from onward.dashboard.marking import marked
from onward.dashboard.rendering import environment


def written(call: str, body: str = "") -> str:
    imports = "".join(
        f'{{% import "macros/{name}.html" as {name} with context %}}' for name in ("ui", "forms", "models")
    )
    piece = f"{{% call {call} %}}{body}{{% endcall %}}" if body else f"{{{{ {call} }}}}"
    t = texts_of("en")
    return environment().from_string(imports + piece).render(t=t, words=Words(t), fmt=Figures("en"))


@pytest.mark.parametrize(
    ("certificate", "said", "unsaid"),
    [("passed", "evidence of skill", "counts for nothing"), ("failed", "counts for nothing", "evidence of")],
)
def test_verdicts_of_what_saw_the_future_count_for_nothing(certificate: str, said: str, unsaid: str) -> None:
    found = written(f'models.verdicts("evidence of skill", none, "{certificate}")')
    assert said in found
    assert unsaid not in found
    assert "not judged" in found, "what was never judged is not void"


def test_tables_say_by_what_they_are_sorted_and_become_cards() -> None:
    found = written(
        'ui.table("Jobs", (("Job", ""), ("Asked for", "num")), newest="Asked for", cards=true)', "<tr></tr>"
    )
    assert '<table class="cards">' in found
    assert '<th scope="col" class="num" aria-sort="descending">Asked for</th>' in found
    assert found.count("aria-sort") == 1
    assert "aria-sort" not in written('ui.table("Jobs", (("Job", ""),))', "<tr></tr>")


def test_fields_that_are_asked_for_carry_their_error_and_do_not_show_it() -> None:
    found = written('forms.field("symbol", "Symbol", help="Type it.", missing="Type it, please.")')
    assert 'required data-missing="Type it, please."' in found
    assert "aria-invalid" not in found
    assert '<p class="error" id="symbol-error" aria-live="polite"></p>' in found


@pytest.mark.parametrize("narrow", [True, False])
def test_what_somebody_named_is_never_translated(narrow: bool) -> None:
    t = texts_of("ja")
    names, figures = ["range", "my_sentiment", "funding"], ["1", "2", "3"]
    heads = ["Series", *names] if narrow else ["Series", "Prints"]
    rows = [["Prints", *figures]] if narrow else [list(pair) for pair in zip(names, figures, strict=True)]
    data = {"caption": "Side series", "columns": [[one, "short"] for one in heads], "rows": rows}
    source = (
        '{% import "macros/report.html" as report with context %}{{ report.table(data, names=("Series",)) }}'
    )
    told = environment().from_string(source).render(t=t, say=Said(t), data={**data, "narrow": narrow})
    assert '<span translate="no">range</span>' in told
    assert "レンジ" not in told
    assert "my_<wbr>sentiment" in told
    assert "資金調達率" in told, "the product's own series have words"
    plain = source.replace(', names=("Series",)', "")
    said = environment().from_string(plain).render(t=t, say=Said(t), data={**data, "narrow": narrow})
    assert "レンジ" in said, "where it is the class, it is said"


def test_commands_in_sentences_are_code_and_nothing_else_is_markup() -> None:
    assert marked("See `onward jobs list`.") == 'See <code translate="no">onward jobs list</code>.'
    assert marked("`<b>` & `") == '<code translate="no">&lt;b&gt;</code> &amp; `'
    kept = Said(texts_of("ja"))("nobody knows `this one` yet")
    assert marked(kept) == '<span lang="en">nobody knows <code translate="no">this one</code> yet</span>'


@pytest.mark.parametrize(
    ("language", "extrapolated", "said"),
    [
        ("en", False, "p\u00a00.59 (counted)."),
        ("en", True, "p\u00a00.59 (extrapolated from their mean and deviation)."),
        ("en", None, "p\u00a00.59."),
        ("ja", False, "(p\u00a00.59、数えた割合)。"),
        ("ja", True, "(p\u00a00.59、平均と標準偏差から外挿)。"),
    ],
)
def test_a_verdict_says_where_its_p_comes_from(language: str, extrapolated: bool | None, said: str) -> None:
    band = {"mean": 0.5, "high": 0.52, "n_shifts": 900, "extrapolated": extrapolated}
    verdict = {"subject": "direction", "level": "no evidence of skill", "auc": 0.499, "p": 0.59, "band": band}
    assert said in Words(texts_of("ja" if language == "ja" else "en")).verdict(verdict)
