"""A registry's month in memory: a log, signed statements, uses, a ledger, and the bundle that is made of them.

It keeps its books in the plainest way there is, apart from the service's code, and lets a test change any record
before the bundle is written and signed: that is how a registry would lie.
"""

from __future__ import annotations

import io
import zipfile
from collections import defaultdict
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec

from licet import identifiers, times
from licet.audit import layout
from licet.audit.container import Packer
from licet.audit.layout import (
    BundleLeftOut,
    BundleLine,
    BundleWork,
    ClosedLine,
    Consistency,
    EventProof,
    Period,
    period_of,
)
from licet.audit.tables import BalanceRow, EventRow, LedgerRow, TransferRow
from licet.audit.writing import About, BundleWriter, framed
from licet.canonical import encode, to_base64
from licet.log import checkpoint as checkpoints
from licet.log import entry as entries
from licet.log import merkle, note
from licet.log import proof as proofs
from licet.statements import envelope as envelopes
from licet.statements import kinds
from licet.statements.agreed import agreed, agreement
from licet.statements.consent import draft_consent
from licet.statements.envelope import Envelope
from licet.statements.keys import SigningKey
from licet.statements.licences import event_id, event_leaf, licence_lines_root
from licet.statements.owed import allocated, due_at_accept, run_events, totals
from licet.statements.periods import ACCRUALS
from licet.statements.trust import Trust
from licet.statements.works import work_digest, works_scope
from licet.terms import Price, Rule, Terms, merge, preset
from licet.wire.common import KeyEvidence, StatementFile

PERIOD = "2026-11"
change = msgspec.structs.replace
MADE_AT = "2026-12-02T08:00:00.000Z"
FEE_BPS = 1234
SECRET = sha256(b"secret").digest()

PER_RUN = preset("paid", Price(model="per-training-run", amount="0.05", currency="USD"))
PER_WORK = preset("paid", Price(model="per-work", amount="1.337", currency="EUR"))
PER_OUTPUT = preset("paid", Price(model="per-output", amount="0.000003", currency="USD"))
OPEN = Terms({**preset("no-ai").rules, "train-gen": Rule(permission="allow")})
DEARER = Price(model="per-training-run", amount="0.07", currency="USD")
CATALOGUE = Terms({**PER_RUN.rules, "train-gen": Rule(permission="license", price=DEARER)})


def key(name: str) -> SigningKey:
    """Return the key called ``name``."""
    return SigningKey.from_seed(sha256(f"audit {name}".encode()).digest())


def identifier(kind: str, name: str) -> str:
    """Return the identifier of ``kind`` that stands for ``name``."""
    return identifiers.from_uuid(kind, UUID(bytes=sha256(name.encode()).digest()[:16]))


class Log:
    """A log with a time for each entry."""

    def __init__(self, origin: str, signer: SigningKey) -> None:
        self.origin = origin
        self.signer = note.Signer(origin, signer.seed)
        self.entries: list[bytes] = []
        self.times: list[str] = []
        self.logged: list[tuple[Envelope, bytes | None]] = []
        self.tree = cache(self._tree)
        self.note = cache(self._note)
        self.evidence = cache(self._evidence)

    def add(self, envelope: Envelope, time: str) -> int:
        """Return the index of ``envelope``."""
        index = len(self.entries)
        salt = None if envelope.kind in entries.PUBLIC_KINDS else sha256(f"salt {index}".encode()).digest()
        commitment = entries.commitment(envelope.kind, salt, envelopes.encode(envelope))
        self.entries.append(entries.encode(entries.Entry(1, envelope.kind, time, commitment)))
        self.times.append(time)
        self.logged.append((envelope, salt))
        return index

    def _tree(self, size: int) -> merkle.Tree:
        """Return the tree of the first ``size`` entries."""
        return merkle.Tree(merkle.leaf_hash(entry) for entry in self.entries[:size])

    def _note(self, size: int) -> str:
        """Return the signed checkpoint at ``size``."""
        return checkpoints.sign(checkpoints.Checkpoint(self.origin, size, self.tree(size).root), self.signer)

    def _evidence(self, index: int, size: int) -> KeyEvidence:
        """Return what proves the statement at ``index`` in the log of ``size``."""
        envelope, salt = self.logged[index]
        proof = proofs.Proof(index, tuple(self.tree(size).inclusion_proof(index)), self.note(size))
        text = None if salt is None else to_base64(salt)
        return KeyEvidence(envelope, text, to_base64(self.entries[index]), proofs.encode(proof))


@dataclass
class Person:
    """An artist or organisation with its key."""

    id: str
    key: SigningKey
    genesis: str
    index: int


@dataclass
class Records:
    """Everything that goes into a bundle, as a registry would have it before it signs."""

    about: About
    opening: int
    closing: int
    statements: list[tuple[str, str, int]] = field(default_factory=list)  # kind, id, log index
    lines: dict[str, list[BundleLine]] = field(default_factory=dict)
    works: list[BundleWork] = field(default_factory=list)
    events: list[EventRow] = field(default_factory=list)
    proofs: list[EventProof] = field(default_factory=list)
    transfers: list[tuple[TransferRow, list[LedgerRow]]] = field(default_factory=list)
    balances: list[BalanceRow] | None = None
    before: list[tuple[TransferRow, list[LedgerRow]]] = field(default_factory=list)
    closed: list[ClosedLine] | None = None  # the lines of a month that is closed
    left_out: list[BundleLeftOut] = field(default_factory=list)

    def event(self, number: int, **changes: Any) -> None:
        """Change an event."""
        self.events[number] = msgspec.structs.replace(self.events[number], **changes)

    def find(self, **wanted: Any) -> int:
        """Return the place of the first event with these values."""
        return next(
            place
            for place, row in enumerate(self.events)
            if all(getattr(row, name) == value for name, value in wanted.items())
        )


class Stage:
    """A registry, an organisation, three artists, and what they did in autumn 2026."""

    def __init__(self, name: str = "one") -> None:
        self.origin = f"registry.example/{name}"
        self.root = key(f"{name} root")
        self.working = {purpose: key(f"{name} {purpose}") for purpose in ("log", "snapshot", "licence", "office")}
        self.ref = kinds.RegistryRef(self.origin, self.root.keyid)
        self.trust = Trust(self.origin, self.root.public.hex())
        self.log = Log(self.origin, self.working["log"])
        self.key_indices = [self._key(purpose) for purpose in self.working]
        self.transfers: list[tuple[TransferRow, list[LedgerRow]]] = []
        self.statements: dict[str, tuple[str, int]] = {}  # id → kind, index
        self.lines: dict[str, list[kinds.LicenceLine]] = {}
        self.payloads: dict[str, Any] = {}
        self.accepted: dict[str, list[EventRow]] = {}
        self.batches: dict[str, list[EventRow]] = {}
        self.digests: dict[str, list[kinds.WorkDigest]] = {}
        self.people: dict[str, Person] = {}
        self.heads: dict[str, tuple[int, str | None]] = {}  # account → number and digest of its last consent
        self._play()
        november = self.records()
        self.opening, self.closing = november.opening, november.closing

    def _key(self, purpose: str) -> int:
        public = kinds.PublicKey(self.working[purpose].public.hex())
        payload = kinds.RegistryKey(self.ref, purpose, public, "2026-09-01T00:00:00.000Z", None)  # type: ignore[arg-type]
        return self.log.add(envelopes.seal(payload, self.root), "2026-10-01T00:00:00.000Z")

    def _play(self) -> None:
        lantern = self.person("Lantern Labs", "organisation", "2026-10-02T00:00:00.000Z")
        for name in ("Mei", "Tomas", "Ada"):
            self.person(name, "artist", "2026-10-03T00:00:00.000Z")
        self.consent("Mei", PER_RUN, 3, "2026-10-04T00:00:00.000Z")
        self.consent("Ada", PER_RUN, 2, "2026-10-05T00:00:00.000Z")
        self.consent("Ada", CATALOGUE, 0, "2026-10-06T00:00:00.000Z")
        self.consent("Tomas", PER_WORK, 2, "2026-10-07T00:00:00.000Z")
        self.consent("Tomas", OPEN, 2, "2026-10-08T00:00:00.000Z", "open")
        self.consent("Tomas", PER_OUTPUT, 1, "2026-10-09T00:00:00.000Z", "output")
        self.licence("early", ["Mei"], "2026-10-20T10:00:00.000Z")
        self.batch("october", self.run("early", "0", "2026-10-21T00:00:00.000Z"), "2026-10-21T10:00:00.000Z")
        self.licence("late", ["Ada", "Tomas", "output"], "2026-11-03T10:00:00.000Z")
        manifest = self._manifest(lantern)
        self.statement("dst", "lantern-train", manifest, lantern.key, "2026-11-04T00:00:00.000Z")
        run = change(self._run(lantern), manifest=sha256(encode(manifest)).hexdigest())
        self.statement("run", "2", run, lantern.key, "2026-11-05T00:00:00.000Z")
        second = [
            *self.run("early", "2", "2026-11-06T00:00:00.000Z"),
            *self.run("late", "2", "2026-11-06T00:00:00.000Z", 250),
        ]
        free = [self.free_event(work.work, "2026-11-06T00:00:00.000Z") for work in self.digests["open"]]
        outside = self.free_event(self.digests["Mei"][0].work, "2026-11-06T00:00:00.000Z", identifier("stm", "nothing"))
        self.batch("second", [*second, *free, outside], "2026-11-06T10:00:00.000Z")
        again = (
            self.run("early", "0", "2026-11-07T00:00:00.000Z")[:2]
            + self.run("late", "2", "2026-11-07T00:00:00.000Z", 250)[:1]
        )
        again += self.run("late", "1", "2026-11-07T00:00:00.000Z")[:1]
        third = self.run("early", "3", "2026-11-07T00:00:00.000Z")
        self.batch("third", [*again, *third], "2026-11-07T10:00:00.000Z")
        self._reverse("2026-11-08T10:00:00.000Z")
        self.person("Late", "artist", "2026-12-01T07:00:00.000Z")

    # -- who -----------------------------------------------------------------------------------------------------

    def person(self, name: str, kind: str, time: str) -> Person:
        """Open an account."""
        own = key(f"{self.origin} {name}")
        account = identifier({"artist": "art", "organisation": "org"}[kind], name)
        payload = kinds.KeyRegister(
            self.ref, account, kind, None, kinds.PublicKey(own.public.hex()), "root", time, name  # type: ignore[arg-type]
        )  # fmt: skip
        envelope = envelopes.seal(payload, own)
        self.people[name] = Person(account, own, envelope.payload_digest, self.log.add(envelope, time))
        return self.people[name]

    def consent(self, who: str, terms: Terms, works: int, time: str, name: str | None = None) -> None:
        """State terms for new works of ``who``; none: for the catalogue."""
        person, name = self.people[who], name or who
        if not works:
            name = f"{who} catalogue"
        digests = [
            kinds.WorkDigest(
                identifier("wrk", f"{name} {number}"), person.id, sha256(f"{name} {number}".encode()).hexdigest(),
                None, None, None, [], "upload",
            )
            for number in range(works)
        ]  # fmt: skip
        digests.sort(key=lambda work: work.work)
        seq, before = self.heads.get(person.id, (0, None))
        drafted, _ = draft_consent(
            registry=self.ref, account=person.id, genesis=person.genesis, head_seq=seq, head_digest=before,
            works=digests or None, terms=terms, old_terms=[], who=who,
        )  # fmt: skip
        payload = msgspec.structs.replace(drafted, issued_at=time, nonce=name)
        self.statement("stm", name, payload, person.key, time)
        self.heads[person.id] = (seq + 1, sha256(encode(payload)).hexdigest())
        self.digests[name] = digests

    def statement(self, kind: str, name: str, payload: Any, *signed: Any) -> str:
        """Log a statement."""
        *keys, time = signed
        envelope = envelopes.seal(payload, *keys)
        number = identifier(kind, name)
        self.statements[number] = (envelope.kind, self.log.add(envelope, time))
        self.payloads[number] = payload
        return number

    # -- licences and uses ---------------------------------------------------------------------------------------

    def line(self, name: str, work: str) -> kinds.LicenceLine:
        """Return the line of a licence for a work under consent ``name``."""
        who = {
            "output": "Tomas",
            "open": "Tomas",
            "bounded": "Tomas",
            "monthly": "Mei",
            "third": "Mei",
            "taken": "Mei",
        }.get(name, name)
        consent = identifier("stm", name)
        terms = Terms.parse({"vocab": self.payloads[consent].vocab, "terms": self.payloads[consent].terms})
        if f"{who} catalogue" in self.digests:
            terms = merge([terms, CATALOGUE])
        price = terms.rules["train-gen"].offer
        return kinds.LicenceLine(
            work, self.people[who].id, consent, terms.hash, "train-gen", price.model, price.currency, price.micro,
            "exact", who != "Tomas", agreed(price),
        )  # fmt: skip

    def licence(self, name: str, consents: list[str], time: str) -> None:
        """Grant a licence over all works under ``consents`` and post what it owes at once."""
        lines = sorted((self.line(each, w.work) for each in consents for w in self.digests[each]), key=lambda x: x.work)
        lantern = self.people["Lantern Labs"]
        sums = totals((line.currency, line.work, due_at_accept(line)) for line in lines)
        payload = kinds.Licence(
            registry=self.ref,
            licence=identifier("lic", name),
            organisation=lantern.id,
            genesis=lantern.genesis,
            quote=sha256(name.encode()).hexdigest(),
            use=kinds.Use(["train-gen"], ["commercial"], None, "lantern/lantern", "1", "one-version", None),
            dataset=None,
            run="1",
            count=len(lines),
            root=licence_lines_root(lines),
            terms=sorted({line.terms_hash for line in lines}),
            totals=sums,
            budget=[kinds.Budget(total.currency, total.amount + 5) for total in sums],
            fee_bps=FEE_BPS,
            issued_at=time,
            valid_until=None,
            nonce=name,
            agreement=agreement(lines, times.from_text(time), "work", None),
        )
        number = self.statement("lic", name, payload, lantern.key, self.working["licence"], time)
        self.lines[number] = lines
        events = [self.row(number, event, None, time) for event in self.run(name, "1", time)]
        if events:
            self.accepted[number] = events
            self.post(number, "licence", events, time)

    def run(self, licence: str, run: str, at: str, outputs: int = 0) -> list[kinds.Event]:
        """Return the events of a run under ``licence``."""
        number = identifier("lic", licence)
        payload = self.payloads[number]
        return run_events(
            organisation=payload.organisation, licence=number, first_run=payload.run, run=run,
            lines=self.lines[number], at=at, outputs=outputs,
        )  # fmt: skip

    def free_event(self, work: str, at: str, statement: str | None = None) -> kinds.Event:
        """Return the use of a work without a licence."""
        statement = statement or identifier("stm", "open")
        organisation = self.people["Lantern Labs"].id
        number = event_id(organisation, statement, work, "2", "train-gen", "work", 0)
        return kinds.Event(number, None, statement, work, "train-gen", "2", "work", 0, 1, at, "exact")

    def row(self, source: str, event: kinds.Event, salt: bytes | None, posted_at: str) -> EventRow:
        """Return an event as the registry tells of it."""
        base: dict[str, Any] = {
            name: value
            for name in kinds.Event.__struct_fields__
            if (value := getattr(event, name)) is not msgspec.UNSET
        }
        row = EventRow(
            source=source, effect="new", first=None, salt=None if salt is None else salt.hex(), payee=None,
            split=None, currency=None, amount=0, fee=0, escrow=False, memorandum=None, posted_at=posted_at, **base,
        )  # fmt: skip
        for other in [*self.accepted.values(), *self.batches.values()]:
            for known in other:
                if known.id == event.id and known.effect == "new":
                    return msgspec.structs.replace(row, effect="known", first=known.source)
        if event.licence is None:
            covered = event.work in {work.work for work in self.digests["open"]}
            owner = next(w.account for works in self.digests.values() for w in works if w.work == event.work)
            if covered:
                return msgspec.structs.replace(row, payee=owner)
            return msgspec.structs.replace(row, effect="memorandum", memorandum="not-covered", payee=owner)
        line = next(line for line in self.lines[event.licence] if line.work == event.work)
        amount = 0 if allocated(line) else line.amount * event.quantity
        return msgspec.structs.replace(
            row, payee=line.account, currency=line.currency, amount=amount, escrow=line.escrow
        )

    def batch(self, name: str, events: list[kinds.Event], time: str) -> None:
        """Report events."""
        lantern = self.people["Lantern Labs"]
        events = sorted(events, key=lambda event: event.id)
        number = identifier("bat", name)
        rows = [self.row(number, event, event_leaf(SECRET, event)[:32], time) for event in events]
        worth: list[tuple[str | None, str, int]] = []
        for event in events:
            if event.licence is not None:
                line = next(line for line in self.lines[event.licence] if line.work == event.work)
                worth.append((line.currency, event.work, 0 if allocated(line) else line.amount * event.quantity))
        payload = kinds.UsageBatch(
            registry=self.ref,
            organisation=lantern.id,
            genesis=lantern.genesis,
            batch=number,
            dataset=None,
            count=len(events),
            event_root=merkle.root(merkle.leaf_hash(event_leaf(SECRET, event)) for event in events).hex(),
            totals=totals(worth),
            snapshot=None,
            first_at=min(event.at for event in events),
            last_at=max(event.at for event in events),
            issued_at=time,
        )
        self.statement("bat", name, payload, lantern.key, time)
        self.batches[number] = rows
        self.post(number, "usage", rows, time)

    def post(self, source: str, kind: str, rows: list[EventRow], time: str) -> None:
        """Post what ``rows`` owe, and write their fees into them."""
        groups: dict[tuple[str, str, bool], list[int]] = defaultdict(list)
        for place, row in enumerate(rows):
            if row.amount:
                groups[row.payee or "", row.currency or "", row.escrow].append(place)
        for (payee, currency, escrow), places in sorted(groups.items()):
            gross = fee = 0
            for place in places:
                gross += rows[place].amount
                share, fee = gross * FEE_BPS // 10_000 - fee, gross * FEE_BPS // 10_000
                rows[place] = msgspec.structs.replace(rows[place], fee=share)
            credited = f"{'escrow' if escrow else 'payable'}:{payee}"
            organisation = self.people["Lantern Labs"].id
            lines = [(f"receivable:{organisation}", gross), (credited, fee - gross), ("fee:registry", -fee)]
            self.transfer(f"{source}/{credited}/{currency}", kind, source, currency, lines, time)

    def transfer(
        self, name: str, kind: str, source: str, currency: str, lines: list[tuple[str, int]], time: str,
        reverses: str | None = None,
    ) -> None:  # fmt: skip
        """Post one transfer."""
        number = identifiers.from_uuid("tra", UUID(int=len(self.transfers) + 1))
        rows = [LedgerRow(number, account, currency, amount) for account, amount in sorted(lines) if amount]
        self.transfers.append((TransferRow(number, time, kind, source, name, None, reverses), rows))

    def _reverse(self, time: str) -> None:
        first, entries_of = self.transfers[0]
        lines = [(entry.account, -entry.amount) for entry in entries_of]
        self.transfer("contested", "reversal", first.source, entries_of[0].currency, lines, time, first.transfer)

    def _manifest(self, who: Person) -> kinds.DatasetManifest:
        return kinds.DatasetManifest(
            registry=self.ref, dataset=identifier("dst", "lantern-train"), name="lantern-train", organisation=who.id,
            stage="files", use={"uses": ["train-gen"]}, unknown_policy="keep", match="near", min_claim_level=0,
            snapshot="0" * 64, log_size=1, decided_at="2026-11-04T00:00:00.000Z",
            parts=[{"name": "a", "rows": 3, "kept": 2, "source_digest": "0" * 64}], rows=3,
            counts={"license": 2, "deny": 1}, kept=2, decisions_root="0" * 64, row_root="0" * 64, licences=[],
            nonce="n",
        )  # fmt: skip

    def _run(self, who: Person) -> kinds.Run:
        return kinds.Run(
            registry=self.ref, organisation=who.id, genesis=who.genesis, run="2", model="lantern/lantern", version="1",
            dataset=identifier("dst", "lantern-train"), manifest="0" * 64, snapshot="0" * 64, dropped=0, licences=[],
            issued_at="2026-11-05T00:00:00.000Z", nonce="n",
        )  # fmt: skip

    # -- the bundle ----------------------------------------------------------------------------------------------

    def records(self, period: str = PERIOD) -> Records:
        """Return the records of everything in a month."""
        month, moments = period_of(period), self.log.times
        opening = sum(time < month.start for time in moments)
        beyond = min(sum(time < month.end for time in moments) + 1, len(moments))
        records = Records(About(self.ref, month, None, True, MADE_AT), opening, max(beyond, len(self.key_indices)))
        sources = {
            source: rows
            for source, rows in sorted((self.accepted | self.batches).items())
            if month.holds(rows[0].posted_at) or month.holds(moments[self.statements[source][1]])
        }
        records.closing = max(records.closing, *(self.statements[source][1] + 1 for source in sources), 0)
        first = {row.first for rows in sources.values() for row in rows}
        for source, rows in sorted((self.accepted | self.batches).items()):
            if source in sources:
                records.events += rows
            elif source in first and source in self.batches:
                self._earlier(records, source, rows)
        for number, (kind, index) in sorted(self.statements.items(), key=lambda each: each[1][1]):
            behind = kind in ("consent", "licence") and bool(sources)
            if index < records.closing and (behind or number in sources.keys() | first or month.holds(moments[index])):
                records.statements.append((kind, number, index))
        present = {number for _, number, _ in records.statements}
        records.lines = {
            number: [BundleLine(line) for line in lines] for number, lines in self.lines.items() if number in present
        }
        for name, works in self.digests.items():
            tree = merkle.Tree(merkle.leaf_hash(work_digest(work)) for work in works)
            assert not works or tree.root.hex() == works_scope(works).root
            if identifier("stm", name) in present:
                records.works += [
                    BundleWork(
                        identifier("stm", name), work, at, [to_base64(each) for each in tree.inclusion_proof(at)]
                    )
                    for at, work in enumerate(works)
                ]
        reversed_ones = {transfer.reverses for transfer, _ in self.transfers if month.holds(transfer.at)}
        for transfer, entries_of in self.transfers:
            if month.holds(transfer.at) or transfer.transfer in reversed_ones or transfer.source in sources:
                records.transfers.append((transfer, entries_of))
            if transfer.at < month.start:
                records.before.append((transfer, entries_of))
        return records

    def part(self, name: str) -> Records:
        """Return the records of what one account may see, proven piece by piece where it is not all."""
        everything, account = self.records(), self.people[name].id
        records = Records(everything.about._replace(account=account), everything.opening, everything.closing)
        own = {f"{side}:{account}" for side in ("payable", "escrow", "receivable")}
        for number, lines in self.lines.items():
            if all(line.account == account for line in lines):
                records.lines[number] = [BundleLine(line) for line in lines]
            elif any(line.account == account for line in lines):
                tree = merkle.Tree(merkle.leaf_hash(encode(line)) for line in lines)
                records.lines[number] = [
                    BundleLine(line, at, [to_base64(each) for each in tree.inclusion_proof(at)])
                    for at, line in enumerate(lines)
                    if line.account == account
                ]
        for source, rows in sorted((self.accepted | self.batches).items()):
            if everything.about.period.holds(rows[0].posted_at):
                mine = [row for row in rows if row.payee == account]
                records.events += mine
                if source in self.batches and len(mine) < len(rows):
                    tree = merkle.Tree(merkle.leaf_hash(bytes.fromhex(r.salt or "") + encode(r.event)) for r in rows)
                    records.proofs += [
                        EventProof(source, row.id, at, [to_base64(each) for each in tree.inclusion_proof(at)])
                        for at, row in enumerate(rows)
                        if row in mine
                    ]
        relied = {each.line.statement for lines in records.lines.values() for each in lines}
        relied |= {row.statement for row in records.events if row.statement} | {row.source for row in records.events}
        relied |= records.lines.keys() | {identifier("stm", f"{name} catalogue")}
        records.statements = [each for each in everything.statements if each[1] in relied]
        records.works = [work for work in everything.works if work.statement in relied]
        records.transfers = [each for each in everything.transfers if any(row.account in own for row in each[1])]
        records.before = everything.before
        return records

    def _earlier(self, records: Records, batch: str, rows: list[EventRow]) -> None:
        wanted = {row.id for other in self.batches.values() for row in other if row.first == batch}
        tree = merkle.Tree(merkle.leaf_hash(bytes.fromhex(row.salt or "") + encode(row.event)) for row in rows)
        for at, row in enumerate(rows):
            if row.id in wanted:
                plain = {"payee": None, "currency": None, "amount": 0, "fee": 0, "escrow": False, "memorandum": None}
                records.events.append(msgspec.structs.replace(row, effect="earlier", **plain))
                path = [to_base64(each) for each in tree.inclusion_proof(at)]
                records.proofs.append(EventProof(batch, row.id, at, path))

    def write(self, records: Records, path: Path, office: SigningKey | None = None) -> Path:
        """Write ``records`` as a bundle signed by the registry's office."""
        period, log = records.about.period, self.log
        with path.open("wb") as out:
            writer = BundleWriter(out, records.about)
            first = max(0, records.opening - 1)
            frontier = merkle.Frontier()
            frontier.extend(merkle.leaf_hash(entry) for entry in log.entries[:first])
            tree = log.tree(records.closing)
            hashes = tree.consistency_proof(records.opening) if records.opening else []
            writer.log(
                opening=log.note(records.opening),
                closing=log.note(records.closing),
                consistency=Consistency(records.opening, records.closing, [to_base64(each) for each in hashes]),
                frontier=frontier.encode(),
                keys=[log.evidence(index, records.closing) for index in self.key_indices],
            )
            with writer.entries() as member:
                for entry in log.entries[first : records.closing]:
                    member.write(framed(entry))
            for kind, number, index in records.statements:
                writer.statement(kind, number, self.file(index, records.closing), log.times[index])
            for number, lines in records.lines.items():
                writer.lines(number, lines)
            with writer.works() as works:
                works.write(records.works)
            writer.left_out(records.left_out)
            with writer.events() as events:
                events.write(records.events)
            writer.proofs(records.proofs)
            if records.closed is not None:
                with writer.closed() as closed:
                    closed.write(records.closed)
            balances = records.balances if records.balances is not None else balances_of(records, period)
            with writer.ledger(balances) as ledger:
                for transfer, rows in records.transfers:
                    ledger.write(transfer, rows)
            writer.finish(office or self.working["office"])
        return path

    def file(self, index: int, size: int) -> StatementFile:
        """Return the statement file of entry ``index``."""
        proven = self.log.evidence(index, size)
        payload = msgspec.json.decode(proven.envelope.body)
        account = payload.get("account") or payload.get("organisation")
        own = [person.index for person in self.people.values() if person.id == account]
        history = [self.log.evidence(each, size) for each in [*self.key_indices, *own]]
        return StatementFile(proven.envelope, proven.salt, proven.entry, proven.proof, history)


def balances_of(records: Records, period: Period) -> list[BalanceRow]:
    """Return the balances that follow from all transfers."""
    columns: dict[tuple[str, str], dict[str, int]] = defaultdict(lambda: defaultdict(int))
    account = records.about.account
    shown = {f"{side}:{account}" for side in ("payable", "escrow", "receivable")}
    for transfer, rows in [*records.before, *(each for each in records.transfers if period.holds(each[0].at))]:
        kind = {**dict.fromkeys(ACCRUALS, "accrued"), "reversal": "reversed"}.get(transfer.kind, "settled")
        column = kind if period.holds(transfer.at) else "opening"
        for row in rows:
            if account is None or row.account in shown:
                columns[row.account, row.currency][column] += row.amount
    names = ("opening", "accrued", "reversed", "settled")
    return [
        BalanceRow(
            account=place[0], currency=place[1], closing=sum(sums.values()), **{name: sums[name] for name in names}
        )
        for place, sums in sorted(columns.items())
    ]


# -- bundles that were tampered with ---------------------------------------------------------------------------------


def unpacked(path: Path) -> dict[str, bytes]:
    """Return the members of a bundle."""
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def repacked(path: Path, members: dict[str, bytes], office: SigningKey, **changes: Any) -> Path:
    """Write ``members`` as a bundle again, its manifest made anew and signed by ``office``."""
    old = msgspec.json.decode(envelopes.parse(members[layout.MANIFEST]).body, type=kinds.AuditBundle)
    out = io.BytesIO()
    packer = Packer(out)
    for name, data in members.items():
        if name != layout.MANIFEST:
            packer.add(name, data)
    listed = [kinds.BundleMember(*member) for member in packer.members]
    manifest = msgspec.structs.replace(old, **({"members": listed} | changes))
    packer.add(layout.MANIFEST, envelopes.encode(envelopes.seal(manifest, office)))
    packer.close()
    path.write_bytes(out.getvalue())
    return path


def packed(path: Path, members: dict[str, bytes]) -> Path:
    """Write ``members`` as a bundle as they are."""
    with path.open("wb") as out:
        packer = Packer(out)
        for name, data in members.items():
            packer.add(name, data)
        packer.close()
    return path
