"""Works in dispute and works that were lost in one: what their owner and everybody else reads of them."""

from __future__ import annotations

import re
from datetime import timedelta
from hashlib import sha256

import pytest

from licet import identifiers, times
from registry.disputes import deciding, ending
from registry.portal.frame.languages import LANGUAGES
from tests.registry.disputes.parties import Later
from tests.registry.harness import Running
from tests.registry.keymaking import SAME_ORIGIN
from tests.registry.portal.people import HTML, Artist, Read
from tests.registry.portal.staff import employed
from tests.registry.portal.test_appeals import answered
from tests.registry.portal.test_disputes import drafts, opens, two_parties
from tests.registry.portal.whole import held_whole

pytestmark = pytest.mark.anyio

CONTESTED = {"en": "Another account has registered", "zh": "别的账号登记了"}
OPEN = {"en": "in dispute", "zh": "争议"}
LOST = {"en": "You lost this picture in a dispute on", "zh": "这张画判给了对方"}
GONE = {"en": "this picture is somebody else’s", "zh": "这张画由别人说了算"}
DOOR = {"en": "No use: lost in a dispute", "zh": "不得使用：争议里判给了别人"}


async def decided(site: Running, path: str, outcome: str) -> None:
    """End the dispute at ``path``: it is decided, and nobody appeals in time."""
    opal = await employed(site, "operator", "Opal")
    with pytest.MonkeyPatch.context() as then:
        then.setattr(deciding, "times", Later(times.now() - timedelta(days=20)))
        upheld = outcome == "upheld"
        await deciding.decide(
            site.services, path.rpartition("/")[2], opal.id, "upheld" if upheld else "dismissed", "As it is."
        )
    assert await ending.end_due(site.services, times.now()) == 1


async def told(who: Artist) -> list[str]:
    return [each["kind"] for each in (await who.http.get("/v1/events")).json()["items"]]


@pytest.mark.parametrize("language", LANGUAGES)
async def test_a_work_in_dispute_says_so_and_one_that_was_lost_for_ever(site: Running, language: str) -> None:
    hers, his, path = await answered(site)
    (work,) = his.works
    own, public = f"/{language}/works/{work}", f"/{language}/work/{work}"
    for page in (await held_whole(his.http, own, language), await held_whole(hers.http, public, language)):
        assert OPEN[language] in page.text
        assert CONTESTED["en"] not in page.text
        assert CONTESTED["zh"] not in page.text
    assert f"/{language}{path}" in (await held_whole(his.http, own, language)).links()
    assert f"/{language}{path}" not in (await held_whole(hers.http, public, language)).links()
    await decided(site, path, "upheld")
    page = await held_whole(his.http, own, language)
    assert (LOST[language] in page.text, CONTESTED[language] in page.text) == (True, False)
    assert f"/{language}{path}" in page.links()
    assert f"/{language}/terms?work={work}" not in page.links()
    assert DOOR[language] in (await held_whole(his.http, f"/{language}/works", language)).text
    page = await held_whole(hers.http, public, language)
    assert (GONE[language] in page.text, DOOR[language] in page.text) == (True, True)
    for who in (hers, his):  # of a dispute, not of a contest that never was
        assert not {"contested", "contest-ended"} & set(await told(who))


@pytest.mark.parametrize("language", LANGUAGES)
async def test_after_a_dispute_that_changed_nothing_a_work_is_as_before(site: Running, language: str) -> None:
    _, his, path = await answered(site)
    await decided(site, path, "dismissed")
    page = await held_whole(his.http, f"/{language}/works/{his.works[0]}", language)
    assert f"/{language}{path}" not in page.links()
    public = Read((await his.http.get(f"/{language}/work/{his.works[0]}", headers=HTML)).text)
    for each in (page, public):
        assert ("No AI use" if language == "en" else "不得用于 AI") in each.text
    assert "contest-ended" not in await told(his)


OVER = {
    "upheld": ({"en": "Decided for you", "zh": "裁决支持你"}, {"en": "Decided against you", "zh": "裁决没有支持你"}),
    "dismissed": ({"en": "Decided against you", "zh": "裁决没有支持你"}, {"en": "Decided for you", "zh": "裁决支持你"}),
}
MEANS = {
    "upheld": (
        {"en": "To set terms of your own for it, register it", "zh": "登记之后就能定自己的条件"},
        {"en": "what you sign for it has no effect", "zh": "你再为它签什么都不起作用"},
    ),
    "dismissed": (
        {"en": "You cannot dispute it again", "zh": "你不能再提争议"},
        {"en": "The picture stays yours", "zh": "这张画还是你的"},
    ),
}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("outcome", ["upheld", "dismissed"])
async def test_the_end_of_a_dispute_tells_each_side_what_it_means(site: Running, outcome: str, language: str) -> None:
    hers, his, path = await answered(site)
    await decided(site, path, outcome)
    for who, over, means in zip((hers, his), OVER[outcome], MEANS[outcome], strict=True):
        page = await held_whole(who.http, f"/{language}{path}", language)
        assert (over[language] in page.text, means[language] in page.text) == (True, True)
        led = {f"/{language}{each}" for each in ("/level", "/licences")} <= set(page.links())
        assert ("180" in page.text, led and outcome == "upheld") == (who is hers and outcome == "upheld",) * 2
        listed = await held_whole(who.http, f"/{language}/disputes", language)
        assert over[language] in listed.text
    auditor = await employed(site, "auditor", "Ada", his.id)
    page = await held_whole(auditor.http, f"/{language}{path}", language)
    assert not {each[language] for each in (*OVER[outcome], *MEANS[outcome])} & {page.text}
    assert MEANS[outcome][1][language] not in page.text


@pytest.mark.parametrize("language", LANGUAGES)
async def test_who_opens_a_dispute_reads_every_step_that_can_follow(site: Running, language: str) -> None:
    hers, his = await two_parties(site)
    page = await held_whole(hers.http, f"/{language}/disputes/new", language)
    own = (await hers.form("/en/account"))["form"]
    sent = await hers.sends(f"/{language}/disputes/new", {"form": own, "subject": his.works[0], "text": "Mine."})
    for each in (page, Read(sent.text)):
        for step in {"en": ("to appeal once", "somebody else looks"), "zh": ("可以申诉一次", "由另一个人")}[language]:
            assert step in each.text


def decidable(home: Read) -> int:
    """Return how many disputes an operator's home says can be decided."""
    found = re.search(r"(A|\d+) disputes? can be decided now|有 (\d+) 个争议现在就可以裁决", home.text)
    return 0 if found is None else 1 if found[1] == "A" else int(found[1] or found[2])


@pytest.mark.parametrize("language", LANGUAGES)
async def test_an_operator_reads_who_and_what_it_is_about_and_what_waits(site: Running, language: str) -> None:
    now = {"en": "Can be decided now", "zh": "现在就可以裁决"}[language]
    hers, his = await two_parties(site)
    path = await opens(hers, his)
    opal = await employed(site, "operator", "Opal")
    at, home = f"/{language}/operator{path}", f"/{language}/operator"
    page = await held_whole(opal.http, at, language)
    assert f"/{language}/work/{his.works[0]}" in page.links()
    for each in ("Mei", "Bao", "No. 0", "claim level 0" if language == "en" else "主张等级 0"):
        assert each in page.text, each
    assert now not in page.text
    before = decidable(await held_whole(opal.http, home, language))
    form = await drafts(his, f"/en{path}", step="answer", position="contest", text="No.")
    assert (await his.sends("/en/disputes/sign", form)).status_code == 303
    for each in (at, f"{home}/disputes"):
        page = await held_whole(opal.http, each, language)
        assert (now in page.text, "Mei" in page.text) == (True, True)
        if each == at:  # others may wait in the list
            assert {"en": "To be decided from", "zh": "几时起可裁决"}[language] not in page.text
    page = await held_whole(opal.http, home, language)
    assert (decidable(page), f"{home}/disputes" in page.links()) == (before + 1, True)


LEFT = {"en": "has no effect", "zh": "不起作用"}


@pytest.mark.parametrize("language", LANGUAGES)
async def test_works_that_were_lost_are_left_out_of_what_can_be_signed(site: Running, language: str) -> None:
    _, his, path = await answered(site)
    await decided(site, path, "upheld")
    (lost,) = his.works
    for each in (f"work={lost}", "scope=all"):
        page = await held_whole(his.http, f"/{language}/terms?{each}", language)
        assert (LEFT[language] in page.text, "payload" in dict(page.fields)) == (True, False)
    await his.registers(1)
    page = await held_whole(his.http, f"/{language}/terms?scope=all", language)
    assert LEFT[language] in page.text
    form = await his.form("/en/terms?scope=all")
    assert (await his.sends("/en/terms/sign", his.signed(form))).status_code == 303
    works = {each["work"]: each for each in (await his.http.get("/v1/works")).json()["items"]}
    assert works[lost]["statement"] != works[his.works[1]]["statement"]


@pytest.mark.parametrize("language", LANGUAGES)
async def test_a_contest_is_said_before_terms_are_signed_and_wherever_they_would_count(
    site: Running, language: str
) -> None:
    met = {"en": "One picture is contested", "zh": "有 1 张画有争议"}[language]
    now = {"en": "In force here at once", "zh": "在我们这里立即生效"}[language]
    home, of_all = f"/{language}/home", f"/{language}/terms?scope=all"
    hers, his = await two_parties(site)
    digest = sha256(his.works[0].encode()).hexdigest()  # as his was registered
    work = {"work": identifiers.new_id("wrk"), "mode": "fingerprint-only", "sha256": digest, "title": "Cat"}
    registered = await site.post("/v1/works", {"works": [work]}, http=hers.http, **SAME_ORIGIN)
    assert registered.status_code == 201, registered.text
    assert met not in (await held_whole(hers.http, home, language)).text
    page = await held_whole(hers.http, of_all, language)
    assert (met in page.text, now in page.text) == (True, False)
    form = await hers.form("/en/terms?scope=all")
    assert (await hers.sends("/en/terms/sign", hers.signed(form))).status_code == 303
    for who in (hers, his):
        page = await held_whole(who.http, home, language)
        assert (met in page.text, f"/{language}/works?state=contested" in page.links()) == (True, True)
    for path in (f"/{language}/works/{work['work']}", f"/{language}/work/{work['work']}"):
        page = await held_whole(hers.http, path, language)
        assert ("None of it permits anything" if language == "en" else "哪一项都不准许使用") in page.text
    form = await his.form(f"/en/terms?work={his.works[0]}&card=research")
    assert (await his.sends("/en/terms/sign", his.signed(form))).status_code == 303
    page = await held_whole(his.http, f"/{language}/works/{his.works[0]}", language)
    assert ("They count only once it is settled" if language == "en" else "要等这张画归谁有了结果") in page.text
    assert ("Looser terms wait on" if language == "en" else "等着放宽，") not in (
        await held_whole(his.http, home, language)
    ).text
