"""ISCCs of works: signed with them, and what finds them."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import iscc_lib
import msgspec
import pytest

from licet.canonical import digest
from licet.fingerprints.iscc import instance_code, parse, text_code
from licet.fingerprints.picture import Fingerprint
from licet.identifiers import new_id
from licet.statements.kinds import WorkDigest
from licet.wire.licensing import Answer, Answers, Query, RowKeys
from licet.wire.works import WorkIn, WorkKeys
from registry.auditing import verify
from registry.snapshots.publisher import publish
from tests.registry.catalogue import NO_AI, PAID, artist, fingerprinted, picture, uploaded
from tests.registry.harness import Running

pytestmark = pytest.mark.anyio


async def answered(site: Running, *codes: str, **fields: Any) -> list[Answer]:
    rows = [RowKeys(iscc=code) for code in codes]
    body = Query({"uses": ["train-gen"], "purpose": ["commercial"]}, rows, **fields)
    answer = await site.http.post("/v1/licensing/query", content=msgspec.json.encode(body))
    assert answer.status_code == 200, answer.text
    return msgspec.json.decode(answer.content, type=Answers).results


def shortened(code: str, flips: int = 0) -> str:
    """Return the first 64 bits of a content code, of which the last few are turned."""
    unit = parse(code)
    bits = int.from_bytes(unit.digest[:8]) ^ ((1 << flips) - 1)
    return f"ISCC:{iscc_lib.encode_component(2, 1 if unit.kind == 'image' else 0, 0, 64, bits.to_bytes(8))}"


async def test_a_picture_is_signed_with_the_services_own_codes_and_found_by_them(site: Running) -> None:
    ada = await artist(site)
    data = picture(7301)
    seen = await ada.upload(data)
    content, instance = (seen.iscc or "").split()
    assert instance == instance_code(data)
    item = uploaded(data, iscc=f"{content} {instance_code(b'another file')}")  # what a client says is not believed
    (outcome,) = await ada.register(item)
    form = WorkDigest(item.work, ada.id, sha256(data).hexdigest(), seen.pixels, seen.pdq, seen.iscc, [], "upload")
    assert outcome.digest == digest(form)
    assert (await ada.work(item.work)).iscc == seen.iscc
    await ada.state([item.work], PAID)
    whole = iscc_lib.gen_iscc_code_v0([content, iscc_lib.gen_data_code_v0(data, 64).iscc, instance]).iscc
    await publish(site.services)
    for asked, expected in (
        (instance, ("license", "offer", "exact", "iscc-instance", 0)),
        (instance_code(data, 128), ("license", "offer", "exact", "iscc-instance", 0)),
        (instance_code(data, 64), ("review", "short-code", "exact", "iscc-instance", 0)),
        (seen.iscc or "", ("license", "offer", "exact", "iscc-instance", 0)),
        (str(whole), ("review", "short-code", "exact", "iscc-instance", 0)),
        (content, ("review", "content-only", "near", "iscc-content", 0)),
        (shortened(content, 10), ("review", "content-only", "near", "iscc-content", 10)),
    ):
        (found,) = await answered(site, asked)
        (match,) = [each for each in found.matches if each.work == item.work]
        assert (found.verdict, found.reason, match.kind, match.key, match.distance) == expected
    (far,) = await answered(site, shortened(content, 11))
    assert all(match.work != item.work for match in far.matches)
    other, words = await answered(site, instance_code(b"another file"), text_code("some words"))
    assert {(each.verdict, each.reason) for each in (other, words)} == {("unknown", "no-match")}
    (exactly,) = await answered(site, content, match="exact")
    assert (exactly.verdict, exactly.reason) == ("unknown", "not-examined")
    await ada.state([item.work], NO_AI)
    (denied,) = await answered(site, content)
    assert (denied.verdict, denied.reason) == ("deny", "denied")
    assert await verify(site.services) == []


async def test_a_client_that_knows_nothing_of_isccs_signs_for_none(site: Running) -> None:
    ada = await artist(site)
    outcome = await ada.picture(picture(7302))
    assert (await ada.work(outcome.work)).iscc is None


@pytest.mark.parametrize(
    "wrong", ["", "ISCC:", instance_code(b"a"), f"{instance_code(b'a')} {text_code('a')}", "x" * 700, text_code("a")]
)
async def test_a_picture_by_fingerprint_states_two_whole_codes_or_none(site: Running, wrong: str) -> None:
    ada = await artist(site)
    (outcome,) = await ada.register(fingerprinted(len(wrong), iscc=wrong))
    assert outcome.status == "refused"
    assert (outcome.reason or "").startswith("iscc: expected")


async def test_a_code_that_is_none_is_malformed_in_its_own_row_alone(site: Running) -> None:
    body = Query({"uses": ["search"]}, [RowKeys(iscc=instance_code(b"a")), RowKeys(iscc="ISCC:KAA")])
    answer = await site.http.post("/v1/licensing/query", content=msgspec.json.encode(body))
    assert answer.status_code == 200
    results = answer.json()["results"]
    assert [(each["verdict"], each["reason"]) for each in results] == [("unknown", "no-match"), ("review", "malformed")]


async def test_a_changed_picture_is_found_by_the_codes_of_both_files(site: Running) -> None:
    ada = await artist(site)
    first, second = picture(7303), picture(7304)
    codes = [(await ada.upload(each)).iscc or "" for each in (first, second)]
    item = uploaded(first, iscc=codes[0])
    await ada.register(item)
    await ada.state([item.work], NO_AI)
    seen = await ada.upload(second)
    await ada.add(WorkKeys(item.work, seen.sha256, seen.pixels, seen.pdq, seen.quality, iscc=seen.iscc))
    work = await ada.work(item.work)
    assert (work.iscc, [each.iscc for each in work.files]) == (codes[1], [codes[0]])
    found = await answered(site, *(unit for both in codes for unit in both.split()))
    assert [each.verdict for each in found] == ["deny"] * 4
    assert [each.matches[0].key for each in found] == ["iscc-content", "iscc-instance"] * 2
    await publish(site.services)
    assert await verify(site.services) == []


async def test_a_text_is_fingerprinted_as_one_and_signed_with_its_codes(site: Running) -> None:
    ada = await artist(site)
    words = b"Whoever reads this here has read it in a test, and nowhere else as far as anybody knows of it."
    place = f"/v1/uploads/{sha256(words).hexdigest()}"
    refused = await ada.http.put(place, content=words)
    assert (refused.status_code, refused.json()["type"].rpartition("/")[2]) == (400, "unreadable-picture")
    answer = await ada.http.put(place, content=words, headers={"content-type": "text/plain; charset=utf-8"})
    seen = msgspec.json.decode(answer.content, type=Fingerprint)
    assert (seen.format, seen.pixels, seen.pdq) == ("text", None, None)
    content, instance = (seen.iscc or "").split()
    assert (content, instance) == (text_code(words.decode(), 256), instance_code(words))
    (outcome,) = await ada.register(uploaded(words, iscc=seen.iscc))
    await ada.state([outcome.work], NO_AI)
    assert (await ada.work(outcome.work)).iscc == seen.iscc
    assert (await ada.http.get(f"/v1/works/{outcome.work}/thumbnail")).status_code == 404
    await publish(site.services)
    (found,) = await answered(site, text_code(words.decode().upper(), 256))
    assert [(each.work, each.key) for each in found.matches] == [(outcome.work, "iscc-content")]
    for data, said in ((b"\xff" * 99, "expected text in UTF-8"), (b"short", "letters and digits")):
        other = f"/v1/uploads/{sha256(data).hexdigest()}"
        answer = await ada.http.put(other, content=data, headers={"content-type": "text/markdown"})
        assert answer.status_code == 400
        assert said in answer.json()["detail"]
    lying = WorkIn(new_id("wrk"), "fingerprint-only", sha256=seen.sha256, pixels="00" * 32, iscc=seen.iscc)
    (none,) = await ada.register(lying)
    assert (none.reason or "").startswith("iscc: expected an image code and an instance code of 256 bits")
    assert await verify(site.services) == []
