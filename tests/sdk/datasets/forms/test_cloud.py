"""Inputs that lie elsewhere, with a real S3 interface on loopback: the same results as from here, and plain errors."""

from __future__ import annotations

import io
import sys
import tarfile
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.request import Request as Call
from urllib.request import urlopen

import numpy as np
import obstore
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from moto.server import ThreadedMotoServer
from obstore.store import S3Store

from licet.client import Client
from licet.datasets.filtering.build import Wish, filter_dataset
from licet.datasets.forms.opening import open_input
from licet.datasets.forms.stores import ObjectStore
from licet.datasets.results.manifest import read_manifest
from licet.decisions import Request
from licet.errors import InputError, InterruptedJobError, NotAllowedError, UnreachableError
from tests.sdk.datasets.world import NO_AI, OPEN, World, encoded, picture

REQUEST = Request(uses=["train-gen"])
KEEP = Wish(unknown="keep")


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    moto = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    moto.start()
    _, port = moto.get_host_and_port()
    url = f"http://127.0.0.1:{port}"
    signed = "AWS4-HMAC-SHA256 Credential=k/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0"
    with urlopen(Call(f"{url}/bucket", method="PUT", headers={"Authorization": signed})):
        pass
    yield url
    moto.stop()


@pytest.fixture
def bucket(server: str, monkeypatch: pytest.MonkeyPatch) -> S3Store:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "k")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "very-secret")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ENDPOINT_URL", server)
    monkeypatch.setenv("AWS_ALLOW_HTTP", "true")
    store = S3Store("bucket")
    obstore.delete(store, [each["path"] for chunk in obstore.list(store) for each in chunk])
    return store


def put(store: S3Store, files: dict[str, bytes]) -> None:
    for name, data in files.items():
        obstore.put(store, name, data)


def parquet(rows: dict[str, Any], **options: Any) -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.table(rows), out, **options)
    return out.getvalue()


def test_a_folder_of_pictures_comes_down_with_its_sidecars(
    client: Client, world: World, bucket: S3Store, tmp_path: Path
) -> None:
    world.work(encoded(picture(1)), "tomas", NO_AI)
    world.registry.publish()
    files = {f"set/{name}/{number}.png": encoded(picture(number)) for number, name in enumerate("abcd")}
    put(
        bucket, files | {"set/a/0.txt": b"kept", "set/b/1.txt": b"dropped", "set/.hidden/x.png": b"", "else/y.png": b""}
    )
    done = filter_dataset(client, ["s3://bucket/set"], tmp_path / "out", REQUEST, KEEP)
    assert (done.rows, done.kept) == (4, 3)
    found = sorted(path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*.*"))
    assert found == ["a/0.png", "a/0.txt", "c/2.png", "d/3.png"]
    assert (tmp_path / "out" / "a" / "0.png").read_bytes() == files["set/a/0.png"]
    assert read_manifest(Path(done.manifest)).payload.parts[0]["name"] == "set"


def test_of_parquet_only_the_ranges_that_are_needed_are_fetched(
    bucket: S3Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = 20_000
    blob = np.random.default_rng(1).bytes(rows * 1000)
    data = parquet(
        {
            "url": [f"https://a.example/{number}" for number in range(rows)],
            "weight": pa.array([blob[n * 1000 : n * 1000 + 1000] for n in range(rows)], pa.binary()),
        },
        row_group_size=5000,
    )
    put(bucket, {"t.parquet": data})
    fetched: list[int] = []
    honest = ObjectStore.read

    def read(self: ObjectStore, entry: Any, start: int, end: int) -> bytes:
        fetched.append(end - start)
        return honest(self, entry, start, end)

    monkeypatch.setattr(ObjectStore, "read", read)
    [part] = open_input(["s3://bucket/t.parquet"]).parts
    assert sum(len(batch) for batch in part.batches()) == rows
    assert 0 < sum(fetched) < len(data) // 10


def test_a_glob_names_parts_as_here(bucket: S3Store) -> None:
    one = parquet({"url": ["https://a.example/"]})
    put(bucket, {"pre1/a.parquet": one, "pre2/deep/b.parquet": one, "pre2/c.csv": b"url\n", "other/d.parquet": one})
    opened = open_input(["s3://bucket/pre*/**.parquet"])
    assert [part.name for part in opened.parts] == ["a.parquet", "b.parquet"]
    assert [part.name for part in open_input(["s3://bucket/pre2/deep/*"]).parts] == ["b.parquet"]
    with pytest.raises(InputError, match="something matches"):
        open_input(["s3://bucket/*.parquet"])


def tar_of(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


@pytest.mark.parametrize("name", ["t.csv", "t.jsonl", "t.tar", "t.parquet"])
def test_what_lies_elsewhere_comes_to_the_same_as_what_lies_here(
    client: Client, world: World, bucket: S3Store, tmp_path: Path, name: str
) -> None:
    world.work(encoded(picture(0)), "tomas", OPEN)
    world.work(encoded(picture(1)), "tomas", NO_AI)
    world.registry.publish()
    files = {f"p/{number}.png": encoded(picture(number)) for number in range(3)}
    data = {
        "t.csv": b"path\n" + b"".join(f"p/{number}.png\n".encode() for number in range(4)),
        "t.jsonl": b"".join(f'{{"path": "p/{number}.png"}}\n'.encode() for number in range(4)),
        "t.tar": tar_of(files | {"p/3.txt": b"x"}),
        "t.parquet": parquet({"path": [f"p/{number}.png" for number in range(4)]}),
    }[name]
    put(bucket, files | {name: data})
    for path, content in (files | {name: data}).items():
        (tmp_path / "in" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / path).write_bytes(content)
    here = filter_dataset(client, [tmp_path / "in" / name], tmp_path / f"here-{name}", REQUEST, KEEP)
    far = filter_dataset(client, [f"s3://bucket/{name}"], tmp_path / f"far-{name}", REQUEST, KEEP)
    assert (far.rows, far.kept, far.counts) == (4, 2, here.counts)
    roots = {read_manifest(Path(each.manifest)).payload.decisions_root for each in (here, far)}
    assert len(roots) == 1
    assert Path(far.out).read_bytes() == Path(here.out).read_bytes()


def test_a_changed_object_is_noticed_when_a_job_goes_on(
    client: Client, world: World, bucket: S3Store, tmp_path: Path
) -> None:
    world.registry.publish()
    put(bucket, {"t.csv": b"url\nhttps://a.example/1\n"})

    def stop(_: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(InterruptedJobError):
        filter_dataset(client, ["s3://bucket/t.csv"], tmp_path / "o.csv", REQUEST, KEEP, stop)
    put(bucket, {"t.csv": b"url\nhttps://a.example/2\n"})
    with pytest.raises(InputError, match=r"input: t.csv changed"):
        filter_dataset(client, ["s3://bucket/t.csv"], tmp_path / "o.csv", REQUEST, KEEP)
    wish = Wish(unknown="keep", overwrite=True)
    assert filter_dataset(client, ["s3://bucket/t.csv"], tmp_path / "o.csv", REQUEST, wish).kept == 1


def test_an_object_that_changes_while_it_is_read_ends_the_reading(bucket: S3Store) -> None:
    put(bucket, {"t.jsonl": b'{"url": "https://a.example/1"}\n'})
    [part] = open_input(["s3://bucket/t.jsonl"]).parts
    put(bucket, {"t.jsonl": b'{"url": "https://a.example/2"}\n'})
    with pytest.raises(InputError, match="changed while it was read"):
        list(part.batches())


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("s3://nowhere/t.csv", "an address that exists"),
        ("s3://bucket/nothing.csv", "that exists, got 's3://bucket/nothing.csv'"),
        ("s3://bucket/nothing/", "that exists"),
        ("ftp://host/x", "starts with s3://"),
        ("https://user:hidden@h.example/x.csv", "without user, password or query, got one with, at https://h.example"),
        ("https://h.example/x.csv?sig=hidden", "without user, password or query"),
    ],
)
def test_what_is_not_there_is_said_in_words_without_secrets(bucket: S3Store, given: str, words: str) -> None:
    with pytest.raises(InputError, match=words) as caught:
        open_input([given])
    assert "hidden" not in str(caught.value)


def test_without_credentials_or_an_answer_the_reason_is_told(bucket: S3Store, monkeypatch: pytest.MonkeyPatch) -> None:
    put(bucket, {"t.csv": b"url\n"})
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    with pytest.raises(UnreachableError, match=r"s3://bucket/t.csv: no answer") as caught:
        open_input(["s3://bucket/t.csv"])
    assert "very-secret" not in str(caught.value)


def test_without_credentials_the_variables_are_named(bucket: S3Store, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    with pytest.raises(InputError, match=r"no credentials were found; .* AWS_ACCESS_KEY_ID") as caught:
        open_input(["s3://bucket/t.csv"])
    assert caught.value.exit_code == 2


@pytest.mark.parametrize("module", ["obstore", "huggingface_hub"])
def test_without_the_extra_it_is_named(monkeypatch: pytest.MonkeyPatch, module: str) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(InputError, match=r"pip install 'licet\[cloud\]'"):
        open_input(["s3://bucket/t.csv" if module == "obstore" else "hf://datasets/a/b/t.csv"])


def test_offline_reads_nothing_from_elsewhere(client: Client, world: World, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="paths on this machine, as --offline asks"):
        filter_dataset(client, ["s3://bucket/t.csv"], tmp_path / "o", REQUEST, Wish(offline=True))


def test_results_stay_on_this_machine(client: Client, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="-o: expected a place on this machine"):
        filter_dataset(client, [tmp_path], "s3://bucket/out", REQUEST)


class Pages(BaseHTTPRequestHandler):
    """Serves one file by ranges, and fails the first requests if told to."""

    data = b"url\n" + b"https://a.example/1\n" * 3
    failures = 0

    def do_HEAD(self) -> None:
        self.answer(body=False)

    def do_GET(self) -> None:
        self.answer(body=True)

    def answer(self, *, body: bool) -> None:
        if type(self).failures:
            type(self).failures -= 1
            self.send_error(503)
            return
        if self.path != "/t%20a.csv":
            self.send_error(404)
            return
        start, end, status = 0, len(self.data), 200
        if ranged := self.headers.get("Range"):
            first, _, last = ranged.removeprefix("bytes=").partition("-")
            start, end, status = int(first), int(last) + 1, 206
        self.send_response(status)
        self.send_header("ETag", '"1"')  # whatever the bytes are
        self.send_header("Last-Modified", "Sat, 28 Nov 2026 00:00:00 GMT")
        self.send_header("Content-Length", str(end - start))
        if status == 206:
            self.send_header("Content-Range", f"bytes {start}-{end - 1}/{len(self.data)}")
        self.end_headers()
        if body:
            self.wfile.write(self.data[start:end])

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def pages() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Pages) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_a_file_of_a_web_server_is_read_and_asked_for_again_when_that_fails(
    pages: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Pages, "failures", 2)
    [part] = open_input([f"{pages}/t%20a.csv"]).parts
    assert [batch["url"].to_pylist() for batch in part.batches()] == [["https://a.example/1"] * 3]
    with pytest.raises(InputError, match="that exists"):
        open_input([f"{pages}/none.csv"])
    with pytest.raises(InputError, match="the address of one file"):
        open_input([f"{pages}/*.csv"])


def test_a_server_that_gives_other_bytes_the_same_etag_gets_nothing_kept(
    client: Client, world: World, pages: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.work(encoded(picture(1)), "tomas", NO_AI, urls=("https://a.example/2",))
    world.registry.publish()

    def change(_: int) -> None:
        monkeypatch.setattr(Pages, "data", b"url\n" + b"https://a.example/2\n" * 3)

    with pytest.raises(InputError, match="what was examined is not what is there now"):
        filter_dataset(client, [f"{pages}/t%20a.csv"], tmp_path / "o.csv", REQUEST, KEEP, change)
    assert filter_dataset(client, [f"{pages}/t%20a.csv"], tmp_path / "o.csv", REQUEST, KEEP).counts["deny"] == 3


@pytest.mark.parametrize("name", ["t.csv", "t.tar", "t.parquet", "p"])
def test_an_object_that_changes_between_examining_and_copying_is_not_kept(
    client: Client, world: World, bucket: S3Store, tmp_path: Path, name: str
) -> None:
    world.registry.publish()
    files = {"p/0.png": encoded(picture(0)), "t.csv": b"url\nhttps://a.example/1\n"}
    files |= {"t.tar": tar_of({"0.png": encoded(picture(0))}), "t.parquet": parquet({"url": ["https://a.example/1"]})}
    other = {"p/0.png": encoded(picture(1)), "t.csv": b"url\nhttps://a.example/2\n"}
    other |= {"t.tar": tar_of({"0.png": encoded(picture(1))}), "t.parquet": parquet({"url": ["https://a.example/2"]})}
    put(bucket, files)
    with pytest.raises(InputError, match="input changed while"):
        filter_dataset(client, [f"s3://bucket/{name}"], tmp_path / "o", REQUEST, KEEP, lambda _: put(bucket, other))
    assert not (tmp_path / "o").exists()


def test_who_may_not_read_is_told_so(bucket: S3Store, monkeypatch: pytest.MonkeyPatch) -> None:
    from obstore.exceptions import PermissionDeniedError

    def refused(*_: object, **__: object) -> None:
        raise PermissionDeniedError("403 with a token in it")

    monkeypatch.setattr(obstore, "head", refused)
    with pytest.raises(NotAllowedError, match="the store refuses to show it") as caught:
        open_input(["s3://bucket/t.csv"])
    assert "token" not in str(caught.value)
