"""One signature for many works: ten thousand under one statement, each with the inclusion path of its own."""

from __future__ import annotations

from hashlib import sha256

import pytest

from licet import identifiers, times
from licet.canonical import digest
from licet.statements.kinds import WorkDigest
from tests.registry.catalogue import NO_AI, PAID, Artist, artist, reader_of
from tests.registry.harness import Running

pytestmark = pytest.mark.anyio

COUNT = 10_000


async def filled(who: Artist, count: int) -> list[str]:
    """Put works straight into the table: what is tried here begins with the signature."""
    works = sorted(identifiers.new_id("wrk") for _ in range(count))
    now = times.now()
    records: list[tuple[object, ...]] = []
    for number, work in enumerate(works):
        file = sha256(b"%d of %s" % (number, who.id.encode())).digest()
        form = WorkDigest(work, who.id, file.hex(), None, None, None, [], "upload")
        records.append(
            (identifiers.to_uuid(work), who.uuid, "upload", file, [], [], bytes.fromhex(digest(form)), "", [], 0, now)
        )
    columns = "id account mode sha256 tags urls digest haystack grams compared_at registered_at".split()
    async with who.site.services.database.acquire() as conn:
        await conn.copy_records_to_table("works", records=records, columns=columns)
    return works


async def test_ten_thousand_works_under_one_statement(site: Running) -> None:
    ada = await artist(site)
    works = await filled(ada, COUNT)
    answer = await ada.state(works, PAID)
    assert (answer.effect, answer.works) == ("initial", COUNT)
    index, version, _ = await reader_of(site.services).current()
    numbers = index.works.numbers()
    assert len(numbers) == COUNT
    tightened = await ada.state(works, NO_AI)
    assert tightened.effect == "tighten"
    later, moved, _ = await reader_of(site.services).current()
    assert moved == version + 1
    found = later.works.take(later.works.numbers())
    assert {later.works.encoded_terms(int(number)) for number in set(found.terms.tolist())} == {NO_AI.encoded}
    assert set(found.log_index.tolist()) == {tightened.log_index}


async def test_more_than_a_million_names_are_refused_before_anything_is_looked_up(site: Running) -> None:
    ada = await artist(site)
    named = [identifiers.new_id("wrk")] * 1_000_001
    answer = await ada.http.post("/v1/statements/draft", json={"works": named, "terms": NO_AI.to_json()})
    assert answer.status_code == 400
    assert "1000000" in answer.json()["detail"]
