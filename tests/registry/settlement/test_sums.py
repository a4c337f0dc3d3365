"""Sums of what is stored may be more than 64 bits hold: whoever counts again is told of it, and nothing fails."""

from __future__ import annotations

from hashlib import sha256

import pytest

from licet import identifiers, money, times
from registry.database import Database
from registry.licensing import verification as licensing
from registry.settlement import banking, billing, service, verification
from tests.registry.settlement.bankfile import Booked, file, statement
from tests.registry.settlement.books import Office, account, owe

pytestmark = pytest.mark.anyio
HALF = 2**62


async def test_payments_beyond_64_bits_are_told_and_shown(database: Database):
    office = Office(database)
    async with database.transaction() as conn:
        await owe(conn, await account(conn), 10 * money.MICRO)
    (issued,) = await billing.issue(office.services, times.to_text(times.now())[:7])
    await banking.record(office.services, file(statement("1", Booked("10", structured=[issued.reference]))), "1.xml")
    async with database.transaction() as conn:
        payment = await conn.fetchval("select payment from invoice_payments")
        for _ in range(2):
            await conn.execute(
                "insert into invoice_payments (id, invoice, payment, amount, at) values ($1, $2, $3, $4, now())",
                identifiers.new_uuid(), issued.id, payment, HALF,
            )  # fmt: skip
        paid = 2 * HALF + 10 * money.MICRO
        told = await verification.rebuild(conn)
        assert f"invoice 1: expected from nothing to {issued.due} paid, got {paid}" in told
        assert (await service.shown(conn, None, issued.id)).invoice.paid == money.to_decimal(paid)


async def test_uses_beyond_64_bits_are_told(database: Database):
    async with database.transaction() as conn:
        lab, mei = [identifiers.to_uuid(await account(conn, kind)) for kind in ("org", "art")]
        batch, work = identifiers.new_uuid(), identifiers.new_uuid()
        for number in range(2):
            await conn.execute(
                "insert into usage_events (id, organisation, licence, work, atom, run, unit, seq, quantity, at, match, "
                "batch, artist, currency, amount, fee, escrow, posted_at) values ($1, $2, $3, $4, 'train-gen', '1', "
                "'run', $5, 1, now(), 'exact', $3, $6, 'USD', $7, 0, false, now())",
                sha256(bytes([number])).digest(), lab, batch, work, number, mei, HALF,
            )  # fmt: skip
        name = identifiers.from_uuid("org", lab)
        told = await licensing.rebuild(conn)
        assert any(f"expected {2 * HALF} micro-units of USD on receivable:{name}, got 0" in each for each in told), told
