"""Cards of models, read in a terminal."""

from __future__ import annotations

from onward.cli.cards import card_lines

CARD = """# btc

`lightgbm` on BTC/USDT, 1h bars.

## Is there skill?

The AUC stays &lt; 0.53.

| | |
|---|---|
| direction.level | no evidence of skill |
| a\\|b | p &lt; 0.05 |

## Leak certificate

**Passed.** Nothing was found.

- `returns__1`

```json
{"labels": {"horizon_bars": 24}}
```
"""


def test_a_card_is_text_in_a_terminal() -> None:
    assert list(card_lines(CARD, plan="In its manifest.")) == [
        "btc",
        "---",
        "",
        "lightgbm on BTC/USDT, 1h bars.",
        "",
        "Is there skill?",
        "---------------",
        "",
        "The AUC stays < 0.53.",
        "",
        "  direction.level  no evidence of skill",
        "  a|b              p < 0.05",
        "",
        "Leak certificate",
        "----------------",
        "",
        "Passed. Nothing was found.",
        "",
        "  - returns__1",
        "",
        "In its manifest.",
    ]
