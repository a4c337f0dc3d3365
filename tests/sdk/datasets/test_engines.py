"""Pipelines of others decide as the client does: Arrow streams, Hugging Face, webdataset, img2dataset's two sides."""

from __future__ import annotations

import gzip
import io
import json
import pickle
import tarfile
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from licet import InputError, Request, Wish
from licet.datasets.examining import pinned as opening
from licet.datasets.pinned import Pinned
from licet.datasets.session import Client
from licet.engines import arrow, huggingface, img2dataset, ray, spark, webdataset
from licet.engines.needed import needed
from tests.sdk.datasets.world import NO_AI, OPEN, PAID, World, encoded, picture

REQUEST = Request(uses=["train-gen"])
ROWS = [{"url": f"https://x.example/{number}.jpg", "caption": f"number {number}"} for number in range(1, 8)]
PICTURES = [{"image": encoded(picture(number)), "caption": f"number {number}"} for number in range(1, 5)]


@pytest.fixture
def session(world: World) -> Iterator[Client]:
    """A client of an organisation with a snapshot of three works."""
    world.work(encoded(picture(1)), "tomas", OPEN, urls=("https://x.example/1.jpg",))
    world.work(encoded(picture(2)), "tomas", NO_AI, urls=("https://x.example/2.jpg",))
    world.work(encoded(picture(3)), "mei", PAID, urls=("https://x.example/3.jpg",))
    world.registry.publish()
    base = world.client()
    base.close()
    opening._OPENED.clear()
    with Client(base.url, base.transport.token, home=base.home, profile="default") as made:
        made.snapshot.pull()
        yield made
    opening._OPENED.clear()


@pytest.fixture
def pin(session: Client) -> Pinned:
    """Its snapshot, pinned."""
    return session.snapshot.pin()


def test_an_arrow_stream_is_decided_as_it_is_read(pin: Pinned):
    taken = []

    def batches() -> Iterator[pa.RecordBatch]:
        for start in range(0, len(ROWS), 2):
            taken.append(start)
            yield pa.RecordBatch.from_pylist(ROWS[start : start + 2])

    table = pa.Table.from_pylist(ROWS)
    reader = arrow.annotate(pa.RecordBatchReader.from_batches(table.schema, batches()), pin, REQUEST)
    assert next(iter(reader)).num_rows == 2
    assert len(taken) < 4
    whole = pa.table(arrow.annotate(table.to_reader(2), pin, REQUEST))
    assert whole.equals(pin.annotate(table, REQUEST))
    kept = pa.table(arrow.filter(table.to_reader(2), pin, REQUEST, unknown="keep"))
    assert kept.equals(pin.filter(table, REQUEST, unknown="keep"))
    assert kept.num_rows == 4


def test_an_arrow_stream_is_decided_by_the_columns_that_are_named(pin: Pinned):
    table = pa.table({"url": [f"https://y.example/{n}.jpg" for n in (1, 2)], "LINK": [row["url"] for row in ROWS[:2]]})
    named = pa.table(arrow.annotate(table.to_reader(), pin, REQUEST, columns={"url": "LINK"}))
    assert named["verdict"].to_pylist() == ["review", "deny"]
    kept = pa.table(arrow.filter(table.to_reader(), pin, REQUEST, columns={"url": "LINK"}, unknown="keep"))
    assert kept.num_rows == 0


def test_an_arrow_stream_with_a_taken_name_is_refused_before_it_is_read(pin: Pinned):
    stream = pa.table({"url": ["https://x.example/1.jpg"], "verdict": ["mine"]}).to_reader()
    with pytest.raises(InputError, match="verdict"):
        arrow.annotate(stream, pin, REQUEST)
    named = arrow.annotate(pa.table({"url": ["u"], "verdict": ["mine"]}).to_reader(), pin, REQUEST, prefix="licet_")
    assert "licet_verdict" in named.schema.names


@pytest.mark.parametrize("rows", [ROWS, PICTURES], ids=["addresses", "pictures"])
def test_a_hugging_face_dataset_is_decided_as_by_the_client(session: Client, pin: Pinned, rows: list[dict[str, Any]]):
    library = pytest.importorskip("datasets")
    data = library.Dataset.from_list(rows)
    dated = Request(uses=["train-gen"], at=pin.at)
    expected = session.annotate(data, dated)
    assert huggingface.annotate(data, pin, REQUEST).to_list() == expected.to_list()
    kept = huggingface.filter(data, pin, REQUEST, unknown="keep")
    assert kept.to_list() == session.filter(data, dated, unknown="keep").to_list()
    assert kept.features == expected.features
    stream = huggingface.annotate(data.to_iterable_dataset(), pin, REQUEST)
    assert list(stream) == expected.to_list()


def test_a_hugging_face_dataset_without_rows_gets_its_columns_and_a_format_stays(pin: Pinned):
    library = pytest.importorskip("datasets")
    data = library.Dataset.from_list(ROWS)
    whole = huggingface.annotate(data, pin, REQUEST)
    for found in (
        huggingface.annotate(data.select([]), pin, REQUEST),
        huggingface.filter(data.select([]), pin, REQUEST),
        huggingface.filter(data, pin, REQUEST),  # of which nothing is kept
    ):
        assert len(found) == 0
        assert found.features == whole.features
    shown = huggingface.annotate(data.with_format("numpy", columns=["url"]), pin, REQUEST)
    assert shown.format["type"] == "numpy"
    assert shown.format["columns"] == ["url", *[name for name in whole.column_names if name not in data.column_names]]


def test_splits_and_taken_names_are_refused(pin: Pinned):
    library = pytest.importorskip("datasets")
    data = library.Dataset.from_list([{"url": "https://x.example/1.jpg", "verdict": "mine"}])
    with pytest.raises(InputError, match="one split"):
        huggingface.annotate(library.DatasetDict({"train": data}), pin, REQUEST)
    with pytest.raises(InputError, match="licet_"):
        huggingface.annotate(data, pin, REQUEST)


def samples() -> list[dict[str, Any]]:
    """What webdataset hands on before it decodes: one picture, two pictures, none, and JSON that is none."""
    return [
        {"__key__": "a", "png": encoded(picture(1)), "txt": b"open"},
        {"__key__": "b", "png": encoded(picture(1)), "2.png": encoded(picture(2)), "txt": b"open and denied"},
        {"__key__": "c", "json": b'{"url": "https://x.example/2.jpg"}'},
        {"__key__": "d", "png": encoded(picture(4)), "json": b"{"},
        {"__key__": "e", "png": encoded(picture(4)), "json": b'{"url": "https://x.example/2.jpg"}'},
    ]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning")  # not ours
def test_whole_samples_of_webdataset_pass_or_do_not(pin: Pinned, tmp_path: Path):
    library = pytest.importorskip("webdataset")
    with tarfile.open(tmp_path / "00000.tar", "w") as archive:
        for sample in samples():
            for name, data in sample.items():
                if name != "__key__":
                    member = tarfile.TarInfo(f"{sample['__key__']}.{name}")
                    member.size = len(data)
                    archive.addfile(member, io.BytesIO(data))
    stage = pickle.loads(pickle.dumps(webdataset.filter(pin, REQUEST, unknown="keep")))
    shards = library.WebDataset(str(tmp_path / "00000.tar"), shardshuffle=False, empty_check=False)
    passed = list(shards.compose(stage))
    assert [sample["__key__"] for sample in passed] == ["a", "d"]
    assert passed[0]["png"] == encoded(picture(1))
    told = {each["__key__"]: json.loads(each["licet.json"]) for each in webdataset.annotate(pin, REQUEST)(samples())}
    assert [row["verdict"] for row in told["b"]["decisions"]] == ["allow", "deny"]
    assert not told["b"]["kept"]
    assert told["c"]["decisions"][0]["verdict"] == "deny"


def test_a_sample_is_in_a_pipeline_what_it_is_in_an_archive(pin: Pinned):
    denied, other = encoded(picture(2)), encoded(picture(4))
    given: list[dict[str, Any]] = [
        {"__key__": "bytes", "img": denied},
        {"__key__": "packed", "png.gz": gzip.compress(other)},
        {"__key__": "empty", "png": b"", "json": b'{"url": "https://y.example/1.jpg"}'},
        {"__key__": "spelled", "png": other, "json": b'{"URL": "https://x.example/2.jpg"}'},
        {"__key__": "digest", "json": json.dumps({"sha256": sha256(denied).hexdigest()}).encode()},
        {
            "__key__": "two",
            "png": other,
            "json": b'{"url": "https://y.example/1"}',
            "b.json": b'{"url": "https://y.example/2"}',
        },
        {"__key__": "beside", "png": other, "json": b"{}", "meta.json": b'{"url": "https://x.example/2.jpg"}'},
        {"__key__": "other", "png": other, "txt": "a caption", "score": 0.5},
    ]
    stage = webdataset.annotate(pin, REQUEST, unknown="keep")
    told = {each["__key__"]: json.loads(each["licet.json"]) for each in stage(given)}
    assert {key: each["decisions"][0]["verdict"] for key, each in told.items()} == {
        "bytes": "deny",
        "packed": "review",
        "empty": "review",
        "spelled": "deny",
        "digest": "deny",
        "two": "review",
        "beside": "deny",
        "other": "unknown",
    }
    assert [key for key, each in told.items() if each["kept"]] == ["other"]
    linked = {"__key__": "a", "png": other, "json": b'{"link": "https://x.example/2.jpg"}'}
    assert not list(webdataset.filter(pin, REQUEST, unknown="keep", columns={"url": "link"})([linked]))


@pytest.mark.parametrize(
    ("sample", "words"),
    [
        ({"__key__": "a", "png": picture(4)}, "sample a, member png: expected bytes"),
        ({"__key__": "a", "image": picture(4), "json": b"{}"}, "sample a, member image: expected bytes"),
        ({"__key__": "a", "json": {"url": "https://x.example/2.jpg"}}, "sample a, member json: expected bytes"),
        ((b"", b""), "dicts, before to_tuple"),
    ],
    ids=["picture", "renamed", "json", "tuple"],
)
def test_samples_that_were_decoded_before_are_refused(pin: Pinned, sample: Any, words: str):
    with pytest.raises(InputError, match=words):
        list(webdataset.filter(pin, REQUEST, unknown="keep")([sample]))


def test_both_sides_of_img2dataset_are_one_filter(session: Client, tmp_path: Path):
    pq.write_table(pa.table({"URL": [row["url"] for row in ROWS]}), tmp_path / "list.parquet")
    first = img2dataset.before(session, tmp_path / "list.parquet", tmp_path / "wanted", REQUEST, columns={"url": "URL"})
    wanted = pq.read_table(tmp_path / "wanted")["URL"].to_pylist()
    assert [row["url"] for row in ROWS if row["url"] not in wanted] == [f"https://x.example/{n}.jpg" for n in (1, 2, 3)]
    shards = tmp_path / "shards"
    shards.mkdir()
    rows = []
    with tarfile.open(shards / "00000.tar", "w") as archive:
        for number, url in enumerate(wanted):
            key, failed = f"0000{number:05d}", number == 1
            data = encoded(picture(2 if number == 0 else 40 + number))  # what is behind the first is denied
            rows.append({"key": key, "url": url, "status": "failed_to_download" if failed else "success"})
            rows[-1] |= {
                "error_message": "404" if failed else None,
                "sha256": None if failed else sha256(data).hexdigest(),
            }
            for ending, body in (("png", data), ("json", json.dumps(rows[-1]).encode())) if not failed else ():
                member = tarfile.TarInfo(f"{key}.{ending}")
                member.size = len(body)
                archive.addfile(member, io.BytesIO(body))
    pq.write_table(pa.Table.from_pylist(rows), shards / "00000.parquet")
    (shards / "00000_stats.json").write_text(json.dumps({"count": 4, "successes": 3, "failed_to_download": 1}))
    done = img2dataset.after(session, shards, tmp_path / "kept", REQUEST, first.manifest, wish=Wish(unknown="keep"))
    assert done.counts["deny"] == 1
    assert done.counts["review"] == 1
    assert sorted(path.name for path in Path(done.out).rglob("*.*")) == [
        "00000.parquet",
        "00000.tar",
        "00000_stats.json",
    ]
    with tarfile.open(next(Path(done.out).rglob("*.tar"))) as archive:
        assert [name for name in archive.getnames() if name.endswith("png")] == ["000000002.png", "000000003.png"]
    assert done.after is not None
    assert done.after.matched == 4


def test_an_engine_that_is_not_here_is_named_with_its_extra():
    with pytest.raises(InputError, match=r"pip install 'licet\[ray\]'"):
        needed("ray_that_nobody_has", "ray")


def test_engines_are_imported_without_their_libraries():
    assert {ray.__name__, spark.__name__} == {"licet.engines.ray", "licet.engines.spark"}
