"""Who acts in a history: each does something, tries again until it is acknowledged, and writes down what was said.

Organisations report, correct and license over HTTP. The office records payments and refunds charges, others post
transfers, now or into months that are being closed, as the commands and the worker do it.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, TypeVar
from uuid import UUID

import httpx
import msgspec

from licet import identifiers, times
from licet.audit.layout import period_of
from licet.statements import envelope as envelopes
from licet.statements.kinds import Event, UsageBatch
from licet.wire.common import Receipt
from licet.wire.licensing import LicenceGranted, Quote
from licet.wire.usage import UsageAccepted, UsageBatchSubmit
from registry import closing, ledger
from registry.closing.steps import SOONEST
from registry.database import Connection
from registry.errors import Conflict, Unavailable
from registry.ledger import Entry, PeriodClosed, Transfer, periods
from registry.settlement import banking, refunding
from tests.registry.harness import Running
from tests.registry.market import TRAIN, Shelf, Trainer, granted, reported
from tests.registry.usage.test_corrections import correction

T = TypeVar("T")
FIRST_MONTH = "2024-01"
# Why an event is not corrected: another was faster, or its charge was refunded.
_REFUSALS = ("said last", "when it was made", "next correction", "was given back")
ACCOUNTS = ("payable:art_a", "escrow:art_a", "residue:registry", "fee:registry")


@dataclass
class History:
    """What was attempted, by its key, and what of it was acknowledged."""

    chance: random.Random
    events: set[str] = field(default_factory=set)
    sent: set[str] = field(default_factory=set)
    batches: dict[str, tuple[UsageAccepted, set[str]]] = field(default_factory=dict)
    said: dict[str, tuple[Event, int, int]] = field(default_factory=dict)  # the last correction: number and quantity
    accepting: set[str] = field(default_factory=set)  # digests of quotes
    licences: dict[str, LicenceGranted] = field(default_factory=dict)
    paying: dict[str, int] = field(default_factory=dict)
    paid: dict[str, UUID] = field(default_factory=dict)
    refunding: set[UUID] = field(default_factory=set)
    refunded: set[UUID] = field(default_factory=set)
    posting: set[str] = field(default_factory=set)
    posted: set[str] = field(default_factory=set)
    late: set[str] = field(default_factory=set)  # refused, because their month had ended
    resolved: dict[str, tuple[UUID, bool]] = field(default_factory=dict)  # pending transfers: by what, whether posted
    closed: dict[str, int] = field(default_factory=dict)
    again: Counter[str] = field(default_factory=Counter)
    ended: bool = False
    _more: asyncio.Event = field(default_factory=asyncio.Event)

    def acknowledged(self) -> dict[str, int]:
        """How many of each."""
        parts = ("batches", "licences", "paid", "refunded", "posted", "resolved", "closed")
        return {name: len(getattr(self, name)) for name in parts}

    async def go_on(self, many: int) -> None:
        """Return once ``many`` more were acknowledged, and batches among them."""
        batches, wanted = len(self.batches), sum(self.acknowledged().values()) + many
        while len(self.batches) == batches or sum(self.acknowledged().values()) < wanted:
            self._more.clear()
            await asyncio.wait_for(self._more.wait(), 60)

    async def insist(self, act: Callable[..., Awaitable[T]], *given: Any) -> T:
        """Do it until it is acknowledged."""
        while True:
            try:
                done = await act(*given)
                if isinstance(done, httpx.Response) and done.status_code == 503:
                    raise Unavailable(done.text)
            except (httpx.TransportError, Unavailable):
                self.again[act.__name__] += 1
                await asyncio.sleep(0.01)
            else:
                self._more.set()
                return done

    def sometimes(self) -> bool:
        """Whether to do it once more, though it was acknowledged."""
        return self.chance.random() < 0.3


@dataclass
class Lab:
    """An organisation with a licence for the works on a shelf."""

    lantern: Trainer
    licence: LicenceGranted
    shelf: Shelf
    history: History

    async def report(self) -> None:
        """Report runs that others report too."""
        history, number = self.history, 1
        while not history.ended:
            number += 1
            run = str(history.chance.randrange(max(2, number - 5), number + 1))
            events = self.lantern.events(self.licence, run, outputs=history.chance.randint(1, 9_999))
            batch = self._batch(events)
            done = reported(await history.insist(self.lantern.send, batch))
            history.batches[done.batch] = (done, {event.id for event in events})
            if not done.known:
                history.said |= {event.id: (event, 0, event.quantity) for event in events}
            if history.sometimes():
                repeated = reported(await history.insist(self.lantern.send, batch))
                same_receipt(repeated.receipt, done.receipt)
                assert msgspec.structs.replace(repeated, receipt=done.receipt) == done

    async def correct(self) -> None:
        """Correct what was reported, while another corrects the same: whoever comes second is told so."""
        history = self.history
        while not history.ended:
            mine = [each for each in history.said.values() if each[0].licence == self.licence.licence]
            if not mine:
                await asyncio.sleep(0.01)
                continue
            event, number, last = history.chance.choice(mine[-6:])
            quantity = history.chance.choice([each for each in (0, 7, 70_000) if each != last])
            right = correction(event, quantity, was=last, number=number + 1)
            answer = await history.insist(self.lantern.send, self._batch([right]))
            if answer.status_code == 422:
                assert any(each in answer.text for each in _REFUSALS), answer.text
                await asyncio.sleep(0.01)
                continue
            done = reported(answer)
            history.batches[done.batch] = (done, {right.id})
            if history.said[event.id][1] == number:
                history.said[event.id] = (event, number + 1, quantity)

    async def license(self, name: str) -> None:
        """Take licences for further versions of the model."""
        history, number = self.history, 0
        while not history.ended:
            number += 1
            asked = await history.insist(self._ask, f"{name}-{number}")
            assert asked.status_code == 201, asked.text
            quote = msgspec.json.decode(asked.content, type=Quote)
            history.accepting.add(quote.digest)
            licence = granted(await history.insist(self.lantern.accept, quote))
            history.licences[licence.licence] = licence
            repeated = granted(await history.insist(self.lantern.accept, quote))
            same_receipt(repeated.receipt, licence.receipt)
            assert (repeated.licence, repeated.posted) == (licence.licence, licence.posted)

    def _batch(self, events: list[Event]) -> UsageBatchSubmit:
        batch = self.lantern.batch(events, self.licence.lines)
        self.history.events |= {event.id for event in events}
        self.history.sent.add(envelopes.read_as(UsageBatch, batch.envelope).batch)
        return batch

    async def _ask(self, version: str) -> httpx.Response:
        return await self.lantern.ask(self.shelf.wanted(), use=msgspec.structs.replace(TRAIN, version=version))


@dataclass
class Office:
    """Whoever works on the service's own machine."""

    site: Running
    history: History

    async def record_payments(self, organisation: str) -> None:
        """Record payments that others record too."""
        history, number = self.history, 0
        while not history.ended:
            number += 1
            amount = history.chance.randrange(max(1, number - 4), number + 1)
            name = f"{organisation}-{amount}"
            history.paying[name] = amount
            found = await history.insist(self._pay, organisation, name, amount)
            assert history.paid.setdefault(name, found) == found

    async def _pay(self, organisation: str, name: str, amount: int) -> UUID:
        return await banking.record_by_hand(
            self.site.services, organisation, amount, "USD", reference=name, reason="paid", booked_on=date(2026, 11, 2)
        )

    async def refund(self) -> None:
        """Refund charges that others refund too."""
        history = self.history
        while not history.ended:
            number = await history.insist(self._charge)
            if number is None:
                await asyncio.sleep(0.02)
                continue
            history.refunding.add(number)
            if await history.insist(self._refund, number):
                history.refunded.add(number)
            await asyncio.sleep(0.02)

    async def _charge(self) -> UUID | None:
        async with self.site.services.database.acquire() as conn:
            charges = await conn.fetch(
                "select id from transfers where kind in ('usage', 'licence') order by id desc limit 5"
            )
        return self.history.chance.choice(charges)["id"] if charges else None

    async def _refund(self, number: UUID) -> bool:
        """Refund a charge, unless a correction gave back of it: return whether it is."""
        try:
            await refunding.refund(self.site.services, identifiers.from_uuid("tra", number), "not theirs")
        except Conflict as error:
            if "corrected to fewer uses since" not in str(error):
                raise
            return False
        return True

    async def post(self) -> None:
        """Post transfers that others post too, into months that are closed meanwhile."""
        history = self.history
        while not history.ended:
            month = period_of(max(history.closed, default=FIRST_MONTH))
            for _ in range(history.chance.randrange(4)):
                month = periods.month_of(periods.first_moment(month.end))
            transfer = transfer_of(f"{month.name}/{history.chance.randrange(40)}")
            history.posting.add(transfer.key)
            try:
                await history.insist(self._post, transfer)
            except PeriodClosed:
                history.late.add(transfer.key)
            else:
                history.posted.add(transfer.key)

    async def _post(self, transfer: Transfer) -> None:
        async def post(conn: Connection) -> None:
            await ledger.post(conn, [transfer])

        await self.site.services.database.run(post)

    async def resolve(self) -> None:
        """Hold transfers, and post or void them."""
        history, number = self.history, 0
        while not history.ended:
            number += 1
            key = f"held/{number}"
            history.posting.add(key)
            found, posted = await history.insist(self._resolve, transfer_of(key), number % 2 == 0), number % 2 == 0
            history.resolved[key] = (found, posted)
            if history.sometimes():
                assert await history.insist(self._resolve, transfer_of(key), posted) == found

    async def _resolve(self, transfer: Transfer, posting: bool) -> UUID:
        database, key, now = self.site.services.database, f"{transfer.key}/resolved", times.now()

        async def hold(conn: Connection) -> UUID:
            await ledger.pend(conn, [transfer])
            found: UUID = await conn.fetchval("select id from transfers where key = $1", transfer.key)
            return found

        pending = await database.run(hold)

        async def resolve(conn: Connection) -> UUID:
            if posting:
                return await ledger.post_pending(conn, pending, kind="held-test", key=key, at=now, source="lic_x")
            return await ledger.void(conn, pending, key=key, at=now, source="lic_x")

        return await database.run(resolve)

    async def close(self) -> None:
        """Close one month after the other, as long as there are any that are over."""
        history, here = self.history, 0
        while not history.ended:
            if len(history.posted) < here + 5:
                await asyncio.sleep(0.01)
                continue
            here = len(history.posted)
            done = await history.insist(closing.close_due, self.site.services, times.now(), SOONEST)
            if done is None:
                return
            history.closed[done[0]] = done[1]


def transfer_of(key: str) -> Transfer:
    """Return the transfer of ``key``, always the same one: of a month's middle, or of this moment if it names none."""
    chance = random.Random(key)
    first, second, third = chance.sample(ACCOUNTS, 3)
    amounts = {currency: chance.sample(range(1, 10**9), 2) for currency in ("USD", "CNY")}
    sides = [
        Entry(account, currency, amount)
        for currency, (one, two) in amounts.items()
        for account, amount in ((first, one), (second, two), (third, -one - two))
    ]
    month = key.partition("/")[0]
    at = times.now() if month == "held" else datetime.fromisoformat(f"{month}-15T00:00:00+00:00")
    return Transfer(key, "settlement-test", at, "lic_x", tuple(sides))


def same_receipt(one: Receipt, other: Receipt) -> None:
    """Both say the same of one entry of the log; the checkpoint under which they prove it may be another."""
    assert msgspec.structs.replace(one, proof=other.proof) == other
