"""Everybody whom the portal has pages for, each with something to show on every one of them, and a browser apiece."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import httpx

from licet import identifiers, times
from licet.statements.keys import SigningKey
from licet.terms import Price, Terms, preset
from registry.settlement import remitting
from tests.registry import keymaking as make
from tests.registry.agreements.talks import NEGOTIATED, ask, offer
from tests.registry.catalogue import NO_AI, PAID, RESEARCH, artist, picture
from tests.registry.disputes.parties import charge_of, dispute, step
from tests.registry.harness import Running
from tests.registry.market import Shelf
from tests.registry.portal.people import HTML, Read, joined
from tests.registry.portal.selling import Seller, seller
from tests.registry.portal.staff import employed
from tests.registry.portal.team import Team, busy, teamed

PER_RUN = preset("paid", Price(model="per-training-run", amount="2", currency="USD"))
TITLES = (
    "晚霞里的盐田",
    "Red Earth Slope",
    "河口",
    "A Very Long Title, of the Kind that Catalogues Give to Untitled Works",
)
PAYOUT = {"name": "Ada Lin", "iban": "GB29NWBK60161331926819", "country": "GB"}


@dataclass
class Everybody:
    """Their browsers, by what they are; ``ids`` fill the addresses of their pages."""

    browsers: dict[str, httpx.AsyncClient] = field(default_factory=dict)
    ids: dict[str, str] = field(default_factory=dict)

    def at(self, path: str) -> str:
        """Return ``path`` with identifiers of theirs."""
        return re.sub(r"\{(\w+)\}", lambda found: self.ids[found[1]], path)

    def session(self, who: str) -> str:
        """Return the cookie of somebody's session."""
        return self.browsers[who].headers["Cookie"].partition("=")[2]

    async def leads(self, who: str, path: str, pattern: str) -> str:
        """Return the end of the first link on a page of somebody's that fits ``pattern``."""
        page = Read((await self.browsers[who].get(f"/en{path}", headers=HTML)).text)
        return next(each for each in page.links() if re.search(pattern, each)).rpartition("/")[2]


async def everybody(site: Running) -> Everybody:
    """Let an artist, a team, an auditor and an operator come in, and have to do with each other."""
    team = await busy(site, "Lantern Labs")
    ada = await seller(site, "苏棠", level=2)
    found = Everybody({"nobody": site.http, "artist": ada.browser, "team": team.browser}, dict(team.ids))
    found.ids |= {"index": "0", "licensed": found.ids["licence"], "month": times.to_text(times.now())[:7]}
    await _registers(found, ada)
    await _sells(found, ada, team)
    await _disputes(site, found, ada, team)
    await _lets_in(site, found, team)
    found.browsers["newcomer"] = (await joined(site, "Newcomer")).http
    found.browsers["new team"] = (await teamed(site, "New Labs")).browser
    for who, role in (("auditor", "auditor"), ("operator", "operator")):
        found.browsers[who] = (await employed(site, role, f"{role.title()} Okafor")).http
    found.ids |= {
        "model": await found.leads("nobody", "/register", "/register/models/"),
        "dataset": await found.leads("nobody", "/register/datasets", "/register/datasets/"),
        "transfer": await found.leads("auditor", "/auditor/entries", "/auditor/entries/tra_"),
        "keyid": ada.key.keyid,
    }
    return found


async def _registers(found: Everybody, ada: Seller) -> None:
    """Pictures under terms of each kind, one without any, and one whose looser terms wait."""
    terms: tuple[Terms | None, ...] = (PER_RUN, RESEARCH, NO_AI, None)
    for number, (title, said) in enumerate(zip(TITLES, terms, strict=True)):
        drawn = picture(70_000 + number, side=160)
        work = (await ada.owner.picture(drawn, title=title, tags=["salt"])).work
        ada.person.works.append(work)
        if said is not None:
            found.ids["statement"] = (await ada.owner.state([work], said)).statement
    await ada.owner.state(ada.person.works[2:3], PAID)
    found.ids |= {"work": ada.person.works[0], "waiting": ada.person.works[2], "unsigned": ada.person.works[3]}


async def _sells(found: Everybody, ada: Seller, team: Team) -> None:
    """A licence with a later report, a payment, and two requests: one waits, the other has an offer."""
    lab = team.lab
    statement = (await ada.owner.work(found.ids["work"])).statement
    assert statement is not None
    licence = await lab.license(Shelf(ada.owner, statement, [found.ids["work"]]).wanted())
    await lab.report(licence, "2")
    asked = [await ask(lab, await ada.shelf(NEGOTIATED, 1)) for _ in range(2)]
    await offer(ada.owner, asked[1])
    form = (await ada.person.form("/en/earnings/payments"))["form"]
    assert (await ada.person.sends("/en/earnings/payments?bank=GB", {"form": form, **PAYOUT})).status_code == 303
    prepared = await remitting.prepare(lab.site.services, found.ids["month"])
    (paid,) = [number for number, who, *_ in prepared.paid if who == ada.owner.id]
    found.ids |= {
        "sold": licence.licence,
        "ask": asked[0].request,
        "offered": asked[1].request,
        "charge": (await ada.browser.get("/v1/charges")).json()["items"][0]["charge"],
        "remittance": identifiers.from_uuid("rem", paid),
    }


async def _disputes(site: Running, found: Everybody, ada: Seller, team: Team) -> None:
    """Somebody says that a picture is theirs, and is answered; the team disputes a charge, which waits."""
    eve = await artist(site, "Eve")
    own = (await eve.picture(picture(80_000))).work
    about = await dispute(eve, found.ids["work"], [own])
    await step(ada.owner, about)
    charge = await charge_of(team.lab)
    found.ids |= {"dispute": about.dispute, "disputed": (await dispute(team.lab, charge)).dispute, "counted": charge}


async def _lets_in(site: Running, found: Everybody, team: Team) -> None:
    """A key of a program that may sign some of what the team signs."""
    key = SigningKey.generate()
    await make.add(site, team.lab.account, key, "delegate")
    found.ids["key"] = key.keyid
