"""Which sentences the errors of a package can say, read from its source.

``.venv/bin/python -m tests.unit.dashboard.said_errors PACKAGE`` prints those that have no Japanese
translation yet as TOML, ready to be translated into ``texts/ja/errorsPACKAGE_said.toml``. Placeholders
are ``{n}`` where the source writes a figure and ``{a}`` for everything else: a name or a value.
"""

from __future__ import annotations

import ast
import itertools
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from onward.dashboard.i18n.said import SENTENCES, WORDS, _known, translated
from tests.unit.dashboard.read_source import (
    DEEP,
    SOURCE,
    Scope,
    calls,
    calls_by_name,
    error_classes,
    home_of,
    imported,
    last_name,
    modules,
    origin,
)

__all__ = ["Sentence", "missing", "sentences"]

PARTS = ("what", "got", "allowed", "remedy")
MOST = 48
"""Ways in which one text can come out that are followed; a text with more is cut there."""
INNER = 4
"""Words that may stand in one place of a text before that place is taken for any value."""
FIGURES = ("len", "told_count", "abs", "int", "round")
SAMPLES = ("Zq9_x", "7", "'a', 'b'", "0.5")


class Hole(str):
    """A place in a text that is filled when the error is made; ``n`` for a figure, else ``a``."""

    __slots__ = ()


Text = tuple[str | Hole, ...]
ANY, FIGURE = Hole("a"), Hole("n")


@dataclass(frozen=True, order=True)
class Sentence:
    """One sentence that an error can say.

    Attributes
    ----------
    template
        With ``{a}`` and ``{n}`` in the places that are filled.
    part
        ``what``, ``got``, ``allowed`` or ``remedy``.
    place
        ``package/module.py:line``.
    """

    template: str
    part: str
    place: str

    def filled(self) -> Iterator[str]:
        """Give the sentence with samples in its places: names, figures, and mixtures of both."""
        pieces = _pieces(self.template)
        holes = [piece for piece in pieces if isinstance(piece, Hole)]
        choices = [("7",) if hole.startswith("n") else SAMPLES for hole in holes]
        for values in itertools.islice(itertools.product(*choices), 300):
            left = iter(values)
            yield "".join(next(left) if isinstance(piece, Hole) else piece for piece in pieces)

    @property
    def is_translated(self) -> bool:
        """Whether some filling of it has a translation: a figure may stand where a name can."""
        return any(translated("ja", text) is not None and not _half(text) for text in self.filled())


def _half(text: str) -> bool:
    """Return whether a translation keeps English words, taken for the value of a place."""
    for sentence in SENTENCES.split(text):
        if sentence in _known("ja").phrases:
            continue
        for pattern in _known("ja").candidates(sentence):
            found = pattern.shape.fullmatch(sentence)
            values = found.groupdict() if found is not None else {}
            inner = [value for name, value in values.items() if name.startswith("s")]
            if any(translated("ja", value) is None for value in inner):
                continue
            if any(map(_half, inner)):
                return True
            if any(WORDS.search(value) and translated("ja", value) is None for value in values.values()):
                return True
            if found is not None:
                break
    return False


def sentences(package: str) -> tuple[Sentence, ...]:
    """Return what the errors of a package can say, a line for each sentence, sorted by place."""
    found = {
        (part, sentence): f"{where}:{line}"
        for part, texts, where, line in _told()
        for text in texts
        if where.parts[0].removesuffix(".py") == package
        for sentence in _sentences(text)
        if _is_prose(part, sentence)
    }
    return tuple(
        sorted(
            (Sentence(sentence, part, place) for (part, sentence), place in found.items()),
            key=lambda one: (one.place.split(":")[0], int(one.place.split(":")[1]), PARTS.index(one.part)),
        )
    )


def missing(package: str) -> tuple[Sentence, ...]:
    """Return the sentences of a package that have no translation."""
    return tuple(one for one in sentences(package) if not one.is_translated)


@cache
def _told() -> tuple[tuple[str, tuple[Text, ...], Path, int], ...]:
    """Return part, texts, file and line of everything that an error is made with."""
    return tuple(
        (part, texts, where.module.path.relative_to(SOURCE), line)
        for scope, call in _constructions()
        for part, value in _arguments(call)
        for texts, where, line in [(_texts(value, scope, inside=False), scope, value.lineno)]
    )


def _arguments(call: ast.Call) -> Iterator[tuple[str, ast.expr]]:
    if call.args and not isinstance(call.args[0], ast.Starred):
        yield "what", call.args[0]
    for keyword in call.keywords:
        if keyword.arg in PARTS:
            yield keyword.arg, keyword.value


def _constructions() -> Iterator[tuple[Scope, ast.Call]]:
    kinds = error_classes()
    for module in modules():
        for scope, call in calls(module):
            if last_name(call.func) in kinds and (call.args or call.keywords):
                yield scope, call


# What a text can come out as


def _texts(node: ast.expr, scope: Scope, *, inside: bool) -> tuple[Text, ...]:
    """Return every way in which an expression comes out, as far as the source tells it."""
    if scope.depth > DEEP:
        return ((ANY,),)
    found = tuple(dict.fromkeys(_ways(node, scope.deeper(), inside=inside)))[:MOST]
    if inside and (len(found) > INNER or any(isinstance(p, Hole) for text in found for p in text)):
        return ((ANY,),)
    return found


def _ways(node: ast.expr, scope: Scope, *, inside: bool) -> Iterator[Text]:
    if isinstance(node, ast.Constant):
        if isinstance(node.value, str):
            yield (node.value,)
        elif node.value is not None:
            yield (str(node.value),)
    elif isinstance(node, ast.JoinedStr):
        yield from _joined([_filled(part, scope) for part in node.values])
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        yield from _joined([_texts(side, scope, inside=inside) for side in (node.left, node.right)])
    elif isinstance(node, ast.IfExp):
        yield from _texts(node.body, scope, inside=inside)
        yield from _texts(node.orelse, scope, inside=inside)
    elif isinstance(node, ast.BoolOp):
        for one in node.values:
            yield from _texts(one, scope, inside=inside)
    elif isinstance(node, ast.Name):
        yield from _named(node.id, scope, inside=inside)
    elif isinstance(node, ast.Subscript):
        yield from _table(node.value, scope)
    elif isinstance(node, ast.Call):
        yield from _called(node, scope, inside=inside)
    else:
        yield (ANY,)


def _filled(part: ast.expr, scope: Scope) -> tuple[Text, ...]:
    if isinstance(part, ast.Constant):
        return ((str(part.value),),)
    assert isinstance(part, ast.FormattedValue)
    if part.format_spec is not None:
        return ((FIGURE if _is_figure_format(part.format_spec) else ANY,),)
    if isinstance(part.value, ast.Call) and last_name(part.value.func) in FIGURES:
        return ((FIGURE,),)
    if isinstance(part.value, ast.Call):
        return ((ANY,),)
    return _texts(part.value, scope, inside=True) if part.conversion == -1 else ((ANY,),)


def _is_figure_format(spec: ast.expr) -> bool:
    shape = "".join(str(one.value) for one in ast.walk(spec) if isinstance(one, ast.Constant))
    return shape.endswith((",", "d", "f", "g")) and "%" not in shape


def _joined(parts: Sequence[tuple[Text, ...]]) -> Iterator[Text]:
    for pieces in itertools.islice(itertools.product(*parts), MOST):
        yield tuple(itertools.chain.from_iterable(pieces))


def _named(name: str, scope: Scope, *, inside: bool) -> Iterator[Text]:
    for position, function in enumerate(scope.functions):
        outer = Scope(scope.module, scope.functions[position:], scope.depth)
        given = _assigned(name, function)
        if given is not None:
            for one in given:
                yield from _texts(one, outer, inside=inside) if one is not None else ((ANY,),)
            return
        if name in _parameters(function):
            yield from _passed(name, function, outer, inside=inside)
            return
    yield from _constant(name, scope)


def _assigned(name: str, function: ast.FunctionDef | ast.AsyncFunctionDef) -> list[ast.expr | None] | None:
    """Return what is assigned to a local name; None inside for what is no plain assignment."""
    found: list[ast.expr | None] = []
    for node in ast.walk(function):
        targets: list[ast.expr] = []
        value: ast.expr | None = None
        if isinstance(node, ast.Assign):
            targets, value = node.targets, node.value
        elif isinstance(node, ast.AnnAssign | ast.NamedExpr):
            targets, value = [node.target], node.value
        elif isinstance(node, ast.AugAssign | ast.For | ast.AsyncFor | ast.comprehension):
            targets = [node.target]
        for target in targets:
            if isinstance(target, ast.Name) and target.id == name:
                found.append(value)
            elif isinstance(target, ast.Tuple | ast.List):
                for place, one in enumerate(target.elts):
                    if isinstance(one, ast.Name) and one.id == name:
                        same = isinstance(value, ast.Tuple) and len(value.elts) == len(target.elts)
                        found.append(value.elts[place] if same and isinstance(value, ast.Tuple) else None)
    return found or None


def _parameters(function: ast.FunctionDef | ast.AsyncFunctionDef) -> list[str]:
    given = function.args
    return [one.arg for one in (*given.posonlyargs, *given.args, *given.kwonlyargs)]


def _passed(
    name: str, function: ast.FunctionDef | ast.AsyncFunctionDef, scope: Scope, *, inside: bool
) -> Iterator[Text]:
    """Give what callers pass for a parameter; any value when none of them is seen."""
    positional = [one.arg for one in (*function.args.posonlyargs, *function.args.args)]
    bound = positional[:1] in (["self"], ["cls"])
    place = positional.index(name) - bound if name in positional else None
    seen = False
    for where, call in calls_by_name().get(function.name, ()):
        home = where.module if isinstance(call.func, ast.Attribute) else origin(function.name, where.module)
        if home is not scope.module:
            continue
        given = next((one.value for one in call.keywords if one.arg == name), None)
        if given is None and place is not None and 0 <= place < len(call.args):
            given = call.args[place]
        if given is not None and not isinstance(given, ast.Starred):
            seen = True
            yield from _texts(given, Scope(where.module, where.functions, scope.depth), inside=inside)
    if not seen:
        yield (ANY,)


def _constant(name: str, scope: Scope) -> Iterator[Text]:
    home = home_of(name, scope.module)
    if home is None or isinstance(home[1], ast.Call):
        yield (ANY,)
        return
    yield from _texts(home[1], Scope(home[0], (), scope.depth), inside=False)


def _table(node: ast.expr, scope: Scope) -> Iterator[Text]:
    """Give the texts of a table of the module that is looked up by a key."""
    home = home_of(node.id, scope.module) if isinstance(node, ast.Name) else None
    if home is None or not isinstance(home[1], ast.Dict):
        yield (ANY,)
        return
    for value in home[1].values:
        yield from _texts(value, Scope(home[0], (), scope.depth), inside=False)


def _called(node: ast.Call, scope: Scope, *, inside: bool) -> Iterator[Text]:
    target = node.func
    if isinstance(target, ast.Attribute) and target.attr == "get" and isinstance(target.value, ast.Name):
        yield from _table(target.value, scope)
        for one in node.args[1:]:
            yield from _texts(one, scope, inside=inside)
        return
    if not inside and isinstance(target, ast.Name):
        module = imported(scope.module).get(target.id, scope.module)
        body = next(
            (one for one in module.tree.body if isinstance(one, ast.FunctionDef) and one.name == target.id),
            None,
        )
        if body is not None and _returns_text(body):
            for one in ast.walk(body):
                if isinstance(one, ast.Return) and one.value is not None:
                    yield from _texts(one.value, Scope(module, (body,), scope.depth), inside=False)
            return
    yield (ANY,)


def _returns_text(function: ast.FunctionDef) -> bool:
    return function.returns is not None and "str" in ast.unparse(function.returns).split(" | ")


# Texts as templates


def _sentences(text: Text) -> Iterator[str]:
    """Give the sentences of a text, each with its own placeholders."""
    plain = "".join(f"\0{piece}\1" if isinstance(piece, Hole) else piece for piece in text)
    for sentence in SENTENCES.split(plain):
        marks = {"a": itertools.count(), "n": itertools.count()}
        total = sentence.count("\0n\1")
        made = ""
        for piece in _pieces_of_marks(sentence):
            if isinstance(piece, Hole):
                number = next(marks[piece])
                made += (
                    "{n" + (str(number + 1) if total > 1 else "") + "}"
                    if piece == "n"
                    else ("{" + "abcdefgh"[number % 8] + "}")
                )
            else:
                made += piece.replace("{", "{{").replace("}", "}}")
        yield made


def _pieces_of_marks(text: str) -> list[str]:
    found: list[str] = []
    for part in text.split("\0"):
        hole, end, rest = part.partition("\1")
        found += [Hole(hole), rest] if end else [part]
    return [piece for piece in found if piece]


def _pieces(template: str) -> list[str]:
    found: list[str] = []
    for part in template.replace("{{", "\0").replace("}}", "\1").split("{"):
        hole, end, rest = part.partition("}")
        found += [Hole(hole), rest] if end else [part]
    return [
        piece if isinstance(piece, Hole) else piece.replace("\0", "{").replace("\1", "}")
        for piece in found
        if piece
    ]


def _is_prose(part: str, template: str) -> bool:
    """Return whether it takes English to read it: of what was got and is allowed, a phrase, not a name."""
    letters = "".join(piece for piece in _pieces(template) if not isinstance(piece, Hole))
    words = [word for word in letters.replace(",", " ").split() if word.isalpha() and len(word) > 1]
    return bool(words) and (part in ("what", "remedy") or len(words) > 1)


def main(packages: Sequence[str]) -> None:
    """Print what is missing, ready to be translated."""
    seen: set[str] = set()
    for package in packages:
        file = ""
        for one in missing(package):
            if one.template in seen:
                continue
            seen.add(one.template)
            here = one.place.rpartition(":")[0]
            if here != file:
                print(f"\n# {here}")
                file = here
            key = one.template.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
            print(f'"{key}" = ""')
    print(f"# {len(seen)} sentences have no translation", file=sys.stderr)


if __name__ == "__main__":
    main(sys.argv[1:])
