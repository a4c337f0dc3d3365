"""Inputs that lie elsewhere: ``s3:// gs:// az:// https://`` through obstore, ``hf://`` through the hub's library.

Credentials come from the environment, as those libraries read them, and are never shown. An object is read by ranges,
each only of the version that was found at the start; requests are repeated by the library beneath.
"""

from __future__ import annotations

import fnmatch
import glob
import io
import re
import shutil
from collections.abc import Callable, Iterable
from hashlib import file_digest, sha256
from pathlib import Path, PurePosixPath
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

import msgspec

from licet.datasets.forms import folder
from licet.datasets.forms.files import Named, named
from licet.datasets.forms.folder import OF_TEXTS, SIDECARS, FolderPart, is_picture
from licet.datasets.forms.parts import Remarks
from licet.datasets.forms.stores import Entry, Store, open_store
from licet.errors import InputError
from licet.fingerprints.containers import refuse

SCHEMES: Final = ("s3", "gs", "az", "hf", "https")
_STREAM_BYTES: Final = 8 << 20
_SCHEME: Final = re.compile(r"([a-z][a-z0-9+.-]*)://", re.IGNORECASE)


class Found(NamedTuple):
    """What an address names: files of a known form, or the pictures of a folder."""

    files: list[tuple[CloudFile, Named]]
    pictures: list[tuple[CloudFolder, list[Entry]]]


def is_address(given: str) -> bool:
    """Return whether ``given`` names something by a scheme, known or not."""
    return _SCHEME.match(given) is not None


def shown_address(given: str) -> str:
    """Return an address as it may be shown: without user, password or query, which may be secrets."""
    scheme, _, rest = given.partition("://")
    host, slash, path = re.split(r"[?#]", rest, maxsplit=1)[0].partition("/")
    return f"{scheme}://{host.rpartition('@')[2]}{slash}{path}" if scheme != "hf" else f"{scheme}://{host}{slash}{path}"


def open_address(given: str, forms: str) -> Found:
    """Return what lies at an address, which may be an object, a folder or a glob.

    Raises ``InputError`` for what is not there, is no dataset, or needs a library that is not installed,
    ``NotAllowedError`` where the store refuses, ``UnreachableError`` where it does not answer.
    """
    shown = shown_address(given)
    scheme = given.partition("://")[0].lower()
    parts = urlsplit(given)
    if scheme not in SCHEMES and not (scheme == "http" and parts.hostname in ("127.0.0.1", "localhost", "::1")):
        known = ", ".join(f"{each}://" for each in SCHEMES)
        raise InputError.field("input", f"a path, or an address that starts with {known}", shown)
    if scheme != "hf" and ("@" in parts.netloc or (parts.query and scheme.startswith("http"))):
        raise InputError(f"input: expected an address without user, password or query, got one with, at {shown}")
    store, root, path = open_store(given, shown)
    if glob.has_magic(path):
        return _matching(store, root, path, shown)
    entry = store.head(path) if path else None
    if entry is not None:
        return _sorted_out(store, root, [entry], shown, forms)
    if not store.lists:
        raise InputError.field("input", f"{forms} that exists", shown)
    prefix = f"{path.rstrip('/')}/" if path else ""
    entries = [each for each in store.list(prefix) if not _hidden(each.path.removeprefix(prefix))]
    if not entries:
        raise InputError.field("input", f"{forms} that exists", shown)
    return _folder(store, root, prefix, entries, shown)


def _matching(store: Store, root: str, path: str, shown: str) -> Found:
    if not store.lists:
        raise InputError.field("input", "the address of one file: this store has no list of them", shown)
    fixed = re.split(r"[*?\[]", path, maxsplit=1)[0]
    prefix = fixed[: fixed.rfind("/") + 1]
    wanted = _pattern(path)
    entries = [each for each in store.list(prefix) if wanted.fullmatch(each.path)]
    usable = [each for each in entries if is_picture(each.path) or named(each.path) is not None]
    if not usable:
        raise InputError.field("input", "a glob that something matches", shown)
    return _sorted_out(store, root, usable, shown, "")


def _pattern(path: str) -> re.Pattern[str]:
    """Return what a glob matches: ``*`` within a folder, ``**`` through all of them."""
    text = ""
    for piece in re.split(r"(\*\*/?|\*|\?|\[[^]]*\])", path):
        match piece:
            case "**/":
                text += "(?:.*/)?"
            case "**":
                text += ".*"
            case "*":
                text += "[^/]*"
            case "?":
                text += "[^/]"
            case _ if piece.startswith("["):
                text += fnmatch.translate(piece).removeprefix("(?s:").removesuffix(r")\Z").removesuffix(r")\z")
            case _:
                text += re.escape(piece)
    return re.compile(text)


def _folder(store: Store, root: str, prefix: str, entries: list[Entry], shown: str) -> Found:
    tables = [each for each in entries if named(each.path) is not None and not _name(each.path).startswith("_")]
    pictures = [each for each in entries if is_picture(each.path)]
    if tables and pictures:
        raise InputError(
            f"{shown}: expected a folder of one form, got tables ({tables[0].path}) and pictures ({pictures[0].path});"
            " name the table, or the folder of the pictures alone"
        )
    if tables:
        return _sorted_out(store, root, tables, shown, "")
    return Found([], [(CloudFolder(store, root, prefix), entries)])


def _sorted_out(store: Store, root: str, entries: list[Entry], shown: str, forms: str) -> Found:
    files: list[tuple[CloudFile, Named]] = []
    loose: dict[str, list[Entry]] = {}
    for entry in entries:
        kind = named(entry.path)
        if kind is not None:
            files.append((CloudFile(store, root, entry), kind))
        elif is_picture(entry.path):
            loose.setdefault(entry.path.rpartition("/")[0], []).append(entry)
        else:
            raise InputError.field("input", forms, shown)
    pictures = [
        (CloudFolder(store, root, f"{folder}/" if folder else ""), own) for folder, own in sorted(loose.items())
    ]
    return Found(files, pictures)


def _name(path: str) -> str:
    return path.rpartition("/")[2]


def _hidden(path: str) -> bool:
    return any(piece.startswith(".") for piece in path.split("/"))


class CloudFolder:
    """A place in a store that paths start at."""

    def __init__(self, store: Store, root: str, prefix: str) -> None:
        self.store = store
        self.shown = f"{root}/{prefix}"
        self.prefix = prefix

    def key(self, path: str) -> str:
        """Return the store's own name of ``path``, which cannot lead out of the store."""
        pieces: list[str] = []
        for piece in f"{self.prefix}{path}".split("/"):
            if piece == ".." and pieces:
                pieces.pop()
            elif piece not in ("", ".", ".."):
                pieces.append(piece)
        return "/".join(pieces)

    def __truediv__(self, path: str, /) -> Callable[[int], bytes]:
        """Return what reads so many bytes of a picture at most; ``PictureError`` for one that is not there."""

        def read(size: int) -> bytes:
            entry = self.store.head(self.key(path))
            if entry is None:
                refuse("unreadable", "expected a file that is there, got none")
            return self.store.read(entry, 0, min(size, entry.size)) if entry.size else b""

        return read


class CloudFile:
    """One object in the version that it was found in."""

    path: Path | None = None

    def __init__(self, store: Store, root: str, entry: Entry) -> None:
        self._store = store
        self._root = root
        self._entry = entry

    @property
    def shown(self) -> str:
        """Its address."""
        return f"{self._root}/{self._entry.path}"

    @property
    def name(self) -> str:
        """The last piece of its address."""
        return self._entry.path.rpartition("/")[2]

    @property
    def pieces(self) -> tuple[str, ...]:
        """Its address in pieces."""
        return (self._root, *PurePosixPath(self._entry.path).parts)

    @property
    def base(self) -> CloudFolder:
        """The folder that it lies in."""
        return CloudFolder(self._store, self._root, self._entry.path[: -len(self.name)])

    @property
    def size(self) -> int:
        """Bytes."""
        return self._entry.size

    def stamp(self) -> dict[str, Any]:
        """Return what the store tells its versions apart by, as it is now."""
        entry = self._store.head(self._entry.path)
        return {"address": self.shown, **({"gone": True} if entry is None else _stamp(entry))}

    def open(self) -> io.BufferedReader:
        """Return it opened as a stream, read ahead in large pieces."""
        return io.BufferedReader(_Ranges(self._store, self._entry), _STREAM_BYTES)

    def ranges(self) -> io.RawIOBase:
        """Return it opened for reading ranges: no more is fetched than is asked for."""
        return _Ranges(self._store, self._entry)

    def sibling(self, name: str) -> CloudFile | None:
        """Return the file of this name in the same folder, if there is one."""
        entry = self._store.head(self.base.key(name))
        return None if entry is None else CloudFile(self._store, self._root, entry)


class _Ranges(io.RawIOBase):
    def __init__(self, store: Store, entry: Entry) -> None:
        self._store = store
        self._entry = entry
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._entry.size}[whence]
        self._at = max(0, start + offset)
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: Any, /) -> int:
        end = min(self._at + len(buffer), self._entry.size)
        if end <= self._at:
            return 0
        data = self._store.read(self._entry, self._at, end)
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)


class CloudFolderPart(FolderPart):
    """The pictures under one address. Kept ones are downloaded, with their sidecars."""

    def __init__(self, place: CloudFolder, entries: Iterable[Entry], name: str) -> None:
        self.name = name
        self.remarks = Remarks()
        self.base: Any = place
        self._placed = {}
        self._entries = {entry.path.removeprefix(place.prefix): entry for entry in entries}
        self._files = sorted(path for path in self._entries if is_picture(path))
        if not self._files:
            message = f"{place.shown}: expected a folder with pictures, got one without any; {OF_TEXTS}"
            raise InputError(message, field=place.shown)
        for path in self._entries:
            if not {"", ".", ".."}.isdisjoint(path.split("/")):  # it would be copied to another place than the output
                raise InputError.field(place.shown, "names that lead into the folder", repr(path))

    @property
    def place(self) -> Path | None:
        """It lies nowhere on this machine."""
        return None

    def stamp(self) -> dict[str, Any]:
        """Return what tells this input from a changed one, from the list of what is there now."""
        now = {entry.path: entry for entry in self.base.store.list(self.base.prefix)}
        digest = sha256()
        for path in self._files:
            found = now.get(self._entries[path].path)
            digest.update(msgspec.json.encode([path, None if found is None else _stamp(found)]))
        address = {"address": self.base.shown, "files": digest.hexdigest()}
        return {"name": self.name, "kind": "folder", "rows": self.rows, "batch": folder.BATCH, **address}

    def _place(self, name: str, target: Path) -> bytes:
        stem = str(PurePosixPath(name).with_suffix(""))
        beside = [f"{start}{ending}" for start in (stem, name) for ending in SIDECARS]
        for path in (name, *(each for each in beside if each in self._entries)):
            goal = target / path
            goal.parent.mkdir(parents=True, exist_ok=True)
            reader = io.BufferedReader(_Ranges(self.base.store, self._entries[path]), _STREAM_BYTES)
            with reader, goal.open("wb") as file:
                shutil.copyfileobj(reader, file, _STREAM_BYTES)
        with (target / name).open("rb") as file:
            return file_digest(file, "sha256").digest()


def _stamp(entry: Entry) -> dict[str, Any]:
    return {"size": entry.size, **entry.version}
