"""Tables of works: every form that people's programs write is read, everything else is named, nothing is lost."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from licet.catalogue import sheet as room
from licet.catalogue.items import Item, Refused, Rows, Stated
from licet.catalogue.sheet import Sheet, guarded, plain, write_errors, write_rows
from licet.errors import InputError
from licet.terms import preset

CELL = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)


def sheet(folder: Path, data: bytes | str) -> Sheet:
    path = folder / "works.csv"
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return Sheet(path)


def rows(folder: Path, text: bytes | str, stated: Stated | None = None) -> list[Item | Refused]:
    return list(Rows(sheet(folder, text), stated or Stated()))


def row(folder: Path, text: str, stated: Stated | None = None) -> Item:
    (found,) = rows(folder, text, stated)
    assert isinstance(found, Item), found
    return found


def refusal(folder: Path, text: str) -> Refused:
    (found,) = rows(folder, text)
    assert isinstance(found, Refused), found
    return found


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"], ids=["plain", "with a mark"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"], ids=["comma", "semicolon", "tab"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"], ids=["lf", "crlf", "cr"])
def test_every_form_that_programs_write_is_read(tmp_path: Path, mark: bytes, delimiter: str, end: str) -> None:
    lines = [
        ["TITLE", " Path ", "tags"],
        ['"江山, ""one"";\n two"', "a b.png", "x|y"],
        ["", "", ""],
        ["2", "b.png", ""],
    ]
    text = end.join(delimiter.join(line) for line in lines)
    found = sheet(tmp_path, mark + text.encode())
    assert (found.delimiter, found.rows) == (delimiter, 2)
    assert [(number, found.named(cells)) for number, cells in found] == [
        (2, {"title": '江山, "one";\n two', "path": "a b.png", "tags": "x|y"}),
        (4, {"title": "2", "path": "b.png"}),
    ]


def test_line_ends_and_quotes_inside_quotes_are_kept(tmp_path: Path) -> None:
    found = sheet(tmp_path, 'path,title\na.png,"one ""two"", three"\n"b\nc.png",x\n')
    assert [found.named(cells) for _, cells in found] == [
        {"path": "a.png", "title": 'one "two", three'},
        {"path": "b\nc.png", "title": "x"},
    ]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "first row with the names of columns"),
        (b"\n\n", "first row with the names of columns"),
        (b"path,titel\n", "unknown column 'titel'; did you mean title"),
        (b"path,artist name\n", "unknown column 'artist name'; known are path, url"),
        (b"path,Path\n", "column path once, got it twice"),
        (b"title,creator\n", "expected a column path, url, site, sha256, external_id or work"),
        ("path,title\na,\u00e9\n".encode("latin-1"), "expected UTF-8, got byte 0xe9"),
        ("path,title\na,b\n".encode("utf-16"), "expected UTF-8, got UTF-16"),
        (b"path,title\na,\0\n", "zero byte"),
        (b'path,title\na,"b\n', "expected CSV"),
        (b'path,title\na,"b"c\n', "expected CSV"),
        (b"path," + b"x" * (room.MAX_LINE + 1), "a longer one"),
        (b"path\n" + b'"' + b"x\n" * 100_000 + b'"', "expected CSV"),
    ],
)
def test_what_is_wrong_with_a_file_is_said_before_any_row(tmp_path: Path, data: bytes, words: str) -> None:
    with pytest.raises(InputError) as error:
        sheet(tmp_path, data)
    assert words in error.value.message
    assert "works.csv" in error.value.message


def test_a_file_that_is_not_there_or_too_long_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match=r"none\.csv: cannot be read"):
        Sheet(tmp_path / "none.csv")
    monkeypatch.setattr(room, "MAX_ROWS", 2)
    assert sheet(tmp_path, "path\na\nb\n").rows == 2
    with pytest.raises(InputError, match="at most 2 rows"):
        sheet(tmp_path, "path\na\nb\nc\n")
    monkeypatch.setattr(room, "MAX_BYTES", 5)
    with pytest.raises(InputError, match="split it"):
        sheet(tmp_path, "path\na\nb\n")


@settings(max_examples=300)
@given(st.binary(max_size=300) | st.text(max_size=200).map(str.encode) | st.builds(
    lambda head, body: (head + body).encode("utf-8", "surrogatepass"),
    st.sampled_from(["path,title\n", "path;tags;url\n", "external_id\tprice\tpreset\n", "work,sha256,terms,created\n"]),
    st.text(st.sampled_from('abc,;\t\n\r"\'=\0\ufeff\ud800é江 '), max_size=80),
))  # fmt: skip
def test_arbitrary_bytes_are_rows_or_an_input_error(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "fuzz.csv"
    path.write_bytes(data)
    try:
        found = Sheet(path)
        items = list(Rows(found, Stated()))
    except InputError:
        return
    assert len(items) == found.rows
    numbers = {item.row: ("path", "wrong") for item in items if item.row is not None}
    target = path.with_name("fuzz.errors.csv")
    write_errors(found, target, numbers)
    again = Sheet(target)
    assert [plain(cell) for _, cells in again for cell in cells[:-2]] == [
        plain(cell) for _, cells in found for cell in cells
    ] or any(len(cells) != len(found.header) for _, cells in found)


@given(CELL | st.sampled_from(["=1+1", "'=1", "''@x", "-3", "+49", "\t=", "'"]))
def test_no_cell_is_a_formula_and_every_cell_comes_back(cell: str) -> None:
    assert plain(guarded(cell)) == cell
    assert not guarded(cell).startswith(("=", "+", "-", "@", "\t", "\r"))


@given(st.lists(st.lists(CELL, min_size=3, max_size=3), max_size=5))
def test_what_is_written_is_read_again(tmp_path_factory: pytest.TempPathFactory, cells: list[list[str]]) -> None:
    path = tmp_path_factory.getbasetemp() / "written.csv"
    write_rows(path, [["path", "title", "tags"], *cells])
    found = [[plain(cell) for cell in row] for _, row in Sheet(path)]
    assert found == [row for row in cells if any(guarded(cell).strip() for cell in row)]


def test_refused_rows_come_back_as_they_were_and_can_be_run_again(tmp_path: Path) -> None:
    text = (
        'path,title,created\na.png,"=SUM(A1)\nx",2019\nb.png,\'=kept,nonsense\nc.png,short\n\nd.png,"long",2020,more\n'
    )
    found = sheet(tmp_path, text)
    refused = {each.row: (each.field or "", each.reason) for each in Rows(found, Stated()) if isinstance(each, Refused)}
    target = tmp_path / "works.errors.csv"
    numbers = {row: why for row, why in refused.items() if row is not None}
    assert sorted(numbers) == [2, 3, 4, 6]  # a title is one line
    write_errors(found, target, {**numbers, 2: ("title", "=cmd")})
    data = target.read_bytes()
    assert data.startswith(b"\xef\xbb\xbf")
    read = list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")))
    assert read[0] == ["path", "title", "created", "error_field", "error"]
    assert read[1] == ["a.png", "'=SUM(A1)\nx", "2019", "title", "'=cmd"]
    assert read[2][:4] == ["b.png", "'=kept", "nonsense", "created"]
    assert [row[-2] for row in read[3:]] == ["row", "row"]
    fixed = data.decode("utf-8-sig").replace("nonsense", "2021").replace("c.png,short,", "c.png,short,2022,")
    target.write_bytes(fixed.encode())
    again = Sheet(target)
    assert again.named(next(cells for number, cells in again if number == 2))["title"] == "=SUM(A1)\nx"
    errors = target.with_name("again.csv")
    write_errors(again, errors, {3: ("x", "y")})
    assert errors.read_text("utf-8-sig").splitlines()[0] == "path,title,created,error_field,error"


def test_the_words_of_a_row_are_read(tmp_path: Path) -> None:
    header = "path,url,sha256,title,creator,created,tags,external_id\n"
    found = row(
        tmp_path,
        header + f'a.png,"HTTPS://X.example:443/b https://x.example/a#1",{"AB" * 32}, T ,Mei,2019-04,"x, y;x",e-1\n',
    )
    assert found.urls == ["https://x.example/a", "https://x.example/b"]
    assert (found.sha256, found.title, found.creator, found.created) == ("ab" * 32, "T", "Mei", "2019-04")
    assert (found.tags, found.external_id, found.managed, found.fingerprint_only) == (["x", "y"], "e-1", True, False)
    assert row(tmp_path, 'path,tags\na.png,"one, two|three;|"\n').tags == ["one, two", "three;"]
    bare = row(tmp_path, f"sha256\n{'0' * 64}\n")
    assert (bare.fingerprint_only, bare.path, bare.terms, bare.managed) == (True, None, None, False)


@pytest.mark.parametrize(
    ("text", "field", "words"),
    [
        ("path,created\na,2019-13\n", "created", "a year, month or day"),
        ("path,title\na," + "x" * 301 + "\n", "title", "at most 300 characters"),
        ('path,title\na,"b\nc"\n', "title", "hidden characters such as U+000A"),
        ("path,sha256\na,zz\n", "sha256", "64 hexadecimal"),
        ("path,url\na,javascript:1\n", "url", "http"),
        ("path,work\na,wrk_x\n", "work", "wrk_"),
        ("url\nhttps:// x\n", "url", "expected"),
        ("path,title\n,b\n", "path", "got none"),
        ("path,on_behalf_of\na,art_x\n", "on_behalf_of", "needs a delegation"),
        ("path,title\na\n", "row", "2 cells as in the header"),
        ("path,preset\na,best\n", "preset", "no-ai"),
        ("path,preset,price\na,paid,1\n", "currency", "preset paid has a price"),
        ("path,price\na,1\n", "price", "preset paid"),
        ("path,preset,price,currency\na,paid,free,USD\n", "price", "expected"),
        ("path,preset,price,currency\na,paid,1,XXQ\n", "currency", "ISO 4217"),
        ("path,terms\na,none.toml\n", "terms", "none.toml"),
        ("path,terms,preset\na,none.toml,paid\n", "terms", "a file alone"),
    ],
)
def test_what_is_wrong_with_a_row_names_its_field(tmp_path: Path, text: str, field: str, words: str) -> None:
    found = refusal(tmp_path, text)
    assert (found.row, found.field) == (2, field)
    assert words in found.reason


def test_a_row_on_behalf_of_the_profiles_own_account_is_as_if_nothing_were_said(tmp_path: Path) -> None:
    text = "path,on_behalf_of\na,art_1\nb,\nc,art_2\n"
    own, nothing, other = Rows(sheet(tmp_path, text), Stated(), account="art_1")
    assert isinstance(own, Item)
    assert isinstance(nothing, Item)
    assert isinstance(other, Refused)
    assert other.reason.startswith("on_behalf_of: expected this profile's account, art_1, or nothing, got 'art_2'")
    assert all(isinstance(each, Refused) for each in list(Rows(sheet(tmp_path, text), Stated()))[::2])


def test_each_row_states_terms_of_its_own_filled_in_by_the_command(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text('preset = "research"\n')
    text = "path,preset,price,currency,terms\na,,,,\nb,no-ai,,,\nc,paid,0.10,,\nd,,0.20,EUR,\ne,,,,mine.toml\n"
    stated = Stated(preset="paid", price="0.05", currency="USD")
    found = [item.terms for item in rows(tmp_path, text, stated) if isinstance(item, Item)]
    assert [terms.hash if terms else None for terms in found][1] == preset("no-ai").hash
    assert found[4] is not None
    assert found[4].hash == preset("research").hash
    prices = [terms.rules["train-gen"].offer for terms in found if terms and terms.rules["train-gen"].offer.amount]
    assert [(price.amount, price.currency) for price in prices] == [("0.05", "USD"), ("0.1", "USD"), ("0.2", "EUR")]
    assert [item.terms for item in rows(tmp_path, "path,preset\na,\n") if isinstance(item, Item)] == [None]


def test_terms_that_many_rows_name_are_one_object(tmp_path: Path) -> None:
    found = rows(tmp_path, "path,preset\n" + "a,research\n" * 50)
    assert len({id(item.terms) for item in found if isinstance(item, Item)}) == 1


def test_a_cell_is_held_to_its_limit_whatever_the_process_allows_elsewhere(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    before = csv.field_size_limit(1 << 24)
    request.addfinalizer(lambda: csv.field_size_limit(before) and None)
    with pytest.raises(InputError, match="at most 131072 characters"):
        list(sheet(tmp_path, "path\n" + '"' + "x\n" * 100_000 + '"'))
