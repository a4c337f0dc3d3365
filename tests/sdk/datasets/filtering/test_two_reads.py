"""An input is read twice, to examine and to copy: what is kept is what was examined, byte for byte, or nothing is."""

from __future__ import annotations

import gzip
import io
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from licet.client import Client
from licet.datasets.filtering.build import Filtered, Wish, filter_dataset
from licet.datasets.forms.opening import open_input
from licet.datasets.forms.seals import seal_of
from licet.decisions import Request
from licet.errors import InputError, InterruptedJobError
from tests.sdk.datasets.forms.test_archives import archive, shard
from tests.sdk.datasets.world import NO_AI, OPEN, World, encoded, picture

REQUEST = Request(uses=["train-gen"])
KEEP = Wish(unknown="keep")
ROWS = 6
FORMS = ["csv", "csv.gz", "jsonl", "parquet", "pictures.parquet", "struct.parquet", "tar", "folder"]


@pytest.fixture
def known(world: World) -> None:
    """Picture 0 may be used, picture 1 not; so may the addresses of that number."""
    world.work(encoded(picture(0)), "tomas", OPEN)
    world.work(encoded(picture(1)), "tomas", NO_AI, urls=("https://a.example/1",))
    world.registry.publish()


def padded(number: int) -> bytes:
    """A picture file, of the same length whatever it shows."""
    return encoded(picture(number)).ljust(20_000, b"\0")


def table(path: Path, columns: dict[str, Any]) -> None:
    pq.write_table(pa.table(columns), path, compression="none", use_dictionary=False, write_statistics=False)


def written(place: Path, form: str, numbers: list[int]) -> None:
    """Rows of these numbers in a form; of the same length for the same count."""
    urls = [f"https://a.example/{number}" for number in numbers]
    match form:
        case "csv":
            place.write_text("url\n" + "".join(f"{url}\n" for url in urls))
        case "csv.gz":
            # Stored, not squeezed: so that it stays as long.
            place.write_bytes(gzip.compress(("url\n" + "".join(f"{url}\n" for url in urls)).encode(), 0, mtime=0))
        case "jsonl":
            place.write_text("".join(json.dumps({"url": url}) + "\n" for url in urls))
        case "parquet":
            table(place, {"url": urls})
        case "pictures.parquet":
            table(place, {"image": pa.array(list(map(padded, numbers)), pa.binary())})
        case "struct.parquet":
            kind = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
            table(place, {"image": pa.array([{"bytes": padded(n), "path": None} for n in numbers], kind)})
        case "tar":
            place.write_bytes(archive([(f"{row}.png", padded(number)) for row, number in enumerate(numbers)]))
        case "folder":
            place.mkdir(exist_ok=True)
            for row, number in enumerate(numbers):
                with (place / f"{row}.png").open("r+b" if (place / f"{row}.png").exists() else "xb") as file:
                    file.write(padded(number))


def rewritten(place: Path, form: str, numbers: list[int]) -> None:
    """Write other rows in the place of a file, and put the old times back."""
    before = {path: path.stat() for path in (place, *place.rglob("*"))}
    written(place, form, numbers)
    for path, status in before.items():
        assert path.stat().st_size == status.st_size
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def after(rows: int, act: Callable[[], None]) -> Callable[[int], None]:
    """Act once so many rows are reported as done."""
    seen = 0

    def advance(count: int) -> None:
        nonlocal seen
        before, seen = seen, seen + count
        if before < rows <= seen:
            act()

    return advance


def shown(done: Filtered) -> tuple[dict[str, int], Any]:
    out = Path(done.out)
    if out.is_dir():
        return done.counts, {path.name: path.read_bytes() for path in out.iterdir()}
    return done.counts, out.read_bytes()


@pytest.mark.parametrize("form", FORMS)
def test_what_is_rewritten_in_place_with_its_old_time_is_not_kept(
    client: Client, known: None, tmp_path: Path, form: str
) -> None:
    source, out = tmp_path / f"in.{form}", tmp_path / "out"
    good, bad = [0, 2, 3, 4, 5, 6], [0, 2, 3, 4, 5, 1]
    written(source, form, good)
    change = after(ROWS, lambda: rewritten(source, form, bad))
    with pytest.raises(InputError, match="what was examined is not what is there now") as caught:
        filter_dataset(client, [source], out, REQUEST, KEEP, change)
    assert "in." in str(caught.value)
    assert sorted(path.name for path in tmp_path.glob("out*")) == []
    done = filter_dataset(client, [source], out, REQUEST, KEEP)
    assert (done.kept, done.counts["deny"]) == (5, 1)
    assert shown(done) == shown(filter_dataset(client, [source], tmp_path / "whole", REQUEST, KEEP))


@pytest.mark.parametrize("form", FORMS)
def test_what_is_rewritten_between_two_runs_of_a_job_is_not_kept(
    client: Client, known: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    for module, names in {"folder": ("BATCH",), "webdataset": ("BATCH",), "lines": ("BATCH_ROWS",)}.items():
        for name in names:
            monkeypatch.setattr(f"licet.datasets.forms.{module}.{name}", 2)
    monkeypatch.setattr("licet.datasets.forms.parquet.BATCH_ROWS", 2)
    monkeypatch.setattr("licet.datasets.forms.parquet.BATCH_FILES", 2)
    source, out = tmp_path / f"in.{form}", tmp_path / "out"
    written(source, form, [0, 2, 3, 4, 5, 6])

    def stop() -> None:
        raise KeyboardInterrupt

    with pytest.raises(InterruptedJobError):
        filter_dataset(client, [source], out, REQUEST, KEEP, after(4, stop))
    rewritten(source, form, [1, 2, 3, 4, 5, 6])  # what was examined already
    with pytest.raises(InputError, match="the same command examines it anew"):
        filter_dataset(client, [source], out, REQUEST, KEEP)
    done = filter_dataset(client, [source], out, REQUEST, KEEP)
    assert (done.kept, done.counts["deny"]) == (5, 1)


@pytest.mark.parametrize("rows", [3, 6])  # once the tar is examined, and once it is copied
def test_a_shard_whose_table_names_other_pictures_by_now_is_not_kept(
    client: Client, known: None, tmp_path: Path, rows: int
) -> None:
    source, out = tmp_path / "in", tmp_path / "out"
    pictures = {f"{number:09d}": encoded(picture(number)) for number in (0, 2, 3)}
    shard(source, 0, pictures, {})
    [place] = source.glob("*.parquet")
    columns = pq.read_table(place).to_pydict()
    table(place, columns)
    urls = columns["url"]

    def change() -> None:
        before = place.stat()
        table(place, {**columns, "url": [urls[0].replace("0", "1"), *urls[1:]]})
        assert place.stat().st_size == before.st_size
        os.utime(place, ns=(before.st_atime_ns, before.st_mtime_ns))

    with pytest.raises(InputError, match="what was examined is not what is there now"):
        filter_dataset(client, [source], out, REQUEST, KEEP, after(rows, change))
    assert not out.exists()
    assert filter_dataset(client, [source], out, REQUEST, KEEP).counts["review"] == 1


def test_a_header_that_names_other_columns_by_now_is_noticed(client: Client, known: None, tmp_path: Path) -> None:
    source, out = tmp_path / "in.csv", tmp_path / "out"
    rows = "".join(f"https://a.example/{n},https://b.example/{n}\n" for n in range(1, 5))
    source.write_text("old,url\n" + rows)

    def stop() -> None:
        raise KeyboardInterrupt

    with pytest.raises(InterruptedJobError):
        filter_dataset(client, [source], out, REQUEST, KEEP, after(4, stop))
    before = source.stat()
    source.write_text("url,old\n" + rows)
    os.utime(source, ns=(before.st_atime_ns, before.st_mtime_ns))
    with pytest.raises(InputError, match="what was examined is not what is there now"):
        filter_dataset(client, [source], out, REQUEST, KEEP)
    assert filter_dataset(client, [source], out, REQUEST, KEEP).counts["deny"] == 1


def test_a_picture_that_is_a_pipe_by_now_ends_the_job(client: Client, known: None, tmp_path: Path) -> None:
    source = tmp_path / "in"
    written(source, "folder", [0, 2])

    def change() -> None:
        (source / "1.png").unlink()
        os.mkfifo(source / "1.png")

    with pytest.raises(InputError, match="input changed while the job ran"):
        filter_dataset(client, [source], tmp_path / "out", REQUEST, KEEP, after(2, change))


@pytest.mark.parametrize("layout", ["one", "groups", "dictionary", "large", "view"])
def test_a_batch_has_the_same_digest_however_its_columns_lie(tmp_path: Path, layout: str) -> None:
    urls = [None if n % 7 == 3 else f"https://a.example/{n}" for n in range(1000)]
    kinds = {"large": pa.large_string(), "view": pa.string_view()}
    column = pa.array(urls, kinds.get(layout, pa.string()))
    if layout == "dictionary":
        column = column.dictionary_encode()
    sizes = {"groups": 1000, "one": 1000}
    pq.write_table(
        pa.table({"url": column, "x": range(1000)}), tmp_path / "t.parquet", row_group_size=sizes.get(layout)
    )
    [part] = open_input([tmp_path / "t.parquet"]).parts
    [examined] = map(seal_of, part.batches())
    copying = part.write(tmp_path / "copy")
    assert seal_of(next(copying)) == examined is not None
    out = io.BytesIO()
    pq.write_table(pa.table({"url": pa.array(urls)}), out)
    (tmp_path / "plain.parquet").write_bytes(out.getvalue())
    [plain] = open_input([tmp_path / "plain.parquet"]).parts
    assert [seal_of(batch) for batch in plain.batches()] == [examined]
