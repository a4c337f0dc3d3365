"""Opened rows decided again, against the very snapshot that the manifest names: which hold, and which do not.

A row *fails* where it was recorded looser than it is decided, or other than it is decided without a reason that a row
alone cannot show. It is *open* where what would decide it is not here: a licence that nobody shows, the near tier.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final, Literal

import msgspec
import pyarrow as pa

from licet.datasets.examining.basis import Basis
from licet.datasets.examining.deciding import BEFORE, Question, Standing, decide_rows
from licet.datasets.examining.signalled import PREFIX
from licet.datasets.forms.parts import PROBLEMS
from licet.datasets.licensing.held import HeldLicence, licences_for
from licet.datasets.results.rows import decision_columns, plain
from licet.datasets.results.stored import stored_evidence, stored_matches
from licet.datasets.usage.opened import Opened
from licet.decisions import CODES, Request
from licet.errors import InputError, MalformedError
from licet.index.lookup import united
from licet.index.parts import with_parts, without_parts
from licet.signals.combining import PUBLISHER_ALLOWS
from licet.statements.covering import covers
from licet.statements.kinds import DatasetManifest

ELSEWHERE: Final = frozenset({*filter(None, PROBLEMS), "sample", "style", "derivative", PUBLISHER_ALLOWS})
"""Reasons to keep a row out that follow from its picture, from other rows or from the service, not from the row."""
_BEFORE: Final = (PREFIX, BEFORE)  # what others say; what the stage before decided
_COMPARED: Final = ("verdict", "reason", "work", "statement", "licence")

State = Literal["holds", "fails", "open"]


class Redecided(msgspec.Struct, frozen=True):
    """One opened row. ``recorded`` and ``decided`` are verdict and reason; ``why`` says what does not hold, or what is
    missing."""

    index: int
    part: str
    row: int
    path: str | None
    url: str | None
    state: State
    recorded: str
    decided: str
    why: str | None
    work: str | None
    licence: str | None


def question_of(payload: DatasetManifest) -> Question:
    """Return what ``payload`` says was asked, as of the moment of the decision; raises ``MalformedError``."""
    try:
        request = Request.from_json(payload.use)
    except InputError as error:
        raise MalformedError(f"manifest: {error.message}") from None
    dated = request if request.at else msgspec.structs.replace(request, at=payload.decided_at)
    return Question(dated, payload.match, payload.min_claim_level, payload.unknown_policy)


def redecide(
    opened: Opened, payload: DatasetManifest, basis: Basis, licences: Mapping[str, HeldLicence]
) -> list[Redecided]:
    """Return every row of ``opened`` as it is decided now, by index; raises ``MalformedError`` for unreadable ones.

    ``licences`` are those that are shown; of them only those that the manifest names count.
    """
    question = question_of(payload)
    batch = opened.batch()
    held = [licence for each, licence in licences.items() if each in payload.licences]
    standing = Standing(licences_for(held, question.request))
    evidence = stored_evidence(batch)
    known, parts = without_parts(stored_matches(batch, basis.index))
    found = united(basis.index, known, basis.index.lookup(evidence.keys(), question.tiers))
    matches, _ = with_parts(basis.index, found, parts.row, basis.index.works.ids(parts.work), parts.distance)
    verdicts = decide_rows(basis.index, evidence, question, standing, matches)
    columns = decision_columns(basis.index, evidence, question, verdicts)
    decided = pa.RecordBatch.from_arrays([plain(columns[name]) for name in _COMPARED], names=list(_COMPARED))
    blind = question.tiers == "near" and not basis.index.near
    judge = _Judge(question, licences, blind)
    return [
        judge.row(each.index, recorded, now)
        for each, recorded, now in zip(opened.rows, batch.to_pylist(), decided.to_pylist(), strict=True)
    ]


class _Judge:
    def __init__(self, question: Question, licences: Mapping[str, HeldLicence], blind: bool) -> None:
        self._question, self._licences, self._blind = question, licences, blind

    def row(self, index: int, recorded: dict[str, Any], decided: dict[str, Any]) -> Redecided:
        state, why = self._judged(recorded, decided)
        return Redecided(
            index=index,
            **{name: recorded[name] for name in ("part", "row", "path", "url")},
            state=state,
            recorded=f"{recorded['verdict']}, {recorded['reason']}",
            decided=f"{decided['verdict']}, {decided['reason']}",
            why=why,
            **{name: recorded[name] for name in ("work", "licence")},
        )

    def _judged(self, recorded: dict[str, Any], decided: dict[str, Any]) -> tuple[State, str | None]:
        if recorded["verdict"] not in CODES:
            return "fails", "no verdict that there is"
        if recorded["licence"] is not None:
            without = self._licence(recorded)
            if without is not None:
                return without
        was, now = CODES[recorded["verdict"]], CODES[decided["verdict"]]
        if was < now:
            return "fails", "recorded looser than it is decided"
        if self._blind and recorded["pdq"] is not None and not _same(recorded, decided, ("verdict", "reason", "work")):
            return "open", "near copies cannot be looked for: the near tier of the snapshot is not here"
        if was == now:
            if self._kept(recorded) or decided["verdict"] != "license":
                told = ("reason", "work", "statement")
                if not _elsewhere(recorded["reason"]) and not _same(recorded, decided, told):
                    return "fails", "recorded with another reason, work or statement than it is decided"
            return "holds", None
        if _elsewhere(recorded["reason"]):
            return "holds", "kept out for a reason that this row alone does not show"
        return "fails", "recorded stricter than it is decided, without a reason for it"

    def _licence(self, recorded: dict[str, Any]) -> tuple[State, str] | None:
        """Return what is wrong with the licence that the row was kept under, None if it covers it."""
        licence = self._licences.get(recorded["licence"])
        if licence is None:
            return "open", f"{recorded['licence']} is not shown: --evidence names a bundle that has it"
        if not covers(licence.payload, self._question.request):
            return "fails", f"{licence.id} does not cover this request"
        if recorded["work"] not in licence.lines:
            return "fails", f"{licence.id} does not cover this work"
        return None

    def _kept(self, recorded: dict[str, Any]) -> bool:
        return recorded["licence"] is not None


def _elsewhere(reason: str) -> bool:
    return reason in ELSEWHERE or reason.startswith(_BEFORE)


def _same(recorded: dict[str, Any], decided: dict[str, Any], names: Collection[str]) -> bool:
    return all(recorded[name] == decided[name] for name in names)
