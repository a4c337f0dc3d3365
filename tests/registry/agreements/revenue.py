"""Reports of revenue for tests, against a running service."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httpx
import msgspec

from licet import identifiers
from licet.pricing import Step, written
from licet.statements import envelope as envelopes
from licet.statements.kinds import RevenueReport
from licet.statements.revenue import draft_report
from licet.wire.common import Page
from licet.wire.revenue import RevenueAccepted, RevenueInfo, RevenueSubmit, Share
from tests.registry.market import Trainer

MICRO = 1_000_000


def drafted(lab: Trainer, licence: str, period: str, revenue: Mapping[str, int], **fields: Any) -> RevenueReport:
    """Return what ``lab`` reports, in whole units, with some fields of the payload changed."""
    changes = fields.pop("changes", {})
    payload = draft_report(
        registry=lab.site.services.keys.ref,
        organisation=lab.id,
        genesis=lab.account.genesis,
        licence=licence,
        period=period,
        revenue={currency: amount * MICRO for currency, amount in revenue.items()},
        pool={currency: amount * MICRO for currency, amount in fields.pop("pool", {}).items()},
        weights=fields.pop("weights", {}),
        **fields,
    )
    return msgspec.structs.replace(payload, **changes)


async def send(lab: Trainer, payload: RevenueReport) -> httpx.Response:
    """Sign and send a report."""
    body = RevenueSubmit(envelopes.seal(payload, lab.account.key))
    return await lab.site.post("/v1/revenue-reports", body, http=lab.http)


async def report(lab: Trainer, licence: str, period: str, revenue: Mapping[str, int], **fields: Any) -> RevenueInfo:
    """Return what was reported."""
    answer = await send(lab, drafted(lab, licence, period, revenue, **fields))
    assert answer.status_code == 201, answer.text
    return msgspec.json.decode(answer.content, type=RevenueAccepted).report


async def shares(http: httpx.AsyncClient, licence: str, period: str) -> list[Share]:
    """Return what is owed at the close of ``period``, all pages."""
    found: list[Share] = []
    cursor: str | None = None
    while True:
        wanted = {"period": period, "limit": "2"} | ({} if cursor is None else {"cursor": cursor})
        answer = await http.get(f"/v1/licences/{licence}/shares", params=wanted)
        assert answer.status_code == 200, answer.text
        page = msgspec.json.decode(answer.content, type=Page[Share])
        found += page.items
        cursor = page.next
        if cursor is None:
            return found


def words(share: Share, lang: str = "en") -> list[str]:
    """Return the steps of ``share`` in words."""
    return written([Step(*msgspec.structs.astuple(each)) for each in share.steps], share.currency, lang)


def stranger(prefix: str) -> str:
    """Return an identifier of nothing."""
    return identifiers.new_id(prefix)
