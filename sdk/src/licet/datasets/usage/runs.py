"""Reporting a training run: the dataset checked once more, the run stated, and what it owes spooled and sent.

A manifest authorises copying, not training (semantics 24). So each run starts with a re-check against an unexpired
snapshot; what was tightened since without a licence is out, and the run says how much. Reporting the same run again
has no second effect: its statement is made once, and its events have the same ids.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec
import pyarrow as pa

from licet import times
from licet.client import Client
from licet.datasets.examining.basis import Basis, open_basis
from licet.datasets.licensing.held import HeldLicence, LicenceStore, verify_granted
from licet.datasets.licensing.revoked import bring_up_to_date
from licet.datasets.licensing.wanted import shown_totals
from licet.datasets.results.decisions_file import DecisionsFile
from licet.datasets.results.manifest import ReadManifest
from licet.datasets.results.stored import kept_rows
from licet.datasets.usage.findings import Findings
from licet.datasets.usage.recheck import recheck_file
from licet.datasets.usage.spool import Owed, Report, Spool
from licet.decisions import Request
from licet.errors import InputError, NotAllowedError, ServiceError
from licet.home import AccountFile
from licet.identifiers import new_uuid
from licet.statements import envelope as envelopes
from licet.statements.covering import covers, outside
from licet.statements.keys import SigningKey
from licet.statements.kinds import Event, LicenceLine, Run
from licet.statements.licences import event_id
from licet.statements.owed import owed, run_events, totals

_LICENSED: Final = "licensed:"


class RunReported(msgspec.Struct, frozen=True, kw_only=True):
    """What a report came to. ``new`` events had an effect, ``known`` ones were reported before, ``memorandum`` are
    outside a licence: recorded, not charged. ``totals`` are what the run owes, however often it is reported."""

    run: str
    model: str
    dataset: str
    licences: list[str]
    new: int
    known: int
    memorandum: int
    totals: list[dict[str, Any]]
    dropped: int
    drop: Findings
    log_index: int | None
    snapshot: str
    notes: list[str]


Sure = Callable[[Mapping[str, str]], None]
"""Asked before a run is signed that licences do not cover, of which each is for another model or version."""


def report_run(
    client: Client,
    given: str | Path,
    model: str,
    run: str,
    *,
    outputs: int = 0,
    seq: int = 0,
    offline: bool = False,
    sure: Sure = lambda _: None,
) -> RunReported:
    """Return once the run is stated and its use is acknowledged by the registry.

    ``given`` is the dataset's manifest (or its data, or its decisions); ``model`` is ``ORG/NAME@VERSION``; ``outputs``
    is what the model made under ``seq``, for works that are priced per output. Before a run is signed of a model or
    version that licences are not for, ``sure`` is told what each is for, and raises if that was not meant.

    Raises ``InputError`` for a dataset that is not this organisation's or of which nothing was kept, ``ExpiredError``
    for a snapshot past its time, and ``ServiceError`` where the registry cannot be reached: everything is in the spool
    then, and ``licet usage push`` sends it.
    """
    request = Request(uses="train-gen", model=model)  # refuses a name that is none
    if outputs < 0 or seq < 0:
        raise InputError.field("outputs", "0 or more", min(outputs, seq))
    if not 0 < len(run) <= 200 or not run.isprintable():
        raise InputError.field("run", "1 to 200 printable characters", run)
    if run.lstrip("-").isdecimal() and int(run) < 1:
        raise InputError.field("run", "a name, or a number from 1 on: run 1 came with the licence", run)
    reporting = _Reporting(client, DecisionsFile.find(Path(given).expanduser()), request.model or "", run)
    return reporting.report(outputs, seq, offline=offline, sure=sure)


class _Reporting:
    """One report of one run."""

    def __init__(self, client: Client, file: DecisionsFile, model: str, run: str) -> None:
        profile = client.need_account()
        assert profile.account is not None
        self._client = client
        self._file = file
        self._run = run
        self._model = model
        self._account: AccountFile = profile.account
        self._key = SigningKey.load(profile.key_path)
        self._store = LicenceStore(client.home.licences(self._account.account))
        self._notes: list[str] = []
        self._manifest = self._own_manifest()

    def report(self, outputs: int, seq: int, *, offline: bool, sure: Sure) -> RunReported:
        """Check, state, spool, send."""
        basis = self._basis(offline=offline)
        found = recheck_file(self._client, self._file, basis, verify=self._file.about.rows == "all")
        used = self._used(found.drop)
        held = {licence: self._licence(licence, basis) for licence in sorted(used)}
        now = times.to_text(times.now())
        if others := self._others(held.values(), now):
            sure(others)
        due = [each for licence, works in used.items() for each in self._due(held[licence], works, now, outputs, seq)]
        statement = self._statement(basis, sorted(held), len(found.drop), now)
        subject = f"{self._manifest.payload.dataset}/{self._model}/{self._run}"
        report = Report(
            organisation=self._account.account,
            name=subject,
            dataset=self._manifest.payload.dataset,
            snapshot=basis.digest,
            statements=[
                ("dataset-manifest", self._manifest.payload.dataset, self._manifest.envelope),
                ("run", subject, envelopes.seal(statement, self._key)),
            ],
            events=due,
            run=(self._run, statement.model, statement.version),
        )
        with Spool(self._client.home.spool) as spool:
            before = spool.acknowledged([each.event.id for each in due])
            spool.add(report)
            try:
                pushed = spool.push(self._client)
            except ServiceError as error:
                raise ServiceError(f"{error.message} (the run is in the spool: `licet usage push` sends it)") from None
            receipt = spool.receipt(self._account.account, "run", subject)
        mine = [sent for sent in pushed.batches if sent.report == subject]
        return RunReported(
            run=self._run,
            model=self._model,
            dataset=self._manifest.payload.dataset,
            licences=sorted(held),
            new=sum(sent.new for sent in mine),
            known=sum(sent.known for sent in mine) + len(before),
            memorandum=sum(sent.memorandum for sent in mine),
            totals=shown_totals(totals((each.currency, each.event.work, each.amount) for each in due)),
            dropped=len(found.drop),
            drop=found.drop,
            log_index=receipt.log_index if receipt else None,
            snapshot=basis.digest,
            notes=[*self._notes, *found.notes],
        )

    def _own_manifest(self) -> ReadManifest:
        manifest = self._file.manifest
        if manifest is None:
            raise InputError(f"{self._file.path}: expected the manifest of the dataset beside it")
        owner = manifest.payload.organisation
        if owner is None:
            raise InputError(
                "the dataset was filtered without an account, so nobody answers for it: filter it again with one"
            )
        if owner != self._account.account:
            raise NotAllowedError(f"the dataset is {owner}'s, and this profile is {self._account.account}")
        if not manifest.payload.kept:  # a dry run, most often; it and its run would be public for good
            raise InputError(
                f"{self._file.path}: expected a dataset of which rows were kept, got none of {manifest.payload.rows:,}:"
                " no run can have used it"
            )
        if self._file.about.rows == "all":
            self._file.vouched()
        else:
            self._notes.append("the decisions list matched rows alone: their root was not recomputed")
        return manifest

    def _basis(self, *, offline: bool) -> Basis:
        if not offline:
            try:
                bring_up_to_date(self._client)
            except ServiceError as error:
                self._notes.append(f"re-checked against the snapshot that is here: {error.message}")
        return open_basis(self._client)

    def _used(self, drop: Findings) -> dict[str, set[str]]:
        """Return the works under each licence that rows are used of."""
        used: dict[str, set[str]] = {}
        dropped = _Dropped(drop)
        for batch in self._file.batches(("part", "row", "verdict", "licence", "matches")):
            kept = batch.filter(pa.array(kept_rows(batch, self._file.question)))
            for licence, work in _licensed(kept, dropped):
                used.setdefault(licence, set()).add(work)
        return used

    def _licence(self, licence: str, basis: Basis) -> HeldLicence:
        held = self._store.get(licence)
        if held is None:
            granted = self._client.licence(licence)
            held = verify_granted(granted, self._key, basis.keys)
            self._store.keep(granted)
        return held

    def _others(self, held: Iterable[HeldLicence], now: str) -> dict[str, str]:
        """Return which licences are for another model or version, and for which."""
        asked = self._asked(now)
        return {
            each.id: f"{each.payload.use.model}@{each.payload.use.version}"
            for each in held
            if outside(each.payload, asked) in ("model", "version")
        }

    def _asked(self, now: str) -> Request:
        return msgspec.structs.replace(Request.from_json(self._manifest.payload.use), model=self._model, at=now)

    def _due(self, held: HeldLicence, works: set[str], now: str, outputs: int, seq: int) -> Iterator[Owed]:
        lines = [held.lines[work] for work in sorted(works) if work in held.lines]
        if not covers(held.payload, self._asked(now)):
            self._notes.append(f"{held.id} does not cover {self._model}: that use is recorded as a memorandum")
            for line in lines:
                yield Owed(self._outside(line, now), None, 0)
            return
        by_work = {line.work: line for line in lines}
        events = run_events(
            organisation=self._account.account,
            licence=held.id,
            first_run=held.payload.run,
            run=self._run,
            lines=lines,
            at=now,
            outputs=outputs,
            seq=seq,
        )
        for event in events:
            line = by_work[event.work]
            yield Owed(event, line.currency, owed(line, event, held.payload.run) or 0)

    def _outside(self, line: LicenceLine, now: str) -> Event:
        organisation, run = self._account.account, self._run
        return Event(
            id=event_id(organisation, line.statement, line.work, run, line.atom, "run", 0),
            licence=None,
            statement=line.statement,
            work=line.work,
            atom=line.atom,
            run=run,
            unit="run",
            seq=0,
            quantity=1,
            at=now,
            match=line.match,
        )

    def _statement(self, basis: Basis, licences: list[str], dropped: int, now: str) -> Run:
        model, _, version = self._model.partition("@")
        return Run(
            registry=basis.manifest.registry,
            organisation=self._account.account,
            genesis=self._account.genesis,
            run=self._run,
            model=model,
            version=version,
            dataset=self._manifest.payload.dataset,
            manifest=self._manifest.digest,
            snapshot=basis.digest,
            dropped=dropped,
            licences=licences,
            issued_at=now,
            nonce=new_uuid().hex,
        )


class _Dropped:
    """The rows that must go, in the order of the decisions: met one after the other, and never all in memory."""

    def __init__(self, drop: Findings) -> None:
        self._left = iter(drop)
        self._next = next(self._left, None)

    def meets(self, part: str, row: int) -> bool:
        """Return whether this row must go; asked of every row that was kept, in their order."""
        if self._next is None or (part, row) != (self._next.part, self._next.row):
            return False
        self._next = next(self._left, None)
        return True


def _licensed(kept: pa.RecordBatch, dropped: _Dropped) -> Iterator[tuple[str, str]]:
    """Yield (licence, work) of each row that stays: each account's best licensed match, as it was paid for."""
    columns = kept.select(["part", "row", "verdict", "matches"]).to_pylist()
    for row in columns:
        if dropped.meets(row["part"], row["row"]) or row["verdict"] != "license":
            continue
        paid: set[str] = set()
        for match in row["matches"] or ():
            if match["verdict"] != "license" or match["account"] in paid:
                continue
            paid.add(match["account"])
            if match["reason"].startswith(_LICENSED):
                yield match["reason"].removeprefix(_LICENSED), match["work"]
