"""The same addresses as Parquet, CSV and JSON Lines, and the same pictures in a tar: what each form costs a filter.

Beside each is a peer that reads the same rows and writes nine tenths of them in the same form, chosen by a set of
addresses: pandas for the tables, Python's own ``tarfile`` for the archive. The peers decide nothing, re-write numbers
and quoting, and take what is malformed for a row.
"""

from __future__ import annotations

import io
import shutil
import tarfile
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Final

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from bench.filter_parquet import EVERY, REQUEST, WISH, address
from bench.measuring import in_turn, record
from licet.client import Client
from licet.datasets.filtering.build import Filtered, filter_dataset
from licet.fingerprints.urls import url_key
from licet.home import Home, TrustFile
from licet.identifiers import new_uuid
from licet.index import WorkRecord
from licet.terms import preset
from tests.sdk.datasets.registry import Registry

ROWS: Final = 60_000
SAMPLES: Final = 10_000
TABLES: Final[dict[str, tuple[Callable[[Path], Any], Callable[[Any, Path], Any]]]] = {
    "parquet": (pd.read_parquet, lambda rows, place: rows.to_parquet(place, compression="zstd")),
    "csv": (pd.read_csv, lambda rows, place: rows.to_csv(place, index=False)),
    "jsonl": (partial(pd.read_json, lines=True), lambda rows, place: rows.to_json(place, orient="records", lines=True)),
}


def publish(registry: Registry) -> None:
    """Register every tenth address, denied."""
    terms = preset("no-ai").encoded
    account = new_uuid().bytes
    for number in range(0, ROWS, EVERY):
        work = new_uuid().bytes
        registry.records[work] = WorkRecord(
            work=work,
            account=account,
            terms=terms,
            level=2,
            sha256=number.to_bytes(32),
            urls=[url_key(address(number))],
        )
    registry.publish()


def datasets(folder: Path) -> None:
    """Write the rows in each form; the samples of the archive are known by the address in their JSON."""
    columns = {"url": [address(n) for n in range(ROWS)], "text": [f"a caption of picture {n}" for n in range(ROWS)]}
    frame = pd.DataFrame(columns)
    pq.write_table(pa.table(columns), folder / "in.parquet", compression="zstd")
    frame.to_csv(folder / "in.csv", index=False)
    frame.to_json(folder / "in.jsonl", orient="records", lines=True)
    with tarfile.open(folder / "in.tar", "w") as archive:
        for number in range(SAMPLES):
            for ending, body in (
                ("txt", f"a caption of picture {number}"),
                ("json", f'{{"url": "{address(number)}"}}'),
            ):
                info = tarfile.TarInfo(f"{number:08d}.{ending}")
                info.size = len(body)
                archive.addfile(info, io.BytesIO(body.encode()))


def picked(form: str, source: Path, place: Path, known: frozenset[str]) -> None:
    """Read the rows as a peer does, and write those whose address is not known."""
    if form != "tar":
        read, write = TABLES[form]
        rows = read(source)
        write(rows[~rows["url"].isin(known)], place)
        return
    with tarfile.open(source) as archive, tarfile.open(place, "w") as out:
        waiting: list[tuple[tarfile.TarInfo, bytes]] = []
        for info in archive:
            body = archive.extractfile(info)
            waiting.append((info, body.read() if body else b""))
            if info.name.endswith(".json"):
                if waiting[-1][1][9:-2].decode() not in known:
                    for each, data in waiting:
                        out.addfile(each, io.BytesIO(data))
                waiting = []


def main() -> None:
    """Measure, check that each form keeps as many rows as its peer, and write ``build/bench/filter_forms_*.json``."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        datasets(folder)
        (folder / "registry").mkdir()
        with Registry(folder / "registry").serving() as registry:
            publish(registry)
            home = Home(folder / "home")
            trust = registry.trust
            home.profile("default").trust = TrustFile(
                registry.url, trust.origin, trust.root, "2026-11-22T12:00:00.000Z"
            )
            client = Client(registry.url, home=home, profile="default")
            client.snapshot.pull()
        known = frozenset(address(number) for number in range(0, ROWS, EVERY))

        def ours(form: str) -> Filtered:
            shutil.rmtree(folder / "ours", ignore_errors=True)
            (folder / "ours").mkdir()
            done = filter_dataset(client, [folder / f"in.{form}"], folder / "ours" / f"out.{form}", REQUEST, WISH)
            if done.kept != done.rows - done.rows // EVERY:
                raise SystemExit(f"{form}: expected all but every {EVERY}th row, got {done.kept} of {done.rows}")
            return done

        for form in (*TABLES, "tar"):
            peer = partial(picked, form, folder / f"in.{form}", folder / f"theirs.{form}", known)
            calls: dict[str, Callable[[], Any]] = {f"licet filter, {form}": partial(ours, form)}
            calls |= {"python's tarfile" if form == "tar" else "pandas": peer}
            if form in ("csv", "jsonl"):
                calls["licet filter, parquet"] = partial(ours, "parquet")
            record(f"filter_forms_{form}", "rows", in_turn(calls, SAMPLES if form == "tar" else ROWS))


if __name__ == "__main__":
    main()
