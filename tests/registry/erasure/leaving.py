"""What tests of erasure do and look for: erase, ask, and scan every column of every table."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256
from typing import Any

import httpx
import msgspec

from licet.wire.erasure import ErasureAnswer, ErasureRequest
from licet.wire.licensing import Answers, Query, RowKeys
from registry.auditing import verification
from registry.database import Database
from tests.registry import keymaking as make
from tests.registry.catalogue import Artist
from tests.registry.harness import Account, Running

COLUMNS = """
select c.table_name, c.column_name from information_schema.columns c
join information_schema.tables t using (table_schema, table_name)
where c.table_schema = current_schema() and t.table_type = 'BASE TABLE'
    and (c.data_type in ('text', 'bytea', 'jsonb', 'json', 'character varying', 'ARRAY') or c.data_type like 'char%')
order by 1, 2
"""


async def asked(site: Running, account: Account, **fields: Any) -> httpx.Response:
    """Ask for the erasure of ``account``, with a token that its key has signed for."""
    body = ErasureRequest(**{"confirm": account.id, **fields})
    return await site.post("/v1/me/erasure", body, http=await make.eraser(site, account))


async def erased(site: Running, account: Account, **fields: Any) -> ErasureAnswer:
    answer = await asked(site, account, **fields)
    assert answer.status_code == 201, answer.text
    return msgspec.json.decode(answer.content, type=ErasureAnswer)


async def verdict(site: Running, data: bytes, url: str | None = None) -> str:
    row = RowKeys(url=url) if url else RowKeys(sha256=sha256(data).hexdigest())
    body = Query({"uses": ["train-gen"]}, [row])
    answer = await site.http.post("/v1/licensing/query", content=msgspec.json.encode(body))
    assert answer.status_code == 200, answer.text
    return msgspec.json.decode(answer.content, type=Answers).results[0].verdict


async def verified(site: Running) -> None:
    """Nothing that is derived differs from its source."""
    assert [str(each) for each in await verification.verify(site.services)] == []


async def places(site: Running, needles: Iterable[bytes]) -> set[str]:
    """Return the columns, of all tables, that hold one of ``needles`` anywhere: as text, bytes, hex, part of a list."""
    return await places_in(site.services.database, needles)


async def places_in(database: Database, needles: Iterable[bytes]) -> set[str]:
    """Return the columns of ``database`` that hold one of ``needles``."""
    found = set()
    async with database.acquire() as conn:
        columns = await conn.fetch(COLUMNS)
        assert len(columns) > 100
        for row in columns:
            place = f"{row['table_name']}.{row['column_name']}"
            query = f'select "{row["column_name"]}" as value from "{row["table_name"]}" where '
            for value in await conn.fetch(query + f'"{row["column_name"]}" is not null'):
                held = _flat(value["value"])
                if any(needle in held or needle.hex().encode() in held for needle in needles):
                    found.add(place)
    return found


def _flat(value: Any) -> bytes:
    if isinstance(value, bytes):
        return value
    if isinstance(value, list):
        return b"\n".join(_flat(each) for each in value)
    return str(value).encode()


def words(who: Artist, *more: str) -> list[bytes]:
    """Return what must not be found of an artist: her own words, and her token."""
    return [each.encode() for each in (who.account.token, *more)] + [who.account.key.public]
