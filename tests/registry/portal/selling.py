"""An artist who sells, with a key file and a passkey, and a team that takes licences of her."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256

import httpx

from licet.canonical import from_base64, to_base64
from licet.statements.envelope import pae
from licet.statements.kinds import PAYLOAD_TYPE
from licet.terms import Terms
from licet.wire.licensing import LicenceGranted
from tests.registry import keymaking as make
from tests.registry.catalogue import Artist as Owner
from tests.registry.catalogue import artist
from tests.registry.harness import Running
from tests.registry.market import Shelf, Trainer, shelf, trainer
from tests.registry.portal.people import Artist
from tests.sdk.statements.passkey import Authenticator


@dataclass
class Seller:
    """An artist at the portal (``person``) who can also sign what no page asks for (``owner``)."""

    owner: Owner
    key: Authenticator
    person: Artist

    @property
    def browser(self) -> httpx.AsyncClient:
        """The browser with her session."""
        return self.person.http

    async def shelf(self, terms: Terms, count: int = 1) -> Shelf:
        """Register works under ``terms``."""
        found = await shelf(self.owner.site, terms, count, owner=self.owner)
        self.person.works += found.works
        return found

    async def sells(self, terms: Terms, count: int = 1, lab: Trainer | None = None) -> LicenceGranted:
        """Register works under ``terms`` and let ``lab`` (a new team, without one) take a licence of them."""
        works = await self.shelf(terms, count)
        return await (lab or await trainer(self.owner.site)).license(works.wanted())

    async def steps_up(self) -> None:
        """Touch the passkey, as pages ask before what cannot be taken back."""
        assert (await make.stepped_up(self.owner.site, self.key, self.browser)).status_code == 201


async def seller(site: Running, name: str = "Ada", level: int = 0) -> Seller:
    """Open an account of claim ``level`` with a session."""
    owner = await artist(site, name)
    if level:
        await owner.raise_level(level)
    key = make.passkey(site, name)
    await make.add(site, owner.account, key)
    return Seller(owner, key, Artist(site, owner.id, key, await make.signed_in(site, key)))


def signed(who: Seller, form: dict[str, list[str]], kind: str) -> dict[str, list[str]]:
    """Return the form with the passkey's signature over the statement in it."""
    return signed_by(who.owner.site, who.key, form, kind)


def signed_by(site: Running, key: Authenticator, form: dict[str, list[str]], kind: str) -> dict[str, list[str]]:
    """Return the form with the signature of ``key`` over the statement in it."""
    body = from_base64(form["payload"][0])
    where = site.services.settings.site
    challenge = sha256(pae(PAYLOAD_TYPE.format(kind=kind), body)).digest()
    signature, assertion = key.answer(challenge, origin=where.origins[0], rp_id=where.rp_id)
    return {
        **form,
        "keyid": [key.keyid],
        "sig": [to_base64(signature)],
        "authenticator": [assertion.authenticator_data],
        "client": [assertion.client_data],
    }
