"""Decisions as they are told: a verdict and a reason a row, and every match that counted.

They are written as the JSON of ``licet.wire.licensing.Answers`` without making its thousands of objects: what many rows
or matches share is encoded once, and put together as text.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt

from licet import money
from licet.decisions import KEY_KINDS, MATCH_KINDS, VERDICTS, Decision
from licet.index import Answers
from licet.index.ids import ID_CHARACTERS, id_bytes
from licet.index.records import ID_BYTES
from licet.index.works import Bytes
from licet.wire.licensing import MatchInfo

Numbers = npt.NDArray[np.int64]

_NOBODY: Final = bytes(ID_BYTES)
_A_ROW: Final = 6  # texts
_WORK: Final = b'{"work":"'


def told(found: Answers, kinds: Mapping[bytes, str], consent_version: int, log_size: int) -> bytes:
    """Return the body of the answer; ``kinds`` say how the identifiers of `owners` begin.

    The deciding match comes first, then the others in the order of `licet.index.Matches`.
    """
    place = np.flatnonzero(found.counts)
    row = found.matches.row[place]
    start = np.flatnonzero(np.append(np.ones(min(len(row), 1), np.bool_), row[1:] != row[:-1]))
    end = np.append(start[1:], len(row))
    one = start[end - start == 1]
    match = np.full(len(found), -1, np.int64)  # of a row that has no other
    match[row[one]] = one
    case = found.verdict.astype(np.int64) * len(found.reasons) + found.reason
    begun = [_begin(verdict, reason) for verdict in VERDICTS for reason in found.reasons]
    parts = _matches(found, place, kinds)
    # Six texts a row, put where they belong a column at a time: the rows are not gone through one by one.
    texts = [b""] * (_A_ROW * len(found))
    bare, single = _texts([each + b"]}" for each in begun]), _texts([each + _WORK for each in begun])
    texts[::_A_ROW] = np.where(match < 0, bare[case], single[case]).tolist()
    for column, part in enumerate(parts, 1):
        texts[column::_A_ROW] = _texts([*part, b""])[match].tolist()
    texts[_A_ROW - 1 :: _A_ROW] = _texts([b"]},", b","])[(match < 0).astype(np.int64)].tolist()
    several = end - start > 1
    for first, last in zip(start[several].tolist(), end[several].tolist(), strict=True):
        each = int(row[first])
        # A row that is malformed is decided by none of them.
        deciding = first if found.deciding[each] < 0 else int(np.searchsorted(place, found.deciding[each]))
        ordered = (deciding, *range(first, deciding), *range(deciding + 1, last))
        listed = b",".join([b"".join([_WORK, *(part[at] for part in parts)]) for at in ordered])
        texts[_A_ROW * each] = begun[int(case[each])] + listed + b"]}"
    if texts:
        texts[-1] = texts[-1][:-1]
    return b"".join([b'{"results":[', *texts, b'],"consent_version":%d,"log_size":%d}' % (consent_version, log_size)])


def owners(found: Answers) -> set[bytes]:
    """Return the accounts (16 bytes) of the matched works."""
    return set(_ids(found.works.account))


def _begin(verdict: str, reason: str) -> bytes:
    return b'{"verdict":"%b","reason":%b,"matches":[' % (verdict.encode(), msgspec.json.encode(reason))


def _matches(found: Answers, place: Numbers, kinds: Mapping[bytes, str]) -> tuple[list[bytes], ...]:
    """Return the texts of the matches at ``place`` in four parts: work, account, statement, and all the rest."""
    works, matches = found.works, found.matches
    # What is beside the ids as one number: as many texts are encoded as there are different ones.
    packed = found.decision[place].astype(np.int64)
    for column, width in ((matches.kind, 2), (matches.key, 4), (matches.distance, 16), (works.level, 3)):
        packed = packed << width | column[place]
    numbers = packed.tolist()
    ends = {number: _end(found.decisions, number) for number in set(numbers)}
    accounts, statements = _ids(works.account[place]), _ids(works.statement[place])
    owner = {
        account: b'","account":"%b%b","statement":' % (kinds.get(account, "art").encode(), text[3:])
        for account, text in _named("art", accounts).items()
    }
    word = {each: b'"%b"' % text for each, text in _named("stm", statements).items()} | {_NOBODY: b"null"}
    return (
        _id_texts("wrk", works.work[place]),
        list(map(owner.__getitem__, accounts)),
        list(map(word.__getitem__, statements)),
        list(map(ends.__getitem__, numbers)),
    )


def _end(decisions: tuple[Decision, ...], packed: int) -> bytes:
    """Return what follows the ids in the text of a match."""
    decision = decisions[packed >> 25]
    price = decision.price
    info = MatchInfo(
        work="",
        account="",
        statement=None,
        kind=MATCH_KINDS[packed >> 23 & 3],
        key=KEY_KINDS[packed >> 19 & 15],
        distance=packed >> 3 & 0xFFFF,
        verdict=decision.verdict,
        reason=decision.reason,
        claim_level=packed & 7,
        price=None if price is None or price.currency is None else money.to_decimal(price.micro),
        currency=None if price is None else price.currency,
        price_model=None if price is None else price.model,
    )
    return msgspec.json.encode(info).removeprefix(_WORK + b'","account":"","statement":null')


def _named(kind: str, ids: list[bytes]) -> dict[bytes, bytes]:
    """Return the text of each of these ids."""
    distinct = list(dict.fromkeys(ids))
    table = np.frombuffer(b"".join(distinct), np.uint8).reshape(-1, ID_BYTES)
    return dict(zip(distinct, _id_texts(kind, table), strict=True))


def _id_texts(kind: str, ids: Bytes) -> list[bytes]:
    whole: list[bytes] = id_bytes(kind, ids).view(f"S{ID_CHARACTERS}").reshape(-1).tolist()
    return whole


def _ids(ids: Bytes) -> list[bytes]:
    """Return n × 16 bytes as n texts of bytes."""
    whole: list[bytes] = np.ascontiguousarray(ids).view(f"V{ID_BYTES}").reshape(-1).tolist()
    return whole


def _texts(texts: list[bytes]) -> npt.NDArray[np.object_]:
    return np.array(texts, np.object_)
