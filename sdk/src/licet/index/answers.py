"""From keys to verdicts: one decision for each distinct case of a batch, the rest array look-ups.

A case is what a decision depends on: terms, state of the work, kind of match, licences held. A batch of a million rows
has few, and each goes through ``decisions.decide`` and ``decisions.for_match`` once. Then, per row (semantics 14, 18):

* All matches count, and the strictest verdict is the row's; only a challenged work is listed without effect
  (semantics 6). A row without matches that count is ``unknown``: ``no-match`` where the picture itself was looked up,
  ``not-examined`` where only its address was.
* Where the verdict is ``license``, each account is paid for its best match among those that are offered (exact before
  near by distance, then the lowest work id): these matches are *payable*. The row is *covered* if the caller holds a
  licence for every one of them.
* The *deciding* match is the strictest of the row's (of the payable ones, for ``license``), as
  ``decisions.strictest`` orders decisions; ties go to the first.

Two cases that terms do not state: a work without terms is ``review``, ``no-terms`` (somebody claims it and has said
nothing: silence is not consent, and not absence either); terms that this version cannot read are ``review``,
``unreadable-terms``. ``min_claim_level`` is a caller's own caution: what a claimant below it would license or allow is
``review``, ``min-claim-level``, unless a licence is held already. It never loosens: a deny of any level counts.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from functools import cmp_to_key
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt

from licet.decisions import (
    CODES,
    EARNING_QUALITY,
    KEY_KINDS,
    MATCH_KINDS,
    NO_MATCH,
    NOT_EXAMINED,
    Decision,
    Request,
    State,
    decide,
    for_match,
    strictest,
)
from licet.decisions.style import with_style
from licet.errors import InputError, MalformedError
from licet.index.keys import UNKNOWN_QUALITY, Keys, Mask
from licet.index.lookup import INSTANCE, NEAR, Index, Matches, MatchMode
from licet.index.records import FLAGS, ID_BYTES
from licet.index.works import Bytes, Numbers, WorkColumns, Works
from licet.terms import intern

Licences = Mapping[bytes, Collection[str]]

_UNKNOWN: Final = CODES["unknown"]
_LICENSE: Final = CODES["license"]
_REVIEW: Final = CODES["review"]
MALFORMED: Final = "malformed"
CHALLENGED: Final = 1 << FLAGS.index("challenged")


@dataclass(frozen=True, slots=True)
class Answers:
    """One verdict a row, and what it rests on.

    Per row: ``verdict`` u1 (index into ``decisions.VERDICTS``), ``reason`` (index into ``reasons``), ``deciding``
    (index into ``matches``, −1 without), ``examined``, ``covered`` (``license``, and held for all that is payable).
    Per match: ``decision`` (index into ``decisions``), ``counts`` (False for challenged works), ``payable``;
    ``works`` are the states of the matched works, in step with ``matches``.
    """

    verdict: Bytes
    reason: npt.NDArray[np.int32]
    deciding: Numbers
    examined: Mask
    covered: Mask
    reasons: tuple[str, ...]
    matches: Matches
    decision: npt.NDArray[np.int32]
    counts: Mask
    payable: Mask
    works: WorkColumns
    decisions: tuple[Decision, ...]

    def __len__(self) -> int:
        return len(self.verdict)


def answer(
    index: Index,
    keys: Keys,
    request: Request,
    *,
    match: MatchMode = "near",
    min_claim_level: int = 0,
    licences: Licences | None = None,
    style: Collection[bytes] = (),
    matches: Matches | None = None,
) -> Answers:
    """Return the verdict of every row of ``keys`` for ``request``, as ``index`` has it.

    ``licences`` are the ids of the licences that the caller holds for this request, by work (16 bytes). ``style`` are
    the accounts (16 bytes) of whom the use is asked together with their style (semantics 15). ``matches`` are those
    that a look-up of these keys found in this index before. Raises what `Index.lookup` raises.
    """
    matches = index.lookup(keys, match) if matches is None else matches
    works = index.works.take(matches.work)
    decision, decisions = _decided(index.works, keys, matches, works, request, min_claim_level, licences or {}, style)
    examined = keys.examined(near=match == "near" and index.near)
    reasons = tuple(dict.fromkeys((NO_MATCH.reason, NOT_EXAMINED.reason, *(each.reason for each in decisions))))
    verdict = np.full(keys.n, _UNKNOWN, np.uint8)
    reason = np.where(examined, 0, 1).astype(np.int32)
    deciding = np.full(keys.n, -1, np.int64)
    covered = np.zeros(keys.n, np.bool_)
    payable = np.zeros(len(matches), np.bool_)
    counts = works.flags & CHALLENGED == 0
    place = np.flatnonzero(counts)
    if len(place):
        row, own = matches.row[place], decision[place]
        code = np.array([each.code for each in decisions], np.uint8)[own]
        start = np.flatnonzero(np.append(True, row[1:] != row[:-1]))
        rows = row[start]
        verdict[rows] = np.maximum.reduceat(code, start)
        offered = (code == _LICENSE) & (verdict[row] == _LICENSE)
        paid = _best(row, works.account[place], offered)
        payable[place] = paid
        strongest = (code == verdict[row]) & (paid | ~offered)
        rank = np.where(strongest, _ranks(decisions)[own], len(decisions))
        # The least (rank, place) of each row at once.
        least = np.minimum.reduceat(rank * len(place) + np.arange(len(place)), start) % len(place)
        deciding[rows] = place[least]
        named = {text: number for number, text in enumerate(reasons)}
        reason[rows] = np.array([named[each.reason] for each in decisions], np.int32)[own[least]]
        held = np.array([each.licence is not None for each in decisions])[own]
        covered[rows] = (verdict[rows] == _LICENSE) & ~np.logical_or.reduceat(paid & ~held, start)
    return Answers(
        verdict, reason, deciding, examined, covered, reasons, matches, decision, counts, payable, works, decisions
    )


def malformed(found: Answers, rows: Collection[int]) -> Answers:
    """Return ``found`` where these rows say something of themselves that is none: ``review``, unless they are denied.

    No match decides such a row; those that its other keys found stay listed.
    """
    places = np.array(sorted(rows), np.int64)
    places = places[found.verdict[places] < _REVIEW]
    verdict, reason, deciding = found.verdict.copy(), found.reason.copy(), found.deciding.copy()
    verdict[places], reason[places], deciding[places] = _REVIEW, len(found.reasons), -1
    covered = found.covered.copy()
    covered[places] = False
    return replace(
        found, verdict=verdict, reason=reason, deciding=deciding, covered=covered, reasons=(*found.reasons, MALFORMED)
    )


def _decided(
    table: Works,
    keys: Keys,
    matches: Matches,
    works: WorkColumns,
    request: Request,
    min_claim_level: int,
    licences: Licences,
    style: Collection[bytes],
) -> tuple[npt.NDArray[np.int32], tuple[Decision, ...]]:
    """Return, for each match, the place of its decision among the distinct ones, and those."""
    held, sets = _held(works.work, licences)
    rough = roughly(keys, matches)
    styled = _owned_by(works.account, style)
    packed = packed_cases(works.terms, works.level, works.flags, matches, rough, styled)
    kinds, kind_of = np.unique(packed, return_inverse=True)
    cases, case_of = np.unique(kind_of * len(sets) + held, return_inverse=True)
    seen: dict[bytes, int] = {}
    distinct: list[Decision] = []
    place = np.empty(len(cases), np.int32)
    for at, case in enumerate(cases.tolist()):
        number, licence = divmod(case, len(sets))
        decision = decide_case(table, int(kinds[number]), sets[licence], request, min_claim_level)
        place[at] = seen.setdefault(msgspec.json.encode(decision, order="sorted"), len(distinct))
        if len(seen) > len(distinct):
            distinct.append(decision)
    return place[case_of], tuple(distinct)


def roughly(keys: Keys, matches: Matches) -> Mask:
    """Return which matches rest on too little to earn, or to permit: a PDQ of unknown quality, a short code."""
    unknown = (matches.kind == NEAR) & (keys.quality[matches.row] == UNKNOWN_QUALITY)
    return np.asarray(unknown | (matches.key == INSTANCE) & keys.instance_short[matches.row])


def packed_cases(
    terms: Numbers, level: Bytes, flags: npt.NDArray[np.uint16], matches: Matches, rough: Mask, styled: Mask
) -> Numbers:
    """Return all that a decision depends on but licences as one number, which `decide_case` takes apart."""
    packed = terms + 1
    small = ((level, 3), (flags, 16), (matches.kind, 2), (matches.key, 4), (rough, 1), (styled, 1))
    for part, width in small:
        packed = packed << width | part
    return packed


def decide_case(
    table: Works, packed: int, licences: frozenset[str], request: Request, min_claim_level: int
) -> Decision:
    packed, styled = packed >> 1, bool(packed & 1)
    rough, key, kind = packed & 1, packed >> 1 & 15, packed >> 5 & 3
    flags = {name: bool(packed >> 7 + bit & 1) for bit, name in enumerate(FLAGS)}
    level, terms = packed >> 23 & 7, (packed >> 26) - 1
    fingerprint_only, signed = flags.pop("fingerprint_only"), flags.pop("signed")
    decision = for_match(
        _stated(table, terms, State(level=level, licences=licences, **flags), request, styled),
        kind=MATCH_KINDS[kind],
        key=KEY_KINDS[key],
        fingerprint_only=fingerprint_only,
        signed=signed,
        quality=EARNING_QUALITY if kind == NEAR and not rough else None,
        short=bool(rough) and key == INSTANCE,
    )
    if level < min_claim_level and decision.code <= _LICENSE and decision.licence is None:
        return Decision("review", "min-claim-level", decision.atom)
    return decision


def _stated(table: Works, terms: int, state: State, request: Request, styled: bool) -> Decision:
    if terms < 0:
        return Decision("deny", "withdrawn") if state.withdrawn else Decision("review", "no-terms")
    encoded = table.encoded_terms(terms)
    try:
        known = intern(encoded)
    except MalformedError:
        return Decision("review", "unreadable-terms")
    decision = decide(known, state, request)
    return with_style(decision, known, state, request) if styled else decision


def _owned_by(account: Bytes, accounts: Collection[bytes]) -> Mask:
    if not accounts:
        return np.zeros(len(account), np.bool_)
    wanted = np.frombuffer(b"".join(accounts), "V16")
    return np.isin(np.ascontiguousarray(account).view("V16").reshape(-1), wanted)


def _held(works: Bytes, licences: Licences) -> tuple[Numbers, list[frozenset[str]]]:
    """Return, for each work, which of the distinct sets of licences is held for it, and those; the first is empty."""
    if any(len(work) != ID_BYTES or not isinstance(work, bytes) for work in itertools.islice(licences, 1)):
        raise InputError.field("licences", f"licence ids by work id of {ID_BYTES} bytes", next(iter(licences)))
    sets: dict[frozenset[str], int] = {frozenset(): 0}
    held = np.zeros(len(works), np.int64)
    if licences:
        for place, work in enumerate(works.view("V16").reshape(-1).tolist()):
            held[place] = sets.setdefault(frozenset(licences.get(work, ())), len(sets))
    return held, list(sets)


def _best(row: Numbers, account: Bytes, offered: Mask) -> Mask:
    """Return the first offered match of each account in each row."""
    place = np.flatnonzero(offered)
    accounts, number = np.unique(np.ascontiguousarray(account[place]).view("V16").reshape(-1), return_inverse=True)
    _, first = np.unique(row[place] * max(len(accounts), 1) + number.reshape(-1), return_index=True)
    best = np.zeros(len(row), np.bool_)
    best[place[first]] = True
    return best


def _ranks(decisions: tuple[Decision, ...]) -> Numbers:
    """Return how strict each decision is among these: 0 for the strictest."""

    def compare(a: int, b: int) -> int:
        return -1 if strictest((decisions[a], decisions[b])) is decisions[a] else 1

    ranks = np.empty(len(decisions), np.int64)
    ranks[sorted(range(len(decisions)), key=cmp_to_key(compare))] = np.arange(len(decisions))
    return ranks
