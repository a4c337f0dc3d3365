"""Works in dispute and works that were lost in one: what their owner and everybody else reads of them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from licet import times
from registry.disputes import deciding, ending
from registry.portal.frame.languages import LANGUAGES
from tests.registry.disputes.parties import Later
from tests.registry.harness import Running
from tests.registry.portal.people import HTML, Artist, Read
from tests.registry.portal.staff import employed
from tests.registry.portal.test_appeals import answered
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
