"""Rules of sites: signed for what lies below a proven domain, found by address, without effect once that is gone."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from licet import identifiers
from licet.canonical import digest
from licet.statements.kinds import WorkDigest
from licet.statements.works import site_digest
from licet.terms import Terms
from licet.wire.licensing import Answer, Answers, Query, RowKeys
from licet.wire.works import WorkIn, WorkOutcome
from registry.auditing import verify
from registry.claims import service
from registry.claims.looking import Found
from registry.snapshots.publisher import publish
from tests.registry.catalogue import NO_AI, PAID, Artist, artist
from tests.registry.claims.internet import Internet
from tests.registry.claims.test_claims import ask, check, listed
from tests.registry.erasure.leaving import erased, places
from tests.registry.harness import Running

pytestmark = pytest.mark.anyio


async def owner(site: Running, net: Internet, domain: str = "ada.example", name: str = "Ada") -> tuple[Artist, str]:
    """An artist who has proven ``domain``, and her claim of it."""
    who = await artist(site, name)
    claim = await ask(who, domain)
    net.put_record(domain, claim.value)
    assert (await check(who, claim.claim)).claim.state == "proven"
    return who, claim.claim


def rule(text: str, **fields: Any) -> WorkIn:
    return WorkIn(**{"work": identifiers.new_id("wrk"), "mode": "fingerprint-only", "site": text} | fields)


async def stated(who: Artist, text: str, terms: Terms) -> str:
    (outcome,) = await who.register(rule(text))
    assert outcome.status == "registered", outcome
    await who.state([outcome.work], terms)
    return outcome.work


async def answered(site: Running, *urls: str) -> list[Answer]:
    body = Query({"uses": ["train-gen"], "purpose": ["commercial"]}, [RowKeys(url=url) for url in urls])
    answer = await site.http.post("/v1/licensing/query", content=msgspec.json.encode(body))
    assert answer.status_code == 200, answer.text
    return msgspec.json.decode(answer.content, type=Answers).results


async def test_rule_5_a_site_needs_the_proof_of_its_domain(site: Running, net: Internet) -> None:
    ada, _ = await owner(site, net)
    eve = await artist(site, "Eve")
    wanted = [
        rule("ada.example/gallery"),
        rule("www.ada.example"),
        rule("notada.example"),
        rule("example"),
        rule("ada.example/"),
        rule("ada.example:8443"),
        rule("ada.example", urls=["https://ada.example/a"]),
        rule("ada.example", sha256="0" * 64),
        rule("ada.example", mode="upload"),
    ]
    outcomes = await ada.register(*wanted)
    assert [each.status for each in outcomes] == ["registered"] * 2 + ["refused"] * 7
    reasons = [(each.reason or "").partition(":")[0] for each in outcomes[2:]]
    assert reasons == ["site", "site", "site", "site", "urls", "sha256", "mode"]
    assert "proven" in (outcomes[2].reason or "")
    (refused,) = await eve.register(rule("ada.example/gallery"))
    assert "a domain that the account has proven" in (refused.reason or "")
    form = WorkDigest(
        wanted[0].work, ada.id, None, None, None, None, [], "fingerprint-only", site="ada.example/gallery"
    )
    assert outcomes[0].digest == digest(form)
    again = await ada.register(rule("ada.example/gallery"))
    assert again == [WorkOutcome(again[0].work, "duplicate", outcomes[0].digest, existing=wanted[0].work)]
    asked = await ada.http.post("/v1/works/find", json={"addresses": [site_digest("ada.example/gallery")]})
    assert [each["site"] for each in asked.json()["works"]] == ["ada.example/gallery"]


async def test_rule_14_the_strictest_of_the_rules_above_an_address_decides(site: Running, net: Internet) -> None:
    ada, _ = await owner(site, net)
    before = await answered(site, "https://ada.example/gallery/a.png")
    assert (before[0].verdict, before[0].reason) == ("unknown", "not-examined")
    whole = await stated(ada, "ada.example", PAID)
    part = await stated(ada, "ada.example/gallery", NO_AI)
    found = await answered(
        site,
        "HTTP://Ada.Example:8080/x/../gallery//%61.png?b#c",
        "https://www.ada.example/gallery2",
        "https://notada.example/gallery",
        "https://ada.example.evil.example/gallery",
    )
    assert [(each.verdict, each.reason) for each in found] == [
        ("deny", "denied"),
        ("review", "url-only"),  # an address alone says nothing of what is there: it may restrict, not permit
        ("unknown", "not-examined"),
        ("unknown", "not-examined"),
    ]
    assert [(each.work, each.key, each.kind) for each in found[0].matches] == [
        (part, "site", "exact"),
        (whole, "site", "exact"),
    ]
    await publish(site.services)
    again = await answered(site, "http://ada.example/gallery/a.png")
    assert again[0].verdict == "deny"
    assert await verify(site.services) == []


async def test_rule_5_without_the_proof_a_rule_has_no_effect_until_it_is_back(site: Running, net: Internet) -> None:
    ada, claim = await owner(site, net, "eve.example")
    other, _ = await owner(site, net, "eve.example", "Bea")  # whoever else has proven it keeps what she said
    both = await ask(ada, "bücher.example")  # so that the level stays when one of both goes
    net.put_record(both.domain, both.value)
    await check(ada, both.claim)
    work = await stated(ada, "eve.example", NO_AI)
    await stated(other, "eve.example/bea", NO_AI)
    urls = "https://eve.example/x", "https://eve.example/bea/x"
    assert [each.verdict for each in await answered(site, *urls)] == ["deny", "deny"]
    for _ in range(2):  # seen as gone, and gone for longer than the grace
        await service.record(site.services, ada.uuid, identifiers.to_uuid(claim), Found(problem="gone"))
        async with site.services.database.acquire() as conn:
            await conn.execute(
                "update domain_claims set failing_since = failing_since - $1::interval where failing_since is not null",
                site.services.settings.claims_grace + timedelta(days=1),
            )
    assert [each.verdict for each in await answered(site, *urls)] == ["unknown", "deny"]
    assert (await ada.work(work)).site_proven is False
    (shown,) = [each for each in await listed(ada) if each.claim == claim]
    net.put_record("eve.example", shown.value)
    await check(ada, claim)
    assert [each.verdict for each in await answered(site, *urls)] == ["deny", "deny"]
    assert (await ada.work(work)).site_proven is True
    dropped = await ada.http.delete(f"/v1/claims/{claim}")
    assert dropped.status_code == 200, dropped.text
    assert [each.verdict for each in await answered(site, *urls)] == ["unknown", "deny"]


async def test_rule_28_the_rules_of_an_erased_account_say_nothing_and_leave_no_site(
    site: Running, net: Internet
) -> None:
    ada, _ = await owner(site, net, "www.ada.example", "Cleo")
    await stated(ada, "www.ada.example/cleo/diary", NO_AI)
    (before,) = await answered(site, "https://www.ada.example/cleo/diary/a.png")
    assert before.matches[0].key == "site"
    await erased(site, ada.account)
    (after,) = await answered(site, "https://www.ada.example/cleo/diary/a.png")
    assert all(match.account != ada.id for match in after.matches)
    assert await places(site, [b"www.ada.example/cleo/diary"]) == set()
    assert await verify(site.services) == []
