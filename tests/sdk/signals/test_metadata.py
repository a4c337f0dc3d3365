"""What a file says of itself goes with it: XMP in every container, C2PA that holds and that does not, EPUB and PDF."""

from __future__ import annotations

import io
import struct
import time
import zipfile
import zlib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from pypdf import PdfWriter
from pypdf.generic import NameObject, StreamObject

from licet.signals import Signal, combine
from licet.signals.files import read_file
from licet.signals.readers.books import read_epub, read_pdf
from licet.signals.readers.c2pa import manifest_signals, read_c2pa, training_mining
from licet.signals.readers.packets import metadata_of
from licet.signals.readers.xmp import read_xmp
from licet.signals.strictness import permissions
from licet.terms.atoms import TRAINING

MINING = {*TRAINING, "mine", "index", "input", "evaluate"}
PLUS = "http://ns.useplus.org/ldf/vocab/DMI-"


def said(signals: tuple[Signal, ...]) -> dict[str, str]:
    found = 0
    for each in signals:
        found |= each.mask
    return {use: permission for use, permission in permissions(found).items() if permission != "unset"}


def xmp(inner: str = "", attributes: str = "") -> bytes:
    return (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description rdf:about="" xmlns:plus="http://ns.useplus.org/ldf/xmp/1.0/" '
        f'xmlns:tdm="http://www.w3.org/ns/tdmrep/" {attributes}>{inner}</rdf:Description></rdf:RDF></x:xmpmeta>'
    ).encode()


def mining(value: str) -> bytes:
    return xmp(attributes=f'plus:DataMining="{PLUS}{value}"')


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("UNSPECIFIED", {}),
        ("ALLOWED", {"mine": "allow", "train-nongen": "allow", "train-gen": "allow"}),
        ("PROHIBITED", dict.fromkeys([*MINING, "search"], "deny")),
        ("PROHIBITED-AIMLTRAINING", dict.fromkeys(TRAINING, "deny")),
        ("PROHIBITED-GENAIMLTRAINING", {"train-gen": "deny", "finetune-style": "deny"}),
        ("PROHIBITED-EXCEPTSEARCHENGINEINDEXING", {"search": "allow", **dict.fromkeys(MINING, "deny")}),
        ("PROHIBITED-SEECONSTRAINT", dict.fromkeys([*MINING, "search", "generate"], "deny")),
        ("prohibited-aimltraining", dict.fromkeys(TRAINING, "deny")),
    ],
)
def test_plus_data_mining(value: str, expected: dict[str, str]) -> None:
    resource = xmp(f'<plus:DataMining rdf:resource="{PLUS}{value}"/>')
    text = xmp(f"<plus:DataMining>{PLUS}{value}</plus:DataMining>")
    assert said(read_xmp(mining(value))) == said(read_xmp(resource)) == said(read_xmp(text)) == expected


def test_plus_conditions_are_an_offer_only_where_they_stand() -> None:
    offered = xmp(
        "<plus:OtherConstraints><rdf:Alt><rdf:li>https://art.example/terms</rdf:li></rdf:Alt></plus:OtherConstraints>",
        f'plus:DataMining="{PLUS}PROHIBITED-SEECONSTRAINT"',
    )
    (found,) = read_xmp(offered)
    assert (found.reason, found.terms, found.asset) == ("constrained", "https://art.example/terms", True)
    assert set(said((found,)).values()) == {"license"}
    assert set(said(read_xmp(mining("NEVER-HEARD-OF"))).values()) == {"review"}


def test_xmp_carries_reservations_and_rsl() -> None:
    assert said(read_xmp(xmp("<tdm:reservation>1</tdm:reservation>")))["mine"] == "deny"
    assert said(read_xmp(xmp(attributes='tdm:reservation="0"'))) == {"mine": "allow"}
    licence = '<content url="/"><license><prohibits type="usage">ai-train</prohibits></license></content>'
    rsl = f'<rsl xmlns="https://rslstandard.org/rsl">{licence}</rsl>'
    inside = read_xmp(xmp(f"<plus:EmbdEncRightsExpr>{rsl}</plus:EmbdEncRightsExpr>"))
    escaped = rsl.replace("<", "&lt;")
    as_text = read_xmp(xmp(f"<plus:EmbdEncRightsExpr>{escaped}</plus:EmbdEncRightsExpr>"))
    assert said(inside)["train-gen"] == said(as_text)["train-gen"] == "deny"
    assert inside[-1].asset


def _saved(form: str, **options: object) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (8, 8), (200, 30, 60)).save(out, form, **options)
    return out.getvalue()


def _png_chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def _png(chunk: bytes) -> bytes:
    plain = _saved("PNG")
    return plain[:33] + chunk + plain[33:]


def _segment(body: bytes) -> bytes:
    return b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body


def _extended(packet: bytes, *, lost: int = 0) -> bytes:
    """A JPEG whose second packet comes in pieces of 200 bytes, the last of them first."""
    pieces = [(at, packet[at : at + 200]) for at in range(0, len(packet), 200)][lost:]
    head = b"http://ns.adobe.com/xmp/extension/\0" + b"0" * 32 + struct.pack(">I", len(packet))
    plain = _saved("JPEG")
    first = _segment(b"http://ns.adobe.com/xap/1.0/\0" + xmp())
    return (
        plain[:2]
        + first
        + b"".join(_segment(head + struct.pack(">I", at) + part) for at, part in pieces[::-1])
        + plain[2:]
    )


PACKET = mining("PROHIBITED-AIMLTRAINING")
COPYRIGHT = "(c) Su Tang"


def _exif() -> bytes:
    exif = Image.Exif()
    exif[0x8298] = COPYRIGHT
    return exif.tobytes()


def _box(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(body), kind) + body


JXL = b"\0\0\0\x0cJXL \r\n\x87\n" + _box(b"ftyp", b"jxl \0\0\0\0jxl ")
FILES = {
    "jpeg": lambda: _saved("JPEG", xmp=PACKET),
    "jpeg in pieces": lambda: _extended(PACKET),
    "webp": lambda: _saved("WEBP", xmp=PACKET),
    "png": lambda: _png(_png_chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + PACKET)),
    "png compressed": lambda: _png(_png_chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(PACKET))),
    "tiff": lambda: _saved("TIFF", tiffinfo={700: PACKET}),
    "avif": lambda: _saved("AVIF", xmp=PACKET),
    "heic": lambda: _box(b"ftyp", b"heic\0\0\0\0mif1heic") + _box(b"mdat", bytes(100) + PACKET + bytes(100)),
    "jxl": lambda: JXL + _box(b"xml ", PACKET) + _box(b"jxlc", bytes(9)),
    "gif": lambda: _saved("GIF")[:-1] + b"!\xff\x0bXMP DataXMP" + PACKET + b"\1\0;",
    "utf-16": lambda: _saved("GIF") + PACKET.decode().encode("utf-16-be"),
    "bare RDF": lambda: _saved("GIF") + PACKET[PACKET.index(b"<rdf:RDF") : PACKET.index(b"</x:xmpmeta>")],
    "sidecar": lambda: PACKET,
    "of no known form": lambda: b"8BPS" + bytes(100) + PACKET + bytes(9),
}


@pytest.mark.parametrize("form", FILES)
def test_xmp_is_found_in_every_container(form: str) -> None:
    found = read_file(FILES[form]())
    assert [(each.standard, each.said) for each in found] == [("plus", "plus:DataMining DMI-PROHIBITED-AIMLTRAINING")]
    assert said(found) == dict.fromkeys(TRAINING, "deny")


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_a_copyright_notice_is_told_and_decides_nothing(form: str) -> None:
    (found,) = read_file(_saved(form, exif=_exif()))
    assert (found.standard, found.said, found.mask) == ("exif", COPYRIGHT, 0)


def test_metadata_that_is_damaged_is_looked_at() -> None:
    bomb = zlib.compress(b"<x:xmpmeta>" + b" " * (50 << 20))
    for data in (
        _saved("GIF") + PACKET[:-9],
        _saved("JPEG", xmp=PACKET.replace(b"</rdf:RDF>", b"")),
        _extended(PACKET, lost=1),
        _png(_png_chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + bomb)),
        _png(_png_chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + b"no zlib")),
        _saved("GIF") + b"<x:xmpmeta>" + b" " * (50 << 20) + b"</x:xmpmeta>",
        _saved("GIF") + b"".join(mining(f"X{number}") for number in range(100)),
    ):
        started = time.process_time()
        assert combine(read_file(data)).verdict(["mine"]).verdict == "review"
        assert time.process_time() - started < 3


def test_a_packet_of_fifty_megabytes_is_refused() -> None:
    (found,) = read_xmp(xmp("<plus:DataMining>" + "x" * (50 << 20) + "</plus:DataMining>"))
    assert (found.reason, combine([found]).verdict(["mine"]).verdict) == ("too-long", "review")


@pytest.mark.parametrize("name", ["A.jpg", "C.jpg", "CA.jpg", "CAI.jpg"])
def test_c2pa_that_says_nothing_of_training(vectors: Path, name: str) -> None:
    assert said(read_file((vectors / "c2pa" / name).read_bytes())) == {}


@pytest.mark.parametrize("name", ["E-clm-CAICAI", "E-dat-CA", "E-sig-CA", "E-uri-CA", "XCA"])
def test_c2pa_that_does_not_hold_is_looked_at(vectors: Path, name: str) -> None:
    found = read_file((vectors / "c2pa" / f"{name}.jpg").read_bytes())
    assert {each.reason for each in found} == {"tampered"}
    assert set(said(found).values()) == {"review"}


def test_c2pa_denies_training_and_mining_though_nobody_knows_its_signer(vectors: Path) -> None:
    data = (vectors / "c2pa" / "training-mining-notAllowed.png").read_bytes()
    assert said(read_file(data)) == dict.fromkeys(MINING, "deny")
    assert read_c2pa(data[:200] + b"jumb c2pa", "image/png")[0].unreadable
    for place in range(200, len(data), len(data) // 7):  # cut anywhere
        assert set(said(read_file(data[:place])).values()) <= {"review", "deny"}


def test_c2pa_that_lies_elsewhere_or_in_what_is_not_read_is_looked_at(vectors: Path) -> None:
    signed = (vectors / "c2pa" / "training-mining-notAllowed.png").read_bytes()
    elsewhere = xmp(
        attributes='xmlns:dcterms="http://purl.org/dc/terms/" dcterms:provenance="https://m.example/1.c2pa"'
    )
    for data in (_saved("JPEG", xmp=elsewhere), b"a kind that nobody reads" + signed):
        assert combine(read_file(data)).verdict(["mine"]).verdict == "review"


CAWG = {"cawg.data_mining": {"use": "notAllowed"}, "cawg.ai_inference": {"use": "allowed"}}


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        (CAWG, {"mine": "deny", "index": "deny", "input": "allow", "evaluate": "allow"}),
        ({"cawg.ai_training": {"use": "notAllowed"}}, {"train-nongen": "deny"}),
        ({"cawg.ai_generative_training": {"use": "allowed"}}, {"train-gen": "allow", "finetune-style": "allow"}),
        ({"cawg.ai_training": {"use": "constrained", "constraint_info": "https://t.example"}}, {
            "train-nongen": "license"
        }),
        ({"cawg.ai_training": {"use": "constrained", "constraints_info": "ask"}}, {"train-nongen": "license"}),
        ({"cawg.ai_training": {"use": "constrained"}}, {"train-nongen": "deny"}),
        ({"cawg.ai_training": {"use": "perhaps"}}, {"train-nongen": "deny"}),
        ({"cawg.ai_training": {}}, {"train-nongen": "deny"}),
        ({"com.example.cloning": {"use": "allowed"}}, {}),
    ],
)  # fmt: skip
def test_cawg_entries(entries: dict[str, dict[str, str]], expected: dict[str, str]) -> None:
    assert said(tuple(training_mining({"entries": entries}, "cawg.training-mining"))) == expected


def test_the_example_of_the_cawg_specification() -> None:
    entries = {
        "cawg.ai_inference": {"use": "allowed"},
        "cawg.ai_generative_training": {"use": "notAllowed"},
        "cawg.data_mining": {
            "use": "constrained",
            "constraint_info": "may only be mined on days whose names end in 'y'",
        },
    }
    found = tuple(training_mining({"entries": entries}, "cawg.training-mining"))
    assert said(found) == {
        "input": "allow", "evaluate": "allow", "train-gen": "deny", "finetune-style": "deny", "mine": "license",
        "index": "license",
    }  # fmt: skip
    assert all(each.terms is None for each in found), "conditions that are no address are told, not linked"


def test_cawg_that_cannot_be_read_is_looked_at() -> None:
    cases: list[Any] = [None, {}, {"entries": []}, {"entries": {"com.example.cloning": {"use": "notAllowed"}}}]
    for data in cases:
        assert set(said(tuple(training_mining(data, "cawg.training-mining"))).values()) == {"review"}


def _store(state: str, **manifests: str) -> dict[str, object]:
    """A store as c2pa reports it; each manifest has one use of generative training."""
    made = {
        name: {"assertions": [{"label": "cawg.training-mining", "data": {
            "entries": {"cawg.ai_generative_training": {"use": use, "constraint_info": "https://t.example"}}
        }}]}
        for name, use in manifests.items()
    }  # fmt: skip
    return {
        "active_manifest": "active",
        "manifests": made,
        "validation_state": state,
        "validation_status": [{"code": "x"}],
    }


def test_what_a_picture_was_made_of_goes_on_denying() -> None:
    def train(state: str, **manifests: str) -> str | None:
        return said(tuple(manifest_signals(_store(state, **manifests)))).get("train-gen")

    assert train("Valid", active="allowed") == train("Trusted", active="allowed") == "allow"
    assert train("Valid", active="allowed", before="notAllowed") == "deny"
    assert train("Valid", active="notAllowed", before="allowed") == "deny"
    assert train("Invalid", active="allowed") == "review", "a manifest that does not hold permits nothing"
    assert train("Invalid", active="constrained") == "deny", "nor does it offer"
    assert train("Valid", before="allowed") == "review", "no active manifest"


CONTAINER = (
    '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles><rootfile full-path="a.opf"/>'
    "</rootfiles></container>"
)


def epub(meta: str, *, container: str = CONTAINER, package: bytes | None = None) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("mimetype", "application/epub+zip")
        archive.writestr("META-INF/container.xml", container)
        opf = f'<package xmlns="http://www.idpf.org/2007/opf"><metadata>{meta}</metadata></package>'.encode()
        archive.writestr("a.opf", package or opf, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def test_epub_packages_reserve() -> None:
    book = epub('<meta property="tdm:reservation">1</meta><meta property="tdm:policy">https://p.example/1</meta>')
    (found,) = read_file(book)
    assert (found.carrier, found.asset, found.awaits) == ("epub", True, "https://p.example/1")
    assert said((found,)) == dict.fromkeys(MINING, "deny")
    assert said(read_file(epub('<meta name="tdm-reservation" content="0"/>'))) == {"mine": "allow"}
    assert read_file(epub("")) == ()


def test_epub_that_cannot_be_read_is_looked_at() -> None:
    for book in (
        epub("")[:-40],
        epub("", container="<container"),
        epub("", container=CONTAINER.replace("a.opf", "b.opf")),
        epub("", package=b"<package>" + b" " * (9 << 20) + b"</package>"),
        epub("", package=b'<!DOCTYPE a [<!ENTITY b "c">]><package/>'),
        b"PK\3\4" + epub("")[4:200],
    ):
        assert combine(read_epub(book)).verdict(["mine"]).verdict == "review"


def _pdf(metadata: bytes | None, *, packed: bool = False) -> bytes:
    writer = PdfWriter()
    writer.add_blank_page(72, 72)
    if metadata is not None:
        stream = StreamObject()
        stream.set_data(metadata)
        writer.root_object[NameObject("/Metadata")] = writer._add_object(stream.flate_encode() if packed else stream)
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


@pytest.mark.parametrize("packed", [False, True])
def test_pdf_metadata_reserves_as_it_stands_and_compressed(packed: bool) -> None:
    found = read_file(
        _pdf(xmp("<tdm:reservation>1</tdm:reservation>", f'plus:DataMining="{PLUS}PROHIBITED"'), packed=packed)
    )
    assert {each.standard for each in found} == {"tdmrep", "plus"}
    assert {each.carrier for each in found} == {"pdf"}
    assert said(found)["mine"] == "deny"


def test_pdf_that_cannot_be_read_is_looked_at() -> None:
    assert read_file(_pdf(None)) == ()
    whole = _pdf(xmp("<tdm:reservation>1</tdm:reservation>"), packed=True)
    for data in (whole[:300], b"%PDF-1.7\n"):
        assert combine(read_pdf(data)).verdict(["mine"]).verdict == "review"
    mended = whole.replace(b"/Root", b"/Toor")
    assert combine(read_pdf(mended)).verdict(["mine"]).verdict == "deny", "what can be mended still counts"


SEEDS = st.sampled_from([*(make() for make in FILES.values()), epub(""), _pdf(PACKET), _pdf(PACKET, packed=True)])


@given(SEEDS, st.data())
def test_any_damage_is_read(seed: bytes, data: st.DataObject) -> None:
    damaged = bytearray(seed)
    for _ in range(data.draw(st.integers(1, 6))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    combine(read_file(bytes(damaged[: data.draw(st.integers(0, len(damaged)))])))
    metadata_of(bytes(damaged))


@pytest.mark.parametrize("kind", [b"xml ", b"jumb"])
@pytest.mark.parametrize("far", [False, True])
def test_metadata_in_brotli_is_looked_at(kind: bytes, far: bool) -> None:
    """Boxes of other kinds in Brotli say nothing of uses."""
    size = struct.pack(">I4sQ", 1, b"free", 20) + bytes(4) if far else b""
    found = read_file(JXL + size + _box(b"brob", kind + bytes(20)) + _box(b"jxlc", bytes(9)))
    assert {each.reason for each in found} == {"no-reader"}
    assert read_file(JXL + _box(b"brob", b"Exif" + bytes(20)) + struct.pack(">I4s", 0, b"jxlc") + bytes(9)) == ()


@given(st.binary(max_size=200))
def test_boxes_of_any_size_end(data: bytes) -> None:
    read_file(JXL + data)
