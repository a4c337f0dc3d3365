"""Names and tables as they really are: line ends, emoji and bytes that are no text in a name; a spreadsheet's CSV."""

from __future__ import annotations

import os
from pathlib import Path

from tests.whole.stage import Person, drawing, encoded

NAMES = {7501: b"two\nlines.png", 7502: "虎 🐯 “tiger”.png".encode(), 7503: b"\x1b[31mred\xff.png", 7504: b"-o.png"}


def test_files_of_any_name_are_registered_and_shown_each_on_one_line(artist: Person) -> None:
    folder = artist.folder / "names"
    folder.mkdir()
    for seed, name in NAMES.items():
        Path(os.fsdecode(os.fsencode(folder) + b"/" + name)).write_bytes(encoded(drawing(seed)))
    done = artist.does("register", "names")
    assert (len(done["works"]), done["refused"]) == (4, [])
    titles = {work["title"] for work in artist.does("works", "list")["works"]}
    assert {"虎 🐯 “tiger”", "-o"} <= titles
    assert len(titles) == 4
    for told in (artist.types("register", "names"), artist.types("works", "list")):
        assert told.code == 0
        assert all(part not in told.out for part in ("two\nlines", "\x1b", "\udcff"))
    listed = artist.types("works", "list").out
    assert listed.split("\n")[0].split() == ["work", "title", "known", "by", "state", "parts"]
    assert len(listed.splitlines()) == 1 + 4
    assert "two lines" in listed


def test_a_table_as_spreadsheets_save_it_is_read(artist: Person) -> None:
    artist.draws("图", 7511, 7512, 7513)
    rows = (
        "PATH;Title;Creator;Tags;External_ID\r\n"
        '图/7511.png;"千里江山图; 局部";王希孟;"青绿|山水";画-1\r\n'
        '图/7512.png;"say ""tiger"" 🐯";王;;画-2\r\n'
        '图/7513.png;"two\r\nlines";王;;画-3\r\n'
    )
    (artist.folder / "表.csv").write_bytes(b"\xef\xbb\xbf" + rows.encode())
    done = artist.does("register", "--from", "表.csv", code=1)
    assert (len(done["works"]), done["errors_file"]) == (2, "表.errors.csv")
    assert [(each["row"], each["field"]) for each in done["refused"]] == [(4, "title")]
    assert '"two\r\nlines"' in (artist.folder / "表.errors.csv").read_bytes().decode("utf-8-sig")
    found = {work["external_id"]: work for work in artist.does("works", "list", "--q", "王")["works"]}
    assert (found["画-1"]["creator"], found["画-1"]["tags"]) == ("王希孟", ["青绿", "山水"])
    assert found["画-1"]["title"] == "千里江山图; 局部"
    assert found["画-2"]["title"] == 'say "tiger" 🐯'
