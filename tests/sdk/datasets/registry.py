"""A registry on a loopback port, small but real: it signs, logs, quotes, grants and posts with the SDK's own functions.

What it keeps is in memory, and what it decides comes from the records that a test gave it. Everything that the client
checks is there to be checked: keys under a root, a log with proofs, a signed snapshot, licences with two signatures.
"""

from __future__ import annotations

import base64
import contextlib
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec

from licet import identifiers, times
from licet.canonical import to_base64
from licet.decisions import Request, State, decide, for_match
from licet.index import Published, WorkRecord, manifest, state_root, write_segments
from licet.index.store import envelope_digest
from licet.log import checkpoint, entry, merkle, note, proof
from licet.statements import envelope as envelopes
from licet.statements import kinds
from licet.statements.envelope import Envelope
from licet.statements.keys import KeySet, SigningKey
from licet.statements.licences import events_root, licence_payload, quote_digest
from licet.statements.owed import due_at_accept, run_events, totals
from licet.statements.trust import Trust
from licet.terms import Terms
from licet.wire.accounts import RegistryInfo
from licet.wire.common import KeyEvidence, Page, Receipt
from licet.wire.duties import DutyInfo, DutyShown, Effect
from licet.wire.licensing import LeftOut, LicenceAccept, LicenceGranted, Quote, QuoteRequest
from licet.wire.usage import Logged, StatementOnly, UsageAccepted, UsageBatchSubmit

ORIGIN = "registry.example/log"
PURPOSES = ("log", "snapshot", "licence", "office")
FEE_BPS = 500


class Answered(Exception):
    """A problem document instead of a body."""

    def __init__(self, status: int, slug: str, detail: str = "") -> None:
        super().__init__(detail)
        self.status = status
        self.slug = slug
        self.detail = detail


class Registry:
    """The registry. ``records`` are its works; `publish` makes a snapshot of them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.root = SigningKey.generate()
        self.working = {purpose: SigningKey.generate() for purpose in PURPOSES}
        self.trust = Trust(ORIGIN, self.root.public.hex())
        self.records: dict[bytes, WorkRecord] = {}
        self.leaves: list[bytes] = []
        self.published: Published | None = None
        self.sequence = 0
        self.previous: str | None = None
        self.members: dict[str, SigningKey] = {}  # organisation → its key
        self.genesis: dict[str, str] = {}
        self.quotes: dict[str, Quote] = {}
        self.licences: dict[str, LicenceGranted] = {}
        self.owners: dict[str, str] = {}
        self.duties: dict[str, DutyShown] = {}
        self.events: dict[str, kinds.Event] = {}
        self.batches: dict[str, UsageAccepted] = {}
        self.datasets: dict[str, Envelope] = {}
        self.runs: dict[str, Envelope] = {}
        self.calls: Counter[str] = Counter()
        self.before: dict[str, Callable[[], None]] = {}  # by path: called before the request is answered
        self.after: dict[str, Callable[[], None]] = {}  # by path: called once it took effect, before the answer
        self.url = ""
        self.keys = [self._name_key(purpose) for purpose in PURPOSES]

    def _name_key(self, purpose: str) -> KeyEvidence:
        statement = kinds.RegistryKey(
            self.trust.ref,
            purpose,  # type: ignore[arg-type]
            kinds.PublicKey(self.working[purpose].public.hex()),
            times.to_text(times.now() - timedelta(days=9)),
            None,
        )
        envelope = envelopes.seal(statement, self.root)
        receipt = self.log(envelope, "key")
        return KeyEvidence(envelope, receipt.salt, receipt.entry, receipt.proof)

    def names_key(self, purpose: str) -> None:
        """Name a new working key for ``purpose``, as the root does for its successor."""
        self.working[purpose] = SigningKey.generate()
        self.keys = [*self.keys, self._name_key(purpose)]

    def log(self, envelope: Envelope, name: str) -> Receipt:
        """Append a statement and return its receipt."""
        public = envelope.kind in entry.PUBLIC_KINDS
        salt = None if public else sha256(f"salt {len(self.leaves)}".encode()).digest()
        commitment = entry.commitment(envelope.kind, salt, envelopes.encode(envelope))
        data = entry.encode(entry.Entry(1, envelope.kind, times.to_text(times.now()), commitment))
        self.leaves.append(merkle.leaf_hash(data))
        tree = merkle.Tree(self.leaves)
        signer = note.Signer(ORIGIN, self.working["log"].seed)
        signed = checkpoint.sign(checkpoint.Checkpoint(ORIGIN, tree.size, tree.root), signer)
        index = tree.size - 1
        text = proof.encode(proof.Proof(index, tuple(tree.inclusion_proof(index)), signed))
        return Receipt(name, envelope.kind, index, to_base64(data), None if salt is None else to_base64(salt), text)

    def checkpoint(self) -> str:
        """Return what the log signs of itself now."""
        signer = note.Signer(ORIGIN, self.working["log"].seed)
        return checkpoint.sign(checkpoint.Checkpoint(ORIGIN, len(self.leaves), merkle.Tree(self.leaves).root), signer)

    def publish(self, issued_at: datetime | None = None) -> None:
        """Publish a snapshot of all records."""
        records = list(self.records.values())
        self.sequence += 1
        payload = manifest(
            registry=self.trust.ref,
            sequence=self.sequence,
            previous=self.previous,
            consent_version=self.sequence,
            log_size=len(self.leaves),
            log_root=merkle.Tree(self.leaves).root.hex(),
            segments=write_segments(records, self.folder),
            works=len(records),
            state_root=state_root(records),
            issued_at=issued_at or datetime.now(UTC),
        )
        envelope = envelopes.seal(payload, self.working["snapshot"])
        self.previous = envelope_digest(envelope)
        self.published = Published(envelope, self.log(envelope, "snapshot"))

    def change(self, work: bytes, **fields: Any) -> None:
        """Change what is stated about a work, under a new statement, and publish."""
        record = msgspec.structs.replace(self.records[work], statement=identifiers.new_uuid().bytes, **fields)
        self.records[work] = record
        self.publish()

    def revoke(self, licence: str, over_at: str, effect: Effect = "retire-model") -> str:
        """Return the duty that the artists of ``licence`` cause by revoking all of it, with a notice until then."""
        granted = self.licences[licence]
        works = [line.work for line in granted.lines]
        duty = identifiers.new_id("dut")
        info = DutyInfo(
            duty=duty,
            licence=licence,
            organisation=self.owners[licence],
            name="Lantern Labs",
            account=granted.lines[0].account,
            model="acme/lantern",
            version="1",
            effect=effect,
            notice_days=0,
            works=len(works),
            state="open",
            document="00" * 32,
            revoked_at=times.to_text(times.now()),
            due_at=over_at,
            done_at=None,
            log_index=1,
        )
        self.duties[duty] = DutyShown(info, works, None, None)
        return duty

    # -- what the client asks ----------------------------------------------------------------------------------

    def answer(self, method: str, path: str, body: bytes, token: str | None) -> Any:
        """Return the body of an answer; raises ``Answered``."""
        if path == "/v1/registry":
            return RegistryInfo(ORIGIN, self.trust.ref.key, self.trust.root, "vkey", self.keys, FEE_BPS, 1, "test")
        if path == "/snapshots/latest":
            if self.published is None:
                raise Answered(404, "not-found")
            return self.published
        if path == "/log/checkpoint":
            return self.checkpoint().encode()
        if path.startswith("/v1/statements/") and token in self.members:
            raise Answered(404, "not-found")
        if path.startswith("/snapshots/segments/"):
            return (self.folder / path.rsplit("/", 1)[1]).read_bytes()
        if token not in self.members:
            raise Answered(401, "unauthenticated")
        match method, path:
            case "POST", "/v1/quotes":
                return self.quote(token, msgspec.json.decode(body, type=QuoteRequest))
            case "POST", "/v1/licences":
                return self.accept(token, msgspec.json.decode(body, type=LicenceAccept))
            case "POST", "/v1/datasets":
                return self.keep(token, body, kinds.DatasetManifest, self.datasets, "dataset")
            case "POST", "/v1/runs":
                return self.keep(token, body, kinds.Run, self.runs, "run")
            case "POST", "/v1/usage/batches":
                return self.usage(token, msgspec.json.decode(body, type=UsageBatchSubmit))
            case "GET", "/v1/duties":
                return Page([each.duty for each in self.duties.values()])
        if path.startswith("/v1/duties/"):
            return self.duties[path.rsplit("/", 1)[1]]
        if path.startswith("/v1/licences/"):
            licence = path.rsplit("/", 1)[1]
            if self.owners.get(licence) != token:
                raise Answered(404, "not-found")
            return self.licences[licence]
        raise Answered(404, "not-found", path)

    def line(self, use: kinds.Use, wanted: Any) -> kinds.LicenceLine | str:
        """Return the line of a quote for one work, or why there is none."""
        record = self.records.get(identifiers.to_uuid(wanted.work).bytes)
        if record is None:
            return "unknown"
        if _text("stm", record.statement) != wanted.statement:
            return "changed"
        request = Request(
            uses=use.atoms,
            purpose=use.purpose,
            model=f"{use.model}@{use.version}",
            territory=use.territory,
            open_weights=use.open_weights,
            at=times.to_text(times.now()),
        )
        decision = for_match(
            decide(Terms.decode(record.terms), State(record.level, record.contested), request),
            kind=wanted.match,
            key="pdq" if wanted.match == "near" else "file",
            fingerprint_only=record.fingerprint_only,
            signed=record.signed,
            quality=record.quality,
        )
        if decision.verdict != "license":
            return decision.verdict
        if decision.reason != "offer" or decision.price is None or decision.atom is None:
            return "needs-agreement"
        return kinds.LicenceLine(
            work=wanted.work,
            account=_text("art", record.account),
            statement=wanted.statement,
            terms_hash=sha256(record.terms).hexdigest(),
            atom=decision.atom,
            model=decision.price.model,
            currency=decision.price.currency,
            amount=decision.price.micro,
            match=wanted.match,
            escrow=record.level < 2,
        )

    def quote(self, organisation: str, wanted: QuoteRequest) -> Quote:
        """Return an offer."""
        held = {
            line.work: licence
            for licence, granted in self.licences.items()
            if self.owners[licence] == organisation
            and envelopes.read_as(kinds.Licence, granted.envelope).use == wanted.use
            for line in granted.lines
        }
        lines, left = [], []
        budget = {each.currency: each.amount for each in wanted.budget}
        for each in sorted(wanted.works, key=lambda work: work.work):
            line = self.line(wanted.use, each)
            if each.work in held:
                left.append(LeftOut(each.work, f"licensed:{held[each.work]}"))
            elif isinstance(line, str):
                left.append(LeftOut(each.work, line))
            else:
                lines.append(line)
        if wanted.fit_budget:
            fitting = []
            for line in sorted(lines, key=lambda each: (due_at_accept(each), each.work)):
                rest = budget.get(line.currency or "", 0) - due_at_accept(line)
                if line.currency is not None and rest < 0:
                    left.append(LeftOut(line.work, "over-budget"))
                    continue
                budget[line.currency or ""] = rest
                fitting.append(line)
            lines = sorted(fitting, key=lambda each: each.work)
        sums = _due(lines)
        allowed = {each.currency: each.amount for each in wanted.budget}
        now = times.now()
        offer = Quote(
            quote=identifiers.new_id("quo"),
            organisation=organisation,
            use=wanted.use,
            dataset=wanted.dataset,
            run=wanted.run,
            lines=lines,
            left_out=left,
            totals=sums,
            budget=sorted(wanted.budget, key=lambda each: each.currency),
            over_budget=any(total.amount > allowed.get(total.currency, 0) for total in sums),
            fee_bps=FEE_BPS,
            issued_at=times.to_text(now),
            expires_at=times.to_text(now + timedelta(minutes=15)),
            digest="",
        )
        offer = msgspec.structs.replace(offer, digest=quote_digest(offer))
        self.quotes[offer.quote] = offer
        return offer

    def accept(self, organisation: str, data: LicenceAccept) -> LicenceGranted:
        """Grant a licence and post its first run."""
        quote = self.quotes[data.quote]
        licence = identifiers.from_uuid("lic", identifiers.to_uuid(data.quote))
        if licence in self.licences:
            return self.licences[licence]
        if quote.over_budget:
            raise Answered(409, "over-budget")
        for line in quote.lines:
            work = msgspec.structs.replace(_Wanted(line.work, line.statement, line.match))
            if self.line(quote.use, work) != line:
                raise Answered(409, "works-changed", line.work)
        key = self.members[organisation]
        payload = envelopes.open_as(kinds.Licence, data.envelope, [key.keyid], KeySet([key.public]))
        expected = licence_payload(
            registry=self.trust.ref,
            genesis=self.genesis[organisation],
            quote=quote.quote,
            digest=quote.digest,
            organisation=organisation,
            use=quote.use,
            dataset=quote.dataset,
            run=quote.run,
            lines=quote.lines,
            totals=quote.totals,
            budget=quote.budget,
            fee_bps=quote.fee_bps,
            issued_at=quote.issued_at,
        )
        assert payload == expected
        sealed = envelopes.countersign(data.envelope, self.working["licence"])
        granted = LicenceGranted(licence, sealed, quote.lines, [], self.log(sealed, licence))
        self.licences[licence], self.owners[licence] = granted, organisation
        first = run_events(
            organisation=organisation,
            licence=licence,
            first_run=quote.run,
            run=quote.run,
            lines=quote.lines,
            at=times.to_text(times.now()),
        )
        self.events |= {event.id: event for event in first}
        return granted

    def keep(self, token: str, body: bytes, schema: Any, place: dict[str, Envelope], field: str) -> Logged:
        """Log a dataset or a run, once."""
        envelope = msgspec.json.decode(body, type=StatementOnly).envelope
        key = self.members[token]
        payload = envelopes.open_as(schema, envelope, [key.keyid], KeySet([key.public]))
        name = getattr(payload, field)
        known = place.setdefault(name, envelope)
        if known != envelope:
            raise Answered(409, "conflict", name)
        return Logged(name, self.log(envelope, name))

    def usage(self, organisation: str, data: UsageBatchSubmit) -> UsageAccepted:
        """Post a batch of events, each event once."""
        key = self.members[organisation]
        payload = envelopes.open_as(kinds.UsageBatch, data.envelope, [key.keyid], KeySet([key.public]))
        secret = base64.b64decode(data.secret)
        assert payload.event_root == events_root(secret, data.events)
        assert payload.count == len(data.events)
        known_batch = self.batches.get(payload.batch)
        if known_batch is not None:
            return known_batch
        new = [event for event in data.events if event.id not in self.events]
        self.events |= {event.id: event for event in new}
        outside = sum(1 for event in new if event.licence not in self.licences)
        accepted = UsageAccepted(
            payload.batch,
            len(new) - outside,
            len(data.events) - len(new),
            outside,
            self.log(data.envelope, payload.batch),
        )
        self.batches[payload.batch] = accepted
        return accepted

    @contextlib.contextmanager
    def serving(self) -> Iterator[Registry]:
        """Serve on a free loopback port."""
        registry = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1  # head and body in one packet: else each answer waits for a delayed acknowledgement
            disable_nagle_algorithm = True

            def do_GET(self) -> None:
                self._answer("GET")

            def do_POST(self) -> None:
                self._answer("POST")

            def _answer(self, method: str) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                path = self.path.partition("?")[0]
                registry.calls[f"{method} {path}"] += 1
                token = (self.headers.get("Authorization") or "").removeprefix("Bearer ") or None
                status, kind = 200, "application/json"
                try:
                    registry.before.get(path, lambda: None)()
                    found = registry.answer(method, path, body, token)
                    registry.after.get(path, lambda: None)()
                    data = found if isinstance(found, bytes) else msgspec.json.encode(found)
                except Answered as problem:
                    status, kind = problem.status, "application/problem+json"
                    data = msgspec.json.encode(
                        {"type": f"https://licet.example/problems/{problem.slug}", "title": problem.slug,
                         "status": status, "detail": problem.detail}
                    )  # fmt: skip
                except ConnectionAbortedError:
                    self.close_connection = True
                    return
                start = 0
                if self.headers.get("Range"):
                    start, status = int(self.headers["Range"].split("=")[1].rstrip("-")), 206
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(data) - start))
                self.end_headers()
                self.wfile.write(data[start:])

            def log_message(self, format: str, *args: Any) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        self.url = f"http://127.0.0.1:{server.server_address[1]}"
        try:
            yield self
        finally:
            server.shutdown()
            server.server_close()
            thread.join()


class _Wanted(msgspec.Struct):
    work: str
    statement: str
    match: str


def _due(lines: list[kinds.LicenceLine]) -> list[kinds.Total]:
    return totals((line.currency, line.work, due_at_accept(line)) for line in lines)


def _text(kind: str, number: bytes) -> str:
    return identifiers.from_uuid(kind, UUID(bytes=number))
