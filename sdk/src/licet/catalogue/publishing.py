"""An artist's terms as files for others to read: every dialect, and copies of pictures with the terms in them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import msgspec

from licet.errors import InputError
from licet.signals.writers import DIALECTS, NEEDS_ISCC, Loss, Subject, Written, write
from licet.signals.writers import kit as kits
from licet.signals.writers.embedding import embed_copy, holds, keep
from licet.signals.writers.xmp import xmp
from licet.terms import Terms


class Exported(msgspec.Struct, frozen=True):
    """What was written of ``terms``; ``files`` are the paths of documents and copies, ``left`` dialects left out.
    ``renamed`` has the copies that are called otherwise than their pictures, with the pictures."""

    terms: Terms
    written: tuple[Written, ...]
    files: tuple[str, ...]
    left: tuple[str, ...]
    renamed: dict[str, str] = {}

    def document(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        return {
            "terms_hash": self.terms.hash,
            "documents": [
                {
                    "dialect": each.dialect,
                    "name": each.name,
                    "media_type": each.media_type,
                    "text": each.body.decode(),
                    "losses": [msgspec.to_builtins(loss) for loss in each.losses(self.terms)],
                }
                for each in self.written
            ],
            "files": list(self.files),
            "renamed": self.renamed,
            "left_out": list(self.left),
        }

    def lines(self) -> Iterator[str]:
        """Yield it in words."""
        for each in self.written:
            yield f"{each.dialect:15} {each.name}"
            yield from (f"  {line}" for line in lost(each.losses(self.terms)))
        if self.left:
            yield f"Left out: {', '.join(self.left)} (an ISCC is needed: --iscc)."
        for name in self.files:
            other = self.renamed.get(name)
            yield f"wrote {name}" + (f", a copy of {other}: another picture has its name" if other else "")


def lost(losses: Sequence[Loss]) -> Iterator[str]:
    """Yield what a dialect cannot say, in words."""
    silent = [each.use for each in losses if each.lost == "silent"]
    strict = [f"{each.use} ({each.signed} as {each.read})" for each in losses if each.lost == "stricter"]
    if silent:
        yield f"cannot say: {', '.join(silent)}"
    if strict:
        yield f"says more strictly: {', '.join(strict)}"


def export(
    terms: Terms,
    *,
    dialects: Sequence[str] = (),
    folder: Path | None = None,
    pictures: Sequence[Path] = (),
    address: str | None = None,
    at: str | None = None,
    url: str = "/",
    iscc: str | None = None,
    title: str | None = None,
    artist: str | None = None,
    advance: Callable[[int], None] = lambda _: None,
) -> Exported:
    """Write ``terms`` into ``folder``, or nowhere; raises ``InputError`` before anything is written over.

    A file that is there and is just what would be written stays: stopped at a picture that cannot be taken, the same
    call goes on once that is left out or mended.

    Without ``dialects`` all are written that can be; copies of ``pictures`` with the terms in them lie beside, and
    ``advance`` is told of each. ``at`` is where the folder will lie: documents then name each
    other by their addresses there.
    """
    machine: dict[str, str] = {}
    for name, each in (("address", address), ("at", at)):
        if each is not None and not each.startswith(("https://", "http://")):
            raise InputError.field(name, "an address of http or https", each)
    if at is not None:
        base = at.rstrip("/") + "/"
        machine = {"rsl": urljoin(base, "rsl.xml"), "tdmrep": urljoin(base, "tdm-policy.json")}
        machine["odrl"] = urljoin(base, "odrl.json")
        address = address or urljoin(base, "terms.html")
    subject = Subject(terms=terms, address=address, machine=machine, url=url, title=title, artist=artist, iscc=iscc)
    names = list(dict.fromkeys(dialects)) or [name for name in DIALECTS if iscc or name not in NEEDS_ISCC]
    written = tuple(write(name, subject) for name in names)
    left = () if dialects else tuple(name for name in DIALECTS if name not in names)
    files: list[str] = []
    renamed: dict[str, str] = {}
    if folder is not None:
        copies = dict(zip(_numbered(folder, pictures), pictures, strict=True))
        documents = {folder / each.name: each for each in written}
        taken = next((path for path, each in documents.items() if path.exists() and not holds(path, each.body)), None)
        if taken is not None:
            raise InputError(f"{taken}: expected no other file there, as nothing is written over, got one")
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(f"{folder}: expected a folder, got {error.strerror or error}") from None
        packet = xmp(subject).body
        for target, source in copies.items():
            embed_copy(source, target, packet)
            files.append(str(target))
            if target.name != source.name:
                renamed[str(target)] = str(source)
            advance(1)
        for path, document in documents.items():
            keep(path, document.body)
            files.append(str(path))
    return Exported(terms, written, tuple(files), left, renamed)


def _numbered(folder: Path, pictures: Sequence[Path]) -> list[Path]:
    """Return where copies go: under their names, and ``name-2.jpg`` where a picture before has that name.

    The same pictures in the same order get the same names. Names that differ in case alone are one, as on many disks.
    """
    found: dict[str, Path] = {}
    for each in pictures:
        name, number = each.name, 1
        while name.casefold() in found:
            number += 1
            name = f"{each.stem}-{number}{each.suffix}"
        found[name.casefold()] = folder / name
    return list(found.values())


def write_kit(terms: Terms, file: Path, *, at: str | None = None, artist: str | None = None) -> list[str]:
    """Write ``terms`` as a kit for the site at ``at`` into the zip ``file``, and return what is in it.

    Raises ``InputError`` where ``file`` is there already, and for an address that is no site's.
    """
    files = kits.kit(Subject(terms=terms, artist=artist), None if at is None else kits.site_of(at))
    keep(file, kits.archive(files))
    return list(files)
