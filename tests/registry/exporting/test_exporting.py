"""An export holds everything of its account and nothing of another, and goes on wherever it broke off."""

from __future__ import annotations

import contextlib
import io
import json
import tarfile
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from licet import identifiers, times
from licet.catalogue.takeout import take_home
from licet.errors import MalformedError, UnreachableError, VerificationError
from licet.statements.trust import Trust
from licet.terms import Price, preset
from registry.accounts import events
from registry.agreements.queries import LEAVE_OUT
from registry.erasure.fates import FATES
from registry.errors import Invalid
from registry.exporting import queries, sections, service
from registry.settlement.banking import record_by_hand
from registry.settlement.billing import issue
from tests.registry import keymaking as make
from tests.registry.agreements.revenue import report
from tests.registry.agreements.talks import NEGOTIATED, agree, ask, offer, says, word
from tests.registry.catalogue import PAID, RESEARCH, Artist, picture
from tests.registry.disputes.parties import charge_of, dispute
from tests.registry.duties.talks import done, revocable_terms, revoke
from tests.registry.harness import Running, new_key
from tests.registry.market import TRAIN, Trainer, shelf, trainer
from tests.registry.settlement.books import remitted
from tests.registry.splits.owners import agreed

pytestmark = pytest.mark.anyio

TABLES = "select table_name from information_schema.tables where table_schema = current_schema()"
#: What nobody in these tests does.
IDLE = {"quotes", "repeats", "datasets", "runs", "batches", "catalogue", "head", "work_versions", "months"}
IDLE |= {"run_licences", "models", "model_versions", "model_cards", "findings"}
IDLE |= {"reported", "used"}  # the second run of what is paid once a work is no use of its own; below
PER_RUN = preset("paid", Price(model="per-training-run", amount="0.05", currency="USD"))


async def test_every_table_is_decided_on_for_export_and_for_erasure(site: Running) -> None:
    async with site.services.database.acquire() as conn:
        tables = {row["table_name"] for row in await conn.fetch(TABLES)}
    told = {table for section in sections.SECTIONS for table in section.tables}
    assert not told & set(sections.LEFT_OUT)
    assert told | set(sections.LEFT_OUT) == tables, "registry/exporting/sections/: decide on the new table"
    assert set(FATES) == tables, "registry/erasure/fates.py: decide on the new table"
    for section in sections.SECTIONS:
        assert any(f"{table} " in section.statement or f"{table}\n" in section.statement for table in section.tables)
    asked = {value for name, value in vars(queries).items() if name.isupper() and name[0] != "_"}
    assert asked == {section.statement for section in sections.SECTIONS}


async def lives(site: Running) -> tuple[Artist, Trainer]:
    """An artist and an organisation that have done everything once, between them."""
    goods = await shelf(site, PAID, 2)
    ada, lab = goods.owner, await trainer(site)
    await ada.raise_level(2)
    code = "-".join(ada.id[start : start + 4] for start in range(6, 30, 4))
    await make.send(site, ada.account, "/v1/recovery-codes", make.codes(site, ada.account, code), ada.account.key)
    await make.add(site, ada.account, hers := make.passkey(site))
    await make.signed_in(site, hers)
    await site.post("/v1/claims", {"domain": "ada.example"}, http=ada.http)
    await ada.picture(picture(4), title="Heron", tags=["heron"])
    copy = await ada.upload(picture(5))
    assert copy is not None
    theirs = await shelf(site, PAID, 1)
    await agreed(theirs.owner, theirs.works, [(theirs.owner, 6000), (ada, 4000)])
    await ada.state(theirs.works, RESEARCH)
    licence = await lab.license(goods.wanted())
    form = {"grant_type": "client_credentials", "scope": "train-gen"}
    page = f"{site.services.settings.url}/works/{goods.works[0]}"
    assert (await lab.http.post("/token", data=form | {"resource": page})).status_code == 200
    await lab.report(licence, "2")
    await lab.log("/v1/models", lab.card())
    wished = await shelf(site, NEGOTIATED, 1, owner=ada)
    asked = await ask(lab, wished)
    await offer(ada, asked)
    assert (await says(lab, await word(lab, asked))).status_code == 201
    await offer(ada, asked)
    agreed_on = await agree(lab, wished, asked)
    leased = await shelf(site, revocable_terms(0), 1, owner=ada)
    duty = await revoke(leased, await lab.license(leased.wanted()))
    await done(lab, duty)
    month = times.to_text(times.now())[:7]
    again = msgspec.structs.replace(TRAIN, version="2")
    shared = await ask(lab, wished, again)
    await offer(ada, shared, Price(model="revenue-share", share_bps=3000, currency="USD"))
    await report(lab, (await agree(lab, wished, shared, use=again)).licence, month, {"USD": 4000})
    async with site.services.database.acquire() as conn:
        number, now = identifiers.to_uuid(agreed_on.licence), times.now()
        await conn.execute(LEAVE_OUT, number, month, "more than may be owed", now, month)
    (invoice,) = await issue(site.services, month, organisation=identifiers.to_uuid(lab.id), small=True)
    await record_by_hand(site.services, lab.id, invoice.due // 2, "USD", reference=lab.id, reason="by wire")
    hers = await make.granted(site, ada.account, make.wish(site, ada.account, "payout"))
    given = {"name": "Ada", "iban": "DE89370400440532013000", "country": "DE"}
    client = site.client(hers.json()["token"])
    answer = await client.put("/v1/me/payout", json=given, headers={"Idempotency-Key": new_key()})
    assert answer.status_code == 200, answer.text
    await remitted(site.services)
    async with site.services.database.transaction() as conn:
        for each in (ada, lab):
            await events.switch(conn, identifiers.to_uuid(each.id), "claims", on=False)
    await dispute(lab, await charge_of(lab))
    assert (await site.post("/v1/invitations", {"note": "Jo"}, http=lab.http)).status_code == 201
    return ada, lab


async def exported(http: httpx.AsyncClient, after: str | None = None) -> dict[str, bytes]:
    answer = await http.get("/v1/me/export", params={"after": after} if after else {})
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/x-tar"
    with tarfile.open(fileobj=io.BytesIO(answer.content)) as tar:
        return {each.name: tar.extractfile(each).read() for each in tar}  # type: ignore[union-attr]


def lines(files: dict[str, bytes], section: str) -> list[dict[str, Any]]:
    held = b"".join(content for name, content in files.items() if name.startswith(f"{section}/"))
    return [json.loads(line) for line in held.splitlines()]


async def test_all_of_an_account_is_told_and_nothing_of_another(site: Running) -> None:
    ada, lab = await lives(site)
    hers, labs = await exported(ada.http), await exported(lab.http)
    assert list(hers)[-1] == service.LAST
    begun = {name.partition("/")[0] for name in [*hers, *labs]}
    assert begun | IDLE >= {section.name for section in sections.SECTIONS if section.name != "alike"}
    assert {each["title"] for each in lines(hers, "works")} >= {"Heron"}
    assert [each["level"] for each in lines(hers, "account")] == [2]
    (restricted,) = lines(hers, "shared_states")
    assert restricted["own"] == restricted["terms"] == RESEARCH.hash
    assert restricted["work"] not in {each["work"] for each in lines(hers, "works")}
    assert {RESEARCH.hash, PAID.hash} <= {each["hash"] for each in lines(hers, "terms")}
    sold, licensed = lines(hers, "sold"), lines(labs, "licensed")
    assert sold == licensed
    assert len(sold) == 5
    assert {each["id"] for each in lines(hers, "used_accepted")} == {each["id"] for each in lines(labs, "accepted")}
    owed = sum(each["amount"] for each in lines(hers, "ledger"))
    assert owed < 0 < sum(each["amount"] for each in lines(labs, "ledger"))
    # that it asked her for a licence, she was told
    held = b"\n".join(content for name, content in hers.items() if not name.startswith("events/"))
    for foreign in (ada.account.token, lab.account.token, lab.account.id):
        assert foreign.encode() not in held
    assert ada.account.id.encode() not in b"\n".join(
        content
        for name, content in labs.items()
        if not name.startswith(("signed/", "quotes/", "events/"))  # whose works it asked for, and who answered
    )


async def test_uses_by_work_are_told_from_claim_level_2_on(site: Running) -> None:
    goods, lab = await shelf(site, PAID, 1), await trainer(site)
    await lab.license(goods.wanted())
    assert len(lines(await exported(goods.owner.http), "used_accepted")) == 1
    async with site.services.database.acquire() as conn:
        await conn.execute("update accounts set level = 1 where id = $1", identifiers.to_uuid(goods.owner.id))
    told = await exported(goods.owner.http)
    assert lines(told, "used") == lines(told, "used_accepted") == []
    assert len(lines(told, "sold")) == 1


async def test_uses_that_were_reported_are_told_to_both_page_by_page(
    site: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    goods, lab = await shelf(site, PER_RUN, 2), await trainer(site)
    await goods.owner.raise_level(2)
    licence = await lab.license(goods.wanted())
    for run in ("2", "3"):
        await lab.report(licence, run)
    pages = [each._replace(at_once=3) if each.name in {"used", "reported"} else each for each in sections.SECTIONS]
    monkeypatch.setattr(service, "SECTIONS", tuple(pages))
    hers, labs = await exported(goods.owner.http), await exported(lab.http)
    assert lines(hers, "used") == [{**each, "split": None} for each in lines(labs, "reported")]
    assert sorted(each["run_name"] for each in lines(hers, "used")) == ["2", "2", "3", "3"]
    assert [each["run_name"] for each in lines(hers, "used_accepted")] == ["1", "1"]
    assert len({name for name in hers if name.startswith("used/")}) == 2


async def test_it_goes_on_behind_any_file(site: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    ada, _ = await lives(site)
    async with site.services.database.acquire() as conn:  # else kept anew at a request a minute after the last
        used = "update tokens set last_used_at = now() + interval '1 day' where account = $1"
        await conn.execute(used, identifiers.to_uuid(ada.id))
    small = tuple(each._replace(at_once=1) for each in sections.SECTIONS)
    whole = await exported(ada.http)
    monkeypatch.setattr(service, "SECTIONS", small)
    files = await exported(ada.http)
    for section in small:
        assert section.form != "jsonl" or lines(files, section.name) == lines(whole, section.name)
    names = list(files)
    for place, name in list(enumerate(names[:-1]))[::2]:  # each is an export that counts against the quota
        rest = await exported(ada.http, name)
        assert list(rest) == names[place + 1 :]
        assert all(rest[each] == files[each] for each in rest if each != service.LAST)
    for wrong in ("works", "works/zz.jsonl", "none/00.jsonl", "works/00-00.jsonl", service.LAST, "../works/00.jsonl"):
        assert (await ada.http.get("/v1/me/export", params={"after": wrong})).status_code == 400


@given(st.text(max_size=60) | st.from_regex(r"(used|works|ledger|levels)/[0-9a-z]{0,40}(-[0-9a-z]{0,40}){0,2}\.jsonl"))
def test_any_name_is_a_place_or_invalid(name: str) -> None:
    with contextlib.suppress(Invalid):
        assert 0 <= service.place_of(name).section < len(sections.SECTIONS)


class Line:
    """A client of the service whose line is cut after ``cuts`` bytes, each time."""

    def __init__(self, site: Running, ada: Artist, answers: dict[str | None, bytes], cuts: list[int]) -> None:
        keys = site.services.keys
        self._trust = Trust(keys.origin, keys.root.public.hex())
        self._account = SimpleNamespace(account=SimpleNamespace(account=ada.id))
        self.answers, self.cuts = answers, cuts
        self.asked: list[str | None] = []

    def need_account(self) -> Any:
        return self._account

    def trust(self) -> Trust:
        return self._trust

    @contextlib.contextmanager
    def account_export(self, after: str | None) -> Iterator[Iterator[bytes]]:
        self.asked.append(after)
        content, cut = self.answers[after], self.cuts.pop(0) if self.cuts else None

        def chunks() -> Iterator[bytes]:
            for start in range(0, len(content if cut is None else content[:cut]), 700):
                yield content[start : min(start + 700, len(content) if cut is None else cut)]
            if cut is not None:
                raise UnreachableError("the line is cut")

        yield chunks()


async def answers_of(ada: Artist) -> dict[str | None, bytes]:
    names = list(await exported(ada.http))
    found: dict[str | None, bytes] = {None: (await ada.http.get("/v1/me/export")).content}
    for name in names[:-1]:
        found[name] = (await ada.http.get("/v1/me/export", params={"after": name})).content
    return found


async def test_what_came_before_a_cut_is_not_asked_for_again(site: Running, tmp_path: Path) -> None:
    ada, _ = await lives(site)
    answers = await answers_of(ada)
    line = Line(site, ada, answers, [100, 3000, 20_000, 511, 13_000, 2, 30_000])
    counts = take_home(line, tmp_path / "home")  # type: ignore[arg-type]
    assert counts["works"] == 5
    assert len(set(line.asked)) > 2
    assert {path.name for path in tmp_path.iterdir()} == {"home"}
    broken = Line(site, ada, answers, [9000, *[0] * 20])
    with pytest.raises(UnreachableError):
        take_home(broken, tmp_path / "later.tar")  # type: ignore[arg-type]
    [partial] = (path for path in tmp_path.iterdir() if path.name.endswith(".partial"))
    assert partial.stat().st_mode & 0o077 == 0
    again = Line(site, ada, answers, [])
    assert take_home(again, tmp_path / "later.tar") == counts  # type: ignore[arg-type]
    assert again.asked == [broken.asked[-1]] != [None]


async def test_a_statement_that_does_not_hold_is_named_and_nothing_appears(site: Running, tmp_path: Path) -> None:
    ada = Artist(site, await site.account())
    await ada.state([(await ada.picture(picture(1))).work], RESEARCH)
    answers = await answers_of(ada)
    whole = answers[None]
    assert whole is not None
    place = whole.index(b'"sig":"') + len(b'"sig":"')
    forged = whole[:place] + (b"B" if whole[place : place + 1] != b"B" else b"C") + whole[place + 1 :]
    with pytest.raises(VerificationError, match=r"signed/[0-9a-z]+\.json: "):
        take_home(Line(site, ada, {None: forged}, []), tmp_path / "home")  # type: ignore[arg-type]
    assert not (tmp_path / "home").exists()
    for wrong in (b"x" * 600, whole.replace(b"account/", b"../../../", 1), whole.replace(b"ustar", b"xxxxx", 1)):
        with pytest.raises(MalformedError):
            take_home(Line(site, ada, {None: wrong}, []), tmp_path / "other")  # type: ignore[arg-type]
