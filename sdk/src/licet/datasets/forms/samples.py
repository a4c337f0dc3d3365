"""Samples of an archive: which member is of which, and what it says of it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

import msgspec

from licet.datasets.forms.columns import NO_COLUMN
from licet.datasets.forms.folder import is_picture
from licet.datasets.forms.jsonl import Repeated
from licet.datasets.forms.spooling import Spool
from licet.datasets.forms.tar import Member
from licet.errors import InputError
from licet.fingerprints.decode import DEFAULT_LIMITS
from licet.fingerprints.formats import looks_like_a_picture

_MAX_JSON: Final = 1 << 20
_MOST_MEMBERS: Final = 10_000
_MOST_BYTES: Final = 256 << 20  # of the pictures of one sample
#: How webdataset tells key and ending apart (`base_plus_ext`), and the names that it keeps for itself (`skip_meta`).
_KEY: Final = re.compile(rb"((?:.*/|)[^.]+)[.][^/]*$")
_SETTINGS: Final = re.compile(rb"__[^/]*__(?:$|/)")
#: What a JSON member says of a sample: the address, and without a picture also digest and hash.
_STATED: Final = ("url", "sha256", "iscc", "pdq")


class Picture(NamedTuple):
    """A picture in a sample; without data it was too large to be one."""

    path: str
    data: bytes | None


class Sample(NamedTuple):
    """What is known of one sample. ``wrong``: why it cannot be kept."""

    key: str
    pictures: Sequence[Picture]
    stated: Mapping[str, str]
    wrong: str | None
    size: int  # in the archive


class Gathering:
    """The sample whose members are being read."""

    def __init__(self, key: bytes, spelled: Mapping[str, Sequence[str]], wrong: str | None = None) -> None:
        self.key = key
        self.links: dict[bytes, str] = {}  # what is wrong with links of other keys, which lie within it
        self._spelled = spelled
        self._pictures: list[Picture] = []
        self._stated: dict[str, str] = {}
        self._wrong = wrong
        self._size = self._members = self._held = 0

    def add(self, member: Member, body: Iterable[bytes], spool: Spool | None) -> None:
        """Take the next member and its body, in pieces that fill its last block."""
        name = member.name.decode(errors="replace")
        self._members += 1
        self._wrong = self._wrong or _why_not(member) or self._too_many()
        wanted = member.kind == "file" and spool is None
        is_json = member.kind == "file" and _is_named_json(name)
        if is_json and member.size > _MAX_JSON:
            self._wrong = self._wrong or f"expected JSON of at most {_MAX_JSON:,} bytes, got {member.size:,}"
            is_json = False
        # Nothing at all under the name of a picture is one too: it cannot be read.
        seen = named = member.kind == "file" and _is_named_picture(name)
        held = wanted and named and not member.size
        pieces: list[bytes] = []
        if spool is not None:
            spool.add(member.head)
        for number, piece in enumerate(body):
            if not number:  # a picture under another name is one all the same to whoever opens it
                seen = named or (member.kind == "file" and looks_like_a_picture(piece[: member.size]))
                held = is_json or (wanted and seen and self._fits(member.size))
            if held:
                pieces.append(piece)
            if spool is not None:
                spool.add(piece)
        data = b"".join(pieces)[: member.size]
        self._size += len(member.head) + member.size
        if seen and len(self._pictures) < _MOST_MEMBERS:
            self._pictures.append(Picture(name, data if held else None))
        if is_json:
            self._state(data)

    def _fits(self, size: int) -> bool:
        if size > DEFAULT_LIMITS.max_bytes or self._held + size > _MOST_BYTES:
            return False
        self._held += size
        return True

    def _too_many(self) -> str | None:
        return None if self._members <= _MOST_MEMBERS else f"expected at most {_MOST_MEMBERS:,} members"

    def _state(self, body: bytes) -> None:
        values = _object(body)
        for name, spellings in self._spelled.items():
            for own in spellings:
                value = values.get(own)
                if not isinstance(value, str) or not value:
                    continue
                if self._stated.setdefault(name, value) != value:
                    words = f"expected one {name} in the JSON of a sample, got two that differ"
                    self._wrong = self._wrong or f"{words}; --columns {name}=… chooses"
        again = Repeated(own for spellings in self._spelled.values() for own in spellings).find(body)
        if again is not None and self._wrong is None:
            self._wrong = f"expected one member {again} in JSON, got it twice"

    def aside(self, key: bytes, link: Member) -> bool:
        """Take a link of another key, if there is room: readers pass over it, so it does not end this sample."""
        if len(self.links) >= _MOST_MEMBERS:
            return False
        self.links.setdefault(key, _why_not(link) or "")
        return True

    def samples(self, spool: Spool | None, following: bytes | None = None) -> Iterator[Sample]:
        """Yield what it came to, and the links in it that are of no sample; one named ``following`` is the next's."""
        yield Sample(_shown(self.key), self._pictures, self._stated, self._wrong, self._size)
        for key, why in self.links.items():
            if key != following:
                if spool is not None:
                    spool.begin()
                yield Sample(_shown(key), (), {}, why, 0)


def sample_of(key: str, members: Mapping[str, bytes], spelled: Mapping[str, Sequence[str]]) -> Sample:
    """Return a sample that somebody else has read: its members by the endings of their names.

    ``spelled`` is what `spellings` returns.
    """
    gathering = Gathering(key.encode(), spelled)
    for ending, data in members.items():
        name = f"{key}.{ending}".encode()
        gathering.add(Member(name, "file", len(data), b""), (data,) if data else (), None)
    return next(gathering.samples(None))


def key_of(name: bytes) -> bytes | None:
    """Return the key of a member by its name, None for one that webdataset passes over."""
    found = None if _SETTINGS.match(name) else _KEY.match(name)
    return found and found[1]


def _why_not(member: Member) -> str | None:
    if member.kind == "other":
        return "expected files, got a link, a device or a sparse file"
    pieces = member.name.split(b"/")
    if not member.name or member.name.startswith(b"/") or b".." in pieces:
        return "expected names within the archive, got one that leads elsewhere"
    try:
        member.name.decode()
    except UnicodeDecodeError:
        return "expected names in UTF-8, got other bytes"
    return None


def _is_named_picture(name: str) -> bool:
    """Whether a name says so: webdataset unpacks a picture whose name ends in ``.gz`` without being asked."""
    return is_picture(name) or (name.lower().endswith(".gz") and is_picture(name[:-3]))


def _is_named_json(name: str) -> bool:
    return name.lower().endswith(".json")


def tells(name: str) -> bool:
    """Return whether a member of this name says what its sample is."""
    return _is_named_picture(name) or _is_named_json(name)


def _object(body: bytes) -> Mapping[str, Any]:
    """Return the members of a JSON object that are text; none of what is no object, which is a caption's business.

    Python writes ``NaN`` and halves of surrogates, and reads UTF-16: what it reads, whoever trains on it does.
    """
    try:
        values = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
        return {name: text for name, raw in values.items() if (text := _text_in(raw)) is not None}
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        pass
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return {name: value for name, value in found.items() if _is_text(value)} if isinstance(found, dict) else {}


def _text_in(raw: msgspec.Raw) -> str | None:
    try:
        return msgspec.json.decode(raw, type=str)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None


def _is_text(value: object) -> bool:
    try:
        return isinstance(value, str) and value.encode() is not None
    except UnicodeEncodeError:
        return False


def spellings(mapping: Mapping[str, str] | None) -> dict[str, list[str]]:
    """Return how a JSON member may call what we read of it."""
    found: dict[str, list[str]] = {}
    for name, own in (mapping or {}).items():
        if name not in _STATED:
            raise InputError.field(
                "columns", f"one of {', '.join(_STATED)} before the =, of the JSON in an archive", name
            )
        found[name] = [] if own == NO_COLUMN else [own]
    return {name: found.get(name, [name, name.upper(), name.capitalize()]) for name in _STATED}


def _shown(key: bytes) -> str:
    return key.decode(errors="replace")
