"""Segments: equal records give equal bytes, and no file, however wrong, does more than raise one of our errors."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from licet import canonical
from licet.decisions import Request
from licet.errors import InputError, LicetError, MalformedError
from licet.index import Index, WorkRecord, answer, container, write_segments
from licet.index.records import FileKeys
from licet.index.segments import EXACT_SECTIONS, KINDS, ExactSegment, NearSegment, Segment, open_segment
from licet.index.state import StateTree
from licet.index.writing import in_memory
from tests.sdk.index.world import TERMS, Row, catalogues, digest, flipped, keys_of, uid


def work(number: int = 0, **changes: Any) -> WorkRecord:
    given: dict[str, Any] = {
        "work": uid(1, number),
        "account": uid(2, number % 2),
        "terms": TERMS[number % 3].encoded,
        "level": 2,
        "sha256": digest("file", number),
        "pixels": digest("pixels", number),
        "pdq": flipped(0, ()),
        "quality": 60,
        "urls": [digest("url", number)[:16]],
    }
    return WorkRecord(**given | changes)


def encoded(segment: Segment) -> bytes:
    tier = "exact" if isinstance(segment, ExactSegment) else "near"
    return b"".join(container.encode(tier, segment.columns))  # type: ignore[arg-type]


EXACT, NEAR = (encoded(segment) for segment in in_memory([work(number) for number in range(5)], removed=[uid(1, 9)]))


def used(data: bytes) -> None:
    """Read everything that can be read of a segment, beside a sound one of the other tier."""
    segment = open_segment(data)
    segments = [segment, open_segment(NEAR)] if isinstance(segment, ExactSegment) else [open_segment(EXACT), segment]
    index = Index(segments, [work(7)])
    batch = [
        Row(digest("file", n)[:16], digest("pixels", n)[:16], digest("url", n)[:16], (flipped(0, ()),) * 8, 80)
        for n in range(5)
    ]
    answer(index, keys_of(batch), Request(uses=["train-gen"]))
    StateTree.of_works(index.works)
    for number in range(5):
        index.work(uid(1, number))
    segment.check()


@given(catalogues(), st.randoms(), st.sets(st.integers(20, 25)))
def test_equal_records_give_equal_bytes(catalogue: list[WorkRecord], random: Any, removed: set[int]) -> None:
    gone = [uid(1, number) for number in removed]
    straight = [encoded(segment) for segment in in_memory(catalogue, removed=gone)]
    random.shuffle(catalogue)
    assert [encoded(segment) for segment in in_memory(catalogue, removed=reversed(gone))] == straight
    for data in straight:
        segment = open_segment(data)
        segment.check()
        assert encoded(segment) == data


def test_written_files_are_named_by_their_content(tmp_path: Path) -> None:
    refs = write_segments([work(number) for number in range(5)], tmp_path / "deep" / "er")
    assert [ref.tier for ref in refs] == ["exact", "near"]
    assert refs[0].counts == {"works": 5, "removed": 0, "accounts": 2, "terms": 3, "file": 5, "pixels": 5, "url": 5}
    assert refs[1].counts == {"vectors": 5}
    for ref in refs:
        data = (tmp_path / "deep" / "er" / ref.digest).read_bytes()
        assert (hashlib.sha256(data).hexdigest(), len(data)) == (ref.digest, ref.size)
    assert sorted(path.name for path in (tmp_path / "deep" / "er").iterdir()) == sorted(ref.digest for ref in refs)


def test_without_vectors_there_is_no_near_segment(tmp_path: Path) -> None:
    assert [ref.tier for ref in write_segments([work(pdq=None), work(1, quality=49)], tmp_path)] == ["exact"]
    assert [ref.counts["works"] for ref in write_segments([], tmp_path)] == [0]


@pytest.mark.parametrize(
    ("pdq", "quality", "codes"),
    [(bytes(32), 50, 1), (bytes(32), 49, 0), (bytes(32), None, 0), (None, None, 1)],
)
def test_the_content_code_of_a_picture_too_plain_for_a_pdq_is_no_key(
    pdq: bytes | None, quality: int | None, codes: int
) -> None:
    plain: dict[str, Any] = {"pdq": pdq, "quality": quality, "image": bytes(32)}
    own, file = work(**plain), work(pdq=None, quality=None, files=[FileKeys(bytes(32), **plain)])
    for record in (own, file):
        assert in_memory([record])[1].counts.get("image", 0) == codes
    # What a text says is no picture.
    assert in_memory([work(text=bytes(32), **plain)])[1].counts["text"] == 1


def test_a_folder_that_cannot_be_written_is_an_input_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="folder"):
        write_segments([work()], tmp_path / "file" / "folder")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("work", bytes(15)),
        ("account", bytes(17)),
        ("statement", b""),
        ("sha256", bytes(16)),
        ("pixels", b""),
        ("pdq", bytes(31)),
        ("urls", [bytes(16), bytes(32)]),
        ("level", 5),
        ("level", -1),
        ("log_index", -1),
        ("log_index", 2**53),
        ("quality", 101),
        ("terms", bytes((1 << 20) + 1)),
    ],
)
def test_a_record_that_no_segment_can_hold_is_refused_by_field(field: str, value: Any) -> None:
    with pytest.raises(InputError, match=field):
        in_memory([work(**{field: value})])


def test_a_work_twice_is_refused() -> None:
    with pytest.raises(InputError, match="once"):
        in_memory([work(0), work(1), work(0, level=1)])
    with pytest.raises(InputError, match="removed"):
        in_memory([], removed=[bytes(15)])


# --- files that lie -------------------------------------------------------------------------------------------------


@given(st.sampled_from([EXACT, NEAR]), st.data())
def test_no_mutation_does_more_than_raise_our_errors(whole: bytes, data: st.DataObject) -> None:
    changed = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 3))):
        # Half of the hits go into the preamble and the header, where a bit means most.
        end = data.draw(st.sampled_from([16, 1500, len(changed)]))
        place = data.draw(st.integers(0, min(end, len(changed)) - 1))
        changed[place] = data.draw(st.integers(0, 255))
    with contextlib.suppress(LicetError):
        used(bytes(changed))


@given(st.sampled_from([EXACT, NEAR]), st.data())
def test_every_truncation_and_every_extra_byte_is_refused(whole: bytes, data: st.DataObject) -> None:
    with pytest.raises(LicetError):
        open_segment(whole[: data.draw(st.integers(0, len(whole) - 1))])
    with pytest.raises(MalformedError):
        open_segment(whole + data.draw(st.binary(min_size=1, max_size=80)))


@given(st.binary(max_size=300))
@example(b"LICETSEG" + bytes(8))
@example(b"LICETSEG\x01\0\0\0\xff\xff\xff\xff")
@example(b"LICETSEG\x01\0\0\0\x02\0\0\0{}")
def test_arbitrary_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(MalformedError):
        open_segment(data)


@given(st.sampled_from(sorted(EXACT_SECTIONS)), st.data())
def test_columns_with_arbitrary_numbers_do_no_more_than_raise_our_errors(name: str, data: st.DataObject) -> None:
    columns = dict(open_segment(EXACT).columns)
    column = columns[name].copy()
    flat = column.reshape(-1)
    for place in data.draw(st.sets(st.integers(0, max(len(flat) - 1, 0)), max_size=3)) if len(flat) else ():
        flat[place] = data.draw(st.integers(0, int(np.iinfo(column.dtype).max)))
    columns[name] = column
    with contextlib.suppress(LicetError):
        used(b"".join(container.encode("exact", columns)))


def lying(change: Callable[[dict[str, Any]], None], whole: bytes = EXACT) -> bytes:
    """The segment with its header changed, and its sections moved to where they would then have to be."""
    length = int.from_bytes(whole[12:16], "little")
    header = msgspec.json.decode(whole[16 : 16 + length])
    body = whole[container.align(16 + length) :]
    change(header)
    changed = canonical.encode(header)
    start = container.align(16 + len(changed))
    return whole[:12] + len(changed).to_bytes(4, "little") + changed + bytes(start - 16 - len(changed)) + body


def _set(place: int, **values: Any) -> Callable[[dict[str, Any]], None]:
    return lambda header: header["sections"][place].update(values)


def _swap(header: dict[str, Any]) -> None:
    first, second, *_ = header["sections"]
    first["name"], second["name"] = second["name"], first["name"]


def _add(name: str, rows: int) -> Callable[[dict[str, Any]], None]:
    def change(header: dict[str, Any]) -> None:
        last = header["sections"][-1]
        end = last["offset"] + 4 * last["shape"][0]
        header["sections"].append({"name": name, "dtype": "u1", "shape": [rows], "offset": container.align(end)})

    return change


LIES: dict[str, Callable[[dict[str, Any]], None]] = {
    "another tier": lambda header: header.update(tier="near"),
    "an unknown tier": lambda header: header.update(tier="far"),
    "an unknown field": lambda header: header.update(extra=1),
    "no sections": lambda header: header.update(sections=[]),
    "a section less": lambda header: header["sections"].pop(),
    "a section twice": lambda header: header["sections"].append(header["sections"][0]),
    "too many sections": lambda header: header.update(sections=header["sections"] * 9),
    "sections in another order": _swap,
    "an unknown section": _add("site.rules", 0),
    "an offset before the section": _set(1, offset=0),
    "an offset over the section before": lambda header: _set(1, offset=header["sections"][0]["offset"])(header),
    "an offset outside": _set(1, offset=2**40),
    "a negative offset": _set(1, offset=-64),
    "an offset that is not aligned": lambda header: _set(1, offset=header["sections"][1]["offset"] + 8)(header),
    "more rows than there are bytes": _set(0, shape=[2**50]),
    "negative rows": _set(0, shape=[-1]),
    "no dimension": _set(0, shape=[]),
    "three dimensions": _set(0, shape=[5, 1, 1]),
    "a width of nothing": _set(0, shape=[2**50, 0]),
    "an enormous width": _set(0, shape=[0, 2**50]),
    "another dtype": _set(0, dtype="<f8"),
    "another order of bytes": _set(0, dtype=">u8"),
    "a dtype of objects": _set(0, dtype="O"),
    "a narrower dtype": _set(0, dtype="<u4", shape=[10]),
    "a width that does not belong": _set(0, shape=[5, 1]),
    "a name that is none": _set(0, name="../../etc"),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_header_that_lies_is_refused(lie: str) -> None:
    open_segment(lying(lambda header: None))
    with pytest.raises(MalformedError):
        open_segment(lying(LIES[lie]))


def _bytes_at(place: int, value: bytes, whole: bytes = EXACT) -> bytes:
    return whole[:place] + value + whole[place + len(value) :]


def _with(**columns: Any) -> bytes:
    """The segment with columns replaced (``__`` stands for a dot), written soundly otherwise."""
    named = {name.replace("__", "."): column for name, column in columns.items()}
    return b"".join(container.encode("exact", dict(open_segment(EXACT).columns) | named))


def test_magic_version_and_padding_are_held_to() -> None:
    length = 16 + int.from_bytes(EXACT[12:16], "little")
    for data in (
        _bytes_at(0, b"licetseg"),
        _bytes_at(8, b"\x02"),
        _bytes_at(12, b"\xff\xff\xff\x7f"),
        _bytes_at(length, b"\x01"),
        EXACT[:16] + EXACT[16:length].replace(b'"dtype":', b'"dtype": ', 1) + EXACT[length:],
    ):
        with pytest.raises(MalformedError):
            open_segment(data)


def _columns_that_lie() -> Iterator[Any]:
    columns = open_segment(EXACT).columns
    five, big = np.zeros(5), 2**31
    yield pytest.param(_with(work__level=columns["work.level"][:4]), id="fewer rows in a column")
    yield pytest.param(_with(url__lo=columns["url.lo"][:4]), id="fewer rows in a key table")
    yield pytest.param(_with(terms__end=columns["terms.end"][[1, 0, 2]]), id="ends of terms that fall")
    yield pytest.param(_with(terms__end=columns["terms.end"] + np.uint64(1)), id="ends of terms beyond the text")
    yield pytest.param(_with(file__bucket=columns["file.bucket"][:-2]), id="a bucket table for other keys")
    yield pytest.param(_with(file__bucket=columns["file.bucket"][::-1].copy()), id="a bucket table that falls")
    for kind in KINDS:
        yield pytest.param(_with(**{f"{kind}__work": (five + big).astype(np.uint32)}), id=f"{kind} keys of no work")
    yield pytest.param(_with(work__account=(five + 2).astype(np.uint32)), id="an account that is not there")
    yield pytest.param(_with(work__terms=(five + 3).astype(np.uint32)), id="terms that are not there")
    yield pytest.param(_with(work__level=(five + 5).astype(np.uint8)), id="a claim level of five")
    yield pytest.param(_with(work__flags=(five + 64).astype(np.uint16)), id="an unknown state bit")
    yield pytest.param(_with(work__log=(five + 2**53).astype(np.uint64)), id="a log index that JSON cannot hold")
    yield pytest.param(_with(terms__hash=columns["terms.hash"] ^ 1), id="terms with another hash")


@pytest.mark.parametrize("data", [*_columns_that_lie()])
def test_columns_that_lie_are_refused_before_they_are_believed(data: bytes) -> None:
    with pytest.raises(MalformedError):
        index = Index([open_segment(data)])
        batch = [Row(digest("file", n)[:16], digest("pixels", n)[:16], digest("url", n)[:16]) for n in range(5)]
        answer(index, keys_of(batch), Request(uses=["train-gen"]))


def _columns_out_of_order() -> Iterator[Any]:
    columns = open_segment(EXACT).columns
    for name in ("work.hi", "account.id", "terms.hash", "file.hi", "url.hi"):
        yield name, _with(**{name: columns[name][::-1].copy()})
    yield "file.work", _with(**{"file.work": np.full(5, 5, np.uint32)})
    yield "removed.hi", _with(**{"removed.hi": columns["work.hi"][:1], "removed.lo": columns["work.lo"][:1]})
    near = open_segment(NEAR).columns
    for name, column in (("hi", near["near.hi"][::-1].copy()), ("quality", near["near.quality"] - np.uint8(20))):
        yield f"near.{name}", b"".join(container.encode("near", dict(near) | {f"near.{name}": column}))


@pytest.mark.parametrize(("name", "data"), [pytest.param(*lie, id=lie[0]) for lie in _columns_out_of_order()])
def test_the_full_check_tells_what_no_writer_would_write(name: str, data: bytes) -> None:
    with pytest.raises(MalformedError, match=name.split(".", maxsplit=1)[0]):
        open_segment(data).check()


def test_a_section_that_only_speeds_things_up_is_skipped() -> None:
    columns = dict(open_segment(EXACT).columns) | {"aid.bitmap": np.arange(9, dtype=np.uint8)}
    segment = open_segment(b"".join(container.encode("exact", columns)))
    segment.check()
    assert segment.counts == open_segment(EXACT).counts


def test_a_missing_or_short_file_is_an_input_error(tmp_path: Path) -> None:
    (tmp_path / "short").write_bytes(b"LICET")
    (tmp_path / "empty").touch()
    for name in ("missing", "short", "empty", "."):
        with pytest.raises(InputError):
            container.map_file(tmp_path / name)


def test_kinds_of_keys_that_no_work_has_leave_a_segment_as_it_was_before_there_were_any() -> None:
    plain = WorkRecord(work=uid(1, 1), account=uid(2, 1), terms=b"", level=0, sha256=bytes(32))
    exact, near = in_memory([plain])
    assert [*exact.columns] == [*EXACT_SECTIONS]
    assert not {"site", "instance"} & exact.counts.keys()
    assert near.counts == {"vectors": 0}
    ruled = msgspec.structs.replace(plain, sites=[bytes(16)], instance=bytes(32), image=bytes(32), text=bytes(32))
    exact, near = in_memory([ruled])
    assert (exact.counts["site"], exact.counts["instance"]) == (1, 1)
    assert near.counts == {"vectors": 0, "image": 1, "text": 1}
    exact.check()
    near.check()
    for kind, columns, opens in (("site", exact.columns, ExactSegment), ("image", near.columns, NearSegment)):
        # Half of a kind, and one without rows, are nothing that a writer makes.
        with pytest.raises(MalformedError, match=f"{kind}.lo"):
            opens({name: column for name, column in columns.items() if name != f"{kind}.lo"})
        hollow = {name: column[:0] if name.startswith(kind) else column for name, column in columns.items()}
        if kind == "site":
            hollow["site.bucket"] = np.zeros(2, np.uint32)
        with pytest.raises(MalformedError, match=f"{kind}: expected"):
            opens(hollow).check()
