"""A pin decides anywhere as its client did: in another process, without a network, and from no other snapshot."""

from __future__ import annotations

import pickle
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pytest

from licet import InputError, Request, ServiceError, VerificationError
from licet.datasets.examining import pinned as opening
from licet.datasets.pinned import Pinned
from licet.datasets.session import Client
from licet.errors import ExpiredError
from tests.sdk.datasets.world import NO_AI, OPEN, PAID, World, encoded, picture

REQUEST = Request(uses=["train-gen"])
ROWS = pa.RecordBatch.from_pylist(
    [{"url": f"https://x.example/{number}.jpg", "image": encoded(picture(number))} for number in range(1, 5)]
    + [{"url": "https://x.example/1.jpg", "image": None}, {"url": "not an address", "image": None}]
)
ELSEWHERE = """
import pickle, socket, sys
def refuse(*_, **__):
    raise SystemExit("a worker opened a connection")
socket.socket.connect = refuse
pin, batch, request = pickle.load(sys.stdin.buffer)
pickle.dump(pin.annotate(batch, request), sys.stdout.buffer)
"""


@pytest.fixture
def session(world: World) -> Iterator[Client]:
    """A client of an organisation with a snapshot of three works."""
    world.work(encoded(picture(1)), "tomas", OPEN, urls=("https://x.example/1.jpg",))
    world.work(encoded(picture(2)), "tomas", NO_AI)
    world.work(encoded(picture(3)), "mei", PAID)
    world.registry.publish()
    base = world.client()
    base.close()
    with Client(base.url, base.transport.token, home=base.home, profile="default") as made:
        made.snapshot.pull()
        yield made
    opening._OPENED.clear()


@pytest.fixture
def pin(session: Client) -> Pinned:
    """Its snapshot, pinned."""
    opening._OPENED.clear()
    return session.snapshot.pin()


def elsewhere(pin: Pinned, batch: Any, request: Request) -> Any:
    """What another process answers, which may not open a connection."""
    given = pickle.dumps((pin, batch, request))
    done = subprocess.run([sys.executable, "-c", ELSEWHERE], input=given, capture_output=True, timeout=120, check=False)
    assert not done.returncode, done.stderr.decode()
    return pickle.loads(done.stdout)


def test_another_process_decides_the_same_without_a_network(session: Client, pin: Pinned):
    mine = session.annotate(ROWS, Request(uses=["train-gen"], at=pin.at))
    assert pin.annotate(ROWS, REQUEST).equals(mine)
    assert elsewhere(pin, ROWS, REQUEST).equals(mine)
    assert mine["verdict"].to_pylist() == ["allow", "deny", "license", "unknown", "review", "review"]


def test_a_pin_is_small_and_names_nothing_secret(session: Client, pin: Pinned):
    sent = pickle.dumps(pin)
    assert len(sent) < 30_000
    assert session.transport.token
    assert session.transport.token.encode() not in sent
    assert b"PRIVATE" not in sent


def test_filter_is_annotate_without_what_may_not_be_kept(pin: Pinned):
    kept = pin.annotate(ROWS, REQUEST, unknown="keep").filter(pa.compute.field("kept"))
    assert pin.filter(ROWS, REQUEST, unknown="keep").equals(kept)
    assert kept["verdict"].to_pylist() == ["allow", "unknown"]


def test_what_is_published_later_changes_no_answer_of_a_pin(world: World, session: Client, pin: Pinned):
    world.work(encoded(picture(4)), "tomas", NO_AI)
    world.registry.publish()
    session.snapshot.pull()
    assert session.annotate(ROWS, REQUEST)["verdict"].to_pylist()[3] == "deny"
    assert pin.annotate(ROWS, REQUEST)["verdict"].to_pylist()[3] == "unknown"


def test_the_index_is_opened_once_in_a_process(pin: Pinned, monkeypatch: pytest.MonkeyPatch):
    opened: list[Any] = []
    really = opening._opened

    def counted(each: Any) -> Any:
        opened.append(each)
        return really(each)

    monkeypatch.setattr(opening, "_opened", counted)
    for _ in range(3):
        pickle.loads(pickle.dumps(pin)).annotate(ROWS, REQUEST)
    assert len(opened) == 1


def test_a_file_that_is_not_the_pinned_one_is_refused(pin: Pinned):
    segment = max(Path(pin.folder).iterdir(), key=lambda path: path.stat().st_size)
    data = bytearray(segment.read_bytes())
    data[-1] ^= 1
    segment.write_bytes(data)
    with pytest.raises(VerificationError, match="the file here has the digest"):
        pin.annotate(ROWS, REQUEST)


def test_another_manifest_under_the_digest_is_refused(world: World, session: Client, pin: Pinned):
    world.work(encoded(picture(4)), "tomas", NO_AI)
    world.registry.publish()
    session.snapshot.pull()
    newer = session.snapshot.pin()
    with pytest.raises(VerificationError, match="expected the pinned snapshot"):
        msgspec.structs.replace(pin, published=newer.published).annotate(ROWS, REQUEST)


def test_a_worker_elsewhere_fetches_what_is_public_once(
    pin: Pinned, world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    exact = msgspec.structs.replace(pin, near=False, folder=str(tmp_path / "not-shared" / "segments"))
    expected = msgspec.structs.replace(pin, near=False).annotate(ROWS, REQUEST)
    opening._OPENED.clear()
    monkeypatch.setenv("LICET_CACHE", str(tmp_path / "cache"))
    assert exact.annotate(ROWS, REQUEST).equals(expected)
    fetched = sum(count for call, count in world.registry.calls.items() if "/snapshots/segments/" in call)
    opening._OPENED.clear()
    assert exact.annotate(ROWS, REQUEST).equals(expected)
    assert sum(count for call, count in world.registry.calls.items() if "/snapshots/segments/" in call) == fetched


def test_the_near_tier_has_to_be_shared(pin: Pinned, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    assert pin.near
    monkeypatch.setenv("LICET_CACHE", str(tmp_path / "cache"))
    shutil.move(pin.folder, tmp_path / "away")
    with pytest.raises(InputError, match="near tier of the pinned snapshot"):
        pin.annotate(ROWS, REQUEST)


def test_without_segments_and_without_a_network_a_worker_says_what_is_missing(
    pin: Pinned, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("LICET_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("LICET_TIMEOUT", "1")
    lone = msgspec.structs.replace(pin, near=False, folder=str(tmp_path / "none" / "s"), url="http://127.0.0.1:1")
    with pytest.raises(ServiceError, match=r"a worker needs the pinned snapshot .* share"):
        lone.annotate(ROWS, REQUEST)


def test_an_expired_snapshot_cannot_be_pinned(session: Client, monkeypatch: pytest.MonkeyPatch):
    from datetime import timedelta

    from licet import times

    later = times.now() + timedelta(hours=25)
    monkeypatch.setattr(times, "now", lambda: later)
    with pytest.raises(ExpiredError):
        session.snapshot.pin()


PULLS = """
import sys
from pathlib import Path
from licet.client import Client
from licet.home import Home

with Client(sys.argv[1], home=Home(Path(sys.argv[2]))) as client:
    client.working_keys()
    print("known", flush=True)
    sys.stdin.readline()
    print(len(client.snapshot.pull().manifest.segments), flush=True)
"""


def test_of_processes_that_pull_at_once_the_one_that_knows_fewer_keys_takes_none_away(world: World) -> None:
    registry = world.registry
    registry.publish()
    with world.client() as client:
        store, home = client.snapshot.store, client.home.folder
    command = [sys.executable, "-c", PULLS, registry.url, str(home)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as early:
        assert early.stdin is not None
        assert early.stdout is not None
        assert early.stdout.readline() == "known\n"
        registry.names_key("office")
        later = subprocess.run(command, input="\n", text=True, capture_output=True, timeout=60, check=True)
        assert later.stdout == "known\n1\n"
        known = (store.folder / "keys.json").read_bytes()
        early.stdin.write("\n")
        early.stdin.flush()
        assert early.stdout.readline() == "1\n"
    assert early.returncode == 0
    assert (store.folder / "keys.json").read_bytes() == known
    assert len(store.keys() or ()) == len(registry.keys)


def test_a_snapshot_is_current_only_once_the_keys_that_prove_it_are_here(world: World) -> None:
    world.registry.publish()
    with world.client() as client:
        client.snapshot.pull()
        kept, first = client.snapshot.store.folder / "keys.json", client.snapshot.store.published()
        kept.write_bytes(b"damaged")
        client.snapshot.pull()
        assert client.snapshot.keys().anchored
        world.registry.publish()
        kept.unlink()
        kept.mkdir()
        with pytest.raises(InputError, match=r"keys\.json"):
            client.snapshot.pull()
        assert client.snapshot.store.published() == first
