"""A team with one of everything that its pages show, and a browser with its session."""

from __future__ import annotations

from dataclasses import dataclass, field

import httpx
import msgspec

from licet import identifiers, times
from licet.statements.keys import SigningKey
from licet.terms import Price, preset
from licet.wire.accounts import InvitationAnswer, InvitationCreated
from registry.settlement.banking import record_by_hand
from registry.settlement.billing import issue
from registry.snapshots.publisher import publish
from tests.registry import keymaking as make
from tests.registry.agreements.talks import NEGOTIATED, ask, offer, reply
from tests.registry.duties.talks import revocable_terms, revoke
from tests.registry.harness import Running
from tests.registry.market import Trainer, granted, shelf, trainer
from tests.sdk.statements.passkey import Authenticator

SHARED = preset("paid", Price(model="revenue-share", share_bps=3000, currency="USD", minimum="50"))


@dataclass
class Team:
    """An organisation whose people sign in with a passkey; ``ids`` fill the addresses of its pages."""

    lab: Trainer
    key: Authenticator
    browser: httpx.AsyncClient
    ids: dict[str, str] = field(default_factory=dict)

    def at(self, path: str) -> str:
        """Return ``path`` with the identifiers of what is the team's."""
        for name, value in self.ids.items():
            path = path.replace(f"{{{name}}}", value)
        return path


async def teamed(site: Running, name: str) -> Team:
    """Open an organisation with a key file, and a passkey beside it."""
    lab = await trainer(site, name)
    key = make.passkey(site, name)
    await make.add(site, lab.account, key)
    return Team(lab, key, await make.signed_in(site, key))


async def asked_by_somebody(site: Running, team: Team) -> str:
    """Invite somebody, who asks with a key, and return the invitation."""
    answer = await site.post("/v1/invitations", {"note": "Jo"}, http=team.lab.http)
    made = msgspec.json.decode(answer.content, type=InvitationCreated)
    key = SigningKey.generate()
    own = make.registration(site, team.lab.account, key, prev=await make.head(team.lab.account))
    asks = make.signed(site, own, key)
    body = InvitationAnswer(made.link.partition("#")[2], asks)
    asked = await site.post("/v1/invitations/ask", body)
    assert asked.status_code == 201, asked.text
    return made.invitation.invitation


async def busy(site: Running, name: str) -> Team:
    """Return a team that took a licence, trained, asked and paid, and that lost a part of the licence again."""
    team = await teamed(site, name)
    lab = team.lab
    hers = await shelf(site, revocable_terms(0, model="per-work"), 2)
    licence = await lab.license(hers.wanted())
    await revoke(hers, licence, hers.works[:1])
    asked = [await shelf(site, NEGOTIATED, 1, owner=hers.owner) for _ in range(3)]
    offered = await offer(hers.owner, await ask(lab, asked[0]))
    await reply(hers.owner, await ask(lab, asked[1]), None)
    await ask(lab, asked[2])
    share = await shelf(site, SHARED, 1, owner=hers.owner)
    shared = granted(await lab.accept(await lab.quote(share.wanted(), None, agreement=True)))
    await publish(site.services)
    async with site.services.database.acquire() as conn:
        digest = await conn.fetchval("select digest from snapshots order by sequence desc limit 1")
    for number, status in enumerate(("released", "in-training"), 1):
        manifest = lab.manifest(digest.hex(), name=f"{name} {number}")
        logged = await lab.log("/v1/datasets", manifest)
        model = f"acme/lantern-{number}"
        run = lab.run(logged.json()["id"], manifest.payload_digest, digest.hex(), model=model)
        assert (await lab.log("/v1/runs", run)).status_code == 201
        assert (
            await lab.log("/v1/models", lab.card(model=model, status=status, listed=status == "released"))
        ).status_code == 201
    issued = await issue(
        site.services, times.to_text(times.now())[:7], organisation=identifiers.to_uuid(lab.id), small=True
    )
    invoice = issued[0]
    await record_by_hand(
        site.services, lab.id, invoice.due // 20_000 * 10_000, "USD", reference=lab.id, reason="no bank"
    )
    team.ids = {
        "licence": licence.licence,
        "shared": shared.licence,
        "asked": offered.request,
        "invoice": identifiers.from_uuid("inv", invoice.id),
        "invitation": await asked_by_somebody(site, team),
    }
    return team
