"""Signals about millions of addresses: what a site says is read once, and a row is a few comparisons.

It comes to the same mask as the readers and :func:`licet.signals.combining.combined_mask` do, which a test holds: what
differs is only that no signals are made. Whoever wants to know why asks the readers about that one address.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache, reduce
from operator import or_
from typing import Final, NamedTuple

from licet.signals.combining import combined_mask
from licet.signals.crawlers import AI_CRAWLERS
from licet.signals.dialects import TDMREP
from licet.signals.readers.ai_txt import damage, groups_of
from licet.signals.readers.headers import MAX_LINES, NAMES, read_headers
from licet.signals.readers.robots_txt import file_signals
from licet.signals.readers.tdmrep import of_rule, parse_tdmrep
from licet.signals.robots import Group, Line, Robots, matches, parse_robots
from licet.signals.strictness import Uses, mask
from licet.signals.types import Signal
from licet.signals.usages import content_signal, content_usage
from licet.terms.atoms import TRAINING

MAX_HEADER_SETS: Final = 65_536  # that are remembered
_BLANK: Final = "http://site.invalid"

Headers = Iterable[tuple[str, str]]
Lines = Callable[[str], list[Line]]


class _Split(NamedTuple):
    """Masks apart: of TDMRep that can be read, which a nearer one replaces, and of everything else."""

    rest: int
    reserved: int
    states: bool  # whether a reservation was stated at all


_NOTHING: Final = _Split(0, 0, False)


class _Shut(NamedTuple):
    """What being shut out by one group's rules denies. A path that begins with none of ``begins`` and has none of
    ``pieces`` in it is matched by no Disallow of them."""

    group: Group
    begins: tuple[str, ...]
    pieces: tuple[str, ...]
    denied: int


class Site:
    """What one origin says in its files, ready for many addresses of it. ``None`` is for a file that is not there."""

    __slots__ = ("_ai_txt", "_constant", "_preferences", "_reserved", "_shut")

    def __init__(self, robots: bytes | None = None, tdmrep: bytes | None = None, ai_txt: bytes | None = None) -> None:
        parsed = parse_robots(robots or b"")
        self._constant = combined_mask(tuple(file_signals(parsed, _BLANK)))
        self._shut: list[_Shut] = []
        #: Lines of usage that are for some paths, with the mask of each.
        self._preferences: list[tuple[Lines, dict[Line, int]]] = []
        for group, denied in _groups(parsed):
            self._add(_shut(group, denied))
            for lines, choose, read in (
                (group.usages, group.usages_for, content_usage),
                (group.signals, group.signals_for, content_signal),
            ):
                masks = {line: combined_mask(tuple(read([line.value], "robots.txt", ""))) for line in lines}
                if any(line.path for line in lines):
                    self._preferences.append((choose, masks))
                else:
                    self._constant |= reduce(or_, masks.values(), 0)
        spawning = parse_robots(ai_txt or b"")
        self._constant |= combined_mask(tuple(damage(spawning)))
        for group in groups_of(spawning):
            self._add(_shut(group, mask("deny", TRAINING)))
        self._reserved: list[tuple[str, _Split]] = []
        if tdmrep is not None:
            site = parse_tdmrep(tdmrep)
            self._constant |= combined_mask(site.damaged)
            self._reserved = [(pattern, _apart(of_rule(rule, place, _BLANK))) for pattern, rule, place in site.rules]

    def rest(self, path: str) -> int:
        """Return the mask of what the site's files say of an address with this path, TDMRep's apart."""
        found = self._constant
        for group, begins, pieces, denied in self._shut:
            if path.startswith(begins) or (pieces and any(piece in path for piece in pieces)):
                rule = group.rule_for(path)
                if rule is not None and not rule.allow:
                    found |= denied
        for choose, masks in self._preferences:
            for line in choose(path):
                found |= masks[line]
        return found

    def tdmrep(self, path: str) -> _Split:
        """Return what the site's ``tdmrep.json`` says of an address with this path."""
        for pattern, said in self._reserved:
            if matches(pattern, path):
                return said
        return _NOTHING

    def _add(self, shut: _Shut | int) -> None:
        if isinstance(shut, int):
            self._constant |= shut
        else:
            self._shut.append(shut)


def mask_of(site: Site, path: str, headers: Headers, *, picture: bool = True) -> int:
    """Return the mask of all that ``site`` says of ``path`` and the headers that its answer came with.

    ``path`` is that of a canonical address, with its query.
    """
    spoken = [each for each in headers if each[0].lower() in NAMES]
    own = header_mask(tuple(spoken), picture) if spoken else _NOTHING
    filed = site.tdmrep(path)
    return site.rest(path) | own.rest | filed.rest | (own if own.states else filed).reserved


@lru_cache(maxsize=MAX_HEADER_SETS)
def header_mask(headers: tuple[tuple[str, str], ...], picture: bool) -> _Split:
    """Return what headers say, of those names alone that say anything; most answers of a site have the same."""
    return _apart(read_headers(headers[: MAX_LINES + 1], _BLANK, picture=picture))


def _apart(signals: Iterable[Signal]) -> _Split:
    rest = reserved = 0
    states = False
    for each in signals:
        if each.standard == TDMREP.name and not each.unreadable:
            reserved |= each.mask
            states = True
        else:
            rest |= each.mask
    return _Split(rest, reserved, states)


def _groups(robots: Robots) -> Iterator[tuple[Group, int]]:
    """Yield each group that speaks to everybody or to a crawler of AI, with what its shutting out denies."""
    named = robots.agents.keys() & AI_CRAWLERS.keys()
    yield robots.outside, 0
    if robots.everybody is not None:
        others: Uses = frozenset().union(*(uses for agent, uses in AI_CRAWLERS.items() if agent not in named))
        yield robots.everybody, mask("deny", others)
    for agent in named:
        yield robots.agents[agent], mask("deny", AI_CRAWLERS[agent])


def _shut(group: Group, denied: int) -> _Shut | int:
    """Return what a group's rules deny of some addresses; the mask alone where it is the same for all of them."""
    shutting = {rule.pattern for rule in group.rules if not rule.allow and rule.pattern}
    if not denied or not shutting:
        return 0
    if any(each in ("/", "*", "/*") for each in shutting) and not any(rule.allow for rule in group.rules):
        return denied
    literal = tuple(each.removesuffix("$") for each in shutting if "*" not in each)
    pieces = {max(each.removesuffix("$").split("*"), key=len) for each in shutting if "*" in each}
    return _Shut(group, literal, tuple(pieces), denied)
