"""JSON Lines: an object a line. Only the members that say what a row is are decoded; the rest is skipped as text.

So numbers beyond any machine type, and members of any shape, come out as they were written.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec

from licet.datasets.forms.columns import ASKED_FOR, NAMED, NO_COLUMN, TEXT, find_columns
from licet.datasets.forms.files import File, Packing, unpacked
from licet.datasets.forms.lines import (
    BOM,
    Lines,
    LinesPart,
    Record,
    Row,
    is_other_text,
    one_more_empty,
    read_line,
    text_schema,
)
from licet.errors import InputError, MalformedError
from licet.misfits import misfit, unlike

_SAMPLED: Final = 1000
_SAMPLE_BYTES: Final = 8 << 20
_SPACE: Final = b" \t\r\n"
_SIMPLE: Final = re.compile(r"[A-Za-z0-9_ .-]*")
_STRING: Final = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"\s*(:?)', re.DOTALL)


class _Picture(msgspec.Struct, frozen=True):
    """``image`` as Hugging Face writes it: an object with a path. Bytes in it are no text that we could look into."""

    path: str | None = None
    bytes: None = None


class Repeated:
    """Finds members that an object has twice: a reader takes one of them, and nobody says which."""

    def __init__(self, names: Iterable[str]) -> None:
        self._names = frozenset(names)
        quoted = (json.dumps(name, ensure_ascii=False).encode(errors="surrogateescape") for name in sorted(self._names))
        self._plain = re.compile(rb"|".join(map(re.escape, quoted)))
        # Only by its number can an escape stand for a letter: what most writers escape spells none of such names.
        simple = all(name.isascii() and _SIMPLE.fullmatch(name) for name in self._names)
        self._escape = re.compile(rb"\\u00[0-7]" if simple else rb"\\")

    def find(self, raw: bytes) -> str | None:
        """Return the first of the names that the JSON object ``raw`` has twice, or None."""
        if not self._names:
            return None
        found = self._plain.findall(raw)
        if len(found) == len(set(found)) and b"\0" not in raw and not (self._escape.search(raw) and _escaped(raw)):
            return None
        # Perhaps in a text or further in: only now it is worth to read all of it.
        whole = json.JSONDecoder(object_pairs_hook=_Members, parse_int=str, parse_float=str, strict=False)
        try:
            text = raw.decode(json.detect_encoding(raw), "surrogateescape")
            members = whole.decode(text.removeprefix("\ufeff"))
        except (ValueError, RecursionError):
            return min(self._names)  # what cannot be told counts as ambiguous
        seen: set[str] = set()
        for name, _ in members if isinstance(members, _Members) else ():
            if name in self._names and name in seen:
                return str(name)
            seen.add(name)
        return None


class _Members(list[tuple[str, Any]]):
    """An object as its members, in order."""


def _escaped(raw: bytes) -> bool:
    """Return whether the name of any member is spelled with escapes."""
    return any(each[1] and b"\\" in each[0] for each in _STRING.finditer(raw))


class JsonlPart(LinesPart):
    """One file with a row a line. A line is malformed that is no object, or whose members that we read are no text."""

    kind = "jsonl"

    def __init__(self, file: File, name: str, packing: Packing | None, mapping: Mapping[str, str] | None) -> None:
        with unpacked(file, packing) as stream:
            self._mark, there = _sampled(stream, file.shown)
        left_out = {name for name, own in (mapping or {}).items() if own == NO_COLUMN}
        found: dict[str, str] = {}
        if there is None:  # no row at all
            found = {name: own for name, own in (mapping or {}).items() if own != NO_COLUMN}
        else:
            found = find_columns(text_schema(_once(there, mapping), mapping), file.shown, mapping).names
        asked = [name for name in ASKED_FOR if name in found]
        names = [name for name in (*NAMED, *asked) if name not in left_out]
        self._spelled = {name: _spellings(name, found.get(name), mapping) for name in names}
        self._decoder = msgspec.json.Decoder(_struct(self._spelled))
        super().__init__(file, name, packing, names, files=bool({"path", "image", TEXT} & found.keys()))

    def stamp(self) -> dict[str, object]:
        """Return what tells this input from a changed one: also which members are read."""
        return {**super().stamp(), "columns": {name: list(own) for name, own in sorted(self._spelled.items())}}

    @property
    def preamble(self) -> bytes:
        """The byte order mark, if there was one."""
        return self._mark

    def records(self, stream: Lines) -> Iterator[Record]:
        """Yield the lines. Empty ones are none."""
        if self._mark:
            stream.readline(len(self._mark))
        count = len(self._spelled)
        nothing = (None,) * sum(len(own) - 1 for own in self._spelled.values())
        decode = self._decoder.decode
        twice = Repeated(name for own in self._spelled.values() for name in own)
        line = empty = 0
        while True:
            line += 1
            raw = read_line(stream, self.shown, line)
            if not raw:
                return
            row: Row
            try:
                values = msgspec.structs.astuple(decode(raw))
            except (msgspec.MsgspecError, UnicodeDecodeError) as error:
                if not raw.strip(_SPACE):
                    empty = one_more_empty(empty, self.shown, line)
                    continue
                row = f"expected a JSON object, got {unlike(error)}"
            except RecursionError:
                row = "expected a JSON object, got one that is nested too deep"
            else:
                again = twice.find(raw)
                if again is not None:
                    row = f"expected one member {again}, got it twice"
                else:
                    row = self._chosen(values) if values[count:] != nothing else values[:count]
            yield Record(raw, line, _text(row))
            empty = 0

    def _chosen(self, values: Sequence[Any]) -> Row:
        """Return the row of a line that spells its members otherwise than the first lines do."""
        chosen = list(values[: len(self._spelled)])
        rest = iter(values[len(self._spelled) :])
        for place, (name, spelled) in enumerate(self._spelled.items()):
            for own in spelled[1:]:
                value = next(rest)
                if value is None:
                    continue
                if chosen[place] is not None:
                    return f"expected one member {name}, got {spelled[0]} and {own}"
                chosen[place] = value
        return chosen


def _text(row: Any) -> Row:
    """Return the values of a row as text."""
    if isinstance(row, str):
        return row
    for value in row:
        if value is not None and type(value) is not str:
            break
    else:
        return row  # type: ignore[no-any-return]
    return [value.path if isinstance(value, _Picture) else None if value is None else str(value) for value in row]


def _struct(spelled: Mapping[str, Sequence[str]]) -> type[msgspec.Struct]:
    """Return what a line is decoded as: first each name in its first spelling, then the others."""
    fields: list[tuple[str, Any, Any]] = []
    rename = {}
    firsts = [(name, own[0]) for name, own in spelled.items()]
    others = [(name, other) for name, own in spelled.items() for other in own[1:]]
    for place, (name, own) in enumerate(firsts + others):
        kind: Any = {"image": str | _Picture | None, "key": str | int | None}.get(name, str | None)
        fields.append((f"f{place}", kind, None))
        rename[f"f{place}"] = own
    return msgspec.defstruct("Line", fields, rename=rename)


def _spellings(name: str, found: str | None, mapping: Mapping[str, str] | None) -> list[str]:
    """Return how a line may call ``name``, the most likely first: as mapped, else in any usual case."""
    if found is not None and name in (mapping or {}):
        return [found]
    return list(dict.fromkeys([found or name, name, name.upper(), name.capitalize()]))


def _once(there: Sequence[str], mapping: Mapping[str, str] | None) -> list[str]:
    """Return the members of all lines, each of our names in one spelling: lines may differ in that."""
    mapped = set((mapping or {}).values())
    firsts: dict[str, str] = {}
    for own in there:
        firsts.setdefault(own if own in mapped else own.lower() if own.lower() in NAMED else own, own)
    return list(firsts.values())


def _sampled(stream: Lines, shown: str) -> tuple[bytes, list[str] | None]:
    """Return the mark at the start, if any, and the names of all members of the first lines (None: no lines)."""
    names: dict[str, None] = {}
    mark, size, objects, wrong = b"", 0, 0, ""
    line = 0
    while line < _SAMPLED and size < _SAMPLE_BYTES:
        line += 1
        raw = read_line(stream, shown, line)
        if not raw:
            break
        if line == 1 and raw.startswith(BOM):
            mark, raw = BOM, raw[len(BOM) :]
        if line == 1 and is_other_text(raw):
            raise MalformedError(f"{shown}: expected JSON Lines in UTF-8, got bytes of another encoding")
        size += len(raw)
        if not raw.strip(_SPACE):
            continue
        try:
            names |= dict.fromkeys(msgspec.json.decode(raw, type=dict[str, msgspec.Raw]))
            objects += 1
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            wrong = wrong or f"line {line}: {misfit(error)}"
    if wrong and not objects:
        raise InputError.field(shown, "a JSON object a line", wrong)
    return mark, list(names) if objects else None
