"""Shards as img2dataset writes them: a tar of samples, a table with the status of every row, and figures.

Rows of a shard are the pictures of its tar, then the rows of its table that came to none. What was not downloaded is
unreadable: never kept. A picture's address is the table's, or its JSON's; where they differ, nobody knows which it is:
malformed. The copy is a shard again, all three files of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec
import numpy as np
import pyarrow as pa

from licet.datasets.forms.choosing import chosen
from licet.datasets.forms.columns import is_text
from licet.datasets.forms.files import File
from licet.datasets.forms.groups import Groups
from licet.datasets.forms.parquet import GroupWriter, about, repeating
from licet.datasets.forms.parts import MALFORMED, UNREADABLE, Copying
from licet.datasets.forms.samples import Sample
from licet.datasets.forms.seals import changed, digest_of, digest_of_columns, seal_of, sealed
from licet.datasets.forms.webdataset import BATCH, TarPart
from licet.errors import MalformedError
from licet.misfits import unlike

_SUCCESS: Final = "success"
_STATS: Final = "_stats.json"
_READ: Final = ("key", "status")
_MAX_STATS: Final = 16 << 20
_MOST_ROWS: Final = 1_000_000


class _Listed(NamedTuple):
    """What the table says of one key."""

    failed: bool
    urls: frozenset[str]

    def agrees(self, url: str | None) -> bool:
        """Return whether it says nothing else than ``url``, or nothing is said by one of both."""
        return len(self.urls | ({url} if url else set())) < 2


_UNLISTED: Final = _Listed(False, frozenset())


class Img2datasetPart(TarPart):
    """One shard. In memory are the keys and addresses of its table, of which img2dataset writes 10,000 into one."""

    bundle = True

    def __init__(self, file: File, table: File, name: str, mapping: Mapping[str, str] | None = None) -> None:
        super().__init__(file, name, None, mapping)
        self._table = table
        self._stats = file.sibling(file.name.removesuffix(".tar") + _STATS)
        self._keys: set[str] = set()
        self._url = next(iter(self._spelled["url"]), None)

    def stamp(self) -> dict[str, Any]:
        """Return what tells this input from a changed one: of the table too."""
        return {**super().stamp(), "kind": "img2dataset", "table": self._table.stamp()}

    def batches(self, skip: int = 0) -> Iterator[pa.RecordBatch]:
        """Yield the rows of the tar, then those that came to no picture."""
        listed = self._listed()
        seen: set[str] = set()
        number = 0
        for number, batch in enumerate(super().batches(), 1):
            keys = [_last(key) for key in batch["key"].to_pylist()]
            seen.update(keys)
            if number > skip:
                yield _marked(batch, keys, listed)
        for late, batch in enumerate(self._without(seen), number):
            if late >= skip:
                yield batch

    def write(self, target: Path | None) -> Copying:
        """Yield the rows by their names; write the kept ones as a shard, ``target`` being its tar."""
        listed = self._listed()
        seen: set[str] = set()
        self._keys = set()
        copying = super().write(target)
        batch = next(copying, None)
        while batch is not None:
            keys = [_last(key) for key in batch["key"].to_pylist()]
            seen.update(keys)
            for key, url in zip(keys, batch["url"].to_pylist(), strict=True):
                if key in listed and not listed[key].agrees(url):
                    self.remarks.add(f"{self._table.shown}, key {key}: expected the url of its JSON, got another")
            mask = yield _marked(batch, keys, listed)
            try:
                batch = copying.send(mask)
            except StopIteration:
                batch = None
        for late in self._without(seen):
            yield late.select(["url", "key"])
        for key in sorted(key for key in seen if key in listed and listed[key].failed):
            self.remarks.add(f"{self._table.shown}, key {key}: expected no sample of what failed, got one")
        if target is not None:
            self._write_beside(target, listed)

    def _kept(self, samples: Iterable[Sample]) -> None:
        self._keys.update(_last(sample.key) for sample in samples)

    def _write_beside(self, target: Path, listed: Mapping[str, _Listed]) -> None:
        metadata, schema, codec = about(self._table)
        stem = target.name.removesuffix(".tar")
        kept = 0
        with ExitStack() as stack:
            table = Groups(self._table, stack)
            writer = stack.enter_context(
                GroupWriter(target.with_name(stem + ".parquet"), schema, codec, repeating(metadata))
            )
            for batch in table.all_steps(None, BATCH):
                keys, statuses = (batch[name].to_pylist() for name in _READ)
                mask = np.array(
                    [key in self._keys and status == _SUCCESS for key, status in zip(keys, statuses, strict=True)],
                    np.bool_,
                )
                rows = chosen(batch, mask)
                self._hold_to(listed, rows)
                kept += len(rows)
                writer.add(rows)
        if self._stats is not None:
            with self._stats.open() as stream:
                figures = _figures(stream.read(_MAX_STATS), self._stats.shown, kept)
            target.with_name(stem + _STATS).write_bytes(figures)

    def _hold_to(self, listed: Mapping[str, _Listed], rows: pa.RecordBatch) -> None:
        """Raise ``InputError`` if rows that are to be copied name other pictures than those that were examined."""
        if self._url not in rows.schema.names:
            return
        for key, url in zip(rows["key"].to_pylist(), rows[self._url].to_pylist(), strict=True):
            if isinstance(url, str) and url and url not in listed.get(str(key), _UNLISTED).urls:
                raise changed(self._table.shown)

    def _rows(self) -> Iterator[dict[str, Any]]:
        with ExitStack() as stack:
            table = Groups(self._table, stack)
            if table.rows > _MOST_ROWS:
                raise MalformedError(
                    f"{self._table.shown}: expected the status of at most {_MOST_ROWS:,} keys, got {table.rows:,}"
                )
            columns = [*_READ, *([self._url] if self._url in table.names else [])]
            try:
                for batch in table.all_steps(columns, BATCH):
                    yield from batch.to_pylist()
            except UnicodeDecodeError as error:
                raise MalformedError(f"{self._table.shown}: cannot be read: {error}") from None

    def _listed(self) -> dict[str, _Listed]:
        found: dict[str, _Listed] = {}
        for row in self._rows():
            key = str(row["key"])
            url = None if self._url is None else row.get(self._url)
            urls = {url} if isinstance(url, str) and url else set()
            before = found.get(key, _Listed(False, frozenset()))
            found[key] = _Listed(before.failed or row["status"] != _SUCCESS, before.urls | urls)
        return found

    def _without(self, seen: set[str]) -> Iterator[pa.RecordBatch]:
        """Yield the rows of the table without a sample in the tar."""
        rows = [row for row in self._rows() if str(row["key"]) not in seen]
        text = pa.large_string()
        for start in range(0, len(rows), BATCH):
            some = rows[start : start + BATCH]
            url = [None if self._url is None else row.get(self._url) for row in some]
            late = pa.RecordBatch.from_pydict(
                {
                    "url": pa.array([value if isinstance(value, str) else None for value in url], text),
                    "key": pa.array([str(row["key"]) for row in some], text),
                    "problem": pa.array([UNREADABLE] * len(some), pa.uint8()),
                }
            )
            yield sealed(late, digest_of_columns(late.select(["url", "key"])))


def is_status_table(file: File) -> bool:
    """Return whether a Parquet file lists the status of each key, as img2dataset's do."""
    _, schema, _ = about(file)
    return all(name in schema.names for name in _READ) and is_text(schema.field("status").type)


def _marked(batch: pa.RecordBatch, keys: list[str], listed: Mapping[str, _Listed]) -> pa.RecordBatch:
    """Return ``batch`` with the addresses of the table where it has none; unless it is of names alone, with what
    failed by the table marked unreadable, whatever lies in the tar for it, and what the two say differently malformed.
    """
    urls = batch["url"].to_pylist()
    about = [listed.get(key, _UNLISTED) for key in keys]
    filled = [url or next(iter(sorted(each.urls)), None) for url, each in zip(urls, about, strict=True)]
    columns = {name: batch[name] for name in batch.schema.names} | {"url": pa.array(filled, pa.large_string())}
    if "problem" in columns:
        codes = [
            code or (MALFORMED if not each.agrees(url) else UNREADABLE if each.failed else 0)
            for code, url, each in zip(batch["problem"].to_pylist(), urls, about, strict=True)
        ]
        columns["problem"] = pa.array(codes, pa.uint8())
    facts = msgspec.json.encode([(each.failed, sorted(each.urls)) for each in about])
    return sealed(pa.RecordBatch.from_pydict(columns), digest_of(((seal_of(batch) or "").encode(), facts)))


def _last(key: str) -> str:
    return key.rpartition("/")[2]


def _figures(data: bytes, shown: str, kept: int) -> bytes:
    """Return the figures of a shard as they are of its copy: everything in it was downloaded."""
    try:
        figures = msgspec.json.decode(data, type=dict[str, Any])
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise MalformedError(f"{shown}: expected figures of img2dataset, got {unlike(error)}") from None
    figures |= {"count": kept, "successes": kept, "failed_to_download": 0, "failed_to_resize": 0}
    figures["status_dict"] = {_SUCCESS: kept} if kept else {}
    return msgspec.json.format(msgspec.json.encode(figures), indent=4) + b"\n"
