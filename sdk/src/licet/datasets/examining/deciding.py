"""The verdict of each row of a batch, and whether it is kept: the index's answer, and what the job adds to it.

The job adds four things. A picture that could not be examined is ``review``, unless a match denies it. A work that
was asked for and not granted keeps its row out, with the reason why. What others say about the row may make it
stricter, and never looser. And the policy for ``unknown`` decides what no match decides.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from licet.datasets.examining.asking import Parts
from licet.datasets.examining.evidence import Evidence
from licet.datasets.examining.signalled import PREFIX, Reading, hear
from licet.datasets.forms.parts import PROBLEMS
from licet.decisions import CODES, VERDICTS, Request
from licet.index.answers import Answers, Licences, answer
from licet.index.lookup import Index, Matches, MatchMode
from licet.signals.combining import PUBLISHER_ALLOWS

Mask = npt.NDArray[np.bool_]
UnknownPolicy = Literal["exclude", "keep"]
#: How copies are found; derivatives by the service, beside what is found here.
Matching = MatchMode | Literal["derivative"]

_ALLOW: Final = CODES["allow"]
_UNKNOWN: Final = CODES["unknown"]
_LICENSE: Final = CODES["license"]
_REVIEW: Final = CODES["review"]
#: The claim level from which on a claimant may permit (semantics 5).
_VERIFIED: Final = 2
#: Stands before reasons of the stage before.
BEFORE: Final = "after:"
#: Stands between what others say and what the index says beside, where no licence lifts that: ``review:<reason>``.
BESIDE: Final = "+"
_NOBODY_SAYS: Final = ("no-match", "not-examined")


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of every row of a job, and what the caller does with ``unknown``."""

    request: Request
    match: Matching = "near"
    min_claim_level: int = 0
    unknown: UnknownPolicy = "exclude"
    after: str | None = None  # digest of the manifest of the stage before, if there was one
    signals: Reading | None = None  # what others say: where that is read, if it is

    @property
    def tiers(self) -> MatchMode:
        """What is looked up here, in the snapshot."""
        return "exact" if self.match == "exact" else "near"


@dataclass(frozen=True, slots=True)
class Standing:
    """What the caller holds, and what else bears on a job's verdicts.

    ``licences`` by work (16 bytes); ``style`` the accounts that are concentrated (16 bytes each); ``refused`` why a
    work that was asked for is not licensed, by work.
    """

    licences: Licences
    style: Collection[bytes] = ()
    refused: Mapping[bytes, str] | None = None


NOTHING_HELD: Final = Standing({})


class Floor(NamedTuple):
    """What each row of a batch may not be looser than: ``verdict`` (0 where nothing binds) and why."""

    verdict: npt.NDArray[np.uint8]
    reason: list[str]


@dataclass(frozen=True, slots=True)
class Verdicts:
    """One verdict a row. ``verdict`` u1 (index of ``decisions.VERDICTS``), ``reason`` (index of ``reasons``),
    ``deciding`` (index into ``answers.matches``, −1 without); ``kept`` says which rows stay in the dataset."""

    answers: Answers
    verdict: npt.NDArray[np.uint8]
    reason: npt.NDArray[np.int32]
    reasons: tuple[str, ...]
    deciding: npt.NDArray[np.int64]
    kept: Mask

    def __len__(self) -> int:
        return len(self.verdict)


def decide_rows(
    index: Index,
    evidence: Evidence,
    question: Question,
    standing: Standing = NOTHING_HELD,
    matches: Matches | None = None,
    floor: Floor | None = None,
) -> Verdicts:
    """Return the verdict of every row of ``evidence``; ``matches`` are those that were looked up before, if any.

    No verdict is looser than ``floor`` says, or than what others say about the row, unless a licence that is held
    covers it and comes from a verified claimant: that lifts what others say, now and in the stage before, and nothing
    else that the stage before decided. What others permit changes the reason of ``unknown`` alone. Of works
    that parts of a row's picture are of and that were registered after the snapshot, the service's verdict holds.
    """
    newer: dict[int, int] = {}
    if evidence.parts is not None:
        found = index.lookup(evidence.keys(), question.tiers) if matches is None else matches
        matches, newer = Parts.read(evidence.parts, len(evidence)).joined(index, found)
    answers = answer(
        index,
        evidence.keys(),
        question.request,
        match=question.tiers,
        min_claim_level=question.min_claim_level,
        licences=standing.licences,
        style=standing.style,
        matches=matches,
    )
    verdict, reason, deciding = answers.verdict.copy(), answers.reason.copy(), answers.deciding.copy()
    reasons = list(answers.reasons)
    for problem, name in enumerate(PROBLEMS):
        rows = np.flatnonzero((evidence.problem == problem) & (verdict < _REVIEW)) if name else ()
        if name and len(rows):
            verdict[rows], reason[rows], deciding[rows] = _REVIEW, _named(reasons, name), -1
    if standing.refused:
        for row, why in _refused(answers, standing.refused).items():
            if verdict[row] == _LICENSE:
                reason[row] = _named(reasons, why)
    raised = np.zeros(len(verdict), np.bool_)
    floors = [] if floor is None else [floor]
    if evidence.signals is not None:
        heard = hear(evidence.signals, question.request.uses)
        silent = np.array([each in _NOBODY_SAYS for each in reasons], np.bool_)
        permitted = heard.permits & (verdict == _UNKNOWN) & silent[reason]
        reason[permitted] = _named(reasons, PUBLISHER_ALLOWS)
        floors.append(Floor(heard.verdict, heard.reason))
    granted = _granted(answers, verdict)
    for each in floors:
        stricter = each.verdict > verdict
        for row in np.flatnonzero(stricter).tolist():
            code, why = int(each.verdict[row]), each.reason[row]
            if granted[row]:
                code, why = _unsaid(code, why)
            stricter[row] = code > verdict[row]
            if stricter[row]:
                why = beside(why, int(verdict[row]), reasons[reason[row]])
                verdict[row], reason[row], deciding[row] = code, _named(reasons, why), -1
        raised |= stricter
    for row, code in newer.items():
        if code > verdict[row]:
            verdict[row], reason[row], deciding[row], raised[row] = code, _named(reasons, "derivative"), -1, True
    kept = (verdict == _ALLOW) | ((verdict == _LICENSE) & answers.covered & ~raised)
    if question.unknown == "keep":
        kept |= verdict == _UNKNOWN
    if evidence.sample is not None:
        _hold_together(evidence.sample, verdict, reason, deciding, kept, _named(reasons, "sample"), question)
    return Verdicts(answers, verdict, reason, tuple(reasons), deciding, kept)


def open_offers(answers: Answers) -> Mask:
    """Return, for each match, whether it is payable and not covered by a licence held."""
    held = np.array([each.licence is not None for each in answers.decisions], np.bool_)
    return answers.payable & ~held[answers.decision] if len(answers.matches) else answers.payable


def _hold_together(
    sample: npt.NDArray[np.int32],
    verdict: npt.NDArray[np.uint8],
    reason: npt.NDArray[np.int32],
    deciding: npt.NDArray[np.int64],
    kept: Mask,
    named: int,
    question: Question,
) -> None:
    """Give the other rows of a sample the verdict of the one that keeps the sample out, with ``sample`` as reason.

    One that no licence can bring in comes first: then nothing of the sample is licensed either.
    """
    never = verdict >= _REVIEW
    if question.unknown == "exclude":
        never |= verdict == _UNKNOWN
    for number in np.unique(sample[~kept]).tolist():
        rows = np.flatnonzero(sample == number)
        out = rows[never[rows]]
        others = rows[~never[rows]]
        if not len(out):
            out, others = rows[~kept[rows]], rows[kept[rows]]
        worst = verdict[out].max()
        verdict[others], reason[others], deciding[others], kept[others] = worst, named, -1, False


def _granted(answers: Answers, verdict: npt.NDArray[np.uint8]) -> Mask:
    """Return the rows that a licence held covers, of verified claimants alone: what is said to everybody else does not
    bind whom they licensed."""
    granted: Mask = (verdict == _LICENSE) & answers.covered
    granted[answers.matches.row[answers.counts & (answers.works.level < _VERIFIED)]] = False
    return granted


def beside(why: str, code: int, reason: str) -> str:
    """Return ``why``, with the verdict of ``code`` and its ``reason`` beside it where others say ``why`` and a licence,
    which lifts what they say, does not lift that."""
    alone = why.removeprefix(BEFORE).startswith(PREFIX) and BESIDE not in why
    return f"{why}{BESIDE}{VERDICTS[code]}:{reason}" if alone and code >= _REVIEW else why


def unsaid(code: int, reason: str) -> tuple[int, str]:
    """Return the verdict and reason that are left of a row's without what others say; 0 where nothing is."""
    if not reason.startswith(PREFIX):
        return code, reason
    verdict, _, why = reason.partition(BESIDE)[2].partition(":")
    return (CODES[verdict], why) if verdict in CODES else (0, "")


def _unsaid(code: int, reason: str) -> tuple[int, str]:
    """Return `unsaid` of a floor, which may be one of the stage before."""
    before = BEFORE if reason.startswith(BEFORE) else ""
    left, why = unsaid(code, reason.removeprefix(BEFORE))
    return left, f"{before}{why}"


def _refused(answers: Answers, refused: Mapping[bytes, str]) -> dict[int, str]:
    """Return, for each row with a work that was not granted, why: of several works the first in order."""
    found: dict[int, str] = {}
    for place in np.flatnonzero(open_offers(answers)).tolist():
        why = refused.get(answers.works.work[place].tobytes())
        if why is not None:
            found.setdefault(int(answers.matches.row[place]), why)
    return found


def _named(reasons: list[str], name: str) -> int:
    if name not in reasons:
        reasons.append(name)
    return reasons.index(name)
