"""Compiled loops hash what plain Python hashes, row for row, and give way to it where they may not."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import licet.compiled as module
from licet.decisions import frames
from licet.decisions.rows import (
    _plain,
    _salted,
    both_hashes,
    decision_schema,
    leaf_hashes,
    row_leaf,
    salted_leaf_hashes,
    salted_row_leaf,
)
from licet.fingerprints.urls import url_keys
from licet.log import merkle
from licet.statements.event_columns import EventColumns, event_ids, event_root
from licet.statements.kinds import Event
from licet.statements.licences import events_root, id_of
from tests.sdk.decisions.test_rows import ROWS
from tests.sdk.fingerprints.test_urls import ADDRESS

pytest.importorskip("numba")


@pytest.fixture(scope="module", autouse=True)
def always() -> Iterator[None]:
    """Use the loops for every number of rows."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(module, "_WORTH", 1)
        patched.setattr(module, "_WORTH_LOADING", 1)
        assert module.hashing_of(1) is not None
        yield


def test_the_rounds_that_are_computed_give_the_digest() -> None:
    from numba import njit

    from licet.compiled.sha256 import START, computed

    text = os.urandom(119)
    padded = text + b"\x80" + (8 * len(text)).to_bytes(8, "big")
    state = START.copy()
    njit(computed)(state, np.frombuffer(b"\0\0\0" + padded, np.uint8), 3, 2)
    assert state.astype(">u4").tobytes() == sha256(text).digest()


_EVENT = st.builds(
    Event,
    id=st.just(""),
    licence=st.none() | st.sampled_from([f"lic_{'0' * 25}{last}" for last in "12"]),
    statement=st.none() | st.just(f"stm_{'0' * 26}"),
    work=st.sampled_from([f"wrk_{'0' * 25}{last}" for last in "1234"]),
    atom=st.sampled_from(["train-gen", "search"]),
    run=st.text(min_size=1, max_size=9),
    unit=st.sampled_from(["run", "output"]),
    seq=st.integers(0, 2**31 - 1),
    quantity=st.integers(0, 2**53 - 1),  # what canonical JSON holds
    at=st.just("2026-11-29T00:00:00Z"),
    match=st.sampled_from(["exact", "near"]),
)


@pytest.mark.parametrize("way", ["as this processor does", "two at a time"])
@pytest.mark.parametrize("begun", [False, True])
@given(sizes=st.lists(st.integers(0, 900), min_size=1, max_size=70))
def test_texts_of_all_lengths_side_by_side_give_their_own_digests(way: str, begun: bool, sizes: list[int]) -> None:
    """Also where each goes on from a state of its own, after a block that is folded before."""
    from licet.compiled import batches
    from licet.compiled.rows import state_after
    from licet.compiled.sha256 import START

    count, width = len(sizes), max(sizes) + batches.PADDING
    texts, blocks, order = np.empty((count, width), np.uint8), np.empty(count, np.intp), np.empty(count, np.intp)
    messages, heads = [os.urandom(size) for size in sizes], [os.urandom(64) if begun else b"" for _ in sizes]
    states = np.array([state_after(head) if begun else START for head in heads])
    for row, message in enumerate(messages):
        texts[row, : len(message)] = np.frombuffer(message, np.uint8)
        blocks[row] = batches.padded(texts, row, len(message), len(heads[row]))
    if way == "two at a time":  # what processors without lanes do, here as well
        batches._fold_pairs(states, START, begun, texts, blocks, np.random.permutation(count), 0, count)
    elif begun:
        batches.fold_further(states, texts, blocks, order, count)
    else:
        batches.fold_padded(states, START, texts, blocks, order, count)
    assert [state.tobytes() for state in states] == [
        sha256(head + message).digest() for head, message in zip(heads, messages, strict=True)
    ]


@given(st.lists(_EVENT, min_size=1, max_size=40), st.binary(min_size=32, max_size=32))
def test_ids_and_root_of_events_are_those_of_the_events_one_by_one(events: list[Event], secret: bytes) -> None:
    organisation = f"org_{'0' * 26}"
    named = [
        msgspec.structs.replace(event, id=id_of(organisation, event))
        for event in events
        if event.licence is not None or event.statement is not None
    ]
    once = sorted({event.id: event for event in named}.values(), key=lambda event: event.id)
    if not once:
        return
    columns = EventColumns.of(once)
    assert [each.hex() for each in event_ids(organisation, columns)] == [event.id for event in once]
    assert event_root(secret, columns) == events_root(secret, once)


def test_an_event_that_loops_cannot_hash_is_hashed_without_them() -> None:
    event = Event("ab", f"lic_{'0' * 26}", None, f"wrk_{'0' * 26}", "search", "1", "run", -5, -7, "now", "exact")
    columns = EventColumns.of([event])
    assert [each.hex() for each in event_ids("org", columns)] == [id_of("org", event)]
    assert event_root(bytes(32), columns) == events_root(bytes(32), [event])


@given(ROWS, st.binary(min_size=32, max_size=32))
def test_leaves_of_rows_are_those_of_the_rows_one_by_one(rows: list[dict[str, Any]], secret: bytes) -> None:
    table = pa.Table.from_pylist(rows, schema=decision_schema())
    plain = b"".join(merkle.leaf_hash(row_leaf(row)) for row in rows)
    salted = b"".join(merkle.leaf_hash(salted_row_leaf(secret, row)) for row in rows)
    assert (leaf_hashes(table), salted_leaf_hashes(secret, table)) == (plain, salted)
    assert both_hashes(secret, table) == (plain, salted)


@pytest.mark.parametrize("most", [0, 3])
@given(ROWS, st.binary(min_size=32, max_size=32))
def test_leaves_of_rows_that_share_little_are_those_of_the_rows_one_by_one(
    most: int, rows: list[dict[str, Any]], secret: bytes
) -> None:
    """Rows are told apart in other ways where they may say too much to be looked up in a table."""
    table = pa.Table.from_pylist(rows, schema=decision_schema())
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(frames, "_TABLE", most)
        patched.setattr(frames, "_TABLE_ROWS", 0)
        patched.setattr(frames, "_DENSE", most)
        assert both_hashes(secret, table) == (_plain(table), b"".join(_salted(secret, table)))


@given(ROWS, ROWS, st.integers(0, 9), st.binary(min_size=32, max_size=32))
def test_leaves_of_dictionaries_of_several_batches_are_those_of_the_rows(
    one: list[dict[str, Any]], other: list[dict[str, Any]], skipped: int, secret: bytes
) -> None:
    """What is shared is read where Arrow has it: in the middle of a bitmap, beside rows that say nothing."""
    schema = decision_schema()
    last = max((row["row"] for row in one), default=-1)
    later = [{**row, "row": last + 1 + row["row"]} for row in other]
    tables = [_coded(pa.Table.from_pylist(rows, schema=schema)) for rows in (one, later)]
    table = pa.concat_tables(tables).slice(skipped)
    assert both_hashes(secret, table) == (_plain(table), b"".join(_salted(secret, table)))


def _coded(table: pa.Table) -> pa.Table:
    for place, field in enumerate(table.schema):
        if pa.types.is_string(field.type) and field.name not in ("url", "sha256", "pixels", "pdq", "key", "path"):
            table = table.set_column(place, field.name, table.column(place).dictionary_encode())
    return table


def test_leaves_are_the_same_in_threads_that_take_each_others_memory() -> None:
    """Working arrays that are let go too early are somebody else's by then."""
    count, secret = 3000, bytes(32)
    same = {name: [name] * count for name in ("part", "verdict", "reason", "examined")}
    table = pa.table({**same, "row": range(count), "url": [f"https://x.example/{row}" for row in range(count)]})
    expected = (_plain(table), b"".join(_salted(secret, table)))
    with ThreadPoolExecutor(4) as pool:
        assert all(found == expected for found in pool.map(lambda _: both_hashes(secret, table), range(100)))


@given(st.lists(st.one_of(st.none(), ADDRESS), max_size=12), st.integers(0, 3))
def test_keys_of_a_column_are_those_of_a_list(urls: list[str | None], skipped: int) -> None:
    column = pa.array([*urls, None]).slice(skipped)  # a slice begins in the middle of its buffers
    keys, valid = url_keys(column)
    expected, there = url_keys(column.to_pylist())
    np.testing.assert_array_equal(keys, expected)
    np.testing.assert_array_equal(valid, there)


@pytest.mark.parametrize(
    "url",
    [
        "http://a.bc/", "https://a.bc/?", "https://a.bc/?a", "https://a.bc", "https://a.bc/%41", "https://a.bc/%2F",
        "https://a.bc/%2f", "https://a.bc/%2", "https://a.bc/x/.y", "https://a.bc/x?/.", "https://a.1c/", "https://a/",
        "https://.a.b/", "https://a..b/", f"https://{'a' * 41}.b/", f"https://{'a' * 42}.b/", f"https://a.{'b' * 42}/",
        "https://a.b.c.d.e.f/", "https://a.b.c.d.e.f.g/", "https://a.bc/é", "https://a.bc/#x", "https://A.bc/",
        "https://a.bc:443/", "http:/a.bc/", "https://a.bc/?a?b", "https://a.bc/\n", "https:// a.bc/", "h", "",
        f"https://a.bc/{'x' * 8179}", f"https://a.bc/{'x' * 8180}",
    ],
)  # fmt: skip
def test_each_corner_of_the_grammar_gives_the_key_of_its_address(url: str) -> None:
    keys, valid = url_keys(pa.array([url]))
    expected, there = url_keys([url])
    assert (keys.tobytes(), valid.tolist()) == (expected.tobytes(), there.tolist())


@pytest.mark.parametrize("before", [0, 1, 20, 55, 63, 64, 118])
@pytest.mark.parametrize("form", ["https://{}x.bc/y", "http://a.bc/{}", "https://a.bc/?{}z"])
def test_each_byte_at_each_place_of_an_address_gives_the_key_of_plain_python(form: str, before: int) -> None:
    """Sixty-four bytes are looked at together: what stands beside the end of them is looked at with the next."""
    begun = "x" * before
    urls = [form.format(begun + chr(byte)) + end for byte in range(128) for end in ("", "c%2Fd", "/.e", "?", "%", "%4")]
    keys, valid = url_keys(pa.array(urls))
    expected, there = url_keys(urls)
    assert (keys.tobytes(), valid.tolist()) == (expected.tobytes(), there.tolist())


@pytest.mark.parametrize("size", range(48, 72))
@pytest.mark.parametrize("label", [20, 40, 41, 42, 56])
def test_long_hosts_give_the_keys_of_plain_python(size: int, label: int) -> None:
    host = f"{'a' * label}." * (size // (label + 1)) + "b" * (size % (label + 1) or 1)
    urls = [f"{scheme}://{host}{rest}" for scheme in ("http", "https") for rest in ("/", "/%2E", "/.", "")]
    keys, valid = url_keys(pa.array(urls))
    expected, there = url_keys(urls)
    assert (keys.tobytes(), valid.tolist()) == (expected.tobytes(), there.tolist())


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000, 4097])
def test_the_root_of_a_tree_is_that_of_rfc_6962(size: int) -> None:
    leaves = [sha256(b"%d" % number).digest() for number in range(size)]

    def root(hashes: list[bytes]) -> bytes:
        if len(hashes) == 1:
            return hashes[0]
        split = 1 << (len(hashes) - 1).bit_length() - 1
        return sha256(b"\x01" + root(hashes[:split]) + root(hashes[split:])).digest()

    assert merkle.root(leaves) == root(leaves)


def test_without_numba_or_with_loops_that_do_not_agree_plain_python_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    from licet.compiled import hashing

    module._loaded.cache_clear()
    monkeypatch.setattr(hashing, "agrees", lambda: False)
    assert module.hashing_of(1 << 30) is None
    module._loaded.cache_clear()
    monkeypatch.undo()
    hidden = (
        "import sys; sys.modules['numba'] = None; from licet.compiled import hashing_of; assert not hashing_of(1 << 30)"
    )
    subprocess.run([sys.executable, "-c", hidden], check=True, timeout=60)


def test_few_rows_import_nothing() -> None:
    few = (
        "import sys; from licet.fingerprints.urls import url_keys; import pyarrow as pa;"
        " url_keys(pa.array(['https://a.bc/'] * 1999)); assert 'numba' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", few], check=True, timeout=60)
