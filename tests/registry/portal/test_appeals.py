"""Appeals at the portal: who lost reads what can be done until when, and another operator decides for good."""

from __future__ import annotations

from datetime import timedelta

import pytest

from licet import times
from licet.terms import Price, preset
from registry.disputes import deciding, ending, verification
from registry.portal.frame.languages import LANGUAGES
from tests.registry.disputes.parties import Later, charge_of, dispute, opening, send, step, told
from tests.registry.harness import Running
from tests.registry.market import reported, shelf
from tests.registry.portal.people import HTML, Artist, Read
from tests.registry.portal.staff import employed
from tests.registry.portal.team import teamed
from tests.registry.portal.test_disputes import drafts, opens, shown, signed, two_parties
from tests.registry.portal.whole import held_whole
from tests.registry.usage import test_corrections as corrections

pytestmark = pytest.mark.anyio

PER_OUTPUT = preset("paid", Price(model="per-output", amount="1", currency="USD"))
PER_WORK = preset("paid", Price(model="per-work", amount="1", currency="USD"))

APPEAL = {"en": "I appeal", "zh": "我不服，要申诉"}
UNTIL = {"en": "Can be appealed until", "zh": "申诉截止"}


async def answered(site: Running) -> tuple[Artist, Artist, str]:
    """Return the parties, and the path of a dispute that was objected to."""
    hers, his = await two_parties(site)
    path = await opens(hers, his)
    form = await drafts(his, f"/en{path}", step="answer", position="contest", text="No.")
    assert (await his.sends("/en/disputes/sign", form)).status_code == 303
    return hers, his, path


def steps_in(page: Read) -> set[str]:
    """Return the steps that the forms of a page offer."""
    return {str(each["value"]) for _, each in page.elements if each.get("name") == "step"}


@pytest.mark.parametrize("language", LANGUAGES)
async def test_who_lost_appeals_without_scripts_and_another_operator_decides(site: Running, language: str) -> None:
    hers, his, path = await answered(site)
    opal, omar = await employed(site, "operator", "Opal"), await employed(site, "operator", "Omar")
    at = f"/{language}/operator{path}"
    assert (
        await opal.sends(at, at, step="decide", outcome="upheld", text="She shows her sketches.")
    ).status_code == 303
    decided = await held_whole(opal.http, at, language)
    assert steps_in(decided) == set()
    assert UNTIL[language] in decided.text
    winner = await held_whole(hers.http, f"/{language}{path}", language)
    assert (steps_in(winner), UNTIL[language] in winner.text) == (set(), True)
    loser = await held_whole(his.http, f"/{language}{path}", language)
    assert (steps_in(loser), APPEAL[language] in loser.text) == ({"appeal", "accept"}, True)
    refused = await his.sends(
        f"/{language}{path}", {"form": (await his.form("/en/account"))["form"], "step": "appeal", "text": " "}
    )
    assert (refused.status_code, steps_in(Read(refused.text))) == (400, {"appeal", "accept"})
    form = await drafts(his, f"/en{path}", step="accept", text="So be it.")
    attested = await his.sends("/en/disputes/sign", form)
    assert (attested.status_code, "needs your own passkey" in attested.text) == (403, True)
    form = await drafts(his, f"/en{path}", step="appeal", text="My layers are older.")
    for _ in range(2):  # attested, and twice has one effect
        assert (await his.sends("/en/disputes/sign", form)).status_code == 303
    assert (await shown(hers, path)).dispute.state == "appealed"
    for who in (hers, his, opal, omar):
        place = at if who in (opal, omar) else f"/{language}{path}"
        page = await held_whole(who.http, place, language)
        assert "My layers are older." in page.text
        assert steps_in(page) == ({"review"} if who is omar else {"accept"} if who is his else set())
    queue = await held_whole(opal.http, f"/{language}/operator/disputes?state=appealed", language)
    assert f"/{language}/operator{path}" in queue.links()
    assert ("You decided; another operator" if language == "en" else "是你裁决的，要由另一位") in queue.text
    own = await opal.sends(f"/{language}/operator/staff", at, step="review", outcome="upheld", text="As I said.")
    assert own.status_code == 403
    assert (await shown(hers, path)).dispute.state == "appealed"
    for _ in range(2):
        done = await omar.sends(f"/{language}/operator/staff", at, step="review", outcome="dismissed", text="Older.")
        assert done.status_code == 303
    assert (await shown(hers, path)).dispute.state == "dismissed"
    for who in (hers, his):
        page = await held_whole(who.http, f"/{language}{path}", language)
        assert (steps_in(page), "Older." in page.text) == (set(), True)
        home = Read((await who.http.get(f"/{language}/home", headers=HTML)).text)
        assert f"/{language}{path}" in home.links()
        assert ("looked at again, and is over" if language == "en" else "复核完了") in home.text
    async with site.services.database.transaction(readonly=True) as conn:
        assert await verification.rebuild(conn) == []


@pytest.mark.parametrize("language", LANGUAGES)
async def test_a_teams_home_says_what_waits_for_it_and_auditors_only_read(site: Running, language: str) -> None:
    team, works = await teamed(site, "Doubting"), await shelf(site, PER_WORK, 1)
    await team.lab.license(works.wanted())
    opens_it = opening(team.lab, await charge_of(team.lab), text="There were fewer uses.")
    about = told(await send(team.lab, opens_it)).dispute
    path = f"/{language}/disputes/{about.dispute}"

    async def leads() -> bool:
        return path in (await held_whole(team.browser, f"/{language}/organisation", language)).links()

    assert not await leads()  # for the other party to answer
    told(await step(works.owner, about))
    opal = await employed(site, "operator", "Opal")
    await deciding.decide(site.services, about.dispute, opal.id, "dismissed", "There were as many uses.")
    assert await leads()
    ada = await employed(site, "auditor", "Ada", team.lab.id)
    for state in ("decided", "appealed"):
        page = await held_whole(ada.http, path, language)
        assert steps_in(page) == set()
        assert ("Against you" if language == "en" else "没有支持你") not in page.text
        assert steps_in(await held_whole(team.browser, path, language)) == (
            {"appeal", "accept"} if state == "decided" else {"accept"}
        )
        if state == "decided":
            told(await step(team.lab, about, "appeal"))
    assert not await leads()  # for another operator to review
    assert (
        await (await employed(site, "auditor", "Eve", works.owner.id)).http.get(path, headers=HTML)
    ).status_code == 200
    stranger = await teamed(site, "Stranger")
    assert (await stranger.browser.get(path, headers=HTML)).status_code == 404


@pytest.mark.parametrize("language", LANGUAGES)
async def test_a_teams_home_leads_to_what_it_is_to_answer(site: Running, language: str) -> None:
    team, works = await teamed(site, "Correcting"), await shelf(site, PER_OUTPUT, 1)
    licence = await team.lab.license(works.wanted())
    (used,) = team.lab.events(licence, "1", outputs=10)
    for each in (used, corrections.correction(used, 4)):  # which takes six back from whoever was paid
        reported(await corrections.send(team.lab, licence, each))
    about = await dispute(works.owner, await charge_of(works.owner))
    home = await held_whole(team.browser, f"/{language}/organisation", language)
    assert f"/{language}/disputes/{about.dispute}" in home.links()
    assert ("You can answer until" if language == "en" else "前可以答复") in home.text
    told(await step(team.lab, about))
    home = await held_whole(team.browser, f"/{language}/organisation", language)
    assert f"/{language}/disputes/{about.dispute}" not in home.links()


@pytest.mark.parametrize("language", LANGUAGES)
async def test_a_decision_is_accepted_by_a_passkey_also_late(site: Running, language: str) -> None:
    hers, _, path = await answered(site)
    opal = await employed(site, "operator", "Opal")
    with pytest.MonkeyPatch.context() as then:
        then.setattr(deciding, "times", Later(times.now() - timedelta(days=20)))
        await deciding.decide(site.services, path.rpartition("/")[2], opal.id, "dismissed", "He shows his layers.")
    page = await held_whole(hers.http, f"/{language}{path}", language)
    assert steps_in(page) == {"accept"}  # too late to appeal, until the loop ends it
    form = await drafts(hers, f"/en{path}", step="appeal", text="No!")
    assert (await hers.sends("/en/disputes/sign", form)).status_code == 409
    form = await drafts(hers, f"/en{path}", step="accept", text="So be it.")
    assert (await hers.sends("/en/disputes/sign", signed(hers, form))).status_code == 303
    assert (await shown(hers, path)).dispute.state == "dismissed"
    assert steps_in(await held_whole(hers.http, f"/{language}{path}", language)) == set()
    assert await ending.end_due(site.services, times.now()) == 0


@pytest.mark.parametrize("language", LANGUAGES)
async def test_a_dispute_that_ended_by_itself_says_so_in_the_readers_language(site: Running, language: str) -> None:
    hers, his, path = await answered(site)
    opal = await employed(site, "operator", "Opal")
    with pytest.MonkeyPatch.context() as then:
        then.setattr(deciding, "times", Later(times.now() - timedelta(days=20)))
        await deciding.decide(site.services, path.rpartition("/")[2], opal.id, "upheld", "As it is.")
    assert await ending.end_due(site.services, times.now()) == 1
    for who, place in ((hers, path), (his, path), (opal, f"/operator{path}")):
        page = await held_whole(who.http, f"/{language}{place}", language)
        assert ("It is over: nobody appealed" if language == "en" else "结束：没有人申诉") in page.text
        assert ("Nobody appealed within" in page.text, steps_in(page)) == (False, set())
