"""Trainers for tests: questions, quotes, licences and usage against a whole running service."""

from __future__ import annotations

import base64
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import httpx
import msgspec

from licet import identifiers, times
from licet.statements import envelope as envelopes
from licet.statements.envelope import Envelope
from licet.statements.kinds import Budget, DatasetManifest, Event, LicenceLine, ModelCard, Run, UsageBatch, Use
from licet.statements.licences import events_root, licence_payload
from licet.statements.owed import owed, run_events, totals
from licet.terms import Terms
from licet.wire.licensing import LicenceAccept, LicenceGranted, Quote, QuoteRequest, WorkWanted
from licet.wire.usage import Balance, StatementOnly, UsageAccepted, UsageBatchSubmit
from registry import ledger, licensing, usage  # noqa: F401  # the domains under test
from registry.agreements import verification as agreements_verification
from registry.duties import verification as duties_verification
from registry.licensing import verification as licensing_verification
from registry.splits import verification as splits_verification
from registry.usage import verification as usage_verification
from tests.registry.catalogue import Artist, artist, picture
from tests.registry.harness import Account, Running

TRAIN = Use(
    atoms=["train-gen"],
    purpose=["commercial"],
    territory=None,
    model="acme/lantern",
    version="1",
    model_scope="one-version",
    open_weights=None,
)
SECRET = bytes(range(32))
_seeds = itertools.count(10_000)


@dataclass
class Shelf:
    """Works of one artist under one statement."""

    owner: Artist
    statement: str
    works: list[str]

    def wanted(self, match: str = "exact") -> list[WorkWanted]:
        """Return all of them as a trainer would ask for them."""
        return [WorkWanted(work, self.statement, match) for work in self.works]  # type: ignore[arg-type]


@dataclass
class Trainer:
    """An organisation that licenses and reports."""

    site: Running
    account: Account

    @property
    def id(self) -> str:
        return self.account.id

    @property
    def http(self) -> httpx.AsyncClient:
        return self.account.http

    async def ask(
        self,
        works: Sequence[WorkWanted],
        budget: str | None = "1000USD",
        *,
        amounts: Sequence[Budget] | None = None,
        **fields: Any,
    ) -> httpx.Response:
        """Ask for a quote within ``budget``, such as ``5USD 3EUR``, or exactly ``amounts``."""
        if amounts is None:
            amounts = [] if budget is None else [budgeted(each) for each in budget.split()]
        request = QuoteRequest(
            **{"use": TRAIN, "works": list(works), "dataset": None, "run": "1", "budget": list(amounts), **fields}
        )
        return await self.http.post("/v1/quotes", content=msgspec.json.encode(request))

    async def quote(self, works: Sequence[WorkWanted], budget: str | None = "1000USD", **fields: Any) -> Quote:
        """Return the quote for these works."""
        answer = await self.ask(works, budget, **fields)
        assert answer.status_code == 201, answer.text
        return msgspec.json.decode(answer.content, type=Quote)

    def acceptance(self, quote: Quote, **changes: Any) -> LicenceAccept:
        """Return what accepts ``quote``, with some fields of the payload changed."""
        payload = licence_payload(
            registry=self.site.services.keys.ref,
            genesis=self.account.genesis,
            quote=quote.quote,
            digest=quote.digest,
            organisation=quote.organisation,
            use=quote.use,
            dataset=quote.dataset,
            run=quote.run,
            lines=quote.lines,
            totals=quote.totals,
            budget=quote.budget,
            fee_bps=quote.fee_bps,
            issued_at=quote.issued_at,
            valid_until=quote.valid_until,
            agreement=quote.agreement,
        )
        signed = envelopes.seal(msgspec.structs.replace(payload, **changes), self.account.key)
        return LicenceAccept(quote.quote, signed)

    async def accept(self, quote: Quote, **changes: Any) -> httpx.Response:
        """Sign and send the acceptance of ``quote``."""
        return await self.site.post("/v1/licences", self.acceptance(quote, **changes), http=self.http)

    async def license(self, works: Sequence[WorkWanted], budget: str = "1000USD", **fields: Any) -> LicenceGranted:
        """Quote and accept."""
        return granted(await self.accept(await self.quote(works, budget, **fields)))

    def events(self, licence: LicenceGranted, run: str, first_run: str = "1", **fields: Any) -> list[Event]:
        """Return the events of a run under ``licence``."""
        return run_events(
            organisation=self.id,
            licence=licence.licence,
            first_run=first_run,
            run=run,
            lines=licence.lines,
            at=fields.pop("at", times.to_text(times.now())),
            **fields,
        )

    def batch(
        self, events: Sequence[Event], lines: Sequence[LicenceLine] = (), secret: bytes = SECRET, **changes: Any
    ) -> UsageBatchSubmit:
        """Return a signed batch; ``lines`` say what the events owe, ``changes`` spoil the payload."""
        by_work = {line.work: line for line in lines}
        due = []
        for event in events:
            line = by_work.get(event.work)
            amount = None if line is None or event.licence is None else owed(line, event, "1")
            if line is not None and amount is not None:
                due.append((line.currency, event.work, amount))
        fields: dict[str, Any] = {
            "registry": self.site.services.keys.ref,
            "organisation": self.id,
            "genesis": self.account.genesis,
            "batch": identifiers.new_id("bat"),
            "dataset": None,
            "count": len(events),
            "event_root": events_root(secret, events),
            "totals": totals(due),
            "snapshot": None,
            "first_at": min(event.at for event in events),
            "last_at": max(event.at for event in events),
            "issued_at": times.to_text(times.now()),
            **changes,
        }
        envelope = envelopes.seal(UsageBatch(**fields), self.account.key)
        return UsageBatchSubmit(envelope, list(events), base64.b64encode(secret).decode())

    async def send(self, batch: UsageBatchSubmit) -> httpx.Response:
        """Send a batch."""
        return await self.site.post("/v1/usage/batches", batch, http=self.http)

    async def report(self, licence: LicenceGranted, run: str, **fields: Any) -> UsageAccepted:
        """Report a run under ``licence``."""
        return reported(await self.send(self.batch(self.events(licence, run, **fields), licence.lines)))

    def manifest(self, snapshot: str, **changes: Any) -> Envelope:
        """Return a signed dataset manifest."""
        fields: dict[str, Any] = {
            "registry": self.site.services.keys.ref,
            "dataset": identifiers.new_id("dst"),
            "name": "lantern-train",
            "organisation": self.id,
            "stage": "files",
            "use": {"uses": ["train-gen"], "purpose": ["commercial"]},
            "unknown_policy": "exclude",
            "match": "near",
            "min_claim_level": 0,
            "snapshot": snapshot,
            "log_size": 1,
            "decided_at": times.to_text(times.now()),
            "parts": [{"name": "a", "rows": 3, "kept": 1}, {"name": "b", "rows": 1, "kept": 1}],
            "rows": 4,
            "counts": {"license": 2, "deny": 1, "unknown": 1},
            "kept": 2,
            "decisions_root": "ab" * 32,
            "row_root": "cd" * 32,
            "licences": [],
            "nonce": identifiers.new_uuid().hex,
            **changes,
        }
        return envelopes.seal(DatasetManifest(**fields), self.account.key)

    def run(self, dataset: str, manifest: str, snapshot: str, **changes: Any) -> Envelope:
        """Return a signed training run."""
        fields: dict[str, Any] = {
            "registry": self.site.services.keys.ref,
            "organisation": self.id,
            "genesis": self.account.genesis,
            "run": "1",
            "model": "acme/lantern",
            "version": "1",
            "dataset": dataset,
            "manifest": manifest,
            "snapshot": snapshot,
            "dropped": 0,
            "licences": [],
            "issued_at": times.to_text(times.now()),
            "nonce": identifiers.new_uuid().hex,
            **changes,
        }
        return envelopes.seal(Run(**fields), self.account.key)

    def card(self, **changes: Any) -> Envelope:
        """Return a signed model card."""
        fields: dict[str, Any] = {
            "registry": self.site.services.keys.ref,
            "organisation": self.id,
            "genesis": self.account.genesis,
            "model": "acme/lantern",
            "version": "1",
            "status": "released",
            "listed": True,
            "dated": "2026-11-01",
            "family": "Lantern",
            "summary": "Draws lanterns.",
            "card_url": "https://acme.example/lantern",
            "open_weights": False,
            "base": None,
            "issued_at": times.to_text(times.now()),
            "nonce": identifiers.new_uuid().hex,
            **changes,
        }
        return envelopes.seal(ModelCard(**fields), self.account.key)

    async def log(self, path: str, envelope: Envelope) -> httpx.Response:
        """Send a statement that needs nothing beside it."""
        return await self.site.post(path, StatementOnly(envelope), http=self.http)


async def trainer(site: Running, name: str = "Lantern Labs") -> Trainer:
    """Open an organisation."""
    return Trainer(site, await site.account("organisation", name))


async def shelf(site: Running, terms: Terms, count: int = 2, *, level: int = 2, owner: Artist | None = None) -> Shelf:
    """Return ``count`` new works of an artist (a new one of claim ``level``, without one) under ``terms``."""
    if owner is None:
        owner = await artist(site)
        if level:
            await owner.raise_level(level)
    works = []
    for _ in range(count):
        outcome = await owner.picture(picture(next(_seeds), side=96))
        assert outcome.status == "registered", outcome
        works.append(outcome.work)
    statement = await owner.state(works, terms)
    return Shelf(owner, statement.statement, works)


def budgeted(text: str) -> Budget:
    """Return the budget that ``5USD`` writes."""
    return Budget(text[-3:], int(float(text[:-3]) * 1_000_000))


def granted(answer: httpx.Response) -> LicenceGranted:
    """Return the licence that ``answer`` must be."""
    assert answer.status_code == 201, answer.text
    return msgspec.json.decode(answer.content, type=LicenceGranted)


def reported(answer: httpx.Response) -> UsageAccepted:
    """Return the report that ``answer`` must be."""
    assert answer.status_code == 201, answer.text
    return msgspec.json.decode(answer.content, type=UsageAccepted)


def problem(answer: httpx.Response) -> tuple[int, str, str]:
    """Return status, slug and detail of the problem that ``answer`` must be."""
    body = msgspec.json.decode(answer.content)
    return answer.status_code, str(body["type"]).rpartition("/")[2], str(body["detail"])


async def balance(http: httpx.AsyncClient) -> dict[tuple[str, str], str]:
    """Return (account, currency) → amount, as the caller sees it."""
    answer = await http.get("/v1/ledger/balance")
    assert answer.status_code == 200, answer.text
    found = msgspec.json.decode(answer.content, type=Balance)
    return {(line.account, line.currency): line.amount for line in found.lines}


async def nothing_is_wrong(site: Running) -> None:
    """Count everything again: licences, events, ledger."""
    async with site.services.database.transaction() as conn:  # cursors need one
        assert await splits_verification.rebuild(conn) == []
        assert await licensing_verification.rebuild(conn) == []
        assert await agreements_verification.rebuild(conn) == []
        assert await duties_verification.rebuild(conn) == []
        assert await usage_verification.rebuild(conn) == []
        assert await ledger.rebuild(conn) == []
