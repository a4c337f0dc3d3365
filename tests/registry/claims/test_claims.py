"""Claim level 2 by a domain's proof: asked for, found, looked at again, lapsed; seen over HTTP and in the log."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec
import pytest

from licet import identifiers, times
from licet.statements import envelope as envelopes
from licet.statements.keys import KeySet
from licet.statements.kinds import Claim
from licet.wire.claims import ClaimChecked, ClaimDropped, ClaimInfo
from licet.wire.common import Page
from registry.auditing import examine
from registry.claims import rechecking, service
from registry.claims.looking import Found
from registry.errors import NotFound
from tests.registry import keymaking as make
from tests.registry.catalogue import PAID, Artist, artist, picture, reader_of
from tests.registry.claims.internet import Internet
from tests.registry.harness import Running, verify_whole_log

pytestmark = pytest.mark.anyio
DAY = timedelta(days=1)


async def ask(who: Artist, domain: str = "ada.example") -> ClaimInfo:
    answer = await who.site.post("/v1/claims", {"domain": domain}, http=who.http)
    assert answer.status_code == 201, answer.text
    return msgspec.json.decode(answer.content, type=ClaimInfo)


async def check(who: Artist, claim: str) -> ClaimChecked:
    answer = await who.site.post(f"/v1/claims/{claim}/check", b"", http=who.http)
    assert answer.status_code == 201, answer.text
    return msgspec.json.decode(answer.content, type=ClaimChecked)


async def listed(who: Artist, query: str = "") -> list[ClaimInfo]:
    answer = await who.http.get(f"/v1/claims{query}")
    assert answer.status_code == 200, answer.text
    return msgspec.json.decode(answer.content, type=Page[ClaimInfo]).items


async def level(who: Artist) -> int:
    return int((await who.http.get("/v1/me")).json()["level"])


async def told(who: Artist) -> list[str]:
    return [each["kind"] for each in (await who.http.get("/v1/events?sort=told")).json()["items"]]


async def stated(who: Artist) -> list[tuple[int, str]]:
    """Return level and evidence of every claim of the account in the log, each of which the office has signed."""
    office = who.site.services.keys.office
    async with who.site.services.database.acquire() as conn:
        rows = await conn.fetch(
            "select envelope from log_pending where kind = 'claim' and account = $1 order by id", who.uuid
        )
    keys = KeySet([office.public])
    claims = [envelopes.open_as(Claim, envelopes.parse(row["envelope"]), [office.keyid], keys) for row in rows]
    return [(claim.level, claim.evidence) for claim in claims]


async def pass_by(site: Running, span: timedelta) -> None:
    """Let ``span`` go by for every claim, and the worker look at what is due."""
    async with site.services.database.acquire() as conn:
        await conn.execute(
            """
            update domain_claims set asked_at = asked_at - $1::interval, failing_since = failing_since - $1::interval,
                next_check_at = next_check_at - $1::interval
            """,
            span,
        )
    while await rechecking.look_again(site.services, times.now()):
        pass


def soon(text: str | None) -> datetime:
    assert text is not None
    return times.from_text(text)


async def test_a_domain_that_shows_its_value_raises_the_account_to_level_2(site: Running, net: Internet) -> None:
    ada = await artist(site)
    claim = await ask(ada, "Ada.Example.")
    assert (claim.domain, claim.state, claim.record) == ("ada.example", "asked", "_licet.ada.example")
    assert claim.file == "https://ada.example/.well-known/licet.txt"
    assert claim.value.startswith(f"licet-claim-v1:{ada.id}:")
    assert await ask(ada) == claim  # however often
    missing = await check(ada, claim.claim)
    assert (missing.level, missing.claim.state) == (0, "asked")
    assert missing.claim.problem is not None
    assert "there is no TXT record _licet.ada.example" in missing.claim.problem
    assert await stated(ada) == []
    net.put_record("ada.example", claim.value)
    found = await check(ada, claim.claim)
    assert (found.level, found.claim.state, found.claim.method, found.claim.problem) == (2, "proven", "dns", None)
    assert await level(ada) == 2
    assert await stated(ada) == [(2, f"domain ada.example: {claim.value} at _licet.ada.example")]
    assert await told(ada) == ["domain-proven"]
    entry = (await ada.http.get(f"/v1/statements/{found.claim.statement}")).json()
    assert entry["envelope"]["payloadType"] == "application/vnd.licet.claim+json"
    await check(ada, claim.claim)  # again: nothing new to state
    assert len(await stated(ada)) == 1
    verify_whole_log(site.services.settings.data, site.services.keys.log_signer.verifier)


async def test_the_value_is_one_accounts_and_proves_nothing_for_another(site: Running, net: Internet) -> None:
    ada, eve = await artist(site), await artist(site, "Eve")
    hers, his = await ask(ada), await ask(eve)
    assert hers.value != his.value
    net.put_record("ada.example", hers.value)
    net.put_file("ada.example", hers.value.encode())
    assert (await check(eve, his.claim)).level == 0
    assert (await check(ada, hers.claim)).level == 2
    for method, path in (("GET", ""), ("POST", "/check"), ("DELETE", "")):
        headers = {"Idempotency-Key": f'"{method}-{path}-of-eve"'}
        answer = await eve.http.request(method, f"/v1/claims/{hers.claim}{path}", headers=headers)
        assert answer.status_code == 404
    assert [each.claim for each in await listed(eve)] == [his.claim]


async def test_a_domain_may_vouch_for_two_and_both_are_told(site: Running, net: Internet) -> None:
    ada, eve = await artist(site), await artist(site, "Eve")
    hers, his = await ask(ada, "eve.example"), await ask(eve, "eve.example")
    net.put_record("eve.example", hers.value)
    await check(ada, hers.claim)
    assert (await listed(eve))[0].others == []  # who has proven it is told to those who have
    net.put_record("eve.example", hers.value, his.value)
    assert (await check(eve, his.claim)).claim.others == [ada.id]
    assert (await check(ada, hers.claim)).claim.others == [eve.id]
    assert (await level(ada), await level(eve)) == (2, 2)
    assert await told(ada) == ["domain-proven", "domain-shared"]
    net.put_record("eve.example", his.value)  # the new owner takes hers away: it lapses, and his stands
    await pass_by(site, 8 * DAY)
    await pass_by(site, 15 * DAY)
    assert (await level(ada), await level(eve)) == (0, 2)


async def test_the_worker_finds_what_was_put_up(site: Running, net: Internet) -> None:
    ada = await artist(site)
    claim = await ask(ada)
    net.put_file("ada.example", claim.value.encode())
    await pass_by(site, timedelta(minutes=11))
    (found,) = await listed(ada)
    assert (found.state, found.method) == ("proven", "file")
    assert await level(ada) == 2


async def test_a_proof_that_goes_lowers_the_level_after_the_grace_and_not_before(site: Running, net: Internet) -> None:
    ada = await artist(site)
    work = (await ada.picture(picture(1))).work
    await ada.state([work], PAID)
    claim = await ask(ada)
    net.put_record("ada.example", claim.value)
    await check(ada, claim.claim)
    index, _, _ = await reader_of(site.services).current()
    seen = index.work(work)
    assert seen is not None
    assert seen.level == 2
    net.put_record("ada.example")
    await pass_by(site, 8 * DAY)
    (failing,) = await listed(ada, "?state=failing")
    assert soon(failing.lapses_at) - soon(failing.failing_since) == timedelta(days=14)
    assert await level(ada) == 2
    net.put_record("ada.example", claim.value)
    await pass_by(site, DAY)
    assert [each.state for each in await listed(ada)] == ["proven"]
    net.put_record("ada.example")
    await pass_by(site, 8 * DAY)
    await pass_by(site, 13 * DAY)
    assert await level(ada) == 2
    await pass_by(site, 2 * DAY)
    (lapsed,) = await listed(ada, "?state=lapsed&domain=ada.example")
    assert lapsed.next_check_at is None
    assert await level(ada) == 0
    index, _, _ = await reader_of(site.services).current()
    seen = index.work(work)
    assert seen is not None
    assert seen.level == 0  # every work is seen anew
    (_, (fallen, why)) = await stated(ada)
    assert fallen == 0
    assert why.startswith("domain ada.example: no proof was found since ")
    assert await told(ada) == [
        *("domain-proven", "domain-failing", "domain-restored", "domain-failing", "domain-lapsed")
    ]
    net.put_record("ada.example", claim.value)  # it can be proven again, by the same value
    assert (await check(ada, claim.claim)).level == 2
    assert not [part for part in await examine(site.services) if part.wrong]


async def test_a_resolver_that_is_down_makes_nobodys_claim_lapse(
    site: Running, net: Internet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("registry.claims.looking.DNS_TIMEOUT", 0.2)
    ada = await artist(site)
    claim = await ask(ada)
    net.put_record("ada.example", claim.value)
    await check(ada, claim.claim)
    net.put_record("ada.example")
    net.broken["_licet.ada.example"] = "silent"
    for _ in range(3):
        await pass_by(site, 20 * DAY)
    (known,) = await listed(ada)
    assert (known.state, await level(ada)) == ("proven", 2)
    assert known.problem is not None
    assert "cannot be looked up now" in known.problem


async def test_the_level_is_that_of_the_best_ground_left(site: Running, net: Internet) -> None:
    ada = await artist(site)
    first, second = await ask(ada, "ada.example"), await ask(ada, "www.ada.example")
    for claim in (first, second):
        net.put_record(claim.domain, claim.value)
        await check(ada, claim.claim)
    await ada.raise_level(1)  # attested, and less than what the domains back
    assert await level(ada) == 2
    await _drop(ada, first, level=2)
    await _drop(ada, second, level=1)
    await ada.raise_level(3)
    third = await ask(ada)
    net.put_record("ada.example", third.value)
    assert (await check(ada, third.claim)).level == 3
    await _drop(ada, third, level=3)
    assert [each for each, _ in await stated(ada)] == [2, 2, 2, 2, 1, 3, 3, 3]
    assert not [part for part in await examine(site.services) if part.wrong]


async def test_verification_finds_a_level_that_nothing_stands_behind(site: Running, net: Internet) -> None:
    ada = await artist(site)
    claim = await ask(ada)
    net.put_record("ada.example", claim.value)
    await check(ada, claim.claim)
    for wrong, right in (
        ("update accounts set level = 3 where id = $1", "update accounts set level = 2 where id = $1"),
        *(
            tuple(f"update {table} set {column} = {value} where account = $1" for value in values)
            for table, column, values in (
                ("domain_claims", "state", ("'lapsed'", "'proven'")),
                ("account_levels", "backed", ("4", "2")),
            )
        ),
    ):
        async with site.services.database.acquire() as conn:
            await conn.execute(wrong, ada.uuid)
        assert [part.part for part in await examine(site.services) if part.wrong][:1] == ["accounts"]
        async with site.services.database.acquire() as conn:
            await conn.execute(right, ada.uuid)
    assert not [part for part in await examine(site.services) if part.wrong]


async def test_what_cannot_be_claimed_is_refused_by_its_field(site: Running) -> None:
    ada = await artist(site)
    for domain in ("co.uk", "github.io", "127.0.0.1", "https://ada.example", "", "x" * 5000):
        answer = await site.post("/v1/claims", {"domain": domain}, http=ada.http)
        assert answer.status_code in (400, 413)
        assert answer.status_code == 413 or answer.json()["errors"][0]["pointer"] == "/domain"
    for n in range(service.MOST):
        await ask(ada, f"n{n}.ada.example")
    more = await site.post("/v1/claims", {"domain": "one-more.ada.example"}, http=ada.http)
    assert more.status_code == 409
    await ask(ada, "n3.ada.example")
    assert len(await listed(ada, "?limit=200&sort=domain")) == service.MOST


async def test_a_domain_that_is_never_shown_is_forgotten(site: Running) -> None:
    ada = await artist(site)
    await ask(ada)
    await pass_by(site, 13 * DAY)
    assert len(await listed(ada)) == 1
    await pass_by(site, 2 * DAY)
    assert await listed(ada) == []


async def test_an_account_that_goes_while_its_domain_is_looked_at_stays_gone(site: Running, net: Internet) -> None:
    ada = await artist(site)
    claim = await ask(ada)
    net.put_record("ada.example", claim.value)
    await check(ada, claim.claim)
    body = {"confirm": ada.id, "dry_run": False, "deny": True}
    answer = await site.post("/v1/me/erasure", body, http=await make.eraser(site, ada.account))
    assert answer.status_code == 201, answer.text
    found = Found("dns")
    assert await service.record(site.services, ada.uuid, identifiers.to_uuid(claim.claim), found) is None
    async with site.services.database.acquire() as conn:
        assert await conn.fetchval("select count(*) from domain_claims where account = $1", ada.uuid) == 0
        levels = await conn.fetch("select evidence from account_levels where account = $1", ada.uuid)
        assert [row["evidence"] for row in levels] == [""]
    assert not [part for part in await examine(site.services) if part.wrong]
    with pytest.raises(NotFound):
        await service.record(site.services, identifiers.new_uuid(), identifiers.to_uuid(claim.claim), found)


async def _drop(who: Artist, claim: ClaimInfo, *, level: int) -> None:
    answer = await who.http.delete(f"/v1/claims/{claim.claim}")
    assert answer.status_code == 200, answer.text
    assert msgspec.json.decode(answer.content, type=ClaimDropped) == ClaimDropped(claim.domain, level)
