"""Agreements, compared with what was signed: requests, answers, which licences rest on them, and what those owed."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from typing import Final

import msgspec

from licet import identifiers, times
from licet.errors import InputError
from licet.statements import envelope as envelopes
from licet.statements.closes import month_number
from licet.statements.kinds import Licence, LicenceAnswer, LicenceReply, LicenceRequest, RevenueReport
from licet.statements.owed import allocated
from licet.statements.periods import LESS
from registry.agreements import queries
from registry.agreements.allocation import Agreement, agreement_of, basis_of, owed_in
from registry.database import Connection
from registry.ledger import periods
from registry.licensing.licences import line_of
from registry.licensing.offers import model_key, use_key
from registry.licensing.queries import LINES

_PREFETCH: Final = 500
Part = tuple[str, str]  # work, currency


async def rebuild(conn: Connection) -> list[str]:
    """Return what does not hold, in words: a request, answer, reply, agreement or report that is not as it was signed,
    and an agreement that was not charged at a close what follows from its lines, uses and reports."""
    return [
        *await _requests(conn),
        *await _answers(conn),
        *await _replies(conn),
        *await _agreements(conn),
        *await _reports(conn),
        *await _closes(conn),
    ]


async def _requests(conn: Connection) -> list[str]:
    wrong = []
    async for row in conn.cursor(queries.ALL_REQUESTS, prefetch=_PREFETCH):
        if row["envelope"] is None:  # erased
            continue
        sealed = envelopes.parse(row["envelope"])
        payload = envelopes.read_as(LicenceRequest, sealed)
        signed = (
            payload.request,
            sealed.payload_digest,
            payload.organisation,
            payload.account,
            payload.works,
            (use_key(payload.use), model_key(payload.use), payload.use.model, payload.use.version),
            payload.expires_at,
        )
        kept = (
            identifiers.from_uuid("ask", row["id"]),
            row["digest"].hex(),
            identifiers.from_uuid("org", row["organisation"]),
            identifiers.from_uuid(row["kind"], row["account"]),
            [identifiers.from_uuid("wrk", work) for work in row["named"]],
            (row["use_key"], row["model_key"], row["model"], row["version"]),
            times.to_text(row["expires_at"]),
        )
        if (kept, row["works"]) != (signed, len(payload.works)):
            wrong.append(f"licence request {kept[0]}: expected what was signed, got {kept}")
    return wrong


async def _answers(conn: Connection) -> list[str]:
    wrong = []
    async for row in conn.cursor(queries.ALL_ANSWERS, prefetch=_PREFETCH):
        if row["envelope"] is None:
            continue
        sealed = envelopes.parse(row["envelope"])
        payload = envelopes.read_as(LicenceAnswer, sealed)
        signed = (sealed.payload_digest, payload.request, payload.document, payload.answer, payload.offered_until)
        kept = (
            row["digest"].hex(),
            identifiers.from_uuid("ask", row["request"]),
            row["document"].hex(),
            row["answer"],
            None if row["offered_until"] is None else times.to_text(row["offered_until"]),
        )
        if kept != signed:
            wrong.append(f"licence answer {row['id']}: expected what was signed, got {kept}")
    return wrong


async def _replies(conn: Connection) -> list[str]:
    wrong = []
    async for row in conn.cursor(queries.ALL_REPLIES, prefetch=_PREFETCH):
        if row["envelope"] is None:
            continue
        sealed = envelopes.parse(row["envelope"])
        payload = envelopes.read_as(LicenceReply, sealed)
        signed = (
            *(sealed.payload_digest, payload.request, payload.document),
            *(payload.organisation, payload.reply, payload.offer),
        )
        kept = (
            row["digest"].hex(),
            identifiers.from_uuid("ask", row["request"]),
            row["document"].hex(),
            identifiers.from_uuid("org", row["organisation"]),
            row["reply"],
            None if row["offer"] is None else row["offer"].hex(),
        )
        if kept != signed:
            wrong.append(f"licence reply {row['id']}: expected what was signed, got {kept}")
    return wrong


async def _agreements(conn: Connection) -> list[str]:
    wrong = []
    async for row in conn.cursor(queries.ALL_AGREEMENTS, prefetch=_PREFETCH):
        if row["envelope"] is None:
            continue
        said = envelopes.read_as(Licence, envelopes.parse(row["envelope"])).agreement
        name = identifiers.from_uuid("lic", row["licence"])
        if msgspec.UNSET is said or row["since"] is None:
            if msgspec.UNSET is not said or row["since"] is not None:
                wrong.append(f"licence {name}: expected an agreement where one was signed, and nowhere else")
            continue
        lines = [line_of(each) for each in await conn.fetch(LINES, row["licence"], None)]
        document = None if row["document"] is None else row["document"].hex()
        kept = (times.to_text(row["since"]), row["weigh"], document, row["allocates"])
        signed = (said.since, said.weigh, said.request, any(allocated(line) for line in lines))
        if kept != signed:
            wrong.append(f"licence {name}: expected the agreement that was signed, {signed}, got {kept}")
    return wrong


async def _reports(conn: Connection) -> list[str]:
    """Every report is as it was signed, and counts at the first close after it in the log."""
    wrong = []
    async for row in conn.cursor(queries.ALL_REPORTS, prefetch=_PREFETCH):
        if row["envelope"] is None:
            continue
        sealed = envelopes.parse(row["envelope"])
        payload = envelopes.read_as(RevenueReport, sealed)
        signed = (
            payload.report,
            sealed.payload_digest,
            payload.organisation,
            payload.licence,
            payload.period,
            payload.supersedes,
            {each.currency: each.amount for each in payload.revenue},
            {each.currency: each.amount for each in payload.pool},
            {each.work: each.weight for each in payload.weights},
        )
        kept = (
            identifiers.from_uuid("rpt", row["id"]),
            row["digest"].hex(),
            identifiers.from_uuid(row["kind"], row["organisation"]),
            identifiers.from_uuid("lic", row["licence"]),
            row["period"],
            None if row["supersedes"] is None else row["supersedes"].hex(),
            *(msgspec.json.decode(row[name]) for name in ("revenue", "pool", "weights")),
        )
        if kept != signed:
            wrong.append(f"revenue report {kept[0]}: expected what was signed, got {kept!r:.500}")
        counts_at = row["period"] if row["closed"] is None else max(row["period"], periods.after(row["closed"]))
        if row["counts_at"] != counts_at:
            wrong.append(f"revenue report {kept[0]}: expected it to count at {counts_at}, got {row['counts_at']}")
    return wrong


async def _closes(conn: Connection) -> list[str]:
    """Every agreement was charged, for each month that is sealed, what follows, or is kept as left out: nobody is owed
    what nobody computed."""
    sealed = [row["period"] for row in await conn.fetch(queries.SEALED)]
    if not sealed:
        return []
    wrong = []
    for row in await conn.fetch(queries.ALLOCATING, times.now()):
        found = agreement_of(row)
        basis = await basis_of(conn, found)
        charged: dict[str, Counter[str]] = defaultdict(Counter)
        late = {each["period"]: each["posted"] for each in await conn.fetch(queries.LATE, found.licence)}
        for each in await conn.fetch(queries.CHARGED, found.name):
            charged[each["period"]][each["currency"]] += int(each["amount"])
            into = late.get(each["period"], each["period"])
            if each["posted"] != into:
                wrong.append(f"licence {found.name}: {each['period']}: expected its charge in {into}, got it in "
                             f"{each['posted']}")  # fmt: skip
        parts: dict[str, Counter[Part]] = defaultdict(Counter)
        for period in sealed:
            if month_number(found.term.since, period) < 0:
                continue
            expected: Counter[str] = Counter()
            try:
                for due in await owed_in(found, period, basis):
                    if due.currency is not None:
                        expected[due.currency] += due.amount
                        parts[period][due.work, due.currency] += due.amount
            except InputError as error:
                if period not in late:
                    wrong.append(f"licence {found.name}: {period}: expected what can be charged: {error.message}")
                    continue
            left_out = period in late and late[period] is None  # it is told by `left_out`, and tried again
            owed, got = {} if left_out else _moved(expected), _moved(charged[period])
            if owed != got:
                wrong.append(f"licence {found.name}: {period}: expected a charge of {owed} micro-units, got {got}")
        wrong += await _held(conn, found, parts)
    return wrong


async def _held(conn: Connection, found: Agreement, owed: Mapping[str, Mapping[Part, int]]) -> list[str]:
    """What works have of charges in escrow is what each is owed, and adds up to the charge and its fee."""
    wrong = []
    for row in await conn.fetch(queries.ESCROWED, found.name):
        work, currency = (
            identifiers.from_uuid("wrk", row["work"]),
            row["key"].removesuffix(f"/{LESS}").rpartition("/")[2],
        )
        expected = owed.get(row["period"], {}).get((work, currency), 0)
        if row["amount"] != expected or (row["gross"], row["fees"]) != (row["charged"], row["kept"]):
            wrong.append(
                f"transfer {identifiers.from_uuid('tra', row['id'])}: expected {expected} of {row['charged']} "
                f"micro-units for {work}, got {row['amount']} of {row['gross']}"
            )
    return wrong


def _moved(amounts: Counter[str]) -> dict[str, int]:
    return {currency: amount for currency, amount in sorted(amounts.items()) if amount}
