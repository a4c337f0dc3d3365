"""Reading what others say about the uses of rows: in their files, in headers that are columns, and at their addresses.

What is in a row or its file needs nobody. Addresses are asked as `licet signals` asks them, politely and from a cache;
where nobody is to be asked, the cache alone answers. What is there and cannot be read keeps its row out.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa

from licet.datasets.examining.signalled import (
    FROM_FILE,
    FROM_HEADERS,
    FROM_SITE,
    MISSED,
    NOTHING_SAID,
    Signalled,
    line_of,
)
from licet.errors import InputError, LicetError
from licet.fingerprints.urls import canonical_url
from licet.signals import Signal, combine
from licet.signals.dialects import ROBOTS_META, XMP
from licet.signals.files import read_file
from licet.signals.gathering import Depth, Gathered
from licet.signals.needed import ensure_readers
from licet.signals.readers.headers import read_headers
from licet.signals.sidecars import read_beside
from licet.signals.visiting import Visitor

MAX_HEADERS: Final = 1 << 20  # characters of a row's headers
Signals = tuple[Signal, ...]


class SignalReader:
    """Reads for one job. Threads may share `of_file`; ``visitor`` is asked about addresses, if there is one."""

    def __init__(self, visitor: Visitor | None) -> None:
        """Raises ``InputError`` without ``licet[signals]``."""
        ensure_readers()
        self._visitor: Final = visitor

    def of_file(self, data: bytes, place: Path | None = None) -> Signals:
        """Return what a file says of itself, and what lies beside it at ``place``, if it lies on this machine.

        A reader that fails has not read it, and says so.
        """
        try:
            return read_file(data) if place is None else (*read_file(data), *read_beside(data, place))
        except LicetError:  # no reader can be started, or somebody ended it
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, what stands in the file is not known
            return (XMP.unreadable("xmp", "file", type(error).__name__),)

    def of_rows(
        self, rows: pa.RecordBatch, files: Mapping[int, Signals], advance: Callable[[int], None] = lambda _: None
    ) -> Signalled:
        """Return what is said about ``rows``; ``files`` has what was read of those with a file.

        ``advance`` is told of rows as their addresses are asked about, of each once.
        """
        n, now = len(rows), int(time.time())
        sources = np.zeros(n, np.uint8)
        at = np.zeros(n, np.int64)
        said: list[list[Signal]] = [[] for _ in range(n)]
        for place, found in files.items():
            said[place] += found
            sources[place] |= FROM_FILE
            at[place] = now
        urls = _texts(rows, "url")
        for place, text in enumerate(_texts(rows, "headers")):
            found_there = None if text is None else headers_said(text, urls[place] or "", picture=place in files)
            if found_there is not None:  # else nobody saw the answer, and the address is asked
                said[place] += found_there
                sources[place] |= FROM_HEADERS
                at[place] = now
        for place, gathered in self._gathered(urls, files, sources, advance):
            said[place] += gathered.combined.signals
            if gathered.seen:
                sources[place] |= FROM_SITE
                seen = min(int(datetime.fromisoformat(each.at).timestamp()) for each in gathered.seen)
                at[place] = min(seen, int(at[place])) if at[place] else seen
            if gathered.missed:
                sources[place] |= MISSED
        lines = [
            None if not source else line_of(combine(each)) if each else NOTHING_SAID
            for source, each in zip((sources & ~np.uint8(MISSED)).tolist(), said, strict=True)
        ]
        return Signalled(pa.array(lines, pa.string()), at, sources)

    def _gathered(
        self,
        urls: Sequence[str | None],
        files: Mapping[int, Signals],
        sources: np.ndarray[tuple[int], np.dtype[np.uint8]],
        advance: Callable[[int], None],
    ) -> Sequence[tuple[int, Gathered]]:
        """Return what was gathered of each row with an address that is one."""
        places: dict[str, list[int]] = {}
        for place, url in enumerate(urls):
            if url and _is_address(url):
                places.setdefault(url, []).append(place)
        if self._visitor is None:
            for rows in places.values():
                sources[rows] |= MISSED
            return ()
        depths: dict[str, Depth] = {
            url: "site" if all(sources[place] & FROM_HEADERS for place in rows) else "headers"
            for url, rows in places.items()
        }
        found = self._visitor.gather(depths, lambda url: advance(len(places[url])))
        return [(place, found[url]) for url, rows in places.items() for place in rows]


def headers_said(text: str, url: str, *, picture: bool) -> Signals | None:
    """Return what the headers that a row states say: JSON of names and values, or lines as they were sent.

    Text that is neither is for somebody to look at. None where no header is in it: blank text, ``{}``, a status line.
    """
    if len(text) > MAX_HEADERS:
        return (ROBOTS_META.unreadable("header", "headers", f"{len(text):,} characters", "too-long"),)
    lines = _of_json(text) if text.lstrip()[:1] in ("{", "[") else _of_lines(text)
    if lines is None:
        return (ROBOTS_META.unreadable("header", "headers", text),)
    if not lines:
        return None
    kind = next((value.lower() for name, value in lines if name.strip().lower() == "content-type"), "")
    return read_headers(lines, url, picture=picture or kind.startswith("image/") or not kind)


def _of_json(text: str) -> list[tuple[str, str]] | None:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    pairs = list(value.items()) if isinstance(value, dict) else value
    found: list[tuple[str, str]] = []
    for pair in pairs:
        if not isinstance(pair, (list, tuple)) or len(pair) != 2 or not isinstance(pair[0], str):
            return None
        values = pair[1] if isinstance(pair[1], list) else [pair[1]]
        for each in values:
            if not isinstance(each, (str, int, float)) and each is not None:
                return None
            if each is not None and pair[0].strip():  # null: no such header came
                found.append((pair[0], str(each)))
    return found


def _of_lines(text: str) -> list[tuple[str, str]] | None:
    found: list[tuple[str, str]] = []
    for number, line in enumerate(text.replace("\r\n", "\n").split("\n")):
        name, colon, value = line.partition(":")
        if not line.strip() or (number == 0 and line.startswith("HTTP/")):
            continue
        if line[0] in " \t" and found:  # a line that goes on
            found[-1] = (found[-1][0], f"{found[-1][1]} {line.strip()}")
        elif not colon or not name.strip():
            return None
        else:
            found.append((name.strip(), value.strip()))
    return found


def _is_address(url: str) -> bool:
    if not url.lower().startswith(("http://", "https://")):
        return False
    try:
        canonical_url(url)
    except InputError:
        return False
    return True


def _texts(rows: pa.RecordBatch, name: str) -> list[str | None]:
    found: list[str | None] = rows[name].to_pylist() if name in rows.schema.names else [None] * len(rows)
    return found
