"""A Parquet file of a million addresses, a tenth of them registered: kept rows, decisions and manifest out.

The peer is a join in DuckDB on the same strings, which writes the same rows twice: kept ones, and all with a verdict.
It knows no other spelling of an address, and fixes nothing by digest, root or signature.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import Final

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from bench.measuring import in_turn, record
from licet.client import Client
from licet.datasets.filtering.build import Filtered, Wish, filter_dataset
from licet.decisions import Request
from licet.fingerprints.urls import url_key
from licet.home import Home, TrustFile
from licet.identifiers import new_uuid
from licet.index import WorkRecord
from licet.terms import preset
from tests.sdk.datasets.registry import Registry

ROWS: Final = 1_000_000
EVERY: Final = 10
ACCOUNTS: Final = 1000
REQUEST: Final = Request(uses=["train-gen"])
WISH: Final = Wish(unknown="keep", offline=True)


def address(number: int) -> str:
    """Return one of many addresses, as they look in datasets."""
    return f"https://pics{number % 9973}.example.org/gallery/{number % 89}/image-{number:08d}.jpg?w=1024&q=80"


def dataset(folder: Path) -> tuple[Path, Path]:
    """Return the dataset and the list of registered addresses, for the peer, both as Parquet."""
    rows = pa.table(
        {"URL": [address(n) for n in range(ROWS)], "TEXT": [f"a caption of picture {n}" for n in range(ROWS)]}
    )
    pq.write_table(rows, folder / "rows.parquet", compression="zstd")
    known = [address(number) for number in range(0, ROWS, EVERY)]
    pq.write_table(pa.table({"URL": known, "verdict": ["deny"] * len(known)}), folder / "known.parquet")
    return folder / "rows.parquet", folder / "known.parquet"


def publish(registry: Registry) -> None:
    """Register the works: each known by one address, every use of it denied."""
    terms = preset("no-ai").encoded
    accounts = [os.urandom(16) for _ in range(ACCOUNTS)]
    for number in range(0, ROWS, EVERY):
        work = new_uuid().bytes
        registry.records[work] = WorkRecord(
            work=work,
            account=accounts[number % ACCOUNTS],
            terms=terms,
            level=2,
            sha256=os.urandom(32),
            urls=[url_key(address(number))],
        )
    registry.publish()


def main() -> None:
    """Measure, check that both keep the same rows, and write ``build/bench/filter_parquet.json``."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rows, known = dataset(folder)
        (folder / "registry").mkdir()
        with Registry(folder / "registry").serving() as registry:
            publish(registry)
            home = Home(folder / "home")
            home.profile("default").trust = TrustFile(
                registry.url, registry.trust.origin, registry.trust.root, "2026-11-22T12:00:00.000Z"
            )
            client = Client(registry.url, home=home, profile="default")
            client.snapshot.pull()
        connection = duckdb.connect()
        connection.execute(f"create table known as from read_parquet('{known}')")
        ours, theirs = folder / "ours", folder / "theirs"

        def filtered() -> Filtered:
            shutil.rmtree(ours, ignore_errors=True)
            ours.mkdir()
            return filter_dataset(client, [rows], ours / "kept.parquet", REQUEST, WISH)

        def joined() -> None:
            shutil.rmtree(theirs, ignore_errors=True)
            theirs.mkdir()
            connection.execute(
                f"copy (select r.* from read_parquet('{rows}') r anti join known using (URL))"
                f" to '{theirs}/kept.parquet' (format parquet, compression zstd)"
            )
            connection.execute(
                f"copy (select r.file_row_number as row, r.URL as url, coalesce(k.verdict, 'unknown') as verdict"
                f" from read_parquet('{rows}', file_row_number = true) r left join known k using (URL))"
                f" to '{theirs}/decisions.parquet' (format parquet, compression zstd)"
            )

        calls = {"licet filter": filtered, "duckdb join, all cores": joined}
        figures = in_turn(calls, ROWS)
        kept = {place.name: pq.read_metadata(place / "kept.parquet").num_rows for place in (ours, theirs)}
        if set(kept.values()) != {ROWS - ROWS // EVERY}:
            raise SystemExit(f"expected both to keep {ROWS - ROWS // EVERY} rows, got {kept}")
        decisions = (ours / "kept.parquet.decisions.parquet").stat().st_size
        record("filter_parquet", "rows", figures, works=ROWS // EVERY, decision_bytes_a_row=round(decisions / ROWS, 1))


if __name__ == "__main__":
    main()
