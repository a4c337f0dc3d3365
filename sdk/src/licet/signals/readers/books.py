"""Books: TDMRep in the package of an EPUB, and in the XMP of a PDF."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Iterator
from typing import Any, Final

from licet.errors import MalformedError
from licet.signals.dialects import TDMREP, XMP
from licet.signals.documents import MAX_XML, local, parse_xml, why
from licet.signals.readers.packets import metadata_of
from licet.signals.readers.tdmrep import reservation
from licet.signals.readers.xmp import read_xmp
from licet.signals.types import Signal

MAX_BYTES: Final = 256 << 20
MAX_MEMBERS: Final = 100_000
_CONTAINER: Final = "META-INF/container.xml"


def is_epub(data: bytes) -> bool:
    """Return whether ``data`` begins as an EPUB does."""
    return data.startswith(b"PK\3\4") and data[30:58] == b"mimetypeapplication/epub+zip"


def read_epub(data: bytes) -> tuple[Signal, ...]:
    """Return what the package documents of an EPUB reserve."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            if len(archive.infolist()) > MAX_MEMBERS:
                return (TDMREP.unreadable("epub", "archive", f"more than {MAX_MEMBERS:,} members", "too-long"),)
            container = parse_xml(_member(archive, _CONTAINER), _CONTAINER)
            packages = [each.get("full-path") or "" for each in container.iter() if local(each.tag) == "rootfile"]
            return tuple(each for name in packages[:10] for each in _package(archive, name))
    except MalformedError as error:
        return (TDMREP.unreadable("epub", "package", error.message, why(error)),)
    except (zipfile.BadZipFile, zlib.error, KeyError, ValueError, OSError, NotImplementedError, EOFError) as error:
        return (TDMREP.unreadable("epub", "archive", str(error)),)


def read_pdf(data: bytes) -> tuple[Signal, ...]:
    """Return what the metadata of a PDF says: its XMP, as it stands in the file or compressed in it."""
    if len(data) > MAX_BYTES:
        return (XMP.unreadable("pdf", "file", f"{len(data):,} bytes", "too-long"),)
    found = metadata_of(data)
    packets = list(found.packets)
    signals: list[Signal] = []
    if found.problem:
        signals.append(XMP.unreadable("pdf", "XMP", "damaged metadata", found.problem))
    if not packets:
        from licet.signals.confined import run
        from licet.signals.confined.jobs import Catalogue, Packets

        try:
            told = run(Catalogue(), data)
        except MalformedError as error:
            return (*signals, XMP.unreadable("pdf", "file", error.message, str(error.details["why"])))
        assert isinstance(told, Packets)
        packets = told.packets
    for packet in packets:
        signals += read_xmp(packet, carrier="pdf")
    return tuple(signals)


def of_catalogue(data: bytes) -> list[bytes]:
    """Return the metadata stream of a PDF's catalogue, read in this process; none where it has none."""
    import logging

    from pypdf import PdfReader

    logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # what it makes of damage is said by our signals
    reader = PdfReader(io.BytesIO(data), strict=False)
    if reader.is_encrypted:
        reader.decrypt("")
    stream = reader.root_object.get("/Metadata")
    if stream is None:
        return []
    content = stream.get_object().get_data()
    if len(content) > MAX_XML:
        raise MalformedError("too much metadata", why="too-long")
    return [content]


def _package(archive: zipfile.ZipFile, name: str) -> Iterator[Signal]:
    root = parse_xml(_member(archive, name), name)
    values: dict[str, list[str]] = {"reservation": [], "policy": []}
    for element in root.iter():
        if local(element.tag) == "meta":
            key = (element.get("property") or element.get("name") or "").strip().lower()
            prefix, _, rest = key.partition(":") if ":" in key else key.partition("-")
            if prefix == "tdm" and rest in values:
                values[rest].append(_content(element))
    for value in values["reservation"]:
        yield from reservation(value, next(iter(values["policy"]), None), "epub", name, "")


def _content(element: Any) -> str:
    return (element.get("content") or "".join(element.itertext())).strip()


def _member(archive: zipfile.ZipFile, name: str) -> bytes:
    """Return a member that is no larger than a document may be, whatever its header says."""
    with archive.open(name) as member:
        content = member.read(MAX_XML + 1)
    if len(content) > MAX_XML:
        raise MalformedError(f"{name}: expected at most {MAX_XML:,} bytes", why="too-long")
    return content
