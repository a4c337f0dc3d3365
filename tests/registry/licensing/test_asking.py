"""Questions: the service's verdicts as JSON and as bytes, as of now, for anybody; many rows only with a token."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import httpx
import msgspec
import pytest

from licet.decisions import VERDICTS
from licet.index import Index
from licet.index import answer as decided
from licet.wire.licensing import Answers, Query, RowKeys
from registry.licensing import asking
from registry.snapshots import Reader
from registry.snapshots.publication import segments_folder
from registry.snapshots.publisher import publish
from tests.registry.catalogue import NO_AI, PAID, Artist
from tests.registry.harness import Running
from tests.registry.market import problem, shelf, trainer

pytestmark = pytest.mark.anyio
REQUEST = {"uses": ["train-gen"], "purpose": ["commercial"]}


async def ask(http: httpx.AsyncClient, rows: list[RowKeys], **fields: Any) -> Answers:
    body = msgspec.json.encode(Query(REQUEST, rows, **fields))
    answer = await http.post("/v1/licensing/query", content=body)
    assert answer.status_code == 200, answer.text
    return msgspec.json.decode(answer.content, type=Answers)


async def digests(owner: Artist, works: list[str]) -> list[tuple[str, str]]:
    found = [await owner.work(work) for work in works]
    return [(work.sha256 or "", work.pixels or "") for work in found]


async def test_answers_come_in_order_with_reason_match_and_price(site: Running):
    paid, denied = await shelf(site, PAID, 1), await shelf(site, NO_AI, 1)
    ((_, pixels),) = await digests(paid.owner, paid.works)
    ((denied_file, _),) = await digests(denied.owner, denied.works)
    work = await paid.owner.work(paid.works[0])
    stranger = sha256(b"stranger").hexdigest()
    rows = [
        RowKeys(sha256=denied_file),
        RowKeys(sha256=stranger),
        RowKeys(sha256=stranger, pixels=pixels),
        RowKeys(pdq=work.pdq, quality=90),
        RowKeys(url="https://elsewhere.example/a.png"),
    ]
    found = await ask(site.http, rows)
    assert [(each.verdict, each.reason) for each in found.results] == [
        ("deny", "denied"),
        ("unknown", "no-match"),
        ("license", "offer"),
        ("license", "offer"),
        ("unknown", "not-examined"),
    ]
    (match,) = found.results[2].matches
    assert (match.work, match.account, match.statement) == (paid.works[0], paid.owner.id, paid.statement)
    assert (match.kind, match.key, match.distance, match.claim_level) == ("exact", "pixels", 0, 2)
    assert (match.price, match.currency, match.price_model) == ("0.05", "USD", "per-work")
    assert (found.results[3].matches[0].kind, found.results[3].matches[0].key) == ("near", "pdq")
    assert found.results[0].matches[0].account == denied.owner.id
    assert found.log_size > 0
    assert (await ask(site.http, rows[3:4], match="exact")).results[0].reason == "not-examined"
    assert (await ask(site.http, rows[2:3], min_claim_level=3)).results[0].verdict == "review"


async def test_no_answer_that_begins_after_a_tighten_was_acknowledged_ignores_it(site: Running):
    works = await shelf(site, PAID, 1)
    ((file, _),) = await digests(works.owner, works.works)
    before = await ask(site.http, [RowKeys(sha256=file)])
    await works.owner.state(works.works, NO_AI)
    after = await ask(site.http, [RowKeys(sha256=file)])
    assert (before.results[0].verdict, after.results[0].verdict) == ("license", "deny")
    assert after.consent_version > before.consent_version


async def test_one_byte_comes_back_for_each_digest_of_file_or_pixels(site: Running):
    paid, denied = await shelf(site, PAID, 1), await shelf(site, NO_AI, 1)
    keys = [*(await digests(paid.owner, paid.works))[0], *(await digests(denied.owner, denied.works))[0]]
    body = b"".join(bytes.fromhex(key) for key in [*keys, sha256(b"stranger").hexdigest()])
    answer = await site.http.post(
        "/v1/licensing/lookup?use=train-gen&use=mine&purpose=commercial&territory=DE",
        content=body,
        headers={"Content-Type": "application/octet-stream"},
    )
    assert answer.status_code == 200, answer.text
    assert [VERDICTS[code] for code in answer.content] == ["license", "license", "deny", "deny", "unknown"]
    assert int(answer.headers["licet-consent-version"]) > 0
    assert int(answer.headers["licet-log-size"]) > 0


@pytest.mark.parametrize(
    ("query", "size"),
    [("use=train-gen", 31), ("use=train-gen", 0), ("use=training", 32), ("", 32), ("use=mine&min_claim_level=9", 32)],
)
async def test_a_lookup_that_makes_no_sense_is_refused(site: Running, query: str, size: int):
    answer = await site.http.post(
        f"/v1/licensing/lookup?{query}", content=bytes(size), headers={"Content-Type": "application/octet-stream"}
    )
    assert problem(answer)[0] == 400, answer.text


async def test_nobody_asks_for_more_than_they_may(site: Running):
    lantern = await trainer(site)
    headers = {"Content-Type": "application/octet-stream"}
    path = "/v1/licensing/lookup?use=train-gen"
    assert (await site.http.post(path, content=bytes(32_000), headers=headers)).status_code == 200
    refused = await site.http.post(path, content=bytes(32_032), headers=headers)
    assert problem(refused)[0] == 400
    assert "1 to 1000 keys (65536 with a token of scope query)" in refused.text
    assert len((await lantern.http.post(path, content=bytes(32_032), headers=headers)).content) == 1001
    rows = [RowKeys(sha256="00" * 32)] * 1001
    body = msgspec.json.encode(Query(REQUEST, rows))
    assert problem(await site.http.post("/v1/licensing/query", content=body))[0] == 400
    assert len((await ask(lantern.http, rows)).results) == 1001
    assert (
        problem(await lantern.http.post("/v1/licensing/query", content=msgspec.json.encode(Query(REQUEST, []))))[0]
        == 400
    )


async def test_a_row_whose_keys_are_none_is_for_review_and_the_others_are_answered(site: Running):
    paid, denied = await shelf(site, PAID, 1), await shelf(site, NO_AI, 1)
    ((paid_file, paid_pixels),) = await digests(paid.owner, paid.works)
    ((denied_file, _),) = await digests(denied.owner, denied.works)
    work = await paid.owner.work(paid.works[0])
    wrong = [
        RowKeys(sha256="zz" * 32),
        RowKeys(sha256=paid_file[1:]),
        RowKeys(pixels=""),
        RowKeys(pdq="00"),
        RowKeys(pdq=",".join([work.pdq or ""] * 3), quality=90),
        RowKeys(url="ftp://x.example/"),
        RowKeys(url=""),
        RowKeys(iscc="ISCC:NONE"),
    ]
    rows = [RowKeys(sha256=paid_file), *wrong, RowKeys(sha256=denied_file)]
    for match in ("exact", "near"):
        found = (await ask(site.http, rows, match=match)).results
        assert [each.verdict for each in found] == ["license", *["review"] * len(wrong), "deny"]
        assert {(each.reason, *each.matches) for each in found[1:-1]} == {("malformed",)}
    # What else the row says is looked up: a deny stands, anything looser does not; its matches are listed.
    mixed = [
        RowKeys(sha256=denied_file, url="ftp://x.example/"),
        RowKeys(sha256=paid_file, url="ftp://x.example/"),
        RowKeys(sha256=paid_file, pixels=paid_pixels, iscc="none"),
        RowKeys(sha256=sha256(b"stranger").hexdigest(), pdq="00"),
    ]
    found = (await ask(site.http, mixed)).results
    told = [(each.verdict, each.reason, [match.work for match in each.matches]) for each in found]
    assert told == [
        ("deny", "denied", denied.works),
        ("review", "malformed", paid.works),
        ("review", "malformed", paid.works),
        ("review", "malformed", []),
    ]
    body = msgspec.json.encode(Query(REQUEST, wrong[:1]))
    counted = await site.http.post("/v1/licensing/query", content=body)
    assert counted.json()["results"] == [{"verdict": "review", "reason": "malformed", "matches": []}]


@pytest.mark.parametrize(
    "row",
    [{"sha256": 5}, {"url": ["https://x.example/"]}, {"quality": 101, "pdq": "00" * 32}, {"colour": "red"}, "x", None],
)
async def test_a_row_that_is_no_row_is_named(site: Running, row: dict[str, object]):
    body = msgspec.json.encode({"request": REQUEST, "rows": [{"sha256": "00" * 32}, row]})
    answer = await site.http.post("/v1/licensing/query", content=body)
    assert answer.status_code == 400, answer.text
    assert answer.json()["errors"][0]["pointer"].startswith("/rows/1"), answer.text


async def test_what_was_read_while_its_files_were_written_to_is_asked_again(
    site: Running, monkeypatch: pytest.MonkeyPatch
):
    works = await shelf(site, PAID, 1)
    ((file, _),) = await digests(works.owner, works.works)
    manifest = await publish(site.services)
    site.services.reader = reader = Reader(site.services)
    await reader.current()
    spoilt: list[int] = []

    def torn(index: Index, *arguments: Any, **named: Any) -> Answers:
        if not spoilt:  # after the index was handed out, and before the answer is made
            path = segments_folder(site.services) / manifest.segments[0].digest
            spoilt.append(path.write_bytes(path.read_bytes()[::-1]))
        return decided(index, *arguments, **named)  # type: ignore[return-value]

    monkeypatch.setattr(asking, "answer", torn)
    found = await ask(site.http, [RowKeys(sha256=file)])
    assert spoilt
    assert [each.verdict for each in found.results] == ["license"]
