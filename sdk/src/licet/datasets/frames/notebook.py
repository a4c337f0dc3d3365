"""Results as a notebook shows them: one small table, everything in it escaped, no script, no colour of its own.

Without colours it is readable on a light page and on a dark one. Each result says the same as text (``repr``).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import Any, Final

ROWS: Final = 20
_LONGEST: Final = 200
_CELL: Final = 'style="text-align:left;padding:1px 12px 1px 0"'


def table(caption: str, headings: Sequence[str], rows: Iterable[Sequence[Any]], more: int = 0) -> str:
    """Return an HTML table of the first `ROWS` of ``rows``, and how many there are beside; ``more`` are not given."""
    listed = list(rows)
    head = "".join(f"<th {_CELL}>{text(name)}</th>" for name in headings)
    body = "".join(f"<tr>{''.join(f'<td {_CELL}>{text(cell)}</td>' for cell in row)}</tr>" for row in listed[:ROWS])
    rest = more + max(len(listed) - ROWS, 0)
    last = f"<tr><td {_CELL} colspan={len(headings)}>… {rest:,} more</td></tr>" if rest else ""
    top = f"<thead><tr>{head}</tr></thead>" if any(headings) else ""
    style = 'style="text-align:left;font-weight:bold"'
    return f"<table><caption {style}>{text(caption)}</caption>{top}<tbody>{body}{last}</tbody></table>"


def lines(*sentences: str) -> str:
    """Return sentences below a table."""
    return "".join(f"<div>{text(sentence)}</div>" for sentence in sentences if sentence)


def text(value: Any) -> str:
    """Return ``value`` as HTML text: markup and control characters are shown, never obeyed."""
    shown = "" if value is None else str(value)
    if len(shown) > _LONGEST:
        shown = shown[: _LONGEST - 1] + "…"
    return escape("".join(each if each.isprintable() else "\ufffd" for each in shown))
