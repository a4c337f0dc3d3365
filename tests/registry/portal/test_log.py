"""The public log for people: what is signed, and of each entry what everybody may know, and no more."""

from __future__ import annotations

import asyncio
import re
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from licet import times
from licet.log import cosignature, note
from licet.log.entry import KINDS, PUBLIC_KINDS
from licet.statements.key_list import KEYS
from licet.statements.keys import key_id
from registry import translog
from registry.closing import close_month
from registry.portal.frame.languages import LANGUAGES, Language
from registry.portal.log import pages, signatures
from registry.portal.log.room import ROOM
from registry.portal.log.words import WORDS
from registry.services import Services
from registry.snapshots.publisher import publish
from registry.storage.folder import FolderStore
from registry.translog import publication
from tests.registry.agreements.talks import NEGOTIATED, ask
from tests.registry.catalogue import PAID
from tests.registry.harness import Running, running
from tests.registry.market import trainer
from tests.registry.portal.people import HTML, Artist, Read, joined
from tests.registry.portal.selling import seller
from tests.registry.portal.staff import employed
from tests.registry.portal.team import teamed
from tests.registry.portal.whole import held_whole
from tests.registry.register.test_register import dataset, logged, trained
from tests.registry.servers import Server

pytestmark = pytest.mark.anyio

ENGLISH = ROOM.speaks("en")


async def read(site: Running, path: str, artist: Artist | None = None) -> Read:
    answer = await (artist.http if artist else site.http).get(path, headers=HTML)
    assert answer.status_code == 200, answer.text
    return Read(answer.text)


async def consented(mei: Artist) -> tuple[str, int]:
    """The statement that speaks of her first work, and its index."""
    (said,) = (await mei.http.get("/v1/statements")).json()["items"]
    return said["statement"], said["log_index"]


async def test_every_kind_of_statement_has_words_in_both_languages() -> None:
    assert {name.removeprefix("kind_") for name in WORDS if name.startswith("kind_")} == KINDS


async def test_every_step_of_the_check_has_words_and_no_words_are_for_no_step() -> None:
    folder = Path(pages.__file__).parents[1] / "frame" / "static"
    script = "".join((folder / name).read_text() for name in ("proving.js", "checking.js", "log.js"))
    said = {name.removeprefix("say_") for name in WORDS if name.startswith("say_")}
    wrong = {f"bad_{name}" for name in re.findall(r"new Wrong\('(\w+)'", script)} - {"bad_unreached"}
    told = {f"{state}_{name}" for state, name in re.findall(r"say\('(good|open)', '(\w+)'", script)}
    told |= {
        "good_signature",
        "good_signature_held",
        "good_root",
        "good_root_first",
        "good_keys",
        "open_keys",
        "open_unreached",
    }  # one of two
    told |= {f"good_is_{each}" for each in re.findall(r"is: (?:envelope \? )?'(\w+)'", script)} | {"good_is_receipt"}
    told |= {f"good_{name}{end}" for name in ("grew", "held") for end in ("", "_same")}
    ends = {f"all_{name}" for name in ("busy", "fine", "unsigned", "partly", "wrong", "unreached")} | {
        "good",
        "open",
        "bad",
    }
    # `root` is thrown by name, and said with both keys.
    assert said == wrong | told | ends | {"moment"}


@pytest.mark.parametrize("language", LANGUAGES)
async def test_the_newest_checkpoint_its_signers_and_the_keys_are_told(
    site: Running, mei: Artist, language: Language
) -> None:
    await consented(mei)
    signed = await signatures.published(site.services.log_files)
    assert signed is not None
    page = await held_whole(site.http, f"/{language}/log", language)
    keys = site.services.keys
    for told in (
        signed.root,
        keys.origin,
        keys.log_keys.vkey,
        keys.root.public.hex(),
        keys.root.keyid,
        "/log/checkpoint",
    ):
        assert told in page.text
    assert [line.by for line in signed.lines if line.by == "log"] == ["log"]
    assert signed.lines[0].key == keys.log_signer.verifier.key_id.hex()
    assert ROOM.speaks(language)("nav_log") in page.linked


async def test_a_number_leads_to_its_entry_and_anything_else_is_answered(site: Running, mei: Artist) -> None:
    _, index = await consented(mei)
    for asked in (f"{index}", f" {index} ", f"{index:,}"):
        led = await site.http.get("/zh/log", params={"entry": asked}, headers=HTML)
        assert (led.status_code, led.headers["location"]) == (303, f"/zh/log/{index}")
    for wrong in ("-1", "1.5", "stm_1", "９", "9" * 40, "<b>", "1\n2"):
        page = Read((await site.http.get("/en/log", params={"entry": wrong}, headers=HTML)).text)
        assert ENGLISH("find_wrong") in page.text, wrong
    for nowhere in ("999999", str(2**63 - 1), str(2**63), "9" * 30, "-1", "x"):
        answer = await site.http.get(f"/en/log/{nowhere}", headers=HTML)
        assert answer.status_code in (400, 404), nowhere


async def test_lists_of_entries_go_on_to_the_first(site: Running, mei: Artist, monkeypatch: pytest.MonkeyPatch) -> None:
    _, index = await consented(mei)
    monkeypatch.setattr(pages, "_A_PAGE", 4)
    path, seen = "/en/log", list[int]()
    while path:
        page = await read(site, path)
        links = page.links()
        seen += sorted(
            (int(each.rpartition("/")[2]) for each in links if re.fullmatch(r"/en/log/\d+", each)), reverse=True
        )
        path = next((each for each in links if each.startswith("/en/log?before=") and each != path), "")
    assert seen == list(range(seen[0], -1, -1))
    assert seen[0] >= index
    for odd in ("0", "-5", "99999999", str(2**63)):
        assert (await site.http.get(f"/en/log?before={odd}", headers=HTML)).status_code in (200, 400), odd


async def test_by_its_number_an_entry_says_nothing_of_whose_statement_it_is(site: Running, mei: Artist) -> None:
    statement, index = await consented(mei)
    path = f"/en/log/{index}"
    eve = await joined(site, "Eve")
    for reader in (None, eve):
        for query in ("", f"?work={mei.works[1]}", "?work=wrk_nonsense", f"?work={statement}"):
            page = await read(site, path + query, reader)
            assert ENGLISH("about_private") in page.text
            found = " ".join([page.text, *page.links()]).replace(query, "")
            for secret in (statement, mei.id, *mei.works, "Mei"):
                assert secret not in found, (query, secret)
    # From the page of the work one comes to what is public of it.
    page = await read(site, f"{path}?work={mei.works[0]}")
    assert f"/en/work/{mei.works[0]}" in page.links()
    assert "Nobody may" in page.text
    assert f"{path}?work={mei.works[0]}" in (await read(site, f"/en/work/{mei.works[0]}")).links()
    other = await read(site, f"/en/log/{index - 1}?work={mei.works[0]}")
    assert f"/en/work/{mei.works[0]}" not in other.links()
    # Whoever signed it finds it again, and is led here from the receipt.
    own = await read(site, path, mei)
    assert {f"/en/statements/{statement}", f"/v1/statements/{statement}"} <= set(own.links())
    assert path in (await read(site, f"/en/statements/{statement}", mei)).links()
    assert path in (await read(site, "/en/statements", mei)).links()


async def test_the_registrys_own_statements_are_told(site: Running) -> None:
    await publish(site.services)
    placed = msgspec.json.decode(await site.services.log_files.read(KEYS) or b"")
    named = [await read(site, f"/zh/log/{each['index']}") for each in placed]
    for purpose in ("log", "snapshot", "licence", "office"):
        assert sum(ROOM.speaks("zh")(f"purpose_{purpose}") in page.text for page in named) == 1
    assert sum(key_id(site.services.keys.log.public) in page.text for page in named) == 1
    async with site.services.database.acquire() as conn:
        index = await conn.fetchval(
            "select e.index from snapshots s join log_pending p on p.envelope = s.envelope "
            "join log_entries e on e.pending = p.id order by s.sequence desc limit 1"
        )
        sequence = await conn.fetchval("select max(sequence) from snapshots")
    page = await read(site, f"/en/log/{index}")
    assert f"Snapshot no. {sequence}" in page.text


async def test_a_dataset_is_told_where_the_register_shows_it(site: Running) -> None:
    await publish(site.services)
    async with site.services.database.acquire() as conn:
        digest = await conn.fetchval("select digest from snapshots order by sequence desc limit 1")
    snapshot, lab = bytes(digest).hex(), await trainer(site, "Logged Labs")
    shown, _ = await dataset(lab, snapshot, name="shown")
    made = await dataset(lab, snapshot, name="held", listed=False)
    logged(await lab.log("/v1/models", lab.card(model="quiet/log", status="in-training", listed=False)))
    run = await trained(lab, made, snapshot, model="quiet/log", version="1")

    async def page(number: str) -> tuple[int, Read]:
        async with site.services.database.acquire() as conn:
            index = await conn.fetchval(
                "select e.index from log_entries e join log_pending p on p.id = e.pending where p.subject = $1", number
            )
        return index, await read(site, f"/en/log/{index}")

    index, found = await page(shown)
    assert {f"/en/register/datasets/{shown}", f"/v1/register/statements/{shown}"} <= set(found.links())
    assert f"/en/log/{index}" in (await read(site, f"/en/register/datasets/{shown}")).links()
    for hidden in (made[0], run):
        _, found = await page(hidden)
        assert ENGLISH("about_private") in found.text
        assert not [each for each in found.links() if "/register/" in each], hidden
        assert "held" not in found.text
    logged(await lab.log("/v1/models", lab.card(model="quiet/log", status="released")))
    for opened in (made[0], run):  # a listed model was trained on it
        _, found = await page(opened)
        assert f"/v1/register/statements/{opened}" in found.links()


async def test_before_the_first_checkpoint_a_page_says_so(
    server: Server, migrated_template: str, tmp_path: Path
) -> None:
    async def idle(_: Services, stop: asyncio.Event) -> None:
        await stop.wait()

    async with server.fresh(migrated_template, "nolog") as dsn, running(dsn, tmp_path, {"idle": idle}) as empty:
        for language in LANGUAGES:
            page = await held_whole(empty.http, f"/{language}/log", language)
            assert ROOM.speaks(language)("none") in page.text
            assert "data-log" not in str(page.elements)
        assert (await empty.http.get("/en/log/0", headers=HTML)).status_code == 404


async def test_cosignatures_are_told_apart_from_the_logs_own_lines(site: Running, tmp_path: Path) -> None:
    await joined(site, "Lin")  # so that there is an entry, whichever test comes first
    files = FolderStore(tmp_path)
    text = (await site.services.log_files.read(publication.CHECKPOINT) or b"").decode()
    witness = cosignature.Signer("ada.example", cosignature.ED25519_COSIGNATURE, bytes(32), clock=lambda: 1_800_000_000)
    parsed = note.parse(text)
    other = note.Signer("someone.example", bytes(range(32))).sign(parsed.text)
    lines = note.lines([witness.sign(parsed.text), other])
    await files.replace(publication.CHECKPOINT, (text + lines).encode(), media_type="text/plain", cache="")
    await files.replace(KEYS, await site.services.log_files.read(KEYS) or b"", media_type="application/json", cache="")
    found = await signatures.published(files)
    assert found is not None
    assert [(line.name, line.by) for line in found.lines[-2:]] == [
        ("ada.example", "witness"),
        ("someone.example", "other"),
    ]
    assert found.lines[-2].at is not None
    assert found.lines[-2].at.isoformat() == "2027-01-15T08:00:00+00:00"


async def test_which_kinds_are_plain_is_said_of_them_alone(site: Running, mei: Artist) -> None:
    _, index = await consented(mei)
    for at, plain in ((0, True), (index, False)):
        page = await read(site, f"/en/log/{at}")
        assert (ENGLISH("entry_plain") in page.text) is plain
        assert (ENGLISH("entry_holds") in page.text) is not plain
    assert "registry-key" in PUBLIC_KINDS


async def test_months_that_are_closed_are_listed_and_lead_to_what_closed_them(
    server: Server, migrated_template: str, tmp_path: Path
) -> None:
    async with server.fresh(migrated_template, "months") as dsn, running(dsn, tmp_path) as site:
        assert ENGLISH("months_none") in (await read(site, "/en/log")).text
        now = times.now()
        month = (now.replace(day=1) - timedelta(days=1)).strftime("%Y-%m")  # when this log had no entry yet
        await translog.wait(site.services.database, await close_month(site.services, month, now))
        page = await read(site, "/en/log")
        w = ROOM.speaks("en")
        assert w.month(month) in page.text
        index = max(int(each.rpartition("/")[2]) for each in page.links() if re.fullmatch(r"/en/log/\d+", each))
        closed = await read(site, f"/en/log/{index}")
        assert w("about_close", month=w.month(month)) in closed.text
        assert w("month_empty") in page.text
        # Every number leads to its entry, and an auditor finds the statement that closed the month beside it.
        numbers = {each["href"] for tag, each in page.elements if tag == "a" and each.get("class") == "num"}
        assert {f"/en/log/{each}" for each in range(index + 1)} <= numbers
        ada = await employed(site, "auditor", "Ada")
        for language in LANGUAGES:
            months = await held_whole(ada.http, f"/{language}/auditor", language)
            assert f"/{language}/log/{index}" in months.links()
            assert [each for each in months.links() if each.startswith("/v1/statements/stm_")]


async def test_numbers_on_pages_lead_to_their_entries_which_give_the_signer_the_statement(site: Running) -> None:
    ada, team = await seller(site, "Ada", level=2), await teamed(site, "Lantern Labs")
    licence = await team.lab.license((await ada.shelf(PAID)).wanted())
    negotiated = await ada.shelf(NEGOTIATED)
    asked = await ask(team.lab, negotiated)
    assert asked.log_index is not None
    (charge,) = (await ada.browser.get("/v1/charges")).json()["items"]
    statements = (await ada.browser.get("/v1/statements")).json()["items"]
    said = max(each["log_index"] for each in statements)
    own = licence.receipt.log_index
    for browser, path, index in (
        (ada.browser, f"/licences/{licence.licence}", own),
        (ada.browser, f"/earnings/charges/{charge['charge']}", own),
        (ada.browser, f"/requests/{asked.request}", asked.log_index),
        (ada.browser, f"/works/{negotiated.works[0]}", said),
        (team.browser, f"/organisation/licences/{licence.licence}", own),
        (team.browser, f"/organisation/requests/{asked.request}", asked.log_index),
    ):
        for language in LANGUAGES:
            page = Read((await browser.get(f"/{language}{path}", headers=HTML)).text)
            assert f"/{language}/log/{index}" in page.links(), (path, language)
    for browser, index, file in (
        (team.browser, own, licence.licence),
        (team.browser, asked.log_index, asked.request),
        (ada.browser, own, None),  # she did not sign it: who did is not said by its number
    ):
        entry = Read((await browser.get(f"/en/log/{index}", headers=HTML)).text)
        files = [each for each in entry.links() if each.startswith("/v1/statements/")]
        assert files == ([f"/v1/statements/{file}"] if file else [])
