"""Japanese is written in one style on all pages: `docs/explanation/dashboard.md` names the rules."""

from __future__ import annotations

import re

import pytest

from onward.dashboard.i18n.texts import PLURALS, catalogue

JAPANESE = "[\u3040-\u30fa\u30fc-\u30ff\u4e00-\u9fff々]"
"""Kana and kanji; `・` joins words and is none."""

LONG = (
    "サーバ",
    "ユーザ",
    "ブラウザ",
    "パラメータ",
    "メンバ",
    "フォルダ",
    "ワーカ",
    "ヘッダ",
    "エラ",
    "ハンドラ",
    "プロセッサ",
)

RULES = {
    "figures, letters and signs are half-width": "[\uff01-\uff9f\u3000]",
    "no blank beside a mark of a sentence": "[。、] | [。、」]|「 ",
    "no blank between letters or figures and what follows": rf"[A-Za-z0-9}}%)\]>`'\"] {JAPANESE}",
    "no blank after kana, as there is between a label and its value": "[\u3041-\u3096・」(] [A-Za-z0-9{`(-]",
    "no blank before %": "[0-9}] %",
    "no blank before a bracket": rf"{JAPANESE} [(\[]",
    "one blank after the colon": rf"{JAPANESE}:(?! |$)|{JAPANESE} :",
    "an ellipsis is one character": rf"{JAPANESE}\.\.",
    "long vowels keep their mark": f"(?:{'|'.join(LONG)})(?!ー)",
}
WORDS = {
    "シンボル": "銘柄",
    "補助系列": "付随系列",
    "訓練": "学習",
    "テスト(?:行|区間|足)": "検証",
    "適合(?!率)": "学習",
    "計画": "プラン",
    "シャープ比|ソルティノ比": "レシオ",
    "閾値": "しきい値",
    "早期停止|却下|不採用": "打ち切り、評価不能",
    "(?:内部|外部)スコア": "内側、外側",
    "ファミリー": "特徴量群",
    "ホスト(?!ヘッダー)": "マシン",
    "足の数": "足の本数",
    "買い持ち": "単純保有",
    "将来": "未来",
    "下さい": "ください",
    "全て": "すべて",
    "又は|もしくは|あるいは": "または",
    "及び": "および",
    "出来る|出来な": "できる",
    "無い|無し(?!さ)": "ない",
    "既に": "すでに",
    "頂": "いただく",
}
"""What must not be written, and what is written for it."""
ALLOWED = {"過剰適合": "overfitting is a word of its own"}
PLAIN = re.compile(
    "(?:(?<![まで])す|[るうくつむぶぬぐ]|(?<!まし)(?<!でし)た|(?<!くだ)さい|ない|だ|よい|しい|高い|低い|多い|少ない)。"
)
"""The end of a sentence that is not in です・ます."""
NOUNS = ("1つ", "ひとつ", "2つ")
BRACKETED = re.compile(r"\([^()]*\)")


def texts() -> dict[str, str]:
    """Return every Japanese text by its key; plural forms apart."""
    found: dict[str, str] = {}
    for key, entry in catalogue("ja").items():
        if isinstance(entry, str):
            found[key] = entry
        else:
            found |= {f"{key}|{form}": entry[form] for form in PLURALS}
    return found


def wrong(shape: str) -> list[str]:
    """Return the texts that hold something."""
    pattern = re.compile(shape)
    found = []
    for key, text in texts().items():
        bare = text
        for allowed in ALLOWED:
            bare = bare.replace(allowed, "")
        if pattern.search(bare):
            found.append(f"{key}: {text}")
    return found


@pytest.mark.parametrize("rule", RULES)
def test_japanese_is_set_in_one_way(rule: str) -> None:
    assert not wrong(RULES[rule]), rule


@pytest.mark.parametrize("word", WORDS)
def test_a_thing_has_one_name(word: str) -> None:
    assert not wrong(word), f"write {WORDS[word]}"


def test_sentences_end_politely() -> None:
    found = []
    for key, text in texts().items():
        bare = BRACKETED.sub("", text)
        ends = [bare[: end.end() - 1] for end in PLAIN.finditer(bare)]
        found += [f"{key}: {text}" for end in ends if not end.endswith(NOUNS)]
    assert not found, "です・ます, or a noun"


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        ("figures, letters and signs are half-width", "A（B）"),
        ("no blank beside a mark of a sentence", "終わりました。 次へ"),
        ("no blank between letters or figures and what follows", "{name} を外す"),
        ("no blank after kana, as there is between a label and its value", "現在の {alias}"),
        ("no blank before %", "30 %"),
        ("one blank after the colon", "保存済み:{series}"),
        ("long vowels keep their mark", "パラメータ"),
    ],
)
def test_rules_find_what_they_are_for(rule: str, text: str) -> None:
    assert re.search(RULES[rule], text)
    assert not re.search(
        RULES[rule], "AUC(方向): 待機中 {count}件、30%。パラメーターは`onward train`で変えられます。"
    )


def test_endings_are_told_apart() -> None:
    assert PLAIN.search("列を落とす。")
    assert PLAIN.search("取引しない。")
    assert not PLAIN.search("列を落とします。取引しません。確かめました。銘柄です。選んでください。")
