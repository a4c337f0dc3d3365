"""The register's pages: in Chinese and English, whole without a script, and never more than the public may see."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from registry.portal.frame.languages import LANGUAGES, preferred
from registry.portal.register import pages
from registry.portal.register.pages import ROOM
from tests.registry.catalogue import PAID
from tests.registry.harness import Running
from tests.registry.market import Trainer, shelf, trainer
from tests.registry.register.test_register import dataset, logged, trained

pytestmark = pytest.mark.anyio

CJK = re.compile(r"[\u4e00-\u9fff]")


class Elements(HTMLParser):
    """What a page is made of: its elements, and its words."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join("".join(self.words).split())


async def opened(site: Running, path: str, status: int = 200) -> Elements:
    answer = await site.http.get(path, headers={"Accept": "text/html"})
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    page = Elements(answer.text)
    for tag, attributes in page.found:
        assert tag != "script"
        assert not [name for name in attributes if name.startswith("on") or name == "style"], (tag, attributes)
    assert sum(tag == "h1" for tag, _ in page.found) == 1
    return page


@pytest.fixture(scope="module")
async def shop(site: Running, snapshot: str) -> tuple[Trainer, str, str, str]:
    """A lab with a listed and a held-back model; the lab, the listed model, its dataset, the held-back one."""
    lab = await trainer(site, "Brush & <Ink> Labs")
    made = await dataset(lab, snapshot, name="ink <b>sketches</b>", unknown_policy="keep")
    await trained(lab, made, snapshot, model="brush/ink", version="3")
    card = lab.card(model="brush/ink", version="3", summary="Draws <script>alert(1)</script>\nin ink.")
    logged(await lab.log("/v1/models", card))
    logged(await lab.log("/v1/models", lab.card(model="brush/secret", status="in-training", listed=False)))
    listed, held = (await lab.http.get("/v1/models?sort=name")).json()["items"]
    return lab, listed["model"], made[0], held["model"]


async def test_pages_say_what_the_register_knows_in_both_languages(site: Running, shop: tuple[Trainer, str, str, str]):
    _, model, made, held = shop
    for language in LANGUAGES:
        w = ROOM.speaks(language)
        front = await opened(site, f"/{language}/register?q=brush")
        assert "brush/ink@3" in front.text
        assert "Brush & <Ink> Labs" in front.text  # as text: it was escaped
        assert "brush/secret" not in front.text
        listed = await opened(site, f"/{language}/register/datasets?q=ink&sort=name")
        assert "ink <b>sketches</b>" in listed.text
        shown = await opened(site, f"/{language}/register/models/{model}")
        for words in ("released", "trained_on", "keep", "runs"):
            assert w(words) in shown.text
        assert "Draws <script>alert(1)</script>" in shown.text
        of = await opened(site, f"/{language}/register/datasets/{made}")
        for words in ("deny", "license", "unknown", "proof", "used_by", "keep"):
            assert w(words) in of.text
        assert "brush/ink@3" in of.text
        for each in ("use_train-gen", "purpose_commercial"):  # as people say it, never what programs call it
            assert w(each) in of.text
        assert "train-gen" not in of.text
        for path in (f"models/{held}", "models/mdl_01m8fw89z4es5anmk2s7649n82", "datasets/nonsense"):
            assert w("gone") in (await opened(site, f"/{language}/register/{path}", 404)).text
        assert w("none_found") in (await opened(site, f"/{language}/register?q=nobody-at-all")).text
        for page in (front, listed, shown, of):
            other = next(a for tag, a in page.found if tag == "a" and a.get("class") == "tongue")
            (kept,) = [a["lang"] for tag, a in page.found if tag == "html"]
            assert kept == w.tag
            assert (await site.http.get(other["href"] or "")).status_code == 200
            if language == "en":
                assert set(CJK.findall(page.text)) <= set("允中文")


async def test_every_link_of_a_page_leads_somewhere(site: Running, shop: tuple[Trainer, str, str, str]):
    _, model, made, _ = shop
    for path in ("", "/datasets", f"/models/{model}", f"/datasets/{made}"):
        page = await opened(site, f"/zh/register{path}")
        links = {a.get("href") or a.get("src") for tag, a in page.found if tag in ("a", "link", "img")}
        for link in sorted(each for each in links if each and each.startswith("/")):
            answer = await site.http.get(link)
            assert answer.status_code == 200, (path, link, answer.text)


async def test_lists_go_on_where_a_page_ends(site: Running, snapshot: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(pages, "_A_PAGE", 2)
    lab = await trainer(site, "Paging Labs")
    for number in range(3):
        await dataset(lab, snapshot, name=f"leaf {number}")
    page = await opened(site, "/en/register/datasets?q=leaf&sort=name")
    (following,) = [a["href"] for tag, a in page.found if tag == "a" and a.get("rel") == "next"]
    rest = await opened(site, following or "")
    assert [name in page.text for name in ("leaf 0", "leaf 1", "leaf 2")] == [True, True, False]
    assert [name in rest.text for name in ("leaf 0", "leaf 1", "leaf 2")] == [False, False, True]
    assert ROOM.speaks("en")("bad", why="")[:20] in (await opened(site, "/en/register?cursor=AAAA", 400)).text


@pytest.mark.parametrize(
    ("accept", "language"),
    [
        (None, "en"),
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        ("en-GB,en;q=0.9,zh;q=0.8", "en"),
        ("de, zh;q=0.5", "zh"),
        ("de", "en"),
        ("zh;q=x, en;q=0.1", "en"),
        ("zh;q=0", "en"),
        (",;,", "en"),
    ],
)
async def test_the_register_opens_in_the_language_that_is_liked_best(site: Running, accept: str | None, language: str):
    assert preferred(accept) == language
    headers = {} if accept is None else {"Accept-Language": accept}
    answer = await site.http.get("/register", headers=headers)
    assert (answer.status_code, answer.headers["location"]) == (303, f"/{language}/register")


async def test_runs_outside_a_licence_say_so_and_versions_come_as_people_count_them(site: Running, snapshot: str):
    works, lab = await shelf(site, PAID, 1), await trainer(site, "Counting Labs")
    licence = (await lab.license(works.wanted())).licence
    made = await dataset(lab, snapshot, name="counted")
    for run, version in (("1", "1"), ("2", "10"), ("3", "9")):
        await trained(lab, made, snapshot, run=run, version=version, licences=[licence])
    (model,) = (await lab.http.get("/v1/models")).json()["items"]
    items = (await site.http.get(f"/v1/register/runs?model={model['model']}")).json()["items"]
    assert {each["version"]: each["outside"] for each in items} == {"1": False, "10": True, "9": True}
    for language in LANGUAGES:
        w = ROOM.speaks(language)
        page = await opened(site, f"/{language}/register/models/{model['model']}")
        assert page.text.count(w("run_outside")) >= 2
        assert page.text.count(w("runs_outside", n=1)) == 2
        places = [page.text.index(f"{w('version')} {version} ") for version in ("10", "9", "1")]
        assert places == sorted(places)


async def test_a_version_says_how_many_of_its_runs_came_with_licences(site: Running, snapshot: str):
    works, lab = await shelf(site, PAID, 1), await trainer(site, "First Run Labs")
    made = await dataset(lab, snapshot, name="firsts")
    await lab.license(works.wanted(), dataset=made[0])
    await trained(lab, made, snapshot, run="2")
    (model,) = (await lab.http.get("/v1/models")).json()["items"]
    for language in LANGUAGES:
        said = {"en": "One training run came with a licence", "zh": "有 1 次训练是许可自带的"}[language]
        page = await opened(site, f"/{language}/register/models/{model['model']}")
        assert said in page.text
        assert ROOM.speaks(language)("no_runs") not in page.text
    await trained(lab, made, snapshot, run="1")
    assert "came with" not in (await opened(site, f"/en/register/models/{model['model']}")).text


async def test_rows_that_nobody_speaks_for_are_not_drawn_as_allowed(site: Running, snapshot: str):
    lab = await trainer(site, "Drawing Labs")
    made, _ = await dataset(lab, snapshot, name="drawn", kept=2, counts={"allow": 1, "unknown": 3})
    for path in (f"/en/register/datasets/{made}", "/en/register/datasets?q=drawn"):
        page = await opened(site, path)
        (allowed,) = [each for tag, each in page.found if tag == "rect" and each.get("class") == "c"]
        assert (allowed["x"], allowed["width"]) == ("0.00%", "25.00%")
    assert ROOM.speaks("en")("key_allowed") in page.text
