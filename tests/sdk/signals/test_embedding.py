"""Terms go into copies of pictures, which stay the same; what cannot be kept is refused, and nothing is lost."""

from __future__ import annotations

import io
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from licet.errors import InputError, LicetError
from licet.fingerprints.containers import read_container
from licet.signals import combine
from licet.signals.files import read_file
from licet.signals.readers.packets import metadata_of
from licet.signals.writers import Subject, write
from licet.signals.writers.embedding import embed_copy, embedded
from licet.terms import preset

PACKET = write("xmp", Subject(terms=preset("no-ai"), address="https://reg.example/t", artist="Su <Tang>")).body
FORMS = [
    ("JPEG", {}),
    ("JPEG", {"progressive": True}),
    ("PNG", {}),
    ("WEBP", {}),
    ("WEBP", {"lossless": True}),
    ("TIFF", {}),
]


def _picture(form: str, mode: str = "RGB", **options: Any) -> bytes:
    pixels = np.random.default_rng(7).integers(0, 256, (37, 53, len(mode)), dtype=np.uint8)
    into = io.BytesIO()
    Image.fromarray(pixels).save(into, form, **options)
    return into.getvalue()


@pytest.mark.parametrize(("form", "options"), FORMS)
def test_the_picture_stays_and_says_what_its_terms_say(form: str, options: dict[str, Any]) -> None:
    data = _picture(form, **options)
    made = embedded(data, PACKET)
    if form != "WEBP":  # which gets a header in front; its pixels are held below
        assert read_container(made, 1 << 20).body == read_container(data, 1 << 20).body
    with Image.open(io.BytesIO(data)) as before, Image.open(io.BytesIO(made)) as after:
        assert np.array_equal(np.asarray(before), np.asarray(after))
        assert before.mode == after.mode
    verdicts = {each.use: each.verdict for each in combine(read_file(made)).uses}
    assert verdicts["train-gen"] == "deny"
    assert verdicts["search"] == "unknown"
    assert embedded(made, PACKET).count(b"plus:DataMining") == made.count(b"plus:DataMining")


@pytest.mark.parametrize(("form", "options"), FORMS)
def test_what_else_was_said_is_kept(form: str, options: dict[str, Any]) -> None:
    old = (
        b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        b'<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/" dc:format="kept"'
        b' xmlns:plus="http://ns.useplus.org/ldf/xmp/1.0/"'
        b' plus:DataMining="http://ns.useplus.org/ldf/vocab/DMI-ALLOWED"/></rdf:RDF></x:xmpmeta>'
    )
    made = embedded(embedded(_picture(form, **options), old), PACKET)
    (packet,) = metadata_of(made).packets
    assert b'dc:format="kept"' in packet
    assert b"DMI-ALLOWED" not in made
    assert b"DMI-PROHIBITED-EXCEPTSEARCHENGINEINDEXING" in packet


def test_transparency_of_a_plain_webp_stays() -> None:
    data = _picture("WEBP", "RGBA", lossless=True)
    with Image.open(io.BytesIO(embedded(data, PACKET))) as after, Image.open(io.BytesIO(data)) as before:
        assert after.mode == "RGBA"
        assert np.array_equal(np.asarray(before), np.asarray(after))


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_damage_is_refused_as_an_error_of_ours(form: str) -> None:
    data = _picture(form)
    rng = np.random.default_rng(3)
    for _ in range(150):
        broken = bytearray(data[: int(rng.integers(1, len(data) + 1))])
        for place in rng.integers(0, len(broken), 3):
            broken[place] = int(rng.integers(0, 256))
        try:
            made = embedded(bytes(broken), PACKET)
        except LicetError:
            continue
        if form != "WEBP":
            assert read_container(made, 1 << 29).body == read_container(bytes(broken), 1 << 29).body


def test_what_cannot_be_done_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="picture: expected one of jpeg, png, tiff, webp, got 'gif'"):
        embedded(_picture("GIF"), PACKET)
    with pytest.raises(InputError, match=r"picture: expected XMP of at most 65,\d+ bytes in a JPEG"):
        embedded(_picture("JPEG"), PACKET + b" " * 3 + b"<!--" + b"x" * 70_000 + b"-->")
    with pytest.raises(InputError, match="without a C2PA manifest"):
        embedded(_picture("PNG") + b"jumb c2pa", PACKET)
    source, target = tmp_path / "a.png", tmp_path / "b.png"
    source.write_bytes(_picture("PNG"))
    before = source.read_bytes()
    with pytest.raises(InputError, match="nothing is written over"):
        embed_copy(source, source, PACKET)
    embed_copy(source, target, PACKET)
    assert source.read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.png", "b.png"]


@pytest.mark.skipif(shutil.which("exiftool") is None, reason="exiftool is not installed")
@pytest.mark.parametrize(("form", "options"), FORMS)
def test_exiftool_reads_what_we_wrote(form: str, options: dict[str, Any], tmp_path: Path) -> None:
    file = tmp_path / "picture"
    file.write_bytes(embedded(_picture(form, **options), PACKET))
    said = subprocess.run(
        ["exiftool", "-validate", "-warning", "-XMP:all", "-s", str(file)], capture_output=True, text=True, check=True
    ).stdout
    # Versions before 12.67 do not know the tag by name: they show none of it, so the words beside it are looked for.
    known = subprocess.run(["exiftool", "-listx", "-XMP-plus:all"], capture_output=True, text=True, check=True).stdout
    if 'name="DataMining"' in known or "name='DataMining'" in known:
        assert "Prohibited" in said or "PROHIBITED" in said
    assert "https://reg.example/t" in said
    assert "Su <Tang>" in said
