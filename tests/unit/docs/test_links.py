"""Pages point to what exists: files, headings, and commands of the command line."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import click
import pytest
import typer

from onward.cli.app import app
from onward.training.plan import TrainingPlan

ROOT = Path(__file__).parents[3]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
# what is written as code: a block of commands, or `onward ...` in a sentence
BLOCK = re.compile(r"^(?:\$ )?onward +(.*)$", re.MULTILINE)
INLINE = re.compile(r"`onward +([^`]+)`")
FENCE = re.compile(r"```.*?```", re.DOTALL)


def names_of(pages: list[Path]) -> list[str]:
    return [str(page.relative_to(ROOT)) for page in pages]


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, made the way the hosts of repositories make them."""
    heads = re.findall(r"^#+ +(.*)$", FENCE.sub("", page.read_text(encoding="utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


def broken_links(page: Path) -> list[str]:
    text = re.sub(r"`[^`\n]*`", "", FENCE.sub("", page.read_text(encoding="utf-8")))
    broken = []
    for link in LINK.findall(text):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)
    return broken


def unknown_commands(text: str) -> list[str]:
    """Return what is written as a call of ``onward`` and names no verb of it."""
    return [
        call
        for call in (*BLOCK.findall(text), *INLINE.findall(FENCE.sub("", text)))
        if not _names_a_verb(call.split())
    ]


def _names_a_verb(words: list[str]) -> bool:
    command: click.Command = typer.main.get_command(app)
    while words and (children := getattr(command, "commands", None)) is not None:
        word, *words = words
        if word.startswith(("-", "[", ".")):  # an option of the program, or a placeholder
            return True
        if not set(word.split("|")) <= set(children):  # a page may write list|show
            return False
        command = children[word.split("|")[0]]
    return True


def test_the_pages_are_found() -> None:
    assert {"README.md", "README.ja.md", "docs/README.md", "docs/quickstart.md"} <= set(names_of(PAGES))


@pytest.mark.parametrize("page", PAGES, ids=names_of(PAGES))
def test_every_relative_link_resolves(page: Path) -> None:
    assert broken_links(page) == []


@pytest.mark.parametrize("page", PAGES, ids=names_of(PAGES))
def test_every_command_named_exists(page: Path) -> None:
    assert unknown_commands(page.read_text(encoding="utf-8")) == []


def test_a_page_that_points_nowhere_is_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# One Head\n[a](gone.md) [b](#one-head) [c](#two) [d](https://x.y) `[e](f.md)`\n")
    assert broken_links(page) == ["gone.md", "#two"]
    text = "```console\n$ onward data improt x\n$ onward data import x\n```\n`onward nope` `onward --help`\n"
    assert unknown_commands(text) == ["data improt x", "nope"]


def test_every_page_is_in_the_index() -> None:
    index = (ROOT / "docs" / "README.md").read_text(encoding="utf-8")
    listed = {link.partition("#")[0] for link in LINK.findall(index)}
    pages = [p.relative_to(ROOT / "docs") for p in PAGES if p.is_relative_to(ROOT / "docs")]
    wanted = {str(p) for p in pages if p.parts[0] not in ("decisions", "README.md")}
    assert wanted - listed == set()


def test_the_plan_of_the_quickstart_is_a_plan() -> None:
    page = (ROOT / "docs" / "quickstart.md").read_text(encoding="utf-8")
    (text,) = re.findall(r"```toml\n(.*?)```", page, flags=re.DOTALL)
    plan = TrainingPlan(**tomllib.loads(text))
    assert plan.data.series == ("funding", "fear_greed")
    assert plan.validation.method == "walk_forward"
