"""The filter job: everything examined, decided under one snapshot at one moment, licensed if asked, written whole.

The results appear under their names only when all of them are ready, the manifest last. Until then there is
``OUT.job``, from which the same call goes on (`licet.datasets.filtering.job`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import msgspec

from licet.client import Client
from licet.counted import many
from licet.datasets.examining.asking import Asker, refuse_offline
from licet.datasets.examining.basis import Basis, open_basis, reopen_basis
from licet.datasets.examining.deciding import Matching, Question, Standing, UnknownPolicy
from licet.datasets.filtering import two_stages
from licet.datasets.filtering.crew import can_be_at_once, fresh_out, scan_by, write_at_once
from licet.datasets.filtering.crew import hands as hands_of
from licet.datasets.filtering.first_stage import After
from licet.datasets.filtering.heard import Told, reader_of, reading, told_of
from licet.datasets.filtering.hints import hints
from licet.datasets.filtering.job import Job, JobFile, difference
from licet.datasets.filtering.publishing import Places, dataset_name, manifest_of, publishing
from licet.datasets.filtering.scanning import asked_of, scan
from licet.datasets.filtering.settling import effective_match, held_licences, settle
from licet.datasets.filtering.worker import Duty, Worker
from licet.datasets.filtering.writing import Hands, Results
from licet.datasets.filtering.written import PartWish, Written
from licet.datasets.forms.opening import Input, open_input
from licet.datasets.forms.parts import Part
from licet.datasets.frames import notebook
from licet.datasets.licensing.accepting import Acceptance, Taker
from licet.datasets.licensing.held import HeldLicence, licences_for
from licet.datasets.licensing.revoked import bring_up_to_date
from licet.datasets.licensing.wanted import QuoteSummary, Shopping, estimate
from licet.datasets.results.decisions_file import DecisionsFile
from licet.datasets.results.manifest import Signer, row_secret, signer
from licet.datasets.usage.recheck import recheck_file
from licet.datasets.workers.crew import Crew
from licet.datasets.workers.processes import Processes, workers_for
from licet.decisions import Request
from licet.errors import ExpiredError, InputError, InterruptedJobError, LicetError, MalformedError

Advance = Callable[[int], None]
MATCHES: Final = ("exact", "near", "derivative")
_LOADED: Final = (Worker.__module__, "licet.index.pairing")  # what every worker needs


class Filtered(msgspec.Struct, frozen=True, kw_only=True):
    """What a filter job came to. Paths are those of the files that it wrote; ``hints`` say which option changes what.

    ``quote`` is what licensing the rest would cost, or what was taken; ``licence`` is the licence that this job took
    (the first of ``taken``), ``licences`` all under which rows are kept.
    """

    rows: int
    kept: int
    counts: dict[str, int]
    licence: str | None
    taken: list[str]
    licences: list[str]
    quote: QuoteSummary
    out: str
    manifest: str
    decisions: str
    credits: str | None
    dataset: str
    registered: bool
    snapshot: str
    decided_at: str
    match: str
    notes: list[str]
    hints: list[str]
    recheck: Since | None = None
    after: After | None = None
    signals: Told | None = None

    def __repr__(self) -> str:
        counts = ", ".join(f"{count:,} {verdict}" for verdict, count in self.counts.items() if count)
        return f"<Filtered: kept {self.kept:,} of {self.rows:,} rows ({counts or 'nothing'}); {self.manifest}>"

    def _repr_html_(self) -> str:
        caption = f"kept {self.kept:,} of {self.rows:,} rows"
        counts = notebook.table(caption, ("", ""), [(name, f"{count:,}") for name, count in self.counts.items()])
        return counts + notebook.lines(self.quote.told(), *self.hints, self.manifest)


class Since(msgspec.Struct, frozen=True):
    """What a newer snapshot, published while the job ran, says of the kept rows. Only told: the result stays."""

    snapshot: str
    drop: int


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What a filter job is asked to do beside the request itself."""

    match: Matching | None = None  # None: near where the snapshot has it
    unknown: UnknownPolicy = "exclude"
    min_claim_level: int = 0
    accept: Acceptance | None = None
    name: str | None = None
    offline: bool = False
    overwrite: bool = False
    only_matched: bool = False
    unlisted: bool = False  # held back from the public register until a listed model was trained on it
    columns: dict[str, str] = {}
    after: Path | None = None  # the manifest of the stage before, of addresses
    threads: int | None = None
    workers: int | None = None  # processes of this machine; None: by the size of the input
    signals: bool = False  # read what others say: with ``offline`` in rows and files alone, else on the web too


def filter_dataset(
    client: Client,
    inputs: Sequence[str | Path] | Input,
    out: str | Path,
    request: Request,
    wish: Wish | None = None,
    advance: Advance = lambda _: None,
    crew: Crew | None = None,
) -> Filtered:
    """Return once ``out`` holds what may be kept of ``inputs``, with decisions and a signed manifest beside it.

    ``advance`` is told of rows: each once examined and once written. With a ``crew`` its workers do both; the result is
    the same. Raises ``InputError`` for wrong inputs, a
    complete or foreign ``out``, or an interrupted job that was asked something else; ``BudgetError`` with nothing
    taken; ``ServiceError`` without a network (unless ``offline``); ``InterruptedJobError`` when stopped: the same call
    goes on.
    """
    wish = wish or Wish()
    if wish.accept is not None and wish.offline:
        raise InputError("expected either --accept, which asks the service, or --offline")
    if wish.accept is not None and request.model is None:
        raise InputError.field("model", "ORG/NAME@VERSION, because a licence is for a model", "nothing")
    refuse_offline(wish.match, offline=wish.offline)
    if crew is not None and wish.match == "derivative":
        raise InputError.field("match", "exact or near where many workers do the job, who ask nobody", wish.match)
    if crew is not None and wish.after is not None:
        raise InputError.field(
            "after",
            "none where many workers do the job: only who joined the stages knows which row is which",
            wish.after,
        )
    if crew is not None and wish.signals:
        raise InputError.field("signals", "none where many workers do the job: hosts are asked from one place", True)
    if "://" in str(out):
        raise InputError.field("-o", "a place on this machine, from where results can be copied", str(out))
    target = Path(out).expanduser().absolute()
    opened = inputs if isinstance(inputs, Input) else open_input(inputs, wish.columns, offline=wish.offline)
    _hold_apart(target, opened)
    here: Processes | None = None
    try:
        here = None if crew is not None else _crew_here(opened, wish)
        with Job.at(target) as job:
            try:
                return _Filter(client, job, opened, target, request, wish, advance, crew or here).run()
            except LicetError as error:
                # An input that cannot be read fails the same way each time; once it is mended, nothing here is of it.
                if not job.holds_anything(evidence=not isinstance(error, MalformedError)):
                    job.discard()
                raise
            finally:
                if job.file() is None:
                    job.discard()
    except KeyboardInterrupt:
        raise InterruptedJobError(f"interrupted; the same command goes on from what {target.name}.job holds") from None
    except OSError as error:
        # Of a copy that fails the second name is where it goes: that is where the disk is full.
        place = error.filename2 or error.filename or target
        raise InputError(f"{place}: expected to read and write there, got {error.strerror or error}") from None
    finally:
        if here is not None:
            here.close()


def _crew_here(opened: Input, wish: Wish) -> Processes | None:
    """Return processes of this machine, where they are wanted or worth it; None where this one does it all."""
    if wish.match == "derivative" or wish.after is not None or wish.signals:
        if wish.workers not in {None, 1}:
            what = "--after" if wish.after is not None else "--signals" if wish.signals else "--match derivative"
            raise InputError.field("workers", f"1, because {what} is decided where the job is", wish.workers)
        return None
    here = all(part.place is not None and not part.holds_files for part in opened.parts)
    workers = workers_for(opened.rows if here else None, wish.workers)
    rows = any(not part.holds_files for part in opened.parts)
    return Processes(workers, _LOADED, loops=rows) if workers > 1 else None


class _Filter:
    """One run of a job."""

    def __init__(
        self,
        client: Client,
        job: Job,
        opened: Input,
        out: Path,
        request: Request,
        wish: Wish,
        advance: Advance,
        crew: Crew | None,
    ) -> None:
        self._client = client
        self._job = job
        self._opened = opened
        self._parts: Sequence[Part] = opened.parts
        self._crew = crew
        self._out = out
        self._request = request
        self._wish = wish
        self._advance = advance
        self._places = Places(out)

    def run(self) -> Filtered:
        """Do the job, or what is left of it."""
        self._hold_name()
        self._places.refuse_foreign(overwrite=self._wish.overwrite, publishing=publishing(self._job).exists())
        who = signer(self._client)
        if self._wish.after is not None:
            two_stages.refuse_addresses(self._parts)
        basis, file = self._settled(who)
        question = self._question(basis, file)
        two_stages.prepare(self._job, self._wish.after, who, question, basis)
        crew, rows = self._crew, list[int]()
        duty = None if crew is None else self._duty(basis, file, question)
        secret, hands = row_secret(who.key, file.nonce), None
        standing, quote, taken = Standing({}), None, list[HeldLicence]()
        at_once = self._wish.accept is None and can_be_at_once(self._parts)
        if crew is not None and duty is not None and at_once:
            standing, quote, hands = self._at_once(basis, file, question, crew, duty, secret)
        elif crew is None or duty is None:
            wish = self._wish
            asker = None
            if question.match == "derivative":
                asker = Asker(self._client, question.request, wish.min_claim_level)
            with reader_of(self._client, question.signals) as signals:
                scan(self._job, self._parts, basis.index, question, self._advance, wish.threads, asker, signals)
        else:
            rows = scan_by(crew, duty, self._parts, self._advance)
        two_stages.refuse_strangers(self._job, self._parts)
        if quote is None:
            standing, quote, taken = self._licensed(basis, file, question)
        if crew is not None and duty is not None and hands is None:
            fresh_out(self._job)
            hands = hands_of(crew, duty, self._job, self._parts, standing, secret, rows)
        results, written = self._written(basis, file, question, standing, secret, hands)
        files = any(part.holds_files for part in self._parts)
        after = two_stages.told(self._job, self._parts, results.outputs, self._places.after)
        asked = asked_of(self._job, range(len(self._parts))) if question.match == "derivative" else None
        told = told_of(self._job, range(len(self._parts)), question)
        payload, manifest = manifest_of(
            *(basis, file, question, written, self._name, who),
            files=files,
            asked=asked,
            listed=not self._wish.unlisted,
            signals=None if told is None else told.read,
        )
        self._places.publish(self._job, results.outputs, manifest)
        self._job.discard()
        notes = [basis.without_near] if basis.without_near and self._wish.match is None else []
        if asked is not None:
            notes.append(
                f"features of {many(asked.pictures, 'picture')} were sent to the service, which looked for parts of "
                f"works as of log size {asked.most_log_size:,}"
            )
        notes.extend(written.remarks)
        return Filtered(
            rows=written.rows,
            kept=written.kept,
            counts=written.counts,
            licence=taken[0].id if taken else None,
            taken=[each.id for each in taken],
            licences=written.licences,
            quote=quote,
            out=str(self._out),
            manifest=str(self._places.manifest),
            decisions=str(self._places.decisions),
            credits=str(self._places.credits) if self._places.credits.exists() else None,
            dataset=payload.dataset,
            registered=who.organisation is not None,
            snapshot=basis.digest,
            decided_at=payload.decided_at,
            match=question.match,
            notes=notes,
            hints=hints(written.reasons, question, accepting=self._wish.accept is not None),
            recheck=self._rechecked(basis, notes),
            after=after,
            signals=told,
        )

    def _rechecked(self, basis: Basis, notes: list[str]) -> Since | None:
        """Return what the snapshot of this moment says of the result, when there is a network to ask."""
        if self._wish.offline:
            return None
        try:
            bring_up_to_date(self._client)
            newest = open_basis(self._client)
        except LicetError as error:
            notes.append(f"the result was not re-checked at the end: {error.message}")
            return None
        if newest.digest == basis.digest:
            return Since(basis.digest, 0)
        found = recheck_file(self._client, DecisionsFile.find(self._out), newest, workers=self._wish.workers)
        return Since(newest.digest, len(found.drop))

    # -- what the job decides from -----------------------------------------------------------------------------

    def _settled(self, who: Signer) -> tuple[Basis, JobFile]:
        """Return the snapshot and what the job has fixed: those of an interrupted run if it is the same job."""
        if not self._wish.offline:
            bring_up_to_date(self._client)
        inputs = [part.stamp() for part in self._parts]
        earlier = self._job.file()
        if earlier is not None:
            basis = self._reopened(earlier, inputs, who)
            if basis is not None:
                return basis, earlier
        basis = open_basis(self._client)
        return basis, self._job.begin(self._asked(basis, who), inputs, basis.published, basis.digest)

    def _reopened(self, earlier: JobFile, inputs: list[dict[str, Any]], who: Signer) -> Basis | None:
        try:
            basis = reopen_basis(self._client, self._job.published())
            other = difference(earlier, self._asked(basis, who), inputs)
        except (ExpiredError, InputError) as error:
            basis, other = None, f"snapshot: {error.message}"
        if other is None:
            return basis
        if self._wish.overwrite:
            return None
        raise InputError(
            f"{self._job.folder}: an interrupted job was asked something else ({other});"
            " --overwrite starts anew and keeps what is known of an unchanged input"
        )

    def _asked(self, basis: Basis, who: Signer) -> Question:
        wish = self._wish
        asked = Question(self._request, effective_match(wish.match, basis), wish.min_claim_level, wish.unknown)
        return replace(
            asked,
            after=two_stages.digest_of(wish.after, who, asked, basis),
            signals=reading(wish.signals, offline=wish.offline),
        )

    def _duty(self, basis: Basis, file: JobFile, question: Question) -> Duty:
        return Duty(
            pin=self._client.snapshot.pin_of(basis.published, near=basis.index.near, at=file.decided_at),
            folder=str(self._job.folder),
            job=file.nonce,
            given=self._opened.given,
            mapping=self._opened.mapping,
            inputs=file.inputs,
            question=question,
            threads=self._wish.threads,
        )

    def _question(self, basis: Basis, file: JobFile) -> Question:
        wish = self._wish
        match = effective_match(wish.match, basis)
        return Question(
            file.request,
            match,
            wish.min_claim_level,
            wish.unknown,
            file.question.get("after"),
            reading(wish.signals, offline=wish.offline),
        )

    # -- licences ----------------------------------------------------------------------------------------------

    def _licensed(
        self, basis: Basis, file: JobFile, question: Question
    ) -> tuple[Standing, QuoteSummary, list[HeldLicence]]:
        """Return what is held, now that everything is licensed that was asked for; what it costs; what was taken."""
        accept = self._wish.accept
        everything = range(len(self._parts))
        if accept is None:
            held = held_licences(self._client)
            standing, shopping = settle(self._job, everything, basis, question, held, None)
            return standing, self._estimated(shopping), []
        taker = Taker(self._client, basis.keys, self._job.folder / "quote.json")
        taken = taker.recover()
        held = held_licences(self._client)
        standing, shopping = settle(self._job, everything, basis, question, held, accept.budget.amounts)
        if not shopping.works:
            return Standing(standing.licences, standing.style, shopping.refused), estimate(shopping), taken
        outcome = taker.take(question.request, file.dataset, shopping, accept)
        licences = licences_for(held_licences(self._client), question.request)
        return Standing(licences, standing.style, outcome.refused), outcome.quote, [*taken, *outcome.licences]

    def _estimated(self, shopping: Shopping) -> QuoteSummary:
        # Whoever can ask is told the fee before signing anything; offline it is not known.
        fee = None if self._wish.offline else self._client.registry().fee_bps
        return msgspec.structs.replace(estimate(shopping), fee_bps=fee)

    # -- results -----------------------------------------------------------------------------------------------

    def _at_once(
        self, basis: Basis, file: JobFile, question: Question, crew: Crew, duty: Duty, secret: bytes
    ) -> tuple[Standing, QuoteSummary, Hands]:
        """Have each part examined, decided and written as one piece, and return what stands and what it would cost."""
        licences = licences_for(held_licences(self._client), question.request)
        wish = PartWish(about=self._about(basis, file), only_matched=self._wish.only_matched, with_data=True)
        with self._holding_to(file):
            standing, shopping, hands = write_at_once(
                crew, duty, self._job, self._parts, licences, secret, wish, basis.index, self._advance
            )
        return standing, self._estimated(shopping), hands

    def _written(
        self,
        basis: Basis,
        file: JobFile,
        question: Question,
        standing: Standing,
        secret: bytes,
        hands: Hands | None,
    ) -> tuple[Results, Written]:
        results = Results(self._job, self._parts, basis.index, question, standing, secret)
        with self._holding_to(file):
            written = results.write(
                self._about(basis, file), self._advance, only_matched=self._wish.only_matched, hands=hands
            )
        self._hold_to(file)
        return results, written

    def _about(self, basis: Basis, file: JobFile) -> dict[str, Any]:
        """Return what decisions say of themselves."""
        about = {
            "v": 1,
            "dataset": file.dataset,
            "name": self._name,
            "question": file.question,
            "decided_at": file.decided_at,
            "snapshot": basis.digest,
            "rows": "matched" if self._wish.only_matched else "all",
        }
        if any(part.bound for part in self._parts):
            about["bound"] = True
        return about

    @contextmanager
    def _holding_to(self, file: JobFile) -> Iterator[None]:
        """Forget what was found out if the input is no longer what it was."""
        try:
            yield
        except InputError as error:
            if error.details.get("changed"):
                self._job.forget()
                self._hold_to(file)
            raise

    def _hold_to(self, file: JobFile) -> None:
        if [part.stamp() for part in self._parts] != file.inputs:
            raise InputError("the input changed while the job ran; --overwrite starts anew")

    def _hold_name(self) -> None:
        try:
            dataset_name(self._name)
        except InputError as error:
            if self._name != self._out.name:
                raise
            called = "a name for the dataset, since that of -o is none"
            raise InputError.field("--dataset", f"{called} ({error.details['expected']})", self._name) from None

    @property
    def _name(self) -> str:
        accept = self._wish.accept
        return self._wish.name or (accept.dataset if accept is not None else self._out.name)


def _hold_apart(out: Path, opened: Input) -> None:
    """Raise ``InputError`` where the output would be part of the input the next time, or take its place."""
    out = out.resolve()
    places = (*opened.folders, *(part.place for part in opened.parts if part.place is not None))
    for place in {path.resolve() for path in places}:
        if out == place or place in out.parents or out in place.parents:
            raise InputError.field("-o", f"a place apart from the input {place}", str(out))
