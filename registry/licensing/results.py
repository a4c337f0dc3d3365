"""Decisions as they are told: a verdict and a reason a row, and every match that counted. Columns first, then words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

import numpy as np

from licet import money
from licet.decisions import KEY_KINDS, MATCH_KINDS, VERDICTS, Decision
from licet.index import Answers, work_texts
from licet.index.works import Bytes
from licet.wire.licensing import Answer, MatchInfo

_NOBODY: Final = bytes(16)
_NONE: Final[list[MatchInfo]] = []


def results_of(found: Answers, kinds: Mapping[UUID, str]) -> list[Answer]:
    """Return the answer of every row; ``kinds`` say how the accounts of the matched works begin.

    The deciding match comes first, then the others in the order of `licet.index.Matches`.
    """
    infos = _infos(found, kinds)
    counts, deciding = found.counts.tolist(), found.deciding.tolist()
    starts = np.searchsorted(found.matches.row, np.arange(len(found) + 1)).tolist()
    told = list(zip(found.verdict.tolist(), found.reason.tolist(), strict=True))
    bare = {each: Answer(VERDICTS[each[0]], found.reasons[each[1]], _NONE) for each in set(told)}
    results = []
    for row, (verdict, reason) in enumerate(told):
        start, end = starts[row], starts[row + 1]
        if start == end:
            results.append(bare[verdict, reason])
            continue
        places = [place for place in range(start, end) if counts[place]]
        if len(places) > 1:
            first = deciding[row]
            places.sort(key=lambda place, first=first: place != first)  # type: ignore[misc]  # mypy: default in a lambda
        results.append(Answer(VERDICTS[verdict], found.reasons[reason], [infos[place] for place in places]))
    return results


def _infos(found: Answers, kinds: Mapping[UUID, str]) -> list[MatchInfo]:
    works, matches = found.works, found.matches
    words = [_words(each) for each in found.decisions]
    accounts = _each(works.account, lambda ids: _account_texts(ids, kinds))
    statements = _each(works.statement, _statement_texts)
    rows = zip(
        work_texts(works.work),
        accounts,
        statements,
        [MATCH_KINDS[kind] for kind in matches.kind.tolist()],
        [KEY_KINDS[key] for key in matches.key.tolist()],
        matches.distance.tolist(),
        [words[number] for number in found.decision.tolist()],
        works.level.tolist(),
        strict=True,
    )
    return [
        MatchInfo(work, account, statement, kind, key, distance, verdict, reason, level, price, currency, model)
        for work, account, statement, kind, key, distance, (verdict, reason, price, currency, model), level in rows
    ]


def _words(decision: Decision) -> tuple[str, str, str | None, str | None, str | None]:
    price = decision.price
    amount = None if price is None or price.currency is None else money.to_decimal(price.micro)
    verdict, reason = decision.verdict, decision.reason
    return verdict, reason, amount, None if price is None else price.currency, None if price is None else price.model


def _each(ids: Bytes, texts: Any) -> list[Any]:
    """Return the text of each of n × 16 bytes: many works have one account, and many one statement."""
    distinct, number = np.unique(np.ascontiguousarray(ids).view("V16").reshape(-1), return_inverse=True)
    told = texts(distinct.view(np.uint8).reshape(-1, 16))
    return [told[at] for at in number.reshape(-1).tolist()]


def _account_texts(ids: Bytes, kinds: Mapping[UUID, str]) -> list[str]:
    bodies = work_texts(ids, "art")
    named = [kinds.get(UUID(bytes=each.tobytes()), "art") for each in ids]
    return [kind + body[3:] for kind, body in zip(named, bodies, strict=True)]


def _statement_texts(ids: Bytes) -> list[str | None]:
    texts = work_texts(ids, "stm")
    return [None if each.tobytes() == _NOBODY else text for each, text in zip(ids, texts, strict=True)]
