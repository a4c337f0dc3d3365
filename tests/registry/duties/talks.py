"""Revocations and duties for tests: signed by an artist, done by a trainer, against a running service."""

from __future__ import annotations

from typing import Any

import httpx
import msgspec

from licet.statements import envelope as envelopes
from licet.statements.kinds import LicenceRevoke
from licet.statements.revoking import draft_done, draft_revocation
from licet.terms import Price, Revocation, Rule, Terms, preset
from licet.wire.common import Page
from licet.wire.duties import DutyAccepted, DutyInfo, DutyShown, DutySubmit, Revocable
from licet.wire.licensing import LicenceGranted
from tests.registry.catalogue import Artist
from tests.registry.market import Shelf, Trainer


def revocable_terms(days: int = 30, effect: str = "stop-new-runs", model: str = "per-training-run") -> Terms:
    """Return the paid preset, which can be revoked with that notice and effect."""
    paid = preset("paid", Price(model=model, amount="0.05", currency="USD"))  # type: ignore[arg-type]
    revocation = Revocation(notice_days=days, effect=effect)  # type: ignore[arg-type]
    rules: dict[str, Rule] = {}
    for atom, rule in paid.rules.items():
        rules[atom] = rule.model_copy(update={"revocation": revocation}) if rule.permission == "license" else rule
    return Terms(rules=rules)


def revocation(owner: Artist, licence: LicenceGranted, works: list[str], /, **changes: Any) -> LicenceRevoke:
    """Return the document that revokes ``licence`` for ``works`` of ``owner``, with some fields changed."""
    payload = draft_revocation(
        registry=owner.site.services.keys.ref,
        licence=licence.licence,
        account=owner.id,
        genesis=owner.account.genesis,
        works=works,
        reason="I no longer want this.",
    )
    return msgspec.structs.replace(payload, **changes)


async def send(owner: Artist, payload: LicenceRevoke, path: str | None = None) -> httpx.Response:
    """Sign and send a revocation."""
    body = DutySubmit(envelopes.seal(payload, owner.account.key))
    return await owner.site.post(f"/v1/licences/{path or payload.licence}/revocation", body, http=owner.http)


def told(answer: httpx.Response) -> DutyAccepted:
    """Return what ``answer`` must be."""
    assert answer.status_code == 201, answer.text
    return msgspec.json.decode(answer.content, type=DutyAccepted)


async def revoke(mine: Shelf, licence: LicenceGranted, works: list[str] | None = None) -> DutyInfo:
    """Return the duty that ``mine.owner`` causes by revoking ``licence`` for ``works``, by default all of hers."""
    return told(await send(mine.owner, revocation(mine.owner, licence, sorted(works or mine.works)))).duty


async def done(lab: Trainer, duty: DutyInfo, **changes: Any) -> httpx.Response:
    """Sign and send that ``duty`` was done."""
    found = await shown(lab.http, duty.duty)
    assert found.revoked is not None
    revoked = envelopes.read_as(LicenceRevoke, found.revoked.envelope)
    payload = draft_done(
        revoked,
        duty.document,
        organisation=lab.id,
        genesis=lab.account.genesis,
        done_at=None,
        statement="The runs have been stopped.",
    )
    body = DutySubmit(envelopes.seal(msgspec.structs.replace(payload, **changes), lab.account.key))
    return await lab.site.post(f"/v1/duties/{duty.duty}/done", body, http=lab.http)


async def shown(http: httpx.AsyncClient, duty: str) -> DutyShown:
    """Return the duty as whoever is behind ``http`` sees it."""
    answer = await http.get(f"/v1/duties/{duty}")
    assert answer.status_code == 200, answer.text
    return msgspec.json.decode(answer.content, type=DutyShown)


async def listed(http: httpx.AsyncClient, query: str = "") -> list[DutyInfo]:
    """Return the duties that whoever is behind ``http`` sees."""
    answer = await http.get(f"/v1/duties{query}")
    assert answer.status_code == 200, answer.text
    return msgspec.json.decode(answer.content, type=Page[DutyInfo]).items


async def offered(http: httpx.AsyncClient, licence: str) -> Revocable:
    """Return what the artist behind ``http`` can revoke of ``licence``."""
    answer = await http.get(f"/v1/licences/{licence}/revocation")
    assert answer.status_code == 200, answer.text
    return msgspec.json.decode(answer.content, type=Revocable)
