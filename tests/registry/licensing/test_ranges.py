"""Ranges over HTTP: one look-up in what comes says what a direct question says, and a copy never outlives a change."""

from __future__ import annotations

import httpx
import msgspec
import numpy as np
import pytest

from licet.decisions import VERDICTS, Request
from licet.index import Keys, answer, ranges
from licet.index.ranges import KeyRange
from licet.wire.licensing import RangeSize, RowKeys
from tests.registry.catalogue import NO_AI, PAID
from tests.registry.harness import Running
from tests.registry.licensing.test_asking import REQUEST, ask, digests
from tests.registry.market import problem, shelf

pytestmark = pytest.mark.anyio


async def told(http: httpx.AsyncClient) -> RangeSize:
    answer = await http.get("/v1/licensing/ranges")
    assert answer.status_code == 200, answer.text
    return msgspec.json.decode(answer.content, type=RangeSize)


async def fetched(http: httpx.AsyncClient, keys: Keys) -> list[KeyRange]:
    digits = (await told(http)).digits
    found = []
    for prefix in ranges.prefixes(keys, digits):
        body = await http.get(f"/v1/licensing/ranges/{prefix or ranges.WHOLE}")
        assert body.status_code == 200, body.text
        found.append(KeyRange.parse(body.content, prefix))
    return found


@pytest.mark.parametrize("least", [128, 1])
async def test_what_comes_says_what_a_direct_question_says(
    site: Running, least: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ranges, "LEAST", least)
    works = [await shelf(site, PAID, 2), await shelf(site, NO_AI, 2)]
    files = [file for each in works for file, _ in await digests(each.owner, each.works)] + ["00" * 32]
    keys = Keys(len(files), file=np.frombuffer(bytes.fromhex("".join(files)), np.uint8).reshape(-1, 32)[:, :16].copy())
    came = await fetched(site.http, keys)
    assert ((await told(site.http)).digits > 0) == (least == 1)
    found = answer(ranges.index_of(came), keys, Request.from_json(REQUEST), match="exact")
    direct = await ask(site.http, [RowKeys(sha256=file) for file in files], match="exact")
    assert [VERDICTS[code] for code in found.verdict] == [each.verdict for each in direct.results]
    assert {each.consent_version for each in came} == {direct.consent_version}


async def test_a_copy_is_good_until_what_it_says_changes(site: Running) -> None:
    works = await shelf(site, PAID, 1)
    first = await site.http.get("/v1/licensing/ranges/all")
    assert first.headers["cache-control"] == "public, no-cache"
    known = {"If-None-Match": first.headers["etag"]}
    again = await site.http.get("/v1/licensing/ranges/all", headers=known)
    assert (again.status_code, again.content) == (304, b"")
    assert int(again.headers["licet-log-size"]) >= int(first.headers["licet-log-size"])
    await works.owner.state(works.works, NO_AI)
    after = await site.http.get("/v1/licensing/ranges/all", headers=known)
    assert after.status_code == 200
    assert after.headers["etag"] != first.headers["etag"]
    assert len(after.content) % ranges.STEP == 0


@pytest.mark.parametrize("prefix", ["0", "abcdef", "ALL", "%00", "zz"])
async def test_a_prefix_of_another_length_is_refused(site: Running, prefix: str) -> None:
    status, _, detail = problem(await site.http.get(f"/v1/licensing/ranges/{prefix}"))
    assert status == 400
    assert prefix == "%00" or "expected all" in detail
