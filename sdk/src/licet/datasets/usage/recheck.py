"""An earlier result against a newer snapshot: which kept rows must go, from what is stored about them alone.

A row that was kept must go if it would not be kept now. Rows under a licence that is held stay, whatever the terms say
since (semantics 23); where the licence has ended they go. Matches that were found then count on, so that a row is not
lost sight of because a copy is only nearly found again.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import msgspec
import pyarrow as pa

from licet import times
from licet.client import Client
from licet.datasets.examining.basis import Basis, open_basis
from licet.datasets.examining.deciding import Question
from licet.datasets.frames import notebook
from licet.datasets.licensing.held import HeldLicence, LicenceStore
from licet.datasets.licensing.revoked import bring_up_to_date
from licet.datasets.results.decisions_file import DecisionsFile, Span
from licet.datasets.results.stored import bound_rows
from licet.datasets.usage.bookmark import Bookmark
from licet.datasets.usage.findings import Findings
from licet.datasets.usage.rechecking import Asked, Done, Rechecking, Worker, check_span, read_stream
from licet.datasets.usage.spool import Spool
from licet.datasets.workers.crew import each_taken
from licet.datasets.workers.processes import Processes, workers_for
from licet.decisions.roots import RootBuilder
from licet.errors import InterruptedJobError, MalformedError, VerificationError
from licet.index.lookup import Index

Advance = Callable[[int], None]
#: Rows of a piece, at most: what is lost of a re-check that is stopped, for each process.
EVERY: Final = 1 << 20
_LEAST: Final = 1 << 17
_EACH: Final = 8  # pieces for each process, so that none is idle for long
_LOADED: Final = (Worker.__module__, "licet.index.pairing")  # what every process needs


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
    client: Client,
    given: str | Path,
    *,
    offline: bool = False,
    advance: Advance = lambda _: None,
    workers: int | None = None,
) -> Rechecked:
    """Return what of an earlier result must go under the newest snapshot; ``given`` is its decisions, manifest or data.

    Reads no pictures. ``advance`` is told of rows, of `steps` in all. ``workers`` processes do it (None: by the number
    of rows); what is found is the same. Stopped, the same call goes on near where it was, while the newest snapshot is
    the same. Raises ``InputError`` where there is no earlier result, ``VerificationError`` if the decisions are not
    those that the manifest beside them was signed over, ``ServiceError`` without a network unless ``offline``,
    ``ExpiredError`` for a snapshot past its time, ``InterruptedJobError`` when stopped.
    """
    file = DecisionsFile.find(Path(given).expanduser())
    notes = []
    if file.manifest is None:
        notes.append("there is no manifest beside the decisions: nobody vouches for them")
    workers = workers_for(file.rows, workers)
    verify = file.manifest is not None and file.about.rows == "all"
    if verify:
        file.vouched()
    try:
        with Bookmark.of(client.home.folder, file) as mark:
            if not offline:
                bring_up_to_date(client)
            basis = open_basis(client)
            found = recheck_file(client, file, basis, notes, advance, mark, verify=verify, workers=workers)
            if mark is not None:
                mark.discard()
            return found
    except KeyboardInterrupt:
        raise InterruptedJobError("interrupted; the same command goes on") from None


def steps(given: str | Path) -> int:
    """Return how many rows `recheck` tells of."""
    return DecisionsFile.find(Path(given).expanduser()).rows


def recheck_file(
    client: Client,
    file: DecisionsFile,
    basis: Basis,
    notes: list[str] | None = None,
    advance: Advance = lambda _: None,
    mark: Bookmark | None = None,
    *,
    verify: bool = False,
    workers: int | None = None,
) -> Rechecked:
    """Return what of ``file`` must go under ``basis``; ``mark`` keeps what was done, and says what was.

    With ``verify`` the rows are held to the manifest beside them as they are read.
    """
    now = times.to_text(times.now())
    was = file.question
    match = was.match if basis.index.near else "exact"
    account = client.profile.account
    held = [] if account is None else LicenceStore(client.home.licences(account.account)).all()
    if mark is not None:
        now = mark.began([basis.digest, match, *sorted(licence.id for licence in held), *_duties(held)], now)
    request = msgspec.structs.replace(was.request, at=now)
    asked = Asked(Question(request, match, was.min_claim_level, was.unknown), held, verify)
    count = workers_for(file.rows, workers)
    spans = file.spans(max(_LEAST, min(EVERY, file.rows // (_EACH * count))))
    gathering = _Gathering(file, basis.index, asked)
    try:
        for done in _in_order(spans, _doing(client, file, basis, asked, count, advance), mark, advance):
            gathering.add(done)
        gathering.finish()
    except VerificationError:
        if mark is not None:  # whatever was read wrongly is to be read anew
            mark.discard()
        raise
    told = list(notes or [])
    if basis.without_near and was.tiers == "near":
        told.append(basis.without_near)
    if was.match == "derivative":
        told.append("new derivatives were not looked for: features of pictures are not kept; filtering again asks anew")
    models: list[dict[str, Any]] = []
    if gathering.found.drop:
        with Spool(client.home.spool) as spool:
            models = spool.runs_of(file.about.dataset)
    return Rechecked(
        dataset=file.about.dataset,
        rows=file.rows,
        kept=gathering.found.kept,
        drop=gathering.found.drop,
        new_matches=gathering.found.new,
        ended_licences=_ended(gathering.found, held, now),
        models=models,
        snapshot=basis.digest,
        log_size=basis.manifest.log_size,
        checked_at=now,
        notes=told,
    )


def _doing(
    client: Client, file: DecisionsFile, basis: Basis, asked: Asked, workers: int, advance: Advance
) -> Callable[[list[Span]], Generator[Done]]:
    """Return what does pieces, in any order, here or by so many processes."""

    def here(spans: list[Span]) -> Generator[Done]:
        for span in spans:
            yield check_span(file, basis.index, asked, span, advance)

    def elsewhere(spans: list[Span]) -> Generator[Done]:
        pin = client.snapshot.pin_of(basis.published, near=basis.index.near, at=asked.now)
        with Processes(workers, _LOADED, loops=True) as crew:
            for done in each_taken(crew, Worker(pin, file, asked), spans):
                advance(done.span.rows)
                yield done

    return elsewhere if workers > 1 else here


def _in_order(
    spans: list[Span], doing: Callable[[list[Span]], Generator[Done]], mark: Bookmark | None, advance: Advance
) -> Iterator[Done]:
    """Yield what each of ``spans`` came to, in their order, those that were done before too."""
    kept = set() if mark is None else {span for span in spans if mark.piece(span) is not None}
    waiting: dict[Span, Done] = {}
    with closing(doing([span for span in spans if span not in kept])) as coming:
        for span in spans:
            if mark is not None and span in kept and (before := mark.piece(span)) is not None:
                advance(span.rows)
                yield before
                continue
            while span not in waiting:
                done = next(coming)
                waiting[done.span] = done
                if mark is not None and len(spans) > 1:
                    mark.keep(done)
            yield waiting.pop(span)


class _Gathering:
    """Puts pieces together, in their order: what they found, the rows between them, and the root over all."""

    def __init__(self, file: DecisionsFile, index: Index, asked: Asked) -> None:
        self.found: Final = Rechecking(index, asked)
        self._file, self._verify = file, asked.verify
        self._root: Final = RootBuilder()
        self._between: pa.RecordBatch | None = None  # of one key, or of some: at the ends of pieces

    def add(self, done: Done) -> None:
        """Take the next piece."""
        if done.root is not None:
            self._root.append(done.root)
        if done.head is not None:
            self._hold(read_stream(done.head))
        if done.tail is not None or not self._file.about.bound:
            self._decide_between()
        self.found.take(done)
        if done.tail is not None:
            self._hold(read_stream(done.tail))

    def finish(self) -> None:
        """Decide what is left; raises ``VerificationError`` for other rows than were signed."""
        self._decide_between()
        if self._verify:
            self._file.hold_to(self._file.vouched(), self._root)

    def _hold(self, rows: pa.RecordBatch) -> None:
        self._between = rows if self._between is None else pa.concat_batches([self._between, rows])
        self._file.refuse_many(self._between)

    def _decide_between(self) -> None:
        if self._between is not None:
            rows, self._between = self._between, None
            try:
                self.found.add(rows, bound_rows(rows))
            except MalformedError as error:
                raise MalformedError(f"{self._file.path}: {error.message}") from None


def _ended(found: Rechecking, held: list[HeldLicence], now: str) -> list[EndedLicence]:
    """Return the licences that cover rows no longer."""
    known = {licence.id: licence for licence in held}
    ended = []
    for licence, rows in sorted(found.ended.items()):
        own = known.get(licence)
        until = own.payload.valid_until if own else None
        over = {each.duty: each for each in own.over(now).values()} if own else {}
        due = [Due(each.duty, each.effect, each.over_at) for _, each in sorted(over.items())]
        ended.append(EndedLicence(licence, found.why_ended(licence) or "", until, rows, due))
    return ended


def _duties(held: list[HeldLicence]) -> list[str]:
    return sorted({each.duty for licence in held for each in licence.revoked.values()})
