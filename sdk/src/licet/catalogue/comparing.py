"""What the web says about an artist's works, against what she signed: where it is looser, or says nothing at all.

A site that shows a picture speaks about it to every crawler that never heard of her terms. What it permits and she does
not is worth a letter, and so is silence, which most crawlers take for a yes. A host that was not reached said nothing,
neither yes nor no, and is told as that. Every use that differs is told with who says so, and hosts are listed worst
first.
"""

from __future__ import annotations

import asyncio
import csv
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple
from urllib.parse import urlsplit

import msgspec

from licet.counted import many
from licet.errors import InputError
from licet.fingerprints.urls import canonical_url
from licet.signals.cache import Cache
from licet.signals.combining import PUBLISHER_ALLOWS, UseVerdict
from licet.signals.gathering import Gathered, gather_each
from licet.signals.types import shortened
from licet.terms import Terms

MAX_PLACES: Final = 10_000
MAX_FILE: Final = 32 << 20  # bytes of a list of addresses
#: How what is said stands to what was signed, worst first.
Kind = Literal["looser", "silent", "unread", "unreached", "stricter"]
KINDS: Final[tuple[Kind, ...]] = ("looser", "silent", "unread", "unreached", "stricter")
_RANKS: Final = {"allow": 0, "license": 1, "deny": 2}


class Place(NamedTuple):
    """An address at which a work lies, as somebody says."""

    work: str
    url: str


class Difference(msgspec.Struct, frozen=True):
    """What is said of some uses at ``url`` and was signed otherwise; ``by`` names the signal, None for silence.

    ``uses`` have what was signed of each. Where ``kind`` is unreached, ``problem`` says what was asked for and why no
    answer came; nothing is said then.
    """

    work: str
    url: str
    host: str
    kind: Kind
    said: str  # allow, license, deny, review, nothing
    uses: dict[str, str]
    by: str | None
    problem: str | None = None


class Compared(msgspec.Struct, frozen=True):
    """``places`` were looked at, and ``differences`` found, worst first; ``same`` places say what was signed."""

    places: int
    same: int
    differences: tuple[Difference, ...]

    def document(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        found: dict[str, Any] = msgspec.to_builtins(self)
        return found

    def lines(self) -> Iterator[str]:
        """Yield it in words, by host."""
        yield f"{many(self.places, 'address', 'addresses')} looked at; {self.same:,} said what you signed."
        for kind, words in _WORDS.items():
            found = [each for each in self.differences if each.kind == kind]
            if not found:
                continue
            yield ""
            yield words
            for host in dict.fromkeys(each.host for each in found):
                yield f"  {host}"
                for each in found:
                    if each.host == host and each.problem is not None:
                        yield f"    {each.url} ({each.problem})  {each.work}"
                    elif each.host == host:
                        uses = "; ".join(f"{said} {', '.join(_with(each.uses, said))}" for said in _signed(each.uses))
                        by = f" ({each.by})" if each.by else ""
                        yield f"    {each.url} says {each.said}{by}, you signed: {uses}  {each.work}"


_WORDS: Final[Mapping[Kind, str]] = {
    "looser": "Looser than you signed. Ask the site to take it down or to say what you say (`licet terms export`):",
    "silent": "Nothing is said where you refuse or ask for a licence; most crawlers take that for a yes:",
    "unread": "What is there cannot be read:",
    "unreached": "Not reached, so nobody knows what is said there:",
    "stricter": "Stricter than you signed; whoever would take your licence is turned away:",
}


def compare(
    places: Sequence[Place],
    terms: Mapping[str, Terms],
    cache: Cache,
    *,
    loopback: bool = False,
    advance: Callable[[int], None] = lambda _: None,
) -> Compared:
    """Return how what is said at ``places`` differs from the ``terms`` of their works; fetches what ``cache`` lacks.

    Stopped half way it goes on from the cache. ``loopback`` is for tests. Raises ``InputError`` for what is no address.
    """
    if len(places) > MAX_PLACES:
        raise InputError.field("addresses", f"at most {MAX_PLACES:,}", len(places))
    urls = list(dict.fromkeys(each.url for each in places))
    gathered = asyncio.run(gather_each(urls, cache, loopback=loopback, advance=advance))
    heard = dict(zip(urls, gathered, strict=True))
    found = [(place, tuple(_differences(place, heard[place.url], terms[place.work]))) for place in places]
    ordered = sorted(
        (each for _, several in found for each in several),
        key=lambda each: (KINDS.index(each.kind), each.host, each.url),
    )
    return Compared(len(found), sum(not several for _, several in found), tuple(ordered))


def listed(path: Path, works: Sequence[str]) -> list[Place]:
    """Return the places that a file lists: an address a line, and its work behind a comma where there are several.

    Raises ``InputError`` that names the line.
    """
    try:
        if path.stat().st_size > MAX_FILE:
            raise InputError.field(str(path), f"a list of at most {MAX_FILE:,} bytes", path.stat().st_size)
        rows = list(csv.reader(path.read_text("utf-8-sig").splitlines()))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path}: expected a list of addresses in UTF-8, got {error}") from None
    found = []
    for number, row in enumerate(rows, 1):
        cells = [cell.strip() for cell in row if cell.strip()]
        if not cells or cells[0].startswith("#") or (number == 1 and cells[0].lower() == "url"):
            continue
        work = cells[1] if len(cells) > 1 else works[0] if len(works) == 1 else None
        if work is None or work not in works or len(cells) > 2:
            expected = "an address, and one of the works that are compared behind a comma"
            raise InputError.field(f"{path}, line {number}", expected, ",".join(row))
        try:
            canonical_url(cells[0])
        except InputError as error:
            raise InputError(f"{path}, line {number}: {error.message}") from None
        found.append(Place(work, cells[0]))
    return found


def write_csv(path: Path, differences: Iterable[Difference]) -> None:
    """``path`` is a new table of ``differences``; raises ``InputError`` where something lies there."""
    try:
        with path.open("x", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["kind", "host", "url", "work", "said", "uses", "signed", "by", "problem"])
            for each in differences:
                signed = " ".join(f"{use}={said}" for use, said in each.uses.items())
                row = (each.kind, each.host, each.url, each.work, each.said, " ".join(each.uses), signed, each.by or "")
                writer.writerow([_inert(cell) for cell in (*row, each.problem or "")])
    except OSError as error:
        raise InputError(f"{path}: expected a new file, got {error.strerror or error}") from None


def _differences(place: Place, heard: Gathered, terms: Terms) -> Iterator[Difference]:
    groups: dict[tuple[Kind, str, str | None, str | None], dict[str, str]] = {}
    for each in heard.combined.uses:
        signed, said = terms.rules[each.use].permission, _said(each)
        kind, problem = _kind(signed, said), _problem(each, heard)
        if problem is not None:
            groups.setdefault(("unreached", "nothing", None, problem), {})[each.use] = signed
        elif kind is not None:
            groups.setdefault((kind, said, _by(each, heard), None), {})[each.use] = signed
    host = urlsplit(heard.url).hostname or ""
    for (kind, said, by, problem), uses in groups.items():
        yield Difference(place.work, place.url, host, kind, said, uses, by, problem)


def _kind(signed: str, said: str) -> Kind | None:
    if said == "review":
        return "unread"
    if said == "nothing":
        return None if signed == "allow" else "silent"
    if _RANKS[said] == _RANKS[signed]:
        return None
    return "looser" if _RANKS[said] < _RANKS[signed] else "stricter"


def _said(verdict: UseVerdict) -> str:
    if verdict.verdict == "unknown":
        return "allow" if verdict.reason == PUBLISHER_ALLOWS else "nothing"
    return verdict.verdict


def _by(verdict: UseVerdict, heard: Gathered) -> str | None:
    if verdict.signal is None:
        return None
    signal = heard.combined.signals[verdict.signal]
    return f"{signal.standard} in {signal.carrier}"


def _problem(verdict: UseVerdict, heard: Gathered) -> str | None:
    """Return why no answer came, where that is all that ``verdict`` rests on; an answer that fails is one."""
    if verdict.signal is None or verdict.reason != "unreachable":
        return None
    place = heard.combined.signals[verdict.signal].place
    for each in heard.seen:
        if each.problem is not None and shortened(each.url) == place:
            return each.problem if each.url in each.problem else f"{each.url}: {each.problem}"
    return None


def _signed(uses: Mapping[str, str]) -> list[str]:
    return list(dict.fromkeys(uses.values()))


def _with(uses: Mapping[str, str], said: str) -> list[str]:
    return [use for use, each in uses.items() if each == said]


def _inert(cell: str) -> str:
    """Return ``cell`` such that no spreadsheet takes it for a formula."""
    return f"'{cell}" if cell.startswith(("=", "+", "-", "@", "\t", "\r")) else cell
