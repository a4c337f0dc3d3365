"""Leaving at the portal: what goes and stays is shown first, the name is typed, and the browser keeps nothing."""

from __future__ import annotations

import io
import tarfile

import pytest

from licet import identifiers
from tests.registry import keymaking as make
from tests.registry.harness import Running
from tests.registry.portal.people import HTML, Artist, Read, joined

pytestmark = pytest.mark.anyio


@pytest.fixture
async def artist(site: Running) -> Artist:
    """An artist with two works, one of them signed for."""
    found = await joined(site, "Mei Ｌin")
    await found.registers(2)
    form = await found.form(f"/en/terms?work={found.works[0]}")
    assert (await found.sends("/en/terms/sign", found.signed(form))).status_code == 303
    return found


async def test_nothing_goes_before_the_name_is_typed_and_then_all_of_it_does(site: Running, artist: Artist) -> None:
    page = Read((await artist.http.get("/en/account/leave", headers=HTML)).text)
    assert "small previews of 2 pictures" in page.text
    assert "What shall become of your picture?" in page.text
    form = await artist.form("/en/account/leave")
    assert form["deny"] == ["yes"]
    for name in ("", "Mei", artist.id):
        refused = await artist.sends("/zh/account/leave", {**form, "name": [name]})
        assert (refused.status_code, "什么都没有删" in refused.text) == (400, True)
    assert (await artist.http.get("/v1/me")).status_code == 200
    gone = await artist.sends("/en/account/leave", {**form, "name": ["mei  lin"]})
    assert (gone.status_code, gone.headers["location"]) == (303, "/en")
    assert gone.headers["clear-site-data"] == '"storage"'
    assert any("__Host-sid=" in each and "Max-Age=0" in each for each in gone.headers.get_list("set-cookie"))
    assert (await artist.http.get("/v1/me")).status_code == 401
    async with site.services.database.acquire() as conn:
        denied = await conn.fetchval("select count(*) from work_states where account = $1 and withdrawn", uuid(artist))
    assert denied == 1  # it goes on saying no


async def test_what_is_none_is_not_said_to_go(site: Running) -> None:
    new = await joined(site, "Nia")
    page = Read((await new.http.get("/en/account/leave", headers=HTML)).text)
    assert "Where you are paid." in page.text
    assert "previews of 0 pictures" not in page.text
    assert "0 signed statements" not in page.text


async def test_who_wants_it_leaves_no_deny_behind(site: Running, artist: Artist) -> None:
    form = await artist.form("/en/account/leave")
    gone = await artist.sends("/en/account/leave", {**form, "deny": ["no"], "name": ["Mei Lin"]})
    assert gone.status_code == 303
    async with site.services.database.acquire() as conn:
        assert await conn.fetchval("select count(*) from work_states where account = $1", uuid(artist)) == 0


async def test_what_cannot_be_undone_asks_for_a_passkey_that_was_just_used(site: Running, artist: Artist) -> None:
    async with site.services.database.acquire() as conn:
        await conn.execute(
            "update sessions set stepped_up_at = now() - interval '6 minutes' where account = $1", uuid(artist)
        )
    answer = await artist.http.get("/en/account/leave", headers=HTML)
    assert 'data-fresh="0"' in answer.text
    assert (await artist.http.get("/v1/me/export")).status_code == 403
    form = await artist.form("/en/account/leave")
    refused = await artist.sends("/en/account/leave", {**form, "name": ["Mei Lin"]})
    assert (refused.status_code, "passkey once more" in refused.text) == (403, True)
    assert (await make.stepped_up(site, artist.key, artist.http)).status_code == 201
    export = await artist.http.get("/v1/me/export")
    with tarfile.open(fileobj=io.BytesIO(export.content)) as tar:
        assert "export.json" in tar.getnames()


async def test_whoever_found_a_code_cannot_end_the_account(site: Running, artist: Artist) -> None:
    async with site.services.database.acquire() as conn:
        await conn.execute("update account_keys set class = 'recovered' where account = $1", uuid(artist))
    page = Read((await artist.http.get("/en/account/leave", headers=HTML)).text)
    assert "recovered with a code in the last seven days" in page.text
    assert not [each for _, each in page.elements if each.get("name") == "name"]
    form = await artist.form("/en/account/leave")
    assert (await artist.sends("/en/account/leave", {**form, "name": ["Mei Lin"]})).status_code == 403


def uuid(artist: Artist) -> object:
    return identifiers.to_uuid(artist.id, "art")
