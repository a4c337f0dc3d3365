"""A dataset filtered as it is read: batches in, what may be kept of them out, and at the end of it a manifest."""

from __future__ import annotations

import pickle
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from types import TracebackType
from typing import Any, Final, TypeVar

import msgspec
import pyarrow as pa

from licet.client import Client
from licet.datasets.examining.asking import Asker, refuse_offline
from licet.datasets.examining.basis import Basis, open_basis
from licet.datasets.examining.deciding import Question, Standing
from licet.datasets.filtering import two_stages
from licet.datasets.filtering.build import Filtered, Wish
from licet.datasets.filtering.heard import reader_of, reading, told_of
from licet.datasets.filtering.hints import hints
from licet.datasets.filtering.job import Job, JobFile
from licet.datasets.filtering.publishing import Places, dataset_name, manifest_of
from licet.datasets.filtering.scanning import asked_of, scan, verdicts
from licet.datasets.filtering.settling import effective_match, held_licences, settle
from licet.datasets.filtering.writing import Results
from licet.datasets.forms.columns import find_columns
from licet.datasets.forms.parts import Copying, Remarks
from licet.datasets.frames import hugging, tables
from licet.datasets.licensing.accepting import Acceptance, Taker, check_budget
from licet.datasets.licensing.budgets import Budget
from licet.datasets.licensing.held import HeldLicence, licences_for
from licet.datasets.licensing.revoked import bring_up_to_date
from licet.datasets.licensing.wanted import QuoteSummary, Shopping, estimate
from licet.datasets.results.manifest import row_secret, signer
from licet.decisions import Request
from licet.errors import InputError

B = TypeVar("B")
_PROMISED: Final = "lic_promised"


class MemoryPart:
    """Batches that somebody hands in once, kept in a folder until they are handed out again."""

    bundle = False
    steps = None
    bound = False
    holds_files = False

    def __init__(self, name: str, batches: Iterable[Any], folder: Path, base: Path, columns: Mapping[str, str]) -> None:
        self.name = name
        self.base: Path = base
        self.rows = 0
        self.remarks = Remarks()
        self._given: Iterable[Any] | None = batches
        self._folder = folder
        self._columns = columns
        self._count = 0

    @property
    def place(self) -> Path:
        """Where the batches are kept."""
        return self._folder

    def stamp(self) -> dict[str, Any]:
        """Return the name: there is no input to compare with."""
        return {"name": self.name, "kind": "stream"}

    def batches(self, skip: int = 0) -> Iterator[pa.RecordBatch]:
        """Yield what the batches say of their rows; the first time, while they are handed in."""
        if self._given is None:
            for table in self.tables(skip):
                yield self._rows(table, naming=False)
            return
        given, self._given = self._given, None
        self._folder.mkdir(parents=True)
        for table in given:
            if not tables.length(table):
                continue
            rows = self._rows(table, naming=False)
            with self._file(self._count).open("wb") as file:
                pickle.dump(table, file, protocol=pickle.HIGHEST_PROTOCOL)
            self._count += 1
            self.rows += len(rows)
            yield rows

    def tables(self, skip: int = 0) -> Iterator[Any]:
        """Yield the batches as they were handed in."""
        for number in range(skip, self._count):
            with self._file(number).open("rb") as file:
                yield pickle.load(file)  # noqa: S301 - written by this process, into a folder of its own

    def digest(self, digests: Iterable[bytes | None]) -> str:
        """Return the digest over the addresses and the files' digests of all rows."""
        total = sha256(b"licet/stream/v1\n")
        urls = (url for rows in self.write(None) for url in _texts(rows, "url"))
        for each, url in zip(digests, urls, strict=True):
            total.update(f"{each.hex() if each else ''}\0{url or ''}\n".encode())
        return total.hexdigest()

    def write(self, target: Path | None) -> Copying:
        """Yield the rows by their names. Nothing is written: the rows are handed out, not kept."""
        for table in self.tables():
            yield self._rows(table, naming=True)

    def _rows(self, table: Any, *, naming: bool) -> pa.RecordBatch:
        batch = tables.rows(table, self._columns)
        columns = find_columns(batch.schema, "the batch", self._columns)
        self.holds_files |= columns.holds_files
        return (columns.naming() if naming else columns).select(batch)

    def _file(self, number: int) -> Path:
        return self._folder / f"{number:07d}.batch"


class Dataset:
    """Filters batches inside a ``with``; leaving it without an error takes the licences and writes the manifest.

    ::

        with client.dataset("lantern-train", request, model="acme/lantern@2", accept=Budget("100 USD")) as dataset:
            for batch in dataset.filter(batches):
                ...
        dataset.result.manifest

    An exception inside leaves no manifest, no licence and no usage. So does stopping before the last batch.
    """

    def __init__(
        self,
        client: Client,
        name: str,
        request: Request,
        *,
        accept: Budget | None,
        run: str,
        out: Path,
        base: Path,
        wish: Wish,
    ) -> None:
        self.result: Filtered | None = None
        self._client = client
        self._name = dataset_name(name)
        self._request = request
        self._accept = accept
        self._run = run
        self._places = Places(out)
        self._base = base
        self._wish = wish
        self._stack = ExitStack()
        self._job: Job | None = None
        self._part: MemoryPart | None = None
        self._settled: _Settled | None = None
        self._read = False
        if accept is not None and request.model is None:
            raise InputError.field("model", "ORG/NAME@VERSION, because a licence is for a model", "nothing")
        if accept is not None and wish.offline:
            raise InputError("expected either accept, which asks the service, or offline")
        refuse_offline(wish.match, offline=wish.offline)

    def __enter__(self) -> Dataset:
        self._places.refuse_foreign(overwrite=self._wish.overwrite, publishing=False)
        self._job = self._stack.enter_context(Job.at(self._places.out))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self.result = self._finish()
        finally:
            if self._job is not None:
                self._job.discard()
            self._stack.close()

    def filter(self, batches: Iterable[B]) -> Iterator[B]:
        """Yield ``batches`` without the rows that may not be kept; batches of which nothing is left are left out.

        They may be of any kind that `Client.annotate` takes; a single table is one batch, and a streamed Hugging Face
        dataset comes out as Arrow tables.

        All of them are read before the first comes out, because style and price depend on the whole: meanwhile they
        wait in a folder beside the manifest. Rows that need a licence come out if everything that is needed is within
        the budget; it is taken on leaving the ``with``. Raises ``BudgetError`` with the quote if it is not.
        """
        if self._job is None or self._part is not None:
            raise InputError("expected one pass inside `with client.dataset(…)`, got another")
        given: Iterable[Any] = batches
        if hugging.is_stream(batches):
            given = hugging.batches(batches, tables.SLICE_PICTURES)
        elif tables.is_table(batches):
            given = [batches]
        self._part = MemoryPart(self._name, given, self._job.folder / "batches", self._base, self._wish.columns)
        self._settled = self._settle(self._job, self._part)
        settled = self._settled
        stream = verdicts(self._job, [0], settled.basis.index, settled.question, settled.promised)
        for table, (_, decided) in zip(self._part.tables(), stream, strict=True):
            kept: Any = tables.chosen(table, decided.kept)
            if tables.length(kept):
                yield kept
        self._read = True

    def _settle(self, job: Job, part: MemoryPart) -> _Settled:
        if not self._wish.offline:
            bring_up_to_date(self._client)
        basis = open_basis(self._client)
        wish = self._wish
        asked = Question(self._request, effective_match(wish.match, basis), wish.min_claim_level, wish.unknown)
        who = signer(self._client)
        asked = replace(
            asked,
            after=two_stages.digest_of(wish.after, who, asked, basis),
            signals=reading(wish.signals, offline=wish.offline),
        )
        shutil.rmtree(job.folder / "evidence", ignore_errors=True)
        file = job.begin(asked, [part.stamp()], basis.published, basis.digest)
        question = replace(asked, request=file.request)
        two_stages.prepare(job, wish.after, who, question, basis)
        asker = Asker(self._client, question.request, wish.min_claim_level) if wish.match == "derivative" else None
        with reader_of(self._client, question.signals) as signals:
            scan(job, [part], basis.index, question, lambda _: None, wish.threads, asker, signals)
        if wish.after is not None:
            two_stages.refuse_addresses([part])
            two_stages.refuse_strangers(job, [part])
        held = held_licences(self._client)
        currencies = None if self._accept is None else self._accept.amounts
        standing, shopping = settle(job, [0], basis, question, held, currencies)
        promised = standing
        if self._accept is not None:
            check_budget(estimate(shopping), shopping, self._accept)
            licences = {work: set(ids) for work, ids in standing.licences.items()}
            licences |= {work: {_PROMISED} for work in shopping.works}
            promised = Standing(licences, standing.style, shopping.refused)
        return _Settled(basis, file, question, standing, promised, shopping)

    def _finish(self) -> Filtered:
        if not self._read or self._job is None or self._part is None or self._settled is None:
            raise InputError("the batches of filter() were not read to the end: nothing was taken, nothing is written")
        settled = self._settled
        standing, quote, taken = self._licensed(settled)
        who = signer(self._client)
        secret = row_secret(who.key, settled.file.nonce)
        results = Results(self._job, [self._part], settled.basis.index, settled.question, standing, secret)
        about = {
            "v": 1,
            "dataset": settled.file.dataset,
            "name": self._name,
            "question": settled.file.question,
            "decided_at": settled.file.decided_at,
            "snapshot": settled.basis.digest,
            "rows": "matched" if self._wish.only_matched else "all",
        }
        written = results.write(about, lambda _: None, only_matched=self._wish.only_matched, with_data=False)
        told = told_of(self._job, [0], settled.question)
        payload, manifest = manifest_of(
            settled.basis,
            settled.file,
            settled.question,
            written,
            self._name,
            who,
            files=self._part.holds_files,
            asked=asked_of(self._job, [0]),
            signals=None if told is None else told.read,
        )
        after = two_stages.told(self._job, [self._part], results.outputs, self._places.after)
        self._places.publish(self._job, results.outputs, manifest)
        return Filtered(
            after=after,
            signals=told,
            rows=written.rows,
            kept=written.kept,
            counts=written.counts,
            licence=taken[0].id if taken else None,
            taken=[each.id for each in taken],
            licences=written.licences,
            quote=quote,
            out=str(self._places.out),
            manifest=str(self._places.manifest),
            decisions=str(self._places.decisions),
            credits=str(self._places.credits) if self._places.credits.exists() else None,
            dataset=payload.dataset,
            registered=who.organisation is not None,
            snapshot=settled.basis.digest,
            decided_at=payload.decided_at,
            match=settled.question.match,
            notes=[settled.basis.without_near] if settled.basis.without_near else [],
            hints=hints(written.reasons, settled.question, accepting=self._accept is not None),
        )

    def _licensed(self, settled: _Settled) -> tuple[Standing, QuoteSummary, list[HeldLicence]]:
        assert self._job is not None
        if self._accept is None or not settled.shopping.works:
            refused = settled.promised.refused
            return (
                Standing(settled.standing.licences, settled.standing.style, refused),
                estimate(settled.shopping),
                [],
            )
        taker = Taker(self._client, settled.basis.keys, self._job.folder / "quote.json")
        acceptance = Acceptance(self._name, self._accept, run=self._run, whole=True)
        outcome = taker.take(settled.question.request, settled.file.dataset, settled.shopping, acceptance)
        licences = licences_for(held_licences(self._client), settled.question.request)
        return Standing(licences, settled.standing.style, outcome.refused), outcome.quote, outcome.licences


class _Settled(msgspec.Struct, frozen=True):
    """What is fixed once all batches are read; ``promised`` counts what is to be licensed as held."""

    basis: Basis
    file: JobFile
    question: Question
    standing: Standing
    promised: Standing
    shopping: Shopping


def _texts(rows: pa.RecordBatch, name: str) -> list[str | None]:
    found: list[str | None] = rows[name].to_pylist() if name in rows.schema.names else [None] * len(rows)
    return found
