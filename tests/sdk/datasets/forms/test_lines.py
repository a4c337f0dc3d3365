"""CSV and JSON Lines: what counts as a row, that kept rows come out as the bytes they were, and bad lines are told."""

from __future__ import annotations

import csv
import gzip
import io
import json
import subprocess
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from licet.datasets.forms import files, lines
from licet.datasets.forms.jsonl import Repeated
from licet.datasets.forms.opening import open_input
from licet.datasets.forms.parts import MALFORMED, Part
from licet.errors import InputError, LicetError, MalformedError


def part_of(folder: Path, name: str, data: bytes, mapping: dict[str, str] | None = None) -> Part:
    path = folder / name
    path.write_bytes(data)
    [part] = open_input([path], mapping).parts
    return part


def rows_of(part: Part) -> list[dict[str, Any]]:
    return [row for batch in part.batches() for row in batch.to_pylist()]


def urls_of(part: Part) -> list[str | None]:
    """The address of each row; ``!`` for a malformed one."""
    return ["!" if row["problem"] == MALFORMED else row["url"] for row in rows_of(part)]


def kept_of(part: Part, target: Path, keep: Any) -> bytes:
    """Copy the rows of which ``keep`` (of a row's number) is true, and return what was written."""
    copying = part.write(target)
    start = 0
    with suppress(StopIteration):
        batch = next(copying)
        while True:
            numbers = range(start, start + len(batch))
            start += len(batch)
            batch = copying.send(np.array([bool(keep(number)) for number in numbers], np.bool_))
    return target.read_bytes()


CSV = (
    b"\xef\xbb\xbfID;URL;caption\r\n"
    b'1;https://a.example/1;"two\r\nlines; and ""quotes"""\r\n'
    b"2;https://a.example/2;caf\xe9 in latin-1\r\n"
    b"\r\n"
    b'3;"https://a.example/3";5" disk\r\n'
    b"4;https://a.example/4\r\n"
    b"5;;nothing\r\n"
    b"6;https://a.example/6;\0;more\r\n"
    b"7;https://a.example/7;no newline at the end"
)


def test_a_csv_file_has_a_row_a_record(tmp_path: Path) -> None:
    part = part_of(tmp_path, "t.csv", CSV)
    assert urls_of(part) == [*(f"https://a.example/{n}" for n in (1, 2, 3)), "!", None, "!", "https://a.example/7"]


def test_kept_records_of_csv_are_the_bytes_they_were(tmp_path: Path) -> None:
    part = part_of(tmp_path, "t.csv", CSV)
    whole = kept_of(part, tmp_path / "all.csv", lambda _: True)
    assert whole == CSV.replace(b"\r\n\r\n3;", b"\r\n3;")
    some = kept_of(part, tmp_path / "some.csv", lambda row: row in (0, 2, 6))
    lines = CSV.split(b"\r\n")
    assert some == b"\r\n".join([*lines[:3], lines[5], lines[9]])


def test_bad_lines_are_told_with_file_and_number(tmp_path: Path) -> None:
    part = part_of(tmp_path, "t.csv", CSV)
    kept_of(part, tmp_path / "out.csv", lambda _: False)
    assert list(part.remarks) == [
        f"{tmp_path}/t.csv, line 7: expected 3 fields, got 2",
        f"{tmp_path}/t.csv, line 9: expected 3 fields, got 4",
    ]


@pytest.mark.parametrize(
    ("line", "url"),
    [
        (b'{"url": "https://a.example/1", "url": "https://a.example/2"}', "!"),
        (b'{"url": "https://a.example/1", "\\u0075rl": "https://a.example/2"}', "!"),
        (b'{"url": "https://a.example/1", "url": null}', "!"),
        (b'{"url": "https://a.example/1", "n": 1e999, "n": 2}', "https://a.example/1"),
        (b'{"url": "https://a.example/1", "meta": {"url": "x", "url": "y"}}', "https://a.example/1"),
        (b'{"url": "https://a.example/1", "text": "\\"url\\": \xff \\n"}', "https://a.example/1"),
        (b'{"url": "https://a.example/1", "text": "url", "m\\u0075": [{"url": 1}]}', "https://a.example/1"),
    ],
)
def test_a_member_that_comes_twice_makes_the_line_malformed(tmp_path: Path, line: bytes, url: str) -> None:
    part = part_of(tmp_path, "t.jsonl", b'{"url": "https://a.example/0"}\n' + line + b"\n")
    assert urls_of(part) == ["https://a.example/0", url]


@given(st.lists(st.tuples(st.sampled_from(["url", "Url", "n", 'u"rl', "u\\"]), st.text(max_size=6)), max_size=6))
def test_members_are_counted_as_a_reader_of_pairs_does(members: list[tuple[str, str]]) -> None:
    raw = "{" + ",".join(f"{json.dumps(name)}: {json.dumps(value)}" for name, value in members) + "}"
    names = [name for name, _ in members]
    found = Repeated(["url", "Url"]).find(raw.encode())
    assert (found is not None) == (names.count("url") > 1 or names.count("Url") > 1)


def test_many_bad_lines_are_counted_not_listed(tmp_path: Path) -> None:
    part = part_of(tmp_path, "t.jsonl", b'{"url": "https://a.example/"}\n' + b"no\n" * 20)
    kept_of(part, tmp_path / "o.jsonl", lambda _: False)
    assert len(list(part.remarks)) == 6
    assert list(part.remarks)[-1] == "and 15 more rows like these"


@pytest.mark.parametrize("delimiter", [",", "\t", ";", "|"])
def test_the_delimiter_is_the_one_under_which_the_header_has_our_columns(tmp_path: Path, delimiter: str) -> None:
    rows = [["name, or title; or so", "Url"], ["a|b", "https://a.example/"]]
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter).writerows(rows)
    part = part_of(tmp_path, "t.csv", out.getvalue().encode())
    assert urls_of(part) == ["https://a.example/"]


def test_an_open_quote_swallows_no_row_unseen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = b'url,caption\nhttps://a.example/1,x\nhttps://a.example/2,"open\n' + b"https://a.example/3,y\n" * 9
    part = part_of(tmp_path, "t.csv", data)
    assert urls_of(part) == ["https://a.example/1", "!"]
    kept_of(part, tmp_path / "o.csv", lambda _: False)
    assert list(part.remarks) == [
        f"{tmp_path}/t.csv, line 3: expected a closing quote, got the end of the file",
    ]
    monkeypatch.setattr("licet.datasets.forms.csv.MAX_ROW", 100)
    with pytest.raises(MalformedError, match="line 3: expected a row of at most 100 bytes, got more; perhaps a quote"):
        rows_of(part)


JSONL = (
    b'{"url": "https://a.example/1", "big": 123456789012345678901234567890, "float": 1e400}\n'
    b'{"url":"https://a.example/2","deep":{"a":[{"b":null}]},"text":"\xff is no text"}\r\n'
    b"\n"
    b'["https://a.example/3"]\n'
    b'{"url": 4}\n'
    b'{"URL": "https://a.example/5"}\n'
    b'{"url": "https://a.example/6", "Url": "https://a.example/7"}\n'
    b'{"other": 8}\n'
    b'{"url": "https://a.example/9"'
)


def test_a_jsonl_file_has_a_row_a_line(tmp_path: Path) -> None:
    part = part_of(tmp_path, "t.jsonl", JSONL)
    assert urls_of(part) == [
        "https://a.example/1",
        "https://a.example/2",
        "!",
        "!",
        "https://a.example/5",
        "!",
        None,
        "!",
    ]


def test_kept_lines_of_json_are_the_bytes_they_were(tmp_path: Path) -> None:
    part = part_of(tmp_path, "t.ndjson", b"\xef\xbb\xbf" + JSONL)
    assert kept_of(part, tmp_path / "o", lambda row: row in (0, 1)) == b"\xef\xbb\xbf" + JSONL.split(b"\n\n")[0] + b"\n"


def test_a_line_nested_too_deep_is_malformed(tmp_path: Path) -> None:
    deep = b'{"url": "https://a.example/2", "a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}\n"
    part = part_of(tmp_path, "t.jsonl", b'{"url": "https://a.example/1"}\n' + deep)
    assert urls_of(part) == ["https://a.example/1", "!"]


def test_a_line_beyond_the_limit_ends_the_reading_with_its_number(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    part = part_of(tmp_path, "t.jsonl", b'{"url": "https://a.example/1"}\n{"url": "' + b"x" * 200 + b'"}\n')
    monkeypatch.setattr(lines, "MAX_ROW", 100)
    with pytest.raises(MalformedError, match="line 2: expected a row of at most 100 bytes"):
        rows_of(part)


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("t.csv", b"", "an empty file"),
        ("t.csv", b"a,b\n1,2\n", r"got only a \(string\), b \(string\)"),
        ("t.csv", "url\n".encode("utf-16"), "another encoding"),
        ("t.csv", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "another encoding|got only"),
        ("t.jsonl", b'[{"url": "x"}]\n', "expected a JSON object a line, got 'line 1"),
        ("t.jsonl", b'{\n  "url": "x"\n}\n', "expected a JSON object a line"),
        ("t.jsonl", '{"url": "x"}\n'.encode("utf-16"), "another encoding"),
        ("t.jsonl", b'{"a": 1}\n', r"got only a \(string\)"),
        ("t.csv.gz", b"not packed", "expected a whole gzip file"),
        ("t.jsonl.zst", b"not packed", "expected a whole zstd file"),
        ("t.csv.gz", gzip.compress(b"url\n" + b"https://a.example/\n" * 10_000)[:-20], "expected a whole gzip file"),
    ],
)
def test_a_file_of_another_form_is_refused_in_words(tmp_path: Path, name: str, data: bytes, words: str) -> None:
    with pytest.raises(InputError, match=words):
        rows_of(part_of(tmp_path, name, data))


def test_a_file_without_rows_is_one(tmp_path: Path) -> None:
    for name, data in (("t.csv", b"url,x\n"), ("t.jsonl", b"")):
        part = part_of(tmp_path, name, data)
        assert rows_of(part) == []
        assert kept_of(part, tmp_path / f"out-{name}", lambda _: True) == data


@pytest.mark.parametrize("name", ["t.csv", "t.jsonl"])
def test_an_image_of_text_is_a_place_or_an_address(tmp_path: Path, name: str) -> None:
    values = ["pictures/a.png", "https://a.example/b.png", None]
    if name == "t.csv":
        data = "image\n" + "".join(f'"{value or ""}"\n' for value in values)
    else:
        data = "".join(json.dumps({"image": value}) + "\n" for value in [{"path": values[0]}, *values[1:]])
    part = part_of(tmp_path, name, data.encode())
    assert part.holds_files
    rows = rows_of(part)
    assert [row["path"] for row in rows] == ["pictures/a.png", None, None]
    assert [row["url"] for row in rows] == [None, "https://a.example/b.png", None]


@pytest.mark.parametrize("name", ["t.csv", "t.jsonl"])
def test_columns_of_text_can_be_mapped(tmp_path: Path, name: str) -> None:
    data = b"LINK,path\nhttps://a.example/,on/the/site\n" if name == "t.csv" else b'{"LINK": "https://a.example/"}\n'
    part = part_of(tmp_path, name, data, {"url": "LINK", "path": "-"})
    [row] = rows_of(part)
    assert (row["url"], row.get("path"), part.holds_files) == ("https://a.example/", None, False)
    with pytest.raises(InputError, match="a column of"):
        part_of(tmp_path, name, data, {"url": "NONE"})


@pytest.mark.parametrize("packing", ["gz", "zst"])
@pytest.mark.parametrize("name", ["t.csv", "t.jsonl"])
def test_what_came_compressed_goes_compressed(tmp_path: Path, name: str, packing: str) -> None:
    data = CSV if name == "t.csv" else JSONL
    (tmp_path / name).write_bytes(data)
    subprocess.run(["gzip" if packing == "gz" else "zstd", "-q", str(tmp_path / name)], check=True)
    [part] = open_input([tmp_path / f"{name}.{packing}"]).parts
    out = tmp_path / f"out.{packing}"
    kept_of(part, out, lambda row: row == 0)
    unpack = ["gzip", "-dc", str(out)] if packing == "gz" else ["zstd", "-dcq", str(out)]
    unpacked = subprocess.run(unpack, check=True, capture_output=True).stdout
    plain = tmp_path / "plain"
    kept_of(part_of(tmp_path, name, data), plain, lambda row: row == 0)
    assert unpacked == plain.read_bytes()


@pytest.mark.parametrize("name", ["t.csv", "t.jsonl"])
def test_batches_can_be_skipped_and_are_the_same_in_both_passes(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lines, "BATCH_ROWS", 7)
    urls = [f"https://a.example/{number}" for number in range(50)]
    data = "url\n" + "\n".join(urls) if name == "t.csv" else "\n".join(json.dumps({"url": url}) for url in urls)
    part = part_of(tmp_path, name, data.encode())
    whole = [batch["url"].to_pylist() for batch in part.batches()]
    assert [url for batch in whole for url in batch] == urls
    assert [len(batch) for batch in whole] == [7] * 7 + [1]
    for skip in (0, 3, 8):
        assert [batch["url"].to_pylist() for batch in part.batches(skip)] == whole[skip:]
    seen: list[list[str]] = []
    copying = part.write(None)
    with suppress(StopIteration):
        batch: pa.RecordBatch = next(copying)
        while True:
            seen.append(batch["url"].to_pylist())
            batch = copying.send(np.zeros(len(batch), np.bool_))
    assert seen == whole


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)


@given(rows=st.lists(st.lists(TEXTS, min_size=2, max_size=2), max_size=12), ending=st.sampled_from(["\n", "\r\n"]))
def test_whatever_the_csv_module_writes_is_read_as_it_reads_it(
    tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]], ending: str
) -> None:
    folder = tmp_path_factory.mktemp("csv")
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator=ending, quoting=csv.QUOTE_ALL).writerows([["url", "other"], *rows])
    part = part_of(folder, "t.csv", out.getvalue().encode())
    assert [row["url"] or "" for row in rows_of(part)] == [row[0] for row in rows]
    kept = kept_of(part, folder / "out.csv", lambda row: row % 2)
    assert list(csv.reader(io.StringIO(kept.decode(), newline=""))) == [["url", "other"], *rows[1::2]]


@given(values=st.lists(st.dictionaries(TEXTS, st.recursive(st.none() | TEXTS | st.integers(), st.lists), max_size=3)))
def test_whatever_is_json_comes_out_line_by_line(
    tmp_path_factory: pytest.TempPathFactory, values: list[dict[str, Any]]
) -> None:
    folder = tmp_path_factory.mktemp("jsonl")
    every = [json.dumps({"url": "https://a.example/"}), *(json.dumps(value | {"url": "u"}) for value in values)]
    part = part_of(folder, "t.jsonl", "\n".join(every).encode())
    rows = len(rows_of(part))
    assert rows == len(every)
    kept = kept_of(part, folder / "out", lambda row: row % 2 == 0)
    assert kept.decode().splitlines() == every[::2]


@given(data=st.binary(max_size=200) | st.text('url,;"\n\r{}[]:\\ \ufeff\0é', max_size=80).map(str.encode))
@pytest.mark.parametrize("name", ["t.csv", "t.jsonl", "t.csv.gz", "t.jsonl.zst"])
def test_no_bytes_bring_down_the_reading(tmp_path_factory: pytest.TempPathFactory, name: str, data: bytes) -> None:
    folder = tmp_path_factory.mktemp("any")
    start = {"t.csv": b"url,other\n", "t.jsonl": b'{"url": "x"}\n'}.get(name, b"")
    for each in (data, start + data):
        with suppress(LicetError):
            part = part_of(folder, name, each)
            read = rows_of(part)
            kept = kept_of(part, folder / "out", lambda _: True)
            assert len(kept) <= len(each) or name.count(".") == 2
            assert len(read) <= len(each.splitlines()) + each.count(b"\n")


def test_a_name_in_json_is_decoded_before_it_is_compared(tmp_path: Path) -> None:
    part = part_of(tmp_path, "t.jsonl", b'{"\\u0075rl": "https://a.example/"}\n')
    assert urls_of(part) == ["https://a.example/"]
    assert msgspec.json.decode(b'{"\\u0075rl": 1}') == {"url": 1}


@pytest.mark.parametrize("name", ["t.csv", "t.jsonl"])
def test_a_row_that_names_two_pictures_is_malformed_and_told(tmp_path: Path, name: str) -> None:
    rows = [
        {"url": "https://a.example/1", "path": "a.jpg", "image": "b.jpg"},
        {"url": "https://a.example/1", "path": "", "image": "https://a.example/2"},
        {"url": "https://a.example/1", "path": "a.jpg", "image": "a.jpg"},
        {"url": "https://a.example/1", "path": "a.jpg", "image": "https://a.example/1"},
        {"url": "https://a.example/1", "path": "a.jpg", "image": ""},
    ]
    text = io.StringIO()
    writer = csv.DictWriter(text, ["url", "path", "image"])
    writer.writeheader()
    writer.writerows(rows)
    lines = "".join(json.dumps({key: value or None for key, value in row.items()}) + "\n" for row in rows)
    part = part_of(tmp_path, name, (text.getvalue() if name == "t.csv" else lines).encode())
    assert [row["problem"] == MALFORMED for row in rows_of(part)] == [True, True, False, False, False]
    kept_of(part, tmp_path / "out", lambda _: False)
    told = list(part.remarks)
    assert len(told) == 2
    assert "path and image differ" in told[0]
    assert "url and image differ" in told[1]
    # Whoever chooses has one picture again.
    chosen = part_of(tmp_path, name, (tmp_path / name).read_bytes(), {"image": "-"})
    assert not any(row["problem"] for row in rows_of(chosen))


def test_bytes_of_a_picture_in_json_are_not_passed_over(tmp_path: Path) -> None:
    data = b'{"image": {"path": "a.jpg", "bytes": null}}\n{"image": {"path": "a.jpg", "bytes": "/9j/"}}\n'
    assert [row["problem"] == MALFORMED for row in rows_of(part_of(tmp_path, "t.jsonl", data))] == [False, True]


@pytest.mark.parametrize("data", [b"\xef\xbb\xbf", b"\xef\xbb\xbf\r\n", b"\n"])
def test_a_csv_file_of_no_header_but_a_mark_is_refused(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(InputError, match="a header that names the columns"):
        part_of(tmp_path, "t.csv", data)


def test_only_line_feeds_end_the_lines_of_a_header(tmp_path: Path) -> None:
    part = part_of(tmp_path, "t.csv", "no\u2028te,url\n1,https://a.example/\n".encode())
    assert urls_of(part) == ["https://a.example/"]


def spelled(name: str, escapes: list[bool]) -> str:
    """A name as JSON may spell it: a letter by itself, or by its number."""
    pairs = zip(name, [*escapes, *[False] * len(name)], strict=False)
    return "".join(f"\\u{ord(each):04{'X' if each == 'l' else 'x'}}" if escape else each for each, escape in pairs)


@given(
    st.lists(
        st.tuples(st.sampled_from(["url", "key", "Bild-URL", "x/y", "ü", "other"]), st.lists(st.booleans(), max_size=5))
    ),
    st.sampled_from([("url", "key"), ("url", "x/y"), ("ü", "url"), ("Bild-URL",)]),
    st.sampled_from(["utf-8", "utf-16", "utf-32-le"]),
)
def test_a_member_that_comes_twice_is_found_however_it_is_spelled(
    members: list[tuple[str, list[bool]]], names: tuple[str, ...], encoding: str
) -> None:
    text = "{" + ", ".join(f'"{spelled(name, escapes)}": "a\\/b\\u4e2d"' for name, escapes in members) + "}"
    counts = Counter(name for name, _ in members)
    twice = {name for name in names if counts[name] > 1}
    found = Repeated(names).find(text.encode(encoding))
    assert (found in twice) if twice else found is None


@pytest.mark.parametrize("name", ["t.csv", "t.jsonl"])
def test_empty_lines_without_end_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr(lines, "MOST_EMPTY", 3)
    head = b"url\n" if name == "t.csv" else b""
    rows = [b'"https://a.example/"\n' if name == "t.csv" else b'{"url": "https://a.example/"}\n'] * 2
    part = part_of(tmp_path, name, head + b"\n\n\n".join([b"", *rows, b""]))
    assert len(rows_of(part)) == 2
    part = part_of(tmp_path, name, head + rows[0] + b"\n" * 4 + rows[1])
    with pytest.raises(MalformedError, match="expected a row after 3 empty lines, got another one"):
        rows_of(part)


@pytest.mark.parametrize("name", ["t.csv.gz", "t.jsonl.zst"])
def test_what_comes_to_far_more_than_was_packed_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(files, "MOST_UNPACKED", 1 << 20)
    row = b"https://a.example/,x\n" if "csv" in name else b'{"url": "https://a.example/"}\n'
    data = (b"url,x\n" if "csv" in name else b"") + row * 100_000
    with pa.CompressedOutputStream(str(tmp_path / name), "gzip" if name.endswith("gz") else "zstd") as stream:
        stream.write(data)
    monkeypatch.setattr(files, "MOST_EXPANSION", 10)
    with pytest.raises(MalformedError, match="or 10 times its size, got more: it repeats itself"):
        rows_of(open_input([tmp_path / name]).parts[0])
    monkeypatch.setattr(files, "MOST_EXPANSION", 100_000)
    assert len(rows_of(open_input([tmp_path / name]).parts[0])) == 100_000
