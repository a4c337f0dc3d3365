"""What a workflow of GitHub reads: annotations on stdout, and a summary in the file that it names."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final, Literal

ANNOTATIONS: Final = 50  # beyond them GitHub shows none, and nobody reads them
ROWS: Final = 200  # of a summary, which may have a megabyte
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f\u2028\u2029]")
_MARKDOWN: Final = re.compile(r"([\\`*_{}\[\]<>()#+!|~&@-])")


def annotation(level: Literal["error", "warning", "notice"], text: str, *, file: str | None = None) -> str:
    """Return one workflow command; whatever is in ``text`` and ``file`` stays data.

    Commands end at a line break and their properties at a comma or colon, so these are written as ``%0A`` and so on.
    A source that begins with ``::`` cannot begin a command of its own: it never stands at the start of a line.
    """
    place = f" file={_data(file).replace(':', '%3A').replace(',', '%2C')}" if file else ""
    return f"::{level}{place}::{_data(text)}"


def listed(found: Iterable[str], total: int) -> Iterator[str]:
    """Yield the first `ANNOTATIONS` of ``found``, and that there are more."""
    for number, line in enumerate(found):
        if number == ANNOTATIONS:
            yield annotation("warning", f"{total - ANNOTATIONS} more are in the summary and in the output file")
            return
        yield line


def summarise(lines: Iterable[str]) -> None:
    """Append ``lines`` (Markdown) to the step's summary, where there is one."""
    place = os.environ.get("GITHUB_STEP_SUMMARY")
    if place:
        with Path(place).open("a", encoding="utf-8", errors="replace") as file:
            file.writelines(f"{line}\n" for line in lines)


def cell(text: str | None) -> str:
    """Return ``text`` as it stands in a cell of a Markdown table: no markup, no markup of HTML, one line."""
    return _MARKDOWN.sub(r"\\\1", _CONTROL.sub("\ufffd", text or ""))


def _data(text: str) -> str:
    plain = text.encode("utf-8", "replace").decode()
    return plain.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
