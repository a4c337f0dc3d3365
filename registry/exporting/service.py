"""The export as it is streamed: files of a tar, each made from one short look at the database, in bounded memory.

A file is named by its section and the key of its last row, so its name says where the next one begins: whoever was cut
off asks for what comes after the last whole file. What changes meanwhile is in or not; nothing is in twice.
"""

from __future__ import annotations

import base64
import re
import tarfile
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple
from uuid import UUID

import msgspec

from licet import identifiers, times
from registry.accounts.identity import Caller
from registry.accounts.statements import file_of
from registry.database import Connection, Row
from registry.errors import Invalid
from registry.exporting.sections import JSON, KINDS, LEFT_OUT, SECTIONS, UNTOLD, Section
from registry.services import Services
from registry.usage.money import accounts_of

LAST: Final = "export.json"
_BLOCK: Final = 512
# What a file of an export is called: its section, and the key of its last row.
FORM: Final = (
    rf"^({'|'.join(section.name for section in SECTIONS)})/"
    r"([0-9a-z]{1,60}(?:-[0-9a-z]{1,60}){0,2})\.(?:jsonl|json|webp)$"
)
_NAME: Final = re.compile(FORM, re.ASCII)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_TYPES: Final[dict[type, str]] = {UUID: "uuid", bytes: "bytea", int: "bigint", datetime: "timestamptz", str: "text"}


class File(NamedTuple):
    """One file of the tar."""

    name: str
    content: bytes


class Place(NamedTuple):
    """Behind which row of which section the export goes on."""

    section: int
    key: tuple[Any, ...] | None


def place_of(after: str | None) -> Place:
    """Return where an export goes on after the file named ``after``; raises ``Invalid``."""
    if after is None:
        return Place(0, None)
    match = _NAME.fullmatch(after)
    if match is None:
        raise _unknown(after)
    place = [section.name for section in SECTIONS].index(match[1])
    parts, columns = match[2].split("-"), SECTIONS[place].key
    if len(parts) != len(columns):
        raise _unknown(after)
    try:
        return Place(place, tuple(_value(text, each.type) for text, each in zip(parts, columns, strict=True)))
    except (ValueError, OverflowError):
        raise _unknown(after) from None


async def stream(services: Services, caller: Caller, place: Place) -> AsyncIterator[bytes]:
    """Yield the tar of everything behind ``place``; its last file says that it is whole."""
    async for file in _files(services, caller, place):
        yield _packed(file)
    yield bytes(2 * _BLOCK)


async def _files(services: Services, caller: Caller, place: Place) -> AsyncIterator[File]:
    for number in range(place.section, len(SECTIONS)):
        section, key = SECTIONS[number], place.key if number == place.section else None
        while True:
            async with services.database.transaction(isolation="repeatable_read", readonly=True) as conn:
                rows = await _rows(conn, section, caller, key)
                files = await _told(conn, section, rows)
            for file in files:
                yield file
            if len(rows) < section.at_once:
                break
            key = _key(section, rows[-1])
    yield File(LAST, _encoded(_about(services, caller)))


async def _rows(conn: Connection, section: Section, caller: Caller, key: tuple[Any, ...] | None) -> list[Row]:
    held_to: Any = caller.account if section.of == "account" else accounts_of(caller)
    columns = ", ".join(each.expression for each in section.key)
    values = ", ".join(f"${number}::{_TYPES[each.type]}" for number, each in enumerate(section.key, 3))
    after = "" if key is None else f"and ({columns}) > ({values})"
    statement = f"{section.statement.format(after=after)} order by {columns} limit $2"
    return await conn.fetch(statement, held_to, section.at_once, *(key or ()))


async def _told(conn: Connection, section: Section, rows: Sequence[Row]) -> list[File]:
    if not rows:
        return []
    if section.form == "jsonl":
        lines = b"".join(_encoded(_line(row)) + b"\n" for row in rows)
        return [File(_named(section, rows[-1]), lines)]
    if section.form == "webp":
        return [File(_named(section, row), row["content"]) for row in rows]
    return [File(_named(section, row), _encoded(await file_of(conn, row["id"], row["kind"]))) for row in rows]


def _line(row: Row) -> dict[str, Any]:
    return {name: _plain(name, value) for name, value in row.items() if name not in UNTOLD}


def _plain(name: str, value: Any) -> Any:
    if isinstance(value, UUID):
        return identifiers.from_uuid(KINDS[name], value) if name in KINDS else str(value)
    if name in JSON and value is not None:
        return msgspec.Raw(value if isinstance(value, bytes) else value.encode())
    if isinstance(value, bytes):
        return value.hex()
    return times.to_text(value) if isinstance(value, datetime) else value


def _about(services: Services, caller: Caller) -> dict[str, Any]:
    return {
        "schema_version": 1,
        "account": caller.id,
        "registry": {"origin": services.keys.origin, "root": services.keys.root.public.hex()},
        "exported_at": times.to_text(times.now()),
        "sections": {section.name: section.says for section in SECTIONS},
        "left_out": LEFT_OUT,
    }


def _named(section: Section, row: Row) -> str:
    return f"{section.name}/{'-'.join(_text(value) for value in _key(section, row))}.{section.form}"


def _key(section: Section, row: Row) -> tuple[Any, ...]:
    return tuple(row[each.name] for each in section.key)


def _text(value: Any) -> str:
    """Return one value of a key as part of a file's name: a tar has room for 100 characters."""
    if isinstance(value, datetime):
        value = (value - _EPOCH) // timedelta(microseconds=1)
    if isinstance(value, int):
        return f"{value:x}"
    raw = value.bytes if isinstance(value, UUID) else value.encode() if isinstance(value, str) else bytes(value)
    return base64.b32encode(raw).decode().lower().rstrip("=")


def _value(text: str, kind: type) -> Any:
    """Return the value that `_text` wrote as ``text``; raises ``ValueError``."""
    if kind in {int, datetime}:
        number = int(text, 16)
        if number >= 1 << 62:
            raise ValueError(text)
        return _EPOCH + timedelta(microseconds=number) if kind is datetime else number
    raw = base64.b32decode(text.upper() + "=" * (-len(text) % 8))
    if kind is UUID:
        return UUID(bytes=raw)
    if kind is bytes:
        return raw
    found = raw.decode()
    if "\0" in found:
        raise ValueError(text)
    return found


def _packed(file: File) -> bytes:
    about = tarfile.TarInfo(file.name)
    about.size = len(file.content)
    about.mode = 0o600
    return about.tobuf(tarfile.USTAR_FORMAT) + file.content + bytes(-len(file.content) % _BLOCK)


def _encoded(value: Any) -> bytes:
    return msgspec.json.encode(value)


def _unknown(after: str) -> Invalid:
    return Invalid.field("?after", "the name of a file of the account's export, not the last one", after)
