"""Terms as files for others: every dialect, copies of pictures with the terms in them, and nothing written over."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image

from licet.catalogue.publishing import export
from licet.errors import InputError
from licet.signals import combine
from licet.signals.files import read_file
from licet.signals.writers import DIALECTS, NEEDS_ISCC
from licet.terms import preset

TERMS = preset("no-ai")
ISCC = "ISCC:KACYPXW445FTYNJ3CYSXHAFJMA2HUWULUNRFE3BLHRSCXYH2M5AEGQY"


def picture(path: Path, colour: str = "navy") -> Path:
    Image.new("RGB", (40, 30), colour).save(path)
    return path


def test_every_dialect_becomes_a_file_and_what_it_cannot_say_is_told(tmp_path: Path) -> None:
    done = export(TERMS, folder=tmp_path / "site", at="https://ada.example/licet")
    assert [each.dialect for each in done.written] == [name for name in DIALECTS if name not in NEEDS_ISCC]
    assert sorted(Path(name).name for name in done.files) == sorted(path.name for path in (tmp_path / "site").iterdir())
    assert done.left == tuple(NEEDS_ISCC)
    told = "\n".join(done.lines())
    assert "Left out: tdmai (an ISCC is needed: --iscc)." in told
    assert "cannot say: " in told
    assert "https://ada.example/licet/rsl.xml" in (tmp_path / "site" / "robots.txt").read_text()
    for each in done.document()["documents"]:
        assert (tmp_path / "site" / each["name"]).read_text("utf-8") == each["text"]


def test_with_its_iscc_nothing_is_left_out() -> None:
    done = export(TERMS, iscc=ISCC)
    assert [each.dialect for each in done.written] == list(DIALECTS)
    assert (done.left, done.files) == ((), ())


def test_copies_say_the_terms_and_originals_stay(tmp_path: Path) -> None:
    pictures = [picture(tmp_path / "a.png"), picture(tmp_path / "b.jpg", "gold")]
    before = [each.read_bytes() for each in pictures]
    told: list[int] = []
    export(TERMS, dialects=["xmp"], folder=tmp_path / "site", pictures=pictures, advance=told.append)
    assert [each.read_bytes() for each in pictures] == before
    assert told == [1, 1]
    for each in pictures:
        copy = (tmp_path / "site" / each.name).read_bytes()
        with Image.open(io.BytesIO(copy)) as after, Image.open(each) as original:
            assert after.tobytes() == original.tobytes()
        assert combine(read_file(copy)).verdict(["train-gen"]).verdict == "deny"


def test_nothing_is_written_over_and_nothing_written_when_refused(tmp_path: Path) -> None:
    site = tmp_path / "site"
    site.mkdir()
    (site / "robots.txt").write_text("mine")
    with pytest.raises(InputError, match=r"robots\.txt: expected no other file there"):
        export(TERMS, folder=site)
    assert [path.name for path in site.iterdir()] == ["robots.txt"]
    assert (site / "robots.txt").read_text() == "mine"


def written(path: Path) -> tuple[int, int, int]:
    """Which file this is and when it was last written; reading it changes `st_atime` only."""
    found = path.stat()
    return found.st_ino, found.st_size, found.st_mtime_ns


def test_an_export_that_was_stopped_goes_on_and_changes_nothing_that_is_there(tmp_path: Path) -> None:
    site, good, late = tmp_path / "site", picture(tmp_path / "a.png"), tmp_path / "b.png"
    late.write_bytes(b"no picture")
    with pytest.raises(InputError, match=r"b\.png: "):
        export(TERMS, folder=site, pictures=[good, late])
    assert [path.name for path in site.iterdir()] == ["a.png"]
    before = written(site / "a.png")
    picture(late, "gold")
    first = export(TERMS, folder=site, pictures=[good, late])
    assert written(site / "a.png") == before
    assert len(list(site.iterdir())) == len(first.files)
    assert export(TERMS, folder=site, pictures=[good, late]) == first
    with pytest.raises(InputError, match="nothing is written over"):  # other terms, the same names
        export(preset("research"), folder=site, pictures=[good, late])
    assert written(site / "a.png") == before


def test_pictures_of_one_name_are_numbered_and_told(tmp_path: Path) -> None:
    for name in ("x", "y"):
        (tmp_path / name).mkdir()
    three = [picture(tmp_path / "a.png"), picture(tmp_path / "x" / "A.png", "gold"), picture(tmp_path / "y" / "a.png")]
    done = export(TERMS, dialects=["xmp"], folder=tmp_path / "site", pictures=three)
    assert [Path(name).name for name in done.files[:3]] == ["a.png", "A-2.png", "a-3.png"]
    assert done.document()["renamed"] == {
        str(tmp_path / "site" / "A-2.png"): str(three[1]), str(tmp_path / "site" / "a-3.png"): str(three[2])
    }  # fmt: skip
    assert any("a-3.png, a copy of" in line for line in done.lines())


def test_what_is_asked_wrongly_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="dialect: expected one of rsl, tdmrep, "):
        export(TERMS, dialects=["rls"])
    with pytest.raises(InputError, match=r"at: expected an address of http or https, got 'ada\.example'"):
        export(TERMS, at="ada.example")
    (tmp_path / "no.png").write_bytes(b"no picture")
    with pytest.raises(InputError, match=r"no\.png: "):
        export(TERMS, folder=tmp_path / "site", pictures=[tmp_path / "no.png"])
