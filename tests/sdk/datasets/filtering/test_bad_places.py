"""Places that a job reads and writes which are hostile or full: a plain error, nothing half-written, and it goes on."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from licet.client import Client
from licet.datasets.filtering.build import Filtered, Wish, filter_dataset
from licet.datasets.results.decisions_file import DecisionsFile
from licet.datasets.results.manifest import read_manifest
from licet.decisions import Request
from licet.errors import InputError
from tests.sdk.datasets.forms.test_archives import archive, shard
from tests.sdk.datasets.world import NO_AI, OPEN, World, encoded, picture
from tests.unprivileged import unprivileged

REQUEST = Request(uses=["train-gen"])
BATCHES = [
    (f"licet.datasets.forms.{module}", name)
    for module, names in {
        "folder": "BATCH",
        "img2dataset": "BATCH",
        "webdataset": "BATCH",
        "lines": "BATCH_FILES BATCH_ROWS",
        "parquet": "BATCH_FILES BATCH_ROWS",
    }.items()
    for name in names.split()
]
KEEP = Wish(unknown="keep")

# Runs the job once for each number, in a process of its own that kills itself for good once so many rows are reported
# as done. What is loaded is loaded once.
KILLED = """
import os, signal, sys
from pathlib import Path
import cv2
import licet.fingerprints.picture
from licet.client import Client
from licet.datasets.forms import folder, img2dataset, lines, parquet, webdataset
from licet.datasets.filtering.build import Wish, filter_dataset
from licet.decisions import Request
from licet.home import Home

url, home, token, source, out, *limits = sys.argv[1:]
for module, name in BATCHES:
    setattr(sys.modules[module], name, 2)
seen = 0

def advance(rows):
    global seen
    seen += rows
    if seen >= limit:
        os.kill(os.getpid(), signal.SIGKILL)

def run():
    with Client(url, token, home=Home(home), profile="default") as client:
        filter_dataset(client, [source], out, Request(uses=["train-gen"]), Wish(unknown="keep"), advance)

for limit in map(int, limits):
    child = os.fork()
    if not child:
        run()
        os._exit(0)
    status = os.waitpid(child, 0)[1]
    assert os.waitstatus_to_exitcode(status) == -signal.SIGKILL, status
    assert sorted(path.name for path in Path(out).parent.glob("out*")) == ["out.job"]
"""


@pytest.fixture
def known(world: World) -> None:
    """Picture 0 may be used, picture 1 not; so may the addresses of that number."""
    world.work(encoded(picture(0)), "tomas", OPEN)
    world.work(encoded(picture(1)), "tomas", NO_AI, urls=("https://a.example/1",))
    world.registry.publish()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own with two megabytes."""
    place = tmp_path / "small"
    place.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(place)], capture_output=True, check=False
    )
    if made.returncode:
        pytest.skip("mounting a small file system takes root")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def content(place: Path) -> dict[str, bytes]:
    if place.is_file():
        return {"": place.read_bytes()}
    return {
        path.relative_to(place).as_posix(): path.read_bytes() for path in sorted(place.rglob("*")) if path.is_file()
    }


def root(done: Filtered) -> str:
    return read_manifest(Path(done.manifest)).payload.decisions_root


def inputs(folder: Path, form: str) -> Path:
    """Eight rows of a form."""
    urls = [f"https://a.example/{number}" for number in range(8)]
    pictures = {f"{number:09d}": encoded(picture(number)) for number in range(6)}
    match form:
        case "csv":
            (folder / "t.csv").write_text("url\n" + "".join(f"{url}\n" for url in urls))
        case "jsonl":
            (folder / "t.jsonl").write_text("".join(json.dumps({"url": url}) + "\n" for url in urls))
        case "parquet":
            pq.write_table(pa.table({"url": urls}), folder / "t.parquet")
        case "tar":
            (folder / "t.tar").write_bytes(archive([(f"{n}.png", encoded(picture(n))) for n in range(8)]))
        case "img2dataset":
            shard(folder / "t.img2dataset", 0, pictures, {"7": "failed_to_download", "8": "failed_to_resize"})
        case "parts":
            (folder / "t.parts").mkdir()
            for part in range(2):
                pq.write_table(pa.table({"url": urls[part * 4 : part * 4 + 4]}), folder / "t.parts" / f"{part}.parquet")
    return folder / f"t.{form}"


@pytest.mark.parametrize("form", ["csv", "jsonl", "parquet", "tar", "img2dataset", "parts"])
def test_a_job_killed_anywhere_goes_on_and_comes_to_the_same(
    client: Client, world: World, known: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    source = inputs(tmp_path, form)
    account = client.profile.account
    assert account is not None
    whole = filter_dataset(client, [source], tmp_path / "whole", REQUEST, KEEP)
    assert whole.rows == 8
    assert 0 < whole.kept < 8
    out = tmp_path / "out"
    given = [str(each) for each in (world.registry.url, client.home.folder, account.account, source, out)]
    # While it examines, and while it writes.
    script = f"BATCHES = {BATCHES}\n{KILLED}"
    subprocess.run([sys.executable, "-c", script, *given, "4", "14"], timeout=100, check=True)
    for module, name in BATCHES:
        monkeypatch.setattr(f"{module}.{name}", 2)
    other = Request(uses=["mine"])
    with pytest.raises(InputError, match="was asked something else"):
        filter_dataset(client, [source], out, other, KEEP)
    filter_dataset(client, [source], out, REQUEST, KEEP)
    assert content(out) == content(tmp_path / "whole")
    manifest = read_manifest(tmp_path / "out.manifest.json").payload
    assert (manifest.decisions_root, manifest.counts) == (root(whole), whole.counts)
    DecisionsFile.find(out).verify()


def test_several_parts_have_decisions_each_and_are_read_as_one(client: Client, known: None, tmp_path: Path) -> None:
    done = filter_dataset(client, [inputs(tmp_path, "parts")], tmp_path / "out", REQUEST, KEEP)
    found = sorted(path.name for path in Path(done.decisions).iterdir())
    assert found == ["0.parquet.decisions.parquet", "1.parquet.decisions.parquet"]
    assert pq.read_table(done.decisions)["row"].to_pylist() == [0, 1, 2, 3, 0, 1, 2, 3]
    file = DecisionsFile.find(Path(done.out))
    file.verify()
    assert file.rows == 8
    again = filter_dataset(client, [tmp_path / "t.parts"], tmp_path / "out", REQUEST, Wish(overwrite=True))
    assert again.kept == 0


@pytest.mark.parametrize("form", ["csv", "tar", "pictures"])
def test_a_full_disk_is_named_leaves_nothing_whole_and_is_gone_on_from(
    client: Client, known: None, tmp_path: Path, small_disk: Path, form: str
) -> None:
    noise = os.urandom(1 << 20)
    if form == "csv":
        source = tmp_path / "t.csv"
        rows = "".join(f"https://a.example/{number},{noise[:4000].hex()}\n" for number in range(300))
        source.write_text("url,other\n" + rows)
    elif form == "tar":
        source = tmp_path / "t.tar"
        members: list[Any] = []
        for number in range(3):
            members += [(f"{number}.png", encoded(picture(number))), (f"{number}.bin", noise)]
        source.write_bytes(archive(members))
    else:
        source = tmp_path / "pictures"
        source.mkdir()
        for number in range(3):
            (source / f"{number}.png").write_bytes(encoded(picture(number)))
            (source / f"{number}.txt").write_bytes(noise)
    out = small_disk / "out"
    with pytest.raises(InputError, match="No space left on device") as caught:
        filter_dataset(client, [source], out, REQUEST, KEEP)
    assert str(small_disk) in str(caught.value)
    assert [path.name for path in small_disk.iterdir()] == ["out.job"]
    subprocess.run(["mount", "-o", "remount,size=20m", str(small_disk)], check=True)
    done = filter_dataset(client, [source], out, REQUEST, KEEP)
    assert done.kept == done.rows - 1
    whole = filter_dataset(client, [source], tmp_path / "whole", REQUEST, KEEP)
    assert content(out) == content(Path(whole.out))
    assert root(done) == root(whole)


def test_files_that_cannot_be_examined_are_rows_for_a_look(client: Client, known: None, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    (folder / "deep").mkdir(parents=True)
    (folder / "0.png").write_bytes(encoded(picture(0)))
    (folder / "broken.png").symlink_to("nowhere.png")
    (folder / "loop.png").symlink_to("loop.png")
    (folder / "deep" / "round").symlink_to(folder)
    os.mkfifo(folder / "pipe.png")
    (folder / "new\nline 😀.png").write_bytes(encoded(picture(0)))
    Path(os.fsdecode(os.fsencode(folder) + b"/\xff.png")).write_bytes(encoded(picture(0)))
    done = filter_dataset(client, [folder], tmp_path / "out", REQUEST)
    rows = {row["path"]: (row["verdict"], row["reason"]) for row in pq.read_table(done.decisions).to_pylist()}
    assert rows == {
        "0.png": ("allow", "allowed"),
        "broken.png": ("review", "unreadable"),
        "loop.png": ("review", "unreadable"),
        "pipe.png": ("review", "unreadable"),
        "new\nline 😀.png": ("allow", "allowed"),
        "\\xff.png": ("review", "malformed"),
    }
    assert sorted(content(tmp_path / "out")) == ["0.png", "new\nline 😀.png"]
    assert any("expected names in UTF-8" in note for note in done.notes)


def test_links_at_the_output_lead_nothing_elsewhere(client: Client, known: None, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("url\nhttps://a.example/0\n")
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    (theirs / "file").write_text("precious")

    def there() -> dict[str, bytes]:
        return content(theirs)

    before = there()
    (tmp_path / "out.csv").symlink_to(theirs / "file")
    for wish in (KEEP, Wish(unknown="keep", overwrite=True)):
        with pytest.raises(InputError, match="expected nothing there, or an earlier result"):
            filter_dataset(client, [tmp_path / "t.csv"], tmp_path / "out.csv", REQUEST, wish)
    (tmp_path / "two.csv.job").symlink_to(theirs)
    with pytest.raises(InputError, match=r"two\.csv\.job: expected a place to work in, got a link to .*theirs"):
        filter_dataset(client, [tmp_path / "t.csv"], tmp_path / "two.csv", REQUEST, KEEP)
    for ending in ("", ".manifest.json", ".decisions.parquet"):  # dangling: replaced, not followed
        (tmp_path / f"three.csv{ending}").symlink_to(theirs / f"made{ending}")
    assert filter_dataset(client, [tmp_path / "t.csv"], tmp_path / "three.csv", REQUEST, KEEP).kept == 1
    assert not (tmp_path / "three.csv").is_symlink()
    assert there() == before


def test_a_file_without_permission_is_a_row_for_a_look(client: Client, known: None, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "0.png").write_bytes(encoded(picture(0)))
    (tmp_path / "in" / "0.png").chmod(0)
    done = unprivileged(lambda: filter_dataset(client, [tmp_path / "in"], tmp_path / "out", REQUEST))
    assert done.counts["review"] == 1
    (tmp_path / "in" / "0.png").chmod(0o600)
    assert filter_dataset(client, [tmp_path / "in"], tmp_path / "again", REQUEST).counts["review"] == 0


# Reads and copies each table in turn, and prints the most memory that the process took until then, in kB.
MEMORY = """
import sys
from pathlib import Path
import numpy as np
from licet.datasets.forms.opening import open_input

for source in sys.argv[2:]:
    [part] = open_input([source]).parts
    for batch in part.batches():
        pass
    del batch
    copying = part.write(Path(sys.argv[1]))
    rows = len(next(copying))
    while rows:
        try:
            rows = len(copying.send(np.ones(rows, np.bool_)))
        except StopIteration:
            rows = 0
    # Of this process alone: what getrusage says counts that of the one that started it.
    print(next(line for line in Path("/proc/self/status").read_text().splitlines() if "VmHWM" in line).split()[1])
"""
ROW = 100_000


def table(path: Path, rows: int) -> Path:
    """Rows of 100 kB; those of Parquet in one row group."""
    noise = os.urandom(2 * ROW)
    datas = (noise[number : number + ROW] for number in range(rows))
    if path.suffix == ".parquet":
        images = pa.array(datas, pa.binary())
        # A page is held whole, and without write_batch_size one takes a thousand values.
        options: dict[str, Any] = {"row_group_size": rows, "use_dictionary": False, "compression": "none"}
        options["write_batch_size"] = 10
        pq.write_table(pa.table({"image": images}), path, write_statistics=False, **options)
    elif path.suffix == ".tar":
        path.write_bytes(archive([(f"{number}.jpg", data) for number, data in enumerate(datas)]))
    else:
        with path.open("w") as file:
            for number, data in enumerate(datas):
                file.write(json.dumps({"url": f"https://a.example/{number}", "x": data[: ROW // 2].hex()}) + "\n")
    return path


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs /proc")
@pytest.mark.parametrize("form", ["parquet", "tar", "jsonl"])
def test_memory_does_not_grow_with_the_file(tmp_path: Path, form: str) -> None:
    # The smaller fills whatever is gathered before it is written (64 MB at most). The larger has 320 MB more: half of
    # it is more than an allocator keeps for itself, on a busy machine too, and less than a leak.
    sources = [table(tmp_path / f"{rows}.{form}", rows) for rows in (1600, 4800)]
    done = subprocess.run(
        [sys.executable, "-c", MEMORY, *map(str, [tmp_path / "out", *sources])],
        capture_output=True, text=True, check=True, timeout=100,
    )  # fmt: skip
    small, large = map(int, done.stdout.split())
    assert large - small < 160_000, (small, large)
