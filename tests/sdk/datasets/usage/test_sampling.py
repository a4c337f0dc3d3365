"""`licet audit sample`: honest rows hold, and every way to record another verdict than was decided is found."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from licet.client import Client
from licet.datasets.results.manifest import encode_manifest, manifest_in, read_manifest, row_secret, signer
from licet.datasets.results.stored import by_part
from licet.datasets.usage.opened import Opened, drawn, hold, read_opened, seed_of
from licet.datasets.usage.sampling import Draw, sample
from licet.decisions.roots import RootBuilder
from licet.decisions.rows import both_hashes
from licet.errors import MalformedError, VerificationError
from tests.sdk.datasets.commands import Run
from tests.sdk.datasets.world import NO_AI, World

USE = ("--use", "train-gen", "--unknown", "keep")
ACCEPT = ("--accept", "--model", "lantern/lantern@1", "--dataset", "train", "--budget", "5USD")
DECISIONS = "out.decisions.parquet"
SEED = "ab" * 32


@given(st.binary(min_size=32, max_size=32), st.integers(1, 40), st.integers(1, 60))
def test_a_draw_is_of_different_rows_and_the_same_again(seed: bytes, count: int, size: int) -> None:
    found = drawn(seed.hex(), count, size)
    assert found == sorted(set(found)) == drawn(seed.hex(), count, size)
    assert len(found) == min(count, size)
    assert all(0 <= each < size for each in found)


def test_every_row_is_drawn_as_often_as_another() -> None:
    times = [0] * 5
    for number in range(1000):
        for each in drawn(number.to_bytes(32, "big").hex(), 2, 5):
            times[each] += 1
    assert sum(times) == 2000
    assert all(330 < each < 470 for each in times)  # 400 each, and 15 a standard deviation


def test_the_seed_depends_on_all_that_it_is_made_of() -> None:
    seeds = {seed_of(*parts).value for parts in (("a", "b", "c"), ("x", "b", "c"), ("a", "x", "c"), ("a", "b", "x"))}
    assert len(seeds) == 4


def lie(world: World, change: Callable[[dict[str, Any]], dict[str, Any] | None]) -> None:
    """Let the organisation sign other decisions than it made: what ``change`` makes of each row (None: as it is)."""
    client = world.client()
    client.close()
    table = pq.read_table(DECISIONS)
    rows = [change(row) or row for row in table.to_pylist()]
    wrong = pa.Table.from_pylist(rows, schema=table.schema)
    pq.write_table(wrong, DECISIONS)
    payload = read_manifest(Path("out.manifest.json")).payload
    who = signer(client)
    plain, salted = RootBuilder(), RootBuilder()
    for batch in wrong.to_batches():
        for part in by_part(batch):
            one, other = both_hashes(row_secret(who.key, payload.nonce), pa.Table.from_batches([part]))
            plain.add(one)
            salted.add(other)
    payload = msgspec.structs.replace(payload, decisions_root=plain.root, row_root=salted.root)
    Path("out.manifest.json").write_bytes(encode_manifest(payload, who.key))


def test_rows_hold_with_their_fingerprints_for_whoever_has_the_key(run: Run, tmp_path: Path) -> None:
    assert run("filter", "in", "-o", "out", *USE, *ACCEPT).code == 0
    told = run("audit", "sample", DECISIONS, "-k", "4", "--nonce", "Ada 7", "-o", "opened.json", "--json")
    assert told.code == 0
    found = told.document
    assert (found["sampled"], found["held"], found["failed"], found["open"]) == (4, 4, 0, 0)
    assert (found["proven"], found["rows"], found["seed"]["nonce"]) == ("row_root", [], "Ada 7")
    again = run("audit", "sample", DECISIONS, "-k", "2", "--seed", found["seed"]["value"], "--json")
    assert (again.code, again.document["sampled"]) == (0, 2)
    words = run("audit", "sample", "out", "-k", "2").out
    assert "2 rows of 4 drawn from dst_" in words
    assert "2 hold, 0 do not, 0 cannot be decided here." in words


def test_an_auditor_checks_what_was_opened_for_her(run: Run, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run("filter", "in", "-o", "out", *USE, *ACCEPT).code == 0
    assert run("audit", "sample", DECISIONS, "-k", "4", "-o", "opened.json").code == 0
    ada = world.client("ada", None)
    monkeypatch.setenv("LICET_HOME", str(ada.home.folder))
    ada.close()
    told = run("audit", "sample", DECISIONS, "-k", "4", "--json")
    assert told.code == 1  # her own draw: she has no licence to hold the row to, and no key to open fingerprints with
    assert (told.document["proven"], told.document["held"], told.document["open"]) == ("decisions_root", 3, 1)
    assert "is not shown: --evidence names a bundle" in told.document["rows"][0]["why"]
    told = run("audit", "sample", "opened.json", "-k", "4", "--json")
    assert (told.code, told.document["held"], told.document["proven"]) == (0, 4, "row_root")
    told = run("audit", "sample", "opened.json", "-k", "4", "--seed", SEED, "--json")
    assert told.code == 2
    assert told.document["error"]["field"] == "--seed"


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"verdict": "allow", "reason": "allowed"}, "looser"),
        ({"verdict": "unknown", "reason": "no-match", "work": None, "statement": None}, "looser"),
        ({"licence": "lic_" + "0" * 26, "verdict": "license", "reason": "licensed:lic_" + "0" * 26}, "not shown"),
        ({"reason": "vocab"}, "another reason"),
        ({"statement": "stm_" + "0" * 26}, "another reason, work or statement"),
    ],
)
def test_a_verdict_that_was_not_decided_is_found(
    run: Run, world: World, change: dict[str, Any], why: str, tmp_path: Path
) -> None:
    assert run("filter", "in", "-o", "out", *USE).code == 0
    lie(world, lambda row: row | change if row["verdict"] == "deny" else None)
    told = run("audit", "sample", DECISIONS, "-k", "4", "-o", "finding.json", "--json")
    assert told.code == 1
    assert told.document["held"] == 3
    (row,) = told.document["rows"]
    assert why in row["why"]
    assert row["path"].endswith("denied.png")
    assert run("audit", "sample", "finding.json", "-k", "1", "--json").document["rows"] == [row]


def test_a_restriction_that_nobody_asked_for_is_found_too(run: Run, world: World) -> None:
    assert run("filter", "in", "-o", "out", *USE).code == 0
    lie(world, lambda row: row | {"verdict": "deny", "reason": "denied"} if row["verdict"] == "allow" else None)
    told = run("audit", "sample", DECISIONS, "-k", "4", "--json")
    assert (told.code, told.document["failed"]) == (1, 1)
    lie(world, lambda row: row | {"verdict": "review", "reason": "unreadable"} if row["verdict"] == "deny" else None)
    told = run("audit", "sample", DECISIONS, "-k", "4", "--json")  # one of the two was denied: review is looser
    assert (told.document["failed"], told.document["held"]) == (1, 3)


def test_decisions_that_were_not_signed_are_refused(run: Run) -> None:
    assert run("filter", "in", "-o", "out", *USE).code == 0
    table = pq.read_table(DECISIONS)
    rows = [row | {"sha256": "00" * 32} for row in table.to_pylist()]
    pq.write_table(pa.Table.from_pylist(rows, schema=table.schema), DECISIONS)
    told = run("audit", "sample", DECISIONS, "-k", "1", "--json")
    assert told.code == 1
    assert "its fingerprints are not those" in told.document["error"]["message"]


@pytest.fixture
def opened(run: Run) -> Opened:
    assert run("filter", "in", "-o", "out", *USE).code == 0
    assert run("audit", "sample", DECISIONS, "-k", "2", "--seed", SEED, "-o", "opened.json").code == 0
    return read_opened(Path("opened.json"))


def test_opened_rows_that_were_touched_do_not_hold(opened: Opened) -> None:
    replace = msgspec.structs.replace
    first, second = opened.rows
    hold(opened)
    size = manifest_in(opened.manifest, "opened").payload.rows
    seeds = (f"{number:02x}" * 32 for number in range(256))
    other = next(each for each in seeds if drawn(each, 2, size) != drawn(opened.seed.value, 2, size))
    wrong = [
        replace(opened, rows=[replace(first, row=first.row | {"verdict": "allow"}), second]),
        replace(opened, rows=[replace(first, row=first.row | {"sha256": "11" * 32}), second]),
        replace(opened, rows=[replace(first, salt=second.salt), second]),
        replace(opened, rows=[replace(first, path=second.path), second]),
        replace(opened, rows=[second, first]),
        replace(opened, seed=replace(opened.seed, value=other)),
        replace(opened, seed=replace(opened.seed, checkpoint="x", nonce="y")),
        replace(opened, manifest=replace(opened.manifest, manifest=opened.manifest.manifest | {"kept": 9})),
    ]
    for each in wrong:
        with pytest.raises((VerificationError, MalformedError)):
            hold(each)


def test_rows_of_nonsense_are_malformed(opened: Opened, world: World) -> None:
    replace = msgspec.structs.replace
    first = opened.rows[0]
    for row in (
        replace(first, row={}),
        replace(first, row=first.row | {"row": 1.5}),
        replace(first, path=["?"]),
        replace(first, salt="AAAA"),
        replace(first, row=first.row | {"pdq_turned": "?"}),
        replace(first, row=first.row | {"matches": 7}),
    ):
        with pytest.raises((MalformedError, VerificationError)):
            changed = replace(opened, rows=[row, *opened.rows[1:]])
            hold(changed)
            changed.batch()
    Path("opened.json").write_bytes(b'{"rows": [')
    with pytest.raises(MalformedError, match="as `licet audit sample -o` opens them"):
        read_opened(Path("opened.json"))


def test_the_snapshot_of_then_decides_and_is_found_where_it_is(run: Run, world: World, works: dict[str, bytes]) -> None:
    assert run("filter", "in", "-o", "out", *USE).code == 0
    world.registry.change(works["open"], terms=NO_AI.encoded)
    assert run("snapshot", "pull").code == 0
    told = run("audit", "sample", DECISIONS, "-k", "4", "--json")
    assert (told.code, told.document["held"]) == (0, 4)
    home = world.client()
    home.close()
    elsewhere = world.client("elsewhere", None)
    with pytest.raises(Exception, match="name it with --snapshots"):
        sample(elsewhere, Path(DECISIONS), Draw(count=1))
    found, _ = sample(elsewhere, Path(DECISIONS), Draw(count=4), snapshots=[home.home.folder])
    assert found.held == 4
    elsewhere.close()


def test_what_can_be_typed_wrong_is_named(run: Run, client: Client) -> None:
    assert run("filter", "in", "-o", "out", *USE).code == 0
    for arguments, words in (
        (("-k", "0"), "-k: expected 1 to 100,000 rows, got 0"),
        (("-k", "1", "--seed", "xyz"), "--seed: expected 64 lower-case hexadecimal digits"),
        (("-k", "1", "--nonce", ""), "--nonce: expected 1 to 256 printable characters"),
        (("-k", "1", "--offline"), "expected --seed with --offline"),
        (("-k", "1", "--snapshots", "in"), "--snapshots: expected a folder with snapshots"),
        (("-k", "1", "-o", DECISIONS), "-o"),
        (("-k", "1", "--evidence", "nothing.zip"), "nothing.zip: cannot be read"),
    ):
        told = run("audit", "sample", DECISIONS, *arguments)
        assert told.code == 2, (arguments, told.err)
        assert words in told.err
    assert json.loads(run("audit", "sample", "none", "-k", "1", "--json").out)["error"]["code"]
