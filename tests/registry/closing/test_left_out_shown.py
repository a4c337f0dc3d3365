"""What closes could not charge, on the pages of whom it concerns: the office's table, the organisation's note."""

from __future__ import annotations

import re
from datetime import timedelta

import httpx
import pytest

from registry.portal.frame.languages import LANGUAGES
from registry.portal.operators.room import ROOM as OFFICE
from registry.portal.organisations.room import ROOM as TEAMS
from tests.registry import keymaking as make
from tests.registry.closing.conftest import Clock
from tests.registry.closing.test_closing import close_all
from tests.registry.closing.test_left_out import DEEP, deep_in_debt, left_behind
from tests.registry.harness import Running
from tests.registry.market import Trainer
from tests.registry.portal.people import HTML
from tests.registry.portal.staff import employed
from tests.registry.portal.whole import held_whole

pytestmark = pytest.mark.anyio


async def signed_in(site: Running, lab: Trainer) -> httpx.AsyncClient:
    """Give the organisation a passkey, and return its browser."""
    key = make.passkey(site, "lab")
    await make.add(site, lab.account, key)
    return await make.signed_in(site, key)


async def test_the_office_and_the_organisation_read_what_is_left_out_until_it_is_charged(site: Running, clock: Clock):
    month = clock.month
    lab, agreed = await left_behind(site, clock)
    clock.behind = timedelta(0)  # sessions end by the clock of the database
    office, team = (await employed(site, "operator", "Grace Hopper")).http, await signed_in(site, lab)
    why = "expected at most 18,014,398,509.481982 USD owed at a time, got 18,014,398,509.00 USD owed"
    for language in LANGUAGES:
        words, said = OFFICE.speaks(language), TEAMS.speaks(language)
        assert words("left_out_text") in (await held_whole(office, f"/{language}/operator", language)).text
        table = (await office.get(f"/{language}/operator", headers=HTML)).text.partition('id="left"')[2]
        assert re.findall(r"lic_\w+", table) == sorted(agreed)
        assert (table.count(words.month(month)), table.count(why)) == (2, 2)
        assert said("owed_not_yet") in (await held_whole(team, f"/{language}/organisation", language)).text
        note = (await team.get(f"/{language}/organisation", headers=HTML)).text.partition(said("owed_not_yet"))[2]
        told = re.findall(rf'<li>(.*?) · <a href="/{language}/organisation/licences/(lic_\w+)">', note)
        assert told == [(said.month(month), licence) for licence in sorted(agreed)]
    await deep_in_debt(site, lab.id, -DEEP)
    await close_all(site, clock.now())
    for language in LANGUAGES:
        assert 'id="left"' not in (await office.get(f"/{language}/operator", headers=HTML)).text
        home = (await team.get(f"/{language}/organisation", headers=HTML)).text
        assert TEAMS.speaks(language)("owed_not_yet") not in home
