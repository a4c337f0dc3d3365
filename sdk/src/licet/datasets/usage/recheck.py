"""An earlier result against a newer snapshot: which kept rows must go, from what is stored about them alone.

A row that was kept must go if it would not be kept now. Rows under a licence that is held stay, whatever the terms say
since (semantics 23); where the licence has ended they go. Matches that were found then count on, so that a row is not
lost sight of because a copy is only nearly found again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from licet import times
from licet.client import Client
from licet.datasets.examining.basis import Basis, open_basis
from licet.datasets.examining.deciding import Question, Standing, decide_rows
from licet.datasets.frames import notebook
from licet.datasets.licensing.held import HeldLicence, LicenceStore, licences_for
from licet.datasets.licensing.revoked import bring_up_to_date
from licet.datasets.results.decisions_file import DecisionsFile
from licet.datasets.results.rows import decision_columns
from licet.datasets.results.stored import kept_rows, stored_evidence, stored_matches
from licet.datasets.usage.bookmark import EVERY, Bookmark, Progress
from licet.datasets.usage.findings import Finding, Findings
from licet.datasets.usage.spool import Spool
from licet.errors import InterruptedJobError
from licet.index.lookup import Index, Matches, united
from licet.index.parts import with_parts, without_parts

Advance = Callable[[int], None]
_SHOWN: Final = ("part", "row", "path", "url", "key")


class Due(msgspec.Struct, frozen=True):
    """A duty of whoever holds a revoked licence: what is due, and when."""

    duty: str
    effect: str
    due_at: str


class EndedLicence(msgspec.Struct, frozen=True):
    """A licence under which rows were kept and which covers them no longer, and why."""

    licence: str
    reason: str
    valid_until: str | None
    rows: int
    duties: list[Due] = []


class Rechecked(msgspec.Struct, frozen=True, kw_only=True):
    """What a re-check came to. ``models`` were trained on the dataset, as far as this home reported their runs."""

    dataset: str
    rows: int
    kept: int
    drop: Findings
    new_matches: Findings
    ended_licences: list[EndedLicence]
    models: list[dict[str, Any]]
    snapshot: str
    log_size: int
    checked_at: str
    notes: list[str]

    def __repr__(self) -> str:
        fresh = f", {len(self.new_matches):,} with new matches" if self.new_matches else ""
        rows = f"{len(self.drop):,} of {self.kept:,} kept rows must go{fresh}"
        return f"<Rechecked: {rows}; {self.dataset} at {self.checked_at}>"

    def _repr_html_(self) -> str:
        rows = [
            (row.path or row.url or row.key or f"{row.part} {row.row}", row.verdict, row.reason, row.work)
            for row in self.drop
        ]
        caption = f"{len(self.drop):,} of {self.kept:,} kept rows must go"
        trained = [f"trained on it: {each['model']}@{each['version']}, run {each['run']}" for each in self.models]
        shown = notebook.table(caption, ("row", "verdict", "reason", "work"), rows)
        return shown + notebook.lines(*trained, *self.notes, f"checked {self.checked_at}")


def recheck(
    client: Client, given: str | Path, *, offline: bool = False, advance: Advance = lambda _: None
) -> Rechecked:
    """Return what of an earlier result must go under the newest snapshot; ``given`` is its decisions, manifest or data.

    Reads no pictures. ``advance`` is told of rows, of `steps` in all. Stopped, the same call goes on near where it was,
    while the newest snapshot is the same. Raises ``InputError`` where there is no earlier result, ``VerificationError``
    if the decisions are not those that the manifest beside them was signed over, ``ServiceError`` without a network
    unless ``offline``, ``ExpiredError`` for a snapshot past its time, ``InterruptedJobError`` when stopped.
    """
    file = DecisionsFile.find(Path(given).expanduser())
    notes = []
    try:
        with Bookmark.of(client.home.folder, file) as mark:
            if file.manifest is None:
                notes.append("there is no manifest beside the decisions: nobody vouches for them")
            elif file.about.rows == "all" and mark is not None and mark.verified:
                advance(file.rows)
            elif file.about.rows == "all":
                file.verify(advance)
                if mark is not None:
                    mark.keep_verified()
            if not offline:
                bring_up_to_date(client)
            found = recheck_file(client, file, open_basis(client), notes, advance, mark)
            if mark is not None:
                mark.discard()
            return found
    except KeyboardInterrupt:
        raise InterruptedJobError("interrupted; the same command goes on") from None


def steps(given: str | Path) -> int:
    """Return how many rows `recheck` tells of: each is verified, where a manifest vouches for it, and decided."""
    file = DecisionsFile.find(Path(given).expanduser())
    return file.rows * (2 if file.manifest is not None and file.about.rows == "all" else 1)


def recheck_file(
    client: Client,
    file: DecisionsFile,
    basis: Basis,
    notes: list[str] | None = None,
    advance: Advance = lambda _: None,
    mark: Bookmark | None = None,
) -> Rechecked:
    """Return what of ``file`` must go under ``basis``; ``mark`` keeps how far it came, and says where it was."""
    now = times.to_text(times.now())
    asked = file.question
    request = msgspec.structs.replace(asked.request, at=now)
    match = asked.match if basis.index.near else "exact"
    question = Question(request, match, asked.min_claim_level, asked.unknown)
    account = client.profile.account
    store = None if account is None else LicenceStore(client.home.licences(account.account))
    held = [] if store is None else store.all()
    name = (
        ""
        if mark is None
        else mark.question(basis.digest, match, [*sorted(licence.id for licence in held), *_duties(held)])
    )
    before = None if mark is None else mark.progress(name)
    if before is not None:
        now = before[0].now
        question = replace(question, request=msgspec.structs.replace(request, at=now))
    checking = _Checking(basis.index, question, held, now, before)
    kept, done = None if before is None else before[0], 0
    for batch, samples in file.samples():
        if done >= checking.rows:
            checking.add(batch, samples)
        done += len(batch)
        advance(len(batch))
        # What a batch came to half-way is never kept, so that no row is there twice.
        if mark is not None and checking.rows - (kept.rows if kept else 0) >= EVERY:
            kept = checking.keep(mark, name, kept)
    told = list(notes or [])
    if basis.without_near and asked.tiers == "near":
        told.append(basis.without_near)
    if asked.match == "derivative":
        told.append("new derivatives were not looked for: features of pictures are not kept; filtering again asks anew")
    models: list[dict[str, Any]] = []
    if checking.drop:
        with Spool(client.home.spool) as spool:
            models = spool.runs_of(file.about.dataset)
    return Rechecked(
        dataset=file.about.dataset,
        rows=file.rows,
        kept=checking.kept,
        drop=checking.drop,
        new_matches=checking.new,
        ended_licences=checking.ended(),
        models=models,
        snapshot=basis.digest,
        log_size=basis.manifest.log_size,
        checked_at=now,
        notes=told,
    )


class _Checking:
    """Takes the batches of an earlier result and gathers what is found."""

    def __init__(
        self,
        index: Index,
        question: Question,
        held: list[HeldLicence],
        now: str,
        before: tuple[Progress, Findings, Findings] | None = None,
    ) -> None:
        done, self.drop, self.new = before or (None, Findings(), Findings())
        self.rows = done.rows if done else 0
        self.kept = done.kept if done else 0
        self._index = index
        self._question = question
        self._held = {licence.id: licence for licence in held}
        self._standing = Standing(licences_for(held, question.request))
        self._now = now
        self._ended: dict[str, int] = dict(done.ended) if done else {}

    def keep(self, mark: Bookmark, question: str, before: Progress | None) -> Progress:
        """Keep how far this has come, and return it."""
        pieces = (before.pieces if before else 0) + 1
        done = Progress(question, self._now, self.rows, self.kept, self._ended, pieces, len(self.drop), len(self.new))
        mark.keep(done, self.drop, self.new, before)
        return done

    def add(self, batch: pa.RecordBatch, samples: npt.NDArray[np.int32] | None) -> None:
        """Decide the rows of ``batch`` that were kept once more; those of one sample go together."""
        kept = kept_rows(batch, self._question)
        rows = len(batch)
        batch = batch.filter(pa.array(kept))
        if len(batch):
            self._decide(batch, None if samples is None else samples[kept])
        self.kept += len(batch)
        self.rows += rows

    def _decide(self, batch: pa.RecordBatch, samples: npt.NDArray[np.int32] | None) -> None:
        evidence = replace(stored_evidence(batch), sample=samples)
        known = stored_matches(batch, self._index)
        found = self._index.lookup(evidence.keys(), self._question.tiers)
        plain, parts = without_parts(known)
        matches, _ = with_parts(
            self._index, united(self._index, plain, found), parts.row, self._index.works.ids(parts.work), parts.distance
        )
        verdicts = decide_rows(self._index, evidence, self._question, self._standing, matches)
        gone = np.flatnonzero(~verdicts.kept)
        fresh = _rows_with_new(matches, known, len(self._index.works))
        if not len(gone) and not len(fresh):
            return
        columns = decision_columns(self._index, evidence, self._question, verdicts)
        for rows, into in ((gone, self.drop), (fresh, self.new)):
            before = batch.take(pa.array(rows)).select([*_SHOWN, "verdict", "reason", "licence"]).to_pylist()
            after = {name: column.take(pa.array(rows)).to_pylist() for name, column in columns.items()}
            into.extend(
                self._finding(each, {name: after[name][at] for name in after}) for at, each in enumerate(before)
            )
        for licence in batch.take(pa.array(gone))["licence"].to_pylist():
            if licence is not None and self._why_ended(licence) is not None:
                self._ended[licence] = self._ended.get(licence, 0) + 1

    def ended(self) -> list[EndedLicence]:
        """Return the licences that cover rows no longer."""
        found = []
        for licence, rows in sorted(self._ended.items()):
            held = self._held.get(licence)
            until = held.payload.valid_until if held else None
            over = {each.duty: each for each in held.over(self._now).values()} if held else {}
            due = [Due(each.duty, each.effect, each.over_at) for _, each in sorted(over.items())]
            found.append(EndedLicence(licence, self._why_ended(licence) or "", until, rows, due))
        return found

    def _finding(self, before: dict[str, Any], after: dict[str, Any]) -> Finding:
        licence, reason = before["licence"], after["reason"]
        if licence is not None and after["licence"] is None:
            reason = self._why_ended(licence) or reason
        return Finding(
            **{name: before[name] for name in _SHOWN},
            verdict=after["verdict"],
            reason=reason,
            **{name: after[name] for name in ("work", "statement")},
            licence=licence,
            **{name: after[name] for name in ("match", "distance")},
            was=f"{before['verdict']}, {before['reason']}",
        )

    def _why_ended(self, licence: str) -> str | None:
        held = self._held.get(licence)
        if held is None:
            return "licence-not-here"
        until = held.payload.valid_until
        if until is not None and until <= self._now:
            return "licence-ended"
        return "licence-revoked" if held.over(self._now) else None


def _duties(held: list[HeldLicence]) -> list[str]:
    return sorted({each.duty for licence in held for each in licence.revoked.values()})


def _rows_with_new(matches: Matches, known: Matches, works: int) -> npt.NDArray[np.int64]:
    """Return the rows with a match that was not known before."""
    now, before = (each.row * works + each.work for each in (matches, known))
    return np.unique(matches.row[~np.isin(now, before)])
