"""Datasets of addresses in several parts, as large as wanted, some of them registered."""

from __future__ import annotations

import os
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from licet import Client
from licet.fingerprints.urls import url_key
from licet.home import Home, TrustFile
from licet.identifiers import new_uuid
from licet.index import WorkRecord
from tests.sdk.datasets.registry import Registry
from tests.sdk.datasets.world import NO_AI, OPEN, PAID


def addresses(numbers: Any) -> pa.Array:
    """Addresses as they look in datasets, one for each number."""
    host = pc.cast(pa.array(numbers % 9973), pa.string())
    place = pc.cast(pa.array(numbers % 89), pa.string())
    name = pc.cast(pa.array(numbers), pa.string())
    return pc.binary_join_element_wise(
        "https://pics", host, ".example.org/gallery/", place, "/image-", name, ".jpg?w=1024&q=80", ""
    )


def digest(number: int) -> bytes:
    """The SHA-256 of the file at an address."""
    return sha256(b"file %d" % number).digest()


def write_parts(folder: Path, rows: int, parts: int, every: int) -> Path:
    """Write ``rows`` addresses with captions into ``parts`` Parquet files.

    Of every second work of `register` the table also has the digest of the file: only that can be allowed or licensed.
    """
    folder.mkdir(parents=True)
    cuts = [rows * part // parts for part in range(parts + 1)]
    for part in range(parts):
        numbers = np.arange(cuts[part], cuts[part + 1])
        captions = pc.binary_join_element_wise("a caption of picture ", pc.cast(pa.array(numbers), pa.string()), "")
        files = [digest(number) if number % (2 * every) == 0 else None for number in numbers.tolist()]
        table = pa.table({"URL": addresses(numbers), "TEXT": captions, "SHA256": pa.array(files, pa.binary(32))})
        pq.write_table(table, folder / f"part-{part:05d}.parquet", compression="zstd", row_group_size=1 << 18)
    return folder


def register(registry: Registry, rows: int, every: int) -> int:
    """Publish a work for every so many rows, known by address and file: denied, open or for a price; say how many."""
    accounts = [os.urandom(16) for _ in range(100)]
    numbers = np.arange(0, rows, every)
    for number, address in zip(numbers.tolist(), addresses(numbers).to_pylist(), strict=True):
        work = new_uuid().bytes
        registry.records[work] = WorkRecord(
            work=work,
            account=accounts[number // every % len(accounts)],
            terms=(NO_AI, OPEN, PAID)[number // every % 3].encoded,
            level=2,
            log_index=1,
            statement=new_uuid().bytes,
            sha256=digest(number),
            urls=[url_key(address)],
        )
    registry.publish()
    return len(numbers)


def client_of(registry: Registry, home: Path) -> Client:
    """A client without an account, with the newest snapshot."""
    made = Home(home)
    trust = registry.trust
    made.profile("default").trust = TrustFile(registry.url, trust.origin, trust.root, "2026-11-22T12:00:00.000Z")
    client = Client(registry.url, home=made, profile="default")
    client.snapshot.pull()
    return client
