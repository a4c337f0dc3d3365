"""What others say about rows: it may keep them out, is never consent, and a licence of the artist goes before it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from licet.client import Client as Base
from licet.datasets.examining.deciding import Floor, Question, Standing, decide_rows
from licet.datasets.examining.signalled import hear
from licet.datasets.examining.signalling import headers_said
from licet.datasets.filtering.build import Filtered, Wish, filter_dataset
from licet.datasets.results.decisions_file import DecisionsFile
from licet.datasets.results.manifest import read_manifest
from licet.datasets.results.stored import stored_evidence
from licet.datasets.session import Client
from licet.decisions import Request
from licet.errors import InputError, InterruptedJobError, MalformedError
from licet.signals import confined
from licet.signals.writers.embedding import embedded
from tests.sdk.datasets.commands import Run
from tests.sdk.datasets.world import OPEN, PAID, World, encoded, picture
from tests.sdk.fingerprints.bounded.watching import until
from tests.sdk.signals.sites import Site, sites

__all__ = ["sites"]

REQUEST = Request(uses=["train-gen"])
HERE = Wish(unknown="keep", signals=True, offline=True)
WEB = Wish(unknown="keep", signals=True)
PLUS = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    '<rdf:Description rdf:about="" xmlns:plus="http://ns.useplus.org/ldf/xmp/1.0/" '
    'plus:DataMining="http://ns.useplus.org/ldf/vocab/{}"/></rdf:RDF></x:xmpmeta>'
)
DENIED = PLUS.format("DMI-PROHIBITED-AIMLTRAINING").encode()
ALLOWED = PLUS.format("DMI-ALLOWED").encode()


def with_xmp(data: bytes, packet: bytes) -> bytes:
    """The bytes of a PNG with an XMP packet in it."""
    return embedded(data, packet)


def decided(done: Filtered) -> dict[str, tuple[str, str]]:
    rows = pq.read_table(done.decisions).to_pylist()
    return {row["path"] or row["url"]: (row["verdict"], row["reason"]) for row in rows}


@pytest.fixture(autouse=True)
def loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LICET_SIGNALS_LOOPBACK", "1")


@pytest.fixture
def pictures(world: World, client: Base, tmp_path: Path) -> Path:
    """An open work whose file forbids training, one that is only open, strangers of three kinds, a sidecar."""
    place = tmp_path / "in"
    place.mkdir()
    files = {
        "open-forbidden.png": with_xmp(encoded(picture(1)), DENIED),
        "open.png": encoded(picture(2)),
        "stranger.png": encoded(picture(3)),
        "stranger-permitted.png": with_xmp(encoded(picture(4)), ALLOWED),
        "stranger-forbidden.png": with_xmp(encoded(picture(5)), DENIED),
        "beside.png": encoded(picture(6)),
        "damaged.png": encoded(picture(7)) + b"<x:xmpmeta and no end",
    }
    for name, data in files.items():
        (place / name).write_bytes(data)
    (place / "beside.xmp").write_bytes(DENIED)
    world.work(files["open-forbidden.png"], "tomas", OPEN)
    world.work(files["open.png"], "tomas", OPEN)
    world.registry.publish()
    client.snapshot.pull()
    return place


def test_what_files_say_restricts_and_what_they_permit_is_a_reason_alone(
    client: Base, pictures: Path, tmp_path: Path
) -> None:
    done = filter_dataset(client, [pictures], tmp_path / "out", REQUEST, HERE)
    assert decided(done) == {
        "open-forbidden.png": ("deny", "signal:plus:denied"),
        "open.png": ("allow", "allowed"),
        "stranger.png": ("unknown", "no-match"),
        "stranger-permitted.png": ("unknown", "publisher-allows"),
        "stranger-forbidden.png": ("deny", "signal:plus:denied"),
        "beside.png": ("deny", "signal:plus:denied"),
        "damaged.png": ("review", "signal:xmp:unreadable"),
    }
    kept = sorted(each.name for each in (tmp_path / "out").iterdir())
    assert kept == ["open.png", "stranger-permitted.png", "stranger.png"]
    without = filter_dataset(client, [pictures], tmp_path / "without", REQUEST, Wish(unknown="keep", offline=True))
    assert without.kept == 7
    assert without.signals is None


def test_what_is_permitted_is_no_consent(client: Base, pictures: Path, tmp_path: Path) -> None:
    done = filter_dataset(client, [pictures], tmp_path / "out", REQUEST, Wish(signals=True, offline=True))
    assert [each.name for each in (tmp_path / "out").iterdir()] == ["open.png"]
    assert done.kept == 1


def test_the_manifest_says_what_was_read_and_when(client: Base, pictures: Path, tmp_path: Path) -> None:
    done = filter_dataset(client, [pictures], tmp_path / "out", REQUEST, HERE)
    manifest = read_manifest(Path(done.manifest)).payload
    assert done.signals is not None
    assert manifest.signals == done.signals.read
    read = done.signals.read
    assert (read.read, read.rows, read.restricted, read.missed, read.nothing) == ("files", 7, 4, 0, 0)
    assert read.first_at is not None
    assert read.last_at is not None
    assert read.first_at <= read.last_at
    plain = filter_dataset(client, [pictures], tmp_path / "plain", REQUEST, Wish(offline=True))
    assert "signals" not in json.loads(Path(plain.manifest).read_text())["manifest"]


def test_a_licence_of_a_verified_claimant_goes_before_what_is_said_to_everybody(
    world: World, client: Base, tmp_path: Path
) -> None:
    """Of one below level 2 it does not: who merely claims a picture lifts nobody's reservation."""
    place = tmp_path / "in"
    place.mkdir()
    works = {}
    for number, (name, level) in enumerate((("verified", 2), ("claimed", 1)), 10):
        data = with_xmp(encoded(picture(number)), DENIED)
        (place / f"{name}.png").write_bytes(data)
        works[name] = world.work(data, name, PAID, level=level)
    world.registry.publish()
    client.snapshot.pull()
    done = filter_dataset(client, [place], tmp_path / "out", REQUEST, HERE)
    assert set(decided(done).values()) == {("deny", "signal:plus:denied")}
    evidence = stored_evidence(pa.Table.from_batches(DecisionsFile.find(tmp_path / "out").batches()).to_batches()[0])
    from licet.datasets.examining.basis import open_basis

    index = open_basis(client).index
    standing = Standing({work: {"lic_1"} for work in works.values()})
    names = sorted(path.stem for path in place.iterdir())
    found = decide_rows(index, evidence, Question(REQUEST), standing)
    assert dict(zip(names, found.kept.tolist(), strict=True)) == {"verified": True, "claimed": False}
    assert dict(zip(names, found.verdict.tolist(), strict=True)) == {"verified": 2, "claimed": 4}
    # So it is where the stage before kept them out for that; what it kept out otherwise stays out.
    for reason, kept in (("after:signal:tdmrep:reserved", 1), ("after:denied", 0)):
        before = Floor(np.full(2, 4, np.uint8), [reason] * 2)
        assert decide_rows(index, evidence, Question(REQUEST), standing, floor=before).kept.sum() == kept


def test_headers_of_rows_are_read_where_a_column_is_named(client: Base, world: World, tmp_path: Path) -> None:
    world.registry.publish()
    client.snapshot.pull()
    said = [
        "HTTP/1.1 200 OK\r\nContent-Type: image/png\r\nX-Robots-Tag: noai\r\n\r\n",
        '{"Content-Usage": "train-ai=y"}',
        '[["tdm-reservation", "1"], ["Server", "x"]]',
        "<html>no headers</html>",
        None,
    ]
    table = pa.table({"url": [f"https://a.example/{n}.png" for n in range(5)], "answer": said})
    pq.write_table(table, tmp_path / "rows.parquet")
    rows = [
        json.dumps({name: column[n].as_py() for name, column in zip(table.column_names, table.columns, strict=True)})
        for n in range(5)
    ]
    (tmp_path / "rows.jsonl").write_text("\n".join(rows) + "\n")
    for ending in ("parquet", "jsonl"):
        wish = Wish(unknown="keep", signals=True, offline=True, columns={"headers": "answer"})
        done = filter_dataset(client, [tmp_path / f"rows.{ending}"], tmp_path / f"out-{ending}", REQUEST, wish)
        assert list(decided(done).values()) == [
            ("deny", "signal:robots-meta:denied"),
            ("unknown", "publisher-allows"),
            ("deny", "signal:tdmrep:reserved"),
            ("review", "signal:robots-meta:unreadable"),
            ("unknown", "not-examined"),
        ]
        assert done.signals is not None
        assert (done.signals.headers, done.signals.read.missed) == (4, 5)


@pytest.mark.parametrize("text", ["{", "[1]", '{"a": {"b": 1}}', "no colon here", "x" * (1 << 20) + "xxxx: y"])
def test_headers_that_cannot_be_read_keep_the_row_out(text: str) -> None:
    said = headers_said(text, "https://a.example/", picture=True)
    assert said is not None
    (found,) = said
    assert found.unreadable


def test_a_line_that_was_not_written_here_is_refused() -> None:

    from licet.datasets.examining.signalled import Signalled

    for line in ("train-gen=perhaps:x:y", "everything=deny:x:y", "train-gen=deny", "nonsense"):
        with pytest.raises(MalformedError, match="signals"):
            hear(Signalled(pa.array([line]), np.zeros(1, np.int64), np.zeros(1, np.uint8)), ["train-gen"])


def addresses(place: Path, *urls: str | None) -> Path:
    path = place / "urls.parquet"
    digests = [f"{number:064x}" for number in range(len(urls))]
    pq.write_table(pa.table({"url": pa.array(urls, pa.string()), "sha256": digests}), path)
    return path


@pytest.fixture
def hosts(world: World, client: Base, sites: list[Site]) -> list[Site]:
    """A host that shuts out a crawler from part of it and marks a picture, and one that says nothing."""
    one, _ = sites
    one.says("/robots.txt", b"User-agent: GPTBot\nDisallow: /private/\n")
    one.says("/private/a.png", b"x", Content_Type="image/png")
    one.says("/b.png", bytes(1 << 20), Content_Type="image/png", X_Robots_Tag="noai")
    one.says("/c.png", b"x", Content_Type="image/png", Content_Usage="train-ai=y")
    one.says("/page", b"<html><meta name='tdm-reservation' content='1'>", Content_Type="text/html")
    world.registry.publish()
    client.snapshot.pull()
    return sites


def test_sites_are_asked_once_and_what_they_said_is_there_without_a_network(
    client: Base, hosts: list[Site], tmp_path: Path
) -> None:
    one, other = hosts
    urls = [f"{one.url}/private/a.png", f"{one.url}/b.png", f"{one.url}/c.png", f"{one.url}/page", f"{other.url}/d.png"]
    table = addresses(tmp_path, *urls, None)
    done = filter_dataset(client, [table], tmp_path / "out", REQUEST, WEB)
    rows = pq.read_table(done.decisions).to_pylist()
    assert [(row["verdict"], row["reason"]) for row in rows] == [
        ("deny", "signal:robots:crawler-shut-out"),
        ("deny", "signal:robots-meta:denied"),
        ("unknown", "publisher-allows"),
        ("deny", "signal:tdmrep:reserved"),
        ("unknown", "no-match"),
        ("unknown", "no-match"),
    ]
    assert done.signals is not None
    read = done.signals.read
    assert (read.read, read.rows, read.restricted, read.missed, read.nothing) == ("web", 5, 3, 0, 1)
    assert {(each.host, each.rows, each.deny, each.permits) for each in done.signals.hosts} == {("localhost", 5, 3, 1)}
    asked = len(one.asked)
    assert asked == 3 + 4
    again = filter_dataset(client, [table], tmp_path / "again", REQUEST, HERE)
    assert len(one.asked) == asked
    assert decided(again) == decided(done)
    assert again.signals is not None
    assert (again.signals.read.read, again.signals.read.missed) == ("files", 0)


@pytest.mark.parametrize(
    "blank",
    [
        None,
        "",
        " \n",
        "{}",
        "[]",
        "HTTP/1.1 200 OK\r\n\r\n",
        '{"X-Robots-Tag": null}',
        '{"X-Robots-Tag": []}',
        '{"": ""}',
    ],
)
@pytest.mark.parametrize("form", ["parquet", "jsonl"])
def test_a_cell_without_a_header_silences_no_host(
    client: Base, hosts: list[Site], tmp_path: Path, blank: str | None, form: str
) -> None:
    """One header is enough: then somebody saw the answer, and it is not asked for again."""
    one, _ = hosts
    table = pa.table({"url": [f"{one.url}/b.png", f"{one.url}/c.png"], "answer": [blank, '{"Server": "x"}']})
    path = tmp_path / f"rows.{form}"
    if form == "parquet":
        pq.write_table(table, path)
    else:
        path.write_text("".join(f"{json.dumps(row)}\n" for row in table.to_pylist()))
    wish = Wish(unknown="keep", signals=True, columns={"headers": "answer"})
    done = filter_dataset(client, [path], tmp_path / "out", REQUEST, wish)
    assert list(decided(done).values()) == [("deny", "signal:robots-meta:denied"), ("unknown", "not-examined")]
    assert (one.count("/b.png"), one.count("/c.png")) == (1, 0)
    assert done.signals is not None
    assert done.signals.headers == 1


def test_offline_nobody_is_asked_and_it_is_said_of_how_many_rows(
    client: Base, hosts: list[Site], tmp_path: Path
) -> None:
    table = addresses(tmp_path, f"{hosts[0].url}/b.png", None)
    done = filter_dataset(client, [table], tmp_path / "out", REQUEST, HERE)
    assert not hosts[0].asked
    assert done.signals is not None
    assert (done.signals.read.rows, done.signals.read.missed, done.signals.read.nothing) == (0, 1, 1)
    assert done.signals.read.first_at is None


def test_a_host_that_does_not_answer_keeps_its_rows_out(client: Base, hosts: list[Site], tmp_path: Path) -> None:
    table = addresses(tmp_path, "http://localhost:1/a.png", "http://10.0.0.1/a.png")
    done = filter_dataset(client, [table], tmp_path / "out", REQUEST, WEB)
    assert set(decided(done).values()) == {("review", "signal:robots:unreachable")}
    assert done.kept == 0


KILLED = """
import os, signal, sys
from licet.client import Client
from licet.datasets.filtering.build import Wish, filter_dataset
from licet.decisions import Request
from licet.home import Home

url, home, token, source, out = sys.argv[1:]
seen = 0

def advance(rows):
    global seen
    seen += rows
    if seen >= 2:
        os.kill(os.getpid(), signal.SIGKILL)

with Client(url, token, home=Home(home), profile="default") as client:
    filter_dataset(client, [source], out, Request(uses=["train-gen"]), Wish(unknown="keep", signals=True), advance)
"""


@pytest.mark.fault
def test_a_job_that_is_killed_while_it_asks_asks_nothing_twice(
    client: Base, world: World, hosts: list[Site], tmp_path: Path
) -> None:
    one, _ = hosts
    table = addresses(tmp_path, *(f"{one.url}/{name}.png" for name in "bcdefg"))
    account = client.profile.account
    assert account is not None
    given = [world.registry.url, client.home.folder, account.account, table, tmp_path / "out"]
    done = subprocess.run([sys.executable, "-c", KILLED, *map(str, given)], timeout=60, check=False)
    assert done.returncode == -signal.SIGKILL
    assert not (tmp_path / "out").exists()
    asked = len(one.asked)
    assert 3 + 2 <= asked < 3 + 6
    filtered = filter_dataset(client, [table], tmp_path / "out", REQUEST, WEB)
    counts = [one.count(path) for path in ("/robots.txt", "/.well-known/tdmrep.json", "/ai.txt")]
    assert counts == [1, 1, 1]
    assert len(one.asked) <= 3 + 6 + 1  # one may have been on its way
    whole = filter_dataset(client, [table], tmp_path / "whole", REQUEST, WEB)
    assert decided(filtered) == decided(whole)


@pytest.mark.fault
def test_ctrl_c_stops_a_job_that_waits_for_a_host_at_once(
    client: Base, world: World, hosts: list[Site], tmp_path: Path
) -> None:
    one, _ = hosts
    one.says("/robots.txt", b"User-agent: *\nCrawl-delay: 20\n")
    table = addresses(tmp_path, f"{one.url}/b.png", f"{one.url}/c.png")
    account = client.profile.account
    assert account is not None
    given = [world.registry.url, client.home.folder, account.account, table, tmp_path / "out"]
    job = subprocess.Popen([sys.executable, "-c", KILLED, *map(str, given)], stderr=subprocess.PIPE, text=True)
    try:
        until(lambda: one.count("/robots.txt"))
        time.sleep(0.5)
        begun = time.monotonic()
        job.send_signal(signal.SIGINT)
        _, told = job.communicate(timeout=15)
    finally:
        job.kill()
    assert time.monotonic() - begun < 10
    assert "InterruptedJobError: interrupted; the same command goes on" in told
    assert [each for each, _ in one.asked] == ["/robots.txt"]


def test_a_job_with_signals_is_not_gone_on_with_without(client: Base, pictures: Path, tmp_path: Path) -> None:
    def stopped(rows: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(InterruptedJobError):
        filter_dataset(client, [pictures], tmp_path / "out", REQUEST, HERE, stopped)
    for wish, words in (
        (Wish(unknown="keep", offline=True), "signals: files then, none now"),
        (WEB, "signals: files then, web now"),
    ):
        with pytest.raises(InputError, match=words):
            filter_dataset(client, [pictures], tmp_path / "out", REQUEST, wish)
    plain = Wish(unknown="keep", offline=True, overwrite=True)
    assert filter_dataset(client, [pictures], tmp_path / "out", REQUEST, plain).kept == 7
    with pytest.raises(InterruptedJobError):
        filter_dataset(client, [pictures], tmp_path / "other", REQUEST, plain, stopped)
    heeded = Wish(unknown="keep", offline=True, overwrite=True, signals=True)
    assert filter_dataset(client, [pictures], tmp_path / "other", REQUEST, heeded).kept == 3


def test_the_command_says_what_was_heard_host_by_host(run: Run, sites: list[Site], tmp_path: Path) -> None:
    one, _ = sites
    one.says("/b.png", b"x", Content_Type="image/png", X_Robots_Tag="noai")
    assert run("snapshot", "pull").code == 0
    table = addresses(tmp_path, f"{one.url}/b.png", None)
    told = run("filter", str(table), "-o", "out", "--use", "train-gen", "--signals")
    assert told.code == 0
    assert "Signals of others: read of 1 row (1 address), seen from " in told.out
    assert "  1 row with neither file, headers nor address: nobody could be asked." in told.out
    assert "  localhost: 1 row, 1 deny" in told.out
    assert "1 row: denied by what is said where they lie or in their files (robots-meta:denied)" in told.out
    listed = run("filter", str(table), "-o", "json", "--use", "train-gen", "--signals", "--json").document
    assert listed["signals"]["hosts"][0]["deny"] == 1


def test_tables_are_filtered_by_signals_too(world: World, pictures: Path, sites: list[Site]) -> None:
    rows = [{"path": str(pictures / name)} for name in ("open.png", "open-forbidden.png", "beside.png")]
    account = world.client().profile.account
    assert account is not None
    home = world.client().home
    with Client(world.registry.url, account.account, home=home, profile="default") as client:
        found = client.filter(rows, REQUEST, unknown="keep", signals=True, offline=True)
        assert [Path(row["path"]).name for row in found] == ["open.png"]
        assert len(client.filter(rows, REQUEST, unknown="keep", offline=True)) == 3
        with client.dataset("d", REQUEST, out=pictures.parent / "d", wish=HERE) as dataset:
            (kept,) = dataset.filter([rows])
        assert [Path(row["path"]).name for row in kept] == ["open.png"]
        assert dataset.result is not None
        assert dataset.result.signals is not None
        assert dataset.result.signals.read.restricted == 2
        with pytest.raises(InputError, match="signals: expected none under a pin"):
            from licet.engines import arrow

            arrow.filter(pa.table({"url": ["https://a.example"]}), client.snapshot.pin(), REQUEST, signals=True)


def test_many_workers_have_no_signals(client: Base, pictures: Path, tmp_path: Path) -> None:
    class Nobody:
        def each(self, do: Any, pieces: Any) -> Any: ...

    with pytest.raises(InputError, match="signals: expected none where many workers"):
        filter_dataset(client, [pictures], tmp_path / "out", REQUEST, HERE, crew=Nobody())
    several = Wish(unknown="keep", signals=True, offline=True, workers=2)
    with pytest.raises(InputError, match="workers: expected 1, because --signals"):
        filter_dataset(client, [pictures], tmp_path / "out", REQUEST, several)


def test_a_file_that_its_reader_comes_to_no_end_with_keeps_its_row_out(
    client: Base, world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even where its artist permits the use: something may be said in it that nobody could read."""
    place = tmp_path / "in"
    place.mkdir()
    data = encoded(picture(1)) + b"jumb c2pa"  # as a manifest is marked
    (place / "a.png").write_bytes(data)
    (place / "b.png").write_bytes(encoded(picture(2)))
    world.work(encoded(picture(1)), "tomas", OPEN)
    world.work(encoded(picture(2)), "tomas", OPEN)
    world.registry.publish()
    client.snapshot.pull()

    def endless(*_: object) -> NoReturn:  # how readers really come to no end is in tests/sdk/signals/test_confined.py
        raise MalformedError("expected a file that is read in time, got one that is not", why="unreadable")

    monkeypatch.setattr(confined, "run", endless)
    done = filter_dataset(client, [place], tmp_path / "out", REQUEST, HERE)
    assert decided(done) == {"a.png": ("review", "signal:c2pa:unreadable"), "b.png": ("allow", "allowed")}


def test_rows_that_signals_kept_out_hold_when_they_are_opened_and_decided_again(run: Run) -> None:
    Path("in/stranger.xmp").write_bytes(DENIED)
    Path("in/open.xmp").write_bytes(ALLOWED)
    assert run("filter", "in", "-o", "out", "--use", "train-gen", "--unknown", "keep", "--signals").code == 0
    told = run("audit", "sample", "out.decisions.parquet", "-k", "4", "--nonce", "Ada 7", "-o", "opened.json", "--json")
    assert told.code == 0
    again = run("recheck", "out.decisions.parquet", "--json")
    assert (again.code, again.document["drop"]) == (0, [])


def test_the_command_reads_what_lies_beside_a_file(run: Run) -> None:
    assert run("signals", "in/open.png", "--fail-on", "deny").code == 0
    Path("in/open.png.xmp").write_bytes(DENIED)
    told = run("signals", "in/open.png", "--fail-on", "deny", "--json")
    assert told.code == 1
    assert told.document["results"][0]["signals"][0]["standard"] == "plus"
