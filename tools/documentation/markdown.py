"""Markdown from values: tables, and text that must not read as markup."""

from __future__ import annotations

from collections.abc import Sequence


def table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    """Return a table; cells are Markdown, a line each."""
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines) + "\n"


def plain(text: str) -> str:
    """Return one line of ``text`` that Markdown shows as it is; what stands in backquotes stays code."""
    parts = " ".join(text.split()).replace("``", "`").split("`")
    for place in range(0, len(parts), 2):
        parts[place] = "".join("\\" + each if each in "\\*_<>[]{}#$" else each for each in parts[place])
    return "`".join(parts)
