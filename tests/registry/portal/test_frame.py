"""What all pages stand in: words in both languages, files at lasting addresses, policies, forms, refusals."""

from __future__ import annotations

import ast
import importlib
import re
import string
from pathlib import Path

import pytest

import registry.portal
from licet.identifiers import new_id
from registry.portal.frame import assets, ceremonies, doors, forms, machine_words
from registry.portal.frame.languages import LANGUAGES, everywhere, of_path, preferred
from registry.portal.frame.notes import NOTES
from registry.portal.frame.people import onward
from registry.portal.frame.words import FRAME, Plural, Vocabulary, Words
from tests.registry.harness import Running
from tests.registry.keymaking import SAME_ORIGIN
from tests.registry.portal.people import HTML, Artist, Read, joined

pytestmark = pytest.mark.anyio

PORTAL = Path(registry.portal.__file__).parent
CJK = re.compile(r"[\u4e00-\u9fff]")
MODULE = re.compile(r'<script type="module" nonce="\{\{ nonce \}\}" src="\{\{ asset\("[\w-]+\.js"\) \}\}"></script>')
ROOMS = sorted(path.parent.name for path in PORTAL.glob("*/words.py"))


def vocabulary(room: str) -> Vocabulary:
    return FRAME if room == "frame" else importlib.import_module(f"registry.portal.{room}.words").WORDS


@pytest.mark.parametrize("room", ROOMS)
async def test_every_sentence_is_there_in_both_languages(room: str) -> None:
    for name, (english, chinese) in vocabulary(room).items():
        texts = [*english, chinese] if isinstance(english, Plural) else [english, chinese]
        assert all(texts) or name == "gap", name
        assert not CJK.search("".join(texts[:-1])), name
        assert CJK.search(chinese) or name in ("title_zh", "as_json", "comma", "listing", "colon", "gap"), name
        fields = [{field for _, field, *_ in string.Formatter().parse(text) if field} for text in texts]
        # Of one thing English may leave its number out.
        assert all(found | {"n"} == fields[-1] | {"n"} for found in fields), name


# Names that are made of what is shown: a door, a state, a kind of event, a status, a note; of whose account is opened.
MADE = re.compile(
    "(e[0-9]|note|door|use|event|pk|state|sort|card|class|alg|parts|mode|effect|permission|wrong|can|nav|check|again|scope|say)_?.*"
    "|(about|cannot|charge|dispute|domain|duty|for|first|from|join|kept|kind|level|match|model|payout|price)_.*"
    "|(ledger|purpose|remit|side|tab|team|topic)_.*"
    "|(alone|asks|audience|back|begins|covers|key|later|month|oath|part|passed|refuse|replied|reply|role|ruled|said)_.*"
    "|(set|sign|signed|signs|table|trace|unit|weigh|weights|withdraw)_.*"
)


@pytest.mark.parametrize("room", ROOMS)
async def test_every_sentence_is_said_and_everything_that_is_said_is_one(room: str) -> None:
    sources = [
        *(PORTAL / room).rglob("*.html"),
        *(path for path in (PORTAL / room).glob("*.py") if not path.stem.endswith("words")),
    ]
    own = "".join(path.read_text() for path in sources)
    said = set(re.findall(r'\bw\(\s*"([^"]+)"\s*[,)]', own))
    if room == "frame":  # its parts are said in the words of the room that uses them
        said -= {*doors.WORDS, *machine_words.WORDS, *ceremonies.KEYS, *ceremonies.PASSKEY}
    assert said <= {*vocabulary(room), *FRAME}, said - {*vocabulary(room), *FRAME}
    given = {"exact", "near", "derivative", "allow", "license", "unknown", "review", "deny", "exclude", "keep"}
    given |= {"free", "attribution", "per-work", "per-training-run", "per-output", "subscription", "pool"}
    given |= {"stop-new-runs", "retire-model", "unlearn"}
    given |= {"revenue-share", "negotiate", "in-training", "released", "retired", "undescribed"}
    inherited = (
        {*doors.WORDS, *machine_words.WORDS, *ceremonies.KEYS, *ceremonies.PASSKEY} if room != "frame" else set[str]()
    )
    if room == "frame":  # some of its words are said in other rooms
        own = "".join(path.read_text() for path in PORTAL.rglob("*.html"))
    unsaid = {name for name in vocabulary(room) if f'"{name}"' not in own and not MADE.fullmatch(name)}
    assert not unsaid - given - inherited


async def test_what_one_side_asks_of_the_other_has_one_name_in_every_room() -> None:
    # A form that was sent is called a request as HTTP has it, on pages of errors alone.
    for room in ROOMS:
        named = {name for name, (_, chinese) in vocabulary(room).items() if "请求" in chinese}
        assert named <= {"e400", "e405_text"}, room


async def test_numbers_days_and_amounts_are_written_as_each_language_does() -> None:
    english, chinese = Words("en"), Words("zh")
    assert (english.number(12904), chinese.number(12904)) == ("12,904", "12,904")
    assert (english.day("2026-11-08"), chinese.day("2026-11-08T05:06:07.000Z")) == ("8 Nov 2026", "2026 年 11 月 8 日")
    moment = "2026-11-08T05:06:07.000Z"
    assert english.moment(moment) == "8 Nov 2026, 05:06 UTC"
    assert chinese.moment(moment) == "2026 年 11 月 8 日 05:06（UTC）"
    assert english.money("312.4", "USD") == "US$312.40"
    assert chinese.money(1_248_500_000, "CNY") == "¥1,248.50"
    assert english.money("0.000001", "EUR") == "€0.000001"  # never rounded
    for words in (english, chinese):
        assert [words.percent(n) for n in (0, 1000, 1250, 1, 10_000)] == ["0%", "10%", "12.5%", "0.01%", "100%"]
    assert [english.size(n) for n in (0, 817, 1000, 2_400_000, 3 * 10**9)] == [
        *("0 bytes", "817 bytes", "1 kB", "2.4 MB", "3 GB"),
    ]
    assert chinese.size(12_345_678_900) == "12.3 GB"
    many: Vocabulary = {"works": (Plural("one picture", "{n} pictures"), "{n} 张画")}
    assert [Words("en", many)("works", n=n) for n in (0, 1, 2000)] == ["0 pictures", "one picture", "2,000 pictures"]
    assert Words("zh", many)("works", n=1) == "1 张画"


async def test_chinese_is_parted_from_other_scripts_alone() -> None:
    words = Words("zh", {"asks": ("{team} asks {artist}", "{team} 向 {artist} 申请，给 {team}")})
    assert words("asks", team="灯笼", artist="王小雨") == "灯笼向王小雨申请，给灯笼"
    assert words("asks", team="Acme", artist="王Li") == "Acme 向王Li 申请，给 Acme"


@pytest.mark.parametrize("room", ["artists", "organisations", "public", "frame"])
async def test_no_template_sets_two_sentences_or_a_colon_as_english_does(room: str) -> None:
    for path in (Path(registry.portal.__file__).parent / room / "templates").glob("*.html"):
        text = path.read_text()
        spaced = re.findall(r'\) \}\}(?:\{% \w+ [^%]*%\})? \{\{ w\("(?!work_registered)', text)
        assert (spaced, re.findall(r"w\([^}]*\) \}\}: ", text)) == ([], []), path.name


async def test_an_address_says_which_language_a_page_is_in() -> None:
    assert everywhere("/works") == ["/en/works", "/zh/works"]
    assert [of_path(path) for path in ("/en", "/zh/works", "/", "/v1/works", "/english", "")] == [
        "en",
        "zh",
        *[None] * 4,
    ]


async def test_people_are_led_to_their_language_and_programs_are_told_what_is_here(site: Running) -> None:
    for accept, language in (("zh-CN,zh;q=0.9,en;q=0.8", "zh"), ("en-GB", "en"), ("de", "en")):
        answer = await site.http.get("/", headers={"Accept": "text/html,*/*;q=0.8", "Accept-Language": accept})
        assert (answer.status_code, answer.headers["location"]) == (303, f"/{language}")
        assert preferred(accept) == language
        assert {"Accept", "Accept-Language"} <= {each.strip() for each in answer.headers["vary"].split(",")}
    alone = await site.http.get("/", headers={"Accept": "text/html"})  # as some crawlers and tools ask
    assert (alone.status_code, alone.headers["location"]) == (303, "/en")
    for headers in ({}, {"Accept": "*/*"}, {"Accept": "application/json"}):
        assert (await site.http.get("/", headers=headers)).json()["description"] == "/openapi.json"


async def test_a_page_lets_nothing_in_but_what_is_ours(site: Running) -> None:
    seen = set()
    for _ in range(2):
        answer = await site.http.get("/en", headers=HTML)
        policy = dict(part.strip().partition(" ")[::2] for part in answer.headers["content-security-policy"].split(";"))
        nonce = re.fullmatch(r"'nonce-([\w-]{22})' 'strict-dynamic'", policy.pop("script-src"))
        assert nonce is not None
        seen.add(nonce[1])
        assert policy == {
            "default-src": "'none'",
            "style-src": "'self'",
            "img-src": "'self' blob:",
            "connect-src": "'self'",
            "worker-src": "'self'",
            "form-action": "'self'",
            "frame-ancestors": "'none'",
            "base-uri": "'none'",
            "require-trusted-types-for": "'script'",
            "trusted-types": "app",
        }
        assert answer.headers["cross-origin-opener-policy"] == "same-origin"
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-content-type-options"] == "nosniff"
    assert len(seen) == 2  # a nonce is for one page


async def test_no_template_has_a_style_or_a_script_of_its_own() -> None:
    for path in PORTAL.rglob("*.html"):
        text = path.read_text()
        assert not re.search(r"\sstyle=|\son[a-z]+=|<style|\|\s*safe\b|autoescape", text), path
        for script in re.findall(r"<script[^>]*>.*?</script>", text, re.DOTALL):
            assert MODULE.fullmatch(script), path


async def test_no_script_has_words_or_strings_made_into_markup() -> None:
    for path in (PORTAL / "frame" / "static").glob("*.js"):
        text = path.read_text()
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|new Function", text), path
        assert not CJK.search(text), path


async def test_files_are_kept_for_good_at_addresses_that_change_with_them(site: Running) -> None:
    for name in assets.files():
        answer = await site.http.get(assets.address(name))
        assert answer.status_code == 200
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert answer.headers["content-encoding"] == "gzip"
        assert answer.content == assets.files()[name].content
        assert "ratelimit" not in answer.headers
    plain = await site.http.get(assets.address("licet.css"), headers={"Accept-Encoding": "gzip;q=0"})
    assert "content-encoding" not in plain.headers
    for path in ("/assets/0000000000000000/licet.css", f"/assets/{assets.digest()}/../pages.py", "/assets/licet.css"):
        assert (await site.http.get(path)).status_code == 404, path
    with pytest.raises(KeyError):
        assets.address("img/none.svg")


async def test_a_form_of_another_session_does_nothing(site: Running, mei: Artist) -> None:
    eve = await joined(site, "Eve")
    path = f"/en/terms?work={mei.works[0]}"
    form = mei.signed(await mei.form(path))
    theirs = (await eve.form("/en/account"))["form"]
    for token in (theirs, [""], ["00" * 64], ["x"]):
        refused = await mei.sends("/en/terms/sign", {**form, "form": token})
        assert refused.status_code == 403
        assert "stale" in Read(refused.text).text
    # Nor one that another site's page sent, whatever is in it.
    assert (await mei.sends("/en/terms/sign", form, **{"Sec-Fetch-Site": "cross-site"})).status_code == 403
    tokens = {(await mei.form(path))["form"][0] for _ in range(2)}
    assert len(tokens) == 2  # masked anew on every page: compressing one tells nothing of it


@pytest.mark.parametrize("language", LANGUAGES)
async def test_pages_name_who_runs_the_registry_where_its_settings_do(
    site: Running, language: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    pages = (f"/{language}", f"/{language}/about", f"/{language}/register?q=a&q=b")
    for contact in ("help@registry.example", "https://registry.example/help", ""):
        named = site.services.settings.model_copy(update={"contact": contact})
        monkeypatch.setattr(site.app.state, "settings", named)
        for path in pages:
            answer = await site.http.get(path, headers=HTML)
            links = [each["href"] for tag, each in Read(answer.text).elements if tag == "a"]
            assert links.count(named.contact_link) == (0 if not contact else 1 if path == pages[0] else 2), path
            assert "registry.example" in answer.text or not contact
            words = Words("zh" if language == "zh" else "en", FRAME)
            assert (words("nav_contact") in answer.text) is bool(contact)


@pytest.mark.parametrize("language", LANGUAGES)
async def test_errors_are_pages_for_people_and_problems_for_programs(site: Running, language: str) -> None:
    words = Words(language)  # type: ignore[arg-type]
    for path, status, name in (
        (f"/{language}/nowhere", 404, "e404"),
        (f"/{language}/work/{new_id('wrk')}", 404, "e404"),
        (f"/{language}/work/nonsense", 400, "e400"),
        (f"/{language}/register?q=a&q=b", 400, "e400"),
    ):
        answer = await site.http.get(path, headers=HTML)
        assert answer.status_code == status, path
        page = Read(answer.text)
        assert words(name) in page.text
        assert "content-security-policy" in answer.headers
        tongue = next(each["href"] for tag, each in page.elements if each.get("class") == "tongue")
        for link in set(page.links()) - {tongue}:
            assert (await site.http.get(link)).status_code in (200, 303), link
        told = await site.http.get(path, headers={"Accept": "application/json"})
        assert told.headers["content-type"] == "application/problem+json"
    answer = await site.http.post(f"/{language}/home", headers=HTML)
    assert (answer.status_code, words("e405") in answer.text) == (405, True)


async def test_who_is_not_signed_in_is_asked_to_and_led_back(site: Running) -> None:
    answer = await site.http.get("/zh/works?q=a%20b", headers=HTML)
    assert answer.status_code == 303
    assert answer.headers["location"] == "/zh/sign-in?to=%2Fzh%2Fworks%3Fq%3Da%2520b"
    page = Read((await site.http.get(answer.headers["location"], headers=HTML)).text)
    (form,) = [each for tag, each in page.elements if tag == "form" and "data-sign-in" in each]
    assert form["data-to"] == "/zh/works?q=a%20b"


async def test_a_form_of_somebody_signed_out_is_held_if_a_page_of_ours_sent_it_and_it_acts_by_no_session(
    site: Running, mei: Artist
) -> None:
    form = {**mei.signed(await mei.form(f"/en/terms?work={mei.works[0]}")), "note": 'two\nlines & "marks"'}
    for kept in ("/en/terms/sign", "/en/terms"):
        page = Read((await site.http.post(kept, data=form, headers={**HTML, **SAME_ORIGIN})).text)
        (held,) = [each for tag, each in page.elements if tag == "form" and "data-resume" in each]
        assert held["action"] == kept
        names = {name for name, _ in page.fields}
        assert names == set(form)
        assert {name: [value for field, value in page.fields if field == name] for name in names} == {
            **{name: [value] if isinstance(value, str) else value for name, value in form.items()},
            "form": [""],
        }
    requests = (f"requests/{each}" for each in ("new", "ask", "ask_1/offer", "ask_1/accept"))
    for shows_or_signed in (*requests, "keys/look", "keys/delegate"):
        path = f"/en/organisation/{shows_or_signed}"
        page = Read((await site.http.post(path, data={"model": "atelier@1"}, headers={**HTML, **SAME_ORIGIN})).text)
        assert sorted(page.fields) == [("form", ""), ("model", "atelier@1")], path
    foreign: tuple[dict[str, str], ...] = (
        *({"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Origin": "https://eve.example"}),
        {},
    )
    for headers in foreign:
        page = Read((await site.http.post("/en/terms", data=form, headers={**HTML, **headers})).text)
        assert page.fields == [], headers
        assert "/en/sign-in?to=/en/home" in page.links()
    # Whoever signs in next is not paid by what another one left there.
    answer = await site.http.post("/en/earnings/payments", data={"iban": "GB29"}, headers={**HTML, **SAME_ORIGIN})
    assert answer.status_code == 401
    assert "GB29" not in answer.text
    ended = {"token": "tok_1"}
    answer = await site.http.post("/en/organisation/tokens/end", data=ended, headers={**HTML, **SAME_ORIGIN})
    assert Read(answer.text).fields == []


@pytest.mark.parametrize(
    "to", ["https://e.example/", "//e.example/", "/zh/home", "/en//e.example", "/en/\\e", "/en/../v1", "/en/\n", None]
)
async def test_nobody_is_led_away(to: str | None) -> None:
    assert onward(to, "en", "/en/home") == "/en/home"
    assert onward("/en/works?q=1", "en", "/en/home") == "/en/works?q=1"


async def test_a_note_is_said_once_and_only_if_it_is_ours(site: Running) -> None:
    for note in NOTES:
        answer = await site.http.get("/en", headers={**HTML, "Cookie": f"__Host-note={note}"})
        assert Words("en")(f"note_{note}") in Read(answer.text).text
        assert "max-age=0" in answer.headers["set-cookie"].lower()
    answer = await site.http.get("/en", headers={**HTML, "Cookie": "__Host-note=<b>pay</b>"})
    assert 'role="status"' not in answer.text


async def test_a_form_is_read_within_limits(site: Running, mei: Artist) -> None:
    token = (await mei.form("/en/account"))["form"][0]
    many = "&".join(f"w={n}" for n in range(forms.MOST_FIELDS + 1))
    for body in (f"form={token}&a=%ff", f"form={token}&a=%00", f"form={token}&{many}", "=&=&%"):
        headers = {**HTML, **SAME_ORIGIN, "Content-Type": "application/x-www-form-urlencoded"}
        answer = await mei.http.post("/en/terms", content=body, headers=headers)
        assert answer.status_code in (400, 403), body[:80]


async def test_rooms_do_not_write_text_into_code() -> None:
    """What people read is in vocabularies: no other module of the portal has Chinese in it."""
    for path in PORTAL.rglob("*.py"):
        if path.stem.endswith("words") or path.name in ("ceremonies.py", "doors.py"):
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                assert not CJK.search(node.value), (path, node.value)


async def test_who_is_signed_in_stays_so_where_there_is_nothing(site: Running, mei: Artist) -> None:
    for path in ("/en/nowhere", "/zh/works/x/y/z"):
        answer = await mei.http.get(path, headers=HTML)
        page = Read(answer.text)
        assert answer.status_code == 404
        assert f"{path[:3]}/works" in page.links()
        assert f"{path[:3]}/sign-in" not in page.links()
        assert f"{path[:3]}/sign-in" in Read((await site.http.get(path, headers=HTML)).text).links()
        wrong = await site.http.get(path, headers={**HTML, "Cookie": "__Host-sid=nobodys"})
        assert wrong.status_code == 404


async def test_a_refusal_speaks_the_language_of_its_page_and_says_in_english_what_exactly(mei: Artist) -> None:
    token = (await mei.form("/zh/account"))["form"][0]
    answer = await mei.sends("/zh/terms", {"form": token, "scope": "everything"})
    assert answer.status_code == 400
    (exact,) = re.findall(r'<p lang="en"[^>]*>([^<]+)</p>', answer.text)
    assert "scope" in exact
    assert exact not in answer.text.replace(f">{exact}<", "")


async def test_a_title_turns_round_nothing_that_stands_beside_it(site: Running) -> None:
    ada = await joined(site, "Ada")
    await ada.registers(3)
    taken = {"title": "Cats & dogs", "creator": "שלום 3"}, {"title": "עץ 2019"}, {"title": "a\u202eb"}
    for work, change in zip(ada.works, taken, strict=True):
        answer = await ada.http.patch(f"/v1/works/{work}", json=change, headers=SAME_ORIGIN)
        assert answer.status_code == (400 if "\u202e" in change["title"] else 200), answer.text
    problem = answer.json()["errors"][0]
    assert problem["pointer"] == "/title"
    assert problem["expected"].endswith(" such as U+202E RIGHT-TO-LEFT OVERRIDE")
    async with site.services.database.acquire() as conn:  # as an earlier release took it
        await conn.execute("update works set title = $1 where title = 'No. 2'", "gpj.\u202ea עץ")
    page = (await ada.http.get("/en/works", headers=HTML)).text
    for title in ("Cats &amp; dogs", "\u2068עץ 2019\u2069", "\u2068gpj.a עץ\u2069"):
        assert f">{title}</a>" in page
        assert re.search(f'alt="[^"]*{title}[^"]*"', page) or f" {title}" in page, title
    assert "\u202e" not in page
    assert "amp;amp;" not in page
    one = (await ada.http.get(f"/en/works/{ada.works[0]}", headers=HTML)).text
    assert "\u2068שלום 3\u2069 ·" in one
