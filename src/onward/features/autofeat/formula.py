"""Formulas as text, read by a small parser of our own: no ``eval``, no SymPy, no surprise.

Grammar (that of SymPy's printer, as far as autofeat's transformations and products reach)::

    sum      = product (("+" | "-") product)*
    product  = signed (("*" | "/") signed)*
    signed   = ("+" | "-") signed | power
    power    = atom ("**" signed)?
    atom     = number | "E" | "pi" | name | function "(" sum ")" | "(" sum ")"
    function = "exp" | "log" | "sqrt" | "sin" | "cos" | "Abs"

The parser writes a program for a stack machine (`onward.features.autofeat.evaluate`), which needs
no recursion.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import NoReturn, TypeAlias

from onward.errors import StageError, nearest

__all__ = ["CONSTANTS", "FUNCTIONS", "MAX_DEPTH", "MAX_LENGTH", "Formula", "Step", "Token", "parse", "tokens"]

FUNCTIONS = ("Abs", "cos", "exp", "log", "sin", "sqrt")
CONSTANTS = {"E": math.e, "pi": math.pi}
MAX_LENGTH = 2_000
"""Characters of a formula; autofeat's own rarely exceed 60."""
MAX_DEPTH = 40
"""Levels of nesting: parentheses, signs and powers."""

TOKEN = re.compile(
    r"[ ]*(?:(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)"
    r"|(?P<name>[A-Za-z_][A-Za-z0-9_]*)"
    r"|(?P<symbol>\*\*|[-+*/()]))",
    re.ASCII,
)

Step: TypeAlias = tuple[str, float | str]
"""One step of a program: ``number`` or ``column`` with what to push, ``function`` with its name,
``operator`` with one of ``+ - * / ** negative``."""


@dataclass(frozen=True)
class Token:
    """A piece of a formula: its kind (``number``, ``name`` or ``symbol``) and its text."""

    kind: str
    text: str


@dataclass(frozen=True)
class Formula:
    """A formula that was understood.

    Attributes
    ----------
    text
        As it was given.
    names
        Columns that it needs, in order of appearance.
    program
        Steps of a stack machine.
    """

    text: str
    names: tuple[str, ...]
    program: tuple[Step, ...]


def tokens(text: str) -> list[Token]:
    """Cut a formula into tokens.

    Raises
    ------
    StageError
        If it is too long or holds a character that no formula has.
    """
    given: object = text
    if not isinstance(given, str) or len(text) > MAX_LENGTH:
        raise StageError(
            "a formula is too long or not text",
            got=f"{len(text)} characters" if isinstance(given, str) else type(given).__name__,
            allowed=f"text of at most {MAX_LENGTH} characters",
            remedy="Train again, or take an undamaged copy of the bundle.",
        )
    found = []
    position, end = 0, len(text.rstrip(" "))
    while position < end:
        match = TOKEN.match(text, position)
        if match is None:
            _refuse(text, f"the character {text[position:].lstrip(' ')[:1]!r}")
        assert match.lastgroup is not None
        found.append(Token(match.lastgroup, match[match.lastgroup]))
        position = match.end()
    return found


def parse(text: str) -> Formula:
    """Read a formula.

    Raises
    ------
    StageError
        If the text is too long, too deep, no formula, calls an unknown function, or names no
        column.
    """
    parser = _Parser(text)
    parser.sum(0)
    if parser.next is not None:
        _refuse(text, f"{parser.next.text!r} where the formula should end")
    if not parser.names:
        _refuse(text, "no column")
    return Formula(text, tuple(parser.names), tuple(parser.program))


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.rest = tokens(text)[::-1]
        self.names: dict[str, None] = {}
        self.program: list[Step] = []

    @property
    def next(self) -> Token | None:
        return self.rest[-1] if self.rest else None

    def takes(self, *symbols: str) -> str | None:
        token = self.next
        if token is not None and token.kind == "symbol" and token.text in symbols:
            self.rest.pop()
            return token.text
        return None

    def sum(self, depth: int) -> None:
        self.product(depth)
        while symbol := self.takes("+", "-"):
            self.product(depth)
            self.program.append(("operator", symbol))

    def product(self, depth: int) -> None:
        self.signed(depth)
        while symbol := self.takes("*", "/"):
            self.signed(depth)
            self.program.append(("operator", symbol))

    def signed(self, depth: int) -> None:
        if depth > MAX_DEPTH:
            raise StageError(
                "a formula is nested too deeply",
                got=f"{self.text[:60]!r}",
                allowed=f"at most {MAX_DEPTH} levels",
                remedy="Train again, or take an undamaged copy of the bundle.",
            )
        symbol = self.takes("+", "-")
        if symbol is None:
            self.power(depth)
            return
        self.signed(depth + 1)
        if symbol == "-":
            self.program.append(("operator", "negative"))

    def power(self, depth: int) -> None:
        self.atom(depth)
        if self.takes("**"):
            self.signed(depth + 1)
            self.program.append(("operator", "**"))

    def atom(self, depth: int) -> None:
        token = self.rest.pop() if self.rest else None
        if token is None:
            _refuse(self.text, "an end where a value should be")
        if token.kind == "number":
            number = float(token.text)
            if not math.isfinite(number):
                _refuse(self.text, f"the number {token.text[:20]}")
            self.program.append(("number", number))
        elif token.kind == "name" and self.takes("("):
            if token.text not in FUNCTIONS:
                close = nearest(token.text, FUNCTIONS)
                hint = f" (did you mean {close}?)" if close else ""
                _refuse(self.text, f"the function {token.text[:40]!r}{hint}")
            self.inside(depth)
            self.program.append(("function", token.text))
        elif token.kind == "name" and token.text in CONSTANTS:
            self.program.append(("number", CONSTANTS[token.text]))
        elif token.kind == "name":
            self.names.setdefault(token.text)
            self.program.append(("column", token.text))
        elif token.text == "(":
            self.inside(depth)
        else:
            _refuse(self.text, f"{token.text!r} where a value should be")

    def inside(self, depth: int) -> None:
        self.sum(depth + 1)
        if not self.takes(")"):
            _refuse(self.text, "an open parenthesis that is not closed")


def _refuse(text: str, why: str) -> NoReturn:
    raise StageError(
        "a formula is not understood",
        got=f"{why} in {text[:120]!r}",
        allowed=f"columns, numbers, + - * / ** ( ) and the functions {', '.join(FUNCTIONS)}",
        remedy="Train again, or take an undamaged copy of the bundle.",
    )
